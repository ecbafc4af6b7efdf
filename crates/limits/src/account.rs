//! The account of a key: a counter for each of its limits; a request takes from all or none.

use crate::{
    compiled::{Applying, Compiled, Limits, Rule, rolling_at},
    denial::Denial,
    guard::ErrorCount,
    past::{Kept, Past, Value},
    reset::Reset,
    rolling::{Rolling, State, part},
    slot::Slot,
    windows::Windows,
    word::{Counter, Frozen, NotTaken, Word},
};
use contract::limit::Tag;
use std::sync::Arc;

/// Counters stored in the account itself. Few plans have more limits.
const INLINE: usize = 3;

/// The counters of one key.
#[derive(Debug)]
pub struct Account {
    limits: Arc<Limits>,
    words: [Counter; INLINE],
    more: Option<Box<More>>,
    errors: ErrorCount,
    /// The account that took over these counts, once this one is frozen.
    successor: Slot<Account>,
}

/// The counters that do not fit into the account itself.
#[derive(Debug, Default)]
struct More {
    words: Box<[Counter]>,
    rollings: Box<[Rolling]>,
    /// Windows of former limits. None: the limits never changed, or all such windows have ended.
    past: Option<Box<Past>>,
}

/// One counter.
pub(crate) enum Cell<'a> {
    Word(&'a Counter),
    Rolling(&'a Rolling),
}

/// Why an account granted nothing.
pub(crate) enum Refused {
    Denied(Denial),
    /// It has been replaced.
    Frozen,
}

impl Account {
    /// An account without usage.
    pub fn new(limits: Arc<Limits>) -> Self {
        Self::with(limits, |_| Word::default(), |_| State::default())
    }

    pub(crate) fn with(
        limits: Arc<Limits>,
        word: impl Fn(&Compiled) -> Word,
        state: impl Fn(&Compiled) -> State,
    ) -> Self {
        let (mut inline, mut words, mut rollings) =
            (std::array::from_fn(|_| Counter::default()), vec![], vec![]);
        for (_, one) in limits.each(limits.all()) {
            match &one.rule {
                Rule::Word(_) => match inline.get_mut(one.place) {
                    Some(place) => *place = Counter::new(word(one)),
                    None => words.push(Counter::new(word(one))),
                },
                Rule::Rolling { .. } => rollings.push(Rolling::new(state(one))),
            }
        }
        let more = (!words.is_empty() || !rollings.is_empty())
            .then(|| Box::new(More { words: words.into(), rollings: rollings.into(), past: None }));
        Self { limits, words: inline, more, errors: ErrorCount::default(), successor: Slot::new(None) }
    }

    /// The limits of this account.
    pub const fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// Errors of this key, for the abuse guard.
    pub const fn errors(&self) -> &ErrorCount {
        &self.errors
    }

    #[inline]
    pub(crate) fn cell(&self, one: &Compiled) -> Option<Cell<'_>> {
        let more = self.more.as_deref();
        match &one.rule {
            Rule::Word(_) => match self.words.get(one.place) {
                Some(word) => Some(Cell::Word(word)),
                None => more?.words.get(one.place - INLINE).map(Cell::Word),
            },
            Rule::Rolling { .. } => more?.rollings.get(one.place).map(Cell::Rolling),
        }
    }

    // === take and release ===

    /// Takes a request's cost in the only limit, in the same atomic step that checks it. None: that
    /// failed, or there are several limits; then [`Account::take`] takes it, or returns why not.
    #[inline]
    pub(crate) fn take_single(&self, now: u64, cost: u32, applying: Applying) -> Option<Windows> {
        let window = self.take_one(self.limits.single(applying)?, now, cost).ok()?;
        Some(Windows::one(window))
    }

    /// Takes a request's cost in every limit that applies, or in none.
    pub(crate) fn take(&self, now: u64, cost: u32, applying: Applying) -> Result<Windows, Refused> {
        if let Some(windows) = self.take_single(now, cost, applying) {
            return Ok(windows);
        }
        loop {
            // All limits are checked before any is changed, so that a denial has no effect.
            if !self.limits.each(applying).all(|(_, one)| self.has_room(one, now, cost)) {
                match self.denial(now, cost, applying) {
                    Some(denial) => return Err(Refused::Denied(denial)),
                    None => continue, // a request that failed meanwhile made room
                }
            }
            let mut windows = Windows::default();
            let mut failed = None;
            for (position, one) in self.limits.each(applying) {
                match self.take_one(one, now, cost) {
                    Ok(window) => windows = windows.with(position, window),
                    Err(not_taken) => {
                        failed = Some((position, not_taken));
                        break;
                    }
                }
            }
            let Some((taken, not_taken)) = failed else { return Ok(windows) };
            for (position, one) in self.limits.each(applying).filter(|(position, _)| *position < taken) {
                self.give_back(one, windows.get(position), one.units(cost));
            }
            match not_taken {
                NotTaken::Frozen => return Err(Refused::Frozen),
                // Release what was taken, and determine which limit denies. If none does any more,
                // another thread took units and released them meanwhile. Each iteration means that
                // another thread made progress, so this ends.
                NotTaken::Exhausted => {
                    if let Some(denial) = self.denial(now, cost, applying) {
                        return Err(Refused::Denied(denial));
                    }
                }
            }
        }
    }

    /// Whether one limit would admit a request of this cost: a cheaper form of [`Account::seen`].
    #[inline]
    fn has_room(&self, one: &Compiled, now: u64, cost: u32) -> bool {
        let counted = match (&one.rule, self.cell(one)) {
            (Rule::Word(rule), Some(Cell::Word(counter))) => {
                rule.counted_at(counter.load(), one.limit.amount, now)
            }
            (Rule::Rolling { seconds }, Some(Cell::Rolling(rolling))) => {
                rolling_at(rolling.load(), *seconds, now).total()
            }
            // Fail closed, as in `Seen`.
            (Rule::Word(_), Some(Cell::Rolling(_)) | None)
            | (Rule::Rolling { .. }, Some(Cell::Word(_)) | None) => return false,
        };
        counted.checked_add(one.units(cost)).is_some_and(|counted| counted <= one.quota())
    }

    #[inline]
    fn take_one(&self, one: &Compiled, now: u64, cost: u32) -> Result<u32, NotTaken> {
        let (amount, quota, units) = (one.limit.amount, one.quota(), one.units(cost));
        match (&one.rule, self.cell(one)) {
            (Rule::Word(rule), Some(Cell::Word(counter))) => rule.take(counter, amount, quota, units, now),
            (Rule::Rolling { seconds }, Some(Cell::Rolling(rolling))) => {
                rolling.take(part(*seconds, now), units, quota)
            }
            // Fail closed, as in `Seen`.
            (Rule::Word(_), Some(Cell::Rolling(_)) | None)
            | (Rule::Rolling { .. }, Some(Cell::Word(_)) | None) => Err(NotTaken::Exhausted),
        }
    }

    /// The limit that denies a cost at `now`: of several, the one that resets last, because no
    /// retry can succeed before.
    #[cold]
    fn denial(&self, now: u64, cost: u32, applying: Applying) -> Option<Denial> {
        let mut last: Option<(usize, Reset)> = None;
        for (position, one) in self.limits.each(applying) {
            let seen = self.seen(one, now);
            let beyond = seen.beyond(one, one.units(cost));
            if beyond == 0 {
                continue;
            }
            // A cost above the quota is never admitted.
            let units = one.units(cost);
            let reset = if units > one.quota() { Reset::Never } else { seen.frees(one, beyond, now) };
            if last.is_none_or(|(_, before)| reset.is_later_than(before)) {
                last = Some((position, reset));
            }
        }
        let (position, reset) = last?;
        Some(Denial {
            limits: Arc::clone(&self.limits),
            position,
            reset: reset.seconds_from(now),
            resets_at: reset.second(now),
        })
    }

    /// Releases units of a window, unless it has ended; if this account was replaced, in the one
    /// that counts them now.
    pub(crate) fn give_back(&self, one: &Compiled, window: u32, units: u32) {
        if self.give_back_here(one, window, units).is_err() {
            give_back_moved(self.replaced(), one.tag, window, units);
        }
    }

    fn give_tag_back(&self, tag: Tag, window: u32, units: u32) -> Result<(), Frozen> {
        let given = match self.limits.with_tag(tag) {
            Some(one) => Some(self.give_back_here(one, window, units)),
            None => self.past().and_then(|past| past.give_back(tag, window, units)),
        };
        given.unwrap_or(Ok(())) // a window that is neither current nor remembered has ended
    }

    /// Releases the units that `units` returns for each limit that applies.
    pub(crate) fn give_each_back(
        &self,
        applying: Applying,
        windows: Windows,
        units: impl Fn(&Compiled) -> u32,
    ) {
        for (position, one) in self.limits.each(applying) {
            let units = units(one);
            if units > 0 {
                self.give_back(one, windows.get(position), units);
            }
        }
    }

    fn give_back_here(&self, one: &Compiled, window: u32, units: u32) -> Result<(), Frozen> {
        match self.cell(one) {
            Some(Cell::Word(counter)) => counter.give_back(window, units),
            Some(Cell::Rolling(rolling)) => rolling.give_back(window, units),
            None => Ok(()),
        }
    }

    // === replacement ===

    /// The account that replaces this one, which is frozen. It is created with the same limits if
    /// necessary, so that no thread ever waits for another.
    fn replaced(&self) -> Arc<Account> {
        // With the same limits nothing is dropped, whatever the time.
        self.replace_by(&self.limits, 0)
    }

    /// Freezes this account, and returns its replacement: with these limits, unless another thread
    /// was faster, and without what has ended at `now`.
    ///
    /// Any number of threads may do this concurrently. A frozen account never changes, so all of
    /// them copy the same counts, and one of the copies becomes the successor.
    pub(crate) fn replace_by(&self, limits: &Arc<Limits>, now: u64) -> Arc<Account> {
        self.freeze();
        loop {
            if let Some(successor) = self.successor.load() {
                return successor;
            }
            let next = Arc::new(Self { errors: self.errors.copy(), ..self.changed(limits, now) });
            if self.successor.swap_if(None, Some(Arc::clone(&next))) {
                return next;
            }
        }
    }

    /// Whether this account was replaced.
    pub(crate) fn is_replaced(&self) -> bool {
        self.successor.look(|successor| successor.is_some())
    }

    /// Freezes every counter, so that it never changes again.
    pub(crate) fn freeze(&self) {
        let more = self.more.as_deref();
        for word in self.words.iter().chain(more.iter().flat_map(|more| &more.words)) {
            word.freeze();
        }
        for rolling in more.iter().flat_map(|more| &more.rollings) {
            rolling.freeze();
        }
        if let Some(past) = self.past() {
            past.freeze();
        }
    }

    /// The counts of all its limits, and those of former limits.
    pub(crate) fn kept(&self, now: u64) -> impl Iterator<Item = Kept> {
        let live = self.limits.each(self.limits.all()).filter_map(move |(_, one)| {
            let value = match self.cell(one)? {
                Cell::Word(counter) => Value::Word(counter.load()),
                Cell::Rolling(rolling) => Value::Rolling(rolling.load()),
            };
            Some(Kept::of(one, value, now))
        });
        live.chain(self.past().into_iter().flat_map(move |past| past.kept(now)))
    }

    pub(crate) fn past(&self) -> Option<&Past> {
        self.more.as_deref()?.past.as_deref()
    }

    /// The same, with windows of former limits.
    pub(crate) fn remembering(mut self, past: Option<Box<Past>>) -> Self {
        if past.is_some() {
            self.more.get_or_insert_default().past = past;
        }
        self
    }

    /// Whether a new account would be equivalent at `now`: nothing is used or reserved.
    ///
    /// Also for a late request that began earlier: a new account would grant it a window that is
    /// used up, or that has ended.
    pub(crate) fn is_idle(&self, now: u64) -> bool {
        let earliest = now.saturating_sub(crate::LATEST_MILLIS);
        let is_as_new = |one: &Compiled| match (&one.rule, self.cell(one)) {
            (Rule::Word(rule), Some(Cell::Word(counter))) => {
                let [word, new] = [counter.load(), Word::default()];
                rule.at(word, one.limit.amount, earliest) == rule.at(new, one.limit.amount, earliest)
            }
            (Rule::Rolling { seconds }, Some(Cell::Rolling(rolling))) => {
                let [state, new] = [rolling.load(), State::default()];
                rolling_at(state, *seconds, earliest) == rolling_at(new, *seconds, earliest)
            }
            (Rule::Word(_), Some(Cell::Rolling(_)) | None)
            | (Rule::Rolling { .. }, Some(Cell::Word(_)) | None) => false,
        };
        self.errors.within_minute(now / 1000) == 0
            && self.past().is_none_or(|past| past.is_over(now))
            && self.limits.each(self.limits.all()).all(|(_, one)| is_as_new(one))
    }
}

/// Releases what was taken in an account that was replaced by this one: where it is counted now,
/// and in the buckets that it was carried over to.
#[cold]
fn give_back_moved(mut account: Arc<Account>, tag: Tag, window: u32, units: u32) {
    let mut reached = vec![(tag, window)];
    let mut open = vec![(tag, window, units)];
    loop {
        if let Some(past) = account.past() {
            past.follow(&mut open, &mut reached);
        }
        open.retain(|&(tag, window, units)| account.give_tag_back(tag, window, units).is_err());
        if open.is_empty() {
            return;
        }
        account = account.replaced();
    }
}
