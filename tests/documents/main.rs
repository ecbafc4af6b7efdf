//! The documents: every example and command of the README and of the page about clusters is run as it stands there, and every link leads somewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cluster;
mod links;
#[path = "../servers/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]
mod postgres;
#[path = "../servers/valkey.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]
mod valkey;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};
use tempfile::TempDir;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The fenced blocks of this language, in their order.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(document)).unwrap();
    let mut blocks = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, behind)) = rest.split_once(&format!("```{language}\n")) {
        let (block, after) = behind.split_once("```").unwrap();
        blocks.push(block.to_owned());
        rest = after;
    }
    blocks
}

/// An upstream that answers every request with one item.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"id\":7}";
                    if stream.write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a block in a shell that stops at the first command that fails, with `fairgate` on its path.
fn run(folder: &Path, script: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_fairgate")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let script = format!("trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{script}");
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", &script]).current_dir(folder).env("PATH", path);
    command.env_remove("FAIRGATE_CONFIG").stdin(Stdio::null()).stderr(Stdio::piped());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{}\n{said}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_first_steps_of_the_readme_work_as_they_stand_there() {
    let folder = TempDir::new().unwrap();
    let configuration = blocks("README.md", "toml").remove(0);
    let minimal = fs::read_to_string(repository().join("examples/minimal.toml")).unwrap();
    let lines = |text: &str| {
        text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        lines(&configuration),
        lines(&minimal),
        "the README's example and examples/minimal.toml differ"
    );
    let (port, upstream) = (free_port().to_string(), free_port().to_string());
    // Only the ports are others, because those of the README may be taken.
    let at_free_ports = |text: &str| text.replace("8080", &port).replace("9000", &upstream);
    fs::write(folder.path().join("fairgate.toml"), at_free_ports(&configuration)).unwrap();

    let scripts = blocks("README.md", "sh");
    let [demo, test, _one_line, installed, first_steps, commands] = scripts.as_slice() else {
        panic!("{scripts:?}")
    };
    let (install, upstream_line) = installed.trim().split_once('\n').unwrap();
    assert_eq!(
        install, "cargo install --locked --path crates/fairgate",
        "the binary under test is on the path"
    );
    assert_eq!(demo.trim(), "cargo run --release -- demo", "tests/gateway/demo runs what this prints");
    assert_eq!(test.trim(), "./test");
    // A loaded machine may take longer to start than a reader's patience.
    let patient = "until curl --silent --output /dev/null http://127.0.0.1:8080/; do sleep 0.05; done";
    let started = format!(
        "{}\nuntil curl --silent --output /dev/null http://127.0.0.1:{upstream}/; do sleep 0.05; done\n",
        at_free_ports(upstream_line)
    );
    let steps = at_free_ports(&first_steps.replace("sleep 1", patient));
    let out = run(folder.path(), &format!("{started}{steps}"));
    assert!(out.contains("{\"id\":7}"), "{out}");
    assert!(out.contains("\"remaining\":999"), "{out}");
    assert!(out.contains("KEY_NOT_SET"), "{out}");
    let out = run(folder.path(), commands);
    assert!(out.contains("Usage: all requests") && out.contains("KEY_NOT_SET"), "of the first steps: {out}");
    assert!(out.contains("Acme") && out.contains("We move to a larger disk."), "{out}");
}

#[test]
fn the_one_line_start_works_as_it_stands_there() {
    let folder = TempDir::new().unwrap();
    fs::copy(repository().join("examples/openapi.yaml"), folder.path().join("petstore.yaml")).unwrap();
    let line = blocks("README.md", "sh").remove(2);
    assert_eq!(line, blocks("docs/openapi.md", "sh").remove(0), "the two documents differ");
    let port = free_port().to_string();
    let line = line.trim().replace("3000", &upstream().to_string());
    let script = format!(
        "{line} --listen 127.0.0.1:{port} > first-key.txt &\n\
         until curl --silent --output /dev/null http://127.0.0.1:{port}/; do sleep 0.05; done\n\
         curl --silent --header \"X-API-Key: $(head -n 1 first-key.txt)\" http://127.0.0.1:{port}/items/7\n\
         curl --silent http://127.0.0.1:{port}/_docs/openapi.json\n"
    );
    let out = run(folder.path(), &script);
    assert!(out.contains("{\"id\":7}"), "{out}");
    assert!(out.contains("API_LIMIT_EXCEEDED"), "{out}");
}

#[test]
fn the_table_of_the_readme_names_every_code_and_no_other() {
    let text = fs::read_to_string(repository().join("README.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    for code in contract::ErrorCode::ALL {
        let is_extra = matches!(code.status(), contract::Status::Extra(_));
        let quoted = format!("`{}`", code.name());
        let row = rows.iter().find(|row| row.contains(&quoted));
        assert_eq!(row.is_none(), is_extra, "{}", code.name());
        let number = code.status().on_the_wire(contract::Statuses::Fairgate);
        assert!(row.is_none_or(|row| row.starts_with(&format!("| {number} |"))), "{}", code.name());
    }
}
