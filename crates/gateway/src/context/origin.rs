//! The origin of a request: the peer, or the address that the proxies in front of us report. What
//! untrusted parties wrote is ignored.

use crate::settings::Settings;
use http1::{
    field::{ForwardedKind, RequestField},
    request::RequestHead,
};
use std::net::IpAddr;

/// The origin of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client, as far as it is known.
    pub(crate) address: IpAddr,
    /// The peer is a trusted proxy, so what it reports of the client is trusted.
    pub(crate) is_peer_trusted: bool,
}

impl Origin {
    pub(crate) fn of(head: &RequestHead, peer: IpAddr, settings: &Settings) -> Self {
        let peer = peer.to_canonical();
        if let Some(hops) = settings.trusted_hops {
            return Self { address: by_hops(chain(head), hops, peer), is_peer_trusted: true };
        }
        let is_trusted = |address: IpAddr| settings.trusted_proxies.iter().any(|net| net.contains(&address));
        if !is_trusted(peer) {
            return Self { address: peer, is_peer_trusted: false };
        }
        Self { address: by_networks(chain(head), is_trusted, peer), is_peer_trusted: true }
    }
}

/// The nearest address that is not a trusted proxy: everything before it could be forged.
fn by_networks(
    chain: impl Iterator<Item = Option<IpAddr>>,
    is_trusted: impl Fn(IpAddr) -> bool,
    peer: IpAddr,
) -> IpAddr {
    // An invalid address ends the chain: what is beyond it is unknown.
    chain.map_while(|address| address).find(|address| !is_trusted(*address)).unwrap_or(peer)
}

/// The address that the outermost of this many proxies saw; the farthest known one if the chain is shorter.
fn by_hops(chain: impl Iterator<Item = Option<IpAddr>>, hops: usize, peer: IpAddr) -> IpAddr {
    chain.take(hops).map_while(|address| address).last().unwrap_or(peer)
}

/// The addresses that the proxies report as their peers, the nearest first: from `X-Forwarded-For`,
/// or from `Forwarded` if that is missing. All lines of a field form one list (RFC 9110 section
/// 5.3); otherwise a line of the client could hide the one that the proxy added.
fn chain(head: &RequestHead) -> impl Iterator<Item = Option<IpAddr>> {
    let has_list = head.value(RequestField::Forwarded(ForwardedKind::For)).is_some();
    let listed = head
        .values(RequestField::Forwarded(ForwardedKind::For))
        .rev()
        .flat_map(|line| line.rsplit(|&b| b == b',').map(node));
    let forwarded = head
        .values(RequestField::Forwarded(ForwardedKind::Forwarded))
        .rev()
        .filter(move |_| !has_list)
        .flat_map(|line| elements(line).into_iter().rev().map(for_of));
    listed.chain(forwarded)
}

/// The elements of a `Forwarded` line (RFC 7239 section 4). Commas inside quotes do not separate.
pub(crate) fn elements(line: &[u8]) -> Vec<&[u8]> {
    split(line, b',')
}

fn split(line: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut parts, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, &byte) in line.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            other if other == separator && !is_quoted => {
                parts.push(line.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(line.get(start..).unwrap_or_default());
    parts
}

/// The address of the parameter `for` of an element.
fn for_of(element: &[u8]) -> Option<IpAddr> {
    node(parameter(element, b"for")?)
}

/// The value of a parameter of an element, with its quotes.
pub(crate) fn parameter<'e>(element: &'e [u8], wanted: &[u8]) -> Option<&'e [u8]> {
    split(element, b';').into_iter().find_map(|pair| {
        let (name, value) = pair.trim_ascii().split_at_checked(wanted.len())?;
        let value = value.strip_prefix(b"=")?;
        name.eq_ignore_ascii_case(wanted).then_some(value)
    })
}

/// An address, optionally with a port, brackets or quotes. None for other identifiers (`unknown`, `_hidden`).
pub(crate) fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let address = if let Some(literal) = text.strip_prefix('[') {
        IpAddr::V6(literal.split_once(']')?.0.parse().ok()?)
    } else if let Ok(address) = text.parse() {
        address
    } else {
        IpAddr::V4(text.split_once(':')?.0.parse().ok()?)
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http1::{reading::Reading, request::Notes};
    use proptest::prelude::*;

    const PEER: &str = "10.0.0.1";

    fn head(fields: &str) -> RequestHead {
        let bytes = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes();
        let length = bytes.len();
        RequestHead::parse(bytes, length, Notes::default(), &Reading::default())
            .map_err(|(fault, _, _)| fault)
            .unwrap()
    }

    fn by(fields: &str, hops: Option<usize>) -> String {
        let (head, peer) = (head(fields), PEER.parse().unwrap());
        let trusted: ipnet::IpNet = "10.0.0.0/8".parse().unwrap();
        match hops {
            Some(hops) => by_hops(chain(&head), hops, peer),
            None => by_networks(chain(&head), |address| trusted.contains(&address), peer),
        }
        .to_string()
    }

    #[test]
    fn the_nearest_address_that_is_not_a_proxy_is_the_client() {
        for (fields, address) in [
            ("", PEER),
            ("X-Forwarded-For: 1.1.1.1\r\n", "1.1.1.1"),
            ("X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.0.0.2\r\n", "1.1.1.1"),
            ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.1.1.1\r\n", "1.1.1.1"),
            ("X-Forwarded-For: 6.6.6.6, unknown, 10.0.0.2\r\n", PEER),
            ("X-Forwarded-For: 6.6.6.6,\r\n", PEER),
            ("X-Forwarded-For: 1.1.1.1:4711\r\n", "1.1.1.1"),
            ("X-Forwarded-For: [2001:db8::1]:80\r\n", "2001:db8::1"),
            ("X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1"),
            ("X-Forwarded-For: ::ffff:1.1.1.1\r\n", "1.1.1.1"),
            (
                "Forwarded: for=6.6.6.6, for=\"[2001:db8::1]:80\";proto=https, for=10.0.0.2;by=x\r\n",
                "2001:db8::1",
            ),
            ("Forwarded: for=6.6.6.6, By=\"a,b\";FOR=1.1.1.1\r\n", "1.1.1.1"),
            ("Forwarded: for=6.6.6.6, for=_hidden\r\n", PEER),
            ("Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 1.1.1.1\r\n", "1.1.1.1"),
        ] {
            assert_eq!(by(fields, None), address, "{fields}");
        }
    }

    #[test]
    fn hops_are_counted_from_the_right() {
        for (fields, hops, address) in [
            ("", 1, PEER),
            ("X-Forwarded-For: 6.6.6.6, 1.1.1.1\r\n", 1, "1.1.1.1"),
            ("X-Forwarded-For: 6.6.6.6, 1.1.1.1, 2.2.2.2\r\n", 2, "1.1.1.1"),
            (
                "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n",
                2,
                "1.1.1.1",
            ),
            ("X-Forwarded-For: 1.1.1.1\r\n", 3, "1.1.1.1"),
            ("X-Forwarded-For: 6.6.6.6, nonsense, 2.2.2.2\r\n", 3, "2.2.2.2"),
            ("Forwarded: for=6.6.6.6, for=1.1.1.1\r\n", 1, "1.1.1.1"),
        ] {
            assert_eq!(by(fields, Some(hops)), address, "{fields} {hops}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_client_writes_first_changes_nothing(forged in "[ -~]{0,40}", hops in 1usize..4) {
            let proxies = "1.1.1.1, 10.0.0.3, 10.0.0.2";
            let honest = format!("X-Forwarded-For: {proxies}\r\n");
            let spoofed = format!("X-Forwarded-For: {forged}\r\nX-Forwarded-For: {proxies}\r\n");
            prop_assert_eq!(by(&honest, Some(hops)), by(&spoofed, Some(hops)));
            prop_assert_eq!(by(&honest, None), by(&spoofed, None));
            let one_line = format!("X-Forwarded-For: {forged}, {proxies}\r\n");
            prop_assert_eq!(by(&honest, None), by(&one_line, None));
        }
    }
}
