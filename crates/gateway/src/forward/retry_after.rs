//! `Retry-After` of an upstream's error, in a form that is useful to clients.

use crate::clock::text;
use contract::specification::MAX_RETRY_AFTER;

/// When to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryAfter<'v> {
    /// After this many seconds.
    Seconds(u64),
    /// A date in the near future, with its distance in seconds: it may be passed on unchanged.
    Date(&'v str, u64),
}

impl<'v> RetryAfter<'v> {
    /// Parses a value; `now` is the Unix second. None: neither a number nor a date, so it counts as absent.
    ///
    /// 0 and past times become one second: many limiters round down, and clients would all return at once.
    pub(super) fn read(value: &'v [u8], now: u64) -> Option<Self> {
        let value = value.trim_ascii();
        if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
            let seconds = std::str::from_utf8(value).ok()?.parse().unwrap_or(MAX_RETRY_AFTER);
            return Some(Self::Seconds(seconds.clamp(1, MAX_RETRY_AFTER)));
        }
        let date = std::str::from_utf8(value).ok()?;
        let wait = text::from_http_date(date)?.saturating_sub(now);
        Some(if (1..=MAX_RETRY_AFTER).contains(&wait) {
            Self::Date(date, wait)
        } else {
            Self::Seconds(wait.clamp(1, MAX_RETRY_AFTER))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RetryAfter::{self, Date, Seconds};

    #[test]
    fn no_value_leads_a_client_back_at_once_or_never() {
        let now = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT
        let soon = "Sun, 06 Nov 1994 08:49:40 GMT";
        for (value, read) in [
            ("9", Some(Seconds(9))),
            (" 120 ", Some(Seconds(120))),
            ("0", Some(Seconds(1))),
            ("000", Some(Seconds(1))),
            ("2147483", Some(Seconds(2_147_483))),
            ("2147484", Some(Seconds(2_147_483))),
            ("99999999999999999999999", Some(Seconds(2_147_483))),
            (soon, Some(Date(soon, 3))),
            ("Sunday, 06-Nov-94 08:49:40 GMT", Some(Date("Sunday, 06-Nov-94 08:49:40 GMT", 3))),
            ("Sun Nov  6 08:49:40 1994", Some(Date("Sun Nov  6 08:49:40 1994", 3))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(Seconds(1))),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(Seconds(1))),
            ("Fri, 31 Dec 2049 23:59:59 GMT", Some(Seconds(2_147_483))),
            ("", None),
            ("-5", None),
            ("+5", None),
            ("1.5", None),
            ("5s", None),
            ("soon", None),
            ("9, 9", None),
            ("0x10", None),
            ("Sun, 99 Nov 1994 08:49:37 GMT", None),
            // A day that does not exist, and a wrong weekday.
            ("Wed, 31 Feb 2027 08:49:37 GMT", None),
            ("Mon, 29 Feb 2027 08:49:37 GMT", None),
            ("Mon, 06 Nov 1994 08:49:40 GMT", None),
            ("1994-11-06T08:49:40Z", None),
        ] {
            assert_eq!(RetryAfter::read(value.as_bytes(), now), read, "{value:?}");
        }
        assert_eq!(RetryAfter::read(b"\xff", now), None);
    }
}
