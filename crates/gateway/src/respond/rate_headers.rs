//! The rate-limit headers, both families: `X-Rate-Limit-*` for one limit, `RateLimit` and
//! `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11) for all that apply.

use crate::context::{
    Counted, RequestContext,
    standings::{self, Standings},
};
use ::limits::{Denial, Standing};
use contract::limit::Kind;

/// Appends the header lines, if a key or an address with limits is known: as of `now` (Unix milliseconds).
pub(crate) fn write(context: &RequestContext<'_>, now: u64, denial: Option<&Denial>, out: &mut Vec<u8>) {
    match (&context.counted, &context.key) {
        (Some(Counted { account, applying }), _) => {
            write_standings(&standings::of(context, account, *applying, now), denial, out);
        }
        // Refused before anything was requested: the limits of all endpoints are stated.
        (None, Some(key)) => {
            let account = key.account(now);
            let applying = account.limits().applying(context.group);
            write_standings(&standings::of(context, &account, applying, now), denial, out);
        }
        (None, None) => {}
    }
}

/// Whether the response states limits.
pub(crate) fn has_limits(context: &RequestContext<'_>, now: u64) -> bool {
    match (&context.counted, &context.key) {
        (Some(Counted { account, applying }), _) => account.standings(now, *applying).next().is_some(),
        (None, Some(key)) => {
            let account = key.account(now);
            let applying = account.limits().applying(context.group);
            account.standings(now, applying).next().is_some()
        }
        (None, None) => false,
    }
}

/// The first family shows the limit that denied, otherwise the tightest: the one with the fewest
/// units remaining, and among equals the one that resets last. One that never resets is shown only
/// if there is no other.
fn write_standings(all: &Standings<'_>, denial: Option<&Denial>, out: &mut Vec<u8>) {
    let standings = || all.iter();
    let shown = match denial {
        Some(denial) => standings().find(|(position, _)| *position == denial.position),
        None => standings().min_by_key(|(_, standing)| {
            (standing.reset.is_none(), standing.remaining, std::cmp::Reverse(standing.reset))
        }),
    };
    let Some((_, shown)) = shown else { return };
    number(b"X-Rate-Limit-Limit: ", shown.quota.into(), out);
    number(b"\r\nX-Rate-Limit-Remaining: ", shown.remaining.into(), out);
    // For a denial, too, this is when the limit resets, as in `RateLimit`; `Retry-After` states
    // when to retry.
    if let Some(reset) = shown.reset {
        number(b"\r\nX-Rate-Limit-Reset: ", reset, out);
    }
    out.extend_from_slice(b"\r\nRateLimit-Policy: ");
    list(standings(), out, |standing, out| {
        number(b"q=", standing.quota.into(), out);
        if let Some(seconds) = standing.window_seconds {
            number(b";w=", seconds, out);
        }
        if standing.limit.kind == Kind::Concurrent {
            out.extend_from_slice(b";qu=\"concurrent-requests\"");
        }
    });
    out.extend_from_slice(b"\r\nRateLimit: ");
    list(standings(), out, |standing, out| {
        number(b"r=", standing.remaining.into(), out);
        if let Some(reset) = standing.reset {
            number(b";t=", reset, out);
        }
    });
    out.extend_from_slice(b"\r\n");
}

fn list<'a>(
    standings: impl Iterator<Item = &'a (usize, Standing<'a>)>,
    out: &mut Vec<u8>,
    each: impl Fn(&Standing<'a>, &mut Vec<u8>),
) {
    for (turn, (_, standing)) in standings.enumerate() {
        if turn > 0 {
            out.extend_from_slice(b", ");
        }
        out.push(b'"');
        out.extend_from_slice(standing.name.as_bytes());
        out.extend_from_slice(b"\";");
        each(standing, out);
    }
}

fn number(before: &[u8], number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::limits::{Account, Limits, Reservation, Seat};
    use contract::Limit;
    use std::sync::Arc;

    const NOW: u64 = 86_399_000;

    fn limits(texts: &[&str]) -> Arc<Limits> {
        let limits = texts.iter().map(|text| Limit::parse(text, &mut |_| None).unwrap()).collect();
        Arc::new(Limits::new(limits).unwrap())
    }

    fn written(account: &Account, denial: Option<&Denial>) -> String {
        let mut out = Vec::new();
        let standings = Standings::gather(account.standings(NOW, account.limits().all()));
        write_standings(&standings, denial, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_tightest_limit_is_shown_and_all_are_listed() {
        let (seat, limits) = (Seat::default(), limits(&["1000 per day", "20 per second"]));
        Reservation::take(&seat, &limits, None, NOW, 5).unwrap().charge();
        assert_eq!(
            written(&seat.account(&limits, NOW), None),
            "X-Rate-Limit-Limit: 20\r\nX-Rate-Limit-Remaining: 15\r\nX-Rate-Limit-Reset: 1\r\n\
             RateLimit-Policy: \"day\";q=1000;w=86400, \"second\";q=20;w=1\r\n\
             RateLimit: \"day\";r=995;t=1, \"second\";r=15;t=1\r\n"
        );
    }

    #[test]
    fn the_limit_that_denied_is_shown() {
        let (seat, limits) = (Seat::default(), limits(&["5 per day", "2 per second"]));
        let denial = Reservation::take(&seat, &limits, None, NOW, 3).unwrap_err();
        assert!(written(&seat.account(&limits, NOW), Some(&denial)).starts_with("X-Rate-Limit-Limit: 2\r\n"));
    }

    #[test]
    fn limits_that_never_reset_have_no_reset_and_are_shown_last() {
        let (seat, limits) = (Seat::default(), limits(&["1 in all", "20 at once", "50 per hour"]));
        let account = seat.account(&limits, NOW);
        assert_eq!(
            written(&account, None),
            "X-Rate-Limit-Limit: 20\r\nX-Rate-Limit-Remaining: 20\r\nX-Rate-Limit-Reset: 1\r\n\
             RateLimit-Policy: \"in-all\";q=1, \"at-once\";q=20;qu=\"concurrent-requests\", \"hour\";q=50;w=3600\r\n\
             RateLimit: \"in-all\";r=1, \"at-once\";r=20;t=1, \"hour\";r=50;t=1\r\n"
        );
        let denial = Reservation::take(&seat, &limits, None, NOW, 2).unwrap_err();
        assert!(
            written(&account, Some(&denial))
                .starts_with("X-Rate-Limit-Limit: 1\r\nX-Rate-Limit-Remaining: 1\r\nRateLimit-Policy")
        );
    }
}
