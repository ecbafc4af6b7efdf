//! Pebble, an authority of ACME for tests, as a process.

use crate::support::{AUTHORITY, eventually};
use serde_json::{Value, json};
use std::{
    net::{TcpListener, TcpStream, UdpSocket},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// The authority, and the name server that it queries.
pub(super) struct Pebble {
    processes: Vec<Child>,
    pub(super) port: u16,
    _folder: TempDir,
}

/// Ports for the gateway. The authority must know them first.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub(super) plain: u16,
    pub(super) tls: u16,
}

pub(super) fn free_port() -> u16 {
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
    /// An authority whose certificates are valid for so many seconds.
    pub(super) fn start(ports: Ports, life: u32) -> Self {
        Self::start_with(ports, life, &json!({}))
    }

    /// The same with more settings.
    pub(super) fn start_with(ports: Ports, life: u32, more: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        AUTHORITY.issue(&["localhost", "127.0.0.1"]).write(folder.path(), "pebble");
        let (listen, own, management) = (free_port(), free_port(), format!("127.0.0.1:{}", free_port()));
        let names = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let mut config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{listen}"),
            "managementListenAddress": format!("127.0.0.1:{own}"),
            "certificate": path("pebble.pem"),
            "privateKey": path("pebble.key"),
            "httpPort": ports.plain,
            "tlsPort": ports.tls,
            "certificateValidityPeriod": life,
            // Versions that have profiles read it from there.
            "profiles": { "default": { "description": "for tests", "validityPeriod": life } },
        }});
        config["pebble"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
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
        server.args([name_server_option(), &format!("127.0.0.1:{names}"), "-management", &management]);
        let mut authority = Command::new("pebble");
        authority.args(["-config", &path("config.json"), "-dnsserver", &format!("127.0.0.1:{names}")]);
        // Without delays, and without nonces that are refused at random: requests are counted.
        authority.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0");
        let run = |command: &mut Command| {
            let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            silent.spawn().unwrap_or_else(|error| panic!("install pebble: {error}"))
        };
        let processes = vec![run(&mut server), run(&mut authority)];
        let pebble = Self { processes, port: listen, _folder: folder };
        for address in [format!("127.0.0.1:{listen}"), management] {
            eventually("Pebble and its name server listen", || TcpStream::connect(&address).ok());
        }
        pebble
    }
}

/// The option for the name server's address: Pebble 2.10 has another name for it than earlier versions.
fn name_server_option() -> &'static str {
    let help = Command::new("pebble-challtestsrv").arg("-help").output();
    let help = help.unwrap_or_else(|error| panic!("install pebble: {error}"));
    if String::from_utf8_lossy(&help.stderr).contains("-dns01 ") { "-dns01" } else { "-dnsserver" }
}
