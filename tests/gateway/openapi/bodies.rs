//! Bodies by media type and schema: 400 for what is malformed, 422 for what is not valid.

use crate::{
    shop::Shop,
    support::{
        Answer, Config, Gateway, Request, Upstream, assert_error, error_of, gateway::Home, get, post, request,
    },
};

fn send(shop: &Shop, request: Request) -> Answer {
    shop.gateway.send(&request.header("Shop-Key", &shop.key.key))
}

#[test]
fn a_valid_body_reaches_the_upstream_byte_for_byte() {
    let shop = Shop::open();
    let body = r#" { "name" : "Cup", "price": 4.50, "parent": {"name":"Set","price":1}, "paid": {"kind":"card","number":"12345678"} } "#;
    let answer = send(&shop, post("/v1/things", body));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(shop.upstream.last().body, body.as_bytes());
}

/// The body was read before the upstream gets the request, so there is nothing to wait for.
#[test]
fn the_upstream_is_not_asked_for_100_continue_once_the_body_was_checked() {
    let shop = Shop::open();
    let body = r#"{"name":"Cup","price":4.5}"#;
    let answer = send(&shop, post("/v1/things", body).header("Expect", "100-continue"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = shop.upstream.last();
    assert!(seen.body == body.as_bytes() && !seen.headers.has("Expect"), "{seen:?}");
}

#[test]
fn schemas_that_refer_to_each_other_by_identity_are_checked() {
    let upstream = Upstream::sample();
    let document = "openapi: 3.1.0
info: { title: Identities, version: '1' }
paths:
  /things:
    post:
      requestBody: { content: { application/json: { schema: { $ref: 'https://e.org/schemas/b' } } } }
      responses: { '200': { description: Fine } }
components:
  schemas:
    B: { $id: 'https://e.org/schemas/b', properties: { a: { $ref: a }, own: { $ref: '#size' } }, $defs: { s: { $anchor: size, type: number } } }
    A: { $id: 'https://e.org/schemas/a', type: integer }
";
    let gateway = Gateway::start(&Config::of(&upstream).document(document));
    let key = gateway.key();
    assert_eq!(gateway.send(&post("/things", r#"{"a":1,"own":1.5}"#).key(&key)).status, 200);
    let answer = gateway.send(&post("/things", r#"{"a":1.5,"own":"x"}"#).key(&key));
    assert_error(&gateway, &answer, 422, "BODY_NOT_VALID");
    for part in ["/a", "Must be an integer", "/own"] {
        assert!(answer.text().contains(part), "{}", answer.text());
    }
}

#[test]
fn what_is_not_json_is_400_and_what_does_not_fit_is_422() {
    let shop = Shop::open();
    for body in ["{", "", "{\"name\":\"a\",\"name\":\"b\",\"price\":1}", "nul"] {
        let answer = send(&shop, post("/v1/things", body));
        assert_error(&shop.gateway, &answer, 400, "BODY_MALFORMED");
    }
    let answer = send(&shop, post("/v1/things", "[]"));
    assert_error(&shop.gateway, &answer, 422, "BODY_NOT_VALID");
    assert_eq!(shop.upstream.count(), 0);
}

#[test]
fn every_violation_has_its_pointer_and_a_sentence() {
    let shop = Shop::open();
    let body = r#"{"nam":"Cup","price":0,"color":"gren","tags":["a","a"],"parent":{"name":"","price":1},"paid":{"kind":"card","number":"x"}}"#;
    let answer = send(&shop, post("/v1/things", body));
    assert_error(&shop.gateway, &answer, 422, "BODY_NOT_VALID");
    let error = error_of(&answer);
    let found: Vec<(String, String)> = error["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| {
            let text = |name: &str| detail[name].as_str().unwrap().to_owned();
            (text("pointer"), text("message"))
        })
        .collect();
    for (pointer, part) in [
        ("/nam", "name"),
        ("/price", "0"),
        ("/color", "green"),
        ("/tags", "\"a\""),
        ("/parent/name", "at least 1"),
        ("/paid/number", "pattern"),
    ] {
        assert!(
            found.iter().any(|(at, message)| at == pointer && message.contains(part)),
            "{pointer} with {part:?} is not in {found:#?}"
        );
    }
}

#[test]
fn a_read_only_member_is_never_required_and_refused_only_where_that_is_set() {
    let body = r#"{"id":1,"name":"Cup","price":1}"#;
    let shop = Shop::open();
    assert_eq!(send(&shop, post("/v1/things", body)).status, 200);
    let shop = Shop::with(|config| config.section("[validation]\nread_only = \"reject\""));
    let answer = send(&shop, post("/v1/things", body));
    assert_error(&shop.gateway, &answer, 422, "BODY_NOT_VALID");
    assert!(answer.text().contains("/id"), "{}", answer.text());
}

#[test]
fn a_media_type_that_is_not_taken_is_named_with_those_that_are() {
    let shop = Shop::open();
    let answer = send(&shop, request("POST", "/v1/things").body("text/plain", b"{}"));
    assert_error(&shop.gateway, &answer, 400, "MEDIA_TYPE_NOT_SUPPORTED");
    assert!(answer.text().contains("application/json"), "{}", answer.text());
}

#[test]
fn a_compressed_body_is_refused_where_it_would_be_checked() {
    let shop = Shop::open();
    let body = r#"{"name":"Cup","price":1}"#;
    let refused = send(&shop, post("/v1/things", body).header("Content-Encoding", "gzip"));
    assert_error(&shop.gateway, &refused, 400, "MEDIA_TYPE_NOT_SUPPORTED");
    assert_eq!(send(&shop, post("/v1/things", body).header("Content-Encoding", "identity")).status, 200);
    let file = request("PUT", "/v1/files/a.txt").body("application/octet-stream", b"\x1f\x8b");
    assert_eq!(
        send(&shop, file.header("Content-Encoding", "gzip")).status,
        200,
        "nothing is validated there"
    );
}

#[test]
fn forms_are_checked_in_both_their_encodings() {
    let shop = Shop::open();
    let form =
        |body: &str| request("POST", "/v1/forms").body("application/x-www-form-urlencoded", body.as_bytes());
    assert_eq!(send(&shop, form("name=A+B&age=18")).status, 200);
    for (body, part) in [("name=A&age=17", "/age"), ("name=A", "/age"), ("name=A&age=old", "/age")] {
        let answer = send(&shop, form(body));
        assert_error(&shop.gateway, &answer, 422, "BODY_NOT_VALID");
        assert!(answer.text().contains(part), "{}", answer.text());
    }
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = |age: &str| {
        let body = format!("{}{}--b--\r\n", part("name", "A"), part("age", age));
        request("POST", "/v1/forms").body("multipart/form-data; boundary=b", body.as_bytes())
    };
    assert_eq!(send(&shop, multipart("18")).status, 200);
    assert_error(&shop.gateway, &send(&shop, multipart("17")), 422, "BODY_NOT_VALID");
    let broken = request("POST", "/v1/forms").body("multipart/form-data; boundary=b", b"--b\r\nno end");
    assert_error(&shop.gateway, &send(&shop, broken), 400, "BODY_MALFORMED");
}

#[test]
fn text_is_checked_and_what_has_no_schema_streams_through() {
    let shop = Shop::open();
    let put = |media_type: &str, body: &[u8]| request("PUT", "/v1/files/a.txt").body(media_type, body);
    assert_eq!(send(&shop, put("text/plain", b"ab")).status, 200);
    assert_error(&shop.gateway, &send(&shop, put("text/plain", b"a")), 422, "BODY_NOT_VALID");
    let large = vec![0xff; 300_000];
    assert_eq!(send(&shop, put("application/octet-stream", &large)).status, 200);
    assert_eq!(shop.upstream.last().body, large);
}

#[test]
fn the_schema_is_that_of_the_media_type_with_its_parameters() {
    let upstream = Upstream::sample();
    let document = r#"openapi: 3.1.0
info: { title: Types, version: '1' }
paths:
  /items:
    post:
      requestBody:
        content:
          application/vnd.x+json; type=basic: { schema: { type: object, required: [a] } }
          application/vnd.x+json;Type="full": { schema: { type: object, required: [b] } }
          'application/x+json; profile="a;b"': { schema: { type: object, required: [c] } }
          'application/x+json; profile="a\"b,c"': { schema: { type: object, required: [d] } }
          application/json; version=1: { schema: { type: object, required: [e] } }
      responses: { '200': { description: Fine } }
"#;
    let home = Home::new(&Config::of(&upstream).document(document));
    let output = home.run(&["config", "check"]);
    assert!(output.code == Some(0) && !output.err.contains("media type"), "{output:?}");
    let gateway = Gateway::start_in(&home);
    let key = gateway.key();
    let types = [
        ("application/vnd.x+json; type=basic", "a"),
        ("Application/VND.X+json;charset=utf-8;type=\"basic\"", "a"),
        ("application/vnd.x+json; type=full", "b"),
        ("application/x+json; profile=\"a;b\"", "c"),
        ("application/x+json;PROFILE=\"a;b\"; q=1", "c"),
        ("application/x+json; profile=\"a\\\"b,c\"", "d"),
        ("application/json; version=1", "e"),
    ];
    for (content_type, member) in types {
        let post = |body: String| {
            gateway.send(&request("POST", "/items").body(content_type, body.as_bytes()).key(&key))
        };
        let seen = upstream.count();
        let fine = post(format!("{{\"{member}\":1}}"));
        assert_eq!(upstream.count(), seen + 1, "{content_type}: {}", fine.text());
        assert_error(&gateway, &post("{\"z\":1}".to_owned()), 422, "BODY_NOT_VALID");
    }
    for other in [
        "application/vnd.x+json",
        "application/vnd.x+json; type=FULL",
        "application/x+json; profile=\"a\"",
        "application/x+json; profile=a;b",
        "application/json",
        "application/json; version=2",
    ] {
        let answer = gateway.send(&request("POST", "/items").body(other, b"{}").key(&key));
        assert_error(&gateway, &answer, 400, "MEDIA_TYPE_NOT_SUPPORTED");
    }
}

#[test]
fn a_byte_order_mark_is_named_wherever_it_matters() {
    let shop = Shop::open();
    let with_mark = |text: &str| format!("\u{feff}{text}").into_bytes();
    let urlencoded = "application/x-www-form-urlencoded";
    for (path, method, media_type, body) in [
        ("/v1/things", "POST", "application/json", with_mark(r#"{"name":"Cup","price":1}"#)),
        ("/v1/forms", "POST", urlencoded, with_mark("name=A&age=18")),
        ("/v1/forms", "POST", urlencoded, b"\xff\xfen\0".to_vec()),
        (
            "/v1/forms",
            "POST",
            "multipart/form-data; boundary=b",
            with_mark(
                "--b\r\nContent-Disposition: form-data; name=age\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name=name\r\n\r\nA\r\n--b--\r\n",
            ),
        ),
        ("/v1/files/a.txt", "PUT", "text/plain", b"\xff\xfea\0b\0".to_vec()),
    ] {
        let answer = send(&shop, request(method, path).body(media_type, &body));
        assert_error(&shop.gateway, &answer, 400, "BODY_MALFORMED");
        assert!(answer.text().contains("byte order mark"), "{media_type}: {}", answer.text());
    }
    // Text may have one. It is a character of the text, which a server may strip or not.
    let put = |body: &[u8]| request("PUT", "/v1/files/a.txt").body("text/plain", body);
    assert_eq!(send(&shop, put(&with_mark("ab"))).status, 200);
    assert_eq!(shop.upstream.last().body, with_mark("ab"));
    let short = send(&shop, put(&with_mark("")));
    assert_error(&shop.gateway, &short, 422, "BODY_NOT_VALID");
    assert!(
        short.text().contains("byte order mark (U+FEFF), which counts as a character"),
        "{}",
        short.text()
    );
    let mark_is_data = request("POST", "/v1/forms").body(urlencoded, b"name=%EF%BB%BFA&age=18");
    assert_eq!(send(&shop, mark_is_data).status, 200);
}

#[test]
fn looking_for_names_that_were_meant_holds_nobody_up() {
    let properties: String = (0..2_000).map(|n| format!("\"property_{n:04}_name\":{{}},")).collect();
    let schema = format!(
        "{{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{{{}}}}}",
        properties.trim_end_matches(',')
    );
    let document = format!(
        "{{\"openapi\":\"3.1.0\",\"info\":{{\"title\":\"A\",\"version\":\"1\"}},\"paths\":{{\"/a\":{{\"post\":{{\
         \"requestBody\":{{\"content\":{{\"application/json\":{{\"schema\":{schema}}}}}}},\
         \"responses\":{{\"200\":{{\"description\":\"Fine\"}}}}}}}}}}}}"
    );
    let upstream = crate::support::Upstream::sample();
    let config = crate::support::Config::of(&upstream).document(&document);
    let gateway = crate::support::Gateway::start(&config.listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    let unknown: String = (0..100).map(|n| format!("\"propertx_{n:06}_name\":1,")).collect();
    let body = format!("{{{}}}", unknown.trim_end_matches(','));
    let (mut longest, begun) = (std::time::Duration::ZERO, std::time::Instant::now());
    let whole = std::thread::scope(|scope| {
        let slow = scope.spawn(|| {
            let answer = gateway.send(&post("/a", &body).key(&key));
            (answer, begun.elapsed())
        });
        while !slow.is_finished() {
            let begun = std::time::Instant::now();
            assert_eq!(gateway.send(&get("/_limits").key(&key)).status, 200);
            longest = longest.max(begun.elapsed());
        }
        slow.join().unwrap()
    });
    assert_error(&gateway, &whole.0, 422, "BODY_NOT_VALID");
    // How long the names take is that of the build; others waited for a small part of it.
    assert!(longest < whole.1 / 2, "waited {longest:?} of {:?}", whole.1);
}

#[test]
fn no_content_type_within_a_range_switches_off_validation() {
    let upstream = Upstream::sample();
    let schema = "{ type: object, required: [z], properties: { z: { type: integer } } }";
    let path = |path: &str, range: &str| {
        format!(
            "  {path}: {{ post: {{ requestBody: {{ content: {{ '{range}': {{ schema: {schema} }} }} }}, responses: {{ '200': {{ description: x }} }} }} }}\n"
        )
    };
    let document = format!(
        "openapi: 3.1.0\ninfo: {{ title: Ranges, version: '1' }}\npaths:\n{}{}{}",
        path("/any", "*/*"),
        path("/application", "application/*"),
        path("/text", "text/*")
    );
    let gateway = Gateway::start(&Config::of(&upstream).document(&document));
    let key = gateway.key();
    for (path, media_type) in [
        ("/any", "text/plain"),
        ("/any", "application/foo"),
        ("/any", "application/octet-stream"),
        ("/application", "application/foo"),
        ("/text", "text/plain"),
    ] {
        let answer = gateway.send(&request("POST", path).body(media_type, br#"{"z":"x"}"#).key(&key));
        assert_error(&gateway, &answer, 400, "MEDIA_TYPE_NOT_SUPPORTED");
        assert!(answer.text().contains(media_type), "{}", answer.text());
    }
    assert_error(&gateway, &gateway.send(&post("/any", r#"{"z":"x"}"#).key(&key)), 422, "BODY_NOT_VALID");
    assert_eq!(upstream.count(), 0);
    assert_eq!(gateway.send(&post("/any", r#"{"z":1}"#).key(&key)).status, 200);
}
