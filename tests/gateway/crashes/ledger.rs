//! The ledger: what each key must have been charged, by what its clients received; and the verdict on
//! counters compared with it.

use crate::support::limits::LimitState;

/// What one key's clients received, in units.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Responses of this round that the client abandoned, where it is unknown whether the gateway lived to notice.
    unknown: u64,
    lines: Vec<Line>,
}

/// One limit of the key.
#[derive(Debug, Clone)]
struct Line {
    limit: String,
    /// The expected counter.
    expected: u64,
    /// The reset at the last comparison; None: not compared yet.
    reset: Option<u64>,
    /// Units of the limit's present window, delivered.
    delivered: u64,
}

/// Units by which counters are wrong. All must be 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Delivered beyond the limit.
    pub(crate) over_admitted: u64,
    /// In the counter, but no answer explains it.
    pub(crate) errors_charged: u64,
    /// Delivered, but not in the counter.
    pub(crate) successes_forgotten: u64,
    /// Delivered, not in the counter, and allowed to be missing.
    pub(crate) lost: u64,
    /// Windows that ended since the last look; their counters could not be compared.
    pub(crate) windows_ended: u64,
    /// Comparisons that were made.
    pub(crate) compared: u64,
}

impl Page {
    pub(crate) fn new(limits: &[&str]) -> Self {
        let line = |limit: &&str| Line { limit: (*limit).to_owned(), expected: 0, reset: None, delivered: 0 };
        Self { unknown: 0, lines: limits.iter().map(line).collect() }
    }

    /// A client received a success to its last byte, or abandoned it while the gateway lived to notice.
    pub(crate) fn deliver(&mut self, units: u64) {
        for line in &mut self.lines {
            line.expected += units;
            line.delivered += units;
        }
    }

    /// A client abandoned a success, and the log does not record that it was settled.
    pub(crate) fn leave(&mut self, units: u64) {
        self.unknown += units;
    }

    /// Compares counters with the page. `lost`: units that may be missing, because memory was lost.
    /// The result is the base of the next comparison, so that a fault counts once.
    pub(crate) fn compare(&mut self, actual: &[LimitState], lost: u64) -> Verdict {
        assert_eq!(actual.len(), self.lines.len(), "{actual:?}");
        let mut verdict = Verdict::default();
        for (line, actual) in self.lines.iter_mut().zip(actual) {
            assert_eq!(line.limit, actual.limit);
            // A window that ended took its counter with it: the reset is then later than before.
            if line.reset.is_some_and(|before| actual.reset.is_some_and(|now| now > before)) {
                verdict.windows_ended += 1;
                line.delivered = actual.used;
            } else {
                verdict.compared += 1;
                verdict.errors_charged += actual.used.saturating_sub(line.expected + self.unknown);
                verdict.successes_forgotten +=
                    (line.expected.saturating_sub(lost)).saturating_sub(actual.used);
                // Units that were forgotten are granted again, so a loss that is allowed may be granted too.
                verdict.over_admitted += line.delivered.saturating_sub(actual.amount + lost);
                let missing = line.expected.saturating_sub(actual.used);
                verdict.lost += missing.min(lost);
                line.delivered = line.delivered.saturating_sub(missing);
            }
            line.expected = actual.used;
            line.reset = actual.reset;
        }
        self.unknown = 0;
        verdict
    }
}

impl Verdict {
    pub(crate) fn add(&mut self, other: Self) {
        self.over_admitted += other.over_admitted;
        self.errors_charged += other.errors_charged;
        self.successes_forgotten += other.successes_forgotten;
        self.lost += other.lost;
        self.windows_ended += other.windows_ended;
        self.compared += other.compared;
    }

    pub(crate) const fn is_clean(&self) -> bool {
        self.over_admitted == 0 && self.errors_charged == 0 && self.successes_forgotten == 0
    }
}

fn states(used: [u64; 2]) -> Vec<LimitState> {
    let state = |limit: &str, amount: u64, used, reset| LimitState {
        limit: limit.to_owned(),
        amount,
        quota: amount,
        remaining: amount.saturating_sub(used),
        used,
        reset,
    };
    vec![state("10 per day", 10, used[0], Some(500)), state("20 in all", 20, used[1], None)]
}

fn page(delivered: u64) -> Page {
    let mut page = Page::new(&["10 per day", "20 in all"]);
    page.deliver(delivered);
    page
}

#[test]
fn counters_that_are_right_are_clean() {
    let verdict = page(7).compare(&states([7, 7]), 0);
    assert_eq!(verdict, Verdict { compared: 2, ..Verdict::default() });
}

#[test]
fn every_wrong_counter_is_found() {
    let charged = page(7).compare(&states([8, 7]), 0);
    assert_eq!((charged.errors_charged, charged.successes_forgotten, charged.is_clean()), (1, 0, false));
    let forgotten = page(7).compare(&states([7, 5]), 0);
    assert_eq!(
        (forgotten.errors_charged, forgotten.successes_forgotten, forgotten.is_clean()),
        (0, 2, false)
    );
    let over = page(12).compare(&states([12, 12]), 0);
    assert_eq!((over.over_admitted, over.is_clean()), (2, false));
    // As many counters wrong in one way as in the other do not make up for each other.
    let both = page(7).compare(&states([8, 6]), 0);
    assert_eq!((both.errors_charged, both.successes_forgotten), (1, 1));
}

#[test]
fn what_is_unknown_may_be_in_the_counter_or_not_and_only_once() {
    for used in 7..=10 {
        let mut page = page(7);
        page.leave(3);
        assert!(page.compare(&states([used, used]), 0).is_clean(), "{used}");
        assert!(!page.compare(&states([used + 1, used]), 0).is_clean());
    }
    let mut page = page(7);
    page.leave(3);
    assert_eq!(page.compare(&states([11, 6]), 0).errors_charged, 1);
}

#[test]
fn a_loss_excuses_what_is_missing_and_nothing_more() {
    assert!(page(7).compare(&states([5, 5]), 2).is_clean());
    assert_eq!(page(7).compare(&states([4, 5]), 2).successes_forgotten, 1);
    assert_eq!(page(7).compare(&states([8, 7]), 2).errors_charged, 1);
}
