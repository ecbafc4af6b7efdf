//! 404 `ENDPOINT_NOT_FOUND`: no endpoint has this path.

use crate::support::{Config, Stage, Upstream, assert_error, get, head, post, specification::assert_head};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "")
        .endpoint("POST", "/items", "")
        .endpoint("GET", "/items/best", "permission = \"best\"")
        .endpoint("GET", "/files/{name}.{ext}", "");
    Stage::new(&config, upstream, (404, "ENDPOINT_NOT_FOUND"), |stage| stage.send(get("/nothing")))
}

#[test]
fn a_path_that_only_resembles_an_endpoint_is_not_found() {
    let stage = stage();
    for target in ["/", "/item/7", "/items/7/8", "/itemss", "/Items/7", "//items/7", "/items//7", "/files/a"]
    {
        assert_error(&stage.gateway, &stage.send(get(target)), 404, "ENDPOINT_NOT_FOUND");
    }
    assert_error(&stage.gateway, &stage.send(post("/nothing", "{}")), 404, "ENDPOINT_NOT_FOUND");
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn templates_take_one_segment_and_concrete_paths_win() {
    let stage = stage();
    for target in ["/items/7", "/items/a%3Ab", "/items/a.b", "/files/report.pdf", "/items/7?x=/y/z"] {
        assert_eq!(stage.send(get(target)).status, 200, "{target}");
    }
    assert_error(&stage.gateway, &stage.send(get("/items/best")), 401, "PERMISSION_DENIED");
}

#[test]
fn an_encoded_letter_names_the_same_path() {
    let stage = stage();
    // Otherwise `/%69tems/best` would bypass the permission of `/items/best`.
    assert_error(&stage.gateway, &stage.send(get("/items/b%65st")), 401, "PERMISSION_DENIED");
    assert_error(&stage.gateway, &stage.send(get("/%69tems/best")), 401, "PERMISSION_DENIED");
}

#[test]
fn head_gets_the_head_alone_and_exists_where_get_does() {
    let stage = stage();
    let mut connection = stage.gateway.connect();
    let answer = connection.send(&head("/nothing").key(&stage.key));
    assert_eq!(answer.status, 404);
    assert_head(&answer, "ENDPOINT_NOT_FOUND");
    assert_eq!(connection.send(&head("/items/7").key(&stage.key)).status, 200);
}

#[test]
fn an_unknown_page_under_docs_is_not_found_either() {
    let stage = stage();
    for target in ["/_docs/errors/NO_SUCH_CODE", "/_docs/nothing", "/_nothing"] {
        assert_error(&stage.gateway, &stage.gateway.send(&get(target)), 404, "ENDPOINT_NOT_FOUND");
    }
}
