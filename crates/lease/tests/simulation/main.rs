//! Nodes and a ledger with a network between them, in virtual time: whatever is lost, doubled, late or killed, nothing is
//! over-admitted and no error is charged; and once faults have healed, demand above a limit is admitted exactly to the limit.
//!
//! `LEASE_REQUESTS=10000000` is the long form (`./prove cluster`): so many requests in all. `LEASE_SEED` begins elsewhere.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod checks;
mod settings;
mod world;

use settings::{Settings, Shape};
use world::{Tally, World};

const SECOND: u64 = 1_000_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Runs simulations of these settings with other seeds each, with 3 to 16 nodes, until there were so many parts of a hundred of all
/// requests.
fn run(name: &str, percent: u64, settings: Settings, check: impl Fn(&World)) -> Tally {
    let wanted = number("LEASE_REQUESTS").unwrap_or(500_000) * percent / 100;
    let mut all = Tally::default();
    let mut seed = number("LEASE_SEED").unwrap_or(1);
    let began = std::time::Instant::now();
    while all.requests < wanted {
        let nodes = if settings.nodes > 0 { settings.nodes } else { 3 + seed as usize * 5 % 14 };
        let settings = Settings { seed, nodes, ..settings };
        let _named = Named(name, settings);
        let mut world = World::new(settings);
        world.run();
        check(&world);
        all.add(&world.tally);
        seed += 1;
    }
    println!("{name}: {all:?}, {:.4} messages a request, {:?}", all.messages_a_request(), began.elapsed());
    all
}

/// Says what failed.
struct Named<'a>(&'a str, Settings);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {:?}", self.0, self.1);
        }
    }
}

/// Each counter that still was asked for at the end of its window was granted and charged exactly to its limit.
fn is_exact(world: &World, at_least: usize) {
    let mut exact = 0;
    for ((_, slice), counted) in &world.checks.counted {
        let end = match world.settings.shape {
            Shape::Window(length) => (slice + 1) * length * 1_000 - settings::BASE * 1_000,
            Shape::InAll | Shape::Rolling(_) | Shape::Rate(..) | Shape::AtOnce => world.settings.ends,
        };
        let has_healed = end >= world.settings.faults_until + 15 * SECOND && end <= world.settings.ends;
        let is_asked_for = counted.denied_at + SECOND >= end && counted.denied_from + 3 * SECOND < end;
        if has_healed && is_asked_for {
            assert_eq!(counted.held, counted.amount, "units were lost");
            exact += 1;
        }
    }
    assert!(exact >= at_least, "only {exact} counters were asked for to the end");
}

fn faults(settings: Settings) -> Settings {
    Settings { nodes: 0, faults_until: 35 * SECOND, costs: true, ..settings }
}

#[test]
fn a_seed_says_all_that_happens() {
    let settings = faults(Settings { keys: 30, per_second: 500, ends: 30 * SECOND, ..Settings::default() });
    let tally = || {
        let mut world = World::new(Settings { nodes: 5, ..settings });
        world.run();
        format!("{:?}", world.tally)
    };
    assert_eq!(tally(), tally());
}

#[test]
fn windows_are_exact_after_whatever_happened() {
    let settings =
        faults(Settings { keys: 20, zipf: 1.0, per_second: 1_200, amount: 1_500, ..Settings::default() });
    let tally = run("windows", 12, settings, |world| is_exact(world, 5));
    assert!(tally.kills > 0 && tally.epochs > 0);
}

#[test]
fn windows_of_many_seldom_used_counters_are_exact_after_whatever_happened() {
    let settings = faults(Settings { keys: 300, per_second: 1_500, amount: 100, ..Settings::default() });
    run("seldom", 12, settings, |world| is_exact(world, 200));
}

#[test]
fn short_windows_are_never_exceeded_whatever_happens_and_however_clocks_jump() {
    let shape = Shape::Window(1_000);
    let settings = Settings { keys: 10, amount: 60, clocks_jump: true, shape, ..Settings::default() };
    run("seconds", 10, faults(Settings { per_second: 1_500, ends: 40 * SECOND, ..settings }), |_| {});
}

#[test]
fn limits_in_all_are_exact_after_whatever_happened_and_however_clocks_jump() {
    let settings = Settings { shape: Shape::InAll, keys: 12, clocks_jump: true, ..Settings::default() };
    let settings = faults(Settings { amount: 2_500, per_second: 1_200, ..settings });
    run("in all", 10, settings, |world| is_exact(world, 10));
}

#[test]
fn rolling_spans_are_never_exceeded_whatever_happens() {
    let settings = Settings { shape: Shape::Rolling(1_000), keys: 8, amount: 300, ..Settings::default() };
    let tally = run("rolling", 10, faults(Settings { per_second: 600, ..settings }), |_| {});
    assert!(tally.granted > tally.requests / 20, "{tally:?}");
}

#[test]
fn rates_are_never_exceeded_whatever_happens() {
    let settings = Settings { shape: Shape::Rate(1_000, 40), keys: 8, amount: 20, ..Settings::default() };
    let tally = run("rates", 10, faults(Settings { per_second: 600, ..settings }), |_| {});
    assert!(tally.granted > tally.requests / 20, "{tally:?}");
}

#[test]
fn places_at_once_are_never_exceeded_however_long_a_node_is_cut_off() {
    let settings =
        Settings { shape: Shape::AtOnce, keys: 4, amount: 20, clocks_jump: true, ..Settings::default() };
    let settings = Settings { ends: 240 * SECOND, faults_until: 200 * SECOND, per_second: 150, ..settings };
    let settings =
        Settings { longest_fault: 70 * SECOND, slowest: 90 * SECOND, slow_permille: 60, ..settings };
    let tally = run("at once", 10, Settings { nodes: 4, ..settings }, |_| {});
    assert!(tally.cut > 0, "no place was lost: {tally:?}");
}

#[test]
fn without_faults_demand_above_the_limit_is_admitted_exactly() {
    let settings = Settings { keys: 5, per_second: 3_000, errors_percent: 30, ..Settings::default() };
    let settings = Settings { ends: 60 * SECOND, amount: 9_000, costs: true, ..settings };
    run("no faults", 10, settings, |world| is_exact(world, 5));
}

#[test]
fn without_faults_spans_and_rates_admit_what_they_promise() {
    let settings =
        Settings { keys: 3, per_second: 900, ends: 60 * SECOND, costs: true, ..Settings::default() };
    let charged = |shape, amount| {
        let all = std::cell::Cell::new((0, 0));
        run("no faults, other kinds", 5, Settings { shape, amount, ..settings }, |world| {
            let (charged, worlds) = all.get();
            all.set((charged + world.checks.charged, worlds + 1));
        });
        let (charged, worlds) = all.get();
        charged as f64 / f64::from(worlds) / 3.0
    };
    // 16 s of 60 s, of which the seventeenth part is lost because parts are counted, not moments.
    let rolling = charged(Shape::Rolling(1_000), 800) / (800.0 * 60.0 / 16.0);
    assert!(rolling > 0.93, "{rolling}");
    let rate = charged(Shape::Rate(1_000, 100), 50) / (100.0 + 50.0 * 60.0);
    assert!((0.96..=1.0).contains(&rate), "{rate}");
}

#[test]
fn a_hot_key_costs_a_message_for_hundreds_of_requests() {
    let settings =
        Settings { per_second: 15_000, amount: 100_000_000, ends: 20 * SECOND, ..Settings::default() };
    let tally = run("hot", 5, settings, |_| {});
    assert!(tally.messages_a_request() <= 0.002, "{}", tally.messages_a_request());
}

#[test]
fn a_hundred_thousand_keys_of_all_frequencies_cost_a_message_for_fourteen_requests() {
    let settings = Settings { keys: 100_000, zipf: 1.1, per_second: 60_000, ..Settings::default() };
    let settings = Settings { amount: 100_000_000, ends: 3 * SECOND, ..settings };
    let tally = run("Zipf", 10, settings, |_| {});
    assert!(tally.messages_a_request() <= 0.07, "{}", tally.messages_a_request());
}

impl Tally {
    fn messages_a_request(&self) -> f64 {
        self.messages as f64 / self.requests as f64
    }

    const fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.granted += other.granted;
        self.granted_at_once += other.granted_at_once;
        self.exhausted += other.exhausted;
        self.unavailable += other.unavailable;
        self.messages += other.messages;
        self.questions += other.questions;
        self.kills += other.kills;
        self.epochs += other.epochs;
        self.cut += other.cut;
        self.events += other.events;
    }
}
