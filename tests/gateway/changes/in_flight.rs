//! A change while a request is in flight does not affect it, and it settles in the limits that its key has now.

use crate::support::{
    Answer, Config, Connection, Gate, Gateway, Key, Upstream, assert_error, eventually, get, sample::sample,
};

struct Place {
    upstream: Upstream,
    gateway: Gateway,
    config: Config,
    key: Key,
    /// Opened by the upstream when it receives a request.
    asked: Gate,
    /// The upstream responds when this is open.
    may_answer: Gate,
}

/// A gateway before an upstream that answers `/slow/STATUS` once it is released.
fn place() -> Place {
    let (asked, may_answer) = (Gate::default(), Gate::default());
    let (arrived, wait) = (asked.clone(), may_answer.clone());
    let upstream = Upstream::scripted(move |exchange| {
        let Some(status) = exchange.target().strip_prefix("/slow/").and_then(|status| status.parse().ok())
        else {
            return sample(exchange);
        };
        exchange.read_body();
        arrived.open();
        wait.wait();
        exchange.answer(status, &[], b"slow")
    });
    let config = Config::of(&upstream).plan("free", &["5 per day"]).plan("pro", &["100 per day"]);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    Place { upstream, gateway, config, key, asked, may_answer }
}

impl Place {
    /// Sends a request that the upstream has received and not answered.
    fn begin(&self, target: &str) -> Connection {
        let mut connection = self.gateway.connect();
        connection.write(&get(target).key(&self.key).bytes());
        self.asked.wait();
        connection
    }

    fn finish(&self, mut connection: Connection) -> Answer {
        self.may_answer.open();
        connection.answer()
    }

    /// Waits until so many units are used: a response may arrive a moment before it is settled.
    fn assert_used(&self, used: u64, of: u64) {
        eventually(&format!("{used} of {of} are used"), || {
            let limits = self.gateway.limits(&self.key);
            (limits.all[0].amount == of && limits.all[0].used == used).then_some(())
        });
    }
}

#[test]
fn a_key_revoked_in_the_middle_of_a_request_ends_it_as_it_began() {
    let place = place();
    let connection = place.begin("/slow/200");
    place.gateway.run(&["keys", "revoke", &place.key.id]);
    let answer = place.finish(connection);
    assert_eq!((answer.status, answer.text().as_str()), (200, "slow"));
    let id = answer.header("X-Request-Id").unwrap().to_owned();
    assert_eq!(place.gateway.logged(&id)["charged"], 1);
    assert_error(&place.gateway, &place.gateway.send(&get("/a").key(&place.key)), 403, "KEY_REVOKED");
    assert_eq!(place.upstream.count(), 1);
}

#[test]
fn an_error_after_the_key_was_moved_is_given_back_in_the_new_plan() {
    let place = place();
    assert_eq!(place.gateway.send(&get("/a").key(&place.key)).status, 200);
    let connection = place.begin("/slow/404");
    place.gateway.run(&["keys", "change", &place.key.id, "--plan", "pro"]);
    // Requests in flight move along: 1 used, 1 reserved.
    place.assert_used(2, 100);
    assert_eq!(place.finish(connection).status, 404);
    place.assert_used(1, 100);
}

#[test]
fn a_success_after_the_key_was_moved_is_charged_once_in_the_new_plan() {
    let place = place();
    let connection = place.begin("/slow/200");
    place.gateway.run(&["keys", "change", &place.key.id, "--plan", "pro"]);
    place.assert_used(1, 100);
    assert_eq!(place.finish(connection).status, 200);
    place.assert_used(1, 100);
    // A restart keeps it.
    let Place { gateway, key, upstream: _upstream, .. } = place;
    let gateway = Gateway::start_in(&gateway.stop());
    assert_eq!(gateway.used(&key), 1);
}

#[test]
fn an_error_after_the_plan_was_edited_gives_its_unit_back() {
    let place = place();
    for _ in 0..4 {
        assert_eq!(place.gateway.send(&get("/a").key(&place.key)).status, 200);
    }
    let connection = place.begin("/slow/500");
    place.gateway.home().configure(&place.config.clone().plan("free", &["4 per day"]));
    place.gateway.run(&["config", "reload"]);
    // 4 used and 1 reserved, of 4: nothing remains, never a negative number.
    let answer = place.gateway.send(&get("/a").key(&place.key));
    assert_error(&place.gateway, &answer, 429, "API_LIMIT_EXCEEDED");
    assert_eq!(answer.number("X-Rate-Limit-Remaining"), 0);
    assert_eq!(place.finish(connection).status, 500);
    place.gateway.home().configure(&place.config.clone().plan("free", &["6 per day"]));
    place.gateway.run(&["config", "reload"]);
    place.assert_used(4, 6);
}
