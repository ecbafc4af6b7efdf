//! HTTP/2 under TLS: negotiated in the handshake, or a clear error.

use crate::support::{AUTHORITY, Config, Gateway, assert_error, gateway::Home, get};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
};

use crate::frames::{ACK, DATA, END_HEADERS, END_STREAM, HEADERS, OK, SETTINGS, frame};

/// A server under TLS that offers these protocols, and answers the first request on each connection.
fn serve(offers: &'static [&'static [u8]]) -> String {
    let identity = AUTHORITY.issue(&["127.0.0.1"]);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config =
        config.with_no_client_auth().with_single_cert(identity.chain(), identity.private()).unwrap();
    config.alpn_protocols = offers.iter().map(|offer| offer.to_vec()).collect();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let config = Arc::clone(&config);
            std::thread::spawn(move || -> Option<()> {
                let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
                let mut preface = [0; 24];
                stream.read_exact(&mut preface).ok()?;
                stream.write_all(&frame(SETTINGS, 0, 0, &[])).ok()?;
                stream.write_all(&frame(SETTINGS, ACK, 0, &[])).ok()?;
                loop {
                    let mut head = [0; 9];
                    stream.read_exact(&mut head).ok()?;
                    let length = usize::from(head[1]) << 8 | usize::from(head[2]);
                    stream.read_exact(&mut vec![0; length]).ok()?;
                    if head[3] == HEADERS {
                        let id = u32::from_be_bytes(head[5..9].try_into().unwrap());
                        stream.write_all(&frame(HEADERS, END_HEADERS, id, OK)).ok()?;
                        stream.write_all(&frame(DATA, END_STREAM, id, b"sealed")).ok()?;
                    }
                }
            });
        }
    });
    url
}

fn start(url: &str) -> Gateway {
    let config = Config::of_url(url).upstream("http2 = true\nca = \"upstream-ca.pem\"");
    let home = Home::new(&config);
    std::fs::write(home.path("upstream-ca.pem"), AUTHORITY.pem()).unwrap();
    Gateway::start_in(&home)
}

#[test]
fn http_2_is_chosen_in_the_handshake() {
    let gateway = start(&serve(&[b"h2", b"http/1.1"]));
    let key = gateway.key();
    for _ in 0..3 {
        let answer = gateway.send(&get("/a").key(&key));
        assert_eq!((answer.status, answer.text().as_str()), (200, "sealed"));
    }
}

#[test]
fn an_upstream_that_does_not_choose_it_is_reported_to_the_operator() {
    for offers in [&[b"http/1.1" as &[u8]] as &'static [&'static [u8]], &[]] {
        let gateway = start(&serve(offers));
        let key = gateway.key();
        let before = gateway.limits(&key);
        let answer = gateway.send(&get("/a").key(&key));
        assert_error(&gateway, &answer, 503, "UNAVAILABLE");
        let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
        assert_eq!(incident["cause"], "the upstream cannot be reached");
        gateway.limits(&key).assert_charged_since(&before, 0, "errors are free");
    }
}
