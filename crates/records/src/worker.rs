//! A thread with a runtime and a connection of its own: whoever asks needs neither.

use crate::fault::Failed;
use postgres::{Kind, Link, Session};
use std::{
    io,
    path::PathBuf,
    pin::Pin,
    thread::{self, JoinHandle},
};
use store::{Pending, StoreError};
use tokio::{
    runtime::Builder,
    sync::{
        mpsc::{UnboundedSender, unbounded_channel},
        oneshot,
    },
};

type Job = Box<dyn for<'l> FnOnce(&'l mut Link) -> Pin<Box<dyn Future<Output = ()> + 'l>> + Send>;

/// The thread that has a connection, and asks one question after the other in the order in which they came.
pub(crate) struct Worker {
    jobs: Option<UnboundedSender<Job>>,
    thread: Option<JoinHandle<()>>,
    place: PathBuf,
}

impl Worker {
    /// `name` is the thread's.
    pub(crate) fn start(name: &'static str, mut link: Link) -> Result<Self, StoreError> {
        let place = PathBuf::from(link.place());
        let no_thread = |source: io::Error| StoreError::Io {
            doing: "start a thread for",
            path: link.place().into(),
            source,
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let (jobs, mut todo) = unbounded_channel::<Job>();
        let no_thread =
            |source: io::Error| StoreError::Io { doing: "start a thread for", path: place.clone(), source };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(async move {
                while let Some(job) = todo.recv().await {
                    job(&mut link).await;
                }
            });
        });
        let thread = thread.map_err(no_thread)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), place })
    }

    /// Has the thread do this, beginning now and not when somebody waits for it.
    pub(crate) fn ask<T, J>(&self, job: J) -> Pending<'_, T>
    where
        T: Send + 'static,
        J: AsyncFn(&mut Session) -> Result<T, Failed> + Send + 'static,
    {
        let (done, on_done) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // Whoever asked may have gone. If the thread has, nobody answers, which is told below.
            let _ = jobs.send(Box::new(move |link| {
                Box::pin(async move {
                    let _ = done.send(carry_out(link, &job).await);
                })
            }));
        }
        Box::pin(async move {
            on_done.await.unwrap_or_else(|_| Err(StoreError::Stopped { path: self.place.clone() }))
        })
    }
}

/// Does it, and once more on another connection if this one turned out to be dead before anything was done.
pub(crate) async fn carry_out<T>(
    link: &mut Link,
    job: &impl AsyncFn(&mut Session) -> Result<T, Failed>,
) -> Result<T, StoreError> {
    let mut is_first = true;
    loop {
        let done = match link.session().await {
            Ok(session) => job(session).await,
            Err(fault) => Err(Failed::Nothing(fault)),
        };
        match done {
            Ok(done) => return Ok(done),
            Err(Failed::Nothing(fault)) if is_first && helps(fault.kind()) => is_first = false,
            Err(failed) => return Err(failed.told()),
        }
    }
}

/// Whether another connection, or another time, can help at once.
const fn helps(kind: Kind) -> bool {
    matches!(kind, Kind::Broken | Kind::ReadOnly | Kind::Conflict)
}

/// What was asked for is done once this is gone.
impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
