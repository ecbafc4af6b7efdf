//! The state of limits across all nodes.

use super::{
    Cluster, State,
    counters::{counter_of, rule},
};
use lease::{Micros, Millis, Rule};
use limits::{Applying, Known, Limits, MAX_LIMITS, Share, Who};

/// Where and when a request was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedAt {
    pub(crate) who: Who,
    /// The ledger's time.
    pub(crate) time: Millis,
}

impl Cluster {
    /// What is known of each limit, by its position. `counted`: a window that has ended since is
    /// still reported, if nothing is known of the next one.
    pub(crate) fn known(
        &self,
        limits: &Limits,
        applying: Applying,
        counted: CountedAt,
    ) -> [Known; MAX_LIMITS] {
        let mut all = [Known { remaining: 0, now: counted.time }; MAX_LIMITS];
        self.with(|state, now| {
            for share in limits.shares(applying, 0) {
                if let (Some(place), Some(known)) =
                    (all.get_mut(share.position), state.known(now, &share, &counted))
                {
                    *place = known;
                }
            }
        });
        all
    }
}

impl State {
    fn known(&self, now: Micros, share: &Share<'_>, counted: &CountedAt) -> Option<Known> {
        let present = self.node.ledger_time(now)?.max(counted.time);
        let at = |time: Millis, rule: &Rule| {
            let handle = self.node.find(counter_of(&counted.who, share), rule.slice(time))?;
            self.node.remaining(handle).map(|remaining| Known { remaining, now: time })
        };
        let rule_then = rule(share.limit, counted.time);
        let ends = rule_then.ends(rule_then.slice(counted.time));
        if ends.is_none_or(|ends| present < ends) {
            return at(present, &rule_then);
        }
        at(present, &rule(share.limit, present)).or_else(|| at(counted.time, &rule_then))
    }
}
