//! Certificates by ACME, from Pebble: a certificate authority that Let's Encrypt wrote for tests.

use crate::support::{
    AUTHORITY, Authority, Config, Connection, Gateway, Upstream, eventually, gateway::Home, get, wire::Wire,
};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::{Child, Command, Stdio},
    sync::Arc,
};
use tempfile::TempDir;

/// The authority, and the name server that it asks.
struct Pebble {
    processes: Vec<Child>,
    directory: String,
    _folder: TempDir,
}

/// Ports for the gateway. The authority has to know them first.
struct Ports {
    plain: u16,
    tls: u16,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Pebble {
    /// An authority whose certificates hold for so many seconds.
    fn start(ports: &Ports, life: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        AUTHORITY.issue(&["localhost", "127.0.0.1"]).write(folder.path(), "pebble");
        let (listen, own, management) = (free_port(), free_port(), format!("127.0.0.1:{}", free_port()));
        let names = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{listen}"),
            "managementListenAddress": format!("127.0.0.1:{own}"),
            "certificate": path("pebble.pem"),
            "privateKey": path("pebble.key"),
            "httpPort": ports.plain,
            "tlsPort": ports.tls,
            "certificateValidityPeriod": life,
        }});
        std::fs::write(path("config.json"), config.to_string()).unwrap();
        let mut server = Command::new("pebble-challtestsrv");
        server.args([
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
        ]);
        server.args(["-dns01", &format!("127.0.0.1:{names}"), "-management", &management]);
        let mut authority = Command::new("pebble");
        authority.args(["-config", &path("config.json"), "-dnsserver", &format!("127.0.0.1:{names}")]);
        authority.env("PEBBLE_VA_NOSLEEP", "1");
        let run = |command: &mut Command| {
            let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            silent.spawn().unwrap_or_else(|error| panic!("install pebble: {error}"))
        };
        let processes = vec![run(&mut server), run(&mut authority)];
        let pebble =
            Self { processes, directory: format!("https://localhost:{listen}/dir"), _folder: folder };
        for address in [format!("127.0.0.1:{listen}"), management] {
            eventually("Pebble and its name server listen", || TcpStream::connect(&address).ok());
        }
        pebble
    }
}

fn home(upstream: &Upstream, pebble: &Pebble, ports: &Ports, challenge: &str) -> Arc<Home> {
    let Ports { plain, tls } = ports;
    let section = format!(
        "[tls]\naddress = \"127.0.0.1:{tls}\"\nplain = \"redirect\"\n[tls.acme]\ndomains = [\"api.example.com\", \"www.example.com\"]\n\
         contact = [\"ops@example.com\"]\nca = \"ca.pem\"\nchallenge = \"{challenge}\"\ndirectory = \"{}\"\n",
        pebble.directory
    );
    let listen = format!("address = \"127.0.0.1:{plain}\"\nthreads = 2");
    let home = Home::new(&Config::of(upstream).over_tls().listen(&listen).section(&section));
    std::fs::write(home.path("ca.pem"), AUTHORITY.pem()).unwrap();
    home
}

/// The certificate that is shown, whoever made it. None: the handshake fails, because there is none.
fn shown(address: SocketAddr, name: &str) -> Option<Vec<u8>> {
    let mut config = Authority::new("of nobody").client(None);
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
        let ports = Ports { plain: free_port(), tls: free_port() };
        let pebble = Pebble::start(&ports, 3600);
        let upstream = Upstream::unreachable();
        let home = home(&upstream, &pebble, &ports, challenge);
        let gateway = Gateway::start_in(&home);
        gateway.event("certificate fetched");
        let first = shown(gateway.address, "api.example.com").unwrap();
        assert_eq!(shown(gateway.address, "www.example.com").as_ref(), Some(&first));
        let names = names_of(&first);
        assert!(names.contains("DNS:api.example.com") && names.contains("DNS:www.example.com"), "{names}");
        // Without TLS there is nothing but the way to https, now that no challenge is open.
        let mut plain =
            Connection { wire: Wire::new(TcpStream::connect(("127.0.0.1", ports.plain)).unwrap()) };
        assert_eq!(plain.send(&get("/.well-known/acme-challenge/x")).status, 301);
        // What was fetched is there at once after a restart, also without the authority.
        drop(gateway.stop());
        drop(pebble);
        let gateway = Gateway::start_in(&home);
        assert_eq!(shown(gateway.address, "api.example.com"), Some(first), "{challenge}");
        only_ours(&home);
    }
}

/// Nobody else can read keys.
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
    assert_eq!(names, ["account.json", "certificate.pem"]);
}

#[test]
fn it_is_renewed_at_two_thirds_of_its_life() {
    let ports = Ports { plain: free_port(), tls: free_port() };
    let pebble = Pebble::start(&ports, 9);
    let upstream = Upstream::unreachable();
    let gateway = Gateway::start_in(&home(&upstream, &pebble, &ports, "http-01"));
    gateway.event("certificate fetched");
    let first = shown(gateway.address, "api.example.com").unwrap();
    eventually("another certificate is shown", || {
        shown(gateway.address, "api.example.com").filter(|second| *second != first)
    });
}

#[test]
fn a_failure_is_told_and_tried_again_later_and_hurts_nothing_else() {
    let ports = Ports { plain: free_port(), tls: free_port() };
    // The authority asks at another port than that of the gateway.
    let pebble = Pebble::start(&Ports { plain: free_port(), tls: free_port() }, 3600);
    let upstream = Upstream::scripted(|exchange| exchange.json(200, "{}"));
    let home = home(&upstream, &pebble, &ports, "http-01");
    let text = std::fs::read_to_string(home.config()).unwrap();
    std::fs::write(home.config(), text.replace("plain = \"redirect\"", "plain = \"serve\"")).unwrap();
    let gateway = Gateway::start_in(&home);
    let told: Value = gateway.event("no certificate was fetched");
    assert!(told["error"].as_str().unwrap().contains("example.com"), "{told}");
    let wait: u64 = told["again_in"].as_str().unwrap().trim_end_matches(" s").parse().unwrap();
    assert!((45..=75).contains(&wait), "{told}");
    assert_eq!(shown(gateway.address, "api.example.com"), None);
    let key = gateway.key();
    let mut plain = Connection { wire: Wire::new(TcpStream::connect(("127.0.0.1", ports.plain)).unwrap()) };
    assert_eq!(plain.send(&get("/items").key(&key)).status, 200);
}

/// Takes any certificate: what a test wants is to look at it.
#[derive(Debug)]
struct Anybody;

impl rustls::client::danger::ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
