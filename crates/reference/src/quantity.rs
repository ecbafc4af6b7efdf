//! Sizes, spans and times as people read them.

use contract::Limit;
use jiff::Timestamp;
use std::time::Duration;

/// Bytes: `64 KiB`, `10 MiB`; odd ones as they are.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let whole = UNITS.into_iter().find(|(size, _)| count >= *size && count.is_multiple_of(*size));
    match whole {
        Some((size, unit)) => format!("{} {unit}", count / size),
        None => format!("{} {}", grouped(count), if count == 1 { "byte" } else { "bytes" }),
    }
}

/// A span: `10 seconds`, `1.5 seconds`, `2 minutes`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let counted = |count: u64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    if span.subsec_nanos() > 0 {
        return format!("{} seconds", span.as_secs_f64());
    }
    if seconds >= 3600 && seconds.is_multiple_of(3600) {
        counted(seconds / 3600, "hour")
    } else if seconds >= 120 && seconds.is_multiple_of(60) {
        counted(seconds / 60, "minute")
    } else {
        counted(seconds, "second")
    }
}

/// A Unix second as `2026-11-23T00:00:00Z`.
pub(crate) fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "an unknown time".to_owned(), |time| time.to_string())
}

/// A Unix second as `2026-11-23 00:00 UTC`, to the minute if that is exact.
pub(crate) fn readable_time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let form = if seconds.is_multiple_of(60) { "%Y-%m-%d %H:%M UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
    time.map_or_else(|| "an unknown time".to_owned(), |time| time.strftime(form).to_string())
}

/// A limit: `1,000,000 per month`.
pub(crate) fn limit(limit: &Limit) -> String {
    let written = limit.to_string();
    let behind = written.split_once(' ').map_or("", |(_, behind)| behind);
    format!("{} {behind}", grouped(u64::from(limit.amount)))
}

/// A number with its thousands apart: `1,000,000`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_people_write_them() {
        assert_eq!(bytes(32 << 10), "32 KiB");
        assert_eq!(bytes(10 << 20), "10 MiB");
        assert_eq!(bytes(1025), "1,025 bytes");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(span(Duration::from_secs(10)), "10 seconds");
        assert_eq!(span(Duration::from_millis(1500)), "1.5 seconds");
        assert_eq!(span(Duration::from_secs(60)), "60 seconds");
        assert_eq!(span(Duration::from_secs(120)), "2 minutes");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(999), "999");
        assert_eq!(readable_time(1_795_392_000), "2026-11-23 00:00 UTC");
        assert_eq!(time(1_795_392_000), "2026-11-23T00:00:00Z");
    }
}
