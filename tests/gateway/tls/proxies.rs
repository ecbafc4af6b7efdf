//! The PROXY protocol: whose address counts, and which peers are refused.

use crate::support::{
    AUTHORITY, Config, Connection, Gateway, Upstream, assert_error, get,
    request::HOST,
    wire::{Ended, Wire},
};
use std::net::TcpStream;

const TRUSTED: &str = "trusted_proxies = [\"127.0.0.1\"]";

fn upstream() -> Upstream {
    Upstream::scripted(|exchange| exchange.json(200, "{}"))
}

fn plain(upstream: &Upstream) -> Config {
    Config::of(upstream).listen("address = \"127.0.0.1:0\"\nthreads = 1\nproxy_protocol = \"required\"")
}

fn second(command: u8, family: u8, addresses: &[u8], more: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend_from_slice(&[0x20 | command, family]);
    header.extend_from_slice(&((addresses.len() + more.len()) as u16).to_be_bytes());
    header.extend_from_slice(addresses);
    header.extend_from_slice(more);
    header
}

#[test]
fn the_address_in_the_header_is_the_clients() {
    let upstream = upstream();
    let gateway = Gateway::start(&plain(&upstream).top(TRUSTED));
    let key = gateway.key();
    let four = [192, 0, 2, 7, 10, 0, 0, 1, 200, 1, 1, 187];
    let mut six = [0; 36];
    six[..16].copy_from_slice(&"2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap().octets());
    for (header, address) in [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n".to_vec(), "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 ::1 56324 443\r\n".to_vec(), "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
        (second(1, 0x11, &four, b""), "192.0.2.7"),
        (second(1, 0x11, &four, b"\x20\x00\x03\x01\x02\x03\x05\x00\x01x"), "192.0.2.7"),
        (second(1, 0x21, &six, b""), "2001:db8::7"),
        (second(0, 0x00, b"", b""), "127.0.0.1"),
    ] {
        // At once, and byte by byte.
        for part in [header.len(), 1] {
            let mut connection = gateway.connect();
            for bytes in header.chunks(part) {
                connection.write(bytes);
            }
            for _ in 0..2 {
                assert_eq!(connection.send(&get("/items").key(&key)).status, 200, "{header:?}");
                assert_eq!(upstream.last().headers.get("x-forwarded-for"), Some(address));
            }
        }
    }
}

#[test]
fn claims_of_a_client_behind_the_proxy_are_not_believed() {
    let upstream = upstream();
    let gateway = Gateway::start(&plain(&upstream).top(TRUSTED));
    let mut connection = gateway.connect();
    connection.write(b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n");
    let lie = get("/items").key(&gateway.key()).header("X-Forwarded-For", "203.0.113.1");
    assert_eq!(connection.send(&lie).status, 200);
    assert_eq!(upstream.last().headers.get("x-forwarded-for"), Some("192.0.2.7"));
}

#[test]
fn connections_without_a_valid_header_are_refused() {
    let upstream = upstream();
    let gateway = Gateway::start(&plain(&upstream).top(TRUSTED));
    let request = get("/items").key(&gateway.key()).bytes();
    let long = format!("PROXY TCP4 {}\r\n", "1".repeat(200));
    for header in [
        b"".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n".to_vec(),
        b"PROXY TCP5 192.0.2.7 10.0.0.1 1 1\r\n".to_vec(),
        long.into_bytes(),
        second(2, 0x11, &[0; 12], b""),
        second(1, 0x11, &[0; 4], b""),
        second(1, 0x11, &[0; 12], &[0; 60_000]),
    ] {
        let mut connection = gateway.connect();
        connection.write(&header);
        connection.write(&request);
        let answer = connection.answer();
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        assert!(answer.text().contains("PROXY protocol"), "{}", answer.text());
        assert!(connection.is_closed());
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn the_header_of_an_untrusted_peer_is_not_read() {
    let upstream = upstream();
    let gateway = Gateway::start(&plain(&upstream).top("trusted_proxies = [\"10.0.0.0/8\"]"));
    let mut connection = gateway.connect();
    connection.write(b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n");
    connection.write(&get("/items").key(&gateway.key()).bytes());
    assert_error(&gateway, &connection.answer(), 400, "REQUEST_MALFORMED");
    assert_eq!(upstream.count(), 0);
}

#[test]
fn the_header_precedes_the_handshake() {
    let upstream = upstream();
    let tls = "[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\nproxy_protocol = \"required\"";
    let gateway = Gateway::start(&Config::of(&upstream).over_tls().section(tls).top(TRUSTED));
    let key = gateway.key();
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    std::io::Write::write_all(&mut stream, b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n").unwrap();
    let mut connection = Connection {
        wire: Wire::new(stream).under_tls(crate::support::client::session(AUTHORITY.client(None), HOST)),
    };
    assert_eq!(connection.send(&get("/items").key(&key)).status, 200);
    let seen = upstream.last();
    assert_eq!(seen.headers.get("x-forwarded-for"), Some("192.0.2.7"));
    assert_eq!(seen.headers.get("x-forwarded-proto"), Some("https"));
    // Without it no error can be sent, for there is no session.
    let mut connection = gateway.connect();
    connection.write(&get("/items").key(&key).bytes());
    assert_ne!(connection.wire.rest().1, Ended::Silent);
}
