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
    pub port: u16,
    folder: TempDir,
    settings: Vec<String>,
    child: Child,
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    pub fn start(program: Program, settings: &[&str]) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
        let child = spawn(program, port, folder.path(), &settings);
        let server = Self { program, port, folder, settings, child };
        server.wait();
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until it listens.
    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "{} does not start: {}", self.program.server(), self.log());
            std::thread::yield_now();
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it anew in the same place with what is on its disk.
    pub fn restart(&mut self) {
        let (program, port) = (self.program, self.port);
        self.child = spawn(program, port, self.folder.path(), &self.settings);
        self.wait();
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    pub fn command(&self, arguments: &[&str]) -> String {
        client(self.port, arguments)
    }
}

/// A command by the command line client. What it printed.
pub fn client(port: u16, arguments: &[&str]) -> String {
    let output = Command::new("valkey-cli").args(["-p", &port.to_string()]).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sends a signal to a process.
pub fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}

fn spawn(program: Program, port: u16, folder: &Path, settings: &[String]) -> Child {
    let mut command = Command::new(program.server());
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"]).arg(folder);
    command.args(["--save", "", "--enable-debug-command", "yes", "--logfile"]).arg(folder.join("log"));
    command.args(settings).stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("{}: {error}; ./test installs it", program.server()))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
