//! Answers that are odd but no error: they pass, and their oddness goes no further.

use crate::{
    misdeeds::Bench,
    support::{Next, get, head, post, sample::pattern},
};

#[test]
fn bodies_where_there_can_be_none_poison_nobody() {
    for (name, status, said, is_head) in [
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
        let bench = Bench::new(move |exchange| exchange.say(said.as_bytes(), Next::Keep));
        let mut connection = bench.gateway.connect();
        let request = if is_head { head("/bad") } else { get("/bad") };
        let answer = connection.send(&request.key(&bench.key));
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{name}: {answer:?}");
        // Neither the client's nor the upstream's connection holds the rest of it.
        for _ in 0..3 {
            let next = connection.send(&get("/bytes/9").key(&bench.key));
            assert_eq!((next.status, next.body), (200, pattern(9)), "{name}: the answer after it");
        }
    }
}

#[test]
fn a_304_passes_and_is_charged_as_a_success() {
    let bench =
        Bench::new(|exchange| exchange.say(b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", Next::Keep));
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
fn an_answer_of_http_1_0_is_taken_and_told_as_1_1() {
    for said in
        ["HTTP/1.0 200 OK\r\n\r\nuntil the end", "HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\nuntil the end"]
    {
        let bench = Bench::new(move |exchange| exchange.say(said.as_bytes(), Next::Close));
        let mut connection = bench.gateway.connect();
        for _ in 0..2 {
            let answer = connection.send(&get("/bad").key(&bench.key));
            assert_eq!((answer.version.as_str(), answer.text().as_str()), ("HTTP/1.1", "until the end"));
        }
    }
}

#[test]
fn a_status_line_without_a_reason_is_one() {
    let bench =
        Bench::new(|exchange| exchange.say(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", Next::Keep));
    let answer = bench.gateway.send(&get("/bad").key(&bench.key));
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
}

#[test]
fn the_same_length_twice_is_one_length() {
    let said = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok";
    let bench = Bench::new(move |exchange| exchange.say(said.as_bytes(), Next::Keep));
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
        // The answer is out; what remains of the body is of no interest, but a reset would lose it.
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
