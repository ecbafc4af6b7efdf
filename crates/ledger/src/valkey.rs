//! The ledger in Valkey or Redis: one server, with Sentinel, or a shard of a cluster.
//!
//! A message is one call of a function that the server runs in one step (`library.lua`). All keys have one hash tag, so in a
//! cluster the ledger lies in one shard: a cluster gives it a failover, not more room.

mod cluster;
mod connection;
mod fault;
mod holdings;
mod info;
mod inspect;
mod keeper;
mod library;
mod prepare;
mod resp;
mod sentinel;
mod session;
mod wire;

use crate::{
    Engine, Holdings, Inspection, LedgerError, Options, Pending,
    encoding::write_counter,
    target::{Topology, ValkeyTarget},
    tls::Tls,
};
use cluster::Cluster;
use connection::locked;
use fault::{Cure, Fault};
use keeper::{Primary, State};
use lease::{Message, NodeId, Recall, Reply};
use library::Library;
use resp::{Command, Value};
use sentinel::Sentinels;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// Recalls that wait for their node.
const RECALLS: usize = 1024;

/// The engine.
#[derive(Debug)]
pub(crate) struct Valkey {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
}

/// What the engine and its keeper share.
pub(crate) struct Shared {
    target: ValkeyTarget,
    options: Options,
    tls: Option<Tls>,
    library: Library,
    keys: Keys,
    locator: Locator,
    state: watch::Sender<State>,
    recalls: Mutex<HashMap<NodeId, mpsc::Sender<Recall>>>,
    /// Somebody wants recalls that did not before.
    wanted: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Shared").field("target", &self.target).finish_non_exhaustive()
    }
}

/// How the primary is found.
enum Locator {
    Single,
    Sentinel(Sentinels),
    Cluster(Cluster),
}

/// Names of keys and channels.
struct Keys {
    /// A pattern that all keys match, and none of another cluster.
    all: String,
    ledger: String,
    members: String,
    counter: String,
    recall: String,
}

impl Keys {
    fn new(namespace: &str) -> Self {
        let key = |name: &str| format!("{{{namespace}}}:{name}");
        Self {
            all: key("*"),
            ledger: key("ledger"),
            members: key("members"),
            counter: key("c:"),
            recall: key("recall:"),
        }
    }
}

impl Valkey {
    pub(crate) fn new(target: ValkeyTarget, options: Options) -> Result<Self, LedgerError> {
        let tls = if target.is_tls { Some(Tls::new(options.authorities.as_deref())?) } else { None };
        let locator = match &target.topology {
            Topology::Single => Locator::Single,
            Topology::Sentinel { service, login } => {
                Locator::Sentinel(Sentinels::new(&target.hosts, service, login.as_ref(), tls.as_ref()))
            }
            Topology::Cluster => {
                Locator::Cluster(Cluster::new(&target.hosts, target.login.as_ref(), tls.as_ref()))
            }
        };
        let shared = Arc::new(Shared {
            keys: Keys::new(&options.namespace),
            target,
            options,
            tls,
            library: Library::new(),
            locator,
            state: watch::Sender::new(State::Connecting(None)),
            recalls: Mutex::default(),
            wanted: Notify::new(),
        });
        let keeper = tokio::spawn(keeper::keep(Arc::clone(&shared)));
        Ok(Self { shared, keeper })
    }

    /// The connection, waiting for a first try to have it until `deadline`. Once a try has failed, nobody waits.
    async fn primary(&self, deadline: Instant) -> Result<Arc<Primary>, LedgerError> {
        let mut state = self.shared.state.subscribe();
        let is_settled = |state: &State| !matches!(state, State::Connecting(None));
        match timeout_at(deadline, state.wait_for(is_settled)).await {
            Ok(Ok(state)) => match &*state {
                State::Ready(primary) => Ok(Arc::clone(primary)),
                State::Connecting(Some(error)) => Err(error.clone()),
                State::Connecting(None) => Err(self.timed_out()),
            },
            Ok(Err(_)) | Err(_) => Err(self.timed_out()),
        }
    }

    fn timed_out(&self) -> LedgerError {
        LedgerError::TimedOut(self.shared.options.bounded_timeout().as_millis())
    }

    /// Asks the server within the time-out. If it has lost the library or the epoch, it gets both, and is asked once more.
    async fn call(&self, command: impl Fn() -> Command) -> Result<(Arc<Primary>, Value), LedgerError> {
        let deadline = Instant::now() + self.shared.options.bounded_timeout();
        let mut is_again = false;
        loop {
            let primary = self.primary(deadline).await?;
            let Ok(reply) = timeout_at(deadline, primary.connection.ask(command())).await else {
                return Err(self.timed_out());
            };
            primary.check_confirmed()?;
            match reply {
                Ok(Value::Error(text)) => {
                    let Fault { error, cure } = Fault::of_reply(&primary.server, &text);
                    if cure != Cure::Nothing {
                        self.shared.lose(&primary, &error.to_string());
                    }
                    if cure != Cure::Prepare || is_again {
                        return Err(error);
                    }
                    is_again = true;
                }
                Ok(value) => return Ok((primary, value)),
                Err(why) => {
                    let server = primary.server.clone();
                    return Err(LedgerError::Unreachable { server, why: why.to_string() });
                }
            }
        }
    }

    /// Deletes all keys of this namespace. The functions stay: other clusters may use them.
    pub(crate) async fn clear(&self) -> Result<(), LedgerError> {
        let primary = self.primary(Instant::now() + self.shared.options.connect_timeout * 2).await?;
        let unexpected = || LedgerError::Unexpected {
            server: primary.server.clone(),
            why: "a list of keys that cannot be read".to_owned(),
        };
        let ask = |command| session::ask(&primary.connection, &primary.server, command);
        let pattern = &self.shared.keys.all;
        let mut cursor = "0".to_owned();
        loop {
            let reply = ask(Command::words(&["SCAN", &cursor, "MATCH", pattern, "COUNT", "1000"])).await?;
            let mut parts = reply.into_list().ok_or_else(unexpected)?.into_iter();
            cursor = parts.next().and_then(Value::into_string).ok_or_else(unexpected)?;
            let keys = parts.next().and_then(Value::into_list).ok_or_else(unexpected)?;
            let keys: Vec<_> = keys.into_iter().filter_map(Value::into_text).collect();
            if !keys.is_empty() {
                ask(keys.iter().fold(Command::new("UNLINK"), |command, key| command.arg(key))).await?;
            }
            if cursor == "0" {
                return Ok(());
            }
        }
    }

    async fn exchange_message(&self, message: &Message) -> Result<Reply, LedgerError> {
        let Shared { keys, library, .. } = &*self.shared;
        let bytes = wire::write_message(message)?;
        let command = || {
            let counts = message.questions.len() + 2;
            let mut command = Command::new("FCALL").arg(&library.exchange).arg(counts.to_string());
            command.push(keys.ledger.as_bytes());
            command.push(keys.members.as_bytes());
            for question in &message.questions {
                let mut key = keys.counter.clone().into_bytes();
                key.extend_from_slice(&write_counter(&question.counter));
                command.push(&key);
            }
            command.arg(&keys.recall).arg(&bytes)
        };
        let (primary, value) = self.call(command).await?;
        let reply = value.into_list().and_then(|mut replies| replies.pop()).and_then(Value::into_text);
        reply.and_then(|bytes| wire::read_reply(&bytes, message)).ok_or_else(|| LedgerError::Unexpected {
            server: primary.server.clone(),
            why: "a reply to a message that cannot be read".to_owned(),
        })
    }

    async fn member(&self, what: &str, node: NodeId) -> Result<(), LedgerError> {
        let node = node.to_string();
        self.call(|| self.shared.member_command(&[what, &node])).await.map(|_| ())
    }

    async fn status(&self) -> Result<(Arc<Primary>, inspect::Status), LedgerError> {
        let (primary, value) = self.call(|| self.shared.member_command(&["status"])).await?;
        let status = inspect::Status::read(value).ok_or_else(|| LedgerError::Unexpected {
            server: primary.server.clone(),
            why: "a status that cannot be read".to_owned(),
        })?;
        Ok((primary, status))
    }
}

impl Shared {
    fn member_command(&self, arguments: &[&str]) -> Command {
        let command = Command::new("FCALL").arg(&self.library.member).arg("2");
        let command = command.arg(&self.keys.ledger).arg(&self.keys.members);
        arguments.iter().fold(command, |command, argument| command.arg(argument))
    }

    /// Gives a connection up, unless there is another one by now. Whoever asks next waits for the next one.
    fn lose(&self, primary: &Arc<Primary>, why: &str) {
        self.state.send_if_modified(|state| {
            let is_it = matches!(state, State::Ready(present) if Arc::ptr_eq(present, primary));
            if is_it {
                *state = State::Connecting(None);
            }
            is_it
        });
        primary.connection.end(why);
    }
}

impl Drop for Valkey {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Engine for Valkey {
    fn exchange<'a>(&'a self, message: &'a Message) -> Pending<'a, Reply> {
        Box::pin(self.exchange_message(message))
    }

    fn recalls(&self, node: NodeId) -> mpsc::Receiver<Recall> {
        let (sender, receiver) = mpsc::channel(RECALLS);
        locked(&self.shared.recalls).insert(node, sender);
        self.shared.wanted.notify_one();
        receiver
    }

    fn ready(&self) -> Pending<'_, ()> {
        Box::pin(async {
            let deadline = Instant::now() + self.shared.options.connect_timeout * 2;
            self.primary(deadline).await.map(|_| ())
        })
    }

    fn join(&self, node: NodeId) -> Pending<'_, ()> {
        Box::pin(self.member("join", node))
    }

    fn remove(&self, node: NodeId) -> Pending<'_, ()> {
        Box::pin(self.member("remove", node))
    }

    fn awaited(&self) -> Pending<'_, Vec<NodeId>> {
        Box::pin(async { Ok(self.status().await?.1.awaited) })
    }

    fn go_on_without(&self, node: NodeId) -> Pending<'_, ()> {
        Box::pin(self.member("go_on", node))
    }

    fn holdings(&self) -> Pending<'_, Holdings> {
        Box::pin(async {
            let deadline = Instant::now() + self.shared.options.connect_timeout * 2;
            let primary = self.primary(deadline).await?;
            holdings::all(&self.shared.keys, &primary).await
        })
    }

    fn inspect(&self) -> Pending<'_, Inspection> {
        Box::pin(async {
            let (primary, status) = self.status().await?;
            self.shared.inspect(&primary, status).await
        })
    }
}
