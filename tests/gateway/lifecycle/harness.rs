//! The harness itself: the scripted upstream against the raw client, without a gateway between.

use crate::support::{
    Connection, Framing, Next, Upstream, get, head, post, request, sample::pattern, wire::Ended,
};

#[test]
fn the_sample_is_read_by_the_client_in_every_framing() {
    let upstream = Upstream::sample();
    let mut connection = Connection::open(upstream.address);
    let answer = connection.send(&get("/bytes/1000"));
    assert_eq!((answer.status, answer.framing), (200, Framing::Length(1000)));
    assert_eq!(answer.body, pattern(1000));
    let answer = connection.send(&get("/chunked/5000"));
    assert_eq!((answer.framing, answer.body), (Framing::Chunked, pattern(5000)));
    assert_eq!(connection.send(&head("/bytes/7")).number("content-length"), 7);
    assert_eq!(connection.send(&get("/status/404")).json()["message"], "The sample returns 404.");
    let answer = connection.send(&request("PUT", "/x").chunked("text/plain", b"hello", 2));
    assert_eq!(answer.json()["length"], 5);
    assert_eq!(upstream.last().body, b"hello");
    assert_eq!((upstream.count(), upstream.connections()), (5, 1));
}

#[test]
fn a_cut_answer_is_seen_as_cut_and_interim_answers_are_kept() {
    let upstream = Upstream::scripted(|exchange| {
        let bytes: &[u8] = match exchange.target() {
            "/length" => b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            "/chunked" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "/none" => b"",
            _ => b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuntil the end",
        };
        exchange.send_raw(bytes, Next::Close)
    });
    for target in ["/length", "/chunked"] {
        let answer = Connection::open(upstream.address).send(&get(target));
        assert_eq!((answer.cut, answer.text().as_str()), (Some(Ended::Closed), "half"));
    }
    let mut connection = Connection::open(upstream.address);
    connection.write(&get("/none").bytes());
    assert_eq!(connection.try_answer_to("GET").err(), Some(Ended::Closed));
    let answer = Connection::open(upstream.address).send(&get("/hints"));
    assert_eq!((answer.interim.len(), answer.framing, answer.cut), (1, Framing::Close, None));
}

#[test]
fn trailers_are_kept_on_both_sides_and_a_half_request_is_seen_as_half() {
    let upstream = Upstream::sending(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 4\r\n\r\n",
    );
    let mut connection = Connection::open(upstream.address);
    connection.write(&request("POST", "/a").header("Transfer-Encoding", "chunked").head());
    connection.write(b"2\r\nhi\r\n0\r\nX-T: v\r\n\r\n");
    assert_eq!(connection.answer().trailers.get("x-sum"), Some("4"));
    let seen = upstream.only();
    assert_eq!((seen.trailers.get("X-T"), seen.whole), (Some("v"), true));

    let mut connection = Connection::open(upstream.address);
    connection.write(&request("POST", "/b").header("Content-Length", "9").head());
    connection.write(b"half");
    connection.wire.finish_writing();
    connection.wire.rest();
    assert!(!upstream.last().whole);
}

#[test]
#[should_panic(expected = "both framings")]
fn two_framings_in_one_answer_are_not_passed_over() {
    let upstream = Upstream::sending(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    Connection::open(upstream.address).send(&post("/a", "{}"));
}

#[test]
#[should_panic(expected = "appears 2 times")]
fn a_field_that_is_sent_twice_is_not_passed_over() {
    let upstream = Upstream::sending("HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n");
    Connection::open(upstream.address).send(&get("/a")).header("X-A");
}
