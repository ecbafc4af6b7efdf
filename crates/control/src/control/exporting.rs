//! Exporting all that is stored, a page at a time. What waits in memory is written first, so that it is among it.

use super::{Control, LONGEST_PAGE, Operation};
use crate::{
    actor::Actor,
    error::OperationError,
    export::{Counter, Hex, Key, Usage},
    live::Unsaved,
    operations::{BeginExport, ExportBegun, ExportCounters, ExportKeys, ExportUsage},
};
use journal::Counters;
use store::random;

/// An export whose client is silent for so many seconds is given up, to close its file.
const LEFT_ALONE: u64 = 15 * 60;

/// An export that was begun.
pub(super) struct Exporting {
    id: String,
    /// None: it has no counters.
    counters: Option<Counters>,
    touched_at: u64,
}

impl Operation for BeginExport {
    const NAME: &'static str = "begin_export";
    const NEEDS_STORE: bool = true;
    type Response = ExportBegun;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<ExportBegun, OperationError> {
        let counters = match control.process() {
            Some(process) if self.counters => process.counters().await?,
            Some(_) | None => None,
        };
        let id = random::id("exp_", 16)?;
        let exporting = Exporting { id: id.clone(), counters, touched_at: control.now() };
        *control.exporting.borrow_mut() = Some(exporting);
        Ok(ExportBegun { export: id, secret_fingerprint: Hex(control.secret.fingerprint()) })
    }
}

impl Operation for ExportCounters {
    const NAME: &'static str = "export_counters";
    const NEEDS_STORE: bool = true;
    type Response = Vec<Counter>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<Counter>, OperationError> {
        let mut exporting = control.exporting.borrow_mut();
        let exporting = exporting.as_mut().filter(|exporting| exporting.id == self.export);
        let exporting = exporting.ok_or(OperationError::ExportGone)?;
        exporting.touched_at = control.now();
        let mut page = Vec::new();
        while let Some(counters) =
            exporting.counters.as_mut().filter(|_| page.len() < self.limit.min(LONGEST_PAGE))
        {
            let next = counters.next_row().map_err(|error| OperationError::Store(error.to_string()))?;
            match next {
                Some((row, second)) => page.push(Counter::of_row(row, second)),
                None => exporting.counters = None,
            }
        }
        Ok(page)
    }
}

impl Operation for ExportKeys {
    const NAME: &'static str = "export_keys";
    const NEEDS_STORE: bool = true;
    type Response = Vec<Key>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<Key>, OperationError> {
        let after = self.after.map(|digest| digest.0);
        let page = control.records().keys_after(after, self.limit.min(LONGEST_PAGE)).await?;
        Ok(page.into_iter().map(Key::from).collect())
    }
}

impl Operation for ExportUsage {
    const NAME: &'static str = "export_usage";
    const NEEDS_STORE: bool = true;
    type Response = Vec<Usage>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<Usage>, OperationError> {
        if self.after.is_none() {
            control.save(Unsaved::Usage).await?;
        }
        let page = control.stores.usage.usage_after(self.after, self.limit.min(LONGEST_PAGE)).await?;
        Ok(page.into_iter().map(Usage::from).collect())
    }
}

impl Control {
    /// Closes the file of an export that nobody goes on with.
    pub(super) fn give_up_export_if_left_alone(&self) {
        let now = self.now();
        let is_left_alone = |one: &mut Exporting| one.touched_at.saturating_add(LEFT_ALONE) < now;
        self.exporting.borrow_mut().take_if(is_left_alone);
    }
}
