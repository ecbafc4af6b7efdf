//! Sentinels beside the servers of Valkey and Redis. They end with the test.

pub use crate::valkey_server::{Program, Server, free_port};

use crate::valkey_server::{client, signal};
use std::{
    fs,
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A Sentinel that watches one primary under the name `ledger`.
pub struct Sentinel {
    pub port: u16,
    child: Child,
    _folder: TempDir,
}

impl Sentinel {
    pub fn start(primary: u16, password: &str) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let settings = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nlogfile {}\nsentinel monitor ledger 127.0.0.1 {primary} 2\n\
             sentinel auth-pass ledger {password}\nsentinel down-after-milliseconds ledger 500\n\
             sentinel failover-timeout ledger 3000\n",
            folder.path().display(),
            folder.path().join("log").display(),
        );
        let file = folder.path().join("settings");
        fs::write(&file, settings).unwrap();
        let mut command = Command::new("valkey-sentinel");
        command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null());
        let sentinel = Self { port, child: command.spawn().unwrap(), _folder: folder };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "a Sentinel does not start");
            std::thread::yield_now();
        }
        sentinel
    }

    pub fn command(&self, arguments: &[&str]) -> String {
        client(self.port, arguments)
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
