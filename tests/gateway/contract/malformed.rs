//! Requests that are refused as malformed: every case of the contract's list, byte by byte.

use crate::support::{Config, Gateway, Upstream, assert_error, get, request};
use std::thread;

/// Each case: its name, and the bytes. All are 400 `REQUEST_MALFORMED` and close the connection.
fn cases() -> Vec<(&'static str, Vec<u8>)> {
    let mut cases: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut case = |name, bytes: &[u8]| cases.push((name, bytes.to_vec()));

    case("no HTTP at all", b"hello, is anybody there?\r\n\r\n");
    case("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
    case("zero bytes", b"\0\0\0\0\r\n\r\n");
    case("HTTP/0.9", b"GET /a\r\n\r\n");
    case("the beginning of HTTP/2 in HTTP/1.1", b"PRI * HTTP/1.1\r\nHost: x\r\n\r\n");
    case("no target", b"GET  HTTP/1.1\r\nHost: x\r\n\r\n");
    case("only a method", b"GET\r\nHost: x\r\n\r\n");
    case("four words", b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n");
    case("two spaces", b"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n");
    case("a tab for a space", b"GET\t/a HTTP/1.1\r\nHost: x\r\n\r\n");
    case("a space before the method", b" GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    case("a space after the version", b"GET /a HTTP/1.1 \r\nHost: x\r\n\r\n");

    for (name, version) in [
        ("version 2.0", "HTTP/2.0"),
        ("version 0.9", "HTTP/0.9"),
        ("version 3", "HTTP/3"),
        ("a lower-case version", "http/1.1"),
        ("a version of another protocol", "RTSP/1.0"),
        ("a version with digits too many", "HTTP/1.10"),
        ("a version with a zero", "HTTP/01.1"),
    ] {
        case(name, format!("GET /a {version}\r\nHost: x\r\n\r\n").as_bytes());
    }

    case("a bare LF after the request line", b"GET /a HTTP/1.1\nHost: x\r\n\r\n");
    case("bare LFs everywhere", b"GET /a HTTP/1.1\nHost: x\n\n");
    case("a bare LF after a field", b"GET /a HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n");
    case("a bare LF at the end of the head", b"GET /a HTTP/1.1\r\nHost: x\r\n\n");
    case("a bare CR in a value", b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: b\rc\r\n\r\n");
    case("a bare CR in the request line", b"GET /a\r HTTP/1.1\r\nHost: x\r\n\r\n");
    case("a NUL in a value", b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n");
    case("a control character in a value", b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: b\x01c\r\n\r\n");
    case("DEL in a value", b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: b\x7fc\r\n\r\n");
    case("a space before the colon", b"GET /a HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n");
    case("a tab before the colon", b"GET /a HTTP/1.1\r\nHost: x\r\nX-A\t: b\r\n\r\n");
    case("a space before a field name", b"GET /a HTTP/1.1\r\n Host: x\r\n\r\n");
    case("a field that is folded", b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n");
    case("a field that is folded by a tab", b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: b\r\n\tc\r\n\r\n");
    case("a field without a colon", b"GET /a HTTP/1.1\r\nHost: x\r\nX-A\r\n\r\n");
    case("a field without a name", b"GET /a HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n");
    case("a field name that is not a token", b"GET /a HTTP/1.1\r\nHost: x\r\nX(A): b\r\n\r\n");
    case("a field name beyond ASCII", b"GET /a HTTP/1.1\r\nHost: x\r\nX-\xc3\xa9: b\r\n\r\n");

    case("no Host", b"GET /a HTTP/1.1\r\nX-A: b\r\n\r\n");
    case("two Hosts", b"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n");
    case("the same Host twice", b"GET /a HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n");
    case(
        "two Content-Types",
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    );
    case("two Hosts in HTTP/1.0", b"GET /a HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n");
    for (name, host) in [
        ("a Host with a space", "a b"),
        ("a Host with a path", "x/y"),
        ("a Host with a user", "user@x"),
        ("a Host with a list", "x, y"),
        ("a Host with a scheme", "http://x"),
        ("a Host with a port that is not a number", "x:http"),
        ("a Host with a port too large", "x:65536"),
        ("a Host with two ports", "x:1:2"),
        ("a Host with a question mark", "x?y"),
        ("a Host with a fragment", "x#y"),
        ("a Host with a bracket open", "[::1"),
        ("a Host with an invalid address", "[::g]"),
        ("a Host with a quote", "x\"y"),
        ("a Host with an angle", "<x>"),
        ("a Host with a backslash", "x\\y"),
        ("a Host with a percent sign that encodes nothing", "x%zz"),
    ] {
        case(name, format!("GET /a HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
    }

    for (name, length) in [
        ("a negative length", "-1"),
        ("a length with a sign", "+1"),
        ("a length of text", "one"),
        ("a length in hex", "0x1"),
        ("a length with a fraction", "1.0"),
        ("an empty length", ""),
        ("a length with a space in it", "1 1"),
        ("a list of different lengths", "1, 2"),
        ("a length with a comma", "1,"),
    ] {
        case(name, format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\na").as_bytes());
    }
    let post = "POST /a HTTP/1.1\r\nHost: x\r\n";
    let mut framed = |name, fields: &str, body: &str| {
        case(name, format!("{post}{fields}\r\n{body}").as_bytes());
    };
    framed("two different lengths", "Content-Length: 1\r\nContent-Length: 2\r\n", "ab");
    framed("both framings", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n");
    framed("both framings the other way", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n");
    for (name, coding) in [
        ("a coding before chunked", "gzip, chunked"),
        ("a coding after chunked", "chunked, gzip"),
        ("chunked twice", "chunked, chunked"),
        ("the coding gzip", "gzip"),
        ("the coding identity", "identity"),
        ("a coding that is nearly chunked", "xchunked"),
        ("a coding with a parameter", "chunked;q=1"),
        ("a coding in quotes", "\"chunked\""),
        ("an empty coding", ""),
        ("a coding with a vertical tab", "\u{b}chunked"),
    ] {
        framed(name, &format!("Transfer-Encoding: {coding}\r\n"), "0\r\n\r\n");
    }
    framed(
        "two codings in two fields",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
        "0\r\n\r\n",
    );
    framed(
        "chunked in two fields",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "0\r\n\r\n",
    );
    case(
        "chunked in HTTP/1.0",
        b"POST /a HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    );

    case("a method in lower case", b"get /a HTTP/1.1\r\nHost: x\r\n\r\n");
    case("a method in mixed case", b"Get /a HTTP/1.1\r\nHost: x\r\n\r\n");
    case("a method that is not a token", b"G(T /a HTTP/1.1\r\nHost: x\r\n\r\n");
    for (name, target) in [
        ("a target without a slash", "a"),
        ("a target that is a query", "?a=b"),
        ("a star for GET", "*"),
        ("a target of another scheme", "ftp://x/a"),
        ("a target of a script", "javascript:alert(1)"),
        ("an authority for GET", "x:80"),
        ("an absolute target without a host", "http:///a"),
        ("an absolute target with a user", "http://user@x/a"),
        ("a fragment", "/a#b"),
        ("dot segments", "/a/../b"),
        ("dot segments at the end", "/a/.."),
        ("a single dot", "/a/./b"),
        ("a single dot at the end", "/a/."),
        ("encoded dot segments", "/a/%2e%2e/b"),
        ("dot segments encoded by half", "/a/.%2E/b"),
        ("a single encoded dot", "/a/%2e/b"),
        ("dot segments in an absolute target", "http://x/a/../b"),
        ("a backslash", "/a\\b"),
        ("a backslash at the front", "/\\evil.example"),
    ] {
        case(name, format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    }
    case("a control character in the target", b"GET /a\x01b HTTP/1.1\r\nHost: x\r\n\r\n");
    case("DEL in the target", b"GET /a\x7fb HTTP/1.1\r\nHost: x\r\n\r\n");
    case("a tab in the target", b"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n");
    case("CONNECT", b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n");
    cases
}

/// Runs each case on a few threads, and reports all that failed.
fn for_each_case(deed: impl Fn(&str, &[u8]) + Sync) {
    let cases = cases();
    let failed = std::sync::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(4)) {
            let (deed, failed) = (&deed, &failed);
            scope.spawn(move || {
                for (name, bytes) in part {
                    let run = std::panic::AssertUnwindSafe(|| deed(name, bytes));
                    if std::panic::catch_unwind(run).is_err() {
                        failed.lock().unwrap().push(*name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} cases failed: {failed:#?}", failed.len());
}

#[test]
fn each_case_is_refused_with_the_specification_and_the_connection_closed() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    for_each_case(|_, bytes| {
        let mut connection = gateway.connect();
        connection.write(bytes);
        let answer = connection.answer();
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        assert!(answer.headers.list("Connection").contains(&"close".to_owned()), "{answer:?}");
        assert!(connection.is_closed());
    });
    assert_eq!(upstream.count(), 0, "the upstream saw {:?}", upstream.seen());
}

#[test]
fn each_case_is_refused_after_a_good_request_on_the_same_connection() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for_each_case(|name, bytes| {
        let mut connection = gateway.connect();
        let good = connection.send(&get("/items/7").key(&key));
        assert_eq!(good.status, 200, "the good request before {name}: {}", good.text());
        connection.write(bytes);
        assert_error(&gateway, &connection.answer(), 400, "REQUEST_MALFORMED");
        assert!(connection.is_closed());
    });
    assert_eq!(upstream.count(), cases().len());
}

#[test]
fn each_case_is_refused_in_its_turn_when_it_is_pipelined_and_ends_the_pipeline() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for_each_case(|name, bytes| {
        let mut connection = gateway.connect();
        let mut pipeline = get("/items/7").key(&key).bytes();
        pipeline.extend_from_slice(bytes);
        pipeline.extend_from_slice(&get("/smuggled").key(&key).bytes());
        connection.write(&pipeline);
        let good = connection.answer();
        assert_eq!(good.status, 200, "the good request before {name}: {}", good.text());
        assert_error(&gateway, &connection.answer(), 400, "REQUEST_MALFORMED");
        assert!(connection.is_closed());
    });
    assert!(upstream.seen().iter().all(|seen| seen.target == "/items/7"), "a request was smuggled");
}

#[test]
fn each_case_is_refused_whichever_way_its_bytes_arrive() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    for_each_case(|_, bytes| {
        let mut connection = gateway.connect();
        // In pieces of three bytes, so that no rule depends on a single read.
        for piece in bytes.chunks(3) {
            connection.write(piece);
        }
        assert_error(&gateway, &connection.answer(), 400, "REQUEST_MALFORMED");
    });
}

#[test]
fn a_bad_chunk_is_refused_and_the_upstream_never_takes_the_body_for_whole() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let head = request("POST", "/items").key(&key).header("Transfer-Encoding", "chunked").head();
    for (name, body) in [
        ("a size that is not a number", "x\r\nab\r\n0\r\n\r\n"),
        ("a negative size", "-1\r\nab\r\n0\r\n\r\n"),
        ("a size with a sign", "+2\r\nab\r\n0\r\n\r\n"),
        ("a size with 0x", "0x2\r\nab\r\n0\r\n\r\n"),
        ("an empty size", "\r\nab\r\n0\r\n\r\n"),
        ("a space before the size", " 2\r\nab\r\n0\r\n\r\n"),
        ("a size past all numbers", "fffffffffffffffff\r\nab\r\n0\r\n\r\n"),
        ("a size that wraps round", "10000000000000002\r\nab\r\n0\r\n\r\n"),
        ("a chunk longer than its size", "2\r\nabc\r\n0\r\n\r\n"),
        ("a chunk shorter than its size", "3\r\nab\r\n0\r\n\r\n"),
        ("a chunk that ends in LF", "2\r\nab\n0\r\n\r\n"),
        ("a size that ends in LF", "2\nab\r\n0\r\n\r\n"),
        ("a size that ends in CR", "2\rab\r\n0\r\n\r\n"),
        ("a bad second chunk", "2\r\nab\r\nzz\r\ncd\r\n0\r\n\r\n"),
        ("a bare LF in an extension", "2;a=\nb\r\nab\r\n0\r\n\r\n"),
        ("a trailer without a colon", "2\r\nab\r\n0\r\nX-A\r\n\r\n"),
        ("a trailer that is folded", "2\r\nab\r\n0\r\nX-A: b\r\n c\r\n\r\n"),
        ("a trailer that ends in LF", "2\r\nab\r\n0\r\nX-A: b\n\r\n"),
    ] {
        let mut connection = gateway.connect();
        connection.write(&head);
        connection.write(body.as_bytes());
        let answer = connection.try_answer_to("POST").unwrap_or_else(|ended| panic!("{name}: {ended:?}"));
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        assert!(connection.is_closed(), "{name}");
    }
    assert!(upstream.seen().iter().all(|seen| !seen.whole), "{:?}", upstream.seen());
}

#[test]
fn a_request_line_may_follow_an_empty_line_as_old_clients_send_it() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut bytes = b"\r\n".to_vec();
    bytes.extend_from_slice(&get("/items/7").key(&key).bytes());
    assert_eq!(gateway.send_bytes(&bytes).status, 200);
}

#[test]
fn what_is_well_formed_though_rare_is_taken() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key().key;
    for (name, bytes) in [
        ("no space after a colon", format!("GET /a HTTP/1.1\r\nHost:x\r\nX-API-Key:{key}\r\n\r\n")),
        ("a Host with a port", format!("GET /a HTTP/1.1\r\nHost: x:8080\r\nX-API-Key: {key}\r\n\r\n")),
        ("a Host that is IPv6", format!("GET /a HTTP/1.1\r\nHost: [::1]:80\r\nX-API-Key: {key}\r\n\r\n")),
        ("an absolute target", format!("GET http://x/a HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n")),
        (
            "chunked in capitals",
            format!(
                "POST /a HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "a chunk with an extension and leading zeros",
            format!(
                "POST /a HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n0002;a=\"b\"\r\nab\r\n0\r\n\r\n"
            ),
        ),
        ("an unknown method", format!("BREW-2 /a HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n")),
    ] {
        let answer = gateway.send_bytes(bytes.as_bytes());
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
}

#[test]
fn options_of_everything_is_well_formed_and_names_no_endpoint() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    for version in ["1.1", "1.1", "1.0"] {
        let head = format!("OPTIONS * HTTP/{version}\r\nHost: x\r\nX-API-Key: {}\r\n\r\n", key.key);
        connection.write(head.as_bytes());
        assert_error(&gateway, &connection.answer(), 404, "ENDPOINT_NOT_FOUND");
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn the_same_length_twice_is_one_length_or_refused_but_never_two() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let twice = request("POST", "/a").key(&gateway.key()).header("Content-Length", "1").json("a");
    let answer = gateway.send(&twice);
    if answer.status == 200 {
        assert_eq!(upstream.only().body, b"a");
    } else {
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    }
}

#[test]
fn a_malformed_head_request_gets_no_body_and_the_limits_of_its_key() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["6 per day"]));
    let key = gateway.key();
    let large = "x".repeat(200_000);
    for fields in [
        "Host: x\r\nHost: y\r\n",
        "Host: x\r\nX-A: b\r\n c\r\n",
        "Host: x\r\nExpect: x\r\n",
        "",
        &format!("Host: x\r\nX-A: {large}\r\n"),
    ] {
        for version in ["HTTP/1.1", "HTTP/3.0"] {
            let key = format!("X-API-Key: {}\r\n", key.key);
            let mut connection = gateway.connect();
            connection.write(format!("HEAD /a {version}\r\n{key}{fields}\r\n").as_bytes());
            let answer = connection.answer_to("HEAD");
            assert_eq!(answer.status, 400, "{answer:?}");
            assert!(connection.is_closed(), "there is a body: {answer:?}");
            assert_eq!(answer.number("X-Rate-Limit-Remaining"), 6, "{answer:?}");
        }
    }
    // A key that is sent twice is not a key.
    let twice = format!("GET /a HTTP/1.1\r\nX-API-Key: {0}\r\nX-API-Key: {0}\r\n\r\n", key.key);
    assert!(!gateway.send_bytes(twice.as_bytes()).headers.has("X-Rate-Limit-Remaining"));
}

#[test]
fn a_length_past_all_numbers_is_a_body_that_is_too_large() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    for (length, code) in [
        ("99999999999999999999999", "BODY_TOO_LARGE"),
        ("00000000000000000000001", "KEY_NOT_SET"),
        ("9999999999999999999999x", "REQUEST_MALFORMED"),
    ] {
        let bytes = format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\na");
        let answer = gateway.send_bytes(bytes.as_bytes());
        let status = if code == "KEY_NOT_SET" { 403 } else { 400 };
        assert_error(&gateway, &answer, status, code);
    }
}

#[test]
fn links_in_the_response_to_a_malformed_request_have_its_host() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).public_url(None).top("trusted_proxies = [\"127.0.0.1\"]");
    let gateway = Gateway::start(&config);
    let listen = gateway.address.to_string();
    for (lines, base) in [
        ("Host: api.example.com:81\r\nContent-Length: x", "http://api.example.com:81"),
        ("X-A : b\r\nHost: api.example.com", "http://api.example.com"),
        ("Host: api.example.com\r\nX-Forwarded-Proto: https\r\nContent-Length: x", "https://api.example.com"),
        // There is no host that could be used.
        ("Host: a\r\nHost: b", &format!("http://{listen}")),
        ("Host: a/b", &format!("http://{listen}")),
        ("X-A: b", &format!("http://{listen}")),
    ] {
        let answer = gateway.send_bytes(format!("GET /x HTTP/1.1\r\n{lines}\r\n\r\n").as_bytes());
        assert_eq!(answer.status, 400, "{lines}");
        let check = answer.json()["error"]["check"].as_str().unwrap().to_owned();
        assert_eq!(check, format!("{base}/_docs/errors/REQUEST_MALFORMED"), "{lines}");
    }
    let answer = gateway.send_bytes(b"HEAD /x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
    assert_eq!((answer.status, answer.body.len()), (400, 0));
}
