//! The configuration is reloaded: all of it applies from the next request on, or none of it.

use crate::support::{
    Config, Connection, Gate, Gateway, Key, Upstream, assert_error, eventually, gateway::Home, get, post,
    sample::sample,
};
use std::{fs, sync::Arc};

fn reload(gateway: &Gateway, config: &Config) -> String {
    gateway.home().configure(config);
    gateway.run(&["config", "reload"])
}

fn with_pattern(config: &Config, pattern: &str) -> Config {
    config.clone().section(&format!("[keys]\nheaders = [\"X-Key\"]\npattern = \"{pattern}\""))
}

#[test]
fn every_part_holds_from_the_next_request_on_also_on_connections_that_are_open() {
    let upstream = Upstream::sample();
    // The file permits endpoints to come and go.
    let config = Config::of(&upstream).top("allow_no_endpoints = true");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let mut open = gateway.connect();
    assert_eq!(open.send(&get("/items/7").key(&key)).status, 200);

    assert_eq!(
        reload(&gateway, &config.clone().section("[sizes]\nmax_body_size = \"1KiB\"")),
        "Changed: [sizes].\n"
    );
    let large = post("/a", &"x".repeat(2000)).key(&key);
    assert_error(&gateway, &open.send(&large), 400, "BODY_TOO_LARGE");
    let mut open = gateway.connect();
    assert_eq!(open.send(&get("/items/7").key(&key)).status, 200);

    // The key's header: the connection was idle under the old configuration.
    reload(&gateway, &config.clone().section("[keys]\nheaders = [\"X-Other\", \"X-Key\"]"));
    assert_error(&gateway, &open.send(&get("/items/7").key(&key)), 403, "KEY_NOT_SET");
    assert_eq!(open.send(&get("/items/7").header("X-Key", &key.key)).status, 200);

    reload(&gateway, &config.clone().top("statuses = \"rfc9110\""));
    assert_error(&gateway, &open.send(&get("/items/7")), 401, "KEY_NOT_SET");
    reload(&gateway, &config.clone().top("trailing_slash = \"keep\""));
    assert_eq!(open.send(&get("/items/7/").key(&key)).status, 200);
    reload(&gateway, &config.clone().section("[[moved]]\nfrom = \"/old\"\nto = \"/items/7\""));
    assert_error(&gateway, &open.send(&get("/old").key(&key)), 301, "ENDPOINT_MOVED");

    let permitted = config.clone().endpoint("GET", "/items/{id}", "permission = \"items:write\"\n");
    let output = reload(&gateway, &permitted);
    assert_eq!(output, "Changed: [[moved]], [[endpoints]].\n");
    assert_error(&gateway, &open.send(&get("/items/7").key(&key)), 401, "PERMISSION_DENIED");
    assert_error(&gateway, &open.send(&get("/old").key(&key)), 404, "ENDPOINT_NOT_FOUND");
    let checked = config.clone().endpoint("GET", "/items/{id}", "").parameter(
        "query",
        "limit",
        "type = \"integer\"\nrequired = true\n",
    );
    reload(&gateway, &checked);
    assert_error(&gateway, &open.send(&get("/items/7").key(&key)), 400, "PARAMETER_MISSING");

    reload(&gateway, &config.clone().abuse("errors_per_key = 2\nerrors_per_address = \"off\""));
    eventually("two errors within one minute", || {
        let answer = open.send(&get("/status/404").key(&key));
        (answer.status == 429).then(|| assert_error(&gateway, &answer, 429, "TOO_MANY_ERRORS"))
    });
    assert_eq!(reload(&gateway, &config), "Changed: [abuse].\n");
    assert_eq!(open.send(&get("/items/7").key(&key)).status, 200);
    assert_eq!(reload(&gateway, &config), "No changes.\n");
}

#[test]
fn the_pattern_of_imported_keys_changes_for_commands_and_for_requests() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream);
    let gateway = Gateway::start(&with_pattern(&config, "[a-z]{4}"));
    let import = |key: &str| {
        fs::write(gateway.home().path("keys.txt"), format!("{key}\n")).unwrap();
        let file = gateway.home().path("keys.txt");
        gateway.home().run(&["keys", "import", file.to_str().unwrap(), "--plan", "free"])
    };
    assert_eq!(import("abcd").code, Some(0));
    assert_eq!(gateway.send(&get("/a").header("X-Key", "abcd")).status, 200);
    assert_error(&gateway, &gateway.send(&get("/a").header("X-Key", "12345")), 400, "KEY_FORMAT_INCORRECT");
    reload(&gateway, &with_pattern(&config, "[0-9]{5}"));
    assert_error(&gateway, &gateway.send(&get("/a").header("X-Key", "12345")), 403, "KEY_NOT_VALID");
    assert_ne!(import("efgh").code, Some(0));
    assert_eq!(import("12345").code, Some(0));
    assert_eq!(gateway.send(&get("/a").header("X-Key", "12345")).status, 200);
}

#[test]
fn limits_of_addresses_come_change_and_keep_what_was_used() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).endpoint("GET", "/items/{id}", "public = true\n");
    let gateway = Gateway::start(&config);
    let limited = |limit: &str| config.clone().section(&format!("[address]\nlimits = [{limit:?}]"));
    assert_eq!(gateway.send(&get("/items/7")).status, 200);
    assert_eq!(reload(&gateway, &limited("3 per day")), "Changed: [address].\n");
    for _ in 0..3 {
        assert_eq!(gateway.send(&get("/items/7")).status, 200);
    }
    assert_error(&gateway, &gateway.send(&get("/items/7")), 429, "API_LIMIT_EXCEEDED");
    reload(&gateway, &limited("5 per day"));
    let answer = gateway.send(&get("/items/7"));
    assert_eq!((answer.status, answer.number("X-Rate-Limit-Remaining")), (200, 1));
    reload(&gateway, &config);
    assert_eq!(gateway.send(&get("/items/7")).status, 200);
    // What was used under them counts when they return, also after a restart.
    reload(&gateway, &limited("5 per day"));
    let home = gateway.stop();
    let gateway = Gateway::start_in(&home);
    let answer = gateway.send(&get("/items/7"));
    assert_eq!((answer.status, answer.number("X-Rate-Limit-Remaining")), (200, 0));
}

#[test]
fn requests_go_to_another_upstream_at_once_and_those_that_run_end_where_they_began() {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let old = Upstream::scripted(move |exchange| {
        if exchange.target() == "/slow" {
            wait.wait();
            return exchange.answer(200, &[], b"the old one");
        }
        sample(exchange)
    });
    let new = Upstream::sample();
    let config = |upstream: &Upstream, cost: &str| {
        Config::of(upstream).endpoint("GET", "/slow", cost).endpoint("GET", "/items/{id}", cost)
    };
    let gateway = Gateway::start(&config(&old, "cost = 2\n"));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    let mut slow = gateway.connect();
    slow.write(&get("/slow").key(&key).bytes());
    eventually("it is at the old upstream", || (old.count() == 2).then_some(()));
    reload(&gateway, &config(&new, "cost = 5\n"));
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    assert_eq!((old.count(), new.count()), (2, 1));
    may_answer.open();
    assert_eq!(slow.answer().text(), "the old one");
    assert_eq!(gateway.used(&key), 2 + 2 + 5, "a request costs what it cost when it began");
    // The connection that returns from the old upstream is not reused.
    for _ in 0..4 {
        assert_eq!(slow.send(&get("/items/7").key(&key)).status, 200);
    }
    assert_eq!((old.count(), new.count()), (2, 5));
}

#[test]
fn usage_is_reported_under_the_names_that_endpoints_had() {
    let upstream = Upstream::sample();
    let first = Config::of(&upstream).endpoint("GET", "/items/{id}", "").endpoint("POST", "/items", "");
    let second = Config::of(&upstream)
        .endpoint("GET", "/bytes/{count}", "")
        .endpoint("POST", "/items", "")
        .endpoint("GET", "/items/{id}", "");
    let gateway = Gateway::start(&first);
    let key = gateway.key();
    let get_both = |connection: &mut Connection| {
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
        assert_eq!(connection.send(&post("/items", "{}").key(&key)).status, 200);
    };
    let mut open = gateway.connect();
    get_both(&mut open);
    // What is not written yet was counted under the first configuration.
    reload(&gateway, &second);
    get_both(&mut open);
    assert_eq!(open.send(&get("/bytes/10").key(&key)).status, 200);
    let home = gateway.stop();
    let requests = |endpoint: &str| {
        let out = home.run_well(&["usage", "--json", "--since", "1h", "--endpoint", endpoint]);
        let usage: serde_json::Value = serde_json::from_str(&out).unwrap();
        usage["total"]["requests"].as_u64().unwrap()
    };
    assert_eq!(
        (requests("GET /items/{id}"), requests("POST /items"), requests("GET /bytes/{count}")),
        (2, 2, 1),
        "a tally was reported under another endpoint's name"
    );
}

#[test]
fn what_only_a_start_can_change_is_named_and_nothing_of_that_file_is_taken() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["3 per day"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let edited = config.plan("free", &["5 per day"]).listen("address = \"127.0.0.1:0\"\nthreads = 3");
    gateway.home().configure(&edited);
    let output = gateway.home().run(&["config", "reload"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output.err.contains("nothing was changed") && output.err.contains("`[listen] threads`"),
        "{output:?}"
    );
    assert_eq!(gateway.send(&get("/a").key(&key)).number("X-Rate-Limit-Limit"), 3);
    let home = gateway.stop();
    let gateway = Gateway::start_in(&home);
    assert_eq!(gateway.send(&get("/a").key(&key)).number("X-Rate-Limit-Limit"), 5);
}

#[test]
fn each_setting_that_only_a_start_can_change_is_refused_by_name_in_a_reload() {
    const TLS: &str = "[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\nclient_ca = \
        \"tests.pem\"\nclient_certificate = \"optional\"\nmin_version = \"1.2\"\n[tls.acme]\ndomains = \
        [\"a.example\"]\ndirectory = \"https://127.0.0.1:1/directory\"\nchallenge = \"tls-alpn-01\"\n";
    let upstream = Upstream::sample();
    let config =
        Config::of(&upstream).plan("free", &["3 per day"]).store("durable = true").over_tls().section(TLS);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let limit = || gateway.send(&get("/_limits").key(&key)).json()["limits"][0]["amount"].as_u64();
    let home = gateway.home();
    let written = fs::read_to_string(home.config()).unwrap();
    fs::copy(home.path("tests.pem"), home.path("other.pem")).unwrap();
    fs::copy(home.path("tests.key"), home.path("other.key")).unwrap();
    let memory = home.memory().to_str().unwrap();
    let data = home.path("data");
    for (from, to, named) in [
        ("[listen]\naddress = \"127.0.0.1:0\"", "[listen]\naddress = \"127.0.0.1:1\"", "`[listen] address`"),
        ("threads = 2", "threads = 3", "`[listen] threads`"),
        ("[tls]\naddress = \"127.0.0.1:0\"", "[tls]\naddress = \"127.0.0.1:1\"", "where `[tls]` listens"),
        ("[tls]\n", "[tls]\nplaintext = \"off\"\n", "where `[tls]` listens"),
        ("certificate = \"tests.pem\"", "certificate = \"other.pem\"", "which files `[tls]` names"),
        ("key = \"tests.key\"", "key = \"other.key\"", "which files `[tls]` names"),
        ("client_ca = \"tests.pem\"", "client_ca = \"other.pem\"", "which files `[tls]` names"),
        ("min_version = \"1.2\"", "min_version = \"1.3\"", "which files `[tls]` names"),
        ("[\"a.example\"]", "[\"b.example\"]", "which files `[tls]` names"),
        ("client_certificate = \"optional\"", "plaintext = \"redirect\"", "which files `[tls]` names"),
        ("durable = true", "durable = false", "`[store] durable`"),
        (memory, "elsewhere", "`[store] shared_memory`"),
        (data.to_str().unwrap(), "elsewhere", "`[store] path`"),
    ] {
        // A command finds the gateway by the file's store, so a changed store is reloaded by a signal.
        let next = written.replace(from, to).replace("3 per day", "5 per day");
        assert!(next != written && !next.contains("3 per day"), "{from}");
        let before = gateway.log().matches("configuration not taken over").count();
        fs::write(home.config(), next).unwrap();
        gateway.hang_up();
        eventually("the reload is refused", || {
            (gateway.log().matches("configuration not taken over").count() > before).then_some(())
        });
        let error = gateway.event("configuration not taken over")["error"].as_str().unwrap().to_owned();
        assert!(
            error.contains(&format!("nothing was changed, because {named} can only change")),
            "{to}: {error}"
        );
        fs::write(home.config(), &written).unwrap();
        assert_eq!(limit(), Some(3), "{to}");
    }
    // The same file without such a change is loaded.
    fs::write(home.config(), written.replace("3 per day", "5 per day")).unwrap();
    gateway.run(&["config", "reload"]);
    assert_eq!(limit(), Some(5));
}

#[test]
fn the_log_follows_the_configuration() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let id = gateway.send(&get("/a").key(&key)).header("X-Request-Id").unwrap().to_owned();
    gateway.logged(&id);
    let text = fs::read_to_string(gateway.home().config()).unwrap();
    let quiet = text.replace("requests = \"all\"", "requests = \"errors\"");
    assert_ne!(text, quiet);
    fs::write(gateway.home().config(), quiet).unwrap();
    assert_eq!(gateway.run(&["config", "reload"]), "Changed: [log].\n");
    let silent = gateway.send(&get("/a").key(&key)).header("X-Request-Id").unwrap().to_owned();
    let id = gateway.send(&get("/a")).header("X-Request-Id").unwrap().to_owned();
    gateway.logged(&id);
    assert!(!gateway.log().contains(&silent));
}

fn limit_of(gateway: &Gateway, key: &Key) -> u64 {
    gateway.send(&get("/_limits").key(key)).json()["limits"][0]["amount"].as_u64().unwrap()
}

#[test]
fn a_replaced_file_is_loaded_and_a_faulty_one_is_logged_once_and_ignored() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).watched().plan("free", &["3 per day"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let home: &Arc<Home> = gateway.home();
    // Written in place, as `cp` does.
    home.configure(&config.clone().plan("free", &["4 per day"]));
    eventually("the file is loaded", || (limit_of(&gateway, &key) == 4).then_some(()));
    // Replaced by another one, as editors do.
    let text = fs::read_to_string(home.config()).unwrap();
    fs::write(home.path("aside"), text.replace("4 per day", "5 per day")).unwrap();
    fs::rename(home.path("aside"), home.config()).unwrap();
    eventually("the file is loaded", || (limit_of(&gateway, &key) == 5).then_some(()));
    // Replaced by a link, as Kubernetes does.
    fs::write(home.path("mounted"), text.replace("4 per day", "6 per day")).unwrap();
    std::os::unix::fs::symlink(home.path("mounted"), home.path("aside")).unwrap();
    fs::rename(home.path("aside"), home.config()).unwrap();
    eventually("the file is loaded", || (limit_of(&gateway, &key) == 6).then_some(()));

    fs::write(home.path("mounted"), text.replace("4 per day", "7 per fortnight")).unwrap();
    eventually("the fault is logged", || gateway.has_event("configuration not taken over").then_some(()));
    assert_eq!(limit_of(&gateway, &key), 6);
    fs::write(home.path("mounted"), text.replace("4 per day", "8 per day")).unwrap();
    eventually("the file is loaded", || (limit_of(&gateway, &key) == 8).then_some(()));
    let logged = |what: &str| gateway.log().matches(what).count();
    // What applies already is logged a moment later.
    eventually("all reloads are logged", || (logged("configuration read again") >= 4).then_some(()));
    assert_eq!(logged("configuration not taken over"), 1);
    assert_eq!(logged("configuration read again"), 4);
}

#[test]
fn a_file_that_is_still_being_written_is_not_taken() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).watched().plan("free", &["3 per day"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let text = fs::read_to_string(gateway.home().config()).unwrap();
    let next = text.replace("3 per day", "4 per day") + "[sizes]\nmax_body_size = \"1KiB\"\n";
    // Every state of the file is a whole configuration, and the last but one is without its last table.
    let begun = std::time::Instant::now();
    let growing = next.replace("[sizes]\nmax_body_size = \"1KiB\"\n", "");
    let mut comments = String::new();
    while begun.elapsed().as_millis() < 2500 {
        comments.push_str("# more is coming\n");
        fs::write(gateway.home().config(), format!("{growing}{comments}")).unwrap();
        assert_eq!(limit_of(&gateway, &key), 3, "half of a file was loaded");
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    fs::write(gateway.home().config(), next).unwrap();
    eventually("the file is loaded", || (limit_of(&gateway, &key) == 4).then_some(()));
    let large = post("/a", &"x".repeat(2000)).key(&key);
    assert_error(&gateway, &gateway.send(&large), 400, "BODY_TOO_LARGE");
}

#[test]
fn a_change_in_any_file_of_the_document_is_named_also_within_the_same_second() {
    let upstream = Upstream::sample();
    let root =
        "openapi: 3.1.0\ninfo: {title: Items, version: '1'}\npaths:\n  /items/{id}:\n    $ref: part.yaml\n";
    let part = |method: &str| format!("{method}:\n  responses: {{'200': {{description: fine}}}}\n");
    let home = Home::new(&Config::of(&upstream).document(root));
    fs::write(home.path("part.yaml"), part("get")).unwrap();
    let gateway = Gateway::start_in(&home);
    let key = gateway.key();
    assert!(gateway.run(&["config", "reload"]).contains("No changes"));
    fs::write(home.path("part.yaml"), part("delete")).unwrap();
    let output = gateway.run(&["config", "reload"]);
    assert!(output.contains("the OpenAPI document"), "{output}");
    assert_error(&gateway, &gateway.send(&get("/items/7").key(&key)), 404, "METHOD_NOT_AVAILABLE");
    // Touched, not changed.
    fs::write(home.path("openapi.yaml"), root).unwrap();
    assert!(gateway.run(&["config", "reload"]).contains("No changes"));
}

#[test]
fn an_edited_document_is_taken_over() {
    let upstream = Upstream::sample();
    let document = |path: &str| {
        format!(
            "openapi: 3.1.0\ninfo: {{title: Items, version: '1'}}\npaths:\n  {path}:\n    get:\n      \
             responses: {{'200': {{description: fine}}}}\n"
        )
    };
    let gateway = Gateway::start(&Config::of(&upstream).watched().document(&document("/items/{id}")));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    assert_eq!(gateway.send(&get("/bytes/7").key(&key)).status, 404);
    fs::write(gateway.home().path("openapi.yaml"), document("/bytes/{count}")).unwrap();
    eventually("the document is loaded", || {
        (gateway.send(&get("/bytes/7").key(&key)).status == 200).then_some(())
    });
    assert_error(&gateway, &gateway.send(&get("/items/7").key(&key)), 404, "ENDPOINT_NOT_FOUND");
    let served = gateway.send(&get("/_docs/openapi.json")).text();
    assert!(served.contains("/bytes/{count}") && !served.contains("/items/{id}"), "{served}");
}
