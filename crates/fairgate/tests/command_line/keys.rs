//! `keys create`, `list` and `revoke`.

use crate::fixture::{Gateway, Site, with_and_without_gateway};
use std::collections::HashSet;

#[test]
fn a_key_is_made_shown_once_listed_and_revoked() {
    with_and_without_gateway(|site, gateway| {
        let made = site.json(&[
            "keys",
            "create",
            "--plan",
            "free",
            "--permission",
            "items:write",
            "--permission",
            "items:read",
            "--permission",
            "items:read",
            "--expires",
            "90d",
            "--name",
            "Acme ✓",
            "--json",
        ]);
        let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
        assert!(contract::key::is_well_formed(key.as_bytes()));
        assert_eq!(made["permissions"], serde_json::json!(["items:read", "items:write"]));
        let listed = site.json(&["keys", "list", "--json"]);
        assert_eq!(listed[0]["id"], id);
        assert_eq!(listed[0]["name"], "Acme ✓");
        assert_eq!(listed[0]["state"], "active");
        assert!(listed[0]["key"].is_null() && !listed.to_string().contains(key));
        let table = site.run(&["keys", "list"]).fine();
        assert!(table.contains(id) && table.contains("Acme ✓") && !table.contains(key), "{table}");
        assert!(site.run(&["keys", "revoke", id]).fine().contains("Revoked"));
        assert!(site.run(&["keys", "revoke", id]).fine().contains("was already revoked at"));
        assert_eq!(site.json(&["keys", "list", "--json"])[0]["state"], "revoked");
        if let Some(gateway) = gateway {
            let told = [format!("added {id} free"), format!("revoked {id}"), format!("revoked {id}")];
            assert_eq!(gateway.told(), told);
        }
    });
}

#[test]
fn for_people_the_key_stands_on_the_first_line_alone() {
    let site = Site::new();
    let shown = site.run(&["keys", "create", "--plan", "free"]).fine();
    let key = shown.lines().next().unwrap();
    assert!(contract::key::is_well_formed(key.as_bytes()));
    assert!(shown.contains("shown only once"));
    let said = site.run_with_input(&["keys", "revoke", "-"], format!("{key}\r\n\n").as_bytes()).fine();
    assert!(said.starts_with("Revoked key_"), "{said}");
}

#[test]
fn a_key_typed_as_an_id_is_refused_without_being_repeated() {
    let site = Site::new();
    let key = site.json(&["keys", "create", "--plan", "free", "--json"])["key"].clone();
    let run = site.run(&["keys", "revoke", key.as_str().unwrap()]);
    run.refused(2, "standard input");
    assert!(!run.err.contains(key.as_str().unwrap()));
}

#[test]
fn an_unknown_id_fails_but_the_others_are_revoked() {
    with_and_without_gateway(|site, _| {
        let id = site.key_id();
        let run = site.run(&["keys", "revoke", "key_unknown", &id]);
        assert_eq!(run.code, 1);
        assert!(run.err.contains("key_unknown") && run.out.contains(&id));
        let run = site.run(&["keys", "revoke", "key_unknown", "--json"]);
        assert_eq!(run.code, 1);
        let told: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(told["unknown"][0], "key_unknown");
    });
}

#[test]
fn what_cannot_be_a_key_is_refused_with_advice() {
    with_and_without_gateway(|site, _| {
        let create = |more: &[&str]| site.run(&[&["keys", "create"], more].concat());
        create(&["--plan", "fre"]).refused(1, "did you mean `free`?");
        create(&["--plan", "zzz"]).refused(1, "`premium`");
        create(&["--plan", "free", "--permission", "items read"]).refused(1, "without spaces");
        create(&["--plan", "free", "--name", "a\nb"]).refused(1, "control characters");
        create(&["--plan", "free", "--name", ""]).refused(1, "1 to 200 bytes");
        create(&["--plan", "free", "--expires", "2020-01-01"]).refused(1, "past");
        create(&["--plan", "free", "--expires", "soon"]).refused(2, "90d");
        create(&["--plan", "free", "--expires", "0d"]).refused(2, "expected a duration");
        create(&[]).refused(2, "--plan");
        assert_eq!(site.json(&["keys", "list", "--json"]), serde_json::json!([]));
    });
}

#[test]
fn the_plans_are_those_of_the_gateway_that_runs() {
    let site = Site::new();
    site.run(&["keys", "create", "--plan", "running"]).refused(1, "no plan");
    let gateway = Gateway::start(&site.store());
    site.run(&["keys", "create", "--plan", "running"]).fine();
    gateway.stop();
}

#[test]
fn keys_made_at_once_are_all_made() {
    with_and_without_gateway(|site, _| {
        let children: Vec<_> =
            (0..8).map(|_| site.command(&["keys", "create", "--plan", "free"]).spawn().unwrap()).collect();
        let keys: HashSet<_> = children
            .into_iter()
            .map(|child| {
                let output = child.wait_with_output().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                output.stdout
            })
            .collect();
        assert_eq!(keys.len(), 8);
        assert_eq!(site.json(&["keys", "list", "--json"]).as_array().unwrap().len(), 8);
    });
}

#[test]
fn a_table_shows_the_newest_and_says_what_it_hides() {
    let site = Site::new();
    for _ in 0..3 {
        site.key_id();
    }
    let shown = site.run(&["keys", "list", "--limit", "2"]).fine();
    assert_eq!(shown.lines().filter(|line| line.starts_with("key_")).count(), 2);
    assert!(shown.contains("1 older keys are not shown"));
}

#[test]
fn a_key_is_changed_where_it_is_named_and_stays_what_it_was_elsewhere() {
    with_and_without_gateway(|site, gateway| {
        let id = site.key_id();
        let change = [
            "keys",
            "change",
            &id,
            "--plan",
            "premium",
            "--limit",
            "5_000 per day",
            "--expires",
            "90d",
            "--json",
        ];
        let changed = site.json(&change);
        assert_eq!(
            (&changed["plan"], &changed["limits"]),
            (&"premium".into(), &serde_json::json!(["5000 per day"]))
        );
        assert!(changed["expires_at"].is_string());
        let shown = site.run(&["keys", "change", &id, "--name", "Acme", "--expires", "never"]).fine();
        for word in [id.as_str(), "Acme", "premium", "5000 per day", "never"] {
            assert!(shown.contains(word), "{word} is not in {shown}");
        }
        let listed = site.json(&["keys", "list", "--json"]);
        assert_eq!(listed[0]["limits"], serde_json::json!(["5000 per day"]));
        if let Some(gateway) = gateway {
            let told = [
                format!("added {id} free"),
                format!("changed {id} premium"),
                format!("changed {id} premium"),
            ];
            assert_eq!(gateway.told(), told);
        }
    });
}

#[test]
fn the_whole_store_is_checked_on_demand() {
    let site = Site::new();
    site.key_id();
    assert!(site.run(&["store", "check"]).fine().ends_with("is intact: 1 keys.\n"));
    assert_eq!(site.json(&["store", "check", "--json"])["keys"], 1);
    let file = site.store().join("fairgate.redb");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(4).position(|window| window == b"key_").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    site.run(&["store", "check"]).refused(1, "is damaged");
}

#[test]
fn keys_are_listed_in_the_order_in_which_they_were_made() {
    crate::fixture::with_and_without_gateway(|site, _| {
        let made: Vec<String> = (0..6).map(|_| site.key_id()).collect();
        std::fs::write(site.path("old.txt"), "old-key-1\nold-key-2\nold-key-3\n").unwrap();
        site.run(&["keys", "import", "old.txt", "--plan", "free"]).fine();
        let listed = site.json(&["keys", "list", "--json"]);
        let member = |name: &str| -> Vec<String> {
            listed.as_array().unwrap().iter().map(|key| key[name].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(member("id")[..6], made);
        assert_eq!(member("preview").len(), 9);
        let table = site.run(&["keys", "list"]).fine();
        let in_table: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(in_table, member("id"));
    });
}

const BOOKS: &str = "[[endpoints]]\nmethod = \"GET\"\npath = \"/books/{id}\"\npermission = \"books:read\"\n\
    [[endpoints]]\nmethod = \"POST\"\npath = \"/books\"\npermission = \"books:write\"\n";

#[test]
fn a_permission_that_no_endpoint_needs_is_a_warning_with_the_nearest() {
    with_and_without_gateway(|site, _| {
        site.configure(BOOKS);
        let give = |words: &[&str], permission: &str| {
            let run = site.run(&[words, &["--permission", permission, "--json"]].concat());
            assert_eq!(run.code, 0, "{}", run.err);
            let json: serde_json::Value = serde_json::from_str(&run.out).unwrap();
            (run.err, json)
        };
        let id =
            site.json(&["keys", "create", "--plan", "free", "--json"])["id"].as_str().unwrap().to_owned();
        let keys = site.path("keys.txt");
        for (round, permission) in ["book:read", "book:raed", "books:red"].into_iter().enumerate() {
            std::fs::write(&keys, format!("imported-key-{round}\n")).unwrap();
            for words in [
                &["keys", "create", "--plan", "free"][..],
                &["keys", "change", &id],
                &["keys", "import", keys.to_str().unwrap(), "--plan", "free"],
            ] {
                let (err, json) = give(words, permission);
                let told =
                    format!("no endpoint needs the permission `{permission}`; did you mean `books:read`?");
                assert_eq!(err, format!("warning: {told}\n"), "{words:?}");
                assert_eq!(json["warnings"], serde_json::json!([told]), "{words:?}");
                std::fs::write(&keys, format!("imported-key-{round}-again\n")).unwrap();
            }
        }
        for permission in ["books:read", "*"] {
            let (err, json) = give(&["keys", "create", "--plan", "free"], permission);
            assert_eq!((err.as_str(), &json["warnings"]), ("", &serde_json::json!([])));
        }
        let (err, _) = give(&["keys", "create", "--plan", "free"], "orders");
        assert!(err.contains("`orders`, so it has no effect"), "{err}");
    });
}

#[test]
fn a_change_of_a_revoked_key_says_that_it_is_revoked() {
    crate::fixture::with_and_without_gateway(|site, _| {
        let id = site.key_id();
        site.run(&["keys", "revoke", &id]).fine();
        let said = site.run(&["keys", "change", &id, "--plan", "premium"]).fine();
        assert!(said.contains("revoked at "), "{said}");
        assert_eq!(site.json(&["keys", "change", &id, "--name", "old", "--json"])["state"], "revoked");
    });
}

#[test]
fn scopes_of_a_document_are_known_permissions() {
    let site = Site::new();
    std::fs::write(
        site.path("api.yaml"),
        "openapi: 3.1.0\ninfo: {title: A, version: '1'}\nsecurity: [{o: [books:read]}]\npaths: {/books: {get: {responses: {}}}}\n\
         components: {securitySchemes: {o: {type: oauth2, flows: {}}}}\n",
    )
    .unwrap();
    let text = std::fs::read_to_string(site.path("fairgate.toml")).unwrap();
    std::fs::write(site.path("fairgate.toml"), format!("openapi = \"api.yaml\"\n{text}")).unwrap();
    let create = |permission| site.run(&["keys", "create", "--plan", "free", "--permission", permission]);
    assert_eq!(create("books:read").err, "");
    assert!(create("book:read").err.contains("did you mean `books:read`?"));
}
