//! `kill -9` at random moments under full load, with an upstream that misbehaves in 30 % of its answers:
//! nothing is over-admitted, no error is charged, no success is forgotten.

use crate::{
    clients::Protocol,
    rounds::{Setting, run},
};

#[test]
fn after_every_kill_the_counters_are_those_of_the_ledger() {
    let totals = run(&Setting::new(8));
    eprintln!("kill -9, memory in /dev/shm:\n{totals}");
    totals.assert_exact();
    totals.assert_busy();
}

#[test]
fn the_memory_of_charges_may_be_on_a_disk() {
    let setting = Setting::new(3);
    let folder = tempfile::tempdir().unwrap();
    let store = format!("{}\nshared_memory = {:?}", setting.store, folder.path());
    let totals = run(&Setting { store, rounds: setting.rounds.div_ceil(5).max(3), ..setting });
    eprintln!("kill -9, memory on a disk:\n{totals}");
    totals.assert_exact();
}

/// There the last bytes of a response are TLS records.
#[test]
fn under_tls_the_counters_are_those_of_the_ledger_too() {
    let setting = Setting::new(4);
    let totals = run(&Setting { over_tls: true, rounds: setting.rounds.div_ceil(2), ..setting });
    eprintln!("kill -9, under TLS:\n{totals}");
    totals.assert_exact();
}

/// There responses end together, in the same write: plain, and in one TLS record.
#[test]
fn by_http2_the_counters_are_those_of_the_ledger_too() {
    for over_tls in [false, true] {
        let setting = Setting { over_tls, protocol: Protocol::Http2, ..Setting::new(4) };
        let totals = run(&Setting { rounds: setting.rounds.div_ceil(2).max(2), ..setting });
        eprintln!("kill -9, by HTTP/2, under TLS: {over_tls}:\n{totals}");
        totals.assert_exact();
    }
}

/// The test itself is tested: a gateway that keeps charges in ordinary memory alone must be detected.
#[test]
fn a_gateway_that_loses_charges_is_detected() {
    let store = "durable = false".to_owned();
    let totals = run(&Setting { store, rounds: 2, ..Setting::new(2) });
    assert!(totals.verdict.successes_forgotten > 0, "{totals}");
    assert_eq!(totals.verdict.errors_charged, 0, "{totals}");
}
