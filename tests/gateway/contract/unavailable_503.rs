//! 503 `UNAVAILABLE`: the upstream cannot answer for the moment, or limits the gateway.

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (503, "UNAVAILABLE"), |stage| stage.send(get("/status/503")))
}

/// A date in so many seconds.
fn date_in(seconds: i64) -> String {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[test]
fn the_upstreams_429_and_503_keep_their_retry_after() {
    let date = date_in(1000);
    let upstream = Upstream::scripted({
        let date = date.clone();
        move |exchange| {
            let (status, retry) = match exchange.target() {
                "/429" => (429, "77"),
                "/503" => (503, "120"),
                _ => (503, date.as_str()),
            };
            let fields =
                [("Retry-After", retry), ("X-Rate-Limit-Limit", "5"), ("Content-Type", "application/json")];
            exchange.answer(status, &fields, b"{\"message\":\"Too busy just now.\"}")
        }
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for (path, retry) in [("/429", "77"), ("/503", "120"), ("/date", &date)] {
        let answer = gateway.send(&get(path).key(&key));
        assert_error(&gateway, &answer, 503, "UNAVAILABLE");
        assert_eq!(answer.header("Retry-After"), Some(retry));
        assert!(answer.text().contains("Too busy just now."), "{}", answer.text());
        // The upstream's limit is not this client's: the headers are those of the key's plan.
        assert_eq!(answer.number("X-Rate-Limit-Limit"), 1_000_000);
    }
}

#[test]
fn a_retry_after_lets_nobody_retry_at_once_whatever_the_upstream_sends() {
    const LONGEST: &str = "2147483";
    let values: Vec<(String, &str)> = vec![
        ("0".into(), "1"),
        ("00".into(), "1"),
        (date_in(-5), "1"),
        ("Thu, 01 Jan 1970 00:00:00 GMT".into(), "1"),
        // Timers of JavaScript overflow above that, and are over at once.
        ("2147484".into(), LONGEST),
        ("99999999999999999999".into(), LONGEST),
        (date_in(3_000_000_000), LONGEST),
        // A value without a meaning is not passed on.
        ("-1".into(), "10"),
        ("1.5".into(), "10"),
        ("soon".into(), "10"),
        ("".into(), "10"),
    ];
    let sent = values.clone();
    let upstream = Upstream::scripted(move |exchange| {
        let (status, number) = exchange.target()[1..].split_once('/').unwrap();
        let retry = sent[number.parse::<usize>().unwrap()].0.as_str();
        let status = status.parse().unwrap();
        exchange.answer(status, &[("Retry-After", retry)], b"")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    for status in [429, 503, 404] {
        for (number, (sent, retry)) in values.iter().enumerate() {
            let answer = connection.send(&get(&format!("/{status}/{number}")).key(&key));
            // In other errors, a value without a meaning is omitted.
            let retry = (status != 404 || *retry != "10").then_some(*retry);
            assert_eq!(answer.header("Retry-After"), retry, "{status} with {sent:?}");
        }
    }
}

#[test]
fn a_503_without_retry_after_gets_one() {
    let stage = stage();
    for path in ["/status/503", "/status/429", "/html/503"] {
        let answer = stage.send(get(path));
        assert_error(&stage.gateway, &answer, 503, "UNAVAILABLE");
        assert!(answer.number("Retry-After") >= 1);
    }
}
