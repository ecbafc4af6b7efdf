//! Bodies and parameters that take long to check: others are served meanwhile, and memory is bounded.

use crate::support::{
    Config, Connection, Gateway, Key, Request, Upstream, assert_error, error_of, get, request,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Schemas by the last segment of their endpoint's path.
const DOCUMENT: &str = r##"
openapi: 3.1.0
info: {title: Checks, version: "1"}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-API-Key}}
  schemas:
    Node:
      anyOf:
        - {type: array, items: {$ref: "#/components/schemas/Node"}}
        - {type: array, items: {$ref: "#/components/schemas/Node"}, maxItems: 3}
        - {type: integer, minimum: 5}
security: [{key: []}]
paths:
  /items/{id}:
    get: {parameters: [{name: id, in: path, required: true, schema: {type: integer}}], responses: {"200": {description: ok}}}
  /large:
    post: {requestBody: {required: true, content: {application/json: {schema: {type: array, items: {type: integer, minimum: 5}}}}}, responses: {"200": {description: ok}}}
  /prices:
    post: {requestBody: {required: true, content: {application/json: {schema: {type: array, items: {type: number, multipleOf: 0.01}}}}}, responses: {"200": {description: ok}}}
  /different:
    post: {requestBody: {required: true, content: {application/json: {schema: {type: array, uniqueItems: true}}}}, responses: {"200": {description: ok}}}
  /nested:
    post: {requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Node"}}}}, responses: {"200": {description: ok}}}
  /members:
    post: {requestBody: {required: true, content: {application/json: {schema: {type: object, additionalProperties: false, properties: {member: {}, number: {}}, required: [nummer]}}}}, responses: {"200": {description: ok}}}
  /patterns:
    post: {requestBody: {required: true, content: {application/json: {schema: {type: array, items: {type: string, pattern: "^[01]*1[01]{900}$"}}}}}, responses: {"200": {description: ok}}}
  /rest:
    post: {requestBody: {required: true, content: {application/json: {schema: {anyOf: [{properties: {a: {}}}, {properties: {b: {}}}], contains: {const: 0}, unevaluatedProperties: false, unevaluatedItems: {type: string}, dependentSchemas: {a: {required: [b]}}}}}}, responses: {"200": {description: ok}}}
  /form:
    post: {requestBody: {required: true, content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {a: {type: array, items: {type: integer}}, b: {type: object}}}, encoding: {b: {style: deepObject, explode: true}}}}}, responses: {"200": {description: ok}}}
  /spaces:
    post: {requestBody: {required: true, content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {a: {type: array, items: {type: integer}}}}, encoding: {a: {style: spaceDelimited, explode: false}}}}}, responses: {"200": {description: ok}}}
  /search:
    get:
      parameters:
        - {name: q, in: query, schema: {type: array, items: {type: string, pattern: "^[01]*1[01]{900}$"}}}
        - {name: f, in: query, style: form, explode: true, schema: {type: object, additionalProperties: {type: integer}}}
      responses: {"200": {description: ok}}
"##;

fn upstream() -> Upstream {
    Upstream::sending("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
}

fn start(upstream: &Upstream, change: impl FnOnce(Config) -> Config) -> (Gateway, Key) {
    let config = Config::of(upstream).document(DOCUMENT).plan("free", &["1000000 per day"]);
    let gateway = Gateway::start(&change(config.listen("address = \"127.0.0.1:0\"\nthreads = 1")));
    let key = gateway.key();
    (gateway, key)
}

fn json(path: &str, body: &str) -> Request {
    request("POST", path).json(body)
}

fn form(path: &str, body: &str) -> Request {
    request("POST", path).body("application/x-www-form-urlencoded", body.as_bytes())
}

/// The longest that a request for something else waited until the work was done.
fn longest_wait_during<T>(gateway: &Gateway, key: &Key, work: impl FnOnce() -> T) -> (T, Duration) {
    let is_done = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        let waits = scope.spawn({
            let is_done = Arc::clone(&is_done);
            move || {
                let mut longest = Duration::ZERO;
                let mut connection = gateway.connect();
                while !is_done.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    assert_eq!(connection.send(&get("/items/7").key(key)).status, 200);
                    longest = longest.max(begun.elapsed());
                    std::thread::park_timeout(Duration::from_millis(2));
                }
                longest
            }
        });
        let done = work();
        is_done.store(true, Ordering::Relaxed);
        (done, waits.join().unwrap())
    })
}

fn items(item: &str, bytes: usize) -> String {
    format!("[{}{item}]", format!("{item},").repeat(bytes / (item.len() + 1)))
}

/// All ways to nest these numbers: items that are alike in all but their brackets.
fn nestings(from: usize, to: usize) -> Vec<String> {
    if to - from == 1 {
        return vec![from.to_string()];
    }
    let pairs = (from + 1..to).flat_map(|at| {
        let rights = nestings(at, to);
        nestings(from, at)
            .into_iter()
            .flat_map(move |left| rights.clone().into_iter().map(move |right| format!("[{left},{right}]")))
    });
    pairs.collect()
}

const MIB: usize = 1 << 20;
/// What a debug build on a busy machine may need for 50 ms of work. Without the bound it takes seconds.
const WAIT: Duration = Duration::from_millis(400);

/// A check on another thread takes nothing from the one that answers, however slow the machine is: no request
/// waits for a considerable part of the check's time.
#[test]
fn a_long_check_is_not_done_where_requests_are_answered() {
    let upstream = upstream();
    let (gateway, key) = start(&upstream, |config| config.section("[admin]\naddress = \"127.0.0.1:0\""));
    let admin = gateway.event("listening")["admin"].as_str().unwrap().parse().unwrap();
    let check = json("/nested", &items("[[1],[[1]]]", 200_000)).key(&key);
    let begun = Instant::now();
    let mut checked = gateway.connect();
    checked.write(&check.bytes());
    let (took, longest, answered) = std::thread::scope(|scope| {
        let took = scope.spawn(|| (checked.answer_to("POST").status, begun.elapsed()));
        let (mut longest, mut answered) = (Duration::ZERO, 0);
        let mut connection = gateway.connect();
        while !took.is_finished() {
            let asked = Instant::now();
            assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
            assert_eq!(Connection::open(admin).send(&get("/live")).status, 200);
            longest = longest.max(asked.elapsed());
            answered += 1;
        }
        let (status, took) = took.join().unwrap();
        assert_eq!(status, 422);
        (took, longest, answered)
    });
    assert!(
        answered > 2 && longest < took / 2,
        "{answered} answers, one after {longest:?} of the {took:?} of a check"
    );
}

#[test]
fn no_body_holds_other_requests_up() {
    let upstream = upstream();
    let (gateway, key) = start(&upstream, |config| config);
    let many_members = |count: usize| {
        let members: Vec<String> = (0..count).map(|place| format!("\"membre{place}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    let alike = format!("[{}]", nestings(0, 11).join(","));
    let ones = "01".repeat(30_000);
    let cases = [
        ("ten million bytes of small values", json("/large", &items("1", 10 * MIB)), 400, "BODY_TOO_LARGE"),
        ("a million bytes of wrong values", json("/large", &items("1", MIB)), 422, "BODY_NOT_VALID"),
        ("enormous exponents", json("/prices", &items("1.5e300", 4 * MIB)), 200, ""),
        (
            "enormous exponents that are wrong",
            json("/prices", &items("1.5e-300", 4 * MIB)),
            422,
            "BODY_NOT_VALID",
        ),
        ("items that hash alike", json("/different", &alike), 200, ""),
        (
            "alternatives in alternatives",
            json("/nested", &items("[[1],[[1]]]", 200_000)),
            422,
            "BODY_NOT_VALID",
        ),
        ("members that are not known", json("/members", &many_members(100_000)), 422, "BODY_NOT_VALID"),
        (
            "a long text for a large pattern",
            json("/patterns", &format!("[\"{ones}x\"]")),
            422,
            "BODY_NOT_VALID",
        ),
        (
            "many texts for a large pattern",
            json("/patterns", &items("\"0101010101010\"", 200_000)),
            422,
            "BODY_NOT_VALID",
        ),
        ("members that no schema allows", json("/rest", &many_members(50_000)), 422, "BODY_NOT_VALID"),
        ("items that no schema allows", json("/rest", &items("1", MIB)), 422, "BODY_NOT_VALID"),
        (
            "a number of a million digits",
            json("/large", &format!("[{}]", "9".repeat(MIB))),
            400,
            "BODY_MALFORMED",
        ),
        (
            "the same member again and again",
            json("/members", &format!("{{{}\"a\":1}}", "\"a\":1,".repeat(150_000))),
            400,
            "BODY_MALFORMED",
        ),
        ("a form of ten million bytes", form("/form", &"a=x&".repeat(10 * MIB / 4)), 400, "BODY_TOO_LARGE"),
        ("a form of wrong values", form("/form", &"a=x&".repeat(250_000)), 422, "BODY_NOT_VALID"),
        (
            "a form of deep names",
            form("/form", &(0..60_000).map(|at| format!("b[{at}][a]=1&")).collect::<String>()),
            200,
            "",
        ),
        (
            "a list whose delimiter is one of several",
            form("/spaces", &format!("a={}1", "1+".repeat(500_000))),
            200,
            "",
        ),
    ];
    for (name, request, status, code) in cases {
        let begun = Instant::now();
        let (answer, wait) = longest_wait_during(&gateway, &key, || gateway.send(&request.key(&key)));
        assert_eq!(answer.status, status, "{name}: {}", answer.text().chars().take(500).collect::<String>());
        if status != 200 {
            assert_error(&gateway, &answer, status, code);
        }
        assert!(wait < WAIT, "{name}: others waited for {wait:?}");
        assert!(begun.elapsed() < Duration::from_secs(14), "{name} took {:?}", begun.elapsed());
    }
}

#[test]
fn no_query_holds_other_requests_up() {
    let upstream = upstream();
    let (gateway, key) = start(&upstream, |config| config.section("[sizes]\nmax_header_size = \"128KiB\""));
    let names: String = (0..12_000).map(|at| format!("m{at}=x&")).collect();
    for query in [names, "q=0101&".repeat(17_000), format!("q={}x", "01".repeat(60_000))] {
        let asked = get(&format!("/search?{query}")).key(&key);
        let (answer, wait) = longest_wait_during(&gateway, &key, || gateway.send(&asked));
        assert_error(&gateway, &answer, 400, "PARAMETER_NOT_VALID");
        assert!(wait < WAIT, "others waited for {wait:?}");
    }
}

#[test]
fn many_violations_are_reported_at_once_and_that_there_are_more() {
    let upstream = upstream();
    let (gateway, key) = start(&upstream, |config| config);
    let answer = gateway.send(&json("/large", &items("1", MIB)).key(&key));
    assert_error(&gateway, &answer, 422, "BODY_NOT_VALID");
    let error = error_of(&answer);
    let details = error["details"].as_array().unwrap();
    assert_eq!(details.len(), 51);
    assert_eq!(details[0]["pointer"], "/0");
    assert!(details[50]["message"].as_str().unwrap().contains("more violations"), "{}", details[50]);
    assert!(answer.text().len() < 20_000, "{} bytes", answer.text().len());
}

#[test]
fn values_past_their_bound_are_refused_before_they_take_memory() {
    let upstream = upstream();
    let (gateway, key) = start(&upstream, |config| config);
    assert_eq!(gateway.send(&json("/large", &items("10", MIB)).key(&key)).status, 200);
    let before = gateway.resident();
    for request in [
        json("/large", &items("1", 10 * MIB)),
        form("/form", &"a=1&".repeat(10 * MIB / 4)),
        json("/rest", &items("[]", 9 * MIB)),
    ] {
        assert_error(&gateway, &gateway.send(&request.key(&key)), 400, "BODY_TOO_LARGE");
    }
    let more = gateway.resident().saturating_sub(before);
    assert!(more < 64 << 20, "{more} bytes more than before");
    let (gateway, key) = start(&upstream, |config| config.section("[sizes]\nmax_body_values = 10"));
    assert_eq!(gateway.send(&json("/large", "[5,5,5,5,5,5,5,5,5]").key(&key)).status, 200);
    let answer = gateway.send(&json("/large", "[5,5,5,5,5,5,5,5,5,5]").key(&key));
    assert_error(&gateway, &answer, 400, "BODY_TOO_LARGE");
    assert!(answer.text().contains("at most 10 values"), "{}", answer.text());
}

#[test]
fn more_checks_than_can_be_run_are_answered_503_and_cost_nothing() {
    let upstream = upstream();
    let (gateway, key) = start(&upstream, |config| config);
    // The smallest body that is checked on another thread: all that are admitted are answered within a test's timeout.
    let body = json("/large", &items("1", 270_000)).key(&key).bytes();
    let mut waiting: Vec<Connection> = (0..120).map(|_| gateway.connect()).collect();
    std::thread::scope(|scope| {
        let writers: Vec<_> =
            waiting.iter_mut().map(|connection| scope.spawn(|| connection.write(&body))).collect();
        writers.into_iter().for_each(|writer| drop(writer.join()));
    });
    let mut refused = 0;
    for connection in &mut waiting {
        let answer = connection.answer();
        if answer.status == 503 {
            refused += 1;
            assert_error(&gateway, &answer, 503, "UNAVAILABLE");
            assert!(answer.number("Retry-After") >= 1);
        } else {
            assert_error(&gateway, &answer, 422, "BODY_NOT_VALID");
        }
    }
    assert!(refused > 0 && refused < 120, "{refused} were refused");
    assert_eq!(gateway.used(&key), 0);
}

#[test]
fn bodies_that_are_held_to_be_checked_have_a_bound_in_all() {
    let upstream = upstream();
    let (gateway, key) =
        start(&upstream, |config| config.section("[overload]\nmax_buffered_bytes = \"32MiB\""));
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    let before = gateway.resident();
    // All but the last bytes: held until they come.
    let head = request("POST", "/large").key(&key).header("Content-Type", "application/json");
    let head = head.header("Content-Length", &(10 * MIB).to_string()).head();
    let most = vec![b' '; 10 * MIB - 10];
    let mut slow: Vec<Connection> = (0..24).map(|_| gateway.connect()).collect();
    std::thread::scope(|scope| {
        for connection in &mut slow {
            scope.spawn(|| connection.write(&head) && connection.write(&most));
        }
    });
    // They total 240 MiB. A body that grows is in memory twice for a moment, and the allocator keeps freed pages for a
    // while.
    let held = gateway.resident().saturating_sub(before);
    assert!(held < 120 * MIB as u64, "{held} bytes are held");
    // Those without room got a response, and the others are still awaited.
    let mut refused = 0;
    slow.retain_mut(|connection| {
        connection.wire.stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let answer = connection.try_answer_to("POST");
        connection.wire.stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        let Ok(answer) = answer else { return true };
        assert_error(&gateway, &answer, 503, "UNAVAILABLE");
        assert!(answer.number("Retry-After") >= 1);
        refused += 1;
        false
    });
    assert!(refused >= 20 && !slow.is_empty(), "{refused} of 24 were refused");
    // The memory is released, however a body ends.
    slow.clear();
    crate::support::eventually("the memory is released", || {
        (gateway.send(&json("/large", &items("1000000000000", 9 * MIB)).key(&key)).status == 200)
            .then_some(())
    });
}

#[test]
fn a_body_that_came_at_once_and_then_trickles_is_not_waited_for() {
    let upstream = upstream();
    let (gateway, key) = start(&upstream, |config| {
        config.section("[timeouts]\nbody = \"1s\"\n[overload]\nmin_body_rate = \"1KiB\"")
    });
    let mut slow = gateway.connect();
    let head = request("POST", "/large").key(&key).header("Content-Type", "application/json");
    slow.write(&head.header("Content-Length", &(4 * MIB).to_string()).head());
    assert!(slow.write(&vec![b' '; 4 * MIB - 1_000]));
    // By the average of all, the client would have more than an hour.
    let begun = Instant::now();
    slow.wire.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let answer = loop {
        if let Ok(answer) = slow.try_answer_to("POST") {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(12), "it is still awaited");
        slow.write(b" ");
    };
    assert_error(&gateway, &answer, 400, "REQUEST_TIMEOUT");
}
