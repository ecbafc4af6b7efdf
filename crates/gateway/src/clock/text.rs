//! Times as text, for people and for headers.

use jiff::Timestamp;
use std::cell::RefCell;

fn timestamp(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// A Unix second as `2026-11-23T00:00:00Z`.
pub(crate) fn time(seconds: u64) -> String {
    timestamp(seconds).map_or_else(|| "an unknown time".to_owned(), |time| time.to_string())
}

/// The text of the most recent second. It is formatted only when the second changes, as the same
/// one is requested many times.
#[derive(Debug)]
pub(crate) struct OfSecond(RefCell<(u64, String)>);

impl OfSecond {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new((u64::MAX, String::new())))
    }

    /// Calls `work` with the text of a Unix second.
    pub(crate) fn with<T>(&self, second: u64, make: fn(u64) -> String, work: impl FnOnce(&str) -> T) -> T {
        let mut last = self.0.borrow_mut();
        if last.0 != second {
            *last = (second, make(second));
        }
        work(&last.1)
    }
}

/// Appends a Unix second, formatted like [`time`].
pub(crate) fn write_time(second: u64, out: &mut String) {
    thread_local! {
        static LAST: OfSecond = const { OfSecond::new() };
    }
    LAST.with(|last| last.with(second, time, |text| out.push_str(text)));
}

/// A Unix second in the format of the `Date` header.
pub(crate) fn http_date(seconds: u64) -> String {
    timestamp(seconds).map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).unwrap_or_default()
}

/// Unix milliseconds as `2026-11-23T00:00:00.000Z`.
pub(crate) fn log_time(millis: u64) -> String {
    thread_local! {
        static LAST: OfSecond = const { OfSecond::new() };
    }
    LAST.with(|last| {
        last.with(millis / 1000, time, |text| format!("{}.{:03}Z", text.trim_end_matches('Z'), millis % 1000))
    })
}

/// The Unix second of an HTTP-date, in each of the three formats that a recipient must accept (RFC
/// 9110 section 5.6.7). Times before 1970 become second 0.
pub(crate) fn from_http_date(date: &str) -> Option<u64> {
    const FORMS: [&str; 3] =
        ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let time = FORMS.iter().find_map(|form| jiff::civil::DateTime::strptime(form, date).ok())?;
    let seconds = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_written_as_their_readers_expect() {
        assert_eq!(super::time(1_795_392_000), "2026-11-23T00:00:00Z");
        let mut text = String::new();
        for second in [1_795_392_000, 1_795_392_000, 1_795_392_001] {
            super::write_time(second, &mut text);
        }
        assert_eq!(text, "2026-11-23T00:00:00Z2026-11-23T00:00:00Z2026-11-23T00:00:01Z");
        assert_eq!(super::http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(super::log_time(1_795_392_000_007), "2026-11-23T00:00:00.007Z");
    }
}
