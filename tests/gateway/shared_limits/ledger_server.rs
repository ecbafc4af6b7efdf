//! A Valkey of a test: in a folder of its own, on a port of its own, with nothing on the disk.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

use crate::support::eventually;

pub(crate) struct LedgerServer {
    port: u16,
    folder: TempDir,
    child: Child,
}

impl LedgerServer {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("fairgate-").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = spawn(port, &folder);
        let server = Self { port, folder, child };
        server.wait();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it without any warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it anew, with nothing of what it knew.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port, &self.folder);
        self.wait();
    }

    /// Commands that it has carried out for messages.
    pub(crate) fn messages(&self) -> u64 {
        let port = self.port.to_string();
        let out = Command::new("valkey-cli").args(["-p", &port, "info", "commandstats"]).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let calls = text.lines().find_map(|line| line.strip_prefix("cmdstat_fcall:calls="));
        calls.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    }

    fn wait(&self) {
        eventually("the ledger's server listens", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }
}

fn spawn(port: u16, folder: &TempDir) -> Child {
    let mut command = Command::new("valkey-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("valkey-server: {error}"))
}

impl Drop for LedgerServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
