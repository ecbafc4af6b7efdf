//! Forms of parts: what each part is, which of them are files, and what frames them.

use super::{
    bodies::{form, not_valid, sentence},
    *,
};

pub(super) fn parts(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(b"--XX\r\nContent-Disposition: form-data; ");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    body
}

#[test]
fn a_file_is_not_checked_against_the_link_that_represents_it_in_responses() {
    let schema = json!({"schema": {"type": "object", "required": ["photo"], "properties": {
        "photo": {"type": "string", "format": "uri"}, "links": {"type": "array", "items": {"type": "string", "format": "uri"}}
    }}});
    let (rules, warnings) = body_rules(schema, Version::V30, "multipart/form-data");
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(
        matches!(messages.as_slice(), [links, photo] if links.contains("\"links\" is described as a link") && photo.contains("\"photo\" is described as a link")),
        "{messages:?}"
    );
    let check = |body: &[u8]| rules.check_body(Some(b"multipart/form-data; boundary=XX"), body);
    let file = "name=photo; filename=\"a.txt\"";
    assert_eq!(check(&parts(&[(file, b"some text"), ("name=links; filename=b", b"text")])), Ok(()));
    assert_eq!(not_valid(check(&parts(&[("name=photo", b"some text")]))).len(), 1);
    assert_eq!(
        not_valid(check(&parts(&[(file, b"x"), ("name=links; filename=b", b"x"), ("name=links", b"y z")])))
            .len(),
        1
    );
    assert_eq!(
        not_valid(check(&parts(&[("name=links", b"https://a.example/")]))),
        ["photo /photo: Required but missing."]
    );
}

#[test]
fn what_is_asked_of_the_bytes_of_a_part_is_a_warning() {
    let binary = json!({"type": "string", "format": "binary", "maxLength": 3});
    let schema = json!({
        "schema": {"$ref": "#/Upload"}, "Upload": {"allOf": [{"$ref": "#/Base"}], "properties": {
            "photo": binary, "photos": {"type": "array", "items": {"$ref": "#/Photo"}},
            "text": {"type": "string", "contentEncoding": "base64", "maxLength": 4},
            "link": {"type": "string", "format": "uri"}
        }},
        "Base": {"properties": {"cover": {"contentMediaType": "image/png", "pattern": "^x"}}},
        "Photo": binary
    });
    let (rules, warnings) = body_rules(schema, Version::V31, "multipart/form-data");
    let about: Vec<String> = warnings
        .iter()
        .filter(|warning| warning.message.contains("part "))
        .map(|warning| format!("{}: {}", warning.spot.pointer, warning.message))
        .collect();
    assert_eq!(
        about,
        [
            "/Base/properties/cover: `pattern` is not enforced for the part \"cover\": its content is not read.",
            "/Photo: `maxLength` is not enforced for the part \"photos\": its content is not read.",
            "/Upload/properties/link: The part \"link\" is described as a link. A part with a filename is a file and is not validated as one.",
            "/Upload/properties/photo: `maxLength` is not enforced for the part \"photo\": its content is not read.",
        ]
    );
    let check = |head: &str, content: &[u8]| {
        rules.check_body(Some(b"multipart/form-data; boundary=XX"), &parts(&[(head, content)]))
    };
    for content in [&b"\x89PNG\r\n"[..], b"text of a file"] {
        for name in ["photo", "photos", "cover"] {
            assert_eq!(check(&format!("name={name}; filename=a.png"), content), Ok(()), "{name}");
        }
    }
    assert_eq!(check("name=photo", b"\x89PNG\r\n"), Ok(()));
    assert_eq!(not_valid(check("name=text", b"AAAAA")).len(), 1);
}

#[test]
fn parts_are_typed_by_their_schema() {
    let (rules, _) = body_rules(form(), Version::V30, "multipart/form-data");
    let check = |body: &[u8]| rules.check_body(Some(b"multipart/form-data; boundary=\"XX\""), body);
    let fine = parts(&[
        ("name=\"name\"", b"J\xc3\xb6rg"),
        ("name=age", b"7"),
        ("name=\"tags\"", b"1"),
        ("name=\"tags\"", b"2"),
        ("name=\"address\"\r\nContent-Type: application/json", br#"{"zip":5}"#),
        ("name=\"photo\"; filename=\"a.png\"\r\nContent-Type: image/png", b"\x89PNG\r\n--X\xff"),
        ("name=photos; filename=a", b"\xff"),
        ("name=photos; filename=b", b""),
    ]);
    assert_eq!(check(&fine), Ok(()));
    let odd = b"--XX\r\nContent-Disposition: form-data; name=\"a\x01b\"\r\n\r\n\xff\r\n--XX--\r\n";
    let shown = sentence(check(odd));
    assert!(!shown.contains(char::is_control), "{shown:?}");
    assert!(shown.contains("\"a\\u{1}b\" must be UTF-8"), "{shown:?}");
    assert_eq!(
        not_valid(check(&parts(&[("name=age", b"x"), ("name=\"tags\"", b"z"), ("name=other", b"")]))),
        [
            "age /age: Must be an integer, but is \"x\".",
            "0 /tags/0: Must be an integer, but is \"z\".",
            "other /other: Unknown property.",
            "name /name: Required but missing.",
        ]
    );
    for (body, message) in [
        (&b""[..], "This endpoint requires a body, but none was sent."),
        (b"--YY\r\n", "it does not contain the boundary given in its Content-Type."),
        (b"--XX\r\n", "it ends before its closing boundary."),
        (b"--XXa\r\n", "a boundary is not followed by a line break."),
        (b"--XX\r\n\r\n\r\n--XX--", "a part has no `Content-Disposition: form-data`."),
        (b"--XX\r\nContent-Disposition: form-data\r\n\r\n\r\n--XX--", "a part has no name."),
        (b"--XX\r\nno colon\r\n\r\n\r\n--XX--", "a part has a header without a colon."),
    ] {
        assert!(sentence(check(body)).ends_with(message), "{message}: {:?}", check(body));
    }
    assert!(
        sentence(rules.check_body(Some(b"multipart/form-data"), &fine))
            .ends_with("`boundary` of 1 to 70 characters.")
    );
    let many = vec![("name=tags", &b"1"[..]); 1_001];
    assert!(sentence(check(&parts(&many))).ends_with("it has more than 1000 parts."));
}

#[test]
fn parts_that_servers_may_read_in_two_ways_are_malformed() {
    let (rules, _) = body_rules(form(), Version::V30, "multipart/form-data");
    let check = |content_type: &str, head: &str| {
        let body = parts(&[(head, b"7"), ("name=name", b"x"), ("name=age", b"7")]);
        rules.check_body(Some(content_type.as_bytes()), &body)
    };
    let usual = "multipart/form-data; boundary=XX";
    for head in [
        r#"name="photo"; filename="a.png"; filename*=UTF-8''a.png"#,
        "name=tags\r\nContent-Transfer-Encoding: binary\r\nContent-Type: text/plain; charset=UTF-8",
    ] {
        assert_eq!(check(usual, head), Ok(()), "{head}");
    }
    for (head, why) in [
        (r#"name="tags"; name="age""#, "Content-Disposition of a part has the parameter \"name\" twice."),
        ("name=tags; name*=UTF-8''age", "\"name*\", a form that is not accepted."),
        ("name=tags; filename=a; filename=b", "\"filename\" twice."),
        (
            "name=tags\r\nContent-Type: a/b; x=1; x=2",
            "the Content-Type of a part has the parameter \"x\" twice.",
        ),
        ("name=tags\r\nContent-Type: a/b\r\nContent-Type: c/d", "a part has two Content-Type headers."),
        ("name=tags\r\n ; name=\"age\"; x=\":\"", "a part has a header whose name is not one."),
        (
            "name=tags\r\nContent-Disposition : form-data; name=age",
            "a part has a header whose name is not one.",
        ),
        ("name=tags\n\nX: y", "a part has a header with a line end that is not CR LF."),
        ("name=tags\rX: y", "a part has a header with a line end that is not CR LF."),
        ("name=tags\r\nContent-Transfer-Encoding: base64", "content as it is (RFC 7578, section 4.7)."),
    ] {
        let found = sentence(check(usual, head));
        assert!(found.starts_with("malformed: ") && found.ends_with(why), "{head:?}: {found}");
    }
    let two = [parts(&[("name=name", b"x"), ("name=age", b"7")]), parts(&[("name=age", b"x")])].concat();
    assert_eq!(
        sentence(rules.check_body(Some(usual.as_bytes()), &two)),
        "malformed: The body is not valid multipart/form-data: it goes on after its closing boundary."
    );
    for content_type in [
        "multipart/form-data; boundary=XX; boundary=YY",
        "multipart/form-data; boundary=XX; Boundary=XX",
        "multipart/form-data; boundary=XX; boundary*=UTF-8''YY",
        "multipart/form-data; boundary*0=X; boundary*1=X",
        "multipart/form-data; boundary=\"XX",
    ] {
        let found = sentence(check(content_type, "name=tags"));
        assert!(found.starts_with("malformed: The Content-Type has "), "{content_type}: {found}");
    }
}

#[test]
fn what_frames_parts_has_its_bounds() {
    let (rules, _) = body_rules(form(), Version::V30, "multipart/form-data");
    let head = |length: usize| format!("name=name\r\nX-Long: {}", "x".repeat(length));
    let check = |head: &str| {
        let body = parts(&[(head, b"a"), ("name=age", b"7")]);
        rules.check_body(Some(b"multipart/form-data; boundary=XX"), &body)
    };
    assert_eq!(check(&head(8_000)), Ok(()));
    assert!(sentence(check(&head(8_300))).ends_with("the headers of a part must have at most 8192 bytes."));
    for (length, is_fine) in [(70, true), (71, false)] {
        let boundary = "b".repeat(length);
        let body = parts(&[("name=name", b"a"), ("name=age", b"7")]);
        let body = String::from_utf8(body).unwrap().replace("XX", &boundary);
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let checked = rules.check_body(Some(content_type.as_bytes()), body.as_bytes());
        assert_eq!(checked.is_ok(), is_fine, "{checked:?}");
    }
}

#[test]
fn a_filename_makes_no_part_a_file() {
    let schema = json!({"schema": {"$ref": "#/Form"}, "Form": {"type": "object", "properties": {
        "age": {"type": "integer"}, "code": {"type": "string", "pattern": "^[0-9]+$"},
        "own": {"allOf": [{"type": "string", "format": "uri"}, {"enum": ["https://a.example/"]}]},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string", "format": "uri"}]},
        "base64": {"type": "string", "contentEncoding": "base64", "maxLength": 4},
        "link": {"type": ["string", "null"], "format": "uri"}
    }}});
    let (rules, _) = body_rules(schema, Version::V31, "multipart/form-data");
    let check = |head: &str, content: &[u8]| {
        rules.check_body(Some(b"multipart/form-data; boundary=XX"), &parts(&[(head, content)]))
    };
    for name in ["age", "code", "own", "either", "base64"] {
        for content in [&b"no number"[..], b"\xff\xfe\xfd\xfc\xfb"] {
            let found = not_valid(check(&format!("name={name}; filename=x"), content));
            let are_about_it = found.iter().all(|line| line.contains(&format!("/{name}: ")));
            assert!(!found.is_empty() && are_about_it, "{name}: {found:?}");
        }
    }
    for content in [&b"no link"[..], b"\xff", b""] {
        assert_eq!(check("name=link; filename=x", content), Ok(()));
    }
    assert_eq!(not_valid(check("name=link", b"no link")).len(), 1);
}

#[test]
fn files_of_a_list_count_as_its_items() {
    let (rules, _) = body_rules(form(), Version::V30, "multipart/form-data");
    let photos = |contents: &[&[u8]]| {
        let mut all = vec![("name=name", &b"a"[..]), ("name=age", b"7")];
        all.extend(contents.iter().map(|content| ("name=photos; filename=x", *content)));
        rules.check_body(Some(b"multipart/form-data; boundary=XX"), &parts(&all))
    };
    for content in [&b"text"[..], b"\xff", b"{}"] {
        assert_eq!(photos(&[content]), Ok(()));
        assert_eq!(photos(&[content; 2]), Ok(()));
        assert_eq!(
            not_valid(photos(&[content; 3])),
            ["photos /photos: Must have at most 2 items, but has 3."]
        );
    }
    let unique = json!({"schema": {"type": "object", "properties": {"photos": {
        "type": "array", "uniqueItems": true, "items": {"type": "string", "format": "binary"}
    }}}});
    let (rules, _) = body_rules(unique, Version::V30, "multipart/form-data");
    let photos = |contents: [&[u8]; 2]| {
        let all = contents.map(|content| ("name=photos; filename=x", content));
        rules.check_body(Some(b"multipart/form-data; boundary=XX"), &parts(&all))
    };
    assert_eq!(photos([b"\xfe1", b"\xff1"]), Ok(()));
    assert_eq!(not_valid(photos([b"\xfe1", b"\xfe1"])).len(), 1);
}
