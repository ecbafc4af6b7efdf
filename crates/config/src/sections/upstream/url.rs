//! The URL of an upstream.

use super::super::syntax::{is_host_name, is_plain_path};
use crate::{
    fault::Fault,
    raw::{At, Refusal, Section},
};
use gateway::settings::UpstreamAddress;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    ops::Range,
};

/// A URL of an upstream, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) is_https: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) base_path: String,
}

impl Url {
    pub(super) fn authority(&self) -> String {
        let (host, port) = (self.host.clone(), self.port);
        UpstreamAddress { host, port, weight: 1, tls: None, speaks_http2: false }.authority()
    }
}

pub(super) fn refuse_itself(
    section: &Section<'_>,
    url: &Url,
    span: &Range<usize>,
    listen: Option<&At<SocketAddr>>,
) {
    let Some(listen) = listen.filter(|listen| leads_back(url, listen.value)) else { return };
    section.reader.fault(
        Fault::at(span.clone(), "the upstream is this gateway itself")
            .label("requests would loop forever")
            .also(listen.span.clone(), format!("Fairgate listens at {}", listen.value))
            .help("write the address of the API, or another port for Fairgate"),
    );
}

fn leads_back(url: &Url, listen: SocketAddr) -> bool {
    if url.port != listen.port() {
        return false;
    }
    let ours = listen.ip();
    let theirs: Option<IpAddr> = url.host.parse().ok();
    match theirs {
        Some(address) => {
            address == ours || (ours.is_unspecified() && (address.is_loopback() || address.is_unspecified()))
        }
        None => url.host.eq_ignore_ascii_case("localhost") && (ours.is_loopback() || ours.is_unspecified()),
    }
}

pub(super) fn parse_url(text: &str) -> Result<Url, Refusal> {
    let refuse =
        |label: &str, help: String| Refusal::new(format!("`{text}` cannot be the upstream"), label, help);
    if text.contains("${") || text.starts_with('$') {
        return Err(refuse(
            "variables are not expanded in this file",
            "write the URL itself; a script may write the file from a template before Fairgate starts"
                .to_owned(),
        ));
    }
    if text.starts_with("unix:") {
        return Err(refuse(
            "an upstream is reached by TCP, not by a socket file",
            "let it listen at an address: url = \"http://127.0.0.1:9000\"".to_owned(),
        ));
    }
    let scheme = |name: &str| text.get(..name.len()).filter(|begin| begin.eq_ignore_ascii_case(name));
    let is_https = scheme("https://").is_some();
    let begin = if is_https { "https://" } else { "http://" };
    let Some(rest) = scheme(begin).and_then(|begin| text.get(begin.len()..)) else {
        let help = match text.split_once("://") {
            Some((_, rest)) => format!("use http or https: \"http://{rest}\""),
            None => format!("write it with its scheme: \"http://{text}\""),
        };
        return Err(refuse("expected http:// or https://", help));
    };
    if let Some(end) = rest.find(['?', '#']) {
        let (before, behind) = rest.split_at(end);
        let what = if behind.starts_with('?') { "a query string" } else { "a fragment" };
        return Err(refuse(
            &format!("{what} is not allowed here"),
            format!("leave it out: \"{begin}{before}\""),
        ));
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if let Some((_, host)) = authority.rsplit_once('@') {
        return Err(refuse(
            "a user or password is not allowed here",
            format!("leave it out: \"{begin}{host}{path}\""),
        ));
    }
    let (host, port) = split_port(authority, if is_https { 443 } else { 80 }).ok_or_else(|| {
        refuse(
            "the port is not a number from 1 to 65535",
            "write it like this: url = \"http://127.0.0.1:9000\"".to_owned(),
        )
    })?;
    let host = match host.strip_prefix('[') {
        Some(inside) => inside.strip_suffix(']').filter(|inside| inside.parse::<Ipv6Addr>().is_ok()),
        None => Some(host).filter(|host| is_host_name(host)),
    };
    let host = host.ok_or_else(|| {
        refuse(
            "the host is not valid",
            "write a host name, an IPv4 address, or an IPv6 address in brackets".to_owned(),
        )
    })?;
    if !is_plain_path(path) {
        return Err(refuse(
            "the path is not valid",
            "write a path without dot segments, repeated slashes and percent signs".to_owned(),
        ));
    }
    let base_path = path.strip_suffix('/').unwrap_or(path).to_owned();
    Ok(Url { is_https, host: host.to_owned(), port, base_path })
}

/// Host and port; the port is `usual` if it is missing. `None`: the port is invalid.
pub(super) fn split_port(authority: &str, usual: u16) -> Option<(&str, u16)> {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|&port: &u16| is_number && port != 0)?;
            Some((host, port))
        }
        _ => Some((authority, usual)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: &str, port: u16, base_path: &str) -> Url {
        Url { is_https: port == 443, host: host.to_owned(), port, base_path: base_path.to_owned() }
    }

    #[test]
    fn a_url_is_taken_apart() {
        for (text, expected) in [
            ("http://127.0.0.1:9000", url("127.0.0.1", 9000, "")),
            ("http://api", url("api", 80, "")),
            ("HTTP://api/", url("api", 80, "")),
            ("https://api", url("api", 443, "")),
            ("HTTPS://api/v1/", url("api", 443, "/v1")),
            ("http://api:81/v1/", url("api", 81, "/v1")),
            ("http://[::1]:9000/a", url("::1", 9000, "/a")),
            ("http://[::1]", url("::1", 80, "")),
        ] {
            assert_eq!(parse_url(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_upstream_is_refused() {
        for text in [
            "",
            "http://",
            "http:///",
            "api:9000",
            "https://",
            "https://api:0",
            "ftp://api",
            "http://u:p@api",
            "http://api?a=b",
            "http://api#b",
            "http://api:0",
            "http://api:",
            "http://api:99999",
            "http://api:+80",
            "http://[::1",
            "http://::1",
            "http://a b",
            "http://api//v1",
            "http://api/../v1",
            "http://ä",
        ] {
            assert!(parse_url(text).is_err(), "{text}");
        }
    }
}
