//! Never over-admitted: 64 connections race for the last 10 units, round after round.
//!
//! `FAIRGATE_RACE_ROUNDS=1000` is the long form.

use crate::support::{Config, Gateway, Key, Upstream, get, post, sample::sample};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
};

const RACERS: usize = 64;
const UNITS: u64 = 10;

fn rounds() -> usize {
    std::env::var("FAIRGATE_RACE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100)
}

fn place(cost: u64) -> (Upstream, Gateway) {
    let upstream = Upstream::scripted(sample);
    let limits = [format!("{} per day", UNITS * cost), format!("{} per month", UNITS * cost * 2)];
    let config = Config::of(&upstream)
        .plan("free", &[&limits[0], &limits[1]])
        .endpoint("POST", "/spend", &format!("cost = {cost}"))
        .endpoint("GET", "/status/{n}", "");
    (upstream, Gateway::start(&config))
}

/// The results of one round.
#[derive(Debug)]
struct Round {
    won: u64,
    denied: u64,
    odd: u64,
    /// Successes that the upstream saw.
    reached: u64,
}

impl Round {
    fn check(&self, gateway: &Gateway, key: &Key, cost: u64, failing: bool) {
        assert_eq!(self.odd, 0, "responses that no racer should get: {self:?}");
        assert_eq!(self.won, self.reached, "successes at the clients against the upstream: {self:?}");
        assert!(self.won <= UNITS, "over-admitted: {self:?}");
        if !failing {
            assert_eq!((self.won, self.denied), (UNITS, RACERS as u64 - UNITS), "{self:?}");
        }
        assert_eq!(gateway.used(key), self.won * cost, "charged differently from delivered: {self:?}");
        // What failing requests reserved is released, so that the rest can be spent.
        let mut connection = gateway.connect();
        for _ in self.won..UNITS {
            assert_eq!(connection.send(&post("/spend", "{}").key(key)).status, 200, "{self:?}");
        }
        assert_eq!(connection.send(&post("/spend", "{}").key(key)).status, 429, "{self:?}");
    }
}

/// Races on kept connections for all units of a fresh key each round; every second racer of
/// `failing` rounds sends a request that fails instead, which must release what it reserved.
fn race(cost: u64, rounds: usize, failing: bool) {
    let (upstream, gateway) = place(cost);
    // Keys are made before, so that a round is nothing but the race.
    let file = gateway.home().path("racers.txt");
    let names: Vec<String> = (0..rounds).map(|n| format!("racer-{n:06}")).collect();
    std::fs::write(&file, names.join("\n")).unwrap();
    gateway.run(&["keys", "import", file.to_str().unwrap(), "--plan", "free"]);
    let (start, end) = (Barrier::new(RACERS + 1), Barrier::new(RACERS + 1));
    let (won, denied, odd) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for racer in 0..RACERS {
            let (gateway, names, start, end) = (&gateway, &names, &start, &end);
            let (won, denied, odd) = (&won, &denied, &odd);
            scope.spawn(move || {
                let mut connection = gateway.connect();
                for name in names {
                    start.wait();
                    let fails = failing && racer % 2 == 1;
                    let request = if fails { get("/status/404") } else { post("/spend", "{}") };
                    let request = request.header("X-API-Key", name);
                    // A racer that panicked would leave the others at the barrier for ever.
                    let sent = AssertUnwindSafe(|| connection.send(&request).status);
                    match catch_unwind(sent) {
                        Ok(200) => won.fetch_add(1, Ordering::SeqCst),
                        Ok(429) => denied.fetch_add(1, Ordering::SeqCst),
                        Ok(404) if fails => 0,
                        _ => odd.fetch_add(1, Ordering::SeqCst),
                    };
                    end.wait();
                }
            });
        }
        let mut fault = None;
        for (round, name) in names.iter().enumerate() {
            let seen = upstream.count_of("/spend");
            start.wait();
            end.wait();
            let result = Round {
                won: won.swap(0, Ordering::SeqCst),
                denied: denied.swap(0, Ordering::SeqCst),
                odd: odd.swap(0, Ordering::SeqCst),
                reached: upstream.count_of("/spend") - seen,
            };
            // The racers run all rounds, so a fault is reported once they are done.
            let key = Key { key: name.clone(), id: String::new() };
            let check = AssertUnwindSafe(|| result.check(&gateway, &key, cost, failing));
            if fault.is_none() && catch_unwind(check).is_err() {
                fault = Some(round);
            }
        }
        assert_eq!(fault, None, "the first round that failed (the reason is above)");
    });
}

#[test]
fn of_64_connections_exactly_10_get_the_last_10_units() {
    race(1, rounds(), false);
}

#[test]
fn a_cost_of_three_is_taken_whole_or_not_at_all() {
    race(3, rounds() / 2, false);
}

#[test]
fn requests_that_fail_beside_the_race_neither_lose_nor_win_a_unit() {
    race(1, rounds() / 2, true);
}
