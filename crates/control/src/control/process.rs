//! What is asked of the running gateway and its process, not of the store alone.

use super::{Control, LONGEST_PAGE, Operation};
use crate::{
    actor::Actor,
    error::OperationError,
    live::{TakenOver, Unsaved},
    operations::{AddressView, ListUpstreams, Reload, Reloaded, ShowStatus, ShowUsage, Status},
};
use std::rc::Rc;
use store::{UsagePage, Whose};

impl Operation for Reload {
    const NAME: &'static str = "reload";
    const NEEDS_STORE: bool = false;
    type Response = Reloaded;

    async fn carry_out(self, control: &Control, actor: Actor) -> Result<Reloaded, OperationError> {
        let process = control.process().ok_or(OperationError::NoGateway)?;
        // One after the other, or an older file could be taken over after a newer one.
        let _turn = control.reloading.lock().await;
        // On another thread: reading and compiling a large document takes seconds, in which there is other work.
        let prepared = tokio::task::spawn_blocking(process.prepare()).await;
        let prepared = prepared.unwrap_or_else(|error| {
            Err(OperationError::NotReloaded(format!("reading the configuration ended in a defect: {error}")))
        });
        let done = match prepared {
            Ok(()) => take_over(control).await,
            Err(error) => Err(error),
        };
        process.reloaded(actor, done.as_ref());
        done
    }
}

async fn take_over(control: &Control) -> Result<Reloaded, OperationError> {
    let Some(running) = &control.running else { return Err(OperationError::NoGateway) };
    let _turn = control.writing.lock().await;
    let TakenOver { rules, reloaded } = running.process.take_over()?;
    *control.rules.borrow_mut() = Rc::new(rules);
    if !reloaded.added.is_empty() {
        // Keys of a plan that was not there were not let in before.
        running.applier.load().await.map_err(|error| {
            OperationError::NotReloaded(format!(
                "the configuration holds, but keys of new plans cannot be read: {error}"
            ))
        })?;
    }
    Ok(reloaded)
}

impl Operation for ShowStatus {
    const NAME: &'static str = "show_status";
    const NEEDS_STORE: bool = false;
    type Response = Status;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Status, OperationError> {
        Ok(control.gateway().ok_or(OperationError::NothingRuns)?.status())
    }
}

impl Operation for ListUpstreams {
    const NAME: &'static str = "list_upstreams";
    const NEEDS_STORE: bool = false;
    type Response = Vec<AddressView>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<AddressView>, OperationError> {
        Ok(control.gateway().ok_or(OperationError::NothingRuns)?.upstreams())
    }
}

impl Operation for ShowUsage {
    const NAME: &'static str = "show_usage";
    const NEEDS_STORE: bool = false;
    type Response = UsagePage;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<UsagePage, OperationError> {
        let Self(query) = self;
        if let Whose::Key(id) = &query.whose
            && control.records().key_by_id(id).await?.is_none()
        {
            return Err(OperationError::UnknownKeys { ids: vec![id.clone()] });
        }
        control.save(Unsaved::Usage).await?;
        Ok(control.stores.usage.usage(&query, LONGEST_PAGE).await?)
    }
}
