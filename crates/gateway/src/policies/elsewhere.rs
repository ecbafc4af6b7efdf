//! Runs a check that takes long outside of the data thread.

use crate::{
    client::{self, Client},
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
};
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};
use tokio::sync::oneshot;

/// Whether the result of a check is still needed.
pub(crate) type Wanted = Arc<AtomicBool>;

/// When dropped, nobody waits for the result any more.
struct Waits(Wanted);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Runs a check elsewhere. It stops if the client is gone, which it checks through its argument;
/// then the result is None.
pub(super) async fn run<T: Send + 'static>(
    context: &RequestContext<'_>,
    client: &mut Client,
    check: impl FnOnce(&Wanted) -> Option<T> + Send + 'static,
) -> Result<T, Refused> {
    let (sender, answer) = oneshot::channel();
    let wanted: Wanted = Arc::new(AtomicBool::new(true));
    let waits = Waits(Arc::clone(&wanted));
    let job = move || {
        if wanted.load(Ordering::Relaxed) {
            let checked = catch_unwind(AssertUnwindSafe(|| check(&wanted)));
            let _ = sender.send(checked.map_err(drop)); // the receiver may be gone
        }
    };
    if !context.shared.checks.hand_over(Box::new(job)) {
        return Err(Refusal::overloaded(context.now.millis));
    }
    let mut answer = pin!(answer);
    let checked = poll_fn(|cx| {
        if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
            return Poll::Ready(answer.ok());
        }
        // The body is complete: only the end of the connection can follow.
        client.io.poll_hung_up(cx).map(|()| Some(Ok(None)))
    })
    .await;
    drop(waits);
    match checked {
        Some(Ok(Some(result))) => Ok(result),
        Some(Ok(None)) => Err(client::body_cut()),
        Some(Err(())) | None => Err(Refusal::unexpected(
            "the gateway panicked",
            "A bug in the gateway, in the validation of a request; standard error has the location.",
        )),
    }
}
