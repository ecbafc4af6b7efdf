//! A point in time as people write it: `2026-11-23`, `2026-11-23T02:00:00Z`.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Reads a time, in seconds since the Unix epoch: RFC 3339, or a date, which is its first second in UTC.
///
/// # Errors
/// How a time is written.
pub fn read(text: &str) -> Result<u64, String> {
    let date = || {
        let date: Date = text.parse().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    // Dates first would read 2027-01-31T02:00:00 as its day: a time needs its zone.
    let time = || if has_offset_of_a_day(text) { None } else { text.parse::<Timestamp>().ok() };
    let read = time().or_else(|| (text.len() == 10).then(date).flatten());
    let seconds = read.and_then(|time| u64::try_from(time.as_second()).ok());
    seconds.ok_or_else(|| {
        if looks_like_a_date(text) {
            return format!("there is no day `{}`", text.get(..10).unwrap_or(text));
        }
        "expected a date such as 2027-01-31, or a time with its offset such as 2027-01-31T02:00:00Z".into()
    })
}

/// Whether the text begins with a date as far as its form goes, and there is no such day.
fn looks_like_a_date(text: &str) -> bool {
    let date = text.get(..10).unwrap_or_default();
    let has_form = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    date.len() == 10 && has_form && date.parse::<Date>().is_err()
}

/// Whether its offset is one that RFC 3339 does not know, such as `+25:00`: its hours end at 23.
fn has_offset_of_a_day(text: &str) -> bool {
    let offset =
        text.rsplit_once(['+', '-']).filter(|(time, _)| time.contains(':')).map(|(_, offset)| offset);
    offset.and_then(|offset| offset.get(..2)).is_some_and(|hours| matches!(hours.parse::<u8>(), Ok(24..)))
}
