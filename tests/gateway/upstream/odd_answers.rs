//! Odd responses that are not errors: they pass, and their oddness spreads no further.

use crate::{
    misdeeds::Bench,
    support::{Config, Gateway, Next, Upstream, assert_error, get, head, post, sample::pattern},
};

#[test]
fn bodies_where_there_can_be_none_poison_nobody() {
    for (name, status, sent, is_head) in [
        ("a 204 with a body", 204, "HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison", false),
        (
            "a 204 with chunks",
            204,
            "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n",
            false,
        ),
        ("a 304 with a body", 304, "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison", false),
        ("a HEAD with a body", 200, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", true),
    ] {
        let bench = Bench::new(move |exchange| exchange.send_raw(sent.as_bytes(), Next::Keep));
        let mut connection = bench.gateway.connect();
        let request = if is_head { head("/bad") } else { get("/bad") };
        let answer = connection.send(&request.key(&bench.key));
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{name}: {answer:?}");
        // The rest of it is neither on the client's nor on the upstream's connection.
        for _ in 0..3 {
            let next = connection.send(&get("/bytes/9").key(&bench.key));
            assert_eq!((next.status, next.body), (200, pattern(9)), "{name}: the answer after it");
        }
    }
}

#[test]
fn a_304_passes_and_is_charged_as_a_success() {
    let bench = Bench::new(|exchange| {
        exchange.send_raw(b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", Next::Keep)
    });
    let before = bench.gateway.limits(&bench.key);
    let answer = bench.gateway.send(&get("/bad").key(&bench.key));
    assert_eq!((answer.status, answer.header("ETag")), (304, Some("\"a\"")));
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 1, "a 304");
}

#[test]
fn a_status_that_is_unknown_but_a_success_passes() {
    let bench = Bench::new(|exchange| exchange.answer(299, &[], b"odd"));
    let answer = bench.gateway.send(&get("/bad").key(&bench.key));
    assert_eq!((answer.status, answer.text().as_str()), (299, "odd"));
}

#[test]
fn an_http_1_0_response_is_accepted_and_sent_as_1_1() {
    for sent in
        ["HTTP/1.0 200 OK\r\n\r\nuntil the end", "HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\nuntil the end"]
    {
        let bench = Bench::new(move |exchange| exchange.send_raw(sent.as_bytes(), Next::Close));
        let mut connection = bench.gateway.connect();
        for _ in 0..2 {
            let answer = connection.send(&get("/bad").key(&bench.key));
            assert_eq!((answer.version.as_str(), answer.text().as_str()), ("HTTP/1.1", "until the end"));
        }
    }
}

#[test]
fn a_status_line_without_a_reason_is_valid() {
    let bench =
        Bench::new(|exchange| exchange.send_raw(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", Next::Keep));
    let answer = bench.gateway.send(&get("/bad").key(&bench.key));
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
}

#[test]
fn the_same_length_twice_is_one_length() {
    let sent = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok";
    let bench = Bench::new(move |exchange| exchange.send_raw(sent.as_bytes(), Next::Keep));
    let answer = bench.gateway.send(&get("/bad").key(&bench.key));
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
}

#[test]
fn many_1xx_answers_pass_but_not_without_end() {
    let bench = Bench::new(|exchange| {
        exchange.read_body();
        if exchange.target() == "/bad/endless" {
            while exchange.write(b"HTTP/1.1 103 Early Hints\r\n\r\n") {}
            return Next::Close;
        }
        exchange.write(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        exchange.answer(200, &[], b"ok")
    });
    let answer = bench.gateway.send(&get("/bad/some").key(&bench.key));
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    let answer = bench.gateway.send(&get("/bad/endless").key(&bench.key));
    assert_eq!(answer.status, 500, "{answer:?}");
}

#[test]
fn an_answer_before_the_body_was_read_reaches_the_client() {
    let bench = Bench::new(|exchange| {
        // Refuses by the head alone, and closes without reading the body.
        exchange.body_read = true;
        let bytes = if exchange.target() == "/bad/refused" {
            &b"HTTP/1.1 422 No\r\nConnection: close\r\nContent-Length: 24\r\n\r\n{\"message\":\"Too many.\"}\n"[..]
        } else {
            &b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nearly"[..]
        };
        exchange.write(bytes);
        // The response is sent; the rest of the body does not matter, but a reset would lose the response.
        exchange.wire.finish_writing();
        exchange.gateway_hangs_up();
        Next::Close
    });
    let body = "x".repeat(5 << 20);
    for (target, status, text) in [("/bad/refused", 422, "Too many."), ("/bad/taken", 200, "early")] {
        let mut connection = bench.gateway.connect();
        let mut writer = connection.wire.stream.try_clone().unwrap();
        let bytes = post(target, &body).key(&bench.key).bytes();
        let sending = std::thread::spawn(move || {
            use std::io::Write;
            let _ = writer.write_all(&bytes);
        });
        let answer = connection.answer();
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        assert!(answer.text().contains(text), "{target}: {}", answer.text());
        drop(connection);
        sending.join().unwrap();
    }
    assert_eq!(bench.gateway.send(&get("/items/7").key(&bench.key)).status, 200);
}

#[test]
fn a_redirect_never_leads_to_a_host_that_only_browsers_read_in_it() {
    let upstream = Upstream::scripted(|exchange| {
        let (status, to) = exchange.target().trim_start_matches('/').split_once('/').unwrap();
        let own = exchange.seen.headers.get("X-Own").unwrap_or_default().to_owned();
        let to = match to {
            "backslash" => "/\\evil.example/a".to_owned(),
            "two" => "\\\\evil.example/a".to_owned(),
            "mixed" => "\\/evil.example/a".to_owned(),
            "tab" => "/\t/evil.example/a".to_owned(),
            "slashes" => "//evil.example/a".to_owned(),
            "own" => format!("{own}/\\evil.example/a"),
            _ => String::new(),
        };
        exchange.answer(status.parse().unwrap(), &[("Location", &to)], b"")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for status in [301, 302, 307] {
        for to in ["backslash", "two", "mixed", "tab", "slashes", "own"] {
            let request = get(&format!("/{status}/{to}")).key(&key).header("X-Own", &upstream.url());
            let answer = gateway.send(&request);
            assert_eq!((answer.status, answer.header("Location")), (status, Some("/evil.example/a")), "{to}");
        }
    }
    // One without a usable Location is like one without any.
    let answer = gateway.send(&get("/301/nowhere").key(&key));
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
}

#[test]
fn a_replaced_error_does_not_reveal_where_the_upstream_is() {
    let upstream = Upstream::scripted(|exchange| {
        let own = exchange.seen.headers.get("X-Own").unwrap_or_default().to_owned();
        let challenge =
            format!("Basic realm=\"{own}/\", Bearer realm=\"a\", resource_metadata=\"{own}/.well-known/x\"");
        let link = format!(
            "<{own}/a>; rel=\"next\"; anchor=\"{own}/b?c\", <https://other.example/>; title=\"{own}x\""
        );
        exchange.answer(401, &[("WWW-Authenticate", &challenge), ("Link", &link)], b"")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/a").key(&gateway.key()).header("X-Own", &upstream.url()));
    assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
    assert_eq!(
        answer.header("WWW-Authenticate"),
        Some("Basic realm=\"/\", Bearer realm=\"a\", resource_metadata=\"/.well-known/x\"")
    );
    let link = answer.header("Link").unwrap();
    assert!(link.starts_with("</a>; rel=\"next\"; anchor=\"/b?c\", <https://other.example/>"), "{link}");
}

#[test]
fn te_of_an_answer_is_its_connections_own() {
    let upstream = Upstream::sending("HTTP/1.1 200 OK\r\nTE: x\r\nX-Te: y\r\nContent-Length: 0\r\n\r\n");
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/a").key(&gateway.key()));
    assert_eq!((answer.header("TE"), answer.header("X-Te")), (None, Some("y")), "{answer:?}");
}

#[test]
fn a_cost_in_an_interim_response_is_not_passed_on_and_two_costs_are_ignored() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.read_body();
        exchange.write(b"HTTP/1.1 103 Early\r\nX-Cost: 1\r\nLink: </a.css>\r\n\r\n");
        let costs = match exchange.target() {
            "/lines" => "X-Cost: 1\r\nX-Cost: 2\r\n",
            "/list" => "X-Cost: 1,2\r\n",
            _ => "X-Cost: 1\r\n",
        };
        exchange
            .send_raw(format!("HTTP/1.1 200 OK\r\n{costs}Content-Length: 0\r\n\r\n").as_bytes(), Next::Keep)
    });
    let cost = "cost = 5\ncost_header = \"X-Cost\"";
    let gateway = Gateway::start(&Config::of(&upstream).endpoint("GET", "/{which}", cost));
    let key = gateway.key();
    for (target, charged) in [("/one", 1), ("/lines", 5), ("/list", 5)] {
        let answer = gateway.send(&get(target).key(&key));
        assert_eq!((answer.status, answer.headers.has("X-Cost")), (200, false), "{answer:?}");
        let (status, interim) = &answer.interim[0];
        assert_eq!((*status, interim.has("X-Cost"), interim.has("Link")), (103, false, true), "{interim:?}");
        assert_eq!(gateway.logged(answer.header("X-Request-Id").unwrap())["charged"], charged, "{target}");
    }
}
