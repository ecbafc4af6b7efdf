//! Checks that take too long for a data thread, on separate threads.
//!
//! A data thread hands over a check without a lock and handles other requests until the result
//! arrives. There are few of these threads and a short queue: if it is full, the client is asked to
//! retry.

use crate::record::{Level, LogSink};
use crossbeam_queue::ArrayQueue;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Maximum number of threads.
const MAX_THREADS: usize = 4;
/// Maximum number of queued checks.
const MAX_WAITING: usize = 64;

type Job = Box<dyn FnOnce() + Send>;

/// The threads and their queue.
pub(crate) struct Checks {
    waiting: Arc<ArrayQueue<Job>>,
    threads: OnceLock<Vec<thread::Thread>>,
    has_ended: Arc<AtomicBool>,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            waiting: Arc::new(ArrayQueue::new(MAX_WAITING)),
            threads: OnceLock::new(),
            has_ended: Arc::default(),
        }
    }
}

impl Checks {
    /// Starts the threads: as many as data threads, within bounds.
    pub(crate) fn start(&self, data_threads: usize, log: &LogSink) -> io::Result<Vec<JoinHandle<()>>> {
        let mut handles = Vec::new();
        for number in 0..data_threads.clamp(1, MAX_THREADS) {
            let (waiting, has_ended, log) =
                (Arc::clone(&self.waiting), Arc::clone(&self.has_ended), log.clone());
            let thread = thread::Builder::new().name(format!("checks-{number}"));
            handles.push(thread.spawn(move || run(&waiting, &has_ended, &log))?);
        }
        let _ = self.threads.set(handles.iter().map(|handle| handle.thread().clone()).collect());
        Ok(handles)
    }

    /// Ends the threads.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        self.threads.get().into_iter().flatten().for_each(thread::Thread::unpark);
    }

    /// Queues a check. False: the queue is full.
    pub(crate) fn hand_over(&self, job: Job) -> bool {
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
            // A panic of the check itself is caught where its result is awaited; this thread
            // continues with the next one.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                log.event(Level::Error, "a check panicked", &[]);
            }
        }
        // A job is queued before this thread is woken, also between the check and the sleep.
        thread::park();
    }
}
