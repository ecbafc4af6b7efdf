//! Windows remember: what was used in one counts until it ends, whatever limits its key has meanwhile.

use crate::support::{
    Config, Gate, Gateway, Key, Upstream, assert_error, eventually, gateway::Home, get, limits::LimitState,
    sample::sample,
};

/// Every kind that lasts longer than a test.
const KINDS: [&str; 8] = [
    "3 per day",
    "3 per month",
    "3 per day in Asia/Kolkata",
    "3 per rolling day",
    "1 per hour, burst 3",
    "3 in all",
    "3 per day for items",
    "3 per rolling 2 hours for items",
];

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream).endpoint("GET", "/items/{id}", "group = \"items\"").endpoint(
        "GET",
        "/status/{status}",
        "group = \"items\"",
    )
}

fn use_up(gateway: &Gateway, key: &Key, units: usize) {
    for _ in 0..units {
        assert_eq!(gateway.send(&get("/items/7").key(key)).status, 200);
    }
}

#[track_caller]
fn assert_used_up(gateway: &Gateway, key: &Key) {
    let answer = gateway.send(&get("/items/7").key(key));
    assert!(answer.status == 429, "granted again: {answer:?}");
    assert_eq!(answer.number("X-Rate-Limit-Remaining"), 0);
}

fn only(gateway: &Gateway, key: &Key) -> LimitState {
    let [limit] = <[LimitState; 1]>::try_from(gateway.limits(key).all).expect("one limit");
    limit
}

fn reload(gateway: &Gateway, config: &Config) {
    gateway.home().configure(config);
    gateway.run(&["config", "reload"]);
}

#[test]
fn a_key_that_is_moved_to_another_plan_and_back_finds_its_window_used_up() {
    let upstream = Upstream::sample();
    let config = config(&upstream).plan("pro", &["100 per minute"]);
    let plans = KINDS.iter().enumerate();
    let config = plans.fold(config, |config, (number, kind)| config.plan(&format!("plan{number}"), &[*kind]));
    let gateway = Gateway::start(&config);
    for (number, kind) in KINDS.iter().enumerate() {
        let plan = format!("plan{number}");
        let key = gateway.key_with(&["--plan", &plan]);
        let mut connection = gateway.connect();
        for _ in 0..3 {
            assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200, "{kind}");
        }
        for _ in 0..2 {
            gateway.run(&["keys", "change", &key.id, "--plan", "pro"]);
            assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
            gateway.run(&["keys", "change", &key.id, "--plan", &plan]);
            assert_eq!(connection.send(&get("/items/7").key(&key)).status, 429, "{kind}: granted again");
            assert_eq!((only(&gateway, &key).used, only(&gateway, &key).remaining), (3, 0), "{kind}");
        }
    }
}

#[test]
fn a_limit_that_is_taken_out_of_its_plan_and_put_back_goes_on() {
    let upstream = Upstream::sample();
    for kind in KINDS {
        let with = config(&upstream).plan("free", &["100 per minute", kind]);
        let gateway = Gateway::start(&with);
        let key = gateway.key();
        use_up(&gateway, &key, 3);
        reload(&gateway, &config(&upstream).plan("free", &["100 per minute"]));
        use_up(&gateway, &key, 2);
        reload(&gateway, &with);
        assert_used_up(&gateway, &key);
        assert_eq!(gateway.limits(&key).of(kind).used, 3, "{kind}");
    }
}

#[test]
fn a_day_that_becomes_another_zones_and_its_own_again_is_the_same_day() {
    let upstream = Upstream::sample();
    for (kind, other) in [
        ("3 per day", "3 per day in Europe/Berlin"),
        ("3 per month in Asia/Tokyo", "3 per month"),
        ("3 per day", "3 per hour"),
        ("3 per rolling day", "3 per rolling 2 days"),
        ("3 in all", "3 per day"),
        ("3 per day", "9 per day for items"),
    ] {
        let gateway = Gateway::start(&config(&upstream).plan("free", &[kind]));
        let key = gateway.key();
        use_up(&gateway, &key, 3);
        reload(&gateway, &config(&upstream).plan("free", &[other]));
        use_up(&gateway, &key, 1);
        reload(&gateway, &config(&upstream).plan("free", &[kind]));
        assert_used_up(&gateway, &key);
        assert_eq!(only(&gateway, &key).used, 3, "{kind}");
    }
}

#[test]
fn a_rate_that_changes_its_speed_does_not_begin_full() {
    let upstream = Upstream::sample();
    let with = |limit: &str| config(&upstream).plan("free", &[limit]);
    let gateway = Gateway::start(&with("2 per hour, burst 4"));
    let key = gateway.key();
    use_up(&gateway, &key, 4);
    for limit in
        ["3 per hour, burst 4", "1 per hour, burst 3", "2 per hour, burst 4", "1 per minute, burst 4"]
    {
        reload(&gateway, &with(limit));
        if !limit.contains("minute") {
            assert_used_up(&gateway, &key);
        }
        assert!(only(&gateway, &key).used >= 3, "{limit}");
    }
    // The same after a restart in between, and a kill.
    reload(&gateway, &with("4 per hour, burst 4"));
    let gateway = Gateway::start_in(&gateway.stop());
    assert_used_up(&gateway, &key);
    let gateway = Gateway::start_in(&gateway.kill());
    assert_used_up(&gateway, &key);
    reload(&gateway, &with("2 per hour, burst 4"));
    assert_used_up(&gateway, &key);
}

#[test]
fn a_restart_or_a_kill_while_other_limits_hold_forgets_nothing() {
    let upstream = Upstream::sample();
    for kind in KINDS {
        let [with, without] =
            [&[kind][..], &["100 per minute for other"]].map(|limits| config(&upstream).plan("free", limits));
        let mut gateway = Gateway::start(&with);
        let key = gateway.key();
        use_up(&gateway, &key, 3);
        for turn in 0..2 {
            reload(&gateway, &without);
            use_up(&gateway, &key, 1);
            gateway = Gateway::start_in(&if turn == 0 { gateway.stop() } else { gateway.kill() });
            use_up(&gateway, &key, 1);
            reload(&gateway, &with);
            assert_used_up(&gateway, &key);
            assert_eq!(only(&gateway, &key).used, 3, "{kind}");
        }
    }
}

#[test]
fn a_key_that_is_changed_while_no_gateway_runs_finds_its_window_when_it_comes_back() {
    let upstream = Upstream::sample();
    let config = config(&upstream).plan("free", &["3 per day"]).plan("pro", &["100 per minute"]);
    let mut gateway = Gateway::start(&config);
    let key = gateway.key();
    use_up(&gateway, &key, 3);
    let home = gateway.stop();
    home.run_well(&["keys", "change", &key.id, "--plan", "pro"]);
    gateway = Gateway::start_in(&home);
    use_up(&gateway, &key, 2);
    let home = gateway.stop();
    home.run_well(&["keys", "change", &key.id, "--plan", "free"]);
    let gateway = Gateway::start_in(&home);
    assert_used_up(&gateway, &key);
}

#[test]
fn a_limit_of_the_keys_own_that_is_taken_away_and_given_again_goes_on() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream).plan("free", &["100 per minute"]));
    let key = gateway.key_with(&["--plan", "free", "--limit", "3 per day"]);
    use_up(&gateway, &key, 3);
    gateway.run(&["keys", "change", &key.id, "--no-limits"]);
    use_up(&gateway, &key, 2);
    gateway.run(&["keys", "change", &key.id, "--limit", "5 per rolling hour"]);
    use_up(&gateway, &key, 2);
    gateway.run(&["keys", "change", &key.id, "--limit", "4 per day", "--limit", "5 per rolling hour"]);
    use_up(&gateway, &key, 1);
    assert_used_up(&gateway, &key);
    let limits = gateway.limits(&key);
    assert_eq!((limits.of("4 per day").used, limits.of("5 per rolling hour").used), (4, 3));
}

#[test]
fn a_plan_that_was_missing_at_a_start_comes_back_with_what_its_keys_had_used() {
    let upstream = Upstream::sample();
    let with = config(&upstream).plan("pro", &["3 per day"]);
    let home = Home::new(&with);
    let key = home.create_key(&["--plan", "pro"]);
    let gateway = Gateway::start_in(&home);
    use_up(&gateway, &key, 3);
    drop(gateway.stop());
    home.configure(&config(&upstream));
    let gateway = Gateway::start_in(&home);
    assert_error(&gateway, &gateway.send(&get("/items/7").key(&key)), 403, "KEY_NOT_VALID");
    home.configure(&with);
    gateway.run(&["config", "reload"]);
    assert_used_up(&gateway, &key);
    // A recreated plan with the same name and limit is the same plan.
    gateway.run(&["keys", "change", &key.id, "--plan", "free"]);
    reload(&gateway, &config(&upstream));
    reload(&gateway, &with);
    gateway.run(&["keys", "change", &key.id, "--plan", "pro"]);
    assert_used_up(&gateway, &key);
}

#[test]
fn addresses_find_their_windows_used_up_when_their_limits_come_back() {
    let upstream = Upstream::sample();
    let open = Config::of(&upstream).endpoint("GET", "/items/{id}", "public = true");
    let with = |limit: &str| open.clone().section(&format!("[address]\nlimits = [\"{limit}\"]"));
    let mut gateway = Gateway::start(&with("3 per day"));
    let send = |gateway: &Gateway| gateway.send(&get("/items/7")).status;
    for _ in 0..3 {
        assert_eq!(send(&gateway), 200);
    }
    for turn in 0..3 {
        reload(&gateway, &if turn == 0 { with("9 per hour") } else { open.clone() });
        assert_eq!(send(&gateway), 200);
        if turn == 2 {
            gateway = Gateway::start_in(&gateway.kill());
            assert_eq!(send(&gateway), 200);
        }
        reload(&gateway, &with("3 per day"));
        assert_eq!(send(&gateway), 429, "turn {turn}");
    }
}

#[test]
fn what_is_in_flight_while_its_limit_is_gone_settles_in_its_own_window() {
    let (asked, may_answer) = (Gate::default(), Gate::default());
    let (arrived, wait) = (asked.clone(), may_answer.clone());
    let upstream = Upstream::scripted(move |exchange| {
        let Some(status) = exchange.target().strip_prefix("/status/").and_then(|status| status.parse().ok())
        else {
            return sample(exchange);
        };
        exchange.read_body();
        arrived.open();
        wait.wait();
        exchange.answer(status, &[], b"slow")
    });
    let config = config(&upstream).plan("free", &["3 per day", "2 at once"]).plan("pro", &["100 per minute"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    use_up(&gateway, &key, 1);
    let begin = |target: &str| {
        let mut connection = gateway.connect();
        connection.write(&get(target).key(&key).bytes());
        connection
    };
    let (mut good, mut bad) = (begin("/status/200"), begin("/status/404"));
    asked.wait();
    let used = || gateway.limits(&key).all.iter().map(|limit| limit.used).collect::<Vec<_>>();
    eventually("both are in flight", || (used() == [3, 2]).then_some(()));
    gateway.run(&["keys", "change", &key.id, "--plan", "pro"]);
    use_up(&gateway, &key, 1);
    gateway.run(&["keys", "change", &key.id, "--plan", "free"]);
    assert_eq!(used(), [3, 2], "requests in flight count in their own window");
    gateway.run(&["keys", "change", &key.id, "--plan", "pro"]);
    use_up(&gateway, &key, 1);
    may_answer.open();
    assert_eq!((good.answer().status, bad.answer().status), (200, 404));
    eventually("both are settled", || {
        gateway.run(&["keys", "change", &key.id, "--plan", "free"]);
        (used() == [2, 0]).then_some(())
    });
    let gateway = Gateway::start_in(&gateway.kill());
    assert_eq!(gateway.limits(&key).of("3 per day").used, 2);
}

#[test]
fn a_lowered_limit_reports_its_true_use() {
    let upstream = Upstream::sample();
    let with = |limit: &str| config(&upstream).plan("free", &[limit]);
    for (limit, lower) in
        [("9 per day", "4 per day"), ("1 per hour, burst 9", "1 per hour, burst 4"), ("9 in all", "4 in all")]
    {
        let gateway = Gateway::start(&with(limit));
        let key = gateway.key();
        use_up(&gateway, &key, 7);
        reload(&gateway, &with(lower));
        let limit = only(&gateway, &key);
        assert_eq!((limit.quota, limit.used, limit.remaining), (4, 7, 0), "{lower}");
        assert_used_up(&gateway, &key);
    }
}
