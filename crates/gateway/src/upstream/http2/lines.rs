//! The connections of one thread to upstreams that speak HTTP/2: which of them a request goes to.

use super::{Patience, driver};
use crate::{
    http2::{Call, Line},
    io::Io,
    upstream::{
        backend::Backend,
        connection::{Home, Upstream},
        service::Services,
    },
};
use buffer::Buffer;
use std::{cell::RefCell, collections::HashMap, future::poll_fn, rc::Rc, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use transport::deadline::within;

/// Connections to one address that a thread has at once.
const MOST_LINES: usize = 64;
/// Connections that may end before one request could begin on them.
const MAX_ENDED: u32 = 3;
/// How often a request for which there is no place looks for one.
const LOOK: Duration = Duration::from_millis(5);

/// Why a request has no place on any connection.
#[derive(Debug)]
pub(crate) enum NoCall {
    /// No connection comes about. The operator's to read.
    Failed(String),
    /// All connections carry as many requests as the upstream takes at once.
    Busy,
}

/// The connections of one thread.
#[derive(Default)]
pub(crate) struct Lines {
    /// By [`Backend::id`].
    open: RefCell<HashMap<u32, Vec<Rc<Line>>, foldhash::fast::FixedState>>,
}

impl Lines {
    /// A place for a request. Connections are filled one after the other, so that there are few.
    pub(crate) async fn call(&self, backend: &Arc<Backend>, patience: Patience) -> Result<Upstream, NoCall> {
        let mut give_up: Option<Instant> = None;
        let mut ended = 0;
        loop {
            let Some(call) = self.place(backend, patience) else {
                let now = Instant::now();
                if now >= *give_up.get_or_insert(now + patience.place) {
                    return Err(NoCall::Busy);
                }
                sleep(LOOK).await;
                continue;
            };
            wait_until_open(&call, patience).await.map_err(NoCall::Failed)?;
            if !call.line().is_usable() {
                ended += 1;
                if ended >= MAX_ENDED {
                    return Err(NoCall::Failed("it ends each connection as soon as it is open".to_owned()));
                }
            } else if call.line().calls() <= call.line().most_calls() {
                return Ok(upstream(call, backend));
            }
            // Else the upstream takes fewer at once than was hoped for when the connection was not open yet.
        }
    }

    /// A place on a connection, which may be one that is still being opened. None: there is none.
    fn place(&self, backend: &Arc<Backend>, patience: Patience) -> Option<Call> {
        let mut open = self.open.borrow_mut();
        let lines = open.entry(backend.id).or_default();
        let generation = backend.generation();
        lines.retain(|line| {
            // What another answer to the question for the name led to takes no more requests.
            if line.generation.get().is_some_and(|own| own != generation) {
                line.retire();
            }
            line.is_usable()
        });
        if let Some(line) = lines.iter().find(|line| line.calls() < line.most_calls()) {
            return Some(Call::new(Rc::clone(line)));
        }
        // Who takes no request at all takes none on another connection either.
        if lines.len() >= MOST_LINES || lines.iter().any(|line| line.most_calls() == 0) {
            return None;
        }
        let line = begin(backend, patience);
        lines.push(Rc::clone(&line));
        Some(Call::new(line))
    }

    /// Lets go of connections that lead to where nobody is asked any more.
    pub(crate) fn sweep(&self, services: &Services) {
        self.open.borrow_mut().retain(|id, lines| {
            let is_known = services.backend(*id).is_some();
            lines.retain(|line| {
                if !is_known {
                    line.retire();
                }
                line.is_usable()
            });
            !lines.is_empty()
        });
    }
}

/// A request on a connection of its own, which ends with it.
pub(crate) async fn call_alone(backend: &Arc<Backend>, patience: Patience) -> Result<Upstream, String> {
    let line = begin(backend, patience);
    line.is_alone.set(true);
    let call = Call::new(line);
    wait_until_open(&call, patience).await?;
    Ok(upstream(call, backend))
}

/// Begins to open a connection, by a task that goes on whatever becomes of who asked for it.
fn begin(backend: &Arc<Backend>, patience: Patience) -> Rc<Line> {
    let line = Rc::new(Line::new(backend.tls.is_some()));
    tokio::task::spawn_local(driver::run(Rc::clone(&line), Arc::clone(backend), patience));
    line
}

async fn wait_until_open(call: &Call, patience: Patience) -> Result<(), String> {
    let opened = within(patience.open, poll_fn(|cx| call.line().poll_open(cx))).await;
    opened.unwrap_or_else(|| Err(format!("no connection within {:?}", patience.open)))
}

fn upstream(call: Call, backend: &Backend) -> Upstream {
    let line = call.line();
    Upstream {
        is_reused: line.has_answered.get(),
        home: Home { backend: backend.id, generation: line.generation.get().unwrap_or_default() },
        io: Io::Call(Box::new(call)),
        input: Buffer::default(),
    }
}
