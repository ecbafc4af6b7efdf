//! What was probably meant by an invalid limit: `10 rps`, `1000/day`, `10 concurrent`, `100 per 24 hours`.
//!
//! A guess is only suggested if it is a valid limit itself.

use super::{parse, zones};
use contract::Period;

/// The help below the text. None: there is no guess.
pub(super) fn meant(text: &str) -> Option<String> {
    let words = Words::of(text);
    let amount = words.amount?;
    let group = words.group.as_deref().map(|group| format!(" for {group}")).unwrap_or_default();
    let good = |guess: String| {
        let guess = format!("{amount} {guess}{group}");
        parse(&guess).is_ok().then_some(guess)
    };
    let [first, second] = words.guesses();
    match (first.and_then(good), second.and_then(good)) {
        (Some(one), Some(other)) => Some(format!("did you mean \"{one}\" or \"{other}\"?")),
        (Some(guess), None) | (None, Some(guess)) => Some(format!("did you mean \"{guess}\"?")),
        (None, None) => None,
    }
}

/// The words of a text: letters and digits, each alone, in lower case.
struct Words {
    amount: Option<u64>,
    /// Numbers behind the amount.
    number: Option<u64>,
    words: Vec<String>,
    zone: Option<String>,
    group: Option<String>,
}

const AT_ONCE: [&str; 11] = [
    "once",
    "concurrent",
    "concurrently",
    "concurrency",
    "parallel",
    "simultaneous",
    "simultaneously",
    "flight",
    "inflight",
    "connections",
    "together",
];
const IN_ALL: [&str; 9] =
    ["all", "total", "lifetime", "ever", "forever", "overall", "altogether", "sum", "unlimited"];
const ROLLING: [&str; 6] = ["rolling", "sliding", "moving", "last", "any", "window"];

impl Words {
    fn of(text: &str) -> Self {
        let (text, group) = match text.rsplit_once(" for ") {
            Some((before, name)) if contract::Limit::is_group(name.trim()) => {
                (before, Some(name.trim().to_owned()))
            }
            Some(_) | None => (text, None),
        };
        let zone = text
            .split_ascii_whitespace()
            .filter(|word| word.contains('/') && word.starts_with(|c: char| c.is_ascii_alphabetic()))
            .find_map(|word| {
                zones::calendar(word)
                    .map(|calendar| calendar.name().to_owned())
                    .or_else(|| zones::nearest(word))
            });
        let (amount, rest) = amount(text);
        let mut words = Vec::new();
        let mut number = None;
        for (is_digits, part) in runs(rest) {
            if is_digits {
                number = number.or_else(|| part.parse().ok());
            } else {
                words.push(part.to_ascii_lowercase());
            }
        }
        Self { amount, number, words, zone, group }
    }

    fn has(&self, known: &[&str]) -> bool {
        self.words.iter().any(|word| known.contains(&word.as_str()))
    }

    /// What follows the amount, the likelier guess first.
    fn guesses(&self) -> [Option<String>; 2] {
        if self.has(&AT_ONCE) {
            return [Some("at once".to_owned()), None];
        }
        let unit = self.words.iter().rev().find_map(|word| unit(word));
        let is_rolling = self.has(&ROLLING);
        match (unit, self.number) {
            (Some(unit), Some(burst)) if self.has(&["burst", "bursts", "bursting"]) => {
                [Some(format!("per {unit}, burst {burst}")), None]
            }
            (Some("week"), count) => {
                [Some(format!("per rolling {} days", 7 * count.unwrap_or(1).min(10))), None]
            }
            // It is unknown whether a day of the calendar is meant, or any span of that length.
            (Some("hour"), Some(24)) | (Some("day"), Some(1)) if !is_rolling => {
                [Some("per day".to_owned()), Some("per rolling day".to_owned())]
            }
            (Some(unit), Some(1)) if !is_rolling => {
                [Some(format!("per {unit}")), Some(format!("per rolling {unit}"))]
            }
            (Some("month"), Some(count)) => [Some(format!("per rolling {} days", count.min(100) * 30)), None],
            (Some(unit), Some(count)) => [Some(format!("per rolling {count} {unit}s")), None],
            (Some("month"), None) if is_rolling => [Some("per rolling 30 days".to_owned()), None],
            (Some(unit), None) if is_rolling => [Some(format!("per rolling {unit}")), None],
            (Some(unit), None) => {
                let plain = format!("per {unit}");
                [self.zone.as_ref().map(|zone| format!("{plain} in {zone}")).or(Some(plain)), None]
            }
            (None, _) if self.has(&IN_ALL) => [Some("in all".to_owned()), None],
            (None, _) => [None, None],
        }
    }
}

/// The number that a text begins with, `1000`, `1,000`, `1_000`, `1'000` or `1k`, and what follows it.
fn amount(text: &str) -> (Option<u64>, &str) {
    let text = text.trim_start();
    let is_part = |c: char| c.is_ascii_digit() || [',', '_', '\''].contains(&c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    // `5.5`: nobody knows which whole number is meant.
    if rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return (None, rest);
    }
    let Ok(amount) = digits.parse::<u64>() else { return (None, rest) };
    match rest.strip_prefix(['k', 'K']) {
        Some(rest) if !rest.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
            (amount.checked_mul(1_000), rest)
        }
        Some(_) | None => (Some(amount), rest),
    }
}

/// Runs of letters and runs of digits; true for digits.
fn runs(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let first = rest.chars().next()?;
        let is_digits = first.is_ascii_digit();
        let same = |c: char| c.is_ascii_alphanumeric() && c.is_ascii_digit() == is_digits;
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        rest = behind;
        Some((is_digits, run))
    })
}

/// The unit of time that a word means, weeks included.
fn unit(word: &str) -> Option<&'static str> {
    let short = match word {
        "s" | "sec" | "secs" | "rps" | "qps" | "tps" => Some("second"),
        "m" | "min" | "mins" | "rpm" | "qpm" | "minutely" => Some("minute"),
        "h" | "hr" | "hrs" | "rph" | "hourly" => Some("hour"),
        "d" | "rpd" | "daily" => Some("day"),
        "mo" | "mon" | "monthly" => Some("month"),
        "w" | "week" | "weeks" | "weekly" => Some("week"),
        _ => None,
    };
    let singular = word.strip_suffix('s').unwrap_or(word);
    let all = || Period::ALL.into_iter().map(Period::word);
    let near = || match word {
        // Words of the grammar, and too short ones, are not misspelt units.
        "per" | "for" | "at" | "in" | "a" | "an" | "each" | "every" | "burst" | "any" | "all" | "last" => {
            None
        }
        _ if word.len() < 3 => None,
        _ => crate::nearest::nearest(word, all()),
    };
    short.or_else(|| all().find(|known| *known == singular)).or_else(near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_meant_is_guessed() {
        for (text, guess) in [
            ("1000/day", "1000 per day"),
            ("20 a second", "20 per second"),
            ("20/s", "20 per second"),
            ("20 per scond", "20 per second"),
            ("1000 daily", "1000 per day"),
            ("1,000 per day", "1000 per day"),
            ("10k per month", "10000 per month"),
            ("10 rps", "10 per second"),
            ("10rpm", "10 per minute"),
            ("10 requests per minutes", "10 per minute"),
            ("10 concurrent", "10 at once"),
            ("10 in flight", "10 at once"),
            ("10 parallel requests for search", "10 at once for search"),
            ("500 total", "500 in all"),
            ("500 lifetime for a", "500 in all for a"),
            ("1000 per week", "1000 per rolling 7 days"),
            ("1000 per 2 weeks", "1000 per rolling 14 days"),
            ("100 per 15 minutes", "100 per rolling 15 minutes"),
            ("100/15min", "100 per rolling 15 minutes"),
            ("100 per rolling month", "100 per rolling 30 days"),
            ("100 per last hour", "100 per rolling hour"),
            ("10 per second burst 50", "10 per second, burst 50"),
            ("10/s (burst: 50)", "10 per second, burst 50"),
            ("10 per day Europe/Berlin", "10 per day in Europe/Berlin"),
            ("10 per day at Europe/Berln", "10 per day in Europe/Berlin"),
        ] {
            assert_eq!(meant(text), Some(format!("did you mean \"{guess}\"?")), "{text}");
        }
        assert_eq!(
            meant("100 per 24 hours").unwrap(),
            "did you mean \"100 per day\" or \"100 per rolling day\"?"
        );
        assert_eq!(
            meant("100 per 1 hour").unwrap(),
            "did you mean \"100 per hour\" or \"100 per rolling hour\"?"
        );
        // Months and seconds do not roll, so one guess is left.
        assert_eq!(meant("100 per 1 month").unwrap(), "did you mean \"100 per month\"?");
        assert_eq!(meant("100 per 1 second").unwrap(), "did you mean \"100 per second\"?");
        for text in [
            "1000",
            "per day",
            "",
            "many per hour",
            "-5 per day",
            "5 apples",
            "5 per 90 months",
            "5.5 per day",
        ] {
            assert_eq!(meant(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}|[0-9]{0,25}([ ,_'/a-z0-9]|per|week|month|rolling|burst| for ){0,20}") {
            let _ = meant(&text);
        }
    }
}
