//! Tags, which identify the counters of a limit.

use super::{Kind, Limit};
use crate::window::Period;

/// A stable fingerprint of what a limit counts, so that a limit that is raised or lowered keeps its
/// count. The two lowest bits are its [`Class`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(
    /// The 32 bits, as stored on disk.
    pub u32,
);

/// How long a count is kept, and how the rows of one tag add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Forever.
    Lifetime = 0,
    /// Until its calendar window has ended. Limits of requests in flight have this class as well,
    /// but are never stored.
    Calendar = 1,
    /// As long as it is within the span.
    Rolling = 2,
    /// Until the bucket is full again.
    Rate = 3,
}

/// The information in the tag of a rate, so that a bucket can be evaluated when its limit is no longer known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateTag {
    /// Units refilled in a period, rounded down to four significant bits: the bucket is at least as full.
    pub amount: u32,
    /// The period.
    pub period: Period,
    /// Seven bits of a hash of the group of endpoints; 0 for all endpoints.
    pub group: u8,
}

const AMOUNT_BITS: u32 = 4;
const GROUPS: u32 = 127;

impl Tag {
    /// The information in the tag of a rate. None: it is not a rate.
    pub fn rate(self) -> Option<RateTag> {
        if self.class() != Class::Rate {
            return None;
        }
        let bits = |from: u32, count: u32| (self.0 >> from) & ((1 << count) - 1);
        let period = match bits(9, 2) {
            0 => Period::Second,
            1 => Period::Minute,
            2 => Period::Hour,
            _ => return None,
        };
        let (exponent, top) = (bits(15, 5), bits(11, AMOUNT_BITS));
        // The top bit of an amount is one; otherwise it is a hash from before tags of rates
        // contained information.
        let is_amount = if exponent == 0 { top > 0 } else { top >> (AMOUNT_BITS - 1) == 1 };
        let amount = top.checked_shl(exponent).filter(|amount| is_amount && amount >> exponent == top)?;
        Some(RateTag { amount, period, group: bits(2, 7) as u8 })
    }

    /// From the top: 12 bits of a hash, the amount (5 bits of exponent, 4 bits), period (2), group (7), class (2).
    fn of_rate(text: &str, amount: u32, period: Period, group: Option<&str>) -> Self {
        let exponent = (u32::BITS - amount.leading_zeros()).saturating_sub(AMOUNT_BITS);
        let period = match period {
            Period::Second => 0,
            Period::Minute => 1,
            Period::Hour => 2,
            // Such a rate cannot be configured.
            Period::Day | Period::Month => 3,
        };
        let group = group.map_or(0, |group| 1 + crc32fast::hash(group.as_bytes()) % GROUPS);
        let hash = crc32fast::hash(text.as_bytes()) >> 20;
        let fields = [(hash, 5), (exponent, AMOUNT_BITS), (amount >> exponent, 2), (period, 7), (group, 2)];
        let bits = fields.into_iter().fold(0, |bits, (field, next)| (bits | field) << next);
        Self(bits | Class::Rate as u32)
    }

    /// The class in the lowest two bits.
    pub fn class(self) -> Class {
        match self.0 & 0b11 {
            0 => Class::Lifetime,
            1 => Class::Calendar,
            2 => Class::Rolling,
            _ => Class::Rate,
        }
    }
}

impl Limit {
    /// The tag of this limit: a hash of its kind, period, time zone, span and group, without its
    /// amount and burst. The tag of a rate contains its amount as well, because the remaining units
    /// of a bucket depend on its speed ([`Tag::rate`]).
    pub fn tag(&self) -> Tag {
        if let Kind::Rate { period, .. } = self.kind {
            return Tag::of_rate(&self.tag_text(), self.amount, period, self.group.as_deref());
        }
        Tag(crc32fast::hash(self.tag_text().as_bytes()) << 2 | self.class() as u32)
    }

    /// The tag that a rate had when that was a hash like all others: counters may still be stored
    /// under it. None: not a rate.
    pub fn former_tag(&self) -> Option<Tag> {
        let hash = || crc32fast::hash(self.tag_text().as_bytes()) << 2;
        (self.class() == Class::Rate).then(|| Tag(hash() | Class::Rate as u32))
    }

    /// The ID of this limit's counters that is shared by several nodes; below 2^53. Like its tag,
    /// but for a rate without its amount: so a bucket whose speed is changed keeps its level.
    pub fn shared_id(&self) -> u64 {
        match self.kind {
            Kind::Rate { .. } => 1 << 32 | u64::from(crc32fast::hash(self.policy_name().as_bytes())),
            Kind::Calendar { .. } | Kind::Rolling { .. } | Kind::Concurrent | Kind::Lifetime => {
                self.tag().0.into()
            }
        }
    }

    fn class(&self) -> Class {
        match self.kind {
            Kind::Lifetime => Class::Lifetime,
            Kind::Calendar { .. } | Kind::Concurrent => Class::Calendar,
            Kind::Rolling { .. } => Class::Rolling,
            Kind::Rate { .. } => Class::Rate,
        }
    }

    /// Tags are on disk: this text never changes, even if the text form of limits does.
    fn tag_text(&self) -> String {
        let mut text = self.kind.to_string();
        if let Kind::Rate { .. } = self.kind {
            text = format!("{} {text}", self.amount);
        }
        if let Some(group) = &self.group {
            text.push_str(" for ");
            text.push_str(group);
        }
        text
    }
}
