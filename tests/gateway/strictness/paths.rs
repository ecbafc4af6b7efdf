//! Paths: no spelling bypasses a check, and the upstream gets the path that was matched.

use crate::{
    recorder::Recorder,
    support::{Config, Gateway, Upstream, assert_error, get},
};

/// `/admin` needs a permission, everything else does not.
fn guarded(upstream: &str, more: &str) -> Gateway {
    Gateway::start(
        &Config::of_url(upstream)
            .endpoint("GET", "/admin", "permission = \"admin\"")
            .endpoint("GET", "/admin/{part}", "permission = \"admin\"")
            .endpoint("GET", "/items/{id}", "")
            .endpoint("GET", "/{a}", "public = true")
            .endpoint("GET", "/{a}/{b}", "public = true")
            .endpoint("GET", "/{a}/{b}/{c}", "public = true")
            .endpoint("GET", "/{a}/{b}/{c}/{d}", "public = true")
            .section("[[moved]]\nfrom = \"/old\"\nto = \"/items/1\"")
            .section(&format!("[strictness]\n{more}")),
    )
}

/// What servers may do to a path before they route it: the union of known behaviours.
fn as_routed_by_others(target: &str) -> Vec<String> {
    let mut views = vec![target.split('?').next().unwrap().to_owned()];
    let without_query = |view: &str| view.split(['?', '#']).next().unwrap().to_owned();
    for _ in 0..3 {
        for view in views.clone() {
            let cut: Vec<&str> = view.split('/').map(|segment| segment.split(';').next().unwrap()).collect();
            for made in
                [decode(&view), without_query(&view), view.replace('\\', "/"), cut.join("/"), resolved(&view)]
            {
                if !views.contains(&made) {
                    views.push(made);
                }
            }
        }
    }
    views
}

fn decode(path: &str) -> String {
    let (mut out, bytes, mut at) = (Vec::new(), path.as_bytes(), 0);
    while at < bytes.len() {
        let code = path
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Dot segments resolved, slashes merged.
fn resolved(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

fn is_guarded(path: &str) -> bool {
    path == "/admin" || path.starts_with("/admin/")
}

#[test]
fn no_way_of_writing_a_path_leads_to_a_guarded_endpoint() {
    let recorder = Recorder::start();
    let gateway = guarded(&recorder.url(), "");
    let words = [
        "/admin",
        "/%61dmin",
        "/%2561dmin",
        "/admin%3Fx",
        "/admin%3fx=y",
        "/admin%23x",
        "/admin%253Fx",
        "/admin%2523",
        "/%61dmin%3F",
        "//admin",
        "/./admin",
        "/x/../admin",
        "/x/..;/admin",
        "/x/%2e%2e/admin",
        "/x/%252e%252e/admin",
        "/x%2f..%2fadmin",
        "/%2fadmin",
        "/%252fadmin",
        "/%5cadmin",
        "/\\admin",
        "/;/admin",
        "/;x=1/admin",
        "/admin;x",
        "/admin;x=1/y",
        "/admin%3bx",
        "/admin%2fusers",
        "/admin%5cusers",
        "/admin//users",
        "/admin/./users",
        "/admin;/users",
        "/admin%00",
        "/admin%00.html",
        "/admin%20",
        "/admin%0a",
        "/admin%3fx",
        "/admin%23x",
        "/items/..%2fadmin",
        "/items/%2e%2e%2fadmin",
        "/items/..%5cadmin",
        "/items/.%2e/admin",
        "/items/%c0%ae%c0%ae/admin",
        "/items/7%2f..%2f..%2fadmin",
        "/items/7;/../admin",
        "/old;x",
        "/old%2f",
        "/%6fld",
        "//old",
        "/http://x/admin",
        "http://x/admin",
        "http://x//admin",
        "/admin?x",
        "/admin/",
        "/admin//",
        "/%c1%a1dmin",
        "/%u0061dmin",
        "/%%36%31dmin",
        "/%25%36%31dmin",
    ];
    let mut count = 0;
    for path in words {
        for behind in ["", "?a=/../admin", ";y", "/%2e", "%2f"] {
            let bytes = format!("GET {path}{behind} HTTP/1.1\r\nHost: x\r\n\r\n");
            let answer = gateway.send_bytes(bytes.as_bytes());
            assert!([200, 301, 400, 403, 404].contains(&answer.status), "{path}{behind}: {answer:?}");
            count += 1;
        }
    }
    for arrived in recorder.all() {
        let reached: Vec<_> =
            as_routed_by_others(arrived.target()).into_iter().filter(|view| is_guarded(view)).collect();
        assert!(reached.is_empty(), "{} is {reached:?} to some server", arrived.target());
    }
    assert_eq!(recorder.violations(), Vec::<String>::new());
    assert!(count > 200 && !recorder.all().is_empty());
}

#[test]
fn a_path_that_is_written_in_another_way_is_matched_as_what_it_is() {
    let recorder = Recorder::start();
    let gateway = guarded(&recorder.url(), "");
    for path in ["/%61dmin", "/admi%6E", "/%61%64min/%75"] {
        let answer = gateway.send(&get(path).key(&gateway.key()));
        assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
    }
    assert!(recorder.all().is_empty());
    assert_error(&gateway, &gateway.send(&get("/%6fld")), 301, "ENDPOINT_MOVED");
    // Two slashes are not one, unless configured.
    for (more, status, code) in [
        ("", 404, "ENDPOINT_NOT_FOUND"),
        ("ambiguous_paths = \"pass\"", 404, "ENDPOINT_NOT_FOUND"),
        ("ambiguous_paths = \"reject\"", 400, "REQUEST_MALFORMED"),
    ] {
        let gateway = guarded(&recorder.url(), more);
        for path in ["//admin", "/admin//users", "//old"] {
            assert_error(&gateway, &gateway.send(&get(path)), status, code);
        }
    }
    let gateway = guarded(&recorder.url(), "repeated_slashes = \"merge\"");
    assert_error(&gateway, &gateway.send(&get("//admin").key(&gateway.key())), 401, "PERMISSION_DENIED");
    assert_error(&gateway, &gateway.send(&get("//old")), 301, "ENDPOINT_MOVED");
    assert!(recorder.all().is_empty());
}

#[test]
fn an_encoded_slash_passes_where_it_makes_no_difference_or_where_configured() {
    let upstream = Upstream::sample();
    let gateway = guarded(&upstream.url(), "");
    let key = gateway.key();
    let answer = gateway.send(&get("/items/a%2Fb").key(&key));
    assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    for path in ["/items/7;v=1", "/items/7%3A8", "/items/7%25", "/other;v/7"] {
        assert_eq!(gateway.send(&get(path).key(&key)).status, 200, "{path}");
        assert_eq!(upstream.last().target, path);
    }
    let gateway = guarded(&upstream.url(), "ambiguous_paths = \"pass\"");
    assert_eq!(gateway.send(&get("/items/a%2fb").key(&gateway.key())).status, 200);
    assert_eq!(upstream.last().target, "/items/a%2Fb");
    let answer = gateway.send(&get("/items/a%2f..%2fb").key(&gateway.key()));
    assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    let gateway = guarded(&upstream.url(), "ambiguous_paths = \"reject\"");
    let answer = gateway.send(&get("/items/7;v=1").key(&gateway.key()));
    assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
}

#[test]
fn slashes_in_a_row_are_merged_refused_or_kept_as_configured() {
    let upstream = Upstream::sample();
    for (word, seen) in [("merge", Some("/a/b?c=//d")), ("reject", None), ("keep", Some("//a///b?c=//d"))] {
        let gateway = Gateway::start(
            &Config::of(&upstream).section(&format!("[strictness]\nrepeated_slashes = \"{word}\"")),
        );
        let answer = gateway.send(&get("//a///b?c=//d").key(&gateway.key()));
        match seen {
            Some(seen) => {
                assert_eq!(answer.status, 200, "{word}");
                assert_eq!(upstream.last().target, seen);
            }
            None => assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED"),
        }
    }
}

#[test]
fn an_encoded_question_mark_or_hash_is_refused_where_it_would_lead_to_another_endpoint() {
    let recorder = Recorder::start();
    let gateway = guarded(&recorder.url(), "");
    for path in ["/admin%3Fx", "/admin%23x", "/admin%3F", "/admin%253Fx", "/old%3Fa=b"] {
        assert_error(&gateway, &gateway.send(&get(path)), 400, "REQUEST_MALFORMED");
    }
    assert_eq!(recorder.all().len(), 0);
    for path in ["/what%3F", "/c%23", "/what%3Fa=b%23c"] {
        assert_eq!(gateway.send(&get(path)).status, 200, "{path}");
    }
}

#[test]
fn an_encoded_slash_at_the_end_does_not_lead_past_a_permission() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).endpoint("GET", "/files/{*rest}", "").endpoint(
        "GET",
        "/files/secret",
        "permission = \"root\"",
    ));
    let key = gateway.key();
    for path in ["/files/secret%2F", "/files/secret%5C", "/files/secret%252F"] {
        assert_error(&gateway, &gateway.send(&get(path).key(&key)), 400, "REQUEST_MALFORMED");
    }
    assert_eq!(upstream.count(), 0);
    for path in ["/files/other%2F", "/files/secret%2Fa"] {
        assert_eq!(gateway.send(&get(path).key(&key)).status, 200, "{path}");
    }
}
