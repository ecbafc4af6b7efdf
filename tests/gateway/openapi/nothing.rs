//! A document or a file without endpoints opens none, and does not replace one that declares some.

use crate::support::{
    Config, Gateway, Key, Upstream, assert_error, eventually, gateway::Home, get, post, request,
};
use std::fs;

const SOME: &str = "openapi: 3.1.0
info: { title: Items, version: '1' }
paths:
  /items/{id}:
    get: { responses: { '200': { description: Fine } } }
";

/// Valid documents of which no operation can be served, and the line of their `paths`.
const NOTHING: [(&str, &str); 9] = [
    ("openapi: 3.0.3\ninfo: { title: A, version: '1' }\npaths: {}\n", "openapi.yaml:3 at /paths"),
    (
        "swagger: '2.0'\ninfo: { title: A, version: '1' }\nbasePath: /v1\npaths: {}\n",
        "openapi.yaml:4 at /paths",
    ),
    ("openapi: 3.1.0\ninfo: { title: A, version: '1' }\n", "openapi.yaml:1"),
    ("openapi: 3.1.0\ninfo: { title: A, version: '1' }\npaths:\n", "openapi.yaml:3 at /paths"),
    (
        "openapi: 3.1.0\ninfo: { title: A, version: '1' }\nwebhooks: { new: { post: { responses: {} } } }\n",
        "openapi.yaml:1",
    ),
    (
        "openapi: 3.0.3\ninfo: { title: A, version: '1' }\npaths:\n  /a?b=c: { get: { responses: {} } }\n  '/d#e': \
         { get: { responses: {} } }\n",
        "openapi.yaml:3 at /paths",
    ),
    (
        "openapi: 3.1.0\ninfo: { title: A, version: '1' }\npaths: { /a: { $ref: '#/components/pathItems/a' } }\n\
         components: { pathItems: { a: { summary: Nothing } } }\n",
        "openapi.yaml:3 at /paths",
    ),
    (
        "openapi: 3.2.0\ninfo: { title: A, version: '1' }\npaths: { /a: { get: , additionalOperations: {} }, /b: }\n",
        "openapi.yaml:3 at /paths",
    ),
    (
        "openapi: 3.0.3\ninfo: { title: A, version: '1' }\npaths: { /a: { GET: { responses: {} } }, x-b: { get: {} } }\n",
        "openapi.yaml:3 at /paths",
    ),
];

fn assert_closed(gateway: &Gateway, upstream: &Upstream, key: &Key) {
    for asked in [
        get("/items/7"),
        get("/"),
        get("/v1"),
        post("/items", "{}"),
        request("DELETE", "/items/7"),
        request("PURGE", "/a"),
    ] {
        assert_error(gateway, &gateway.send(&asked.key(key)), 404, "ENDPOINT_NOT_FOUND");
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_document_without_operations_answers_404_to_all_and_warns_at_its_place() {
    let upstream = Upstream::sample();
    for (document, place) in NOTHING {
        let home = Home::new(&Config::of(&upstream).document(document));
        let output = home.run(&["config", "check"]);
        assert_eq!(output.code, Some(0), "{document}: {output:?}");
        let first = output.err.lines().next().unwrap_or_default();
        for part in [place, "no operation that can be served", "404", "allow_no_endpoints = true"] {
            assert!(
                first.contains(part),
                "{part:?} is not in the first warning of\n{document}\n{}",
                output.err
            );
        }
        let gateway = Gateway::start_in(&home);
        assert_closed(&gateway, &upstream, &gateway.key());
        assert!(gateway.log().contains("no operation that can be served"), "{}", gateway.log());
        assert_eq!(gateway.send(&get("/_docs/openapi.json")).status, 200);
        let page = gateway.send(&get("/_docs/endpoints.md")).text();
        assert!(page.contains("every path gets a 404"), "{page}");
    }
}

#[test]
fn a_path_without_operations_is_a_warning_that_names_its_file() {
    let upstream = Upstream::sample();
    let document = format!("{SOME}  /orders: {{ $ref: orders.yaml }}\n  /users:\n    get:\n");
    let home = Home::new(&Config::of(&upstream).document(&document));
    fs::write(home.path("orders.yaml"), "summary: Orders\n").unwrap();
    let output = home.run(&["config", "check"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    for part in [
        "openapi.yaml:6 at /paths/~1orders: The path has no operation (its $ref leads to \"orders.yaml\")",
        "openapi.yaml:7 at /paths/~1users: The path has no operation: ",
        "openapi.yaml:8 at /paths/~1users/get: The operation has no value",
    ] {
        assert!(output.err.contains(part), "{part:?} is not in {}", output.err);
    }
    assert!(!output.err.contains("no operation that can be served"), "{}", output.err);
    let gateway = Gateway::start_in(&home);
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    for path in ["/orders", "/users"] {
        assert_error(&gateway, &gateway.send(&get(path).key(&key)), 404, "ENDPOINT_NOT_FOUND");
    }
}

#[test]
fn an_empty_list_of_endpoints_answers_404_to_all_and_no_list_passes_every_path() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream).top("endpoints = []"));
    let output = home.run(&["config", "check"]);
    let first = output.err.lines().next().unwrap_or_default();
    for part in ["line 1:", "`endpoints` is empty", "allow_no_endpoints = true"] {
        assert!(first.contains(part), "{part:?} is not in {}", output.err);
    }
    let gateway = Gateway::start_in(&home);
    assert_closed(&gateway, &upstream, &gateway.key());
    let open = Gateway::start(&Config::of(&upstream));
    let key = open.key();
    for asked in [get("/items/7"), post("/items", "{}"), get("/any/path")] {
        open.send(&asked.key(&key));
    }
    assert_eq!(upstream.count(), 3);
}

#[test]
fn no_endpoints_on_purpose_are_no_warning() {
    let upstream = Upstream::sample();
    for config in [Config::of(&upstream).document(NOTHING[0].0), Config::of(&upstream).top("endpoints = []")]
    {
        let home = Home::new(&config.top("allow_no_endpoints = true"));
        let output = home.run(&["config", "check"]);
        assert_eq!((output.code, output.err.as_str()), (Some(0), ""), "{output:?}");
        let gateway = Gateway::start_in(&home);
        assert_closed(&gateway, &upstream, &gateway.key());
    }
}

#[test]
fn a_reload_that_loses_all_operations_is_refused_unless_the_file_allows_it() {
    let upstream = Upstream::sample();
    let declared = Config::of(&upstream).endpoint("GET", "/items/{id}", "");
    let nothing = || NOTHING.iter().map(|(document, _)| Config::of(&upstream).document(document));
    let others = [Config::of(&upstream), Config::of(&upstream).top("endpoints = []")];
    for before in [Config::of(&upstream).document(SOME), declared] {
        let gateway = Gateway::start(&before);
        let key = gateway.key();
        for next in nothing().chain(others.clone()) {
            gateway.home().configure(&next);
            let output = gateway.home().run(&["config", "reload", "--json"]);
            assert_eq!(output.code, Some(1), "{output:?}");
            for part in ["nothing was changed", "endpoints", "allow_no_endpoints = true"] {
                assert!(output.err.contains(part), "{part:?} is not in {}", output.err);
            }
            assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
            assert_error(&gateway, &gateway.send(&get("/a").key(&key)), 404, "ENDPOINT_NOT_FOUND");
        }
        gateway
            .home()
            .configure(&Config::of(&upstream).document(NOTHING[0].0).top("allow_no_endpoints = true"));
        gateway.run(&["config", "reload"]);
        assert_error(&gateway, &gateway.send(&get("/items/7").key(&key)), 404, "ENDPOINT_NOT_FOUND");
        gateway.home().configure(&Config::of(&upstream));
        assert_eq!(gateway.home().run(&["config", "reload"]).code, Some(1), "from no endpoint to every path");
        assert_error(&gateway, &gateway.send(&get("/items/7").key(&key)), 404, "ENDPOINT_NOT_FOUND");
        gateway.home().configure(&before);
        gateway.run(&["config", "reload"]);
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
}

#[test]
fn a_watched_document_that_loses_its_operations_is_not_taken_over() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).watched().document(SOME));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    fs::write(gateway.home().path("openapi.yaml"), NOTHING[0].0).unwrap();
    let event = gateway.event("configuration not taken over");
    assert!(event["error"].as_str().unwrap().contains("has no endpoints"), "{event}");
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    // The next version is loaded.
    fs::write(gateway.home().path("openapi.yaml"), SOME.replace("/items", "/bytes")).unwrap();
    eventually("the document is loaded", || {
        (gateway.send(&get("/bytes/7").key(&key)).status == 200).then_some(())
    });
}
