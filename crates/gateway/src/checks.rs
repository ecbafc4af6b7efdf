//! Checks that take too long for a data thread, on threads of their own.
//!
//! A data thread hands a check over without a lock, and goes on with other requests until the answer is here. There are few
//! of these threads and few places to wait for one: who finds none is told to come back.

use crate::{
    client::Client,
    policies::overload,
    record::{Level, LogSink},
    refusal::{Refusal, Refused},
    visit::Visit,
};
use crossbeam_queue::ArrayQueue;
use std::{
    future::{Future, poll_fn},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    thread::{self, JoinHandle},
};
use tokio::sync::oneshot;

/// Threads that there are at most.
const MOST_THREADS: usize = 4;
/// Checks that wait for a thread.
const MOST_WAITING: usize = 64;

/// Whether the result of a check is still wanted.
pub(crate) type Wanted = Arc<AtomicBool>;

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and what waits for them.
pub(crate) struct Checks {
    waiting: Arc<ArrayQueue<Job>>,
    threads: OnceLock<Vec<thread::Thread>>,
    has_ended: Arc<AtomicBool>,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            waiting: Arc::new(ArrayQueue::new(MOST_WAITING)),
            threads: OnceLock::new(),
            has_ended: Arc::default(),
        }
    }
}

impl Checks {
    /// Starts the threads: as many as there are data threads, within bounds.
    pub(crate) fn start(&self, data_threads: usize, log: &LogSink) -> io::Result<Vec<JoinHandle<()>>> {
        let mut handles = Vec::new();
        for number in 0..data_threads.clamp(1, MOST_THREADS) {
            let (waiting, has_ended, log) =
                (Arc::clone(&self.waiting), Arc::clone(&self.has_ended), log.clone());
            let thread = thread::Builder::new().name(format!("checks-{number}"));
            handles.push(thread.spawn(move || run(&waiting, &has_ended, &log))?);
        }
        let _ = self.threads.set(handles.iter().map(|handle| handle.thread().clone()).collect());
        Ok(handles)
    }

    /// Has the threads end.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        self.threads.get().into_iter().flatten().for_each(thread::Thread::unpark);
    }

    /// Hands a check over. False: there is no place for it.
    fn hand_over(&self, job: Job) -> bool {
        let is_taken = self.waiting.push(job).is_ok();
        if is_taken {
            self.wake();
        }
        is_taken
    }
}

fn run(waiting: &ArrayQueue<Job>, has_ended: &AtomicBool, log: &LogSink) {
    while !has_ended.load(Ordering::Acquire) {
        while let Some(job) = waiting.pop() {
            // A panic of the check itself is caught where its result is awaited; this thread is needed for the next one.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                log.event(Level::Error, "a check panicked", &[]);
            }
        }
        // Whoever puts a job there wakes this thread afterwards, also between the look and the sleep.
        thread::park();
    }
}

/// Nobody waits for the result any more, once this is dropped.
struct Waits(Wanted);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Runs a check elsewhere. It gives up if its client is gone, and asks its argument for that; then it gives None.
pub(crate) async fn elsewhere<T: Send + 'static>(
    visit: &Visit<'_>,
    client: &mut Client,
    check: impl FnOnce(&Wanted) -> Option<T> + Send + 'static,
) -> Result<T, Refused> {
    let (told, answer) = oneshot::channel();
    let wanted: Wanted = Arc::new(AtomicBool::new(true));
    let waits = Waits(Arc::clone(&wanted));
    let job = move || {
        if wanted.load(Ordering::Relaxed) {
            let checked = catch_unwind(AssertUnwindSafe(|| check(&wanted)));
            let _ = told.send(checked.map_err(drop)); // nobody may be there to hear it
        }
    };
    if !visit.shared.checks.hand_over(Box::new(job)) {
        return Err(overload::refusal(visit.now.millis));
    }
    let mut answer = pin!(answer);
    let checked = poll_fn(|cx| {
        if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
            return Poll::Ready(answer.ok());
        }
        // The body is complete: there is nothing to come but the end of the connection.
        client.io.poll_hung_up(cx).map(|()| Some(Ok(None)))
    })
    .await;
    drop(waits);
    match checked {
        Some(Ok(Some(result))) => Ok(result),
        Some(Ok(None)) => Err(crate::client::body_cut()),
        Some(Err(())) | None => Err(Refusal::unexpected(
            "the gateway panicked",
            "A defect of the gateway itself, in a check of a request; standard error has the place.",
        )),
    }
}
