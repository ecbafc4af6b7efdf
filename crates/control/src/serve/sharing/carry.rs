//! Carries messages from this node to the ledger and replies back, as fast as both want.

use super::watch::{Failures, Watch};
use gateway::{Cluster, Step};
use lease::{Message, NodeId, Outcome, Recall, Reply};
use ledger::{Engine, LedgerError};
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};

/// How long it waits before it tries again to join.
const JOIN_AGAIN: Duration = Duration::from_millis(250);
/// For how long nothing is asked before it has joined.
const JOIN_FIRST: Duration = Duration::from_secs(1);
/// How often a node that is no member asks whether it is one again.
const NOT_MEMBER: Duration = Duration::from_millis(250);
/// For how long what is not spent is given back at the end.
const GIVING_BACK: Duration = Duration::from_millis(500);

/// What carries.
pub(super) struct Carrier {
    cluster: Arc<Cluster>,
    engine: Arc<dyn Engine>,
    node: NodeId,
}

type Replied = Result<Reply, LedgerError>;

impl Carrier {
    pub(super) fn new(cluster: Arc<Cluster>, engine: Arc<dyn Engine>, node: NodeId) -> Self {
        Self { cluster, engine, node }
    }

    /// Carries until it is told to end, and gives back then.
    pub(super) async fn run(self, watch: Watch, end: oneshot::Receiver<()>) {
        let mut watch = watch.begin(Arc::clone(&self.cluster), Arc::clone(&self.engine), self.node);
        let failures = watch.failures();
        tokio::select! {
            () = self.carry(failures) => {}
            () = watch.run() => {}
            // Without the sender it is the end as well.
            _ = end => {}
        }
        self.give_back().await;
    }

    async fn carry(&self, failures: Failures) {
        let mut recalls = self.engine.recalls(self.node);
        let joining = tokio::task::spawn_local(join(Arc::clone(&self.engine), self.node, failures.clone()));
        // Messages of a node that has not joined are not taken; but if it cannot join, it has to notice that.
        let _ = timeout(JOIN_FIRST, joining).await;
        let mut replies = JoinSet::new();
        loop {
            let Step { message, due } = self.cluster.step();
            if let Some(message) = message {
                replies.spawn(exchange(Arc::clone(&self.engine), message));
                continue;
            }
            tokio::select! {
                Some(done) = replies.join_next(), if !replies.is_empty() => {
                    // A task that panicked is a message that was lost.
                    if let Ok(replied) = done {
                        self.take(replied, &failures).await;
                    }
                }
                recall = next(&mut recalls) => self.cluster.recall(&recall),
                () = self.cluster.kicked() => {}
                () = sleep(due) => {}
            }
        }
    }

    async fn take(&self, replied: Replied, failures: &Failures) {
        match replied {
            Ok(reply) => {
                self.cluster.hear(&reply);
                match reply.outcome {
                    Outcome::Taken | Outcome::Late | Outcome::OtherEpoch => {}
                    Outcome::NotMember | Outcome::Superseded => sleep(NOT_MEMBER).await,
                }
            }
            Err(error) => failures.note(&error),
        }
    }

    async fn give_back(&self) {
        let until = Instant::now() + GIVING_BACK;
        while !self.cluster.give_back() && Instant::now() < until {
            let Step { message, due } = self.cluster.step();
            match message {
                Some(message) => {
                    if let Ok(Ok(reply)) = timeout_at(until, self.engine.exchange(&message)).await {
                        self.cluster.hear(&reply);
                    }
                }
                None => sleep(due.min(Duration::from_millis(5))).await,
            }
        }
    }
}

/// The records have this node; now the ledger learns of it.
async fn join(engine: Arc<dyn Engine>, node: NodeId, failures: Failures) {
    loop {
        let joined = async {
            engine.ready().await?;
            engine.join(node).await
        };
        match joined.await {
            Ok(()) => return,
            Err(error) => failures.note(&error),
        }
        sleep(JOIN_AGAIN).await;
    }
}

async fn exchange(engine: Arc<dyn Engine>, message: Message) -> Replied {
    engine.exchange(&message).await
}

/// The next recall. They are hints: without them it goes on.
async fn next(recalls: &mut mpsc::Receiver<Recall>) -> Recall {
    match recalls.recv().await {
        Some(recall) => recall,
        None => pending().await,
    }
}
