//! The initial counts of an account that replaces another one, or is restored from disk.
//!
//! A limit continues the window of its tag. A rate whose speed was changed has a different tag: its
//! bucket starts with what was not yet refilled of the one it replaces, so that a change of speed
//! does not fill a bucket. All other windows are remembered (`past.rs`).

use crate::{
    account::Account,
    compiled::{Compiled, Limits, Rule, WordRule, rate_of},
    ends::Ends,
    past::{Kept, Link, Merged, Past, Value, level},
    reservation::Used,
    rolling::State,
    slot::AtomicU64,
    word::{Word, is_after},
};
use contract::limit::{Class, RateTag, Tag};
use std::sync::Arc;

/// Milliseconds after its last charge at which a window of unknown kind has ended: the longest has 31 days.
const LONGEST_WINDOW: u64 = 32 * 86_400_000;

/// A bucket that started with units of another one.
struct Carried {
    to: Tag,
    word: Word,
    link: Option<Link>,
}

impl Account {
    /// An account with the recorded charges `used`, as of `now` (Unix milliseconds).
    pub fn restored(limits: Arc<Limits>, used: &[Used], now: u64) -> Self {
        let used = &renamed(&limits, used);
        let kept = of_rows(used, now);
        let carried = limits.each(limits.all()).filter_map(|(_, one)| {
            let word = restored_rate(&limits, one, used, now)?;
            Some(Carried { to: one.tag, word, link: None })
        });
        let carried = carried.collect();
        Self::going_on(limits, kept, Merged::default(), carried, now)
    }

    /// An account with these limits that replaces this one, which is frozen.
    pub(crate) fn changed(&self, limits: &Arc<Limits>, now: u64) -> Self {
        let kept: Vec<Kept> = self.kept(now).collect();
        let merged = self.past().map_or_else(Merged::default, |past| past.merged(now));
        let carried = limits.each(limits.all()).filter_map(|(_, one)| {
            let is_new = self.limits().with_tag(one.tag).is_none();
            if is_new { carried_rate(limits, one, &kept, &merged, now) } else { None }
        });
        let carried = carried.collect();
        Self::going_on(Arc::clone(limits), kept, merged, carried, now)
    }

    fn going_on(
        limits: Arc<Limits>,
        mut kept: Vec<Kept>,
        merged: Merged,
        carried: Vec<Carried>,
        now: u64,
    ) -> Self {
        let word = |one: &Compiled| match (
            carried.iter().find(|carried| carried.to == one.tag),
            find(&kept, one.tag),
        ) {
            (Some(carried), _) => carried.word,
            (None, Some(Value::Word(word))) => word,
            (None, Some(Value::Rolling(_))) => Word::default(),
            (None, None) => merged.word(one, now),
        };
        let state = |one: &Compiled| match find(&kept, one.tag) {
            Some(Value::Rolling(state)) => state,
            Some(Value::Word(_)) => State::default(),
            None => merged.state(one, now),
        };
        let account = Self::with(Arc::clone(&limits), word, state);
        let links = carried.into_iter().filter_map(|carried| carried.link).collect();
        kept.retain(|kept| limits.with_tag(kept.tag).is_none() && !kept.is_over(now));
        account.remembering(Past::new(kept, links, merged))
    }
}

fn find(kept: &[Kept], tag: Tag) -> Option<Value> {
    kept.iter().find(|kept| kept.tag == tag).map(|kept| kept.value)
}

impl Limits {
    /// Whether a rate replaces the one of another tag, which these limits do not have: it has the
    /// same group and the same period, or no limit has that period.
    fn replaces(&self, one: &Compiled, tag: Tag) -> bool {
        let (Some(mine), Some(other)) = (one.tag.rate(), tag.rate()) else { return false };
        let is_of_its_place = |rate: RateTag| rate.group == other.group && rate.period == other.period;
        mine.group == other.group
            && self.with_tag(tag).is_none()
            && (mine.period == other.period
                || !self.each(self.all()).filter_map(|(_, one)| one.tag.rate()).any(is_of_its_place))
    }
}

/// The initial units of a new rate: at least those taken in the bucket that it replaces.
fn carried_rate(
    limits: &Limits,
    one: &Compiled,
    kept: &[Kept],
    merged: &Merged,
    now: u64,
) -> Option<Carried> {
    let Rule::Word(rule @ WordRule::Rate { .. }) = &one.rule else { return None };
    let sources = kept.iter().filter(|kept| limits.replaces(one, kept.tag));
    let source = sources.max_by_key(|kept| kept.level)?;
    let own = match find(kept, one.tag) {
        Some(Value::Word(word)) => word,
        Some(Value::Rolling(_)) | None => merged.word(one, now),
    };
    let own_level = rule.counted_at(own, one.limit.amount, now);
    let more = source.level.min(one.quota()).saturating_sub(own_level);
    let Value::Word(from) = source.value else { return None };
    if more == 0 {
        return None;
    }
    let word = grown(own, own_level, more, limits.changed_at(now));
    let link = Link {
        from: (source.tag, from.window),
        to: (one.tag, word.window),
        left: AtomicU64::new(more.into()),
    };
    Some(Carried { to: one.tag, word, link: Some(link) })
}

/// The initial units of a rate for which the disk has buckets of other speeds. It is unknown when
/// the speed was changed; so each is evaluated at its last charge, and refilled at the slower of
/// the two speeds since.
fn restored_rate(limits: &Limits, one: &Compiled, used: &[Used], now: u64) -> Option<Word> {
    let Rule::Word(rule @ WordRule::Rate { .. }) = &one.rule else { return None };
    let amount = one.limit.amount;
    let own = used.iter().find(|row| row.tag == one.tag).map_or_else(Word::default, word_of);
    let own_level = rule.counted_at(own, amount, now);
    let sources = used.iter().filter(|row| limits.replaces(one, row.tag));
    let left = |row: &Used| {
        let (its_rule, its_amount) = rate_of(row.tag)?;
        let then = row.second.saturating_mul(1000);
        let taken = its_rule.counted_at(word_of(row), its_amount, then).min(one.quota());
        if own_level > 0 {
            return Some(taken); // the refill since then is counted with its own units
        }
        let since = Word { window: then as u32, units: taken };
        Some(rule.counted_at(since, amount, now).max(its_rule.counted_at(since, its_amount, now)))
    };
    let more = sources.filter_map(left).fold(0, u32::saturating_add).min(one.quota());
    (more > 0).then(|| grown(own, own_level, more, now))
}

/// The word of a bucket with `more` units taken.
fn grown(own: Word, own_level: u32, more: u32, now: u64) -> Word {
    if own_level == 0 {
        return Word { window: now as u32, units: more };
    }
    Word { units: own.units.saturating_add(more).min(contract::Limit::LARGEST), ..own }
}

fn word_of(row: &Used) -> Word {
    Word { window: row.window, units: row.units.min(contract::Limit::LARGEST) }
}

/// These rows, with those of rates stored under their former tags renamed. A bucket has one window,
/// the newest.
fn renamed(limits: &Limits, used: &[Used]) -> Vec<Used> {
    let mut rows: Vec<Used> = Vec::with_capacity(used.len());
    for row in used {
        let mut of_now = limits.each(limits.all()).filter(|(_, one)| one.former == Some(row.tag));
        let row = Used { tag: of_now.next().map_or(row.tag, |(_, one)| one.tag), ..*row };
        let is_rate = row.tag.class() == Class::Rate;
        match rows.iter_mut().find(|known| is_rate && known.tag == row.tag) {
            Some(known) if known.window == row.window => {
                known.units = known.units.saturating_add(row.units);
                known.second = known.second.max(row.second);
            }
            Some(known) if is_after(row.window, known.window) => *known = row,
            Some(_) => {}
            None => rows.push(row),
        }
    }
    rows
}

/// The counts of each tag in these rows. For those of unknown limits, only the class is known.
fn of_rows(used: &[Used], now: u64) -> Vec<Kept> {
    let mut all: Vec<Kept> = Vec::new();
    for row in used {
        let unknown = Ends::At(row.second.saturating_mul(1000).saturating_add(LONGEST_WINDOW));
        let (value, ends) = match row.tag.class() {
            Class::Rolling => {
                if let Some(Kept { value: Value::Rolling(state), ends, .. }) =
                    all.iter_mut().find(|kept| kept.tag == row.tag)
                {
                    *state = state.restore(row.window, row.units);
                    if matches!((*ends, unknown), (Ends::At(one), Ends::At(other)) if other > one) {
                        *ends = unknown;
                    }
                    continue;
                }
                (Value::Rolling(State::default().restore(row.window, row.units)), unknown)
            }
            Class::Lifetime => (Value::Word(word_of(row)), Ends::WhenEmpty),
            Class::Calendar => (Value::Word(word_of(row)), unknown),
            Class::Rate => {
                let ends = rate_of(row.tag).map(|(rule, amount)| rule.full_at(word_of(row), amount, now));
                (Value::Word(word_of(row)), ends.unwrap_or(unknown))
            }
        };
        all.push(Kept { tag: row.tag, ends, value, level: level(row.tag, value, now) });
    }
    all
}
