//! Who may use an operation: security requirements of the document as permissions.

use crate::{
    shop::Shop,
    support::{assert_error, delete, error_of, get, post},
};

const THING: &str = r#"{"name":"Cup","price":4.5}"#;

#[test]
fn requirements_are_alternatives_and_their_scopes_hold_together() {
    let shop = Shop::open();
    for (permissions, may) in [
        (&["shop:write"][..], false),
        (&["shop:admin"], false),
        (&["shop:write", "shop:admin"], true),
        (&["shop:root"], true),
        (&["shop:read"], false),
        (&["*"], true),
    ] {
        let mut options = vec!["--plan", "free"];
        options.extend(permissions.iter().flat_map(|permission| ["--permission", permission]));
        let key = shop.gateway.key_with(&options);
        let answer = shop.gateway.send(&post("/v1/things", THING).header("Shop-Key", &key.key));
        if may {
            assert_eq!(answer.status, 200, "{permissions:?}: {}", answer.text());
        } else {
            assert_error(&shop.gateway, &answer, 401, "PERMISSION_DENIED");
            let message = error_of(&answer)["message"].as_str().unwrap().to_owned();
            assert!(
                message.contains("\"shop:write\" and \"shop:admin\", or the permission \"shop:root\""),
                "{message}"
            );
        }
    }
}

#[test]
fn an_empty_list_is_open_to_everyone_and_an_empty_requirement_to_any_key() {
    let shop = Shop::open();
    assert_eq!(shop.gateway.send(&get("/v1/health")).status, 200);
    let bare = shop.gateway.key_with(&["--plan", "free"]);
    let any = shop.gateway.send(&delete("/v1/things/7").header("Shop-Key", &bare.key));
    assert_eq!(any.status, 200, "{}", any.text());
    let inherited = shop.gateway.send(&get("/v1/things").header("Shop-Key", &bare.key));
    assert_error(&shop.gateway, &inherited, 401, "PERMISSION_DENIED");
}

#[test]
fn the_documents_own_scheme_names_the_header() {
    let shop = Shop::open();
    let wrong = shop.gateway.send(&get("/v1/things").header("X-API-Key", &shop.key.key));
    assert_error(&shop.gateway, &wrong, 403, "KEY_NOT_SET");
    assert!(wrong.text().contains("Shop-Key"), "{}", wrong.text());
    let right = shop.gateway.send(&get("/v1/things").header("Shop-Key", &shop.key.key));
    assert_eq!(right.status, 200);
    assert!(!shop.upstream.last().headers.has("Shop-Key"), "the key stays with the gateway");
}

#[test]
fn the_file_wins_over_the_documents_header() {
    let shop = Shop::with(|config| config.section("[keys]\nheaders = [\"X-API-Key\"]"));
    assert_eq!(shop.gateway.send(&get("/v1/things").key(&shop.key)).status, 200);
}
