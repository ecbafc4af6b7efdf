//! `fairgate serve --upstream URL`, with `--openapi FILE` or without, and without a configuration file.

use crate::{
    shop::{DOCUMENT, upstream},
    support::{Upstream, eventually, program},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
};

struct Started {
    child: Child,
    out: BufReader<ChildStdout>,
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
    start_with(folder, &["--openapi", "shop.yaml", "--upstream", &upstream.url()])
}

fn start_with(folder: tempfile::TempDir, words: &[&str]) -> Started {
    let port = free_port();
    let mut child = command(&folder)
        .arg("serve")
        .args(words)
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .spawn()
        .unwrap();
    eventually("the gateway listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    let out = BufReader::new(child.stdout.take().unwrap());
    Started { child, out, folder, port }
}

impl Started {
    fn status(&self, key: &str) -> u16 {
        self.answer("GET /v1/things", &format!("Shop-Key: {key}")).0
    }

    /// Status and whole text of an answer.
    fn answer(&self, line: &str, header: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nHost: a\r\n{header}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    /// The first key, as it is printed.
    fn first_key(&mut self) -> String {
        let mut key = String::new();
        self.out.read_line(&mut key).unwrap();
        assert!(key.starts_with("fg_"), "{key}");
        key.trim().to_owned()
    }

    /// Stops it in order; returns its output and its folder.
    fn stop(mut self) -> (String, tempfile::TempDir) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
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
    let key = started.first_key();
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
fn a_missing_or_repeated_argument_is_reported() {
    let folder = folder();
    for (arguments, part) in [
        (&["serve", "--openapi", "shop.yaml"][..], "--upstream"),
        (&["serve", "--listen", "127.0.0.1:1"], "--upstream"),
        (&["serve", "--openapi", "nothing.yaml", "--upstream", "http://127.0.0.1:1"], "nothing.yaml"),
        (&["serve", "--openapi", "shop.yaml", "--upstream", "ftp://a"], "http://"),
    ] {
        let output = command(&folder).args(arguments).stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(part), "{part:?} is not in {err}");
    }
}

#[test]
fn a_start_that_fails_leaves_the_configuration_of_the_one_that_runs() {
    let upstream = upstream();
    let mut started = start(folder(), &upstream);
    let key = started.first_key();
    let written = started.folder.path().join("fairgate-data/fairgate.toml");
    let before = std::fs::read_to_string(&written).unwrap();
    for (url, why) in [("http://127.0.0.1:1", "a gateway runs with the store"), ("ftp://a", "a gateway runs")]
    {
        let mut other = command(&started.folder);
        other.args(["serve", "--openapi", "shop.yaml", "--upstream", url]);
        other.args(["--listen", &format!("127.0.0.1:{}", started.port)]);
        let output = other.stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), err.contains(why)), (Some(1), true), "{url}: {err}");
        assert_eq!(std::fs::read_to_string(&written).unwrap(), before, "{url}");
    }
    assert_eq!(started.status(&key), 200);
    let (_, folder) = started.stop();
    let output =
        command(&folder).args(["serve", "--upstream", "ftp://a"]).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("fairgate-data/fairgate.toml")).unwrap(), before);
}

#[test]
fn an_upstream_alone_gets_keys_the_default_plan_and_every_path() {
    let upstream = Upstream::sample();
    let folder = tempfile::Builder::new().prefix("fairgate-").tempdir().unwrap();
    let mut started = start_with(folder, &["--upstream", &upstream.url()]);
    let key = format!("X-API-Key: {}", started.first_key());
    for (line, target) in [
        ("GET /items/7", "/items/7"),
        ("GET /", "/"),
        ("DELETE /any/path?a=b", "/any/path?a=b"),
        ("PURGE /x", "/x"),
    ] {
        started.answer(line, &key);
        assert_eq!(upstream.last().target, target, "{line}");
    }
    let (status, answer) = started.answer("GET /items/7", &key);
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"per_second\";q=20") || answer.contains("q=10000"), "{answer}");
    let (status, answer) = started.answer("GET /items/7", "Accept: */*");
    assert_eq!(status, 403, "{answer}");
    assert!(answer.contains("KEY_NOT_SET"), "{answer}");
    let (_, page) = started.answer("GET /_docs/endpoints.md", "Accept: */*");
    assert!(page.contains("every path is one"), "{page}");

    // Every other command works with the configuration that was written, which is whole.
    let mut check = command(&started.folder);
    let output = check.args(["config", "check", "--config", "fairgate-data/fairgate.toml"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let (out, folder) = started.stop();
    assert!(out.contains("curl --header 'X-API-Key: fg_"), "{out}");
    let again = start_with(folder, &["--upstream", &upstream.url()]);
    assert_eq!(again.answer("GET /items/7", &key).0, 200);
    assert_eq!(again.stop().0, "", "the key is shown once");
}
