//! The limits' headers, both families: `X-Rate-Limit-*` of one limit, `RateLimit` and
//! `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) of all.

use ::limits::{Account, Denial, Standing};

/// Appends the header lines. The limit of the first family is the one that denied, else the
/// tightest: the one with the fewest units remaining, of several the one that resets last.
pub(crate) fn write(account: &Account, now: u64, denial: Option<&Denial>, out: &mut Vec<u8>) {
    let shown = match denial {
        Some(denial) => account.standings(now).nth(denial.position),
        None => account
            .standings(now)
            .min_by_key(|standing| (standing.remaining, std::cmp::Reverse(standing.reset))),
    };
    let Some(shown) = shown else { return };
    number(b"X-Rate-Limit-Limit: ", shown.limit.amount.into(), out);
    number(b"\r\nX-Rate-Limit-Remaining: ", shown.remaining.into(), out);
    // A denial told its reset in the message already; the two must agree.
    number(b"\r\nX-Rate-Limit-Reset: ", denial.map_or(shown.reset, |denial| denial.reset), out);
    out.extend_from_slice(b"\r\nRateLimit-Policy: ");
    list(account.standings(now), out, |standing, out| {
        number(b"q=", standing.limit.amount.into(), out);
        number(b";w=", standing.window_seconds, out);
    });
    out.extend_from_slice(b"\r\nRateLimit: ");
    list(account.standings(now), out, |standing, out| {
        number(b"r=", standing.remaining.into(), out);
        number(b";t=", standing.reset, out);
    });
    out.extend_from_slice(b"\r\n");
}

fn list(
    standings: impl Iterator<Item = Standing>,
    out: &mut Vec<u8>,
    each: impl Fn(&Standing, &mut Vec<u8>),
) {
    for (position, standing) in standings.enumerate() {
        if position > 0 {
            out.extend_from_slice(b", ");
        }
        out.push(b'"');
        out.extend_from_slice(standing.limit.period.word().as_bytes());
        out.extend_from_slice(b"\";");
        each(&standing, out);
    }
}

fn number(before: &[u8], number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::limits::Reservation;
    use std::sync::Arc;

    fn account(limits: &[&str]) -> Arc<Account> {
        Arc::new(Account::new(limits.iter().map(|limit| limit.parse().unwrap()).collect(), &[]))
    }

    fn written(account: &Account, denial: Option<&Denial>) -> String {
        let mut out = Vec::new();
        write(account, 86_399, denial, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_tightest_limit_is_shown_and_all_are_listed() {
        let account = account(&["1000 per day", "20 per second"]);
        Reservation::take(Arc::clone(&account), 86_399, 5).unwrap().charge(|_| ());
        assert_eq!(
            written(&account, None),
            "X-Rate-Limit-Limit: 20\r\nX-Rate-Limit-Remaining: 15\r\nX-Rate-Limit-Reset: 1\r\n\
             RateLimit-Policy: \"day\";q=1000;w=86400, \"second\";q=20;w=1\r\n\
             RateLimit: \"day\";r=995;t=1, \"second\";r=15;t=1\r\n"
        );
    }

    #[test]
    fn the_limit_that_denied_is_shown() {
        let account = account(&["3 per second", "4 per day"]);
        Reservation::take(Arc::clone(&account), 86_399, 2).unwrap().charge(|_| ());
        let denial = Reservation::take(Arc::clone(&account), 86_399, 3).unwrap_err();
        assert!(
            written(&account, Some(&denial))
                .starts_with(&format!("X-Rate-Limit-Limit: {}\r\n", denial.limit.amount))
        );
    }

    #[test]
    fn the_order_of_the_limits_in_the_plan_has_no_effect_on_which_is_shown() {
        let first = |limits: &[&str]| written(&account(limits), None).lines().next().unwrap().to_owned();
        assert_eq!(first(&["5 per day", "9 per hour"]), first(&["9 per hour", "5 per day"]));
    }
}
