//! Checks that take too long for a data thread, on threads of their own.
//!
//! A data thread hands a check over without a lock, and goes on with other requests until the answer is here. There are few
//! of these threads and few places to wait for one: who finds none is told to come back.

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

/// Threads that there are at most.
const MAX_THREADS: usize = 4;
/// Checks that wait for a thread.
const MAX_WAITING: usize = 64;

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
            waiting: Arc::new(ArrayQueue::new(MAX_WAITING)),
            threads: OnceLock::new(),
            has_ended: Arc::default(),
        }
    }
}

impl Checks {
    /// Starts the threads: as many as there are data threads, within bounds.
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

    /// Has the threads end.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        self.threads.get().into_iter().flatten().for_each(thread::Thread::unpark);
    }

    /// Hands a check over. False: there is no place for it.
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
            // A panic of the check itself is caught where its result is awaited; this thread is needed for the next one.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                log.event(Level::Error, "a check panicked", &[]);
            }
        }
        // Whoever puts a job there wakes this thread afterwards, also between the look and the sleep.
        thread::park();
    }
}
