//! One limit of a plan: so many units per calendar period, as written `"1000 per day"`.

use crate::window::Period;
use std::{fmt, str::FromStr};

/// So many units per calendar window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Units that one window grants, at least 1 and at most [`Limit::LARGEST`].
    pub amount: u32,
    /// The calendar period of the window.
    pub period: Period,
}

/// Why a text is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// It does not read `N per PERIOD`.
    #[error("a limit reads \"N per second\", \"per minute\", \"per hour\", \"per day\" or \"per month\"")]
    Form,
    /// The period is none of the five.
    #[error("`{0}` is no period: a period is second, minute, hour, day or month")]
    Period(String),
    /// The amount is zero: nobody could ever send a request.
    #[error("a limit of 0 would refuse every request")]
    Zero,
    /// The amount is past [`Limit::LARGEST`].
    #[error("a limit is at most {} per window", Limit::LARGEST)]
    TooLarge,
}

impl Limit {
    /// The largest amount that one window can grant: a window's count is kept in 32 bits.
    pub const LARGEST: u32 = u32::MAX;
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} per {}", self.amount, self.period.word())
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let mut words = text.split_ascii_whitespace();
        let (Some(amount), Some("per"), Some(period), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(LimitError::Form);
        };
        let digits: String = amount.chars().filter(|&c| c != '_').collect();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(LimitError::Form);
        }
        let amount: u32 = digits.parse().map_err(|_| LimitError::TooLarge)?;
        if amount == 0 {
            return Err(LimitError::Zero);
        }
        let found = Period::ALL.into_iter().find(|known| known.word() == period);
        let period = found.ok_or_else(|| LimitError::Period(period.to_owned()))?;
        Ok(Self { amount, period })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_reads_as_it_is_written() {
        for text in ["1000 per day", "20 per second", "1 per minute", "7 per hour", "4294967295 per month"] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), text);
        }
        assert_eq!("10_000 per day".parse::<Limit>().unwrap().amount, 10_000);
    }

    #[test]
    fn what_is_no_limit_says_why() {
        for (text, error) in [
            ("", LimitError::Form),
            ("1000", LimitError::Form),
            ("1000 a day", LimitError::Form),
            ("1000 per day per key", LimitError::Form),
            ("-1 per day", LimitError::Form),
            ("1.5 per day", LimitError::Form),
            ("_ per day", LimitError::Form),
            ("0 per day", LimitError::Zero),
            ("4294967296 per day", LimitError::TooLarge),
            ("5 per week", LimitError::Period("week".into())),
        ] {
            assert_eq!(text.parse::<Limit>(), Err(error), "{text}");
        }
    }
}
