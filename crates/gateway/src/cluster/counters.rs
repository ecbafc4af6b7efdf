//! Limits as the ledger counts them.

use contract::{Limit, calendar::Zone, limit::Kind, window::Period};
use lease::{CounterId, Millis, Rule};
use limits::{Share, Who};

/// Parts of a rolling span beside the present one, as in `limits`.
const ROLLING_PARTS: u64 = 16;

/// Whose counter of which limit.
pub(super) const fn counter(who: &Who, id: u64) -> CounterId {
    CounterId { who: *who, limit: id }
}

/// The counter that a request takes a share of.
pub(super) const fn counter_of(who: &Who, share: &Share<'_>) -> CounterId {
    counter(who, share.id)
}

/// How a limit is counted at a time of the ledger's clock.
pub(super) fn rule(limit: &Limit, now: Millis) -> Rule {
    let index = |period: &Period, zone: &Zone| zone.index(*period, now / 1000);
    let kind = match &limit.kind {
        Kind::Calendar { period, zone } => window(*period, zone, index(period, zone)),
        Kind::Rolling { seconds } => rolling(*seconds),
        Kind::Rate { period, burst } => {
            lease::Kind::Rate { period: period.seconds(0) * 1000, burst: (*burst).clamp(1, Limit::MAX_RATE) }
        }
        Kind::Concurrent => lease::Kind::AtOnce,
        Kind::Lifetime => lease::Kind::InAll,
    };
    Rule { amount: limit.amount, kind }
}

/// One calendar window.
pub(super) fn window(period: Period, zone: &Zone, index: u32) -> lease::Kind {
    lease::Kind::Window {
        index: index.into(),
        begins: zone.start(period, index).saturating_mul(1000),
        ends: zone.end(period, index).saturating_mul(1000),
    }
}

/// A rolling span. Its parts are those of the account, so that the journal's windows are slices.
pub(super) fn rolling(seconds: u32) -> lease::Kind {
    lease::Kind::Rolling { part: (u64::from(seconds.max(1)) * 1000).div_ceil(ROLLING_PARTS) }
}
