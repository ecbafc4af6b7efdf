//! Forms with files: which parts are files, and what the others must be.

use crate::support::{Config, Gateway, Request, Upstream, assert_error, request};

const UPLOADS: &str = r#"openapi: 3.0.3
info: { title: Uploads, version: '1' }
paths:
  /uploads:
    post:
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              properties:
                age: { type: integer, minimum: 18 }
                color: { type: string, enum: [red, green] }
                code: { type: string, pattern: '^[0-9]{4}$' }
                link: { type: string, format: uri }
                own: { type: string, format: uri, pattern: '^https://own[.]example/' }
                photo: { type: string, format: binary }
                photos: { type: array, maxItems: 2, items: { type: string, format: binary } }
                links: { type: array, maxItems: 2, items: { type: string, format: uri } }
                tags: { type: array, items: { type: integer } }
                typed: { type: string }
            encoding: { typed: { contentType: 'application/vnd.x+text; type=basic, text/x; a="b,c;d"' } }
      responses: { '200': { description: Fine } }
"#;

/// A form of parts: the parameters after `form-data; `, and the content.
fn upload(parts: &[(&str, &[u8])]) -> Request {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    request("POST", "/uploads").body("multipart/form-data; boundary=b", &body)
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\xff";

#[test]
fn a_filename_takes_no_part_out_of_its_schema() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).document(UPLOADS));
    let key = gateway.key();
    for (name, content) in [
        ("age", &b"abc"[..]),
        ("age", b"17"),
        ("color", b"blue"),
        ("code", b"x"),
        ("own", b"https://other.example/"),
        ("own", PNG),
        ("tags", b"x"),
    ] {
        for more in ["", "; filename=x", "; filename=x\r\nContent-Type: image/png", "; filename*=UTF-8''x"] {
            let answer = gateway.send(&upload(&[(&format!("name={name}{more}"), content)]).key(&key));
            if content == PNG && more.is_empty() {
                assert_error(&gateway, &answer, 400, "BODY_MALFORMED");
                continue;
            }
            assert_error(&gateway, &answer, 422, "BODY_NOT_VALID");
            assert!(answer.text().contains(&format!("/{name}")), "{}", answer.text());
        }
    }
    assert_eq!(upstream.count(), 0);
    for (name, content) in
        [("age", &b"18"[..]), ("color", b"red"), ("own", b"https://own.example/a"), ("tags", b"1")]
    {
        let answer = gateway.send(&upload(&[(&format!("name={name}; filename=x"), content)]).key(&key));
        assert_eq!(upstream.last().target, "/uploads", "{name}: {}", answer.text());
    }
    assert_eq!(upstream.count(), 4);
}

#[test]
fn files_stand_for_bytes_and_links_and_are_counted() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).document(UPLOADS));
    let key = gateway.key();
    for content in [PNG, b"text", b"{\"a\"", b""] {
        for name in ["photo", "photos", "link", "links"] {
            let head = format!("name={name}; filename=x\r\nContent-Type: application/json");
            let seen = upstream.count();
            let answer = gateway.send(&upload(&[(&head, content)]).key(&key));
            assert_eq!(upstream.count(), seen + 1, "{name} {content:?}: {}", answer.text());
        }
    }
    let seen = upstream.count();
    for name in ["photos", "links"] {
        for content in [PNG, b"text"] {
            let part = (format!("name={name}; filename=x"), content);
            let parts = vec![(part.0.as_str(), part.1); 3];
            let answer = gateway.send(&upload(&parts).key(&key));
            assert_error(&gateway, &answer, 422, "BODY_NOT_VALID");
            assert!(answer.text().contains("at most 2"), "{}", answer.text());
        }
    }
    // One file where one is expected, and files where texts are expected.
    for parts in [
        &[("name=photo; filename=x", PNG), ("name=photo; filename=y", PNG)][..],
        &[("name=link; filename=x", b"text"), ("name=link; filename=y", b"text")],
        &[("name=links; filename=x", PNG), ("name=links", b"no link")],
        &[("name=link", b"no link")],
    ] {
        let answer = gateway.send(&upload(parts).key(&key));
        assert_error(&gateway, &answer, 422, "BODY_NOT_VALID");
    }
    assert_eq!(upstream.count(), seen);
}

#[test]
fn a_part_has_a_type_of_its_encoding_with_its_parameters() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).document(UPLOADS));
    let key = gateway.key();
    for (content_type, is_fine) in [
        ("application/vnd.x+text; type=basic", true),
        ("Application/VND.x+Text;Type=\"basic\"; charset=utf-8", true),
        ("text/x; a=\"b,c;d\"", true),
        ("application/vnd.x+text; type=full", false),
        ("application/vnd.x+text", false),
        ("text/x; a=b", false),
        ("c;d", false),
    ] {
        let seen = upstream.count();
        let head = format!("name=typed\r\nContent-Type: {content_type}");
        let answer = gateway.send(&upload(&[(&head, b"a")]).key(&key));
        assert_eq!(upstream.count() - seen, usize::from(is_fine), "{content_type}: {}", answer.text());
        if !is_fine {
            assert_error(&gateway, &answer, 422, "BODY_NOT_VALID");
        }
    }
}
