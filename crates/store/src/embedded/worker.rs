//! A thread of its own for each file: whoever asks goes on with other work while the disk works.

use crate::{Pending, StoreError};
use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Sender, channel},
    thread::{self, JoinHandle},
};
use tokio::sync::oneshot;

type Job<F> = Box<dyn FnOnce(&mut F) + Send>;

/// The thread that has a file, and does one job after the other in the order in which they were asked for.
pub(super) struct Worker<F> {
    jobs: Option<Sender<Job<F>>>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl<F: Send + 'static> Worker<F> {
    /// `name` is the thread's, `path` that of the file.
    pub(super) fn start(name: &str, path: &Path, mut file: F) -> Result<Self, StoreError> {
        let (jobs, todo) = channel::<Job<F>>();
        let run = move || todo.into_iter().for_each(|job| job(&mut file));
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.map_err(|error| StoreError::io("start the thread of", path, error))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), path: path.to_owned() })
    }

    /// Has the thread do this, beginning now and not when somebody waits for it.
    pub(super) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut F) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<'_, T> {
        let (done, on_done) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // Whoever asked may have gone. If the thread has, nobody answers, which is told below.
            let _ = jobs.send(Box::new(move |file| drop(done.send(job(file)))));
        }
        Box::pin(async move {
            on_done.await.unwrap_or_else(|_| Err(StoreError::Stopped { path: self.path.clone() }))
        })
    }
}

/// What was asked for is done, and the file closed, once this is gone.
impl<F> Drop for Worker<F> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
