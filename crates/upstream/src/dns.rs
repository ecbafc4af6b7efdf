//! A DNS stub resolver: the addresses of a name and their TTL. It does only what a client of a
//! recursive server needs: A and AAAA queries over UDP, and over TCP if a response is truncated.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};
use transport::deadline::within;

/// The timeout of one server.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Buffer for a UDP response: without EDNS it has at most 512 bytes.
const MAX_DATAGRAM_SIZE: usize = 4096;
/// Maximum number of addresses taken from one response.
const MOST: usize = 64;

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const IN: u16 = 1;

/// The response of a server.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    /// These addresses, and their TTL in seconds. Empty: the name has no address of this type.
    Addresses(Vec<IpAddr>, u32),
    /// The response does not fit a datagram.
    Truncated,
    /// The name does not exist.
    NoName,
    /// The server failed, with this code.
    Failed(u8),
}

/// All addresses of a name, and their TTL. The servers are queried one after another.
pub(super) async fn ask(servers: &[SocketAddr], name: &str) -> Result<(Vec<IpAddr>, Duration), String> {
    let mut reasons = Vec::new();
    for server in servers {
        let (four, six) = tokio::join!(ask_one(*server, name, A), ask_one(*server, name, AAAA));
        let mut addresses = Vec::new();
        let mut least = u32::MAX;
        for reply in [four, six] {
            match reply {
                Ok(Reply::Addresses(found, lives)) if !found.is_empty() => {
                    addresses.extend(found);
                    least = least.min(lives);
                }
                Ok(Reply::Addresses(..)) => {}
                Ok(Reply::NoName) => reasons.push(format!("{server}: no such name")),
                Ok(Reply::Truncated) => reasons.push(format!("{server}: the response is too long")),
                Ok(Reply::Failed(code)) => reasons.push(format!("{server}: error {code}")),
                Err(error) => reasons.push(format!("{server}: {error}")),
            }
        }
        if !addresses.is_empty() {
            return Ok((addresses, Duration::from_secs(least.into())));
        }
    }
    reasons.dedup();
    Err(if reasons.is_empty() { "it has no address".to_owned() } else { reasons.join("; ") })
}

async fn ask_one(server: SocketAddr, name: &str, kind: u16) -> io::Result<Reply> {
    let question = question(fastrand::u16(..), name, kind).ok_or(io::ErrorKind::InvalidInput)?;
    let asking = async {
        match by_udp(server, &question).await? {
            Reply::Truncated => by_tcp(server, &question).await,
            reply @ (Reply::Addresses(..) | Reply::NoName | Reply::Failed(_)) => Ok(reply),
        }
    };
    within(TIMEOUT, asking).await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
}

async fn by_udp(server: SocketAddr, question: &[u8]) -> io::Result<Reply> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    // From here on only packets of this server are received.
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut answer = vec![0; MAX_DATAGRAM_SIZE];
    loop {
        let length = socket.recv(&mut answer).await?;
        // A packet that does not answer this query may be a late response to another one, or
        // forged: the right one may still arrive.
        if let Some(reply) = answer.get(..length).and_then(|answer| read(answer, question)) {
            return Ok(reply);
        }
    }
}

async fn by_tcp(server: SocketAddr, question: &[u8]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).unwrap_or_default();
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; length.into()];
    stream.read_exact(&mut answer).await?;
    read(&answer, question).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A query. None: not a valid name.
fn question(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut out = Vec::with_capacity(name.len() + 18);
    // Recursion desired; one question.
    for part in [id, 0x0100, 1, 0, 0, 0] {
        out.extend_from_slice(&part.to_be_bytes());
    }
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        out.push(length);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&IN.to_be_bytes());
    (name.len() <= 253).then_some(out)
}

/// Parses a response. None: it does not answer this query, or is malformed.
fn read(answer: &[u8], question: &[u8]) -> Option<Reply> {
    let (head, mut rest) = answer.split_at_checked(12)?;
    let word = |at: usize| Some(u16::from_be_bytes([*head.get(at)?, *head.get(at + 1)?]));
    let (asked_head, asked) = question.split_at_checked(12)?;
    let flags = word(2)?;
    let is_answer = flags & 0x8000 != 0 && head.get(..2) == asked_head.get(..2) && word(4)? == 1;
    let (again, behind) = rest.split_at_checked(asked.len())?;
    if !is_answer || !again.eq_ignore_ascii_case(asked) {
        return None;
    }
    if flags & 0x0200 != 0 {
        return Some(Reply::Truncated);
    }
    match flags & 0xf {
        0 => {}
        3 => return Some(Reply::NoName),
        code => return Some(Reply::Failed(u8::try_from(code).unwrap_or(u8::MAX))),
    }
    rest = behind;
    let (mut addresses, mut least) = (Vec::new(), u32::MAX);
    for _ in 0..word(6)? {
        rest = behind_name(rest)?;
        let (fixed, data) = rest.split_at_checked(10)?;
        let [k1, k2, c1, c2, t1, t2, t3, t4, l1, l2] = *fixed else { return None };
        let (kind, class) = (u16::from_be_bytes([k1, k2]), u16::from_be_bytes([c1, c2]));
        let (data, behind) = data.split_at_checked(u16::from_be_bytes([l1, l2]).into())?;
        rest = behind;
        let address = match (kind, class) {
            (A, IN) => Some(IpAddr::from(<[u8; 4]>::try_from(data).ok()?)),
            (AAAA, IN) => Some(IpAddr::from(<[u8; 16]>::try_from(data).ok()?)),
            // A CNAME limits the TTL too, whatever it leads to.
            (CNAME, IN) => None,
            (_, _) => continue,
        };
        least = least.min(u32::from_be_bytes([t1, t2, t3, t4]));
        if addresses.len() < MOST {
            addresses.extend(address);
        }
    }
    Some(Reply::Addresses(addresses, least))
}

/// The bytes after a name, which may end in a compression pointer.
fn behind_name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (&length, rest) = bytes.split_first()?;
        match length {
            0 => return Some(rest),
            1..=63 => bytes = rest.get(usize::from(length)..)?,
            0xc0.. => return rest.get(1..),
            64..=0xbf => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(question: &[u8], flags: u16, records: &[(u16, u32, &[u8])]) -> Vec<u8> {
        let mut out = question[..2].to_vec();
        for part in [flags, 1, records.len() as u16, 0, 0] {
            out.extend_from_slice(&part.to_be_bytes());
        }
        out.extend_from_slice(&question[12..]);
        for (kind, lives, data) in records {
            out.extend_from_slice(&[0xc0, 12]);
            out.extend_from_slice(&kind.to_be_bytes());
            out.extend_from_slice(&IN.to_be_bytes());
            out.extend_from_slice(&lives.to_be_bytes());
            out.extend_from_slice(&(data.len() as u16).to_be_bytes());
            out.extend_from_slice(data);
        }
        out
    }

    #[test]
    fn an_answer_gives_all_addresses_and_the_shortest_time() {
        let question = question(7, "Api.example.com", A).unwrap();
        let reply = answer(
            &question,
            0x8180,
            &[(CNAME, 30, b"\x01a\0"), (A, 300, &[10, 0, 0, 1]), (A, 60, &[10, 0, 0, 2])],
        );
        let expected = vec![IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        assert_eq!(read(&reply, &question), Some(Reply::Addresses(expected, 30)));
        assert_eq!(read(&answer(&question, 0x8183, &[]), &question), Some(Reply::NoName));
        assert_eq!(read(&answer(&question, 0x8182, &[]), &question), Some(Reply::Failed(2)));
        assert_eq!(read(&answer(&question, 0x8380, &[]), &question), Some(Reply::Truncated));
        assert_eq!(
            read(&answer(&question, 0x8180, &[]), &question),
            Some(Reply::Addresses(vec![], u32::MAX))
        );
    }

    #[test]
    fn responses_to_other_queries_are_ignored() {
        let asked = question(7, "a.example", A).unwrap();
        for other in
            [question(8, "a.example", A), question(7, "b.example", A), question(7, "a.example", AAAA)]
        {
            assert_eq!(read(&answer(&other.unwrap(), 0x8180, &[(A, 9, &[1, 2, 3, 4])]), &asked), None);
        }
        // A query is not a response.
        assert_eq!(read(&answer(&asked, 0x0100, &[(A, 9, &[1, 2, 3, 4])]), &asked), None);
        assert_eq!(question(7, "a..b", A), None);
        assert_eq!(question(7, &"a".repeat(64), A), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..80) {
            let asked = question(7, "a.example", A).unwrap();
            let _ = read(&bytes, &asked);
            let mut good = answer(&asked, 0x8180, &[(A, 300, &[10, 0, 0, 1])]);
            good.truncate(cut);
            good.extend_from_slice(&bytes);
            let _ = read(&good, &asked);
        }
    }
}
