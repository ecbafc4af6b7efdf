//! Independent clients: curl, openssl and Python's ssl.

use crate::support::{AUTHORITY, Config, Gateway, Upstream, request::HOST};
use std::process::{Command, Output, Stdio};

fn gateway() -> (Upstream, Gateway) {
    let upstream = Upstream::scripted(|exchange| {
        let body = exchange.read_body().unwrap_or_default();
        exchange.answer(200, &[], if body.is_empty() { b"{\"id\": 7}" } else { &body })
    });
    let gateway = Gateway::start(&Config::of(&upstream).over_tls());
    std::fs::write(gateway.home().path("ca.pem"), AUTHORITY.pem()).unwrap();
    (upstream, gateway)
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    use std::io::Write;
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn curl_gets_its_answers() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    let ca = gateway.home().path("ca.pem");
    let port = gateway.address.port();
    let body = gateway.home().path("body");
    std::fs::write(&body, "z".repeat(1_000_000)).unwrap();
    let curl = |more: &[&str]| {
        let to = format!("{HOST}:{port}:127.0.0.1");
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "20", "--resolve", &to, "--cacert"]);
        command.arg(&ca).args(["--header", &format!("X-API-Key: {}", key.key)]).args(more);
        let out = run(command.arg(format!("https://{HOST}:{port}/items")), b"");
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    };
    for version in [&["--tls-max", "1.2"][..], &["--tlsv1.3"], &["--http1.1"], &["--http1.0"]] {
        assert_eq!(curl(version), (Some(0), "{\"id\": 7}".into(), String::new()), "{version:?}");
    }
    // HTTP/2 is negotiated where the client offers it.
    let version = ["--write-out", " %{http_version}"];
    assert_eq!(curl(&version).1, "{\"id\": 7} 2");
    assert_eq!(curl(&[&version[..], &["--http1.1"]].concat()).1, "{\"id\": 7} 1.1");
    let data = format!("@{}", body.display());
    let (code, out, err) = curl(&["--data-binary", &data]);
    assert_eq!((code, out.len()), (Some(0), 1_000_000), "{err}");
    let (code, _, err) = curl(&["--tls-max", "1.1"]);
    assert_eq!(code, Some(35), "{err}");
}

#[test]
fn openssl_gets_its_answer_and_the_whole_chain() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    let address = gateway.address.to_string();
    let ca = gateway.home().path("ca.pem");
    let request =
        format!("GET /items HTTP/1.1\r\nHost: {HOST}\r\nX-API-Key: {}\r\nConnection: close\r\n\r\n", key.key);
    for version in ["-tls1_2", "-tls1_3"] {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &address, "-servername", HOST, version, "-ign_eof", "-CAfile"]);
        let out = run(
            command.arg(&ca).args(["-verify_return_error", "-verify_hostname", HOST]),
            request.as_bytes(),
        );
        let output = text(&out.stdout);
        assert!(output.contains("Verify return code: 0 (ok)"), "{version}: {output}{}", text(&out.stderr));
        assert!(output.contains("HTTP/1.1 200 ") && output.contains("{\"id\": 7}"), "{version}: {output}");
    }
}

#[test]
fn python_gets_a_close_notify_at_the_end() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    let program = "
import socket, ssl, sys
ca, port, key = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    context.minimum_version = context.maximum_version = version
    session = None
    for _ in range(2):
        with socket.create_connection(('127.0.0.1', int(port)), timeout=20) as plain:
            # With this, an end without close_notify is an error.
            with context.wrap_socket(plain, server_hostname='api.example.com', suppress_ragged_eofs=False, session=session) as tls:
                tls.sendall(f'GET /items HTTP/1.1\\r\\nHost: a\\r\\nX-API-Key: {key}\\r\\nConnection: close\\r\\n\\r\\n'.encode())
                answer = b''
                while part := tls.recv(65536):
                    answer += part
                assert answer.startswith(b'HTTP/1.1 200 '), answer
                assert tls.session_reused == (session is not None), version
                session = tls.session
print('well')
";
    let mut command = Command::new("python3");
    command.args(["-c", program]).arg(gateway.home().path("ca.pem"));
    let out = run(command.args([&gateway.address.port().to_string(), &key.key]), b"");
    assert_eq!(text(&out.stdout), "well\n", "{}", text(&out.stderr));
}
