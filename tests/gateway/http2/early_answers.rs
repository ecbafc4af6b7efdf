//! Responses that are complete before the request: the client is asked to stop (RFC 9113 section 8.1), whichever check
//! answered, and the connection continues as if the rest had never been sent.

use crate::{
    peer::{
        CANCEL, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, NO_ERROR, Peer, RST_STREAM,
        WINDOW_UPDATE, frame, request,
    },
    support::{Config, Exchange, Gateway, Key, Next, Upstream, sample::sample},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a client may send on a stream before any WINDOW_UPDATE of the gateway.
const WINDOW: usize = 65_535;

/// A request that never ends, and the status that answers it.
struct Case {
    name: &'static str,
    fields: Vec<(String, String)>,
    path: &'static str,
    status: u16,
}

/// An upstream that answers uploads before it has read them.
fn upstream() -> Upstream {
    fn early(exchange: &mut Exchange<'_>, line: &str) -> Next {
        exchange.write(format!("HTTP/1.1 {line}\r\nContent-Length: 2\r\n\r\nok").as_bytes());
        Next::Keep
    }
    Upstream::scripted(|exchange| match exchange.target() {
        "/early/200" => early(exchange, "200 OK"),
        "/early/400" => early(exchange, "400 Bad Request"),
        "/early/503" => early(exchange, "503 Service Unavailable"),
        _ => sample(exchange),
    })
}

fn gateway(upstream: &Upstream) -> Gateway {
    let mut config = Config::of(upstream)
        .plan("one", &["1 per day"])
        .section("[[moved]]\nfrom = \"/old\"\nto = \"/items\"")
        .section("[cors]\norigins = [\"https://app.example.com\"]");
    for path in ["/items", "/early/{status}"] {
        config = config.endpoint("POST", path, "");
    }
    let config = config.endpoint("POST", "/secret", "permission = \"secrets\"");
    let config = config.endpoint("POST", "/paged", "").parameter(
        "query",
        "page",
        "type = \"integer\"\nrequired = true",
    );
    Gateway::start(&config.endpoint("POST", "/small", "max_body_size = 1000"))
}

fn cases(key: &Key, spent: &Key, revoked: &Key) -> Vec<Case> {
    let with = |key: &str| vec![("x-api-key".to_owned(), key.to_owned())];
    let case = |name, fields, path, status| Case { name, fields, path, status };
    let mut grpc = with("fg_live_0");
    grpc.push(("content-type".into(), "application/grpc".into()));
    grpc.push(("te".into(), "trailers".into()));
    let mut length = with(&key.key);
    length.push(("content-length".into(), "900000".into()));
    let mut problem = vec![("accept".to_owned(), "application/problem+json".to_owned())];
    problem.push(("content-length".into(), "70000".into()));
    vec![
        case("no key", vec![], "/items", 403),
        case("no key, as problem details", problem, "/items", 403),
        case("a key of a wrong format", with("no key at all"), "/items", 400),
        case("no permission", with(&key.key), "/secret", 401),
        case("no such endpoint", with(&key.key), "/nowhere", 404),
        case("a slash at the end", with(&key.key), "/items/", 301),
        case("a moved endpoint", with(&key.key), "/old", 301),
        case("a limit that is used up", with(&spent.key), "/items", 429),
        case("a call of gRPC", grpc, "/items", 200),
        case("an early success of the upstream's", with(&key.key), "/early/200", 200),
        case("an early error of the upstream's", with(&key.key), "/early/400", 400),
        case("the same, of a length that was declared", length.clone(), "/early/400", 400),
        case("a 503 of the upstream's", with(&key.key), "/early/503", 503),
        case("a body past its bound, as declared", length.clone(), "/small", 400),
        case("a malformed path", with(&key.key), "/items/%zz", 400),
        case("a parameter that is missing", with(&key.key), "/paged", 400),
        case("a parameter that is not valid", with(&key.key), "/paged?page=none", 400),
        case("a revoked key", with(&revoked.key), "/items", 403),
    ]
}

fn open(peer: &mut Peer, stream: u32, case: &Case) {
    let fields: Vec<(&str, &str)> =
        case.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    peer.send(HEADERS, END_HEADERS, stream, &request("POST", case.path, &fields));
}

/// Sends as much as one window takes, whatever comes meanwhile.
fn fill(peer: &mut Peer, stream: u32) {
    for piece in [16_384, 16_384, 16_384, WINDOW - 3 * 16_384] {
        peer.send(DATA, 0, stream, &vec![b'x'; piece]);
    }
}

/// The next frame of a stream other than WINDOW_UPDATE.
#[track_caller]
fn next(peer: &mut Peer, stream: u32) -> Frame {
    loop {
        let frame = peer.next_of(stream).expect("the connection continues");
        if frame.kind != WINDOW_UPDATE {
            return frame;
        }
    }
}

#[track_caller]
fn assert_asked_to_stop(peer: &mut Peer, stream: u32, name: &str) {
    let frame = next(peer, stream);
    assert_eq!(
        (frame.kind, frame.payload.as_slice()),
        (RST_STREAM, &NO_ERROR.to_be_bytes()[..]),
        "{name}: {frame:?}"
    );
}

#[test]
fn whichever_check_answers_the_whole_answer_comes_and_then_the_request_to_stop() {
    let upstream = upstream();
    let gateway = gateway(&upstream);
    let (key, spent, revoked) = (gateway.key(), gateway.key_with(&["--plan", "one"]), gateway.key());
    gateway.run(&["keys", "revoke", &revoked.id]);
    let mut peer = Peer::open(gateway.address);
    peer.send(HEADERS, END_STREAM | END_HEADERS, 1, &request("POST", "/items", &[("x-api-key", &spent.key)]));
    assert_eq!(peer.answer(1).status, 200);
    let mut stream = 1;
    for case in cases(&key, &spent, &revoked) {
        // A whole window at once, nothing, and a little without the rest.
        for body in [WINDOW, 0, 100] {
            stream += 2;
            let name = format!("{}, {body} bytes", case.name);
            open(&mut peer, stream, &case);
            if body == WINDOW {
                fill(&mut peer, stream);
            } else if body > 0 {
                peer.send(DATA, 0, stream, &vec![b'x'; body]);
            }
            let answer = peer.answer(stream);
            assert_eq!((answer.status, answer.cut), (case.status, None), "{name}");
            assert_asked_to_stop(&mut peer, stream, &name);
        }
    }
    assert!(peer.ping());
    assert_eq!(gateway.used(&spent), 1);
}

#[test]
fn a_body_that_grows_past_its_bound_is_answered_in_the_middle_and_asked_to_stop() {
    let upstream = upstream();
    let gateway = gateway(&upstream);
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    for stream in [1, 3, 5] {
        peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/small", &[("x-api-key", &key.key)]));
        peer.send(DATA, 0, stream, &[b'x'; 1000]);
        peer.send(DATA, 0, stream, b"x");
        let answer = peer.answer(stream);
        assert_eq!((answer.status, answer.cut), (400, None), "{answer:?}");
        assert!(answer.text().contains("BODY_TOO_LARGE"), "{answer:?}");
        assert_asked_to_stop(&mut peer, stream, "past its bound");
    }
    assert!(peer.ping());
    assert_eq!(gateway.used(&key), 0);
}

#[test]
fn maintenance_and_pages_of_the_gateways_own_ask_to_stop_as_well() {
    let upstream = upstream();
    let gateway = gateway(&upstream);
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    let preflight: &[(&str, &str)] =
        &[("origin", "https://app.example.com"), ("access-control-request-method", "POST")];
    for (n, (method, path, fields, status)) in [
        ("OPTIONS", "/items", preflight, 204),
        ("GET", "/_docs/openapi.json", &[], 200),
        ("GET", "/live", &[], 200),
    ]
    .into_iter()
    .enumerate()
    {
        let stream = n as u32 * 2 + 1;
        // Without a length, as a client sends it that has not decided yet whether there is a body.
        let fields = [fields, &[("content-length", "0")]].concat();
        peer.send(HEADERS, END_HEADERS, stream, &request(method, path, &fields));
        let answer = peer.answer(stream);
        assert!(answer.status == status || answer.status == 404, "{path}: {answer:?}");
        assert_asked_to_stop(&mut peer, stream, path);
    }
    gateway.run(&["maintenance", "on", "--message", "We move house.", "--for", "30m"]);
    for stream in [11, 13] {
        peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &[("x-api-key", &key.key)]));
        fill(&mut peer, stream);
        assert_eq!(peer.answer(stream).status, 503);
        assert_asked_to_stop(&mut peer, stream, "maintenance");
    }
}

#[test]
fn a_request_that_ends_right_after_its_answer_is_left_to_end() {
    let upstream = upstream();
    let gateway = gateway(&upstream);
    let mut peer = Peer::open(gateway.address);
    for n in 0..50 {
        let stream = n * 2 + 1;
        let block = request("POST", "/items", &[("content-length", "4")]);
        peer.send(HEADERS, END_HEADERS, stream, &block);
        peer.send(DATA, END_STREAM, stream, b"four");
        assert_eq!(peer.answer(stream).status, 403);
        assert!(peer.ping());
        assert!(!peer.has_kept(stream), "there was nothing to stop");
    }
}

/// A client that follows the rules as libraries do: so many concurrent streams, bodies within the windows, and a stream
/// that is open until both sides have ended it or one has reset it.
struct Uploads<'p> {
    peer: &'p mut Peer,
    most: usize,
    room: i64,
    /// Open streams: the rest of the body, the window, and whether the response has ended.
    open: BTreeMap<u32, (usize, i64, bool)>,
    answered: BTreeSet<u32>,
    answers_resets: bool,
}

impl Uploads<'_> {
    fn run(&mut self, count: u32, body: usize, from: u32, fields: &[(&str, &str)]) {
        let mut next = 0;
        while self.answered.len() < count as usize || next < count {
            // One after the other, as a client that waits for each response.
            while next < count && self.open.len() < self.most && self.answered.len() == next as usize {
                let stream = from + next * 2;
                next += 1;
                let mut bytes = frame(HEADERS, END_HEADERS, stream, &request("POST", "/items", fields));
                self.open.insert(stream, (body, WINDOW as i64 + 1, false));
                // As much of the body as allowed is sent with the head, so before any response.
                self.add_data(stream, &mut bytes);
                self.peer.write(&bytes);
            }
            for stream in self.open.keys().copied().collect::<Vec<_>>() {
                let mut bytes = Vec::new();
                self.add_data(stream, &mut bytes);
                self.peer.write(&bytes);
            }
            self.open.retain(|_, (left, _, ended)| *left > 0 || !*ended);
            let frame = self.peer.next().expect("the connection continues");
            self.take(frame);
        }
    }

    fn add_data(&mut self, stream: u32, bytes: &mut Vec<u8>) {
        let (left, window, _) = self.open.get_mut(&stream).unwrap();
        loop {
            let now = (*left as i64).min(*window).min(self.room).clamp(0, 16_384);
            if now == 0 {
                return;
            }
            let flags = if now as usize == *left { END_STREAM } else { 0 };
            bytes.extend(frame(DATA, flags, stream, &vec![b'x'; now as usize]));
            (*left, *window, self.room) = (*left - now as usize, *window - now, self.room - now);
        }
    }

    fn take(&mut self, frame: Frame) {
        assert_ne!(frame.kind, GOAWAY, "{frame:?}");
        let number = || i64::from(u32::from_be_bytes(frame.payload[..4].try_into().unwrap()));
        match (frame.kind, frame.stream) {
            (WINDOW_UPDATE, 0) => self.room += number(),
            (WINDOW_UPDATE, stream) => {
                if let Some((_, window, _)) = self.open.get_mut(&stream) {
                    *window += number();
                }
            }
            (RST_STREAM, stream) => {
                assert!(self.answered.contains(&stream) && number() == 0, "{frame:?}");
                self.open.remove(&stream);
                if self.answers_resets {
                    self.peer.reset(stream, CANCEL);
                }
            }
            (DATA, 1..) if !frame.payload.is_empty() => self.peer.open_window(0, frame.payload.len() as u32),
            (_, _) => {}
        }
        if matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0 {
            self.answered.insert(frame.stream);
            if let Some((left, _, ended)) = self.open.get_mut(&frame.stream) {
                *ended = true;
                if *left == 0 {
                    self.open.remove(&frame.stream);
                }
            }
        }
    }
}

/// Uploads of 70,000 bytes without a key, and then requests that need all of the connection.
#[track_caller]
fn assert_uploads_leave_the_connection_usable(count: u32, fields: &[(&str, &str)], answers_resets: bool) {
    let upstream = upstream();
    let gateway = gateway(&upstream);
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    let most = peer.settings[&3] as usize;
    let room = WINDOW as i64 + 983_041;
    let mut uploads = Uploads {
        peer: &mut peer,
        most,
        room,
        open: BTreeMap::new(),
        answered: BTreeSet::new(),
        answers_resets,
    };
    uploads.run(count, 70_000, 1, fields);
    // The connection's window is full again except for what is returned in large pieces.
    uploads.peer.send(crate::peer::PING, 0, 0, b"8 bytes!");
    loop {
        let frame = uploads.peer.next().expect("the connection continues");
        if frame.kind == crate::peer::PING {
            break;
        }
        uploads.take(frame);
    }
    let room = uploads.room;
    assert!(room > (WINDOW as i64 + 983_041) / 2, "{room} bytes of the connection's window are open");
    let stream = count * 2 + 1;
    peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &[("x-api-key", &key.key)]));
    peer.send(DATA, END_STREAM, stream, &[b'x'; 16_384]);
    assert_eq!(peer.answer(stream).status, 200);
}

#[test]
fn a_session_goes_on_after_a_thousand_uploads_that_were_refused() {
    assert_uploads_leave_the_connection_usable(1_000, &[], false);
}

#[test]
fn the_same_of_a_declared_length() {
    assert_uploads_leave_the_connection_usable(1_000, &[("content-length", "70000")], false);
}

#[test]
fn what_we_reset_and_a_client_confirms_is_no_flood_of_resets() {
    assert_uploads_leave_the_connection_usable(5_000, &[], true);
}

#[test]
fn a_client_that_stops_an_upload_itself_once_it_is_answered_floods_nobody() {
    let upstream = upstream();
    let gateway = gateway(&upstream);
    let mut peer = Peer::open(gateway.address);
    for n in 0..1_000 {
        let stream = n * 2 + 1;
        peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &[]));
        assert_eq!(peer.answer(stream).status, 403);
        peer.reset(stream, CANCEL);
    }
    assert!(peer.ping());
}

#[test]
fn a_client_that_never_stops_sending_keeps_nobody_waiting() {
    let upstream = upstream();
    let gateway = gateway(&upstream);
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    // It ignores the request to stop, and keeps sending within the connection's window alone.
    for n in 0..20 {
        let stream = n * 4 + 1;
        peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &[]));
        let answer = peer.answer(stream);
        assert_eq!((answer.status, answer.cut), (403, None));
        fill(&mut peer, stream);
        assert_asked_to_stop(&mut peer, stream, "a client that sends on");
        let stream = stream + 2;
        peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &[("x-api-key", &key.key)]));
        peer.send(DATA, END_STREAM, stream, &[b'x'; 16_384]);
        assert_eq!(peer.answer(stream).status, 200);
    }
}

#[test]
fn a_draining_gateway_asks_to_stop_before_it_sends_goaway() {
    let upstream = upstream();
    let gateway = gateway(&upstream);
    let mut peer = Peer::open(gateway.address);
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", &[]));
    assert_eq!(peer.answer(1).status, 403);
    gateway.terminate();
    loop {
        let frame = peer.next().expect("the request to stop");
        if frame.kind == RST_STREAM {
            assert_eq!((frame.stream, frame.payload.as_slice()), (1, &NO_ERROR.to_be_bytes()[..]));
            break;
        }
    }
}
