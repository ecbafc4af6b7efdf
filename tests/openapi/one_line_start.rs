//! `fairgate serve --openapi FILE --upstream URL`, without a configuration file.

use crate::{
    shop::{DOCUMENT, upstream},
    support::{Upstream, eventually, program},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

struct Started {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

fn command(folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(program());
    command.current_dir(folder.path()).env_remove("FAIRGATE_CONFIG").env("FAIRGATE_THREADS", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(folder: tempfile::TempDir, upstream: &Upstream) -> Started {
    let port = free_port();
    let child = command(&folder)
        .args(["serve", "--openapi", "shop.yaml", "--upstream", &upstream.url()])
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .spawn()
        .unwrap();
    eventually("the gateway listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    Started { child, folder, port }
}

impl Started {
    fn status(&self, key: &str) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET /v1/things HTTP/1.1\r\nHost: a\r\nShop-Key: {key}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Ends it in order; gives what it printed, and its folder.
    fn stop(mut self) -> (String, tempfile::TempDir) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut out = String::new();
        BufReader::new(self.child.stdout.take().unwrap()).read_to_string(&mut out).unwrap();
        assert!(self.child.wait().unwrap().success());
        (out, self.folder)
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("fairgate-").tempdir().unwrap();
    std::fs::write(folder.path().join("shop.yaml"), DOCUMENT).unwrap();
    folder
}

#[test]
fn the_first_key_is_shown_once_and_works_after_a_restart() {
    let upstream = upstream();
    let mut started = start(folder(), &upstream);
    let mut key = String::new();
    BufReader::new(started.child.stdout.as_mut().unwrap()).read_line(&mut key).unwrap();
    let key = key.trim().to_owned();
    assert!(key.starts_with("fg_"), "{key}");
    assert_eq!(started.status(&key), 200);
    assert_eq!(started.status(""), 403);

    // Every other command works with the configuration that was written.
    let mut more = command(&started.folder);
    more.args(["keys", "create", "--config", "fairgate-data/fairgate.toml", "--plan", "default"]);
    let made = more.output().unwrap();
    assert!(made.status.success(), "{made:?}");

    let (_, folder) = started.stop();
    let again = start(folder, &upstream);
    assert_eq!(again.status(&key), 200);
    let (out, _) = again.stop();
    assert_eq!(out, "", "the key is shown once");
}

#[test]
fn what_is_missing_or_doubled_on_the_line_is_said() {
    let folder = folder();
    for (arguments, part) in [
        (&["serve", "--openapi", "shop.yaml"][..], "--upstream"),
        (&["serve", "--upstream", "http://127.0.0.1:1"], "--openapi"),
        (&["serve", "--openapi", "nothing.yaml", "--upstream", "http://127.0.0.1:1"], "nothing.yaml"),
        (&["serve", "--openapi", "shop.yaml", "--upstream", "ftp://a"], "http://"),
    ] {
        let said = command(&folder).args(arguments).stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(part), "{part:?} is not in {err}");
    }
}
