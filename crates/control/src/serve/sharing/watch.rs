//! Tells operators how the ledger is, and goes on without members that do not come, where that is wanted.

use crate::{
    lifecycle::{Alarm, Lifecycle},
    system_micros,
};
use gateway::{
    Cluster, ClusterView,
    record::{Level, LogSink, Value},
};
use lease::{NodeId, Standing, Unreachable};
use ledger::{Engine, LedgerError, MemberList};
use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(250);
/// Milliseconds between the clocks from which on that is told.
const APART: u64 = 1_000;
/// How often it looks for members that were removed.
const REMOVED: Duration = Duration::from_secs(5);
/// How often it looks at the ledger's server; and while there are members that are waited for.
const INSPECT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_millis(500));
/// Members have so long to say their totals before anybody hears that they are waited for.
const AWAITED: Duration = Duration::from_secs(2);
/// How often what no request needs is forgotten.
const SWEEP: Duration = Duration::from_secs(30);

/// What is done about what the ledger has lost, while there are members that have not said their totals again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerLost {
    /// It waits for them: what cannot be decided is refused.
    Wait,
    /// It waits for so long, and goes on without them then: what they hold may be granted twice.
    GoOn(Duration),
}

/// Why the ledger did not answer last, as whoever asks it notes.
#[derive(Debug, Clone, Default)]
pub(super) struct Failures(Rc<RefCell<Option<String>>>);

/// What it tells to whom.
pub(super) struct Watch {
    pub(super) log: LogSink,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) unreachable: Unreachable,
    pub(super) ledger_lost: LedgerLost,
    pub(super) members: Arc<dyn MemberList>,
}

/// What looks.
pub(super) struct Watching {
    watch: Watch,
    cluster: Arc<Cluster>,
    engine: Arc<dyn Engine>,
    node: NodeId,
    failures: Failures,
    told: Told,
    /// When the ledger's server was looked at, and members that it waited for then.
    inspected: Option<Instant>,
    awaited: Vec<NodeId>,
    /// Since when there are some.
    awaited_since: Option<Instant>,
    swept: Instant,
    /// Members that the ledger knows to be removed, and when that was looked at.
    removed: (Vec<NodeId>, Instant),
}

/// What was told last.
struct Told {
    is_up: bool,
    standing: Standing,
    replaced: u32,
    is_apart: bool,
    beyond: u64,
    is_awaiting: bool,
}

impl Failures {
    /// Notes a failure.
    pub(super) fn note(&self, error: &LedgerError) {
        self.0.replace(Some(error.to_string()));
    }

    fn latest(&self) -> String {
        self.0.borrow().clone().unwrap_or_else(|| "it does not answer".to_owned())
    }

    fn clear(&self) {
        self.0.replace(None);
    }
}

impl Watch {
    pub(super) fn begin(self, cluster: Arc<Cluster>, engine: Arc<dyn Engine>, node: NodeId) -> Watching {
        let told = Told {
            is_up: true,
            standing: Standing::Member,
            replaced: 0,
            is_apart: false,
            beyond: 0,
            is_awaiting: false,
        };
        Watching {
            watch: self,
            cluster,
            engine,
            node,
            failures: Failures::default(),
            told,
            inspected: None,
            awaited: Vec::new(),
            awaited_since: None,
            swept: Instant::now(),
            removed: (Vec::new(), Instant::now()),
        }
    }
}

impl Watching {
    /// Where failures are noted.
    pub(super) fn failures(&self) -> Failures {
        self.failures.clone()
    }

    /// Looks for ever.
    pub(super) async fn run(&mut self) {
        loop {
            sleep(LOOK).await;
            let view = self.cluster.view();
            self.tell_link(&view);
            self.tell_standing(view.standing);
            self.tell_epoch(&view);
            self.tell_clock(&view);
            self.inspect().await;
            self.tell_awaited();
            self.go_on_without().await;
            self.tell_removed().await;
            if self.swept.elapsed() >= SWEEP {
                self.cluster.sweep();
                self.swept = Instant::now();
            }
        }
    }

    fn tell_link(&mut self, view: &ClusterView) {
        let is_up = view.is_ledger_up && view.epoch != 0;
        let failure = self.failures.latest();
        let is_news = std::mem::replace(&mut self.told.is_up, is_up) != is_up;
        let lifecycle = &self.watch.lifecycle;
        if is_up {
            lifecycle.cluster().note_ledger(None);
            if is_news {
                self.failures.clear();
                self.inspected = None;
                lifecycle.raise(Alarm::Ledger, None);
                self.watch.log.event(Level::Info, "the ledger answers again", &[]);
            }
        } else {
            let effect = match self.watch.unreachable {
                Unreachable::Deny => {
                    "leases at hand are spent; then requests that limits apply to are answered 503 until it answers"
                }
                Unreachable::GoOn => {
                    "leases at hand are spent; then this gateway grants its share of each limit, which in all may be more than \
                     the limit"
                }
            };
            lifecycle.cluster().note_ledger(Some(&failure));
            // The reason may be another by now.
            let advice = "Start the ledger or repair the way to it; gateways need no restart";
            let alarm = format!("the ledger cannot be reached: {failure}; {effect}. {advice}");
            lifecycle.raise(Alarm::Ledger, Some(alarm));
            if is_news {
                let members = [("reason", failure.as_str()), ("effect", effect)];
                self.watch.log.event(Level::Error, "the ledger cannot be reached", &members);
            }
        }
        let beyond = view.beyond.saturating_sub(self.told.beyond);
        if beyond > 0 {
            self.told.beyond = view.beyond;
            let reason = "the ledger cannot be reached, and `[cluster] unreachable` is \"go_on\"";
            let members = [("units", Value::Number(beyond)), ("reason", Value::Text(reason))];
            self.watch.log.event_of(Level::Warn, "units were granted beyond the leases", &members);
        }
    }

    fn tell_standing(&mut self, standing: Standing) {
        if standing == self.told.standing {
            return;
        }
        self.told.standing = standing;
        let reason = match standing {
            Standing::Member => {
                self.watch.lifecycle.raise(Alarm::NotGranted, None);
                self.watch.log.event(Level::Info, "this node is a member again", &[]);
                return;
            }
            Standing::NotMember => "this node is not a member of the cluster, or was removed from it",
            Standing::Superseded => {
                "another process has the number of this node: a copy of its store runs elsewhere"
            }
        };
        let effect = "requests that limits apply to are answered 503";
        let advice = match standing {
            Standing::Member => return,
            Standing::NotMember => "To let it join as a new one, stop it and start it with an empty store",
            Standing::Superseded => "Stop one of the two, and give it a store of its own",
        };
        self.watch.lifecycle.raise(Alarm::NotGranted, Some(format!("{reason}; {effect}. {advice}")));
        let members = [("reason", reason), ("effect", effect)];
        self.watch.log.event(Level::Error, "the ledger grants nothing to this node", &members);
    }

    fn tell_epoch(&mut self, view: &ClusterView) {
        // Counted, because the first one may be over before it was looked at.
        if std::mem::replace(&mut self.told.replaced, view.replaced) != view.replaced {
            self.inspected = None;
            let members = [("epoch", Value::Number(view.epoch))];
            self.watch.log.event_of(
                Level::Warn,
                "the ledger was replaced, and all totals are said again",
                &members,
            );
        }
    }

    fn tell_clock(&mut self, view: &ClusterView) {
        let Some(ledger) = view.ledger_time else { return };
        let apart = ledger.abs_diff(system_micros() / 1_000);
        let is_apart = apart >= APART;
        if is_apart && !self.told.is_apart {
            let effect = "windows of limits follow the ledger's clock";
            let members = [("milliseconds", Value::Number(apart)), ("effect", Value::Text(effect))];
            self.watch.log.event_of(
                Level::Warn,
                "the clocks of the ledger and of this machine differ",
                &members,
            );
        }
        if self.told.is_apart && !is_apart {
            let event = "the clocks of the ledger and of this machine agree again";
            self.watch.log.event(Level::Info, event, &[]);
        }
        self.told.is_apart = is_apart;
    }

    /// Looks at the ledger's server, for whoever asks how it is, and who is waited for.
    async fn inspect(&mut self) {
        let every = if self.awaited.is_empty() { INSPECT.0 } else { INSPECT.1 };
        if !self.told.is_up || self.inspected.is_some_and(|at| at.elapsed() < every) {
            return;
        }
        self.inspected = Some(Instant::now());
        if let Ok(Ok(seen)) = timeout(INSPECT.0, self.engine.inspect()).await {
            self.awaited.clone_from(&seen.awaited);
            self.watch.lifecycle.cluster().note_server(seen);
        }
        if self.awaited.is_empty() {
            self.awaited_since = None;
        } else {
            self.awaited_since.get_or_insert_with(Instant::now);
        }
    }

    /// Tells of members that are waited for, once they had the time to say their totals.
    fn tell_awaited(&mut self) {
        let is_awaiting = self.awaited_since.is_some_and(|since| since.elapsed() >= AWAITED);
        let is_news = std::mem::replace(&mut self.told.is_awaiting, is_awaiting) != is_awaiting;
        if !is_awaiting {
            self.watch.lifecycle.raise(Alarm::Awaited, None);
            if is_news {
                let event = "all members have said their totals";
                self.watch.log.event(Level::Info, event, &[]);
            }
            return;
        }
        let nodes: Vec<_> = self.awaited.iter().map(ToString::to_string).collect();
        let nodes = nodes.join(", ");
        let effect =
            "what began before that is not granted any more until they have: such requests are answered 503";
        let advice = match self.watch.ledger_lost {
            LedgerLost::Wait => {
                "Start these gateways, or remove those that will not come back by `fairgate cluster remove NODE`"
            }
            LedgerLost::GoOn(_) => {
                "Start these gateways; `[cluster] ledger_lost` is \"go_on\", so soon it goes on without them"
            }
        };
        let alarm = format!(
            "the ledger was replaced, and the nodes with these numbers have not said their totals since: {nodes}; {effect}. {advice}"
        );
        self.watch.lifecycle.raise(Alarm::Awaited, Some(alarm));
        if is_news {
            let members = [("nodes", nodes.as_str()), ("effect", effect)];
            self.watch.log.event(Level::Error, "the ledger waits for members", &members);
        }
    }

    /// Tells the ledger of members that were removed: all that they hold counts as used.
    async fn tell_removed(&mut self) {
        // Asked for while no epoch began yet, the list would not know whether one is the first.
        if !self.told.is_up || self.removed.1.elapsed() < REMOVED {
            return;
        }
        self.removed.1 = Instant::now();
        let Ok(members) = self.watch.members.members().await else { return };
        for node in members.removed {
            if !self.removed.0.contains(&node) && self.engine.remove(node).await.is_ok() {
                self.removed.0.push(node);
            }
        }
    }

    /// Goes on without members that have not said their totals, once they had the time to.
    async fn go_on_without(&mut self) {
        let LedgerLost::GoOn(after) = self.watch.ledger_lost else { return };
        if !self.told.is_up {
            return;
        }
        if self.awaited_since.is_none_or(|since| since.elapsed() < after) {
            return;
        }
        self.inspected = None;
        for node in std::mem::take(&mut self.awaited).into_iter().filter(|node| *node != self.node) {
            if self.engine.go_on_without(node).await.is_ok() {
                let reason = "it has not said its totals since the ledger was replaced, and `[cluster] ledger_lost` is \"go_on\"";
                let members = [
                    ("node", Value::Number(node.into())),
                    ("reason", Value::Text(reason)),
                    ("effect", Value::Text("what it holds may be granted twice")),
                ];
                self.watch.log.event_of(Level::Error, "the ledger goes on without a member", &members);
            }
        }
    }
}
