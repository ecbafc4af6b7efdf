//! Edited plans: they apply at once to every key, open connections included, and keep what was used.

use crate::support::{Config, Gateway, Upstream, assert_error, eventually, gateway::Home, get};

#[test]
fn an_edited_plan_holds_for_open_connections_and_keeps_what_was_used() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["3 per day"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let mut connection = gateway.connect();
    for _ in 0..3 {
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
    }
    assert_error(&gateway, &connection.send(&get("/items/7").key(&key)), 429, "API_LIMIT_EXCEEDED");

    gateway.home().configure(&config.clone().plan("free", &["10 per day"]));
    let output = gateway.run(&["config", "reload"]);
    assert_eq!(output, "Plans changed: free.\n");
    let answer = connection.send(&get("/items/7").key(&key));
    assert_eq!((answer.status, answer.number("X-Rate-Limit-Limit")), (200, 10));
    assert_eq!(answer.number("X-Rate-Limit-Remaining"), 6);

    // Lower than what is used: nothing remains, never a negative number.
    gateway.home().configure(&config.clone().plan("free", &["2 per day"]));
    gateway.run(&["config", "reload"]);
    let answer = connection.send(&get("/items/7").key(&key));
    assert_error(&gateway, &answer, 429, "API_LIMIT_EXCEEDED");
    assert_eq!((answer.number("X-Rate-Limit-Limit"), answer.number("X-Rate-Limit-Remaining")), (2, 0));
    assert_eq!(upstream.count(), 4);
}

#[test]
fn a_plan_that_was_lowered_below_what_is_used_opens_with_its_next_window() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["50 per second"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let mut connection = gateway.connect();
    // Uses the current second up beyond the plan below, as soon as that succeeds.
    eventually("a second in which more is used than the new plan grants", || {
        gateway.home().configure(&config.clone().plan("free", &["50 per second"]));
        gateway.run(&["config", "reload"]);
        gateway.home().configure(&config.clone().plan("free", &["2 per second"]));
        for _ in 0..10 {
            assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
        }
        gateway.run(&["config", "reload"]);
        let answer = connection.send(&get("/items/7").key(&key));
        (answer.status == 429).then(|| assert_eq!(answer.number("X-Rate-Limit-Remaining"), 0))
    });
    eventually("the next second", || (connection.send(&get("/a").key(&key)).status == 200).then_some(()));
}

#[test]
fn a_signal_does_the_same_as_the_command_and_the_reference_shows_it() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["3 per day"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    gateway.home().configure(&config.clone().plan("free", &["7 per day"]).plan("pro", &["9 per day"]));
    gateway.hang_up();
    eventually("the plan applies", || {
        let answer = gateway.send(&get("/_limits").key(&key));
        (answer.json()["limits"][0]["amount"] == 7).then_some(())
    });
    eventually("it is logged", || {
        let log = gateway.log();
        (log.contains("\"plans_added\":\"pro\"") && log.contains("\"plans_changed\":\"free\"")).then_some(())
    });
    let page = gateway.send(&get("/_docs/limits").header("Accept", "text/markdown")).text();
    assert!(page.contains("7 per day") && page.contains("9 per day"), "{page}");
    let added = gateway.key_with(&["--plan", "pro"]);
    assert_eq!(gateway.send(&get("/a").key(&added)).number("X-Rate-Limit-Limit"), 9);
}

#[test]
fn a_plan_that_keys_have_cannot_be_taken_out() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("pro", &["9 per day"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key_with(&["--plan", "pro"]);
    gateway.home().configure(&Config::of(&upstream).plan("free", &["1 per day"]));
    let output = gateway.home().run(&["config", "reload"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.err.contains("`pro`") && output.err.contains("nothing was changed"), "{output:?}");
    let free = gateway.key();
    let answer = gateway.send(&get("/a").key(&free));
    assert_eq!(answer.number("X-Rate-Limit-Limit"), 1_000_000, "half of the file was loaded");
    assert_eq!(gateway.send(&get("/a").key(&key)).number("X-Rate-Limit-Limit"), 9);
    // Once its keys have another plan, it can go.
    gateway.home().configure(&config);
    gateway.run(&["keys", "change", &key.id, "--plan", "free"]);
    gateway.home().configure(&Config::of(&upstream));
    assert_eq!(gateway.run(&["config", "reload"]), "Plans removed: pro.\n");
    assert_eq!(gateway.send(&get("/a").key(&key)).number("X-Rate-Limit-Limit"), 1_000_000);
}

#[test]
fn a_plan_that_comes_back_lets_its_keys_in() {
    let upstream = Upstream::sample();
    let with = Config::of(&upstream).plan("pro", &["9 per day"]);
    let home = Home::new(&with);
    let key = home.create_key(&["--plan", "pro"]);
    home.configure(&Config::of(&upstream));
    let gateway = Gateway::start_in(&home);
    assert_error(&gateway, &gateway.send(&get("/a").key(&key)), 403, "KEY_NOT_VALID");
    home.configure(&with);
    assert_eq!(gateway.run(&["config", "reload"]), "Plans added: pro.\n");
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
}

#[test]
fn a_faulty_file_changes_nothing_and_the_log_names_the_reason() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["3 per day"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let command = gateway.home().config();
    gateway.home().configure(&config.clone().plan("free", &["3 per fortnight"]));
    let check = gateway.home().run(&["config", "check"]);
    gateway.hang_up();
    eventually("the fault is logged", || {
        gateway.log().contains("configuration not taken over").then_some(())
    });
    assert!(gateway.log().contains("3 per fortnight"), "{}", gateway.log());
    assert!(check.err.contains("3 per fortnight"), "{check:?}");
    assert_eq!(gateway.send(&get("/a").key(&key)).number("X-Rate-Limit-Limit"), 3);
    std::fs::remove_file(command).unwrap();
    gateway.hang_up();
    eventually("the missing file is logged", || {
        gateway.log().contains("there is no such file").then_some(())
    });
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
}

#[test]
fn without_a_gateway_there_is_nothing_to_reload() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    let output = home.run(&["config", "reload"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.err.contains("no gateway runs"), "{output:?}");
}
