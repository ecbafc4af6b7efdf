//! A gateway that shares its limits with others: what makes it a member, and what it is told of the ledger.

mod carry;
mod members;
mod watch;

pub(super) use members::MembersOfRecords;
pub use watch::LedgerLost;

use crate::{failure::Failure, lifecycle::Lifecycle, system_micros};
use carry::Carrier;
use gateway::{
    Cluster, Handle,
    record::{Level, LogSink, Value},
};
use lease::{Node, NodeId, Unreachable, Used};
use ledger::{Engine, MemberList};
use std::{
    fmt,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// For how long requests are not let in because nothing was heard of the ledger yet.
const FIRST_WORD: Duration = Duration::from_secs(3);

/// What makes a gateway a member of a cluster.
pub struct Sharing {
    /// Its number, of the records.
    pub node: NodeId,
    /// Which start it is of this node: a larger number each time.
    pub start: u32,
    /// The URL of the ledger.
    pub ledger: String,
    /// How its engine works, and who belongs to the cluster.
    pub options: ledger::Options,
    /// How many members there were when this node ran last. None: it is not known.
    pub members: Option<u32>,
    /// What is done about limits while the ledger cannot be reached.
    pub unreachable: Unreachable,
    /// What is done when the ledger has lost what it knew.
    pub ledger_lost: LedgerLost,
}

/// The thread that carries messages.
pub(super) struct Carrying {
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Sharing {
    /// Has the gateway share its limits from now on, and begins to ask the ledger. `used`: what this node used, of its journal.
    ///
    /// # Errors
    /// The ledger's URL cannot be used, or there is no thread.
    pub(super) fn begin(
        self,
        used: Vec<Used>,
        handle: &Handle,
        lifecycle: &Arc<Lifecycle>,
    ) -> Result<Carrying, Failure> {
        let (unreachable, last_members) = (self.unreachable, self.members);
        let cluster = Cluster::new(Node::new(self.node, self.start, self.unreachable, used));
        handle.share_limits(Arc::clone(&cluster));
        let (end, ended) = oneshot::channel();
        let (connected, on_connected) = mpsc::channel();
        let (members, known) = (Arc::clone(&self.options.members), Arc::clone(&self.options.members));
        let (log, lifecycle) = (handle.log().clone(), Arc::clone(lifecycle));
        let its_cluster = Arc::clone(&cluster);
        let thread = std::thread::Builder::new().name("ledger".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(connected.send(Err(error.to_string()))),
            };
            tokio::task::LocalSet::new().block_on(&runtime, async {
                let engine: Arc<dyn Engine> = match ledger::connect(&self.ledger, self.options) {
                    Ok(engine) => engine.into(),
                    Err(error) => return drop(connected.send(Err(error.to_string()))),
                };
                let _ = connected.send(Ok(()));
                let carrier = Carrier::new(its_cluster, engine, self.node);
                let watch =
                    watch::Watch { log, lifecycle, unreachable, ledger_lost: self.ledger_lost, members };
                carrier.run(watch, ended).await;
            });
        });
        let thread =
            thread.map_err(|error| Failure::new(format!("cannot start the ledger's thread: {error}")))?;
        match on_connected.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Failure::new(format!("[cluster] ledger: {error}"))),
            Err(_) => return Err(Failure::new("the ledger's thread ended".to_owned())),
        }
        if !has_heard_soon(&cluster) {
            let members = match unreachable {
                Unreachable::Deny => None,
                // How large a share is depends on how many there are.
                Unreachable::GoOn => count(&known).or(last_members),
            };
            start_without(&cluster, members, handle.log());
        }
        Ok(Carrying { end, thread })
    }
}

/// Whether the ledger answers before requests are let in: those that come before are refused.
fn has_heard_soon(cluster: &Cluster) -> bool {
    let began = Instant::now();
    while !cluster.has_heard() && began.elapsed() < FIRST_WORD {
        std::thread::park_timeout(Duration::from_millis(2));
    }
    cluster.has_heard()
}

/// How many members the records have. None: they are away.
fn count(members: &Arc<dyn MemberList>) -> Option<u32> {
    let members = store::wait(members.members()).ok()?;
    Some(u32::try_from(members.present.len()).unwrap_or(u32::MAX))
}

/// Starts although the ledger has not answered: as one of so many members, or refusing what limits apply to.
fn start_without(cluster: &Cluster, members: Option<u32>, log: &LogSink) {
    let effect = match members {
        Some(members) => {
            cluster.assume(system_micros() / 1_000, members);
            "this node goes on with its share of each limit, by its own clock"
        }
        None => "requests that limits apply to are answered 503 until the ledger answers",
    };
    let members = members.map(|members| ("members", Value::Number(members.into())));
    let parts: Vec<_> = members.into_iter().chain([("effect", Value::Text(effect))]).collect();
    log.event_of(Level::Error, "the ledger has not answered yet", &parts);
}

impl Carrying {
    /// Gives back what is not spent. Nothing may be taken any more.
    pub(super) fn end(self) {
        let _ = self.end.send(());
        let _ = self.thread.join();
    }
}

impl fmt::Debug for Sharing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may have a password in it.
        out.debug_struct("Sharing")
            .field("node", &self.node)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}
