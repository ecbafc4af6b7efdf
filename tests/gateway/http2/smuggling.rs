//! HTTP/2 requests that would become other ones, or more than one, in the HTTP/1.1 of the upstream: false lengths and
//! codings (H2.CL, H2.TE), line breaks in every place of a head, contradictory hosts, tunnels.

use crate::{
    peer::{DATA, END_HEADERS, END_STREAM, HEADERS, Peer, RST_STREAM, block, frame, request},
    recorder::Recorder,
    support::{Config, Gateway},
};

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

/// A request as its fields, and a body in DATA frames.
struct Case {
    name: String,
    fields: Vec<(String, String)>,
    body: Option<&'static str>,
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A good POST with these fields in place of its own, or beside them.
fn with(name: &str, changes: &[(&str, &str)]) -> Case {
    let mut fields = pairs(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/items"),
        (":authority", "api.example.com"),
    ]);
    for (name, value) in changes {
        match fields.iter_mut().find(|(known, _)| known == name && name.starts_with(':')) {
            Some(field) => field.1 = (*value).to_owned(),
            None => fields.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    Case { name: name.to_owned(), fields, body: Some(SMUGGLED) }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        // H2.CL: a length that ends before the smuggled part, or extends past it.
        with("H2.CL 0", &[("content-length", "0")]),
        with("H2.CL 5", &[("content-length", "5")]),
        with("H2.CL that is too long", &[("content-length", "500")]),
        with("H2.CL twice", &[("content-length", "0"), ("content-length", "38")]),
        with("H2.CL as a list", &[("content-length", "0, 38")]),
        with("H2.CL with a sign", &[("content-length", "+0")]),
        with("H2.CL in hexadecimal", &[("content-length", "0x0")]),
        with("H2.CL with a space within", &[("content-length", "0 38")]),
        with("H2.CL beyond 64 bits", &[("content-length", "18446744073709551616")]),
        with("H2.CL empty", &[("content-length", "")]),
        with("H2.CL with an upper-case name", &[("Content-Length", "0")]),
        // H2.TE
        with("H2.TE", &[("transfer-encoding", "chunked")]),
        with("H2.TE identity", &[("transfer-encoding", "identity")]),
        with("H2.TE with an upper-case name", &[("Transfer-Encoding", "chunked")]),
        with("H2.TE with a space after its name", &[("transfer-encoding ", "chunked")]),
        with("H2.TE with a tab after its name", &[("transfer-encoding\t", "chunked")]),
        with("H2.TE beside a length", &[("transfer-encoding", "chunked"), ("content-length", "0")]),
        with("H2.TE by Connection", &[("connection", "transfer-encoding"), ("transfer-encoding", "chunked")]),
        // Hop-by-hop fields, and a switch of the protocol (h2c smuggling).
        with("connection", &[("connection", "close")]),
        with("proxy-connection", &[("proxy-connection", "keep-alive")]),
        with("keep-alive", &[("keep-alive", "timeout=5")]),
        with("upgrade to h2c", &[("upgrade", "h2c"), ("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA")]),
        with("upgrade to a websocket", &[("upgrade", "websocket")]),
        // A whole line as a name: `x: y` is one name on the wire.
        with("a colon in a name", &[("transfer-encoding:chunked", "x")]),
        with("a colon before a name", &[(":transfer-encoding", "chunked")]),
        with("an empty name", &[("", "chunked")]),
        // Hosts.
        with("another Host", &[("host", "evil.example.com")]),
        with("two Hosts", &[("host", "api.example.com"), ("host", "evil.example.com")]),
        with("an authority with a user", &[(":authority", "api.example.com@evil.example.com")]),
        with("an authority with a path", &[(":authority", "api.example.com/x")]),
        with("an authority that is a list", &[(":authority", "api.example.com, evil.example.com")]),
        with("an empty authority and a Host", &[(":authority", ""), ("host", "evil.example.com")]),
        // Targets.
        with("a path that is a request line", &[(":path", "/ HTTP/1.1")]),
        with("a path with a tab", &[(":path", "/items\tHTTP/1.1")]),
        with("a path that is a URL", &[(":path", "http://evil.example.com/")]),
        with("a path that is an authority", &[(":path", "evil.example.com:80")]),
        with("a path without its slash", &[(":path", "items")]),
        with("an empty path", &[(":path", "")]),
        with("a path with a fragment", &[(":path", "/items#x")]),
        with("a path that climbs", &[(":path", "/items/../smuggled")]),
        with("a path that climbs in disguise", &[(":path", "/items/..%2fsmuggled")]),
        with("a star for POST", &[(":path", "*")]),
        with("a path with a byte beyond ASCII", &[(":path", "/items/\u{a0}")]),
        with("a scheme with a line of its own", &[(":scheme", "http://evil.example.com/?")]),
        with("a method with a target", &[(":method", "GET /smuggled HTTP/1.1")]),
        with("a method in lower case", &[(":method", "post")]),
        with("CONNECT", &[(":method", "CONNECT")]),
        with("a protocol", &[(":protocol", "websocket")]),
        with("two paths", &[("a", "b")]),
    ];
    cases.last_mut().unwrap().fields.push((":path".into(), "/smuggled".into()));
    for (name, more) in [(":method", "GET"), (":scheme", "http"), (":authority", "evil.example.com")] {
        let mut case = with(&format!("two of {name}"), &[]);
        case.fields.insert(1, (name.into(), more.into()));
        cases.push(case);
    }
    // A line break, in all its forms, in every part of a head.
    for (what, line_break) in [("CR LF", "\r\n"), ("LF", "\n"), ("CR", "\r"), ("NUL", "\0")] {
        let line = |before: &str| format!("{before}{line_break}transfer-encoding: chunked");
        let whole = |before: &str| format!("{before}{line_break}{line_break}{SMUGGLED}");
        for injected in [line("x"), whole("x"), line(""), whole(""), format!("x{line_break}")] {
            for name in ["x-a", "cookie", "accept", ":path", ":method", ":authority", ":scheme", "host"] {
                let value = match name {
                    ":path" => format!("/{injected}"),
                    _ => injected.clone(),
                };
                cases.push(with(&format!("{what} in {name}: {injected:?}"), &[(name, &value)]));
            }
            cases.push(with(&format!("{what} in a name: {injected:?}"), &[(&injected, "y")]));
        }
    }
    cases
}

#[test]
fn each_is_refused_and_no_byte_of_it_arrives() {
    let recorder = Recorder::start();
    let gateway = Gateway::start(&Config::of_url(&recorder.url()));
    let key = gateway.key();
    let mut faults = Vec::new();
    let mut peer = Peer::open(gateway.address);
    let mut stream = 1;
    for case in cases() {
        let mut fields: Vec<(&str, &str)> =
            case.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("x-api-key", &key.key));
        let mut bytes = frame(HEADERS, END_HEADERS, stream, &block(&fields));
        bytes.extend(frame(DATA, END_STREAM, stream, case.body.unwrap_or_default().as_bytes()));
        peer.write(&bytes);
        match peer.try_answer(stream) {
            Some(answer) if answer.status == 400 => {}
            other => faults.push(format!("{}: {other:?}", case.name)),
        }
        // Malformed streams end in a reset, of which only so many are allowed at once.
        stream += 2;
        if stream > 200 {
            (peer, stream) = (Peer::open(gateway.address), 1);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let arrived: Vec<String> = recorder.all().into_iter().map(|one| one.line).collect();
    // A body that turns out shorter or longer than its length may have begun to arrive; it never arrives whole.
    assert_eq!(arrived, Vec::<String>::new());
    assert_eq!(recorder.violations(), Vec::<String>::new());
    assert_eq!(gateway.used(&key), 0);
}

#[test]
fn a_body_that_looks_like_a_request_or_like_chunks_arrives_as_the_body_that_it_is() {
    let recorder = Recorder::start();
    let gateway = Gateway::start(&Config::of_url(&recorder.url()));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    let chunks = format!("0\r\n\r\n{SMUGGLED}");
    let mut stream = 1;
    let mut wanted = Vec::new();
    for body in [SMUGGLED, &chunks, "5\r\nhello\r\n0\r\n\r\n", "\r\n\r\n"] {
        let length = body.len().to_string();
        for fields in [vec![], vec![("content-length", length.as_str())], vec![("trailer", "x-sum")]] {
            let number = stream.to_string();
            let fields = [&fields[..], &[("x-api-key", &key.key), ("x-case", &number)]].concat();
            peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &fields));
            // In pieces, so that the gateway's own chunks are within.
            for piece in body.as_bytes().chunks(4) {
                peer.send(DATA, 0, stream, piece);
            }
            peer.send(DATA, END_STREAM, stream, b"");
            let answer = peer.answer(stream);
            assert_eq!((answer.status, answer.cut), (200, None), "{body:?}");
            wanted.push((number, body.to_owned()));
            stream += 2;
        }
    }
    for (number, body) in wanted {
        let arrived = recorder.of_case(&number);
        assert_eq!(arrived.len(), 1);
        assert_eq!((arrived[0].body.as_slice(), arrived[0].target()), (body.as_bytes(), "/items"));
    }
    assert_eq!(recorder.violations(), Vec::<String>::new());
    assert_eq!(recorder.all().len(), 12);
}

#[test]
fn trailers_frame_and_route_nothing() {
    let recorder = Recorder::start();
    let gateway = Gateway::start(&Config::of_url(&recorder.url()));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    let fields: &[(&str, &str)] = &[("x-api-key", &key.key), ("trailer", "x-sum")];
    let mut stream = 1;
    for trailer in [
        ("content-length", "0"),
        ("transfer-encoding", "chunked"),
        ("host", "evil.example.com"),
        (":path", "/smuggled"),
        ("x-a", "b\r\n\r\nGET /smuggled HTTP/1.1"),
        ("x-a\r\nx-b", "c"),
        ("authorization", "Bearer x"),
        ("x-consumer-id", "root"),
        ("x-forwarded-for", "127.0.0.1"),
    ] {
        peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", fields));
        peer.send(DATA, 0, stream, b"{}");
        peer.send(HEADERS, END_STREAM | END_HEADERS, stream, &block(&[trailer]));
        assert_eq!(peer.answer(stream).status, 400, "{trailer:?}");
        stream += 2;
    }
    assert_eq!(recorder.violations(), Vec::<String>::new());
    assert!(recorder.all().is_empty(), "{:?}", recorder.all());
    assert!(peer.ping());
    // And a stream that is reset within its body leaves nothing behind for the next one.
    peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &fields[..1]));
    peer.send(DATA, 0, stream, SMUGGLED.as_bytes());
    peer.send(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
    assert_eq!(peer.get(stream + 2, "/items/7", &key).status, 200);
    let lines: Vec<String> = recorder.all().into_iter().map(|one| one.line).collect();
    assert_eq!(lines, ["GET /items/7 HTTP/1.1"]);
}
