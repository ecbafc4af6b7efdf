//! Calls of gRPC-Web and of the Connect protocol, and calls that an upstream answers by another protocol: an error is
//! free wherever it is reported, and a success is charged.

use crate::{
    bench::Bench,
    support::{Config, Next, Request, Upstream, request},
};
const WEB: &str = "application/grpc-web+proto";
const TEXT: &str = "application/grpc-web-text";
const MESSAGE: &[u8] = b"\0\0\0\0\x05hello";

/// A call with one empty message.
fn call(path: &str, media_type: &str) -> Request {
    request("POST", path).header("Accept-Encoding", "br, gzip").body(media_type, &[0; 5])
}

fn frame(flags: u8, bytes: &[u8]) -> Vec<u8> {
    [&[flags, 0, 0, 0, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn ending(status: &str) -> Vec<u8> {
    [MESSAGE, &frame(0x80, format!("grpc-status: {status}\r\ngrpc-message: x\r\n").as_bytes())].concat()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// One answer of an upstream: its Content-Type, further fields, its body and its trailers.
struct Case {
    /// Of the call.
    media_type: &'static str,
    /// Of the answer.
    answer: &'static str,
    fields: &'static str,
    body: Vec<u8>,
    trailers: &'static str,
    error: Option<&'static str>,
}

impl Case {
    /// The answer in chunks of `piece` bytes.
    fn bytes(&self, piece: usize) -> Vec<u8> {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n{}Transfer-Encoding: chunked\r\n\r\n",
            self.answer, self.fields
        );
        let mut bytes = head.into_bytes();
        for chunk in self.body.chunks(piece) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("0\r\n{}\r\n", self.trailers).as_bytes());
        bytes
    }
}

fn cases() -> Vec<Case> {
    let text = |pieces: &[&[u8]]| pieces.iter().map(|piece| base64(piece)).collect::<String>().into_bytes();
    let (good, bad) = (ending("0"), ending("5"));
    let end = &bad[MESSAGE.len()..];
    let (not_found, unexpected) = (Some("RESOURCE_NOT_FOUND"), Some("UNEXPECTED_ERROR"));
    let mut cases = Vec::new();
    let mut add = |media_type, answer, fields, body: &[u8], trailers, error| {
        cases.push(Case { media_type, answer, fields, body: body.to_vec(), trailers, error });
    };
    // In the head, in a frame of the body, in HTTP's own trailers.
    add(WEB, WEB, "grpc-status: 5\r\n", b"", "", not_found);
    add(WEB, WEB, "grpc-status: 0\r\n", b"", "", None);
    add(WEB, WEB, "", &good, "", None);
    add(WEB, WEB, "", &bad, "", not_found);
    add(WEB, WEB, "", MESSAGE, "grpc-status: 5\r\n", not_found);
    add(WEB, WEB, "", MESSAGE, "grpc-status: 0\r\n", None);
    // An error in one of them is an error.
    add(WEB, WEB, "grpc-status: 0\r\n", &bad, "", not_found);
    add(WEB, WEB, "", &good, "grpc-status: 5\r\n", not_found);
    // Nowhere, cut off, too early, unreadable.
    add(WEB, WEB, "", MESSAGE, "", unexpected);
    add(WEB, WEB, "", b"", "", unexpected);
    add(WEB, WEB, "", &good[..good.len() - 1], "", unexpected);
    add(WEB, WEB, "", &[&good[..], MESSAGE].concat(), "", unexpected);
    add(WEB, WEB, "", &[MESSAGE, &frame(0x81, b"nothing compressed")].concat(), "", unexpected);
    add(WEB, WEB, "Content-Encoding: br\r\n", &good, "", unexpected);
    // In base64, as one piece or each frame on its own.
    add(TEXT, TEXT, "", &text(&[&good]), "", None);
    add(TEXT, TEXT, "", &text(&[MESSAGE, end]), "", not_found);
    add(TEXT, TEXT, "grpc-status: 5\r\n", b"", "", not_found);
    add(TEXT, TEXT, "", &text(&[MESSAGE]), "", unexpected);
    // The response's type decides how it is parsed.
    add(TEXT, WEB, "", &good, "", None);
    add(WEB, "application/grpc-web-text+proto", "", &text(&[&bad]), "", not_found);
    add(WEB, "application/grpc", "", &bad, "", not_found);
    // A stream of Connect.
    let connect = "application/connect+json";
    add(connect, connect, "", &[MESSAGE, &frame(2, b"{}")].concat(), "", None);
    let error = br#"{"error":{"code":"not_found","message":"no"}}"#;
    add(connect, connect, "", &[MESSAGE, &frame(2, error)].concat(), "", not_found);
    add(connect, connect, "", MESSAGE, "", unexpected);
    // gRPC itself: a status of 0 in the head does not outweigh another one in the trailers.
    let grpc = "application/grpc";
    add(grpc, grpc, "grpc-status: 0\r\n", MESSAGE, "grpc-status: 5\r\n", not_found);
    cases
}

#[test]
fn errors_are_free_wherever_the_protocol_reports_them() {
    let upstream = Upstream::scripted(|exchange| {
        let (case, piece) = exchange.target().strip_prefix("/shop.Items/").unwrap().split_once('/').unwrap();
        let (case, piece): (usize, usize) = (case.parse().unwrap(), piece.parse().unwrap());
        let bytes = cases()[case].bytes(piece);
        exchange.send_raw(&bytes, Next::Keep)
    });
    let bench = Bench::of(upstream, |config| config.plan("free", &["1000 per day"]));
    let mut connection = bench.gateway.connect();
    let before = bench.gateway.limits(&bench.key);
    let mut used = 0;
    for (number, case) in cases().iter().enumerate() {
        for piece in [1, 7, 1000] {
            let id = format!("call-{number}-{piece}");
            let target = format!("/shop.Items/{number}/{piece}");
            let answer =
                connection.send(&call(&target, case.media_type).key(&bench.key).header("X-Request-Id", &id));
            let shown = format!("case {number} in chunks of {piece}: {answer:?}");
            assert_eq!((answer.status, answer.is_whole()), (200, true), "{shown}");
            assert_eq!(answer.body, case.body, "{shown}");
            let line = bench.gateway.logged(&id);
            let charged = u64::from(case.error.is_none());
            assert_eq!(
                (line["charged"].as_u64(), line["code"].as_str()),
                (Some(charged), case.error),
                "{line} {shown}"
            );
            used += charged;
        }
    }
    bench.gateway.limits(&bench.key).assert_charged_since(&before, used, "calls");
    // A body that the gateway must read is not requested in a coding that it does not know.
    for seen in bench.upstream.seen() {
        let is_grpc = seen.headers.get("Content-Type") == Some("application/grpc");
        assert_eq!(seen.headers.has("Accept-Encoding"), is_grpc, "{seen:?}");
    }
    assert!(bench.gateway.incident("call-8-7").to_string().contains("grpc-status"));
}

#[test]
fn a_call_that_is_answered_by_another_protocol_is_internal_and_free_and_an_incident() {
    let upstream = Upstream::scripted(|exchange| {
        let (status, media_type) = match exchange.target() {
            "/shop.Items/Html" => (200, "text/html"),
            "/shop.Items/Web" => (200, WEB),
            "/shop.Items/Created" => (201, "application/grpc"),
            "/shop.Items/Elsewhere" => (302, "application/json"),
            "/shop.Items/None" => return exchange.answer(204, &[], b""),
            "/shop.Items/Untyped" => return exchange.answer(200, &[("grpc-status", "0")], b""),
            _ => (200, "application/json"),
        };
        exchange.answer(status, &[("Content-Type", media_type), ("Location", "/a")], b"{\"id\": 7}")
    });
    let bench = Bench::of(upstream, |config: Config| config.plan("free", &["1000 per day"]));
    let mut connection = bench.gateway.connect();
    let before = bench.gateway.limits(&bench.key);
    let targets = ["Json", "Html", "Web", "Created", "Elsewhere", "None", "Untyped"];
    for (number, media_type) in ["application/grpc", "application/grpc+proto", WEB, TEXT].iter().enumerate() {
        for name in targets {
            // A gRPC-Web client understands a gRPC-Web response, which then is judged by its frames.
            if name == "Web" && media_type.starts_with("application/grpc-web") {
                continue;
            }
            let id = format!("{name}-{number}");
            let request = call(&format!("/shop.Items/{name}"), media_type).key(&bench.key);
            let answer = connection.send(&request.header("X-Request-Id", &id));
            let status = (answer.status, answer.header("grpc-status"), answer.header("X-Error-Code"));
            assert_eq!(
                status,
                (200, Some("13"), Some("UNEXPECTED_ERROR")),
                "{media_type} {name}: {answer:?}"
            );
            assert!(answer.body.is_empty() && !answer.headers.has("Location"), "{answer:?}");
            assert_eq!(bench.charged(&id), 0, "{media_type} {name}");
            assert_eq!(answer.number("X-Rate-Limit-Remaining"), 1000, "{media_type} {name}");
            let incident = bench.gateway.incident(&id);
            assert_eq!(
                incident["cause"], "the upstream's response does not use the protocol of the call",
                "{incident}"
            );
        }
    }
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 0, "calls answered by another protocol");
    // Its connections continue, and ordinary requests get ordinary responses.
    assert_eq!(bench.upstream.connections(), 1);
    let answer =
        connection.send(&request("POST", "/shop.Items/Json").key(&bench.key).body("text/plain", b"a"));
    assert_eq!((answer.status, answer.text().as_ref()), (200, "{\"id\": 7}"));
}

#[test]
fn a_client_that_leaves_once_it_has_read_the_error_is_not_charged() {
    // The frame with the error comes; the end of the body never does.
    let upstream = Upstream::scripted(|exchange| {
        exchange.read_body();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {WEB}\r\nTransfer-Encoding: chunked\r\n\r\n");
        let status = exchange.target().rsplit('/').next().unwrap().to_owned();
        let body = ending(&status);
        exchange
            .write(&[head.as_bytes(), format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n"].concat());
        exchange.stall()
    });
    let bench = Bench::of(upstream, |config| config);
    for (status, charged) in [("5", 0), ("0", 1)] {
        let mut connection = bench.gateway.connect();
        let request =
            call(&format!("/shop.Items/{status}"), WEB).key(&bench.key).header("X-Request-Id", status);
        connection.write(&request.bytes());
        let head = crate::support::Answer::read_head(&mut connection.wire).unwrap();
        assert_eq!(head.status, 200);
        let mut body = Vec::new();
        while !body.ends_with(b"grpc-message: x\r\n\r\n") {
            body.extend(connection.wire.some().unwrap());
        }
        drop(connection);
        assert_eq!(bench.charged(status), charged, "grpc-status {status}");
    }
}

#[test]
fn a_call_over_http_1_0_is_judged_as_any_other() {
    // Its response ends with the connection, so there is no last byte to charge at.
    let upstream = Upstream::scripted(|exchange| {
        let status = exchange.target().rsplit('/').next().unwrap().to_owned();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {WEB}\r\nConnection: close\r\n\r\n");
        exchange.send_raw(&[head.as_bytes(), &ending(&status)].concat(), Next::Close)
    });
    let bench = Bench::of(upstream, |config| config);
    for (status, charged) in [("5", 0), ("0", 1)] {
        let mut bytes = format!(
            "POST /shop.Items/{status} HTTP/1.0\r\nX-Request-Id: old-{status}\r\nX-API-Key: {}\r\n\
             Content-Type: {WEB}\r\nContent-Length: 5\r\n\r\n",
            bench.key.key
        )
        .into_bytes();
        bytes.extend_from_slice(&[0; 5]);
        let answer = bench.gateway.send_bytes(&bytes);
        assert_eq!(answer.body, ending(status));
        assert_eq!(bench.charged(&format!("old-{status}")), charged, "grpc-status {status}");
    }
}
