//! The beginning and the end of a connection under TLS, good and bad.

use crate::support::{
    AUTHORITY, Config, Connection, Gateway, Upstream, assert_error, eventually, get, post,
    request::HOST,
    wire::{Ended, Wire},
};
use rustls::{HandshakeKind, ProtocolVersion};
use std::{net::TcpStream, sync::Arc};

fn upstream() -> Upstream {
    Upstream::scripted(|exchange| {
        let body = exchange.read_body().unwrap_or_default();
        match exchange.target() {
            "/echo" => exchange.answer(200, &[], &body),
            "/until-close" => {
                exchange.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end");
                crate::support::Next::Close
            }
            "/broken" => {
                exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf");
                crate::support::Next::Close
            }
            _ => exchange.json(200, "{\"id\": 7}"),
        }
    })
}

fn gateway() -> (Upstream, Gateway) {
    let upstream = upstream();
    let gateway = Gateway::start(&Config::of(&upstream).over_tls());
    (upstream, gateway)
}

#[test]
fn many_requests_of_both_versions_are_answered_on_one_connection() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut config = AUTHORITY.client(None);
        let provider = Arc::clone(config.crypto_provider());
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots(&AUTHORITY.pem())),
            Arc::clone(&provider),
        );
        config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_webpki_verifier(verifier.build().unwrap())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut connection = Connection::try_open_tls(gateway.address, config, HOST).unwrap();
        for _ in 0..3 {
            let answer = connection.send(&get("/items/7").key(&key));
            assert_eq!((answer.status, answer.text().as_str()), (200, "{\"id\": 7}"));
        }
        let session = connection.wire.tls.as_ref().unwrap();
        assert_eq!(session.protocol_version(), Some(version.version));
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
}

fn roots(pem: &str) -> rustls::RootCertStore {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    roots
}

#[test]
fn the_oldest_version_that_is_spoken_can_be_set() {
    let upstream = upstream();
    let tls = "[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\nmin_version = \"1.3\"";
    let gateway = Gateway::start(&Config::of(&upstream).over_tls().section(tls));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let old = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots(&AUTHORITY.pem()))
        .with_no_client_auth();
    let error = Connection::try_open_tls(gateway.address, old, HOST).unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
    let new = Connection::try_open_tls(gateway.address, AUTHORITY.client(None), HOST).unwrap();
    assert_eq!(new.wire.tls.unwrap().protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn large_bodies_pass_both_ways() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    let body: String = (0..3_000_000).map(|i| char::from(b'a' + (i % 23) as u8)).collect();
    let answer = gateway.send(&post("/echo", &body).key(&key));
    assert_eq!(answer.status, 200);
    assert!(answer.is_whole() && answer.text() == body, "{} bytes came back", answer.body.len());
}

#[test]
fn an_error_has_the_whole_specification() {
    let (_upstream, gateway) = gateway();
    assert_error(&gateway, &gateway.send(&get("/items/7")), 403, "KEY_NOT_SET");
    assert_error(&gateway, &gateway.send_bytes(b"GET  / HTTP/1.1\r\n\r\n"), 400, "REQUEST_MALFORMED");
}

#[test]
fn plain_http_gets_an_error_that_names_https() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    let plain = || Wire::new(TcpStream::connect(gateway.address).unwrap());
    for bytes in [get("/items/7").key(&key).bytes(), b"hello\r\n\r\n".to_vec()] {
        let mut connection = Connection { wire: plain() };
        connection.write(&bytes);
        let answer = connection.answer();
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        assert!(answer.text().contains("This port speaks HTTPS"), "{}", answer.text());
        assert!(connection.is_closed());
    }
    // In the requested form.
    let mut connection = Connection { wire: plain() };
    connection.write(&get("/").header("Accept", "application/problem+json").bytes());
    assert_eq!(connection.answer().header("content-type"), Some("application/problem+json"));
}

#[test]
fn what_is_neither_gets_an_alert_and_an_end() {
    let (_upstream, gateway) = gateway();
    // A hello of SSL 2, a record that is too long, one that is not a hello, and one of an unknown type.
    for bytes in [
        &b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"[..],
        b"\x16\x03\x01\xff\xff\x01",
        b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00",
        b"\x00\x00\x00\x00\x00\x00\x00\x00",
    ] {
        let mut wire = Wire::new(TcpStream::connect(gateway.address).unwrap());
        wire.write(bytes);
        wire.finish_writing();
        let (received, ended) = wire.rest();
        assert_ne!(ended, Ended::Silent, "{bytes:?}");
        // A fatal alert; or nothing, where the bytes are not even part of TLS.
        assert!(received.is_empty() || (received[0] == 21 && received[5] == 2), "{bytes:?}: {received:?}");
    }
    eventually("it is logged", || gateway.has_event("TLS handshakes failed").then_some(()));
    assert_eq!(gateway.send(&get("/_docs/errors/KEY_NOT_SET")).status, 200);
}

#[test]
fn a_protocol_that_is_not_spoken_is_refused_by_its_alert() {
    let (_upstream, gateway) = gateway();
    let mut config = AUTHORITY.client(None);
    config.alpn_protocols = vec![b"spdy/1".to_vec()];
    let error = Connection::try_open_tls(gateway.address, config, HOST).unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[test]
fn a_handshake_that_does_not_go_on_is_ended() {
    let upstream = upstream();
    let tls = "[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\nhandshake_timeout = \"300ms\"";
    let gateway = Gateway::start(&Config::of(&upstream).over_tls().section(tls));
    for begin in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"] {
        let mut wire = Wire::new(TcpStream::connect(gateway.address).unwrap());
        wire.write(begin);
        assert_ne!(wire.rest().1, Ended::Silent, "{begin:?}");
    }
}

#[test]
fn a_session_is_resumed_by_whatever_thread_takes_the_connection() {
    let (_upstream, gateway) = gateway();
    let config = AUTHORITY.client(None);
    let mut kinds = Vec::new();
    for _ in 0..6 {
        let mut connection = Connection::try_open_tls(gateway.address, config.clone(), HOST).unwrap();
        assert_eq!(connection.send(&get("/_docs/errors/KEY_NOT_SET")).status, 200); // reads the ticket
        kinds.push(connection.wire.tls.unwrap().handshake_kind().unwrap());
    }
    assert_eq!(kinds.remove(0), HandshakeKind::Full);
    assert!(kinds.iter().all(|kind| *kind == HandshakeKind::Resumed), "{kinds:?}");
}

#[test]
fn an_orderly_end_sends_close_notify_and_a_broken_one_does_not() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    let old =
        |target: &str| format!("GET {target} HTTP/1.0\r\nHost: {HOST}\r\nX-API-Key: {}\r\n\r\n", key.key);
    // The end of the connection is the end of the body: only TLS can tell it from a truncation.
    let answer = gateway.send_bytes(old("/until-close").as_bytes());
    assert_eq!((answer.status, answer.text().as_str(), answer.cut), (200, "to the end", None));
    let answer = gateway.send_bytes(old("/broken").as_bytes());
    assert_eq!((answer.status, answer.is_whole()), (200, false), "{answer:?}");
}

#[test]
fn a_client_that_leaves_without_close_notify_costs_nothing_and_hurts_nobody() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    for _ in 0..3 {
        let mut connection = gateway.connect();
        connection.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nX-API-Key: ");
        drop(connection); // no close_notify
    }
    let answer = gateway.send(&get("/items/7").key(&key));
    assert_eq!(answer.number("X-Rate-Limit-Remaining"), 999_999);
}

#[test]
fn idle_connections_are_ended_when_it_drains() {
    let (_upstream, gateway) = gateway();
    let mut idle = gateway.connect();
    idle.wire.shake_hands().unwrap();
    let silent = TcpStream::connect(gateway.address).unwrap(); // not even a handshake
    gateway.stop();
    assert!(idle.is_closed());
    drop(silent);
}
