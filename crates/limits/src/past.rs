//! Windows of limits that an account no longer has. They count until they end, so that a limit that
//! is removed and added again finds its usage.
//!
//! An account remembers [`MOST`] of them. The remaining ones, which end first, are merged to one
//! number: a limit without other information starts with it until the last of them has ended. So
//! memory is bounded however often limits change, and usage is never underestimated.

use crate::{
    LATEST_MILLIS,
    compiled::{Compiled, Rule, WordRule, rate_of},
    ends::Ends,
    rolling::{Rolling, State, ends_at, part},
    slot::{AtomicU64, Ordering},
    word::{Counter, Frozen, Word},
};
use contract::limit::{Class, Tag};

/// Maximum number of remembered windows, in addition to those of the current limits.
pub(crate) const MOST: usize = 32;

/// The windows that an account remembers.
#[derive(Debug, Default)]
pub(crate) struct Past {
    counters: Box<[Counted]>,
    links: Box<[Link]>,
    merged: Merged,
}

#[derive(Debug)]
struct Counted {
    tag: Tag,
    ends: Ends,
    count: Count,
}

#[derive(Debug)]
enum Count {
    Word(Counter),
    Rolling(Rolling),
}

/// The count of a limit, from a replaced account or from disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) tag: Tag,
    pub(crate) ends: Ends,
    pub(crate) value: Value,
    /// Units of a rate that count against its burst; 0 for all other kinds.
    pub(crate) level: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    Word(Word),
    Rolling(State),
}

/// The bucket of a rate started with units of another one, of another speed, that were not yet
/// refilled. If their requests were in flight and fail, they are released here as well.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) from: (Tag, u32),
    pub(crate) to: (Tag, u32),
    /// Units that were carried over and not released.
    pub(crate) left: AtomicU64,
}

/// Windows that did not fit, merged.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Merged {
    /// The maximum of their units.
    units: u32,
    /// The Unix millisecond at which the last of them ends.
    ends: u64,
    /// The same for limits that never reset.
    for_ever: u32,
}

// === impl Past ===

impl Past {
    /// Remembers these windows. None: there are none.
    pub(crate) fn new(mut kept: Vec<Kept>, links: Vec<Link>, mut merged: Merged) -> Option<Box<Self>> {
        let is_running = |kept: &Kept| matches!(kept.ends, Ends::WhenEmpty) && kept.is_in_flight();
        // Requests in flight are few, and forgetting one would leave its place taken forever.
        let (in_flight, mut others): (Vec<_>, Vec<_>) = kept.drain(..).partition(is_running);
        others.sort_by_key(|kept| match kept.ends {
            Ends::At(millis) => millis,
            Ends::WhenEmpty => u64::MAX,
        });
        let beyond = others.len().saturating_sub(MOST);
        others.drain(..beyond).for_each(|kept| merged.add(&kept));
        let counters: Box<[Counted]> = in_flight.into_iter().chain(others).map(Counted::new).collect();
        let is_empty = counters.is_empty() && links.is_empty() && merged.is_over(0);
        (!is_empty).then(|| Box::new(Self { counters, links: links.into(), merged }))
    }

    /// Its windows that still count at `now` (Unix milliseconds).
    pub(crate) fn kept(&self, now: u64) -> impl Iterator<Item = Kept> {
        self.counters.iter().map(move |one| one.kept(now)).filter(move |kept| !kept.is_over(now))
    }

    pub(crate) fn merged(&self, now: u64) -> Merged {
        let Merged { units, ends, for_ever } = self.merged;
        if is_past(ends, now) {
            Merged { for_ever, ..Merged::default() }
        } else {
            Merged { units, ends, for_ever }
        }
    }

    /// Whether all of its windows have ended at `now`.
    pub(crate) fn is_over(&self, now: u64) -> bool {
        self.merged.is_over(now) && self.counters.iter().all(|one| one.kept(now).is_over(now))
    }

    pub(crate) fn freeze(&self) {
        for one in &self.counters {
            match &one.count {
                Count::Word(counter) => drop(counter.freeze()),
                Count::Rolling(rolling) => drop(rolling.freeze()),
            }
        }
    }

    /// Releases units of a window. None: it is not remembered.
    pub(crate) fn give_back(&self, tag: Tag, window: u32, units: u32) -> Option<Result<(), Frozen>> {
        let one = self.counters.iter().find(|one| one.tag == tag)?;
        Some(match &one.count {
            Count::Word(counter) => counter.give_back(window, units),
            Count::Rolling(rolling) => rolling.give_back(window, units),
        })
    }

    /// Adds the buckets that released units (`open`: windows and units) were carried over to. A
    /// release is counted only once in a bucket that it has reached already (`reached`).
    pub(crate) fn follow(&self, open: &mut Vec<(Tag, u32, u32)>, reached: &mut Vec<(Tag, u32)>) {
        for link in &self.links {
            let found = open.iter().find(|(tag, window, _)| (*tag, *window) == link.from);
            let Some(&(_, _, units)) = found.filter(|_| !reached.contains(&link.to)) else { continue };
            let spent = link.spend(units);
            if spent > 0 {
                reached.push(link.to);
                open.push((link.to.0, link.to.1, spent));
            }
        }
    }
}

// === impl Counted ===

impl Counted {
    fn new(kept: Kept) -> Self {
        let count = match kept.value {
            Value::Word(word) => Count::Word(Counter::new(word)),
            Value::Rolling(state) => Count::Rolling(Rolling::new(state)),
        };
        Self { tag: kept.tag, ends: kept.ends, count }
    }

    fn kept(&self, now: u64) -> Kept {
        let value = match &self.count {
            Count::Word(counter) => Value::Word(counter.load()),
            Count::Rolling(rolling) => Value::Rolling(rolling.load()),
        };
        Kept { tag: self.tag, ends: self.ends, value, level: level(self.tag, value, now) }
    }
}

// === impl Kept ===

impl Kept {
    /// The count of a current limit.
    pub(crate) fn of(one: &Compiled, value: Value, now: u64) -> Self {
        let (ends, level) = match (&one.rule, value) {
            (Rule::Word(WordRule::Calendar { period, zone }), Value::Word(word)) => {
                (Ends::At(zone.end(*period, word.window).saturating_mul(1000)), 0)
            }
            (Rule::Word(rule @ WordRule::Rate { .. }), Value::Word(word)) => {
                (rule.full_at(word, one.limit.amount, now), rule.counted_at(word, one.limit.amount, now))
            }
            (Rule::Rolling { seconds }, Value::Rolling(state)) => (Ends::At(ends_at(&state, *seconds)), 0),
            (Rule::Word(WordRule::Concurrent | WordRule::Lifetime), _)
            | (Rule::Word(WordRule::Calendar { .. } | WordRule::Rate { .. }), Value::Rolling(_))
            | (Rule::Rolling { .. }, Value::Word(_)) => (Ends::WhenEmpty, 0),
        };
        Self { tag: one.tag, ends, value, level }
    }

    /// Whether it has ended at `now`, also for late requests that began earlier.
    pub(crate) fn is_over(&self, now: u64) -> bool {
        match (self.ends, self.value) {
            (Ends::At(millis), _) => is_past(millis, now),
            (Ends::WhenEmpty, Value::Word(word)) => word.units == 0,
            (Ends::WhenEmpty, Value::Rolling(state)) => state.total() == 0,
        }
    }

    /// Requests in flight have the class of calendar windows.
    fn is_in_flight(&self) -> bool {
        self.tag.class() == Class::Calendar
    }

    fn units(&self) -> u32 {
        match self.value {
            Value::Word(_) if self.tag.class() == Class::Rate => self.level,
            Value::Word(word) => word.units,
            Value::Rolling(state) => state.total(),
        }
    }
}

// === impl Link ===

impl Link {
    fn spend(&self, units: u32) -> u32 {
        let spent = |left: u64| left.min(units.into());
        let before =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left - spent(left)));
        u32::try_from(spent(before.unwrap_or(0))).unwrap_or(0)
    }
}

// === impl Merged ===

impl Merged {
    fn add(&mut self, kept: &Kept) {
        match kept.ends {
            Ends::At(millis) => {
                self.units = self.units.max(kept.units());
                self.ends = self.ends.max(millis);
            }
            Ends::WhenEmpty => self.for_ever = self.for_ever.max(kept.units()),
        }
    }

    fn is_over(&self, now: u64) -> bool {
        self.for_ever == 0 && (self.units == 0 || is_past(self.ends, now))
    }

    /// The initial count of a limit without other information.
    pub(crate) fn word(&self, one: &Compiled, now: u64) -> Word {
        let units = self.units.min(one.quota());
        match &one.rule {
            Rule::Word(WordRule::Lifetime) => Word { window: 0, units: self.for_ever.min(one.quota()) },
            Rule::Word(WordRule::Calendar { period, zone }) if units > 0 => {
                Word { window: zone.index(*period, now / 1000), units }
            }
            Rule::Word(WordRule::Rate { .. }) if units > 0 => Word { window: now as u32, units },
            Rule::Word(WordRule::Calendar { .. } | WordRule::Rate { .. } | WordRule::Concurrent)
            | Rule::Rolling { .. } => Word::default(),
        }
    }

    /// The same for a rolling window.
    pub(crate) fn state(&self, one: &Compiled, now: u64) -> State {
        match &one.rule {
            Rule::Rolling { seconds } if self.units > 0 => {
                State::default().restore(part(*seconds, now), self.units.min(one.quota()))
            }
            Rule::Rolling { .. } | Rule::Word(_) => State::default(),
        }
    }
}

fn is_past(millis: u64, now: u64) -> bool {
    millis <= now.saturating_sub(LATEST_MILLIS)
}

/// Units of a rate that still count, at the speed in its tag.
pub(crate) fn level(tag: Tag, value: Value, now: u64) -> u32 {
    match (rate_of(tag), value) {
        (Some((rule, amount)), Value::Word(word)) => rule.counted_at(word, amount, now),
        (None, _) | (Some(_), Value::Rolling(_)) => 0,
    }
}
