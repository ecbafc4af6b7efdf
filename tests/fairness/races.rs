//! Never over-admitted: 64 connections race for the last 10 units, round after round.
//!
//! `FAIRGATE_RACE_ROUNDS=1000` is the long form.

use crate::support::{Config, Connection, Gateway, Key, Upstream, get, post, sample::sample};
use std::sync::{
    Barrier,
    atomic::{AtomicU64, Ordering},
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

/// Races on kept connections for all units of a fresh key each round; every second racer of
/// `failing` rounds sends a request that fails instead, which must give back what it reserved.
fn race(cost: u64, rounds: usize, failing: bool) {
    let (upstream, gateway) = place(cost);
    // Keys are made before, so that a round is nothing but the race.
    let file = gateway.home().path("racers.txt");
    let names: Vec<String> = (0..rounds).map(|n| format!("racer-{n:06}")).collect();
    std::fs::write(&file, names.join("\n")).unwrap();
    gateway.run(&["keys", "import", file.to_str().unwrap(), "--plan", "free"]);
    let (start, end) = (Barrier::new(RACERS + 1), Barrier::new(RACERS + 1));
    let (won, denied) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for racer in 0..RACERS {
            let (gateway, names, start, end, won, denied) = (&gateway, &names, &start, &end, &won, &denied);
            scope.spawn(move || {
                let mut connection = gateway.connect();
                for name in names {
                    start.wait();
                    let fails = failing && racer % 2 == 1;
                    let request = if fails { get("/status/404") } else { post("/spend", "{}") };
                    let status = connection.send(&request.header("X-API-Key", name)).status;
                    match status {
                        200 => won.fetch_add(1, Ordering::SeqCst),
                        429 => denied.fetch_add(1, Ordering::SeqCst),
                        404 if fails => 0,
                        other => panic!("a racer got {other}"),
                    };
                    end.wait();
                }
            });
        }
        for (round, name) in names.iter().enumerate() {
            let seen = upstream.seen().iter().filter(|seen| seen.target == "/spend").count() as u64;
            start.wait();
            end.wait();
            let key = Key { key: name.clone(), id: String::new() };
            let (won, denied) = (won.swap(0, Ordering::SeqCst), denied.swap(0, Ordering::SeqCst));
            let reached = upstream.seen().iter().filter(|seen| seen.target == "/spend").count() as u64 - seen;
            assert_eq!(won, reached, "round {round}: successes at the clients against the upstream");
            assert!(won <= UNITS, "round {round}: {won} of {UNITS} were admitted");
            if !failing {
                assert_eq!((won, denied), (UNITS, RACERS as u64 - UNITS), "round {round}");
            }
            assert_eq!(gateway.used(&key), won * cost, "round {round}: charged otherwise than delivered");
            // What failing requests held for a moment is there again, so that the rest can be spent.
            let mut connection: Connection = gateway.connect();
            for _ in won..UNITS {
                assert_eq!(connection.send(&post("/spend", "{}").key(&key)).status, 200, "round {round}");
            }
            assert_eq!(connection.send(&post("/spend", "{}").key(&key)).status, 429, "round {round}");
        }
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
