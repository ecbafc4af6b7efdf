//! The lease of one counter in one slice: what a node may spend, and what it should ask for.

use super::{Micros, demand::Demand};
use crate::{
    counter::{CounterId, Kind, Millis, PLACE_MARGIN, PLACE_TTL, Rule},
    message::{Answer, Question, Sequence, State},
};

/// A word from the ledger that is older is asked for anew, unless the counter is hot.
const FRESH: Micros = 100_000;

/// For how long a counter that is known to be empty is not asked about.
pub(crate) const EMPTY: Micros = 100_000;

/// For how long who asked waits for others to give back.
pub(crate) const RECALL_WAIT: Micros = 50_000;

/// For how many tenths of a second a block is asked for.
const AHEAD_TENTHS: u32 = 4;

/// What is not spent is given back if nothing is asked for this long.
pub(crate) const IDLE: Micros = 200_000;

/// A lease of which nothing is left is forgotten after this time.
const UNUSED: Micros = 1_000_000;

/// Places are asked for anew after this part of their time to live.
const RENEW: Micros = (PLACE_TTL - PLACE_MARGIN) * 1_000 / 3;

/// One lease.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) counter: CounterId,
    pub(crate) rule: Rule,
    pub(crate) slice: u64,
    /// What may be spent.
    pub(crate) granted: u32,
    /// Charged.
    pub(crate) used: u32,
    /// In flight.
    pub(crate) reserved: u32,
    /// What the ledger was told to be used.
    pub(crate) said_used: u32,
    /// Failed after the slice was over.
    pub(crate) refunded: u32,
    /// What waits for an answer: in all, and the least of one.
    pub(crate) waiting: u32,
    pub(crate) smallest: u32,
    pub(crate) demand: Demand,
    /// The last question and the last answer: the numbers of their messages.
    pub(crate) asked: Sequence,
    pub(crate) answered: Sequence,
    pub(crate) asked_at: Micros,
    /// What nobody held at the last word, and when that came. 0: none came.
    pub(crate) left: u32,
    pub(crate) word_at: Micros,
    /// When the last question was asked that was answered.
    pub(crate) renewed_at: Micros,
    pub(crate) is_withheld: bool,
    /// The last answer was that the least could not be had.
    pub(crate) is_scarce: bool,
    /// Not asked about until then.
    pub(crate) quiet_until: Micros,
    /// When others, who were called, are asked for the second time. 0: they were not called.
    pub(crate) again_at: Micros,
    /// Asked for unit by unit until then, because it was called back.
    pub(crate) single_until: Micros,
    pub(crate) is_queued: bool,
    /// When it is looked at next.
    pub(crate) due: Micros,
}

/// What there is to do about a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    Nothing,
    Ask,
    Forget,
    /// Its places may be forgotten by the ledger.
    LosePlaces,
}

impl Lease {
    pub(crate) fn new(counter: CounterId, rule: Rule, slice: u64) -> Self {
        Self {
            counter,
            rule,
            slice,
            granted: 0,
            used: 0,
            reserved: 0,
            said_used: 0,
            refunded: 0,
            waiting: 0,
            smallest: u32::MAX,
            demand: Demand::default(),
            asked: 0,
            answered: 0,
            asked_at: 0,
            left: rule.quota(),
            word_at: 0,
            renewed_at: 0,
            is_withheld: false,
            is_scarce: false,
            quiet_until: 0,
            again_at: 0,
            single_until: 0,
            is_queued: false,
            due: Micros::MAX,
        }
    }

    /// Units that are spoken for.
    pub(crate) const fn held(&self) -> u32 {
        self.used.saturating_add(self.reserved)
    }

    /// Units that can be spent at once.
    #[inline]
    pub(crate) const fn free(&self) -> u32 {
        self.granted.saturating_sub(self.held())
    }

    pub(crate) const fn is_pending(&self) -> bool {
        self.asked > self.answered
    }

    /// Whether the slice is over at this time of the ledger.
    #[inline]
    pub(crate) fn is_over(&self, latest: Millis) -> bool {
        self.rule.ends(self.slice).is_some_and(|ends| latest >= ends)
    }

    /// Whether its places may be used: counted from before they were asked for.
    #[inline]
    pub(crate) const fn is_valid(&self, now: Micros) -> bool {
        !matches!(self.rule.kind, Kind::AtOnce) || now < self.places_end()
    }

    const fn places_end(&self) -> Micros {
        self.renewed_at.saturating_add((PLACE_TTL - PLACE_MARGIN) * 1_000)
    }

    /// Whether the ledger said anything of it.
    #[inline]
    pub(crate) const fn has_word(&self) -> bool {
        self.word_at > 0
    }

    /// Whether a client may be told what was heard last.
    #[inline]
    pub(crate) const fn is_fresh(&self, now: Micros) -> bool {
        now < self.word_at.saturating_add(FRESH) || self.demand.is_hot(now)
    }

    /// Units to hold beyond those that are spoken for: none of a counter that is used seldom, and less and less as it runs out.
    fn block(&self, now: Micros, members: u32) -> u32 {
        if now < self.single_until || !self.demand.is_hot(now) {
            return 0;
        }
        let share = self.left.saturating_add(self.free()) / members.saturating_mul(2).max(1);
        self.demand.units(now).saturating_mul(AHEAD_TENTHS).min(share)
    }

    /// Whether more should be asked for, so that nobody has to wait for it.
    #[inline]
    pub(crate) fn wants_more(&self, now: Micros, members: u32) -> bool {
        if self.is_queued || self.is_pending() || now < self.quiet_until || !self.demand.is_hot(now) {
            return false;
        }
        let age = now.saturating_sub(self.word_at);
        if age >= u64::from(AHEAD_TENTHS) * FRESH {
            return true;
        }
        (self.left > 0 || age >= FRESH) && self.free() < self.block(now, members).div_ceil(2)
    }

    /// The question to ask now. What it gives back is not spent from here on, whether the question arrives or not.
    pub(crate) fn question(
        &mut self,
        now: Micros,
        latest: Millis,
        members: u32,
        is_restated: bool,
    ) -> Question {
        let held = self.held();
        let (total, least) = if is_restated {
            (self.granted, 0)
        } else if self.is_over(latest) {
            (held, 0)
        } else if self.waiting > 0 {
            let block = self.block(now, members).max(self.waiting);
            // Whoever could do with what is free has taken it.
            let least = self.smallest.max(self.free().saturating_add(1)).min(self.waiting);
            (held.saturating_add(block), held.saturating_add(least))
        } else {
            (held.saturating_add(self.block(now, members)), held.min(self.granted))
        };
        self.granted = self.granted.min(total);
        self.said_used = self.used;
        Question {
            counter: self.counter,
            rule: self.rule,
            slice: self.slice,
            total,
            least,
            used: self.said_used,
            refunded: self.refunded,
            is_restated,
        }
    }

    /// Whether the ledger thinks that more could be given back than it knows to be used.
    pub(crate) const fn can_give_back(&self) -> bool {
        self.free() > 0 || self.used > self.said_used
    }

    /// Takes the answer to the last question.
    pub(crate) fn hear(&mut self, now: Micros, answer: &Answer) {
        self.granted = answer.granted;
        self.left = answer.left;
        self.word_at = now;
        self.renewed_at = self.asked_at;
        self.is_withheld = false;
        self.is_scarce = matches!(answer.state, State::Scarce { .. });
        let was_called = self.again_at;
        self.again_at = 0;
        self.quiet_until = 0;
        match answer.state {
            State::Granted => {}
            State::Scarce { held: true, .. } if was_called == 0 || self.asked_at < was_called => {
                self.again_at = if was_called == 0 { now + RECALL_WAIT } else { was_called };
            }
            State::Scarce { flows_in, .. } => {
                let flows_in = flows_in.map_or(EMPTY, |millis| millis.saturating_mul(1_000));
                self.quiet_until = now + flows_in.min(EMPTY);
            }
            State::Withheld => {
                self.is_withheld = true;
                self.quiet_until = now + EMPTY;
            }
            State::Over => self.quiet_until = now + EMPTY,
        }
    }

    /// What there is to do, and when to look again.
    pub(crate) fn care(&self, now: Micros, latest: Millis, earliest: Millis) -> (Care, Micros) {
        let at = |millis: Millis| now + millis.saturating_sub(earliest).max(1) * 1_000;
        let forgotten = self.rule.forgotten(self.slice);
        let is_settled = self.reserved == 0 && self.waiting == 0 && !self.is_pending() && !self.is_queued;
        if forgotten.is_some_and(|forgotten| earliest >= forgotten) {
            return (Care::Forget, 0);
        }
        let later = forgotten.map_or(Micros::MAX, at);
        if self.is_over(latest) {
            return match self.rule.kind {
                // It ends with its window, so nothing has to be collected.
                Kind::Window { .. } | Kind::InAll | Kind::AtOnce => (Care::Nothing, later),
                Kind::Rate { .. } if is_settled && self.free() == 0 => (Care::Forget, 0),
                Kind::Rolling { .. } | Kind::Rate { .. } if self.free() > 0 => (Care::Ask, now + IDLE),
                Kind::Rolling { .. } | Kind::Rate { .. } => (Care::Nothing, later),
            };
        }
        let is_idle = self.demand.is_idle(now);
        if matches!(self.rule.kind, Kind::AtOnce) && self.granted > 0 {
            if now >= self.places_end() {
                return (Care::LosePlaces, now + UNUSED);
            }
            let care = if now >= self.renewed_at + RENEW || is_idle && self.free() > 0 {
                Care::Ask
            } else {
                Care::Nothing
            };
            return (care, (now + IDLE).min(self.places_end()));
        }
        // Units beyond the lease count as soon as the ledger can be asked for them.
        if self.held() > self.granted && !matches!(self.rule.kind, Kind::AtOnce) {
            return (Care::Ask, now + UNUSED);
        }
        if self.granted == 0 && self.held() == 0 && is_settled && now >= self.word_at + UNUSED {
            return (Care::Forget, 0);
        }
        if self.free() > 0 {
            return (if is_idle { Care::Ask } else { Care::Nothing }, now + IDLE);
        }
        let next = if self.granted == 0 && self.held() == 0 { now + UNUSED } else { later };
        let end = self.rule.ends(self.slice).map_or(Micros::MAX, at);
        (Care::Nothing, next.min(end.max(now + 1_000)))
    }
}
