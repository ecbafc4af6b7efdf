#!/usr/bin/env bash
# ureq 3 turns each status from 400 on into an error that holds the number and nothing else: the body that says which
# parameter is wrong, Retry-After and the request id are gone. So a program cannot wait as long as it is told, and its
# logs say "http status: 429". `http_status_as_error(false)` gives the response back. Exits with 1 once it does
# otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo init --quiet --vcs none --name finding
cargo add --quiet ureq@=3.5.2 --no-default-features

cat > src/main.rs << 'END'
use std::io::{Read, Write};

fn main() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 21\r\n\
                  Connection: close\r\n\r\nAll 10 calls are used",
            );
        }
    });
    let error = format!("{:?}", ureq::get(&url).call().unwrap_err());
    println!("by default: {error}");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(&url).call().unwrap();
    let wait = response.headers()["retry-after"].to_str().unwrap().to_owned();
    let text = response.body_mut().read_to_string().unwrap();
    println!("http_status_as_error(false): {}, Retry-After: {wait}, {text:?}", response.status().as_u16());
    if error != "StatusCode(429)" || (wait.as_str(), text.as_str()) != ("7", "All 10 calls are used") {
        eprintln!("the behaviour has changed");
        std::process::exit(1);
    }
}
END
echo "ureq 3.5.2"
CARGO_TARGET_DIR=target cargo build --quiet --jobs 1
timeout 20 target/debug/finding
