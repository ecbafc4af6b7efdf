//! Endpoints: paths and methods of the document, base paths, deprecation, what moved.

use crate::{
    shop::Shop,
    support::{Config, Gateway, Upstream, assert_error, delete, get, post, put},
};

#[test]
fn operations_are_endpoints_below_the_base_path_of_the_server() {
    let shop = Shop::open();
    for target in ["/v1/things", "/v1/things/7", "/v1/things/newest", "/v1/health"] {
        let answer = shop.gateway.send(&get(target).header("Shop-Key", &shop.key.key));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(shop.upstream.last().target, target);
    }
    let send =
        |request: crate::support::Request| shop.gateway.send(&request.header("Shop-Key", &shop.key.key));
    assert_error(&shop.gateway, &send(get("/things")), 404, "ENDPOINT_NOT_FOUND");
    assert_error(&shop.gateway, &send(get("/v1/nothing")), 404, "ENDPOINT_NOT_FOUND");
    let answer = send(put("/v1/things", "{}"));
    assert_error(&shop.gateway, &answer, 404, "METHOD_NOT_AVAILABLE");
    assert_eq!(answer.header("Allow"), Some("GET, POST, HEAD"));
}

#[test]
fn a_concrete_path_wins_over_a_templated_one() {
    let shop = Shop::open();
    // `newest` is not an integer: the rules of /things/{id} would refuse it.
    let newest = shop.gateway.send(&get("/v1/things/newest").header("Shop-Key", &shop.key.key));
    assert_eq!(newest.status, 200, "{}", newest.text());
    let older = shop.gateway.send(&get("/v1/things/older").header("Shop-Key", &shop.key.key));
    assert_error(&shop.gateway, &older, 400, "PARAMETER_NOT_VALID");
}

#[test]
fn a_name_and_an_extension_are_two_parameters() {
    let shop = Shop::open();
    let send = |path: &str| {
        let request = crate::support::request("PUT", path).body("text/plain", b"abc");
        shop.gateway.send(&request.header("Shop-Key", &shop.key.key))
    };
    assert_eq!(send("/v1/files/a.b.txt").status, 200);
    assert_error(&shop.gateway, &send("/v1/files/a.exe"), 400, "PARAMETER_NOT_VALID");
}

const FILES: &str = "openapi: 3.1.0
info: { title: Files, version: '1' }
paths:
  /files/{path}:
    get:
      operationId: getFile
      parameters: [{ name: path, in: path, required: true, schema: { type: string, maxLength: 12 } }]
      responses: { '200': { description: Fine } }
";

#[test]
fn a_parameter_takes_the_rest_of_the_path_where_configured() {
    let upstream = Upstream::sample();
    let bound = "maximum = 12";
    let rest = "[[endpoints]]\noperation = \"getFile\"\ncatch_all = \"path\"";
    for config in [
        Config::of(&upstream).document(FILES).section(rest),
        Config::of(&upstream).document(&FILES.replace("{path}", "{*path}")),
        Config::of(&upstream).endpoint("GET", "/files/{*path}", "").parameter("path", "path", bound),
        Config::of(&upstream).endpoint("GET", "/files/{**path}", "").parameter("path", "path", bound),
    ] {
        let gateway = Gateway::start(&config);
        let key = gateway.key();
        for target in ["/files/a/b/c.txt", "/files/a", "/files/a%2Fb/c", "/files/a/b?x=1"] {
            assert_eq!(gateway.send(&get(target).key(&key)).status, 200, "{target}");
            assert_eq!(upstream.last().target, target);
        }
        let long = gateway.send(&get("/files/a/b/c/d/e/f/g").key(&key));
        assert_error(&gateway, &long, 400, "PARAMETER_NOT_VALID");
        assert!(long.text().contains("at most 12 characters, but has 13"), "{}", long.text());
        assert_error(&gateway, &gateway.send(&get("/files").key(&key)), 404, "ENDPOINT_NOT_FOUND");
    }
    // By default, a name takes one segment.
    let gateway = Gateway::start(&Config::of(&upstream).document(FILES));
    let answer = gateway.send(&get("/files/a/b").key(&gateway.key()));
    assert_error(&gateway, &answer, 404, "ENDPOINT_NOT_FOUND");
}

#[test]
fn a_path_moves_with_all_that_is_below_it() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/files/{*path}", "")
        .section("[[moved]]\nfrom = \"/old/{*path}\"\nto = \"/files/{*path}\"");
    let gateway = Gateway::start(&config);
    let answer = gateway.send(&get("/old/a/b.txt?x=1").key(&gateway.key()));
    assert_error(&gateway, &answer, 301, "ENDPOINT_MOVED");
    let location = answer.header("Location").unwrap();
    assert!(location.ends_with("/files/a/b.txt?x=1"), "{location}");
}

#[test]
fn maintenance_is_of_an_operation_by_its_id() {
    let shop = Shop::open();
    let on = |id: &str| shop.gateway.home().run(&["maintenance", "on", "--endpoint", id]);
    let output = on("readThing");
    assert!(output.code == Some(0) && output.out.contains("Only for: GET /v1/things/{id}"), "{output:?}");
    let send = |target: &str| shop.gateway.send(&get(target).header("Shop-Key", &shop.key.key));
    assert_error(&shop.gateway, &send("/v1/things/7"), 503, "MAINTENANCE");
    assert_eq!((send("/v1/things").status, send("/v1/things/newest").status), (200, 200));
    let page = shop.gateway.send(&get("/_docs/maintenance.md")).text();
    assert!(page.contains("GET /v1/things/{id}") && !page.contains("readThing"), "{page}");
    let wrong = on("readThings");
    assert!(wrong.code == Some(1) && wrong.err.contains("did you mean `readThing`?"), "{wrong:?}");
    let wrong = on("get /v1/things");
    assert!(wrong.code == Some(1) && wrong.err.contains("in upper case"), "{wrong:?}");
}

#[test]
fn maintenance_asks_which_operation_is_meant_where_several_have_one_id() {
    let upstream = Upstream::sample();
    let both = FILES.to_owned() + &FILES.split_once("paths:\n").unwrap().1.replace("/files/", "/things/");
    for (document, several) in [
        (both, true),
        // On several base paths it is one operation.
        (FILES.replace("paths:", "servers: [{ url: /v1 }, { url: /v2 }]\npaths:"), false),
    ] {
        let gateway = Gateway::start(&Config::of(&upstream).document(&document));
        let output = gateway.home().run(&["maintenance", "on", "--endpoint", "getFile"]);
        assert_eq!(output.code, Some(i32::from(several)), "{output:?}");
        let part = if several {
            "choose among `GET /files/{path}`, `GET /things/{path}`"
        } else {
            "Only for: GET /v1/files/{path}, GET /v2/files/{path}"
        };
        assert!(output.err.contains(part) || output.out.contains(part), "{output:?}");
    }
}

#[test]
fn an_upstream_url_that_ends_in_the_base_path_is_that_server() {
    let shop = Shop::open();
    let url = shop.upstream.url();
    drop(shop);
    let upstream = crate::shop::upstream();
    let config = crate::support::Config::of_url(&format!("{}/v1", upstream.url()));
    let gateway = crate::support::Gateway::start(&config.document(crate::shop::DOCUMENT));
    assert_eq!(gateway.send(&get("/v1/health")).status, 200, "{url}");
    assert_eq!(upstream.last().target, "/v1/health", "the base path is there once");
}

#[test]
fn a_deprecated_operation_is_announced_on_every_response() {
    let shop = Shop::open();
    let key = ("Shop-Key", shop.key.key.as_str());
    for (answer, status) in [
        (shop.gateway.send(&delete("/v1/things/7").header(key.0, key.1)), 200),
        (shop.gateway.send(&delete("/v1/things/x").header(key.0, key.1)), 400),
        (shop.gateway.send(&delete("/v1/things/7")), 403),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        let since = answer.header("Deprecation").expect("Deprecation");
        let since: u64 = since.strip_prefix('@').expect("RFC 9745").parse().expect("Unix seconds");
        assert!(since > 1_700_000_000, "{since}");
        assert_eq!(answer.header("Link"), Some("</_docs/moved>; rel=\"deprecation\"; type=\"text/html\""));
    }
    let other = shop.gateway.send(&get("/v1/things/7").header(key.0, key.1));
    assert!(!other.headers.has("Deprecation") && !other.headers.has("Link"), "{other:?}");
    let page = shop.gateway.send(&get("/_docs/moved.md"));
    assert_eq!(page.status, 200, "the link is not broken");
    assert!(page.text().contains("/v1/things/{id}"), "{}", page.text());
}

#[test]
fn a_deprecated_endpoint_has_one_deprecation_whatever_the_upstream_sends() {
    let upstream = crate::support::Upstream::scripted(|exchange| {
        exchange.answer(200, &[("Deprecation", "@1"), ("Sunset", "Fri, 01 Jan 2027 00:00:00 GMT")], b"")
    });
    let config = crate::support::Config::of(&upstream);
    let config = config.endpoint("GET", "/old", "deprecated = \"2026-06-01\"").endpoint("GET", "/new", "");
    let gateway = crate::support::Gateway::start(&config);
    let key = gateway.key();
    for (path, since) in [("/old", "@1780272000"), ("/new", "@1")] {
        let answer = gateway.send(&get(path).key(&key));
        assert_eq!(answer.headers.all("Deprecation"), [since], "{path}");
        assert!(answer.headers.has("Sunset"), "{answer:?}");
    }
}

#[test]
fn the_file_adds_to_operations() {
    let shop = Shop::with(|config| {
        config.section(
            "[[endpoints]]\noperation = \"readThing\"\ncost = 7\ndeprecated = \"2026-06-01\"\n\
             [[endpoints]]\nmethod = \"GET\"\npath = \"/things/newest\"\nmoved_to = \"/v1/things\"\n\
             [[endpoints]]\nmethod = \"GET\"\npath = \"/v1/things\"\npermission = \"special\"\n\
             [[endpoints]]\noperation = \"deleteThing\"\npublic = true\n\
             [[endpoints]]\noperation = \"createThing\"\nmax_body_size = 10",
        )
    });
    let (gateway, key) = (&shop.gateway, &shop.key);
    let first = gateway.send(&get("/v1/things/7").header("Shop-Key", &key.key));
    let second = gateway.send(&get("/v1/things/7").header("Shop-Key", &key.key));
    assert_eq!(first.number("X-Rate-Limit-Remaining") - second.number("X-Rate-Limit-Remaining"), 7);
    assert_eq!(second.header("Deprecation"), Some("@1780272000"));
    let moved = gateway.send(&get("/v1/things/newest?a=b"));
    assert_error(gateway, &moved, 301, "ENDPOINT_MOVED");
    assert!(moved.header("Location").unwrap().ends_with("/v1/things?a=b"), "{moved:?}");
    assert_eq!(gateway.send(&delete("/v1/things/7")).status, 200, "public");
    let reader = gateway.key_with(&["--plan", "free", "--permission", "shop:read"]);
    let denied = gateway.send(&get("/v1/things").header("Shop-Key", &reader.key));
    assert_error(gateway, &denied, 401, "PERMISSION_DENIED");
    let large =
        gateway.send(&post("/v1/things", "{\"name\":\"a\",\"price\":1}").header("Shop-Key", &key.key));
    assert_error(gateway, &large, 400, "BODY_TOO_LARGE");
}

#[test]
fn paths_are_matched_however_the_document_encodes_them() {
    let upstream = Upstream::sample();
    let wildcard =
        "parameters: [{ name: '*', in: path, required: true, schema: { type: string, maxLength: 4 } }]";
    let document = format!(
        "openapi: 3.1.0\ninfo: {{ title: Paths, version: '1' }}\npaths:\n  '/caf%c3%a9': {{ get: {{}} }}\n  '/a%41': {{ get: {{}} }}\n  \
         '/w/{{*}}': {{ get: {{ {wildcard} }} }}\n  '/x/{{a}}{{b}}': {{ get: {{}} }}\n"
    );
    let gateway = Gateway::start(&Config::of(&upstream).document(&document));
    let key = gateway.key();
    for target in ["/caf%c3%a9", "/caf%C3%A9", "/a%41", "/aA", "/w/a", "/w/a/b"] {
        let answer = gateway.send(&get(target).key(&key));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    }
    assert_error(&gateway, &gateway.send(&get("/w/a/b/c").key(&key)), 400, "PARAMETER_NOT_VALID");
    assert_error(&gateway, &gateway.send(&get("/x/ab").key(&key)), 404, "ENDPOINT_NOT_FOUND");
}

/// Each is refused for every request, which `config check` says; what it does not name can be reached.
#[test]
fn a_path_is_named_if_and_only_if_every_request_to_it_is_refused() {
    let upstream = Upstream::sample();
    let refused = [
        "/a%2Fb", "/a%25b", "/a%3Fb", "/a%3Ab", "/a;b", "/a//b", "//x", "/a/../b", "/a/./b", "/a%09b",
        "/%E0%80",
    ];
    let fine = ["/a", "/caf%c3%a9", "/f('{id}')", "/a:b", "/{id}.json", "/$metadata", "/m{m}"];
    let matrix =
        "{ parameters: [{ name: m, in: path, required: true, style: matrix, schema: { type: string } }] }";
    let mut document = "openapi: 3.1.0\ninfo: { title: Paths, version: '1' }\npaths:\n".to_owned();
    for path in refused.iter().chain(&fine) {
        let get = if *path == "/m{m}" { matrix } else { "{}" };
        document.push_str(&format!("  \"{path}\": {{ get: {get} }}\n"));
    }
    let config = Config::of(&upstream).document(&document);
    let output = crate::support::gateway::Home::new(&config).run(&["config", "check"]);
    let named = |path: &str| {
        let start = format!("Every request to {path} gets a 400: ");
        output.err.contains(&start) || output.out.contains(&start)
    };
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    for path in refused {
        assert!(named(path), "{path}: {output:?}");
        assert_eq!(gateway.send(&get(path).key(&key)).status, 400, "{path}");
    }
    for path in fine {
        assert!(!named(path), "{path}: {output:?}");
        let target = path.replace("{id}", "1").replace("{m}", ";m=1");
        let answer = gateway.send(&get(&target).key(&key));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    }
}
