//! Limits as counters of the ledger.

use contract::{Limit, calendar::Zone, limit::Kind, window::Period};
use lease::{CounterId, Millis, Rule};
use limits::{Share, Who};

/// Slices of a rolling window besides the current one, as in `limits`.
const ROLLING_PARTS: u64 = 16;

/// The counter of a limit for this account.
pub(super) const fn counter(who: &Who, id: u64) -> CounterId {
    CounterId { who: *who, limit: id }
}

/// The counter from which a request takes units.
pub(super) const fn counter_of(who: &Who, share: &Share<'_>) -> CounterId {
    counter(who, share.id)
}

/// How a limit is counted at a time of the ledger's clock.
pub fn rule(limit: &Limit, now: Millis) -> Rule {
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

/// A calendar window.
pub(super) fn window(period: Period, zone: &Zone, index: u32) -> lease::Kind {
    lease::Kind::Window {
        index: index.into(),
        begins: zone.start(period, index).saturating_mul(1000),
        ends: zone.end(period, index).saturating_mul(1000),
    }
}

/// A rolling window. Its slices are those of the account, so that windows of the journal match them.
pub(super) fn rolling(seconds: u32) -> lease::Kind {
    lease::Kind::Rolling { part: (u64::from(seconds.max(1)) * 1000).div_ceil(ROLLING_PARTS) }
}
