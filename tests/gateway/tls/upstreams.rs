//! HTTPS upstreams: which authorities the gateway trusts, what it presents, and what breaks.

use crate::support::{
    AUTHORITY, Authority, Config, Gateway, Issued, Upstream, assert_error, gateway::Home, get, post,
    wire::Wire,
};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use std::{net::TcpStream, sync::Arc};

/// The body of the upstream's responses.
fn serving(identity: &Issued, clients: Option<&Authority>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ClientCertVerifier> = match clients {
        None => WebPkiClientVerifier::no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            use rustls::pki_types::{CertificateDer, pem::PemObject};
            roots.add(CertificateDer::from_pem_slice(clients.pem().as_bytes()).unwrap()).unwrap();
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .unwrap()
        }
    };
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_client_cert_verifier(verifier);
    Arc::new(config.with_single_cert(identity.chain(), identity.private()).unwrap())
}

fn upstream(config: Arc<ServerConfig>) -> Upstream {
    Upstream::scripted_over(
        move |stream: TcpStream| {
            Wire::new(stream).under_tls(ServerConnection::new(Arc::clone(&config)).unwrap())
        },
        |exchange| {
            let body = exchange.read_body().unwrap_or_default();
            match exchange.target() {
                "/moved" => {
                    let host = exchange.seen.headers.get("host").unwrap().to_owned();
                    exchange.answer(302, &[("Location", &format!("https://{host}/there"))], b"")
                }
                "/cut" => {
                    exchange.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nno end"); // and no close_notify
                    crate::support::Next::Close
                }
                "/closed" => {
                    exchange.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nthe end");
                    exchange.wire.finish_writing();
                    crate::support::Next::Close
                }
                _ => exchange.answer(200, &[("X-Names", "none")], &body),
            }
        },
    )
}

fn start(upstream: &Upstream, more: &str, files: impl FnOnce(&Home)) -> Result<Gateway, String> {
    let url = format!("https://localhost:{}", upstream.address.port());
    let home = Home::new(&Config::of_url(&url).upstream(more));
    std::fs::write(home.path("ca.pem"), AUTHORITY.pem()).unwrap();
    files(&home);
    Gateway::try_start_in(&home)
}

#[test]
fn requests_go_by_https_and_its_connections_are_kept() {
    let upstream = upstream(serving(&AUTHORITY.issue(&["localhost"]), None));
    let gateway = start(&upstream, "ca = \"ca.pem\"", |_| {}).unwrap();
    let key = gateway.key();
    let large = "y".repeat(2_000_000);
    let mut connection = gateway.connect();
    for body in ["{}", &large, "{}"] {
        let answer = connection.send(&post("/echo", body).key(&key));
        assert_eq!((answer.status, answer.text().as_str()), (200, body));
    }
    for _ in 0..5 {
        assert_eq!(connection.send(&get("/items").key(&key)).status, 200);
    }
    assert_eq!(upstream.connections(), 1, "unsolicited tickets do not spoil a connection");
}

#[test]
fn an_upstream_whose_certificate_is_not_trusted_is_a_free_error() {
    let other = Authority::new("Others");
    for identity in [other.issue(&["localhost"]), AUTHORITY.issue(&["elsewhere.example.com"])] {
        let upstream = upstream(serving(&identity, None));
        let gateway = start(&upstream, "ca = \"ca.pem\"", |_| {}).unwrap();
        let key = gateway.key();
        let answer = gateway.send(&get("/items").key(&key));
        assert_error(&gateway, &answer, 503, "UNAVAILABLE");
        assert!(!answer.text().contains("certificate"), "{}", answer.text());
        let incident = gateway.incident(answer.header("x-request-id").unwrap());
        assert!(incident["detail"].as_str().unwrap().contains("no TLS with"), "{incident}");
        assert_eq!(gateway.used(&key), 0);
        assert_eq!(upstream.count(), 0);
    }
}

#[test]
fn the_name_in_the_certificate_of_an_upstream_may_differ() {
    let upstream = upstream(serving(&AUTHORITY.issue(&["api.internal"]), None));
    let gateway = start(&upstream, "ca = \"ca.pem\"\nserver_name = \"api.internal\"", |_| {}).unwrap();
    assert_eq!(gateway.send(&get("/items").key(&gateway.key())).status, 200);
}

#[test]
fn the_gateway_proves_who_it_is() {
    let clients = Authority::new("Clients of the upstream");
    let upstream = upstream(serving(&AUTHORITY.issue(&["localhost"]), Some(&clients)));
    let own = clients.issue_to(&[(rcgen::DnType::CommonName, "fairgate")]);
    let lines = "ca = \"ca.pem\"\ncertificate = \"own.pem\"\nkey = \"own.key\"";
    let gateway = start(&upstream, lines, |home| own.write(&home.path(""), "own")).unwrap();
    assert_eq!(gateway.send(&get("/items").key(&gateway.key())).status, 200);
    // Without it, the upstream is unreachable.
    let gateway = start(&upstream, "ca = \"ca.pem\"", |_| {}).unwrap();
    assert_eq!(gateway.send(&get("/items").key(&gateway.key())).status, 500);
}

#[test]
fn its_own_redirects_are_made_public() {
    let upstream = upstream(serving(&AUTHORITY.issue(&["localhost"]), None));
    let gateway = start(&upstream, "ca = \"ca.pem\"\nhost = \"upstream\"", |_| {}).unwrap();
    let answer = gateway.send(&get("/moved").key(&gateway.key()));
    assert_eq!(answer.header("location"), Some("/there"));
}

#[test]
fn an_end_without_close_notify_is_a_truncation_and_free() {
    let upstream = upstream(serving(&AUTHORITY.issue(&["localhost"]), None));
    let gateway = start(&upstream, "ca = \"ca.pem\"", |_| {}).unwrap();
    let key = gateway.key();
    let answer = gateway.send(&get("/closed").key(&key));
    assert_eq!((answer.text().as_str(), answer.is_whole()), ("the end", true));
    assert_eq!(gateway.used(&key), 1);
    let answer = gateway.send(&get("/cut").key(&key));
    assert!(!answer.is_whole() || answer.status == 500, "{answer:?}");
    assert_eq!(gateway.used(&key), 1);
}

#[test]
fn it_does_not_start_with_files_that_cannot_be_used() {
    let upstream = Upstream::unreachable();
    let output = start(&upstream, "ca = \"missing.pem\"", |_| {}).unwrap_err();
    assert!(output.contains("there is no such file"), "{output}");
}
