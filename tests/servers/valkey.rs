//! A Valkey or Redis server of a test: in a temporary folder, on a port of its own, gone with the test.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Valkey,
    Redis,
}

impl Program {
    const fn server(self) -> &'static str {
        match self {
            Self::Valkey => "valkey-server",
            Self::Redis => "redis-server",
        }
    }
}

/// A server.
pub struct Server {
    program: Program,
    pub address: String,
    pub port: u16,
    /// The network namespace that it runs in. None: that of the test.
    namespace: Option<String>,
    folder: TempDir,
    settings: Vec<String>,
    child: Option<Child>,
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    pub fn start(program: Program, settings: &[&str]) -> Self {
        Self::start_at(program, "127.0.0.1", free_port(), None, settings)
    }

    /// The same at an address of a network namespace.
    pub fn start_within(program: Program, namespace: &str, address: &str, settings: &[&str]) -> Self {
        Self::start_at(program, address, 6379, Some(namespace.to_owned()), settings)
    }

    fn start_at(
        program: Program,
        address: &str,
        port: u16,
        namespace: Option<String>,
        settings: &[&str],
    ) -> Self {
        let (address, folder) = (address.to_owned(), tempfile::tempdir().unwrap());
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut server = Self { program, address, port, namespace, folder, settings, child: None };
        server.restart();
        server
    }

    pub fn url(&self) -> String {
        format!("redis://{}:{}", self.address, self.port)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until it listens.
    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((self.address.as_str(), self.port)).is_err() {
            assert!(Instant::now() < until, "{} does not start: {}", self.program.server(), self.log());
            std::thread::yield_now();
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it anew in the same place with what is on its disk.
    pub fn restart(&mut self) {
        self.child = Some(self.spawn());
        self.wait();
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        signal(self.child.as_ref().unwrap(), name);
    }

    pub fn command(&self, arguments: &[&str]) -> String {
        client_of(&self.address, self.port, arguments)
    }

    fn spawn(&self) -> Child {
        let mut command = match &self.namespace {
            None => Command::new(self.program.server()),
            Some(namespace) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net=/run/netns/{namespace}")).arg(self.program.server());
                command
            }
        };
        let folder = self.folder.path();
        command.args(["--port", &self.port.to_string(), "--bind", &self.address, "--dir"]).arg(folder);
        command.args(["--save", "", "--enable-debug-command", "yes", "--logfile"]).arg(folder.join("log"));
        command.args(["--protected-mode", "no"]);
        command.args(&self.settings).stdin(Stdio::null()).stdout(Stdio::null());
        command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; ./test installs it", self.program.server()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A Sentinel, which watches a primary by the name `ledger`.
pub struct Sentinel {
    pub address: String,
    pub port: u16,
    child: Child,
    _folder: TempDir,
}

impl Sentinel {
    /// A Sentinel at the address of the primary.
    pub fn start(primary: u16, password: &str) -> Self {
        Self::start_at("127.0.0.1", ("127.0.0.1", primary), password)
    }

    /// A Sentinel at an address of this network namespace.
    pub fn start_at(address: &str, primary: (&str, u16), password: &str) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let settings = format!(
            "port {port}\nbind {address}\nprotected-mode no\ndir {}\nlogfile {}\n\
             sentinel monitor ledger {} {} 2\nsentinel auth-pass ledger {password}\n\
             sentinel down-after-milliseconds ledger 500\nsentinel failover-timeout ledger 3000\n",
            folder.path().display(),
            folder.path().join("log").display(),
            primary.0,
            primary.1,
        );
        let file = folder.path().join("settings");
        fs::write(&file, settings).unwrap();
        let mut command = Command::new("valkey-sentinel");
        command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        let sentinel = Self { address: address.to_owned(), port, child, _folder: folder };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((address, port)).is_err() {
            assert!(Instant::now() < until, "a Sentinel does not start");
            std::thread::yield_now();
        }
        sentinel
    }

    pub fn command(&self, arguments: &[&str]) -> String {
        client_of(&self.address, self.port, arguments)
    }

    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command by the command line client. What it printed.
pub fn client(port: u16, arguments: &[&str]) -> String {
    client_of("127.0.0.1", port, arguments)
}

/// The same of a server elsewhere.
pub fn client_of(address: &str, port: u16, arguments: &[&str]) -> String {
    let mut command = Command::new("valkey-cli");
    let output = command.args(["-h", address, "-p", &port.to_string()]).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sends a signal to a process.
pub fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}
