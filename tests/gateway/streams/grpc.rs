//! gRPC: errors of the gateway in the form that its clients understand, errors of the upstream free of charge.
//! Calls are framed as HTTP/1.1 here, as the gateway itself handles them behind HTTP/2.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use contract::{
    ErrorCode, Status,
    grpc::{GrpcStatus, retry_info, status_details},
};

use crate::{
    bench::Bench,
    support::{Answer, Config, Next, Request, Upstream, eventually, get, request},
};

/// A call with one empty message.
fn call(path: &str) -> Request {
    request("POST", path).header("TE", "trailers").body("application/grpc+proto", &[0; 5])
}

/// An upstream that answers a call as the target selects: a message, trailers, or trailers only.
fn upstream() -> Upstream {
    Upstream::scripted(|exchange| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n";
        let message = "Transfer-Encoding: chunked\r\n\r\n5\r\n\0\0\0\0\0\r\n0\r\n";
        let status: u16 = exchange.target().rsplit('/').next().unwrap().parse().unwrap_or(0);
        let text = match exchange.target() {
            target if target.starts_with("/shop.Items/Trailers/") => {
                format!("{head}{message}grpc-status: {status}\r\ngrpc-message: as%20it%20was\r\n\r\n")
            }
            target if target.starts_with("/shop.Items/Only/") => format!(
                "{head}Content-Length: 0\r\ngrpc-status: {status}\r\ngrpc-message: as%20it%20was\r\n\r\n"
            ),
            "/shop.Items/Twice" => format!("{head}{message}grpc-status: 0\r\ngrpc-status: 5\r\n\r\n"),
            "/shop.Items/None" => format!("{head}{message}\r\n"),
            "/shop.Items/NoTrailers" => format!("{head}Content-Length: 5\r\n\r\n\0\0\0\0\0"),
            target if target.starts_with("/shop.Items/Http/") => {
                format!("HTTP/1.1 {status} Some\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno")
            }
            _ => format!("{head}{message}grpc-status: 0\r\n\r\n"),
        };
        exchange.send_raw(text.as_bytes(), Next::Keep)
    })
}

#[track_caller]
fn assert_status(answer: &Answer, status: &str, code: &str, row: &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("Content-Type"), Some("application/grpc"), "{answer:?}");
    assert_eq!(answer.header("grpc-status"), Some(status), "{answer:?}");
    assert_eq!(answer.header("X-Error-Code"), Some(code), "{answer:?}");
    assert_eq!(answer.header("X-Error-Http-Code"), Some(row), "{answer:?}");
    let message = answer.header("grpc-message").unwrap();
    assert!(message.len() > 10 && message.bytes().all(|b| (b' '..=b'~').contains(&b)), "{message:?}");
    assert_eq!(
        answer.header("X-Error-Check"),
        Some(format!("https://api.example.com/_docs/errors/{code}").as_str())
    );
    assert!(answer.headers.has("X-Request-Id") && answer.body.is_empty(), "{answer:?}");
    assert!(!answer.headers.has("Location"), "{answer:?}");
    for name in ["grpc-status-details-bin", "google.rpc.retryinfo-bin"] {
        assert_eq!(answer.headers.has(name), answer.headers.has("Retry-After"), "{name}: {answer:?}");
    }
}

/// gRPC libraries read the retry delay, and take the status and the message from the same details.
#[track_caller]
fn assert_to_be_tried_again(answer: &Answer, status: GrpcStatus, message: &str) {
    let seconds = answer.number("Retry-After");
    let decoded = |name| STANDARD_NO_PAD.decode(answer.header(name).unwrap()).unwrap();
    assert_eq!(decoded("google.rpc.retryinfo-bin"), retry_info(seconds), "{answer:?}");
    assert_eq!(decoded("grpc-status-details-bin"), status_details(status, message, seconds), "{answer:?}");
}

#[test]
fn every_row_of_the_table_is_reported_in_the_form_of_grpc() {
    let bench = Bench::of(upstream(), |config: Config| {
        config
            .plan("free", &["3 per day"])
            .plan("other", &["1000 per day"])
            .top("extra_codes = [409]")
            .section("[[moved]]\nfrom = \"/shop.Old/{call}\"\nto = \"/shop.Items/{call}\"")
            .endpoint("POST", "/shop.Items/{call}", "")
            .endpoint("POST", "/shop.Items/{call}/{status}", "")
            .endpoint("POST", "/shop.Secret/Get", "permission = \"secret\"")
            .endpoint("POST", "/shop.Small/Get", "max_body_size = 4")
    });
    let key = bench.gateway.key_with(&["--plan", "other"]);
    let before = bench.gateway.limits(&key);
    let mut connection = bench.gateway.connect();
    for (request, status, code, row) in [
        (call("/shop.Old/Get").key(&key), "12", "ENDPOINT_MOVED", "301"),
        (call("/shop.Items/Get/").key(&key), "12", "TRAILING_SLASH", "301"),
        (call("/shop.Items/Http/400").key(&key), "3", "REQUEST_MALFORMED", "400"),
        (call("/shop.Items/Get").header("X-API-Key", "no key"), "16", "KEY_FORMAT_INCORRECT", "400"),
        (call("/shop.Secret/Get").key(&key), "7", "PERMISSION_DENIED", "401"),
        (call("/shop.Items/Get"), "16", "KEY_NOT_SET", "403"),
        (call("/shop.Nothing/Get").key(&key), "12", "ENDPOINT_NOT_FOUND", "404"),
        (call("/shop.Items/Http/404").key(&key), "5", "RESOURCE_NOT_FOUND", "404"),
        (call("/shop.Items/Http/422").key(&key), "9", "UNPROCESSABLE", "422"),
        (call("/shop.Items/Http/409").key(&key), "10", "CONFLICT", "409"),
        (call("/shop.Items/Http/502").key(&key), "13", "UNEXPECTED_ERROR", "500"),
        (call("/shop.Items/Http/503").key(&key), "14", "UNAVAILABLE", "503"),
    ] {
        let answer = connection.send(&request);
        assert_status(&answer, status, code, row);
    }
    bench.gateway.limits(&key).assert_charged_since(&before, 0, "errors of gRPC");
    for _ in 0..3 {
        let answer = connection.send(&call("/shop.Items/Get").key(&bench.key));
        assert_eq!(answer.trailers.get("grpc-status"), Some("0"));
    }
    let answer = connection.send(&call("/shop.Items/Get").key(&bench.key));
    assert_status(&answer, "8", "API_LIMIT_EXCEEDED", "429");
    assert!(answer.headers.has("X-Rate-Limit-Reset"), "{answer:?}");
    let message = answer.header("grpc-message").unwrap();
    assert_to_be_tried_again(&answer, GrpcStatus::ResourceExhausted, message);
    // A client that is recognised by its Accept alone, and one of gRPC-Web.
    let answer = connection.send(&get("/shop.Nothing/Get").key(&key).header("Accept", "application/grpc"));
    assert_status(&answer, "12", "ENDPOINT_NOT_FOUND", "404");
    let web = request("POST", "/shop.Items/Get").body("application/grpc-web+proto", &[0; 5]);
    let answer = connection.send(&web);
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("16")));
    assert_eq!(answer.header("Content-Type"), Some("application/grpc-web"));
    // Everyone else gets ordinary errors, and a body that is too large ends the connection.
    let answer = connection.send(&get("/shop.Nothing/Get").key(&key));
    assert_eq!(answer.status, 404);
    let answer = connection.send(&call("/shop.Small/Get").key(&key));
    assert_status(&answer, "3", "BODY_TOO_LARGE", "400");
}

#[test]
fn maintenance_is_reported_as_unavailable_with_the_time_to_wait() {
    let bench = Bench::of(upstream(), |config| config);
    bench.gateway.run(&["maintenance", "on", "--for", "10m", "--message", "Back soon: grüße & 100 %"]);
    let answer = bench.gateway.send(&call("/shop.Items/Get").key(&bench.key));
    assert_status(&answer, "14", "MAINTENANCE", "503");
    assert!((1..=600).contains(&answer.number("Retry-After")));
    let message = answer.header("grpc-message").unwrap();
    assert!(message.contains("gr%C3%BC%C3%9Fe & 100 %25"), "{message}");
    let message = message.replace("%C3%BC%C3%9F", "\u{fc}\u{df}").replace("%25", "%");
    assert_to_be_tried_again(&answer, GrpcStatus::Unavailable, &message);
}

#[test]
fn the_retry_delay_is_the_upstreams_and_absent_where_it_makes_no_sense() {
    let upstream = Upstream::scripted(|exchange| {
        match exchange.target() {
        "/shop.Items/Busy" => exchange.answer(429, &[("Retry-After", "7")], b""),
        "/shop.Items/Wrong" => exchange.answer(400, &[("Retry-After", "7")], b""),
        _ => exchange.send_raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\ngrpc-status: 0\r\n\r\n",
            Next::Keep,
        ),
    }
    });
    let bench = Bench::of(upstream, |config| config.plan("free", &["1 in all"]));
    let answer = bench.gateway.send(&call("/shop.Items/Busy").key(&bench.key));
    assert_status(&answer, "14", "UNAVAILABLE", "503");
    assert_eq!(answer.headers.all("Retry-After"), ["7"]);
    assert_to_be_tried_again(&answer, GrpcStatus::Unavailable, answer.header("grpc-message").unwrap());
    let answer = bench.gateway.send(&call("/shop.Items/Wrong").key(&bench.key));
    assert_eq!((answer.header("grpc-status"), answer.header("Retry-After")), (Some("3"), Some("7")));
    assert!(!answer.headers.has("grpc-status-details-bin"), "{answer:?}");
    bench.gateway.send(&call("/shop.Items/Get").key(&bench.key));
    let answer = bench.gateway.send(&call("/shop.Items/Get").key(&bench.key));
    assert_status(&answer, "8", "API_LIMIT_EXCEEDED", "429");
    assert!(!answer.headers.has("grpc-status-details-bin"), "{answer:?}");
}

#[test]
fn a_call_that_succeeds_is_charged_and_one_that_fails_is_free_and_passes_as_it_was() {
    let bench = Bench::of(upstream(), |config| {
        config.plan("free", &["1000 per day", "2 at once"]).plan("day", &["1000 per day"])
    });
    let mut connection = bench.gateway.connect();
    let mut used = 0;
    for (number, (path, charged, code)) in [
        ("/shop.Items/Get", 1, None),
        ("/shop.Items/Trailers/5", 0, Some("RESOURCE_NOT_FOUND")),
        ("/shop.Items/Trailers/0", 1, None),
        ("/shop.Items/Trailers/13", 0, Some("UNEXPECTED_ERROR")),
        ("/shop.Items/Trailers/8", 0, Some("UNAVAILABLE")),
        ("/shop.Items/Only/7", 0, Some("PERMISSION_DENIED")),
        ("/shop.Items/Only/0", 1, None),
        // Without a status of 0 a call has not succeeded.
        ("/shop.Items/None", 0, Some("UNEXPECTED_ERROR")),
        ("/shop.Items/NoTrailers", 0, Some("UNEXPECTED_ERROR")),
        ("/shop.Items/Twice", 0, Some("UNEXPECTED_ERROR")),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("call-{number}");
        let answer = connection.send(&call(path).key(&bench.key).header("X-Request-Id", &id));
        assert_eq!((answer.status, answer.is_whole()), (200, true), "{path}: {answer:?}");
        let fields = if path.contains("/Only/") { &answer.headers } else { &answer.trailers };
        if let Some((_, status)) = path.split_once("s/").filter(|(start, _)| start.contains("Trailer")) {
            assert_eq!(fields.get("grpc-status"), Some(status), "{path}");
            assert_eq!(fields.get("grpc-message"), Some("as%20it%20was"), "{path}");
        }
        let line = bench.gateway.logged(&id);
        assert_eq!(
            (line["charged"].as_u64(), line["code"].as_str()),
            (Some(charged), code),
            "{path}: {line}"
        );
        used += charged;
        let limits = bench.gateway.limits(&bench.key);
        assert_eq!((limits.of("1000 per day").used, limits.of("2 at once").used), (used, 0), "{path}");
    }
    let incident = bench.gateway.incident("call-3");
    assert!(incident.to_string().contains("grpc-status"), "{incident}");
    // The reported limits are right where possible: an error in the head was not charged.
    let key = bench.gateway.key_with(&["--plan", "day"]);
    let answer = connection.send(&call("/shop.Items/Get").key(&key));
    assert_eq!(answer.number("X-Rate-Limit-Remaining"), 999);
    let answer = connection.send(&call("/shop.Items/Only/5").key(&key));
    assert_eq!(answer.number("X-Rate-Limit-Remaining"), 999);
}

#[test]
fn failed_calls_count_for_the_guard_against_abuse() {
    let bench =
        Bench::of(upstream(), |config| config.abuse("errors_per_key = 3\nerrors_per_address = \"off\""));
    // A minute that ends meanwhile restarts the count.
    let mut calls = 0;
    let answer = eventually("three failed calls within a minute", || {
        for _ in 0..3 {
            calls += 1;
            let id = format!("failed-{calls}");
            bench.gateway.send(&call("/shop.Items/Trailers/5").key(&bench.key).header("X-Request-Id", &id));
            // It is counted a moment after its trailers have arrived.
            assert_eq!(bench.charged(&id), 0);
        }
        let answer = bench.gateway.send(&call("/shop.Items/Get").key(&bench.key));
        answer.headers.get("grpc-status").is_some().then_some(answer)
    });
    assert_status(&answer, "8", "TOO_MANY_ERRORS", "429");
    assert!(calls <= 6, "it took {calls} failed calls");
}

#[test]
fn the_page_shows_the_status_of_every_code() {
    let page = include_str!("../../../docs/streams.md");
    let (_, table) = page.split_once("| error | gRPC status |\n").unwrap();
    let rows: Vec<_> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.trim_matches(['|', ' ']).split_once(" | "))
        .collect();
    for code in ErrorCode::ALL {
        let named = format!("`{}`", code.name());
        let row = rows.iter().find(|(errors, _)| errors.contains(&named)).or_else(|| {
            rows.iter().find(|(errors, _)| *errors == "400, all others" && code.status() == Status::NotValid)
        });
        let (_, shown) = row.unwrap_or_else(|| panic!("{} is not on the page", code.name()));
        let status = code.grpc_status();
        let wanted = format!("{} `{}`", status.number(), status.name());
        assert!(shown.starts_with(&wanted), "{}: the page shows {shown}, it is {wanted}", code.name());
    }
}

#[test]
fn a_call_that_breaks_off_is_free_and_one_that_its_client_leaves_is_charged() {
    let upstream = Upstream::scripted(|exchange| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n";
        exchange.read_body();
        exchange.write(format!("{head}5\r\n\0\0\0\0\0\r\n").as_bytes());
        if exchange.target() == "/shop.Items/Watch" {
            while exchange.write(b"5\r\n\0\0\0\0\0\r\n") {
                std::thread::park_timeout(std::time::Duration::from_millis(5));
            }
        }
        Next::Close
    });
    let bench = Bench::of(upstream, |config| config);
    let before = bench.gateway.limits(&bench.key);
    let answer =
        bench.gateway.send(&call("/shop.Items/Broken").key(&bench.key).header("X-Request-Id", "broken"));
    assert!(!answer.is_whole(), "{answer:?}");
    let line = bench.gateway.logged("broken");
    assert_eq!((line["charged"].as_u64(), line["code"].as_str()), (Some(0), Some("UNEXPECTED_ERROR")));
    let (connection, answer) =
        bench.shake(&call("/shop.Items/Watch").key(&bench.key).header("X-Request-Id", "left"));
    assert_eq!(answer.status, 200);
    drop(connection);
    assert_eq!(bench.charged("left"), 1);
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 1, "a call that its client left");
}

#[test]
fn a_call_may_be_silent_on_either_side_for_longer_than_other_requests() {
    // The client sends its second message, and the upstream its head, only after a pause that is long for others.
    let pause = std::time::Duration::from_millis(600);
    let upstream = Upstream::scripted(move |exchange| {
        exchange.read_body();
        std::thread::park_timeout(pause);
        exchange.send_raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n\
              0\r\ngrpc-status: 0\r\n\r\n",
            Next::Keep,
        )
    });
    let bench = Bench::of(upstream, |config| {
        config.section("[timeouts]\nbody = \"200ms\"\nstall = \"200ms\"\nstream_idle = \"20s\"")
    });
    let mut connection = bench.gateway.connect();
    let head = request("POST", "/shop.Items/Chat")
        .key(&bench.key)
        .header("Content-Type", "application/grpc")
        .header("TE", "trailers")
        .header("Transfer-Encoding", "chunked");
    connection.write(&head.head());
    connection.write(b"5\r\n\0\0\0\0\0\r\n");
    std::thread::park_timeout(pause);
    connection.write(b"5\r\n\0\0\0\0\0\r\n0\r\n\r\n");
    let answer = connection.answer();
    assert_eq!((answer.status, answer.trailers.get("grpc-status")), (200, Some("0")), "{answer:?}");
    // Other protocols do not get so much time.
    let mut connection = bench.gateway.connect();
    let head = request("POST", "/a").key(&bench.key).header("Content-Type", "application/json");
    connection.write(&head.header("Transfer-Encoding", "chunked").head());
    connection.write(b"5\r\nhello\r\n");
    crate::support::assert_error(&bench.gateway, &connection.answer(), 400, "REQUEST_TIMEOUT");
}

#[test]
fn the_example_of_the_page_is_what_a_client_gets() {
    let page = include_str!("../../../docs/streams.md");
    let (_, example) = page.split_once("```text\nHTTP/1.1 200 OK\n").unwrap();
    let bench = Bench::of(upstream(), |config| config);
    let answer = bench.gateway.send(&call("/shop.Items/Get"));
    let lines: Vec<_> = example.lines().take_while(|line| *line != "```").collect();
    assert!(lines.len() > 6, "{lines:?}");
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let came = answer.header(name).unwrap_or_else(|| panic!("no {name} in {answer:?}"));
        assert!(name == "X-Request-Id" || came == value, "{name}: the page shows {value}, it is {came}");
    }
}
