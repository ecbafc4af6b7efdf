//! Taking units from every lease that a request needs, all or none; waiting for units that are not available.

use super::{
    Cluster, State,
    counters::{counter_of, rule},
    leased::{Held, Leased, Part},
    now,
};
use lease::{Denial, Handle, Micros, Millis, Take};
use limits::{Applying, Limits, MAX_LIMITS, Share, Who};
use smallvec::SmallVec;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Why units were not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The limits at these positions have too few units left.
    Exhausted(SmallVec<[usize; MAX_LIMITS]>),
    /// It cannot be decided at present.
    Unavailable,
    /// A window has ended meanwhile: start again.
    Over,
}

impl Cluster {
    /// Takes the units for a request of this cost at `time` of the ledger's clock. The result may
    /// have to wait for some.
    pub(crate) fn take(
        self: &Arc<Self>,
        who: &Who,
        limits: &Limits,
        applying: Applying,
        cost: u32,
        time: Millis,
    ) -> Result<Box<Leased>, Denied> {
        self.take_of_each(who, limits.shares(applying, cost), time)
    }

    /// Queries the state of the limits, and takes nothing.
    pub(crate) fn ask(
        self: &Arc<Self>,
        who: &Who,
        limits: &Limits,
        applying: Applying,
        time: Millis,
    ) -> Result<Box<Leased>, Denied> {
        let nothing = limits.shares(applying, 0).map(|share| Share { units: 0, ..share });
        self.take_of_each(who, nothing, time)
    }

    fn take_of_each<'l>(
        self: &Arc<Self>,
        who: &Who,
        shares: impl Iterator<Item = Share<'l>>,
        time: Millis,
    ) -> Result<Box<Leased>, Denied> {
        let mut leased = Box::new(Leased::new(Arc::clone(self)));
        let denied = self.with(|state, now| {
            let mut refused = Refused::default();
            for share in shares {
                match state.take(now, who, &share, time) {
                    Some(Take::Granted(receipt)) => {
                        let held = Held { receipt, keeps_charges: share.keeps_charges };
                        leased.add(state, Part::Held(held));
                    }
                    Some(Take::Wait(waiting)) => leased.add(
                        state,
                        Part::Waits { waiting, position: share.position, keeps_charges: share.keeps_charges },
                    ),
                    Some(Take::Denied(denial)) => refused.add(share.position, denial),
                    Some(Take::Over) | None => refused.is_over = true,
                }
            }
            let denied = refused.denied();
            if denied.is_some() {
                leased.give_back(state, now);
            }
            denied
        });
        denied.map_or(Ok(leased), Err)
    }
}

/// Refusals of several limits.
#[derive(Default)]
struct Refused {
    exhausted: SmallVec<[usize; MAX_LIMITS]>,
    is_unavailable: bool,
    is_over: bool,
}

impl Refused {
    fn add(&mut self, position: usize, denial: Denial) {
        match denial {
            Denial::Exhausted => self.exhausted.push(position),
            Denial::Unavailable => self.is_unavailable = true,
        }
    }

    /// A limit that is known to be exhausted is reported, even if others cannot be decided.
    fn denied(self) -> Option<Denied> {
        if !self.exhausted.is_empty() {
            return Some(Denied::Exhausted(self.exhausted));
        }
        if self.is_unavailable {
            return Some(Denied::Unavailable);
        }
        self.is_over.then_some(Denied::Over)
    }
}

impl State {
    /// None: the ledger's clock is in another slice by now.
    fn take(&mut self, now: Micros, who: &Who, share: &Share<'_>, time: Millis) -> Option<Take> {
        let rule = rule(share.limit, time);
        let latest = self.node.ledger_time(now)?;
        if rule.ends(rule.slice(time)).is_some_and(|ends| latest >= ends) && keeps_slice(&rule) {
            return None;
        }
        let handle: Handle = self.node.lease(now, counter_of(who, share), rule)?;
        Some(self.node.take(now, handle, share.units))
    }
}

/// Whether the journal must know the slice that units were taken from.
const fn keeps_slice(rule: &lease::Rule) -> bool {
    matches!(rule.kind, lease::Kind::Window { .. } | lease::Kind::Rolling { .. })
}

impl Leased {
    /// Waits until everything requested is decided. If dropped meanwhile, it returns its units and
    /// cancels its requests.
    pub(crate) async fn wait(mut self: Box<Self>) -> Result<Box<Self>, Denied> {
        let cluster = Arc::clone(self.cluster());
        loop {
            let mut news = pin!(cluster.news.notified());
            // Before the check, so that no notification is missed.
            news.as_mut().enable();
            let Some(until) = self.retry()? else { return Ok(self) };
            let patience = Duration::from_micros(until.saturating_sub(now()));
            let _ = timeout(patience, news).await;
        }
    }

    /// Checks again what is waiting. Returns until when to wait; None: it has everything.
    fn retry(&mut self) -> Result<Option<Micros>, Denied> {
        let cluster = Arc::clone(self.cluster());
        cluster.with(|state, now| {
            let (mut refused, mut until) = (Refused::default(), None);
            self.replace_waiting(state, |state, waiting, position| match state.node.retry(now, waiting) {
                Take::Granted(receipt) => Some(Ok(receipt)),
                Take::Wait(waiting) => {
                    until = Some(until.unwrap_or(Micros::MAX).min(waiting.until));
                    Some(Err(waiting))
                }
                Take::Denied(denial) => {
                    refused.add(position, denial);
                    None
                }
                Take::Over => {
                    refused.is_over = true;
                    None
                }
            });
            match refused.denied() {
                Some(denied) => {
                    self.give_back(state, now);
                    Err(denied)
                }
                None => Ok(until),
            }
        })
    }
}
