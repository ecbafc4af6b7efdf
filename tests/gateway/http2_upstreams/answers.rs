//! Responses of an HTTP/2 upstream to HTTP/1.1 clients: the same contract.

use crate::{
    config, gateway,
    server::{Bytes, Server, head},
    support::{Framing, Gateway, Upstream, assert_error, get, head as head_request, post, request},
};
use std::time::Duration;

fn sample() -> Server {
    Server::scripted(|mut asked| async move {
        let path = asked.path().to_owned();
        match path.as_str() {
            "/echo" => {
                let (body, trailers) = asked.body().await;
                let received = format!("{trailers:?}");
                asked.answer(200, &[("x-trailers", &received)], &body);
            }
            "/length" => asked.answer(200, &[("content-length", "5")], b"hello"),
            "/nothing" => asked.answer(204, &[], b""),
            "/same" => asked.answer(304, &[("etag", "\"a\""), ("content-length", "5")], b""),
            "/moved" => asked.answer(302, &[("location", "/elsewhere")], b""),
            "/hints" => {
                for _ in 0..3 {
                    let hint = hyper::http::Response::builder().status(103).header("link", "</a.css>");
                    asked.respond.send_informational(hint.body(()).unwrap()).unwrap();
                }
                asked.answer(200, &[], b"behind the hints");
            }
            "/trailers" => {
                let mut stream = asked.respond.send_response(head(200, &[]), false).unwrap();
                stream.send_data(Bytes::from_static(b"body"), false).unwrap();
                let mut trailers = hyper::http::HeaderMap::new();
                trailers.insert("x-sum", "4".parse().unwrap());
                stream.send_trailers(trailers).unwrap();
            }
            "/broken" => {
                let mut stream = asked.respond.send_response(head(200, &[]), false).unwrap();
                stream.send_data(Bytes::from_static(b"half"), false).unwrap();
                tokio::time::sleep(Duration::from_millis(300)).await;
                stream.send_reset(h2::Reason::INTERNAL_ERROR);
            }
            "/early" => asked.answer(413, &[], b"too much"),
            "/early-fine" => asked.answer(200, &[], b"enough"),
            "/reset" => asked.respond.send_reset(h2::Reason::INTERNAL_ERROR),
            "/silent" => std::future::pending().await,
            path => match path.strip_prefix("/status/") {
                Some(status) => {
                    let status = status.parse().unwrap();
                    asked.answer(
                        status,
                        &[("content-type", "application/json")],
                        b"{\"message\":\"as sent\"}",
                    );
                }
                None => asked.answer(200, &[("content-type", "text/plain")], b"fine"),
            },
        }
    })
}

#[test]
fn a_request_arrives_in_the_form_of_http_2_and_its_response_in_that_of_http_1_1() {
    let server = sample();
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    let answer = gateway.send(
        &get("/items?a=b").key(&key).header("X-Own", "1").header("TE", "trailers").header("Connection", "TE"),
    );
    assert_eq!((answer.status, answer.text().as_str()), (200, "fine"));
    assert_eq!(answer.framing, Framing::Chunked);
    assert_eq!(answer.header("Via"), Some("2.0 fairgate"));
    let seen = server.last();
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.scheme.as_str()),
        ("GET", "/items?a=b", "http")
    );
    assert_eq!(seen.authority, "api.example.com");
    assert_eq!(
        (seen.header("x-own"), seen.header("te"), seen.header("via")),
        (Some("1"), Some("trailers"), Some("1.1 fairgate"))
    );
    for gone in ["connection", "x-api-key", "host", "transfer-encoding"] {
        assert_eq!(seen.header(gone), None, "{gone}");
    }
    assert!(seen.header("x-forwarded-for").is_some() && seen.header("x-request-id").is_some());
    gateway.limits(&key).assert_charged_since(&before, 1, "a success");
}

#[test]
fn every_kind_of_success_passes_and_is_charged_once() {
    let server = sample();
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    let answer = connection.send(&post("/echo", "{\"a\":1}").key(&key));
    assert_eq!((answer.status, answer.text().as_str()), (200, "{\"a\":1}"));
    let answer =
        connection.send(&request("POST", "/echo").key(&key).chunked("text/plain", &[b'x'; 100_000], 999));
    assert_eq!((answer.status, answer.body.len()), (200, 100_000));
    let answer = connection.send(&get("/length").key(&key));
    assert_eq!((answer.framing, answer.text().as_str()), (Framing::Length(5), "hello"));
    let answer = connection.send(&head_request("/length").key(&key));
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let answer = connection.send(&get("/nothing").key(&key));
    assert_eq!((answer.status, answer.framing), (204, Framing::None));
    let answer = connection.send(&get("/same").key(&key));
    assert_eq!((answer.status, answer.header("ETag")), (304, Some("\"a\"")));
    let answer = connection.send(&get("/moved").key(&key));
    assert_eq!((answer.status, answer.header("Location")), (302, Some("/elsewhere")));
    let answer = connection.send(&get("/hints").key(&key));
    assert_eq!((answer.status, answer.text().as_str(), answer.interim.len()), (200, "behind the hints", 3));
    let answer = connection.send(&get("/trailers").key(&key).header("TE", "trailers"));
    assert_eq!((answer.text().as_str(), answer.trailers.get("x-sum")), ("body", Some("4")));
    let trailing = request("POST", "/echo").key(&key).header("Transfer-Encoding", "chunked");
    connection.write(&[trailing.head(), b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n".to_vec()].concat());
    assert_eq!(connection.answer_to("POST").header("x-trailers"), Some("[(\"x-sum\", \"1\")]"));
    gateway.limits(&key).assert_charged_since(&before, 10, "ten successes");
    assert_eq!(server.connections(), 1, "all of them went over one connection");
}

#[test]
fn errors_are_those_of_the_table_and_free() {
    let server = sample();
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    for (path, status, code) in [
        ("/status/400", 400, "REQUEST_MALFORMED"),
        ("/status/403", 401, "PERMISSION_DENIED"),
        ("/status/404", 404, "RESOURCE_NOT_FOUND"),
        ("/status/422", 422, "UNPROCESSABLE"),
        ("/status/429", 503, "UNAVAILABLE"),
        ("/status/502", 500, "UNEXPECTED_ERROR"),
        ("/status/503", 503, "UNAVAILABLE"),
        ("/reset", 500, "UNEXPECTED_ERROR"),
    ] {
        let answer = gateway.send(&get(path).key(&key));
        assert_error(&gateway, &answer, status, code);
    }
    gateway.limits(&key).assert_charged_since(&before, 0, "errors are free");
    let answer = gateway.send(&post("/reset", "{}").key(&key));
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
    assert!(incident["detail"].as_str().unwrap().contains("INTERNAL_ERROR"), "{incident}");
    let resets = server.seen().iter().filter(|seen| seen.path == "/reset").count();
    assert_eq!(resets, 2, "a processed request is not sent again");
}

#[test]
fn an_answer_that_breaks_off_is_cut_for_the_client_and_free() {
    let server = sample();
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    let answer = gateway.send(&get("/broken").key(&key));
    assert!(answer.status == 200 && answer.cut.is_some(), "{answer:?}");
    gateway.limits(&key).assert_charged_since(&before, 0, "half an answer");
    let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
    assert_eq!(incident["cause"], "the upstream's response was cut off");
}

#[test]
fn a_silent_upstream_is_a_500_and_an_unreachable_one_a_503() {
    let server = sample();
    let times = "first_byte_timeout = \"300ms\"\nconnect_timeout = \"500ms\"";
    let silent = Gateway::start(&config(&server.url()).upstream(times));
    let unreachable = Gateway::start(&config(&Upstream::unreachable().url()).upstream(times));
    let other = Upstream::sending("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let other = (Gateway::start(&config(&other.url()).upstream(times)), other);
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", mute.local_addr().unwrap());
    let greeted_by_none = Gateway::start(&config(&url).upstream(times));
    for (gateway, path, cause, detail) in [
        (&silent, "/silent", "the upstream did not respond in time", "no response came"),
        (&unreachable, "/", "the upstream cannot be reached", "refused"),
        (&other.0, "/", "the upstream cannot be reached", "speaks HTTP/1.1"),
        (&greeted_by_none, "/", "the upstream cannot be reached", "within"),
    ] {
        let key = gateway.key();
        let before = gateway.limits(&key);
        let answer = gateway.send(&post(path, "{}").key(&key));
        if path == "/silent" {
            assert_error(gateway, &answer, 500, "UNEXPECTED_ERROR");
        } else {
            assert_error(gateway, &answer, 503, "UNAVAILABLE");
            assert!((1..=3).contains(&answer.number("Retry-After")), "{answer:?}");
        }
        let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
        assert_eq!(incident["cause"], cause);
        assert!(incident["detail"].as_str().unwrap().contains(detail), "{incident}");
        gateway.limits(&key).assert_charged_since(&before, 0, "errors are free");
    }
}

#[test]
fn a_request_that_takes_too_long_in_all_is_a_500() {
    let server = sample();
    let gateway = Gateway::start(&config(&server.url()).upstream("total_timeout = \"300ms\""));
    let key = gateway.key();
    let answer = gateway.send(&get("/silent").key(&key));
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    assert_eq!(gateway.send(&get("/").key(&key)).status, 200);
}

#[test]
fn a_websocket_goes_by_http_1_1_to_the_same_address() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.send_raw(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello",
            crate::support::Next::Close,
        )
    });
    let gateway = Gateway::start(&config(&upstream.url()));
    let key = gateway.key();
    let shake = get("/ws").key(&key).header("Connection", "Upgrade").header("Upgrade", "websocket");
    let mut connection = gateway.connect();
    connection.write(&shake.bytes());
    let answer = crate::support::Answer::read_head(&mut connection.wire).unwrap();
    assert_eq!(answer.status, 101);
    assert_eq!(connection.wire.exactly(5).0, b"hello");
    assert_eq!(upstream.last().version, "HTTP/1.1");
}

#[test]
fn an_answer_that_comes_before_the_body_was_read_is_passed_on() {
    let server = sample();
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    let large = |path| request("POST", path).key(&key).body("text/plain", &[b'x'; 1_000_000]);
    assert_error(&gateway, &gateway.send(&large("/early")), 400, "BODY_TOO_LARGE");
    let answer = gateway.send(&large("/early-fine"));
    assert_eq!((answer.status, answer.text().as_str()), (200, "enough"));
    assert_eq!(gateway.send(&get("/").key(&key)).status, 200);
    gateway.limits(&key).assert_charged_since(&before, 2, "two successes");
}
