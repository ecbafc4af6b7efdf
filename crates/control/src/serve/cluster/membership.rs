//! This node among the others: it joins, says that it lives, and leaves.

use super::node_file::{Kept, NodeFile};
use crate::{
    cluster_health::{Figures, Reach},
    failure::Failure,
    lifecycle::Lifecycle,
    operations::{ClusterStatus, LedgerStatus},
    serve::sharing::{LedgerLost, MembersOfRecords, Sharing},
    system_clock, system_micros,
};
use config::ClusterSettings;
use lease::NodeId;
use records::{Beat, Clustered, Report, Shared, Standing};
use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use store::{Secret, StoreError, random};
use tokio::time::Instant;

/// For how long members are waited for that have not said their totals, where the ledger goes on without them.
const GO_ON_AFTER: Duration = Duration::from_secs(30);
/// How often the others hear what this node has of shared limits, which takes a look at all its leases.
const REPORT: Duration = Duration::from_secs(5);

/// This node among the others.
pub(in crate::serve) struct Membership {
    clustered: Rc<Clustered>,
    /// The secret, and the file that it is from.
    secret: (Secret, PathBuf),
    file: RefCell<NodeFile>,
    /// Of this process alone.
    run: String,
    /// Whether the others know of this process.
    has_joined: Cell<bool>,
    applied: Cell<Option<u64>>,
    reported: Cell<Option<Instant>>,
    lifecycle: Arc<Lifecycle>,
}

impl Membership {
    pub(super) fn new(
        clustered: Rc<Clustered>,
        secret: (Secret, PathBuf),
        file: NodeFile,
        lifecycle: Arc<Lifecycle>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            clustered,
            secret,
            file: RefCell::new(file),
            run: random::id("run_", 16)?,
            has_joined: Cell::new(false),
            applied: Cell::new(None),
            reported: Cell::new(None),
            lifecycle,
        })
    }

    pub(super) fn clustered(&self) -> &Clustered {
        &self.clustered
    }

    fn shared(&self) -> &Arc<Shared> {
        self.clustered.shared()
    }

    fn kept(&self) -> Kept {
        self.file.borrow().kept().clone()
    }

    /// Looks whether the records are ours to use, and makes this node a member.
    pub(super) async fn join(&self) -> Result<(), StoreError> {
        let (secret, file) = &self.secret;
        self.shared().prepare(secret, file).await?;
        let Kept { name, number, .. } = self.kept();
        let (version, run) = (env!("CARGO_PKG_VERSION").to_owned(), self.run.clone());
        let number = self.shared().join(Standing { number, name, version, run }).await?;
        self.file.borrow_mut().change(|kept| kept.number = Some(number))?;
        self.has_joined.set(true);
        Ok(())
    }

    pub(super) const fn has_joined(&self) -> bool {
        self.has_joined.get()
    }

    pub(super) fn set_applied(&self, applied: Option<u64>) {
        self.applied.set(applied);
    }

    /// How this node shares its limits with the others. Counts its starts.
    ///
    /// # Errors
    /// It has no number yet, or the count cannot be written down: the ledger could not tell its messages from earlier ones.
    pub(in crate::serve) fn sharing(&self, settings: &ClusterSettings) -> Result<Sharing, Failure> {
        let node = self.kept().number.and_then(|number| NodeId::try_from(number).ok()).ok_or_else(|| {
            Failure::new(
                "this node has no number in the cluster yet: it cannot start without PostgreSQL".to_owned(),
            )
        })?;
        self.file.borrow_mut().change(|kept| kept.starts = kept.starts.saturating_add(1))?;
        let Kept { starts, members, .. } = self.kept();
        let list = Arc::new(MembersOfRecords::new(Arc::clone(self.shared()), node, starts == 1));
        let mut options = ledger::Options::new(list);
        options.namespace.clone_from(&settings.ledger_prefix);
        Ok(Sharing {
            node,
            start: starts,
            ledger: settings.ledger.url().to_owned(),
            options,
            members: Some(members).filter(|members| *members > 0),
            unreachable: match settings.unreachable {
                config::Unreachable::Deny => lease::Unreachable::Deny,
                config::Unreachable::GoOn => lease::Unreachable::GoOn,
            },
            ledger_lost: match settings.ledger_lost {
                config::LedgerLost::Wait => LedgerLost::Wait,
                config::LedgerLost::GoOn => LedgerLost::GoOn(GO_ON_AFTER),
            },
        })
    }

    /// How old the copy is, in seconds. None: there is no copy.
    pub(super) fn age(&self) -> Option<u64> {
        self.clustered.same_at().map(|at| system_clock().saturating_sub(at))
    }

    /// How it stands, for whoever asks.
    pub(in crate::serve) fn status(&self) -> ClusterStatus {
        let Kept { name, number, .. } = self.kept();
        let health = self.lifecycle.cluster();
        let records = health.records();
        let (since, why) = apart(records);
        ClusterStatus {
            node: name,
            number,
            records: self.shared().place().to_owned(),
            is_reached: why.is_none(),
            since,
            why,
            copied: self.clustered.same_at(),
            applied: self.applied.get(),
            clock_offset_millis: health.records_clock_offset(),
            ledger: self.lifecycle.figures().map(|figures| self.ledger(&figures)),
        }
    }

    fn ledger(&self, figures: &Figures) -> LedgerStatus {
        let health = self.lifecycle.cluster();
        let is_reached = is_reached(figures);
        let (since, why) = apart(health.ledger());
        let Figures { view, units, clock_offset } = *figures;
        LedgerStatus {
            is_reached,
            since,
            why: why.filter(|_| !is_reached),
            server: health.server(),
            members: view.members,
            clock_offset_millis: clock_offset,
            leases: view.leases,
            units,
            messages: view.messages,
            questions: view.questions,
            beyond: view.beyond,
            replaced: view.replaced,
        }
    }

    /// Says that this node ends, so that it may begin again at once.
    pub(in crate::serve) async fn leave(&self) {
        if let Some(number) = self.kept().number.filter(|_| self.has_joined.get()) {
            // Whoever does not hear it waits for some seconds.
            let _ = self.shared().leave(number, &self.run).await;
        }
    }

    /// Says that this node lives, and what it has. Gives how far the clock is ahead of the server's, in milliseconds.
    pub(super) async fn beat(&self) -> Result<i64, StoreError> {
        let health = self.lifecycle.cluster();
        let number = self.kept().number.unwrap_or_default();
        let (run, applied) = (self.run.clone(), self.applied.get().unwrap_or_default());
        let clock_offset_millis = health.records_clock_offset();
        let report = self.report();
        let has_report = report.is_some();
        let asked = now_millis();
        let heard = self.shared().beat(Beat { number, run, clock_offset_millis, applied, report }).await?;
        let answered = now_millis();
        if has_report {
            self.reported.set(Some(Instant::now()));
        }
        self.file.borrow_mut().change(|kept| kept.members = heard.members)?;
        let theirs = heard.millis;
        // The server looked somewhere between: what lies within that is no difference.
        let offset = if theirs < asked {
            asked - theirs
        } else if theirs > answered {
            answered - theirs
        } else {
            0
        };
        health.note_records_clock(offset);
        Ok(offset)
    }

    /// What the others hear of this node. None: they heard it just now.
    fn report(&self) -> Option<Report> {
        if self.reported.get().is_some_and(|at| at.elapsed() < REPORT) {
            return None;
        }
        let figures = self.lifecycle.figures()?;
        let Figures { view, units, clock_offset } = figures;
        Some(Report {
            is_ledger_reached: Some(is_reached(&figures)),
            ledger_clock_offset_millis: clock_offset,
            leases: view.leases,
            units,
            messages: view.messages,
            questions: view.questions,
            beyond: view.beyond,
            alarms: self.lifecycle.alarms(),
        })
    }
}

fn is_reached(figures: &Figures) -> bool {
    figures.view.is_ledger_up && figures.view.epoch != 0
}

fn apart(reach: Option<Reach>) -> (Option<u64>, Option<String>) {
    reach.map_or((None, None), |reach| (Some(reach.since), reach.why))
}

fn now_millis() -> i64 {
    i64::try_from(system_micros() / 1_000).unwrap_or(i64::MAX)
}
