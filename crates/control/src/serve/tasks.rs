//! Tasks that run beside each other on the control thread and end together.

use gateway::record::{Level, LogSink};
use std::{
    collections::HashMap,
    future::{Future, pending},
};
use tokio::{
    sync::watch,
    task::{Id, JoinSet},
};

/// A group of tasks, none of which ends before the others unless by a defect.
pub(super) struct Tasks {
    log: LogSink,
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    stop: watch::Sender<bool>,
}

/// Tells a task that it ends.
pub(super) struct Stop(watch::Receiver<bool>);

impl Tasks {
    pub(super) fn new(log: LogSink) -> Self {
        let stop = watch::Sender::new(false);
        Self { log, running: JoinSet::new(), names: HashMap::new(), stop }
    }

    /// Begins a task that may be ended wherever it waits.
    pub(super) fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + 'static) {
        let mut stop = self.stop();
        self.spawn_until(name, async move {
            tokio::select! {
                () = task => {}
                () = stop.wait() => {}
            }
        });
    }

    /// Begins a task that ends itself, having done what it is at, once it is told by [`Tasks::stop`].
    pub(super) fn spawn_until(&mut self, name: &'static str, task: impl Future<Output = ()> + 'static) {
        let id = self.running.spawn_local(task).id();
        self.names.insert(id, name);
    }

    /// What tells a task that it ends.
    pub(super) fn stop(&self) -> Stop {
        Stop(self.stop.subscribe())
    }

    /// Never ends. Writes into the log that a task has, which should run for ever.
    pub(super) async fn watch(&mut self) {
        while let Some(ended) = self.running.join_next_with_id().await {
            let (id, why) = match ended {
                Ok((id, ())) => (id, "it ended by itself".to_owned()),
                Err(error) => (error.id(), error.to_string()),
            };
            let name = self.names.get(&id).copied().unwrap_or_default();
            let members =
                [("task", name), ("reason", &why), ("effect", "restart the gateway to have it again")];
            self.log.event(Level::Error, "a task of the control plane ended", &members);
        }
        pending().await
    }

    /// Ends all tasks, and waits until they have ended.
    pub(super) async fn end(mut self) {
        self.stop.send_replace(true);
        while self.running.join_next().await.is_some() {}
    }
}

impl Stop {
    /// Waits until the task has to end.
    pub(super) async fn wait(&mut self) {
        // The sender lives as long as the group; without it, it is the end as well.
        let _ = self.0.wait_for(|stops| *stops).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::settings::LogFormat;
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
        time::Duration,
    };
    use tokio::{task::LocalSet, time::sleep};

    fn run(test: impl AsyncFnOnce(Tasks)) {
        let (log, writer) = LogSink::to_standard_error(LogFormat::Json).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, test(Tasks::new(log)));
        writer.finish();
    }

    #[test]
    fn at_the_end_no_task_runs_any_more_and_who_wants_to_finishes_what_it_is_at() {
        let (dropped, steps) = (Rc::new(()), Rc::new(RefCell::new(Vec::new())));
        let (held, its_steps) = (Rc::clone(&dropped), Rc::clone(&steps));
        run(async |mut tasks| {
            tasks.spawn("for ever", async move {
                let _held = held;
                pending::<()>().await;
            });
            let mut stop = tasks.stop();
            tasks.spawn_until("careful", async move {
                stop.wait().await;
                its_steps.borrow_mut().push("told");
                sleep(Duration::from_millis(10)).await;
                its_steps.borrow_mut().push("finished");
            });
            tokio::task::yield_now().await;
            tasks.end().await;
            assert_eq!(*steps.borrow(), ["told", "finished"]);
            assert_eq!(Rc::strong_count(&dropped), 1);
        });
    }

    #[test]
    fn a_task_that_panics_ends_no_other() {
        let count = Rc::new(Cell::new(0));
        let counted = Rc::clone(&count);
        run(async |mut tasks| {
            tasks.spawn("defect", async { panic!("in a test") });
            tasks.spawn("other", async move {
                loop {
                    counted.set(counted.get() + 1);
                    sleep(Duration::from_millis(1)).await;
                }
            });
            tokio::select! {
                () = tasks.watch() => unreachable!(),
                () = async { while count.get() < 10 { sleep(Duration::from_millis(1)).await; } } => {}
            }
            tasks.end().await;
        });
        assert!(count.get() >= 10);
    }
}
