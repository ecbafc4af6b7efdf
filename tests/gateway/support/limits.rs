//! What a key may still use: as `/_limits` and as the headers report it, and when two reports are equal.

use super::{
    answer::Answer,
    client::Connection,
    gateway::{Gateway, Key},
    request::get,
};
use std::time::Instant;

/// One limit of a key as `/_limits` reports it.
#[derive(Debug, Clone)]
pub(crate) struct LimitState {
    pub(crate) limit: String,
    pub(crate) amount: u64,
    /// The maximum that can remain: the amount, or the burst of a rate.
    pub(crate) quota: u64,
    pub(crate) remaining: u64,
    pub(crate) used: u64,
    /// Seconds. None: it never resets.
    pub(crate) reset: Option<u64>,
}

/// All limits of a key at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) at: Instant,
    pub(crate) all: Vec<LimitState>,
}

impl Gateway {
    /// Requests all limits of a key, which is free.
    #[track_caller]
    pub(crate) fn limits(&self, key: &Key) -> Limits {
        Limits::ask(&mut self.connect(), key)
    }

    /// Units of the longest limit that a key has used.
    #[track_caller]
    pub(crate) fn used(&self, key: &Key) -> u64 {
        self.limits(key).all.iter().map(|limit| limit.used).max().expect("a plan has a limit")
    }
}

impl Limits {
    /// Requests them on an open connection.
    #[track_caller]
    pub(crate) fn ask(connection: &mut Connection, key: &Key) -> Self {
        let answer = connection.send(&get("/_limits").key(key));
        assert_eq!(answer.status, 200, "/_limits: {answer:?}");
        let page = answer.json();
        let all = page["limits"].as_array().unwrap_or_else(|| panic!("no limits in {page}"));
        let number = |limit: &serde_json::Value, name: &str| {
            limit[name].as_u64().unwrap_or_else(|| panic!("no {name} in {page}"))
        };
        let all: Vec<LimitState> = all
            .iter()
            .map(|limit| LimitState {
                limit: limit["limit"].as_str().unwrap_or_else(|| panic!("no limit in {page}")).to_owned(),
                amount: number(limit, "amount"),
                quota: number(limit, "quota"),
                remaining: number(limit, "remaining"),
                used: number(limit, "used"),
                reset: limit["reset"].as_u64(),
            })
            .collect();
        for limit in &all {
            let left = limit.quota.saturating_sub(limit.used);
            assert_eq!(limit.remaining, left, "the sum is wrong in {page}");
            assert_ne!(limit.reset, Some(0), "{page}");
        }
        Self { at: Instant::now(), all }
    }

    /// The limit with this text.
    #[track_caller]
    pub(crate) fn of(&self, limit: &str) -> &LimitState {
        let found = self.all.iter().find(|one| one.limit == limit);
        found.unwrap_or_else(|| panic!("no limit {limit:?} in {self:?}"))
    }

    /// Asserts that exactly so many units were charged since `before`, and that no window moved.
    /// Limits per second and minute are skipped: their windows may end meanwhile.
    #[track_caller]
    pub(crate) fn assert_charged_since(&self, before: &Self, units: u64, why: &str) {
        let elapsed = self.at.duration_since(before.at).as_secs() + 1;
        assert_eq!(self.all.len(), before.all.len(), "{why}");
        for (now, then) in self.all.iter().zip(&before.all) {
            assert_eq!(now.limit, then.limit, "{why}");
            if now.limit.ends_with("second") || now.limit.ends_with("minute") {
                continue;
            }
            // At midnight UTC the window does end, and nothing can be compared.
            let (reset, earlier) = (now.reset.unwrap_or(0), then.reset.unwrap_or(0));
            if reset > earlier {
                continue;
            }
            assert_eq!(now.used, then.used + units, "{why}: charged wrongly, {now:?} after {then:?}");
            assert!(earlier - reset <= elapsed, "{why}: the window moved, {now:?} after {then:?}");
        }
    }
}

/// Asserts that both families of limit headers are present and agree; returns (limit, remaining).
#[track_caller]
pub(crate) fn assert_limit_headers(answer: &Answer) -> (u64, u64) {
    let limit = answer.number("X-Rate-Limit-Limit");
    let remaining = answer.number("X-Rate-Limit-Remaining");
    let reset = answer.number("X-Rate-Limit-Reset");
    assert!(remaining <= limit, "more remains than there is: {answer:?}");
    assert!(reset >= 1, "a reset of 0: {answer:?}");
    let policies = answer.headers.all("RateLimit-Policy").join(", ");
    let states = answer.headers.all("RateLimit").join(", ");
    assert!(policies.contains(&format!(";q={limit}")), "no q={limit} in RateLimit-Policy {policies:?}");
    assert!(states.contains(&format!(";r={remaining}")), "no r={remaining} in RateLimit {states:?}");
    assert_eq!(policies.split(',').count(), states.split(',').count(), "{policies:?} against {states:?}");
    (limit, remaining)
}

#[track_caller]
pub(crate) fn assert_no_limit_headers(answer: &Answer) {
    for (name, _) in &answer.headers.0 {
        let name = name.to_ascii_lowercase();
        assert!(!name.starts_with("x-rate-limit") && !name.starts_with("ratelimit"), "{name} in {answer:?}");
    }
}
