//! An upstream with a rate limiter sends limit headers of its own. Clients that get Fairgate's limits get those alone.

use crate::support::{Config, Gateway, Upstream, get};

const FOREIGN: [(&str, &str); 15] = [
    ("X-RateLimit", "5"),
    ("X-Rate-Limit", "5"),
    ("X-RateLimit-Limit", "5"),
    ("x-ratelimit-remaining", "4"),
    ("X-RateLimit-Reset", "1764460800"),
    ("X-RateLimit-Used", "1"),
    ("X-RateLimit-Limit-Minute", "5"),
    ("X-Rate-Limit-Limit", "5"),
    ("X-Rate-Limit-Used", "5"),
    ("RateLimit", "limit=5, remaining=4, reset=9"),
    ("RateLimit-Limit", "5"),
    ("RateLimit-Remaining", "4"),
    ("RateLimit-Reset", "9"),
    ("RateLimit-Policy", "5;w=60"),
    ("Retry-After", "9"),
];

fn upstream() -> Upstream {
    Upstream::scripted(|exchange| {
        let status = exchange.target().rsplit('/').next().unwrap().parse().unwrap();
        let mut fields = FOREIGN.to_vec();
        fields.extend([("X-Rated", "no"), ("X-Retry-After-All", "yes"), ("Location", "/a")]);
        exchange.answer(status, &fields, b"{}")
    })
}

/// Names of the upstream's limit headers in this response, except those that the gateway itself sends.
fn foreign(answer: &crate::support::Answer) -> Vec<&'static str> {
    let ours = ["X-Rate-Limit-Limit", "RateLimit", "RateLimit-Policy"];
    let names = FOREIGN.iter().map(|(name, _)| *name).filter(|name| !ours.contains(name));
    names.filter(|name| answer.headers.has(name)).collect()
}

#[test]
fn a_client_with_limits_here_reads_one_truth() {
    let upstream = upstream();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for status in [200, 201, 204, 206] {
        let answer = gateway.send(&get(&format!("/{status}")).key(&key));
        assert_eq!((answer.status, foreign(&answer)), (status, vec![]), "{answer:?}");
        assert_eq!(answer.number("X-Rate-Limit-Limit"), 1_000_000);
        for name in ["X-Rate-Limit-Limit", "RateLimit", "RateLimit-Policy"] {
            assert_eq!(answer.headers.all(name).len(), 1, "{answer:?}");
        }
        assert!(answer.headers.has("X-Rated") && answer.headers.has("X-Retry-After-All"), "{answer:?}");
    }
    // Here Retry-After says when to request what is not ready yet (RFC 9110 section 10.2.3).
    for status in [202, 302] {
        let answer = gateway.send(&get(&format!("/{status}")).key(&key));
        assert_eq!((answer.status, foreign(&answer)), (status, vec!["Retry-After"]), "{answer:?}");
    }
    for status in [404, 503] {
        let answer = gateway.send(&get(&format!("/{status}")).key(&key));
        assert_eq!(foreign(&answer), ["Retry-After"], "{answer:?}");
    }
}

#[test]
fn they_pass_where_fairgate_sends_no_limits_and_where_the_operator_wants_them() {
    let upstream = upstream();
    let gateway = Gateway::start(&Config::of(&upstream).endpoint("GET", "/open/{n}", "public = true"));
    let answer = gateway.send(&get("/open/200"));
    assert_eq!((answer.status, foreign(&answer).len()), (200, 12), "{answer:?}");
    let passing = Gateway::start(&Config::of(&upstream).upstream("rate_limit_headers = \"pass\""));
    let answer = passing.send(&get("/200").key(&passing.key()));
    assert_eq!((answer.status, foreign(&answer).len()), (200, 12), "{answer:?}");
    assert_eq!(answer.number("X-Rate-Limit-Limit"), 1_000_000);
}
