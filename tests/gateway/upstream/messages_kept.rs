//! What a client gets of an upstream's error: its human message, its own specification, no internals.

use crate::support::{Config, Gateway, Upstream, assert_error, error_of, get, post};
use serde_json::Value;
use std::{fs, path::Path};

/// Sends this body with this type as a 404.
fn gateway_of(media_type: &'static str, body: &'static [u8]) -> (Upstream, Gateway) {
    let upstream = Upstream::scripted(move |exchange| {
        let status = exchange.target().trim_start_matches('/').parse().unwrap_or(404);
        exchange.answer(status, &[("Content-Type", media_type)], body)
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    (upstream, gateway)
}

#[test]
fn the_human_message_is_found_where_apis_put_it() {
    let bodies = [
        ("{\"message\":\"No item 7.\"}", "No item 7."),
        ("{\"detail\":\"No item 7.\"}", "No item 7."),
        ("{\"title\":\"No item 7.\",\"status\":404}", "No item 7."),
        ("{\"error\":\"No item 7.\"}", "No item 7."),
        ("{\"error\":{\"message\":\"No item 7.\",\"code\":5}}", "No item 7."),
        ("{\"errors\":[{\"message\":\"No item 7.\"}]}", "No item 7."),
        ("{\"errors\":[\"No item 7.\",\"No shelf 9.\"]}", "No shelf 9."),
        ("{\"errors\":[{\"detail\":\"No item 7.\"},{\"title\":\"No shelf 9.\"}]}", "No shelf 9."),
        ("{\"message\":\"Caf\\u00e9 \\\"7\\\" \\u2192\"}", "Café \"7\" →"),
    ];
    let upstream = Upstream::scripted(move |exchange| {
        let row: usize = exchange.target().trim_start_matches('/').parse().unwrap();
        exchange.json(404, bodies[row].0)
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for (row, (body, message)) in bodies.iter().enumerate() {
        let answer = gateway.send(&get(&format!("/{row}")).key(&key));
        assert_error(&gateway, &answer, 404, "RESOURCE_NOT_FOUND");
        let message_sent = error_of(&answer)["message"].as_str().unwrap().to_owned();
        assert!(message_sent.contains(message), "{body} was sent as {message_sent:?}");
    }
}

#[test]
fn a_body_without_a_human_message_is_replaced() {
    for (media_type, body) in [
        ("text/html", &b"<html><h1>Traceback on db-7.internal</h1></html>"[..]),
        ("text/plain", b"Traceback on db-7.internal"),
        ("application/json", b"{\"message\":\"<html>db-7.internal</html>\"}"),
        ("application/json", b"{\"broken\": db-7.internal"),
        ("application/json", b"[\"db-7.internal\"]"),
        ("application/json", b"{\"trace\":\"db-7.internal\"}"),
        ("application/json", b""),
        ("application/octet-stream", b"\x00\xff\xfedb-7.internal"),
    ] {
        let (_upstream, gateway) = gateway_of(media_type, body);
        let answer = gateway.send(&get("/404").key(&gateway.key()));
        assert_error(&gateway, &answer, 404, "RESOURCE_NOT_FOUND");
        assert!(!answer.text().contains("db-7"), "{media_type}: {}", answer.text());
    }
}

#[test]
fn the_message_of_a_503_is_passed_on_and_that_of_any_other_5xx_is_not() {
    let (_upstream, gateway) = gateway_of("application/json", b"{\"message\":\"The pool is empty.\"}");
    let key = gateway.key();
    for status in [500, 501, 502, 504, 520, 599] {
        let answer = gateway.send(&get(&format!("/{status}")).key(&key));
        assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
        assert!(!answer.text().contains("pool"), "{status}: {}", answer.text());
    }
    let answer = gateway.send(&get("/503").key(&key));
    assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    assert!(answer.text().contains("The pool is empty."), "{}", answer.text());
}

#[test]
fn a_body_that_already_is_a_specification_passes_with_its_own_code_and_true_numbers() {
    let (_upstream, gateway) = gateway_of(
        "application/json",
        b"{\"success\":false,\"error\":{\"code\":\"ITEM_LOCKED_BY_OTHER\",\"message\":\"Ann has item 7.\",\
          \"http_code\":999,\"request_id\":\"theirs\",\"check\":\"http://db-7.internal/x\",\
          \"details\":[{\"in\":\"path\",\"name\":\"id\",\"message\":\"locked\"}]}}",
    );
    let key = gateway.key();
    let before = gateway.limits(&key);
    let answer = gateway.send(&get("/409").key(&key));
    assert_eq!(answer.status, 422, "{answer:?}");
    let error = error_of(&answer);
    assert_eq!(error["code"], "ITEM_LOCKED_BY_OTHER");
    assert_eq!(error["message"], "Ann has item 7.");
    assert_eq!(error["http_code"], 422);
    assert_eq!(error["request_id"].as_str(), answer.header("X-Request-Id"));
    assert_eq!(error["details"][0]["name"], "id");
    assert!(!answer.text().contains("db-7"), "{}", answer.text());
    assert!(error["check"].as_str().unwrap().starts_with("https://api.example.com/_docs/errors/"), "{error}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    gateway.limits(&key).assert_charged_since(&before, 0, "a specification of the upstream");
    // The page that its `check` links to exists.
    let page = error["check"].as_str().unwrap().trim_start_matches("https://api.example.com");
    assert_eq!(gateway.send(&get(page)).status, 200, "{page}");
}

#[test]
fn nothing_of_a_5xx_passes_even_if_its_body_already_is_a_specification() {
    let (_upstream, gateway) = gateway_of(
        "application/json",
        b"{\"success\":false,\"error\":{\"code\":\"REPORT_FAILED\",\"message\":\"No report on db-7.\",\
          \"details\":[{\"in\":\"body\",\"name\":\"report\",\"message\":\"failed\"}],\"check\":\"http://db-7.internal\"}}",
    );
    let key = gateway.key();
    let before = gateway.limits(&key);
    for status in [500, 501, 502, 504, 599] {
        let answer = gateway.send(&get(&format!("/{status}")).key(&key));
        assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
        let error = error_of(&answer);
        assert_eq!((&error["contact"], &error["details"]), (&"help@example.com".into(), &Value::Null));
        assert!(!answer.text().to_ascii_lowercase().contains("report"), "{status}: {}", answer.text());
        let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
        let detail = incident["detail"].as_str().unwrap();
        assert!(detail.contains(&status.to_string()) && detail.contains("No report on db-7."), "{detail}");
    }
    // The message of a 503 is passed on: the upstream may be in maintenance.
    let answer = gateway.send(&get("/503").key(&key));
    assert_eq!((answer.status, &error_of(&answer)["code"]), (503, &"REPORT_FAILED".into()));
    gateway.limits(&key).assert_charged_since(&before, 0, "specifications of 5xx");
}

#[test]
fn an_error_of_any_size_is_replaced_without_holding_it() {
    let upstream = Upstream::scripted(|exchange| {
        let body = format!("{{\"message\":\"{}\"}}", "long ".repeat(400_000));
        exchange.json(404, &body)
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    let answer = connection.send(&get("/a").key(&key));
    assert_error(&gateway, &answer, 404, "RESOURCE_NOT_FOUND");
    assert!(answer.body.len() < 5_000, "{} bytes", answer.body.len());
    assert_eq!(connection.send(&get("/a").key(&key)).status, 404);
}

#[test]
fn an_error_that_is_chunked_or_ends_with_the_connection_keeps_its_message_too() {
    for bytes in [
        &b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"messag\r\nf\r\ne\":\"No item 7.\"\r\n1\r\n}\r\n0\r\n\r\n"[..],
        b"HTTP/1.1 404 No\r\nConnection: close\r\n\r\n{\"message\":\"No item 7.\"}",
    ] {
        let upstream = Upstream::sending_and_closing(bytes);
        let gateway = Gateway::start(&Config::of(&upstream));
        let answer = gateway.send(&get("/a").key(&gateway.key()));
        assert_error(&gateway, &answer, 404, "RESOURCE_NOT_FOUND");
        assert!(answer.text().contains("No item 7."), "{}", answer.text());
    }
}

#[test]
fn the_links_of_a_replaced_error_lead_to_the_public_address() {
    let upstream = Upstream::scripted(|exchange| {
        let own = format!("http://{}", exchange.wire.stream.local_addr().unwrap());
        let link = format!(
            "<{own}/docs/errors>; rel=\"help\"; title=\"a <b> c\", </terms>; rel=terms, <https://example.org/a>; rel=next"
        );
        exchange.answer(422, &[("Link", &link), ("Content-Type", "text/html")], b"<html></html>")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/a").key(&gateway.key()));
    let link = answer.header("Link").unwrap().to_owned();
    assert!(!link.contains(&upstream.address.to_string()), "{link}");
    assert!(
        link.contains("</docs/errors>; rel=\"help\"")
            || link.contains("<https://api.example.com/docs/errors>"),
        "{link}"
    );
    assert!(link.ends_with("<https://example.org/a>; rel=next"), "{link}");
}

/// A file of `tests/messages`.
fn messages(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/messages").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The error bodies of frameworks, an upstream that answers each at its place, and a gateway before it.
fn corpus() -> (Vec<Value>, Upstream, Gateway) {
    let files = ["python.json", "node.json", "documented.json"];
    let cases: Vec<Value> =
        files.iter().flat_map(|name| messages(name).as_array().unwrap().clone()).collect();
    let all = cases.clone();
    let upstream = Upstream::scripted(move |exchange| {
        let target = exchange.target().trim_start_matches('/').to_owned();
        let (row, status) = target.split_once('/').unwrap_or((&target, ""));
        let case = &all[row.parse::<usize>().unwrap()];
        let status =
            status.parse().unwrap_or_else(|_| u16::try_from(case["status"].as_u64().unwrap()).unwrap());
        exchange.read_body();
        let fields = [("Content-Type", case["content_type"].as_str().unwrap())];
        exchange.answer(status, &fields, case["body"].as_str().unwrap().as_bytes())
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    (cases, upstream, gateway)
}

#[test]
fn every_framework_keeps_its_message_and_its_fields_become_details() {
    let (cases, _upstream, gateway) = corpus();
    let (key, expected) = (gateway.key(), messages("expected.json"));
    let mut connection = gateway.connect();
    for (row, case) in cases.iter().enumerate() {
        let (name, expected) = (case["name"].as_str().unwrap(), &expected[case["name"].as_str().unwrap()]);
        let answer = connection.send(&post(&format!("/{row}"), "{}").key(&key));
        let (status, code) = match case["status"].as_u64().unwrap() {
            400 => (400, "REQUEST_MALFORMED"),
            401 => (401, "PERMISSION_DENIED"),
            404 => (404, "RESOURCE_NOT_FOUND"),
            422 => (422, "UNPROCESSABLE"),
            other => panic!("{name} answers {other}"),
        };
        assert_error(&gateway, &answer, status, code);
        let error = error_of(&answer);
        match expected["message"].as_str() {
            Some(message) => assert_eq!(error["message"], message, "{name}"),
            None => assert!(
                !answer.text().contains("<h1>") && !answer.text().contains("<pre>"),
                "{name}: {error}"
            ),
        }
        assert_eq!(error.get("details"), expected.get("details"), "{name}");
    }
    assert!(cases.len() >= 36);
}

#[test]
fn nothing_that_a_framework_writes_in_a_500_reaches_the_client() {
    let (cases, _upstream, gateway) = corpus();
    let key = gateway.key();
    let mut connection = gateway.connect();
    let plain = connection.send(&get("/0/500").key(&key)).json()["error"]["message"].clone();
    for (row, case) in cases.iter().enumerate() {
        for status in [500, 502, 504] {
            let answer = connection.send(&get(&format!("/{row}/{status}")).key(&key));
            assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
            let error = error_of(&answer);
            assert_eq!((&error["message"], error.get("details")), (&plain, None), "{}", case["name"]);
        }
    }
}

#[test]
fn the_400_of_an_upstream_without_a_message_does_not_blame_the_bytes_of_the_request() {
    let (_upstream, gateway) = gateway_of("text/html", b"<h1>No</h1>");
    let key = gateway.key();
    for status in [400, 402, 418, 409, 422] {
        let answer = gateway.send(&get(&format!("/{status}")).key(&key));
        let message = error_of(&answer)["message"].as_str().unwrap().to_owned();
        assert!(message.contains("The API") && !message.contains("valid HTTP"), "{status}: {message}");
        assert!(!message.contains("The message says"), "{status}: {message}");
    }
}

#[test]
fn of_a_request_without_a_body_it_is_the_query_that_is_wrong() {
    let (_upstream, gateway) = gateway_of("application/json", br#"{"errors":{"limit":["is too large"]}}"#);
    let key = gateway.key();
    let detail = |answer: &crate::support::Answer| error_of(answer)["details"][0].clone();
    let answer = gateway.send(&get("/400").key(&key));
    assert_eq!(
        detail(&answer),
        serde_json::json!({"in": "query", "name": "limit", "message": "is too large"})
    );
    let answer = gateway.send(&post("/400", "{}").key(&key));
    assert_eq!(detail(&answer)["in"], "body");
}

#[test]
fn an_error_in_xml_is_kept_where_its_protocol_needs_it_and_costs_nothing() {
    const XML: &str = "<?xml version=\"1.0\"?><error xmlns=\"DAV:\"><valid-sync-token/></error>";
    let upstream = Upstream::scripted(|exchange| {
        let (media_type, body) = match exchange.target().rsplit_once('/').unwrap().1 {
            "html" => ("text/html", "<h1>No</h1>"),
            "xhtml" => ("application/xhtml+xml", "<h1>No</h1>"),
            "json" => ("application/json", "{\"detail\":\"No item 7.\"}"),
            _ => ("application/xml; charset=utf-8", XML),
        };
        let status = exchange.target().split('/').nth(1).unwrap().parse().unwrap();
        exchange.answer(status, &[("Content-Type", media_type)], body.as_bytes())
    });
    let config = Config::of(&upstream).top("extra_codes = [409]");
    let gateway = Gateway::start(&config.clone().upstream("error_bodies = \"keep_xml\""));
    let key = gateway.key();
    let before = gateway.limits(&key);
    for (status, sent) in [(403, 403), (409, 409), (412, 422), (404, 404), (400, 400)] {
        let answer = gateway.send(&get(&format!("/{status}/xml")).key(&key));
        assert_eq!((answer.status, answer.text().as_str()), (sent, XML));
        assert_eq!(answer.header("Content-Type"), Some("application/xml; charset=utf-8"));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert!(answer.headers.has("X-Request-Id") && answer.headers.has("X-Rate-Limit-Remaining"));
    }
    gateway.limits(&key).assert_charged_since(&before, 0, "errors in XML");
    // Everything else is unchanged.
    for form in ["html", "xhtml", "json"] {
        let answer = gateway.send(&get(&format!("/403/{form}")).key(&key));
        assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
    }
    assert_error(&gateway, &gateway.send(&get("/500/xml").key(&key)), 500, "UNEXPECTED_ERROR");
    let gateway = Gateway::start(&config);
    let answer = gateway.send(&get("/403/xml").key(&gateway.key()));
    assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
}

#[test]
fn a_message_that_names_something_of_the_upstreams_own_is_replaced() {
    const MESSAGES: [&str; 14] = [
        "192.168.1.4 refused",
        "fe80::1 refused",
        "redis:6379 timed out",
        "web-01:8080 unreachable",
        "mongodb://u:p@mongo/db failed",
        "jdbc:postgresql://db/x",
        "file:///etc/passwd",
        "open ~/.ssh/id_rsa: permission denied",
        "unix:/run/app.sock: connection refused",
        "EACCES /root",
        "SELECT * FROM users WHERE id = 7",
        "System.NullReferenceException: Object reference not set",
        "ORA-00942: table or view does not exist",
        "relation \"users\" does not exist",
    ];
    const KEPT: &str = "The path /items/7 is gone, see https://example.com/docs";
    let upstream = Upstream::scripted(|exchange| {
        let (way, row) = exchange.target().trim_start_matches('/').split_once('/').unwrap();
        let message = row.parse().map_or(KEPT, |row: usize| MESSAGES[row]);
        let json = serde_json::json!({ "message": message }).to_string();
        match way {
            "text" => exchange.answer(400, &[("Content-Type", "text/plain")], message.as_bytes()),
            "503" => exchange.json(503, &json),
            _ => exchange.json(400, &json),
        }
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for (way, status, code) in
        [("json", 400, "REQUEST_MALFORMED"), ("text", 400, "REQUEST_MALFORMED"), ("503", 503, "UNAVAILABLE")]
    {
        for (row, message) in MESSAGES.iter().enumerate() {
            let answer = gateway.send(&get(&format!("/{way}/{row}")).key(&key));
            assert_error(&gateway, &answer, status, code);
            assert_ne!(error_of(&answer)["message"].as_str(), Some(*message), "{way}");
        }
        let answer = gateway.send(&get(&format!("/{way}/kept")).key(&key));
        assert_eq!(error_of(&answer)["message"], KEPT, "{way}");
    }
}

#[test]
fn details_of_a_specification_have_the_members_of_ours_and_nothing_of_the_upstreams_own() {
    let (_upstream, gateway) = gateway_of(
        "application/json",
        b"{\"success\":false,\"error\":{\"code\":\"OUT_OF_STOCK\",\"message\":\"Sold.\",\"details\":[\
          {\"in\":\"body\",\"name\":\"x\",\"message\":\"open /etc/passwd\",\"host\":\"10.0.0.5\"},5,\
          {\"in\":\"body\",\"name\":\"n\",\"pointer\":\"/n\",\"message\":\"is 0\",\"host\":\"10.0.0.5\"}]}}",
    );
    let answer = gateway.send(&get("/422").key(&gateway.key()));
    let error = error_of(&answer);
    assert_eq!((answer.status, &error["code"]), (422, &"OUT_OF_STOCK".into()));
    let details = serde_json::json!([{"in": "body", "name": "n", "pointer": "/n", "message": "is 0"}]);
    assert_eq!(error["details"], details);
}

#[test]
fn a_registered_code_of_another_status_is_replaced_by_that_of_the_status() {
    let upstream = Upstream::scripted(|exchange| {
        let (status, code) = exchange.target().trim_start_matches('/').split_once('/').unwrap();
        let body = format!(
            "{{\"success\":false,\"error\":{{\"code\":\"{code}\",\"message\":\"This is the message of the API.\"}}}}"
        );
        exchange.json(status.parse().unwrap(), &body)
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for (status, named, code) in [
        (422, "KEY_REVOKED", "UNPROCESSABLE"),
        (400, "API_LIMIT_EXCEEDED", "REQUEST_MALFORMED"),
        (400, "UNEXPECTED_ERROR", "REQUEST_MALFORMED"),
        (422, "BODY_NOT_VALID", "BODY_NOT_VALID"),
        (503, "MAINTENANCE", "MAINTENANCE"),
    ] {
        let answer = gateway.send(&get(&format!("/{status}/{named}")).key(&key));
        // Among other things: `check` is the page of the code.
        assert_error(&gateway, &answer, status, code);
        assert_eq!(error_of(&answer)["message"], "This is the message of the API.");
    }
    let answer = gateway.send(&get("/422/OUT_OF_STOCK").key(&key));
    assert_eq!((answer.status, &error_of(&answer)["code"]), (422, &"OUT_OF_STOCK".into()));
}

#[test]
fn a_sentence_in_several_languages_is_one_message() {
    let (_upstream, gateway) =
        gateway_of("application/json", b"{\"message\":{\"de\":\"Ausverkauft\",\"en\":\"Out of stock\"}}");
    let answer = gateway.send(&get("/400").key(&gateway.key()));
    let error = error_of(&answer);
    assert_eq!((&error["message"], &error["details"]), (&"Out of stock".into(), &Value::Null));
}
