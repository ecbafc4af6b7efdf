//! Parses the text of a limit.

use super::{Kind, Limit, Span};
use crate::{
    calendar::{Calendar, Zone},
    window::Period,
};
use std::sync::Arc;

/// UTC, and its aliases in the time zone database.
const UTC: [&str; 8] = ["UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"];

/// Why a text is not a valid limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// It matches none of the kinds.
    #[error(
        "a limit is written as \"1000 per day\", \"1000 per day in Europe/Berlin\", \"100 per rolling 15 minutes\", \"10 per second, burst 50\", \"20 at once\" or \"10000 in all\", optionally followed by \" for GROUP\""
    )]
    Form,
    /// The period is unknown.
    #[error("unknown period `{0}`: expected second, minute, hour, day or month")]
    Period(String),
    /// A rolling span in a unit without a fixed length, or without a unit.
    #[error("unknown unit `{0}`: expected second, minute, hour or day")]
    Unit(String),
    /// A rolling span that is too short or too long.
    #[error("a rolling span is at least 60 seconds and at most 31 days")]
    Span,
    /// The amount is zero: no request would ever be admitted.
    #[error("a limit of 0 would reject every request")]
    Zero,
    /// The amount exceeds [`Limit::LARGEST`], or for a rate [`Limit::MAX_RATE`].
    #[error("a limit must be at most {}, or {} with a burst; the burst too", Limit::LARGEST, Limit::MAX_RATE)]
    TooLarge,
    /// A burst of zero.
    #[error("a burst of 0 would reject every request")]
    ZeroBurst,
    /// A burst with a day or a month, which do not refill evenly.
    #[error("only a limit per second, minute or hour can have a burst, not per {}", .0.word())]
    BurstPeriod(Period),
    /// The time zone is unknown.
    #[error("unknown time zone `{0}`: expected a name such as Europe/Berlin")]
    Zone(String),
    /// A time zone with a period that does not depend on it.
    #[error("only limits per day or month can have a time zone")]
    ZonePeriod,
    /// The group's name is invalid.
    #[error("`{0}` is not a group name: expected 1 to 64 letters, digits, `-` and `_`")]
    Group(String),
}

impl Limit {
    /// Parses the text form. `zone` finds a time zone by its IANA name (`None`: unknown).
    pub fn parse(
        text: &str,
        zone: &mut dyn FnMut(&str) -> Option<Arc<Calendar>>,
    ) -> Result<Self, LimitError> {
        let words = words(text);
        let Some((first, mut rest)) = words.split_first() else { return Err(LimitError::Form) };
        let amount = number(first)?;
        let mut group = None;
        if let [before @ .., "for", name] = rest {
            if !Self::is_group(name) {
                return Err(LimitError::Group((*name).to_owned()));
            }
            (rest, group) = (before, Some(Arc::from(*name)));
        }
        let kind = kind(rest, zone)?;
        let largest = match kind {
            Kind::Rate { .. } => Self::MAX_RATE,
            Kind::Calendar { .. } | Kind::Rolling { .. } | Kind::Concurrent | Kind::Lifetime => Self::LARGEST,
        };
        match amount {
            0 => Err(LimitError::Zero),
            amount if amount > largest => Err(LimitError::TooLarge),
            amount => Ok(Self { amount, kind, group }),
        }
    }
}

/// Splits at white space; a comma is a separate word.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in text.split_ascii_whitespace() {
        let mut rest = part;
        while let Some((before, after)) = rest.split_once(',') {
            words.extend(Some(before).filter(|word| !word.is_empty()));
            words.push(",");
            rest = after;
        }
        words.extend(Some(rest).filter(|word| !word.is_empty()));
    }
    words
}

/// Digits, optionally with `_` between them.
fn number(word: &str) -> Result<u32, LimitError> {
    let digits: String = word.chars().filter(|&c| c != '_').collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(LimitError::Form);
    }
    digits.parse().map_err(|_| LimitError::TooLarge)
}

fn kind(words: &[&str], zone: &mut dyn FnMut(&str) -> Option<Arc<Calendar>>) -> Result<Kind, LimitError> {
    match words {
        ["at", "once"] => Ok(Kind::Concurrent),
        ["in", "all"] => Ok(Kind::Lifetime),
        ["per", "rolling", unit] => rolling("1", unit),
        ["per", "rolling", count, unit] => rolling(count, unit),
        ["per", "rolling", .., "in", _] => Err(LimitError::ZonePeriod),
        ["per", word] => Ok(Kind::Calendar { period: period(word)?, zone: Zone::Utc }),
        ["per", word, "in", name] => calendar(period(word)?, name, zone),
        ["per", word, ",", "burst", burst] => rate(period(word)?, burst),
        ["per", _, ",", "burst", _, "in", _] => Err(LimitError::ZonePeriod),
        _ => Err(LimitError::Form),
    }
}

fn period(word: &str) -> Result<Period, LimitError> {
    let found = Period::ALL.into_iter().find(|known| known.word() == word);
    found.ok_or_else(|| LimitError::Period(word.to_owned()))
}

fn rolling(count: &str, unit: &str) -> Result<Kind, LimitError> {
    let count = number(count)?;
    // "1 hour" and "15 minutes", but also "1 hours" and "15 minute".
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    let found = Span::UNITS.into_iter().find(|(word, _)| *word == singular);
    let (_, length) = found.ok_or_else(|| LimitError::Unit(unit.to_owned()))?;
    let seconds = count.checked_mul(length).ok_or(LimitError::Span)?;
    if (Limit::SHORTEST_SPAN..=Limit::LONGEST_SPAN).contains(&seconds) {
        Ok(Kind::Rolling { seconds })
    } else {
        Err(LimitError::Span)
    }
}

fn calendar(
    period: Period,
    name: &str,
    zone: &mut dyn FnMut(&str) -> Option<Arc<Calendar>>,
) -> Result<Kind, LimitError> {
    match period {
        Period::Second | Period::Minute | Period::Hour => Err(LimitError::ZonePeriod),
        // One window, by whichever of its names.
        Period::Day | Period::Month if UTC.iter().any(|utc| utc.eq_ignore_ascii_case(name)) => {
            Ok(Kind::Calendar { period, zone: Zone::Utc })
        }
        Period::Day | Period::Month => {
            let calendar = zone(name).ok_or_else(|| LimitError::Zone(name.to_owned()))?;
            Ok(Kind::Calendar { period, zone: Zone::Named(calendar) })
        }
    }
}

fn rate(period: Period, burst: &str) -> Result<Kind, LimitError> {
    match period {
        Period::Second | Period::Minute | Period::Hour => {}
        Period::Day | Period::Month => return Err(LimitError::BurstPeriod(period)),
    }
    match number(burst)? {
        0 => Err(LimitError::ZeroBurst),
        burst if burst > Limit::MAX_RATE => Err(LimitError::TooLarge),
        burst => Ok(Kind::Rate { period, burst }),
    }
}
