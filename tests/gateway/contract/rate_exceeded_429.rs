//! 429 `RATE_EXCEEDED`: more requests within one second than the plan allows.

use crate::support::{
    Config, Shown, Stage, Upstream, assert_error, eventually, get, limits::assert_limit_headers,
};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["2 per second", "1000 per day"]);
    Stage::new(&config, upstream, (429, "RATE_EXCEEDED"), |stage| {
        // A second may end between two requests, so it sends until one is too many.
        let mut charged = 0;
        let mut connection = stage.gateway.connect();
        let answer = eventually("the rate is exceeded", || {
            let answer = connection.send(&get("/items/7").key(&stage.key));
            charged += u64::from(answer.status == 200);
            (answer.status != 200).then_some(answer)
        });
        Shown { answer, charged }
    })
    .restore_by(|stage| {
        eventually("the second is over", || {
            let limits = stage.gateway.limits(&stage.key);
            limits.all.iter().find(|limit| limit.limit == "2 per second" && limit.remaining == 2).cloned()
        });
    })
}

#[test]
fn the_response_names_the_rate_and_asks_to_retry_in_a_second() {
    let shown = stage().provoke();
    assert_eq!(assert_limit_headers(&shown.answer), (2, 0));
    assert_eq!(shown.answer.number("X-Rate-Limit-Reset"), 1);
    assert_eq!(shown.answer.number("Retry-After"), 1);
    assert!(shown.answer.text().contains("2 per second"), "{}", shown.answer.text());
}

#[test]
fn after_the_second_requests_pass_again() {
    let stage = stage();
    stage.provoke();
    stage.restore();
    assert_eq!(stage.succeed().status, 200);
}

#[test]
fn a_day_that_is_used_up_is_reported_and_not_the_rate_beside_it() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["1000 per second", "2 per day"]);
    let gateway = crate::support::Gateway::start(&config);
    let key = gateway.key();
    for _ in 0..2 {
        assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    }
    assert_error(&gateway, &gateway.send(&get("/a").key(&key)), 429, "API_LIMIT_EXCEEDED");
}
