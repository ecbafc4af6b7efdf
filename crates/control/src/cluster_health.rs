//! How the servers are that the nodes of a cluster share, and what this node does with them. Written by the tasks that speak
//! to the servers, read by `/metrics`, by commands and by what this node says to the others.

use crate::{operations::LedgerServer, system_clock, system_micros};
use gateway::{Cluster, ClusterView};
use ledger::Inspection;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is known at present.
#[derive(Default)]
pub(crate) struct ClusterHealth(Mutex<Known>);

#[derive(Default)]
struct Known {
    records: Option<Reach>,
    ledger: Option<Reach>,
    server: Option<LedgerServer>,
    /// Milliseconds that this machine's clock is ahead of PostgreSQL's.
    records_clock_offset: i64,
}

/// Whether a server can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Since when it is as it is, in Unix seconds.
    pub(crate) since: u64,
    /// Why it cannot be reached. None: it can.
    pub(crate) why: Option<String>,
}

/// What a node has of shared limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) view: ClusterView,
    /// Units that it holds and has not used.
    pub(crate) units: u64,
    /// Milliseconds that this machine's clock is ahead of the ledger's. None: that is not known.
    pub(crate) clock_offset: Option<i64>,
}

impl ClusterHealth {
    /// Whether the records were reached just now.
    pub(crate) fn note_records(&self, why: Option<&str>) {
        note(&mut self.known().records, why);
    }

    /// Whether the ledger replies.
    pub(crate) fn note_ledger(&self, why: Option<&str>) {
        note(&mut self.known().ledger, why);
    }

    /// What the ledger is kept in.
    pub(crate) fn note_server(&self, seen: Inspection) {
        self.known().server = Some(LedgerServer {
            product: seen.product.to_string(),
            version: seen.version,
            server: seen.server,
            role: seen.role,
            epoch: seen.epoch,
            lost_at: Some(seen.lost_at / 1000).filter(|at| *at > 0),
            awaited: seen.awaited,
            durability: seen.durability,
            warnings: seen.warnings,
        });
    }

    pub(crate) fn note_records_clock(&self, offset_millis: i64) {
        self.known().records_clock_offset = offset_millis;
    }

    pub(crate) fn records(&self) -> Option<Reach> {
        self.known().records.clone()
    }

    pub(crate) fn ledger(&self) -> Option<Reach> {
        self.known().ledger.clone()
    }

    pub(crate) fn server(&self) -> Option<LedgerServer> {
        self.known().server.clone()
    }

    pub(crate) fn records_clock_offset(&self) -> i64 {
        self.known().records_clock_offset
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time is that of the first word of several that say the same; the reason is the latest.
fn note(reach: &mut Option<Reach>, why: Option<&str>) {
    let why = why.map(str::to_owned);
    match reach {
        Some(known) if known.why.is_some() == why.is_some() => known.why = why,
        Some(_) | None => *reach = Some(Reach { since: system_clock(), why }),
    }
}

impl Figures {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let view = cluster.view();
        let own = i64::try_from(system_micros() / 1_000).unwrap_or(i64::MAX);
        let offset = |ledger: u64| own.saturating_sub_unsigned(ledger);
        Self { view, units: cluster.held_units(), clock_offset: view.ledger_time.map(offset) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_when_a_server_is_away_is_not_changed_by_another_reason() {
        let mut reach = Some(Reach { since: 5, why: Some("refused".to_owned()) });
        note(&mut reach, Some("it does not answer"));
        assert_eq!(reach, Some(Reach { since: 5, why: Some("it does not answer".to_owned()) }));
        note(&mut reach, None);
        let back = reach.clone().unwrap();
        assert!(back.since > 5 && back.why.is_none(), "{back:?}");
        note(&mut reach, None);
        assert_eq!(reach, Some(back));
    }
}
