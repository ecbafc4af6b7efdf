//! Times as people and headers read them.

use jiff::Timestamp;

fn timestamp(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// A Unix second as `2026-11-23T00:00:00Z`.
pub(crate) fn time(seconds: u64) -> String {
    timestamp(seconds).map_or_else(|| "an unknown time".to_owned(), |time| time.to_string())
}

/// Appends a Unix second as [`time`] has it. The last one is kept: many denials name the same.
pub(crate) fn write_time(seconds: u64, out: &mut String) {
    thread_local! {
        static LAST: std::cell::RefCell<(u64, String)> = const { std::cell::RefCell::new((u64::MAX, String::new())) };
    }
    LAST.with_borrow_mut(|(known, text)| {
        if *known != seconds {
            (*known, *text) = (seconds, time(seconds));
        }
        out.push_str(text);
    });
}

/// A Unix second as the `Date` header has it.
pub(crate) fn http_date(seconds: u64) -> String {
    timestamp(seconds).map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).unwrap_or_default()
}

/// Unix milliseconds as `2026-11-23T00:00:00.000Z`.
///
/// The second is formatted once for all lines of it.
pub(crate) fn log_time(millis: u64) -> String {
    thread_local! {
        static SECOND: std::cell::RefCell<(u64, String)> = const { std::cell::RefCell::new((u64::MAX, String::new())) };
    }
    let seconds = millis / 1000;
    let second = SECOND.with_borrow_mut(|(known, text)| {
        if *known != seconds {
            *known = seconds;
            *text = time(seconds).trim_end_matches('Z').to_owned();
        }
        text.clone()
    });
    format!("{second}.{:03}Z", millis % 1000)
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
