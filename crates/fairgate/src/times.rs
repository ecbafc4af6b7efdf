//! Times as people type and read them: `90d`, `2026-11-23`, `2026-11-23T02:00:00Z`.

use config::moment;
use jiff::Timestamp;

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// A hundred years: what is longer is a slip, and arithmetic stays far from its ends.
const LONGEST: u64 = 36_525 * DAY;

/// A point in time, or a span from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// So many seconds from now.
    After(u64),
    /// Seconds since the Unix epoch.
    At(u64),
}

impl When {
    /// Seconds since the Unix epoch.
    pub(crate) fn seconds(self, now: u64) -> u64 {
        match self {
            Self::After(span) => now.saturating_add(span),
            Self::At(time) => time,
        }
    }

    /// Seconds since the Unix epoch, a span being counted back from now.
    pub(crate) fn seconds_back(self, now: u64) -> u64 {
        match self {
            Self::After(span) => now.saturating_sub(span),
            Self::At(time) => time,
        }
    }
}

/// Reads a span (`90d`, `12h`, `30m`) or a time (a date, or RFC 3339).
pub(crate) fn when(text: &str) -> Result<When, String> {
    match (span(text), moment::read(text)) {
        (Ok(span), _) => Ok(When::After(span)),
        (Err(_), Ok(time)) => Ok(When::At(time)),
        (Err(_), Err(no_day)) if no_day.starts_with("there is") => Err(no_day),
        (Err(_), Err(_)) => Err("expected a duration such as 90d, 12h or 30m, or a time such as 2027-01-31 or 2027-01-31T02:00:00Z"
            .into()),
    }
}

/// Reads a span: a whole number and `s`, `m`, `h`, `d` or `w`.
pub(crate) fn span(text: &str) -> Result<u64, String> {
    let form = || "expected a number and s, m, h, d or w, such as 30m or 90d".to_owned();
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(form)?;
    let unit = match unit {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => WEEK,
        _ => return Err(form()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(form());
    }
    let seconds = digits.parse().ok().and_then(|number: u64| number.checked_mul(unit));
    match seconds {
        Some(0) => Err("a duration must be at least one second".into()),
        Some(seconds) if seconds <= LONGEST => Ok(seconds),
        Some(_) | None => Err("a duration must be at most a hundred years".into()),
    }
}

/// A time in RFC 3339, UTC.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| format!("{seconds} s"), |time| time.to_string())
}

/// A time for tables: to the minute, UTC.
pub(crate) fn short(seconds: u64) -> String {
    let full = rfc3339(seconds);
    match full.split_once('T') {
        Some((date, clock)) => format!("{date} {}", clock.get(..5).unwrap_or(clock)),
        None => full,
    }
}

/// A time with milliseconds in RFC 3339, UTC.
pub(crate) fn rfc3339_millis(millis: u64) -> String {
    let time = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    time.map_or_else(|| format!("{millis} ms"), |time| format!("{time:.3}"))
}

/// A span for people: its two largest units.
pub(crate) fn roughly(seconds: u64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, name) in units {
        if rest >= length && parts.len() < 2 {
            parts.push(format!("{}{name}", rest / length));
            rest %= length;
        }
    }
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_times_are_distinguished() {
        for (text, expected) in [
            ("90d", When::After(90 * DAY)),
            ("12h", When::After(12 * HOUR)),
            ("30m", When::After(30 * MINUTE)),
            ("45s", When::After(45)),
            ("2w", When::After(14 * DAY)),
            ("2026-11-23", When::At(1_795_392_000)),
            ("2026-11-23T02:00:00Z", When::At(1_795_399_200)),
            ("2026-11-23T02:00:00+01:00", When::At(1_795_395_600)),
        ] {
            assert_eq!(when(text), Ok(expected), "{text}");
        }
        assert_eq!(When::After(90).seconds_back(100), 10);
        assert_eq!(When::After(90).seconds_back(10), 0);
        assert_eq!(When::At(90).seconds_back(10), 90);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "d",
            "0d",
            "-1d",
            "1.5d",
            "90",
            "90 d",
            "90D",
            "99999999999999999999d",
            "200000d",
            "soon",
            "2026-13-01",
            "2026-11-23T02:00:00",
            "1969-12-31",
            "ä",
            "９d",
            "2026-11-23 ",
        ] {
            assert!(when(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_shown_in_utc() {
        assert_eq!(rfc3339(1_795_399_200), "2026-11-23T02:00:00Z");
        assert_eq!(short(1_795_399_200), "2026-11-23 02:00");
        assert_eq!(rfc3339_millis(1_795_399_200_007), "2026-11-23T02:00:00.007Z");
        assert_eq!(roughly(0), "0s");
        assert_eq!(roughly(90), "1m 30s");
        assert_eq!(roughly(90 * DAY), "90d");
        assert!(rfc3339(u64::MAX).contains(&u64::MAX.to_string()));
    }
}
