//! Certificates by ACME, from Pebble: a certificate authority that Let's Encrypt wrote for tests.

mod anybody;
mod front;
mod orders;
mod pebble;
mod renewal;

use crate::support::{
    AUTHORITY, Authority, Config, Connection, Gateway, Upstream, gateway::Home, get, wire::Wire,
};
use anybody::Anybody;
use pebble::{Pebble, Ports, free_port};
use serde_json::Value;
use std::{
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    sync::Arc,
};

fn ports() -> Ports {
    Ports { plain: free_port(), tls: free_port() }
}

/// A gateway that orders from an authority at a port. `more`: further lines of `[tls.acme]`.
fn config(upstream: &Upstream, directory: u16, ports: Ports, more: &str) -> Config {
    let Ports { plain, tls } = ports;
    let section = format!(
        "[tls]\naddress = \"127.0.0.1:{tls}\"\nplaintext = \"redirect\"\n[tls.acme]\ndomains = [\"api.example.com\", \"www.example.com\"]\n\
         contact = [\"ops@example.com\"]\nca = \"ca.pem\"\ndirectory = \"https://localhost:{directory}/dir\"\n{more}\n",
    );
    let listen = format!("address = \"127.0.0.1:{plain}\"\nthreads = 2");
    Config::of(upstream).over_tls().listen(&listen).section(&section)
}

/// Writes the authority that the gateway trusts.
fn trusting(home: Arc<Home>) -> Arc<Home> {
    std::fs::write(home.path("ca.pem"), AUTHORITY.pem()).unwrap();
    home
}

fn home(upstream: &Upstream, directory: u16, ports: Ports, more: &str) -> Arc<Home> {
    trusting(Home::new(&config(upstream, directory, ports, more)))
}

/// The certificate that is presented, whoever issued it. None: the handshake fails, because there is none.
fn shown(address: SocketAddr, name: &str) -> Option<Vec<u8>> {
    let mut config = Authority::new("untrusted").client(None);
    config.dangerous().set_certificate_verifier(Arc::new(Anybody));
    Connection::try_open_tls(address, config, name).ok().map(|connection| connection.certificate())
}

fn names_of(certificate: &[u8]) -> String {
    use std::io::Write;
    let mut command = Command::new("openssl");
    command.args(["x509", "-inform", "der", "-noout", "-ext", "subjectAltName"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(certificate).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn a_certificate_is_fetched_kept_and_used_again() {
    for challenge in ["http-01", "tls-alpn-01"] {
        let ports = ports();
        let pebble = Pebble::start(ports, 3600);
        let upstream = Upstream::unreachable();
        let home = home(&upstream, pebble.port, ports, &format!("challenge = \"{challenge}\""));
        let gateway = Gateway::start_in(&home);
        gateway.event("certificate fetched");
        let first = shown(gateway.address, "api.example.com").unwrap();
        assert_eq!(shown(gateway.address, "www.example.com").as_ref(), Some(&first));
        let names = names_of(&first);
        assert!(names.contains("DNS:api.example.com") && names.contains("DNS:www.example.com"), "{names}");
        // Without TLS there is only the redirect to https, now that no challenge is pending.
        let mut plain =
            Connection { wire: Wire::new(TcpStream::connect(("127.0.0.1", ports.plain)).unwrap()) };
        assert_eq!(plain.send(&get("/.well-known/acme-challenge/x")).status, 301);
        // The certificate is there at once after a restart, also without the authority.
        drop(gateway.stop());
        drop(pebble);
        let gateway = Gateway::start_in(&home);
        assert_eq!(shown(gateway.address, "api.example.com"), Some(first), "{challenge}");
        only_ours(&home);
    }
}

/// Only the owner can read keys.
fn only_ours(home: &Home) {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::fs::read_dir(home.path("data/acme")).unwrap().next().unwrap().unwrap().path();
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        names.push(file.file_name().into_string().unwrap());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{names:?}");
    }
    names.sort();
    assert_eq!(names, ["account.json", "certificate.pem", "orders.json"]);
}

#[test]
fn a_failure_is_logged_and_retried_later_and_affects_nothing_else() {
    let own = ports();
    // The authority validates at another port than that of the gateway.
    let pebble = Pebble::start(ports(), 3600);
    let upstream = Upstream::scripted(|exchange| exchange.json(200, "{}"));
    let home = home(&upstream, pebble.port, own, "");
    let text = std::fs::read_to_string(home.config()).unwrap();
    std::fs::write(home.config(), text.replace("plaintext = \"redirect\"", "plaintext = \"serve\"")).unwrap();
    let gateway = Gateway::start_in(&home);
    let event: Value = gateway.event("no certificate was fetched");
    assert!(event["error"].as_str().unwrap().contains("example.com"), "{event}");
    let wait: u64 = event["again_in"].as_str().unwrap().trim_end_matches(" s").parse().unwrap();
    assert!((60..=75).contains(&wait), "{event}");
    assert_eq!(shown(gateway.address, "api.example.com"), None);
    let key = gateway.key();
    let mut plain = Connection { wire: Wire::new(TcpStream::connect(("127.0.0.1", own.plain)).unwrap()) };
    assert_eq!(plain.send(&get("/items").key(&key)).status, 200);
}
