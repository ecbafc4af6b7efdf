//! Reading the configuration again: made ready on a thread of its own, then taken over in one step.
//!
//! Reading and compiling a large document takes seconds, in which the control plane has other work.

use super::Control;
use crate::admin::operation::{Operation, OperationError, Outcome};
use std::{cell::RefCell, rc::Rc};

/// Reads and compiles, and lays what came of it ready. An error says what is wrong.
pub(crate) type Preparing = Box<dyn FnOnce() -> Result<(), OperationError> + Send>;

/// Carries out an operation beside others, one of which may be at work for a while.
pub(crate) async fn carry_out(
    control: &RefCell<Control>,
    operation: Operation,
) -> Result<Outcome, OperationError> {
    if matches!(operation, Operation::Reload) {
        reload(control).await
    } else {
        control.borrow_mut().execute(operation)
    }
}

async fn reload(control: &RefCell<Control>) -> Result<Outcome, OperationError> {
    let turn = Rc::clone(&control.borrow().turn);
    // One after the other, or an older file could be taken over after a newer one.
    let _turn = turn.lock().await;
    let preparing = control.borrow().live.prepare()?;
    let prepared = tokio::task::spawn_blocking(preparing).await;
    let prepared = prepared.unwrap_or_else(|error| {
        Err(OperationError::NotReloaded(format!("reading the configuration ended in a defect: {error}")))
    });
    control.borrow_mut().take_over(prepared)
}
