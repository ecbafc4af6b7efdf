//! The ledger in PostgreSQL: a message is one call of a function, which is one transaction.
//!
//! One task has the connection, and asks one question after the other; a second one listens for recalls, which are rows that a
//! notification tells of. What the connection was made to is noted in a setting of its session that the function compares, so
//! no message is carried out over a connection that nobody looked at.

mod fault;
mod keeper;
mod texts;
mod wire;

use crate::{Engine, Holdings, Inspection, LedgerError, Options, Pending};
use keeper::{Ask, Said, What};
use lease::{Message, NodeId, Recall, Reply};
use postgres::Target;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// Recalls that wait for their node, and questions that wait for the connection.
const RECALLS: usize = 1024;
const QUESTIONS: usize = 64;

/// For how long a page of holdings is waited for.
const HOLDINGS: Duration = Duration::from_secs(10);

type Receivers = Mutex<HashMap<NodeId, mpsc::Sender<Recall>>>;

/// The engine.
pub(crate) struct Postgresql {
    options: Options,
    place: String,
    questions: mpsc::Sender<Ask>,
    recalls: Arc<Recalls>,
    keeper: JoinHandle<()>,
    listener: JoinHandle<()>,
}

/// Who wants recalls.
#[derive(Default)]
pub(crate) struct Recalls {
    receivers: Receivers,
    wanted: Notify,
}

impl Recalls {
    fn receivers(&self) -> std::sync::MutexGuard<'_, HashMap<NodeId, mpsc::Sender<Recall>>> {
        self.receivers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Postgresql {
    pub(crate) fn new(url: &str, options: Options) -> Result<Self, LedgerError> {
        let parse = || Target::parse(url).map_err(|error| LedgerError::Url(error.to_string()));
        let (target, place) = (parse()?, parse()?.place().to_owned());
        let (questions, waiting) = mpsc::channel(QUESTIONS);
        let recalls = Arc::new(Recalls::default());
        let keeper = tokio::spawn(keeper::keep(target, options.clone(), waiting));
        let listener = tokio::spawn(keeper::listen(parse()?, options.clone(), Arc::clone(&recalls)));
        Ok(Self { options, place, questions, recalls, keeper, listener })
    }

    async fn ask(&self, what: What, within: Duration) -> Result<Said, LedgerError> {
        let (answer, said) = oneshot::channel();
        let asked = async {
            let gone = || LedgerError::Unreachable { server: self.place.clone(), why: "closed".to_owned() };
            self.questions.send(Ask { what, answer }).await.map_err(|_| gone())?;
            said.await.unwrap_or_else(|_| Err(gone()))
        };
        timeout(within, asked).await.unwrap_or(Err(LedgerError::TimedOut(within.as_millis())))
    }

    async fn quickly(&self, what: What) -> Result<Said, LedgerError> {
        self.ask(what, self.options.bounded_timeout()).await
    }

    fn unexpected(&self) -> LedgerError {
        LedgerError::Unexpected {
            server: self.place.clone(),
            why: "an answer to another question".to_owned(),
        }
    }
}

impl fmt::Debug for Postgresql {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Postgresql").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Drop for Postgresql {
    fn drop(&mut self) {
        self.keeper.abort();
        self.listener.abort();
    }
}

impl Engine for Postgresql {
    fn exchange<'a>(&'a self, message: &'a Message) -> Pending<'a, Reply> {
        Box::pin(async {
            let bytes = wire::write_message(message)?;
            match self.quickly(What::Exchange(bytes)).await? {
                Said::Numbers(numbers) => {
                    wire::read_reply(&numbers, message).ok_or_else(|| self.unexpected())
                }
                Said::Done | Said::Nodes(_) | Said::Inspection(_) | Said::Holdings(..) => {
                    Err(self.unexpected())
                }
            }
        })
    }

    fn recalls(&self, node: NodeId) -> mpsc::Receiver<Recall> {
        let (sender, receiver) = mpsc::channel(RECALLS);
        self.recalls.receivers().insert(node, sender);
        self.recalls.wanted.notify_one();
        receiver
    }

    fn ready(&self) -> Pending<'_, ()> {
        Box::pin(async { self.ask(What::Awaited, self.options.connect_timeout * 2).await.map(|_| ()) })
    }

    fn join(&self, node: NodeId) -> Pending<'_, ()> {
        Box::pin(async move { self.quickly(What::Join(node)).await.map(|_| ()) })
    }

    fn remove(&self, node: NodeId) -> Pending<'_, ()> {
        Box::pin(async move { self.quickly(What::Remove(node)).await.map(|_| ()) })
    }

    fn awaited(&self) -> Pending<'_, Vec<NodeId>> {
        Box::pin(async {
            match self.quickly(What::Awaited).await? {
                Said::Nodes(nodes) => Ok(nodes),
                Said::Done | Said::Numbers(_) | Said::Inspection(_) | Said::Holdings(..) => {
                    Err(self.unexpected())
                }
            }
        })
    }

    fn go_on_without(&self, node: NodeId) -> Pending<'_, ()> {
        Box::pin(async move { self.quickly(What::GoOnWithout(node)).await.map(|_| ()) })
    }

    fn holdings(&self) -> Pending<'_, Holdings> {
        Box::pin(async {
            let (mut all, mut after) = (Holdings::default(), Vec::new());
            loop {
                match self.ask(What::Holdings(after), HOLDINGS).await? {
                    Said::Holdings(page, last) => {
                        all.slices.extend(page.slices);
                        all.buckets.extend(page.buckets);
                        let Some(last) = last else { return Ok(all) };
                        after = last;
                    }
                    Said::Done | Said::Numbers(_) | Said::Nodes(_) | Said::Inspection(_) => {
                        return Err(self.unexpected());
                    }
                }
            }
        })
    }

    fn inspect(&self) -> Pending<'_, Inspection> {
        Box::pin(async {
            match self.ask(What::Inspect, self.options.connect_timeout).await? {
                Said::Inspection(seen) => Ok(*seen),
                Said::Done | Said::Numbers(_) | Said::Nodes(_) | Said::Holdings(..) => Err(self.unexpected()),
            }
        })
    }
}
