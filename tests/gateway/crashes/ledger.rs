//! The ledger: what each key has to have been charged, by what its clients received; and the verdict on
//! counters that are held against it.

use crate::support::limits::LimitState;

/// What one key's clients received, in units.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Answers of this round that the client left, of which it is not known that the gateway lived to see it.
    unknown: u64,
    lines: Vec<Line>,
}

/// One limit of the key.
#[derive(Debug, Clone)]
struct Line {
    limit: String,
    /// What its counter has to be.
    expected: u64,
    /// What it was at the last look; None: not looked at yet.
    reset: Option<u64>,
    /// Units of the limit's present window, delivered.
    delivered: u64,
}

/// Units by which counters are wrong. All have to be 0.
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

    /// A client received a success to its last byte, or left it while the gateway lived to see it.
    pub(crate) fn deliver(&mut self, units: u64) {
        for line in &mut self.lines {
            line.expected += units;
            line.delivered += units;
        }
    }

    /// A client left a success, and the log does not tell that it was settled.
    pub(crate) fn leave(&mut self, units: u64) {
        self.unknown += units;
    }

    /// Holds counters against the page. `lost`: units that may be missing, because memory was lost.
    /// What was found is the base of the next comparison, so that a fault counts once.
    pub(crate) fn compare(&mut self, told: &[LimitState], lost: u64) -> Verdict {
        assert_eq!(told.len(), self.lines.len(), "{told:?}");
        let mut verdict = Verdict::default();
        for (line, told) in self.lines.iter_mut().zip(told) {
            assert_eq!(line.limit, told.limit);
            // A window that ended took its counter with it: a reset that is later than it was tells so.
            if line.reset.is_some_and(|before| told.reset.is_some_and(|now| now > before)) {
                verdict.windows_ended += 1;
                line.delivered = told.used;
            } else {
                verdict.compared += 1;
                verdict.errors_charged += told.used.saturating_sub(line.expected + self.unknown);
                verdict.successes_forgotten += (line.expected.saturating_sub(lost)).saturating_sub(told.used);
                // Units that were forgotten are granted again, so a loss that is allowed may be granted too.
                verdict.over_admitted += line.delivered.saturating_sub(told.amount + lost);
                let missing = line.expected.saturating_sub(told.used);
                verdict.lost += missing.min(lost);
                line.delivered = line.delivered.saturating_sub(missing);
            }
            line.expected = told.used;
            line.reset = told.reset;
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

fn told(used: [u64; 2]) -> Vec<LimitState> {
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
    let verdict = page(7).compare(&told([7, 7]), 0);
    assert_eq!(verdict, Verdict { compared: 2, ..Verdict::default() });
}

#[test]
fn every_wrong_counter_is_found() {
    let charged = page(7).compare(&told([8, 7]), 0);
    assert_eq!((charged.errors_charged, charged.successes_forgotten, charged.is_clean()), (1, 0, false));
    let forgotten = page(7).compare(&told([7, 5]), 0);
    assert_eq!(
        (forgotten.errors_charged, forgotten.successes_forgotten, forgotten.is_clean()),
        (0, 2, false)
    );
    let over = page(12).compare(&told([12, 12]), 0);
    assert_eq!((over.over_admitted, over.is_clean()), (2, false));
    // As many counters wrong in one way as in the other do not make up for each other.
    let both = page(7).compare(&told([8, 6]), 0);
    assert_eq!((both.errors_charged, both.successes_forgotten), (1, 1));
}

#[test]
fn what_is_unknown_may_be_in_the_counter_or_not_and_only_once() {
    for used in 7..=10 {
        let mut page = page(7);
        page.leave(3);
        assert!(page.compare(&told([used, used]), 0).is_clean(), "{used}");
        assert!(!page.compare(&told([used + 1, used]), 0).is_clean());
    }
    let mut page = page(7);
    page.leave(3);
    assert_eq!(page.compare(&told([11, 6]), 0).errors_charged, 1);
}

#[test]
fn a_loss_excuses_what_is_missing_and_nothing_more() {
    assert!(page(7).compare(&told([5, 5]), 2).is_clean());
    assert_eq!(page(7).compare(&told([4, 5]), 2).successes_forgotten, 1);
    assert_eq!(page(7).compare(&told([8, 7]), 2).errors_charged, 1);
}
