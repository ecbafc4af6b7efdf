//! A limit of a plan: what it counts, over which time, and for which endpoints.
//!
//! A limit has a text form: `"1000 per day in Europe/Berlin"`. [`Limit::parse`] parses it,
//! `Display` formats it, and [`Limit::tag`] identifies its counters.

mod reading;
mod tag;
#[cfg(test)]
mod tests;

pub use reading::LimitError;
pub use tag::{Class, RateTag, Tag};

use crate::{calendar::Zone, registry::ErrorCode, window::Period};
use std::{fmt, sync::Arc};

/// A limit of a plan: a number of units, counted in one of several ways.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Units granted, at least 1 and at most [`Limit::LARGEST`] ([`Limit::MAX_RATE`] for a rate).
    pub amount: u32,
    /// How they are counted.
    pub kind: Kind,
    /// Only requests to endpoints of this group count. `None`: all of them.
    pub group: Option<Arc<str>>,
}

/// How a limit counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// This many units in each calendar window: `1000 per day`, `1000 per day in Europe/Berlin`.
    ///
    /// Days and months may be in a time zone; seconds, minutes and hours are always in UTC.
    Calendar {
        /// The period of the windows.
        period: Period,
        /// Their time zone.
        zone: Zone,
    },
    /// At most this many units in any span of this length: `100 per rolling 15 minutes`.
    Rolling {
        /// The length of the span, [`Limit::SHORTEST_SPAN`] to [`Limit::LONGEST_SPAN`].
        seconds: u32,
    },
    /// This many units per second, minute or hour, refilled evenly: `10 per second, burst 50`.
    Rate {
        /// The time in which `amount` units are refilled.
        period: Period,
        /// Maximum number of units that can be used at once, at least 1 and at most [`Limit::MAX_RATE`].
        burst: u32,
    },
    /// This many requests in flight: `20 at once`. Requests are counted, not their cost.
    Concurrent,
    /// This many units in total: `10000 in all`.
    Lifetime,
}

impl Limit {
    /// The maximum amount: the top bit of a counter's word is a flag.
    pub const LARGEST: u32 = 0x7fff_ffff;
    /// The maximum amount and burst of a rate.
    pub const MAX_RATE: u32 = 1 << 28;
    /// The shortest rolling span, in seconds.
    pub const SHORTEST_SPAN: u32 = 60;
    /// The longest rolling span, in seconds.
    pub const LONGEST_SPAN: u32 = 31 * 86_400;
    /// The maximum length of the name of a group of endpoints, in bytes.
    pub const LONGEST_GROUP: usize = 64;

    /// Whether a group of endpoints can have this name: 1 to 64 letters, digits, `-` and `_`.
    pub fn is_group(name: &str) -> bool {
        (1..=Self::LONGEST_GROUP).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    }

    /// Maximum number of units that can ever be used at once; a request that costs more is never
    /// admitted. `None` for a limit that counts requests, whatever they cost.
    pub fn at_most_at_once(&self) -> Option<u32> {
        match self.kind {
            Kind::Calendar { .. } | Kind::Rolling { .. } | Kind::Lifetime => Some(self.amount),
            Kind::Rate { burst, .. } => Some(burst),
            Kind::Concurrent => None,
        }
    }

    /// The error code when this limit is exhausted: a limit per second, a rate and requests in
    /// flight ask for a slower pace, all others for waiting or a larger plan.
    pub fn error_code(&self) -> ErrorCode {
        match &self.kind {
            Kind::Calendar { period: Period::Second, .. } | Kind::Rate { .. } | Kind::Concurrent => {
                ErrorCode::RateExceeded
            }
            Kind::Calendar {
                period: Period::Minute | Period::Hour | Period::Day | Period::Month, ..
            }
            | Kind::Rolling { .. }
            | Kind::Lifetime => ErrorCode::ApiLimitExceeded,
        }
    }

    /// Whether this limit counts requests to an endpoint of this group.
    pub fn applies_to(&self, group: Option<&str>) -> bool {
        self.group.is_none() || self.group.as_deref() == group
    }

    /// A short name for `RateLimit-Policy`: `day`, `day-europe-berlin`, `rolling-15-minutes`,
    /// `second-burst`, `at-once`, `in-all`; followed by `-GROUP` if it has a group. Letters, digits
    /// and `-` only.
    ///
    /// It is unique within a plan: a configuration with two equal names is rejected.
    pub fn policy_name(&self) -> String {
        let mut name = match &self.kind {
            Kind::Calendar { period, zone: Zone::Utc } => period.word().to_owned(),
            Kind::Calendar { period, zone: Zone::Named(calendar) } => {
                format!("{}-{}", period.word(), dashed(calendar.name()).to_ascii_lowercase())
            }
            Kind::Rolling { seconds } => format!("rolling-{}", Span(*seconds)).replace(' ', "-"),
            Kind::Rate { period, .. } => format!("{}-burst", period.word()),
            Kind::Concurrent => "at-once".to_owned(),
            Kind::Lifetime => "in-all".to_owned(),
        };
        if let Some(group) = &self.group {
            name.push('-');
            name.push_str(&dashed(group));
        }
        name
    }
}

/// `Etc/GMT+5` and `Etc/GMT-5` are hours apart: one becomes `Etc-GMT-plus-5`, the other `Etc-GMT-5`.
fn dashed(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '+' => out.push_str("-plus-"),
            c if c.is_ascii_alphanumeric() => out.push(c),
            _ => out.push('-'),
        }
    }
    out
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.amount, self.kind)?;
        if let Kind::Rate { burst, .. } = self.kind {
            write!(out, " {burst}")?;
        }
        match &self.group {
            Some(group) => write!(out, " for {group}"),
            None => Ok(()),
        }
    }
}

/// The text between the amount and, for a rate, the burst.
impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar { period, zone: Zone::Utc } => write!(out, "per {}", period.word()),
            Self::Calendar { period, zone: Zone::Named(calendar) } => {
                write!(out, "per {} in {}", period.word(), calendar.name())
            }
            Self::Rolling { seconds } => write!(out, "per rolling {}", Span(*seconds)),
            Self::Rate { period, .. } => write!(out, "per {}, burst", period.word()),
            Self::Concurrent => out.write_str("at once"),
            Self::Lifetime => out.write_str("in all"),
        }
    }
}

/// A rolling span in words: `hour`, `15 minutes`. Formatted in the largest unit that divides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(
    /// Its length in seconds.
    pub u32,
);

impl Span {
    const UNITS: [(&'static str, u32); 4] = [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400)];
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Self::UNITS.into_iter().rev().find(|(_, seconds)| self.0.is_multiple_of(*seconds));
        let (word, seconds) = unit.unwrap_or(("second", 1));
        match self.0 / seconds {
            1 => out.write_str(word),
            count => write!(out, "{count} {word}s"),
        }
    }
}
