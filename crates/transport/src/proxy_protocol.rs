//! The PROXY protocol, versions 1 and 2: a header with which a proxy reports the client of a connection.
//!
//! Only the header itself is read from the socket; the following bytes belong to TLS or HTTP.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};
use tokio::{io::AsyncReadExt, net::TcpStream};

/// The signature of version 2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Maximum length of a version 1 header, including its line end.
const LONGEST_LINE: usize = 107;
/// Maximum length of a version 2 header after the first 16 bytes. Addresses take at most 216; the
/// rest are TLVs.
const LONGEST_REST: usize = 4096;

/// Reads the header. None: the connection is the proxy's own, or the client's address is not given.
///
/// # Errors
/// There is no valid header.
pub(crate) async fn read(socket: &mut TcpStream) -> io::Result<Option<IpAddr>> {
    // Headers of both versions are longer than this.
    let mut begin = [0; 12];
    socket.read_exact(&mut begin).await?;
    let address = if begin == SIGNATURE {
        let mut sizes = [0; 4];
        socket.read_exact(&mut sizes).await?;
        let [kind, family, high, low] = sizes;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > LONGEST_REST {
            return Err(bad());
        }
        let mut rest = vec![0; length];
        socket.read_exact(&mut rest).await?;
        second(kind, family, &rest)
    } else {
        let mut line = begin.to_vec();
        read_line(socket, &mut line).await?;
        first(&line)
    };
    address.ok_or_else(bad)
}

fn bad() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Reads to the end of a line, and no byte more.
async fn read_line(socket: &mut TcpStream, line: &mut Vec<u8>) -> io::Result<()> {
    if !line.starts_with(b"PROXY ") {
        return Err(bad());
    }
    while !line.ends_with(b"\n") {
        let mut seen = [0; LONGEST_LINE];
        let room = seen.get_mut(..LONGEST_LINE.saturating_sub(line.len())).filter(|room| !room.is_empty());
        let room = room.ok_or_else(bad)?;
        let count = socket.peek(room).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let seen = room.get(..count).unwrap_or_default();
        let part = seen.iter().position(|&byte| byte == b'\n').map_or(count, |end| end + 1);
        let from = line.len();
        line.resize(from + part, 0);
        socket.read_exact(line.get_mut(from..).unwrap_or_default()).await?;
    }
    Ok(())
}

/// The outer None: not a valid header.
fn first(line: &[u8]) -> Option<Option<IpAddr>> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let mut words = line.split(' ');
    if words.next()? != "PROXY" {
        return None;
    }
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None); // the rest must be ignored
    }
    let (source, _) = match family {
        "TCP4" => {
            (IpAddr::V4(words.next()?.parse().ok()?), words.next()?.parse::<Ipv4Addr>().ok().map(drop)?)
        }
        "TCP6" => {
            (IpAddr::V6(words.next()?.parse().ok()?), words.next()?.parse::<Ipv6Addr>().ok().map(drop)?)
        }
        _ => return None,
    };
    for _ in 0..2 {
        let port = words.next()?;
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        port.parse::<u16>().ok().filter(|_| is_number)?;
    }
    words.next().is_none().then_some(Some(source))
}

/// The outer None: not a valid header. Bytes after the addresses are ignored.
fn second(kind: u8, family: u8, rest: &[u8]) -> Option<Option<IpAddr>> {
    match kind {
        0x20 => return Some(None), // LOCAL: the proxy's own connection, a health check
        0x21 => {}
        _ => return None,
    }
    match family {
        0x11 => {
            rest.get(..12)?; // both addresses and both ports
            Some(Some(IpAddr::from(*rest.first_chunk::<4>()?)))
        }
        0x21 => {
            rest.get(..36)?;
            Some(Some(IpAddr::from(*rest.first_chunk::<16>()?)))
        }
        // Unspecified, a UNIX socket, or a datagram, which is not possible here.
        0x00 | 0x31 => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_names_its_source() {
        let four = Some(Some("192.0.2.7".parse().unwrap()));
        let six = Some(Some("2001:db8::7".parse().unwrap()));
        for (line, expected) in [
            ("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n", four),
            ("PROXY TCP6 2001:db8::7 ::1 56324 443\r\n", six),
            ("PROXY UNKNOWN\r\n", Some(None)),
            ("PROXY UNKNOWN ffff:f...f 65535 65535\r\n", Some(None)),
        ] {
            assert_eq!(first(line.as_bytes()), expected, "{line}");
        }
        for line in [
            "",
            "PROXY\r\n",
            "PROXY TCP4\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443 7\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 +5 443\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n",
            "PROXY TCP4 2001:db8::7 ::1 56324 443\r\n",
            "PROXY TCP6 192.0.2.7 10.0.0.1 56324 443\r\n",
            "PROXY  TCP4 192.0.2.7 10.0.0.1 1 1\r\n",
            "PROXY UDP4 192.0.2.7 10.0.0.1 1 1\r\n",
            "proxy TCP4 192.0.2.7 10.0.0.1 1 1\r\n",
        ] {
            assert_eq!(first(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn the_second_version_names_its_source() {
        let mut rest = vec![192, 0, 2, 7, 10, 0, 0, 1, 1, 2, 3, 4];
        assert_eq!(second(0x21, 0x11, &rest), Some(Some("192.0.2.7".parse().unwrap())));
        assert_eq!(second(0x21, 0x11, &rest[..11]), None);
        assert_eq!(second(0x21, 0x21, &rest), None);
        rest.extend_from_slice(&[0x20, 0, 3, 1, 2, 3]); // a TLV
        assert_eq!(second(0x21, 0x11, &rest), Some(Some("192.0.2.7".parse().unwrap())));
        assert_eq!(second(0x20, 0x00, &[]), Some(None));
        assert_eq!(second(0x21, 0x31, &[0; 216]), Some(None));
        for (kind, family) in [(0x22, 0x11), (0x11, 0x11), (0x21, 0x12), (0x21, 0x41)] {
            assert_eq!(second(kind, family, &[0; 36]), None, "{kind:x} {family:x}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(line: Vec<u8>, kind: u8, family: u8) {
            let _ = (first(&line), second(kind, family, &line));
        }
    }
}
