//! The limits of a plan or of one key, compiled: how each kind counts.

use crate::{
    LATEST_MILLIS,
    ends::Ends,
    reset::Reset,
    rolling::{State, part, part_millis},
    word::{Counter, NotTaken, Word},
};
use contract::{
    Limit,
    calendar::Zone,
    limit::{Kind, Tag},
    window::Period,
};

/// Maximum number of limits of a plan.
pub const MAX_LIMITS: usize = 8;

/// The limits of a plan or of one key, in the order of configuration. Shared by all accounts that have them.
#[derive(Debug, Default)]
pub struct Limits {
    each: Box<[Compiled]>,
    has_groups: bool,
    has_concurrent: bool,
    since: u64,
}

/// Which limits apply to a request: one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applying(u8);

/// More limits than [`MAX_LIMITS`].
#[derive(Debug, thiserror::Error)]
#[error("{0} limits, but at most {MAX_LIMITS} can hold for one key")]
pub struct TooMany(pub usize);

/// A limit, and the place of its counter.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) limit: Limit,
    pub(crate) tag: Tag,
    /// Its former tag.
    pub(crate) former: Option<Tag>,
    /// The ID of its counters that is shared by several nodes.
    pub(crate) shared_id: u64,
    pub(crate) name: Box<str>,
    pub(crate) rule: Rule,
    /// The index of the counter among those of its form.
    pub(crate) place: usize,
}

/// How a counter counts.
#[derive(Debug)]
pub(crate) enum Rule {
    /// In one word.
    Word(WordRule),
    /// In slices of a rolling window of this many seconds.
    Rolling { seconds: u32 },
}

/// How a word counts.
#[derive(Debug)]
pub(crate) enum WordRule {
    /// Units within a calendar window; the word's window is that window's index.
    Calendar { period: Period, zone: Zone },
    /// Units of a bucket that refills evenly. The word's window is the millisecond (its lower 32
    /// bits) at which the bucket was last full, and its units are all that were taken since then.
    Rate { period: Millis, burst: u32 },
    /// Requests in flight. The window is always 0.
    Concurrent,
    /// Units in total. The window is always 0.
    Lifetime,
}

/// The milliseconds of a period, and their reciprocal, so that a request multiplies instead of
/// dividing: a rate needs two quotients, and a division by a number that is not a constant takes as
/// long as everything else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Millis {
    millis: u64,
    /// 2^64 / `millis`, rounded down.
    reciprocal: u64,
}

/// The maximum burst and amount of a rate, so that no product below overflows.
const MAX_RATE: u32 = 1 << 28;
/// A bucket that was not full for this many milliseconds (six days) or units starts a new count,
/// long before either number could wrap around.
const LONGEST_COUNT: u64 = 1 << 29;
const MAX_UNITS: u32 = 1 << 30;
/// Milliseconds (twelve days) up to which a clock that stepped back is distinguished from one that advanced.
const FURTHEST_BACK: u32 = 1 << 30;

// === impl Millis ===

impl Millis {
    /// At least one.
    fn new(millis: u64) -> Self {
        let millis = millis.max(1);
        Self { millis, reciprocal: u64::MAX / millis }
    }

    pub(crate) const fn get(self) -> u64 {
        self.millis
    }

    /// How often the period fits into this many milliseconds, or into a product of them below 2^62.
    #[inline]
    fn divide(self, number: u64) -> u64 {
        // The reciprocal is too small by less than 2, so the quotient is exact or 1 too small.
        let quotient = ((u128::from(number) * u128::from(self.reciprocal)) >> 64) as u64;
        quotient + u64::from(number - quotient * self.millis >= self.millis)
    }
}

// === impl Limits ===

impl Limits {
    /// Compiles limits.
    ///
    /// # Errors
    /// More than [`MAX_LIMITS`].
    pub fn new(limits: Vec<Limit>) -> Result<Self, TooMany> {
        if limits.len() > MAX_LIMITS {
            return Err(TooMany(limits.len()));
        }
        let (mut words, mut rollings) = (0, 0);
        let has_groups = limits.iter().any(|limit| limit.group.is_some());
        let has_concurrent = limits.iter().any(|limit| limit.kind == Kind::Concurrent);
        let each = limits.into_iter().map(|limit| {
            let rule = Rule::of(&limit);
            let form = match rule {
                Rule::Word(_) => &mut words,
                Rule::Rolling { .. } => &mut rollings,
            };
            let place = *form;
            *form += 1;
            let (tag, former, shared_id) = (limit.tag(), limit.former_tag(), limit.shared_id());
            Compiled { tag, former, shared_id, name: limit.policy_name().into(), limit, rule, place }
        });
        Ok(Self { each: each.collect(), has_groups, has_concurrent, since: 0 })
    }

    /// Sets the time (Unix milliseconds) at which these limits took effect. The first request with
    /// them may have begun before: what was taken meanwhile is not refilled for that time.
    #[must_use]
    pub fn since(self, millis: u64) -> Self {
        Self { since: millis, ..self }
    }

    /// The time from which a changed bucket refills, for a request at `now`. A clock that is ahead
    /// moves it by no more than requests may be late.
    pub(crate) fn changed_at(&self, now: u64) -> u64 {
        now.max(self.since.min(now.saturating_add(LATEST_MILLIS)))
    }

    /// No limits: everything is granted.
    pub fn none() -> Self {
        Self { each: Box::default(), has_groups: false, has_concurrent: false, since: 0 }
    }

    /// The limits, in the order of configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.each.iter().map(|one| &one.limit)
    }

    /// The limit at this position.
    pub fn get(&self, position: usize) -> Option<&Limit> {
        self.each.get(position).map(|one| &one.limit)
    }

    /// The limits that apply to a request for an endpoint of this group: those without a group, and
    /// those with it.
    #[inline]
    pub fn applying(&self, group: Option<&str>) -> Applying {
        if !self.has_groups {
            return self.all();
        }
        let applies = |one: &Compiled| one.limit.group.is_none() || one.limit.group.as_deref() == group;
        Applying(self.each.iter().rev().fold(0, |bits, one| (bits << 1) | u8::from(applies(one))))
    }

    /// All of them.
    #[inline]
    pub fn all(&self) -> Applying {
        Applying(u8::MAX)
    }

    /// The only limit, if there is exactly one and it applies.
    #[inline]
    pub(crate) fn single(&self, applying: Applying) -> Option<&Compiled> {
        match &*self.each {
            [one] if applying.contains(0) => Some(one),
            _ => None,
        }
    }

    /// Whether a charge releases anything.
    #[inline]
    pub(crate) const fn has_concurrent(&self) -> bool {
        self.has_concurrent
    }

    #[inline]
    pub(crate) fn each(&self, applying: Applying) -> impl Iterator<Item = (usize, &Compiled)> {
        self.each.iter().enumerate().filter(move |(position, _)| applying.0 >> position & 1 == 1)
    }

    pub(crate) fn with_tag(&self, tag: Tag) -> Option<&Compiled> {
        self.each.iter().find(|one| one.tag == tag)
    }
}

impl Applying {
    /// Whether the limit at this position applies.
    pub const fn contains(self, position: usize) -> bool {
        position < MAX_LIMITS && self.0 >> position & 1 == 1
    }
}

// === impl Compiled ===

impl Compiled {
    /// The units that a request of this cost takes.
    #[inline]
    pub(crate) const fn units(&self, cost: u32) -> u32 {
        match &self.rule {
            Rule::Word(WordRule::Concurrent) => 1,
            Rule::Word(WordRule::Calendar { .. } | WordRule::Rate { .. } | WordRule::Lifetime)
            | Rule::Rolling { .. } => cost,
        }
    }

    /// Whether a charge remains in the counter. Requests in flight are only counted until they end.
    pub(crate) const fn keeps_charges(&self) -> bool {
        !matches!(self.rule, Rule::Word(WordRule::Concurrent))
    }

    /// The maximum of remaining units.
    #[inline]
    pub(crate) fn quota(&self) -> u32 {
        match &self.rule {
            Rule::Word(WordRule::Rate { burst, .. }) => *burst,
            Rule::Word(WordRule::Calendar { .. } | WordRule::Concurrent | WordRule::Lifetime)
            | Rule::Rolling { .. } => self.limit.amount,
        }
    }

    /// The window of the quota in seconds. None: it has no time window.
    pub(crate) fn span(&self, now: u64) -> Option<u64> {
        match &self.rule {
            Rule::Word(WordRule::Calendar { period, zone }) => {
                let index = zone.index(*period, now / 1000);
                Some(zone.end(*period, index).saturating_sub(zone.start(*period, index)))
            }
            Rule::Word(WordRule::Rate { period, burst }) => {
                let millis = (u64::from(*burst) * period.get()).div_ceil(u64::from(self.limit.amount));
                Some(millis.div_ceil(1000).max(1))
            }
            Rule::Rolling { seconds } => Some(u64::from(*seconds)),
            Rule::Word(WordRule::Concurrent | WordRule::Lifetime) => None,
        }
    }
}

// === impl Rule ===

impl Rule {
    fn of(limit: &Limit) -> Self {
        Self::Word(match &limit.kind {
            Kind::Rolling { seconds } => return Self::Rolling { seconds: (*seconds).max(1) },
            Kind::Calendar { period, zone } => WordRule::Calendar { period: *period, zone: zone.clone() },
            Kind::Rate { period, burst } => WordRule::Rate {
                period: Millis::new(period.seconds(0) * 1000),
                burst: (*burst).clamp(1, MAX_RATE),
            },
            Kind::Concurrent => WordRule::Concurrent,
            Kind::Lifetime => WordRule::Lifetime,
        })
    }
}

// === impl WordRule ===

impl WordRule {
    /// The word as of `now`: a window that has ended is empty.
    #[inline]
    pub(crate) fn at(&self, word: Word, amount: u32, now: u64) -> Word {
        match self {
            Self::Calendar { period, zone } => word.at(zone.index(*period, now / 1000)),
            Self::Rate { period, .. } => level(word, amount, *period, now).0,
            Self::Concurrent | Self::Lifetime => word,
        }
    }

    /// Units that count against the quota, of a word as of `now`.
    #[inline]
    pub(crate) fn counted(&self, word: Word, amount: u32, now: u64) -> u32 {
        match self {
            Self::Rate { period, .. } => still_taken(word, refilled(elapsed(word, now), amount, *period)),
            Self::Calendar { .. } | Self::Concurrent | Self::Lifetime => word.units,
        }
    }

    /// Units of a word that count against the quota at `now`.
    #[inline]
    pub(crate) fn counted_at(&self, word: Word, amount: u32, now: u64) -> u32 {
        match self {
            Self::Calendar { period, zone } => word.at(zone.index(*period, now / 1000)).units,
            Self::Rate { period, .. } => level(word, amount, *period, now).1,
            Self::Concurrent | Self::Lifetime => word.units,
        }
    }

    /// Takes `units` if the quota allows them, and returns the window that they are taken in.
    #[inline]
    pub(crate) fn take(
        &self,
        counter: &Counter,
        amount: u32,
        quota: u32,
        units: u32,
        now: u64,
    ) -> Result<u32, NotTaken> {
        let more = |word: Word, counted: u32| {
            counted.checked_add(units).filter(|&counted| counted <= quota)?;
            Some(Word { units: word.units.checked_add(units)?, ..word })
        };
        // One branch for each kind, which prepares what it needs before the step that contention
        // may repeat. Deciding inside that step would compute the index of every period for every
        // request: 22 ns instead of 7.
        let taken = match self {
            Self::Calendar { period, zone } => {
                let window = zone.index(*period, now / 1000);
                counter.change(|word| {
                    let word = word.at(window);
                    more(word, word.units)
                })
            }
            Self::Rate { period, .. } => counter.change(|word| {
                let (word, counted) = level(word, amount, *period, now);
                more(word, counted)
            }),
            Self::Concurrent | Self::Lifetime => counter.change(|word| more(word, word.units)),
        };
        taken.map(|word| word.window)
    }

    /// When a bucket is full again. For other kinds it is not determined here.
    pub(crate) fn full_at(&self, word: Word, amount: u32, now: u64) -> Ends {
        match self.frees(word, amount, self.counted(word, amount, now), now) {
            Reset::At(millis) => Ends::At(millis),
            Reset::Unknown | Reset::Never => Ends::WhenEmpty,
        }
    }

    /// When at least `units` fewer count, of a word as of `now`.
    pub(crate) fn frees(&self, word: Word, amount: u32, units: u32, now: u64) -> Reset {
        match self {
            Self::Calendar { period, zone } => Reset::At(zone.end(*period, word.window) * 1000),
            Self::Rate { period, .. } => {
                let elapsed = elapsed(word, now);
                let wanted = refilled(elapsed, amount, *period) + u64::from(units);
                let millis = (wanted * period.get()).div_ceil(u64::from(amount).max(1));
                Reset::At(now + millis.saturating_sub(elapsed))
            }
            Self::Concurrent => Reset::Unknown,
            Self::Lifetime => Reset::Never,
        }
    }
}

/// The rule and amount of a rate whose limit is unknown: as slow as its tag allows.
pub(crate) fn rate_of(tag: Tag) -> Option<(WordRule, u32)> {
    let rate = tag.rate()?;
    Some((WordRule::Rate { period: Millis::new(rate.period.seconds(0) * 1000), burst: 1 }, rate.amount))
}

/// Milliseconds since the bucket was last full. After a step of the clock back, by at most
/// [`FURTHEST_BACK`], the result is 0: nothing is refilled until it has caught up.
///
/// A bucket that is not used for 37 days, and that is not full then, gets 0 as well and refills
/// from there: it grants less once, never more.
#[inline]
fn elapsed(word: Word, now: u64) -> u64 {
    let since = (now as u32).wrapping_sub(word.window);
    if since > u32::MAX - FURTHEST_BACK { 0 } else { u64::from(since) }
}

/// Units refilled within this many milliseconds.
#[inline]
fn refilled(elapsed: u64, amount: u32, period: Millis) -> u64 {
    period.divide(elapsed * u64::from(amount.min(MAX_RATE)))
}

/// Of the units taken since the bucket was last full, those that are not refilled.
#[inline]
fn still_taken(word: Word, refilled: u64) -> u32 {
    word.units.saturating_sub(u32::try_from(refilled).unwrap_or(u32::MAX))
}

/// The word of a bucket at `now`, and the units taken. A full one starts a new count, so that an
/// earlier reservation cannot release anything in it: those units were already refilled.
#[inline]
fn level(word: Word, amount: u32, period: Millis, now: u64) -> (Word, u32) {
    let elapsed = elapsed(word, now);
    let refilled_now = refilled(elapsed, amount, period);
    if u64::from(word.units) <= refilled_now {
        let has_gone_on = elapsed > 0 || word.is_new();
        return (Word { window: if has_gone_on { now as u32 } else { word.window }, units: 0 }, 0);
    }
    if elapsed <= LONGEST_COUNT && word.units <= MAX_UNITS {
        return (word, still_taken(word, refilled_now));
    }
    let word = begun_anew(word, amount, period, elapsed);
    (word, still_taken(word, refilled(self::elapsed(word, now), amount, period)))
}

/// The word of a bucket that was not full for long: whole periods and their refill are subtracted;
/// the level is the same, and the numbers are small.
///
/// Reservations at this moment, once in six days of a bucket that is never full, are not released
/// if they fail: units that are refilled anyway, and never one too many.
#[cold]
fn begun_anew(word: Word, amount: u32, period: Millis, elapsed: u64) -> Word {
    let periods = period.divide(elapsed);
    let units = u32::try_from(periods * u64::from(amount.min(MAX_RATE))).unwrap_or(u32::MAX);
    Word {
        window: word.window.wrapping_add((periods * period.get()) as u32),
        units: word.units.saturating_sub(units),
    }
}

/// When at least `units` fewer count in a rolling window.
pub(crate) fn rolling_frees(state: &State, seconds: u32, units: u32) -> Reset {
    let first_free = |part: u32| u64::from(part.wrapping_add(17)) * part_millis(seconds);
    state.part_that_frees(units).map_or(Reset::Never, |part| Reset::At(first_free(part)))
}

/// The state of a rolling window at `now`.
pub(crate) fn rolling_at(state: State, seconds: u32, now: u64) -> State {
    state.at(part(seconds, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clock_that_stepped_back_by_up_to_twelve_days_is_distinguished_from_one_that_advanced() {
        let word = Word { window: 5, units: 1 };
        let since = |millis: u32| elapsed(word, u64::from(5_u32.wrapping_add(millis)));
        assert_eq!((since(0), since(1), since(1 << 31)), (0, 1, 1 << 31));
        assert_eq!(since(0_u32.wrapping_sub(1)), 0);
        assert_eq!(since(0_u32.wrapping_sub(FURTHEST_BACK)), 0);
        let furthest = 0_u32.wrapping_sub(FURTHEST_BACK + 1);
        assert_eq!(since(furthest), u64::from(furthest));
    }

    proptest! {
        #[test]
        fn multiplying_by_the_reciprocal_divides(
            number in 0_u64..1 << 62,
            small in 0_u64..5_000_000_000,
            millis in prop_oneof![Just(1000), Just(60_000), Just(3_600_000), Just(86_400_000), 1_u64..1 << 33],
        ) {
            let period = Millis::new(millis);
            for number in [number, small, number / millis * millis, (number / millis * millis).saturating_sub(1)] {
                prop_assert_eq!(period.divide(number), number / millis, "{} by {}", number, millis);
            }
        }
    }
}
