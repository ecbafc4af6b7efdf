//! The same with shared memory gone after each kill: at most the last interval is missing, and still no
//! error is charged.

use crate::rounds::{Setting, run};
use std::time::Duration;

/// The interval, plus the time of a commit on a busy machine.
const AT_MOST: Duration = Duration::from_millis(100 + 500);

#[test]
fn a_power_cut_takes_the_last_interval_at_most_and_charges_no_error() {
    let setting = Setting::new(5);
    let rounds = setting.rounds.div_ceil(5).max(5);
    // Rounds that are longer than what may be missing.
    let store = "flush_interval = \"100ms\"".to_owned();
    let totals = run(&Setting { power_cut: Some(AT_MOST), longest: 3_000, rounds, store, ..setting });
    eprintln!("power cuts:\n{totals}");
    totals.assert_exact();
    assert!(totals.verdict.lost > 0, "the memory was not lost, so nothing was proven:\n{totals}");
}
