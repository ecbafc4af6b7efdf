//! Durations and sizes as people write them: `"10s"`, `"32KiB"`.

use std::time::Duration;

const MILLISECONDS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

const BYTES: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// What people write for a unit, and the unit.
const DURATION_SLIPS: [(&str, &str); 17] = [
    ("", "s"),
    ("millis", "ms"),
    ("msec", "ms"),
    ("millisecond", "ms"),
    ("milliseconds", "ms"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
];

const SIZE_SLIPS: [(&str, &str); 9] = [
    ("", "B"),
    ("k", "KiB"),
    ("kb", "KiB"),
    ("kib", "KiB"),
    ("m", "MiB"),
    ("mb", "MB"),
    ("mib", "MiB"),
    ("g", "GiB"),
    ("gb", "GB"),
];

/// Why a text is not a quantity: how it might be written instead, if that can be guessed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoQuantity {
    pub(super) guess: Option<String>,
}

/// Reads `"10s"`.
pub(super) fn duration(text: &str) -> Result<Duration, NoQuantity> {
    quantity(text, &MILLISECONDS, &DURATION_SLIPS).map(Duration::from_millis)
}

/// Reads `"32KiB"`.
pub(super) fn size(text: &str) -> Result<u64, NoQuantity> {
    quantity(text, &BYTES, &SIZE_SLIPS)
}

/// A duration as it is written in the file.
pub(super) fn show_duration(milliseconds: u64) -> String {
    show(milliseconds, &MILLISECONDS)
}

/// A size as it is written in the file.
pub(super) fn show_size(bytes: u64) -> String {
    let binary = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    show(bytes, &binary)
}

fn quantity(text: &str, units: &[(&str, u64)], slips: &[(&str, &str)]) -> Result<u64, NoQuantity> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let whole: Option<u64> =
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
    let Some(number) = whole else { return Err(NoQuantity { guess: None }) };
    if let Some((_, factor)) = units.iter().find(|(known, _)| *known == unit) {
        return number.checked_mul(*factor).ok_or(NoQuantity { guess: None });
    }
    let meant = unit.trim().to_ascii_lowercase();
    let guess = slips.iter().find(|(slip, _)| *slip == meant).map(|(_, known)| *known);
    let guess = guess
        .or_else(|| units.iter().map(|(known, _)| *known).find(|known| known.eq_ignore_ascii_case(&meant)));
    Err(NoQuantity { guess: guess.map(|unit| format!("{number}{unit}")) })
}

/// The largest unit that divides without a rest.
fn show(number: u64, units: &[(&str, u64)]) -> String {
    let fitting = units.iter().rev().find(|(_, factor)| number > 0 && number.is_multiple_of(*factor));
    let smallest = units.first().map_or("", |(unit, _)| unit);
    fitting
        .map_or_else(|| format!("{number}{smallest}"), |(unit, factor)| format!("{}{unit}", number / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_they_are_written() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(size("32KiB"), Ok(32 * 1024));
        assert_eq!(size("5kB"), Ok(5_000));
        assert_eq!(show_duration(90_000), "90s");
        assert_eq!(show_size(1 << 20), "1MiB");
    }

    #[test]
    fn what_is_no_quantity_is_guessed_at() {
        for (text, guess) in [
            ("10", Some("10s")),
            ("10 seconds", Some("10s")),
            ("5 min", Some("5m")),
            ("1.5s", None),
            ("-1s", None),
            ("", None),
            ("s", None),
            ("ten seconds", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(duration(text), Err(NoQuantity { guess: guess.map(str::to_owned) }), "{text}");
        }
        for (text, guess) in [("10M", "10MiB"), ("32kib", "32KiB"), ("32 KB", "32KiB"), ("7", "7B")] {
            assert_eq!(size(text), Err(NoQuantity { guess: Some(guess.to_owned()) }), "{text}");
        }
    }
}
