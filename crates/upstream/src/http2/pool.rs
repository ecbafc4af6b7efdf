//! The connections of one thread to upstreams that speak HTTP/2: chooses one for each request.

use super::{StreamTimeouts, connection::Connection, driver, stream::Stream};
use crate::{backend::Backend, service::Services};
use std::{cell::RefCell, collections::HashMap, future::poll_fn, rc::Rc, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use transport::deadline::within;

/// Maximum number of connections of a thread to one address.
const MAX_CONNECTIONS: usize = 64;
/// How many connections may end before a request could begin on them.
const MAX_ENDED: u32 = 3;
/// How often a request that waits for a place checks for one.
const LOOK: Duration = Duration::from_millis(5);

/// Why a request has no place on any connection.
#[derive(Debug)]
pub enum NoStream {
    /// No connection could be opened. The reason is for the operator.
    Failed(String),
    /// All connections carry as many requests as the upstream accepts.
    Busy,
}

/// The connections of one thread.
#[derive(Default)]
pub(crate) struct Pool {
    /// By [`Backend::id`].
    open: RefCell<HashMap<u32, Vec<Rc<Connection>>, foldhash::fast::FixedState>>,
}

impl Pool {
    /// A place for a request. Connections are filled one after another, so that there are few.
    pub(crate) async fn open(
        &self,
        backend: &Arc<Backend>,
        timeouts: StreamTimeouts,
    ) -> Result<Stream, NoStream> {
        let mut give_up: Option<Instant> = None;
        let mut ended = 0;
        loop {
            let Some(stream) = self.place(backend, timeouts) else {
                let now = Instant::now();
                if now >= *give_up.get_or_insert(now + timeouts.pending) {
                    return Err(NoStream::Busy);
                }
                sleep(LOOK).await;
                continue;
            };
            wait_until_open(&stream, timeouts).await.map_err(NoStream::Failed)?;
            if !stream.connection().is_usable() {
                ended += 1;
                if ended >= MAX_ENDED {
                    return Err(NoStream::Failed(
                        "it closes each connection as soon as it is open".to_owned(),
                    ));
                }
            } else if stream.connection().requests() <= stream.connection().max_requests() {
                return Ok(stream);
            }
            // Otherwise the upstream accepts fewer concurrent requests than assumed before its SETTINGS.
        }
    }

    /// A place on a connection, which may still be being opened. None: there is none.
    fn place(&self, backend: &Arc<Backend>, timeouts: StreamTimeouts) -> Option<Stream> {
        let mut open = self.open.borrow_mut();
        let connections = open.entry(backend.id).or_default();
        let generation = backend.generation();
        connections.retain(|connection| {
            // A connection of an outdated DNS result accepts no new requests.
            if connection.generation.get().is_some_and(|own| own != generation) {
                connection.retire();
            }
            connection.is_usable()
        });
        if let Some(connection) =
            connections.iter().find(|connection| connection.requests() < connection.max_requests())
        {
            return Some(Stream::new(Rc::clone(connection)));
        }
        // An upstream that accepts no request at all will not accept one on another connection either.
        if connections.len() >= MAX_CONNECTIONS
            || connections.iter().any(|connection| connection.max_requests() == 0)
        {
            return None;
        }
        let connection = begin(backend, timeouts);
        connections.push(Rc::clone(&connection));
        Some(Stream::new(connection))
    }

    /// Drops connections to addresses that are no longer used.
    pub(crate) fn sweep(&self, services: &Services) {
        self.open.borrow_mut().retain(|id, connections| {
            let is_known = services.backend(*id).is_some();
            connections.retain(|connection| {
                if !is_known {
                    connection.retire();
                }
                connection.is_usable()
            });
            !connections.is_empty()
        });
    }
}

/// A request on a connection of its own, which ends with it.
pub(crate) async fn open_alone(backend: &Arc<Backend>, timeouts: StreamTimeouts) -> Result<Stream, String> {
    let connection = begin(backend, timeouts);
    connection.is_alone.set(true);
    let stream = Stream::new(connection);
    wait_until_open(&stream, timeouts).await?;
    Ok(stream)
}

/// Starts opening a connection, in a task that continues whatever happens to the request.
fn begin(backend: &Arc<Backend>, timeouts: StreamTimeouts) -> Rc<Connection> {
    let connection = Rc::new(Connection::new(backend.tls.is_some()));
    tokio::task::spawn_local(driver::run(Rc::clone(&connection), Arc::clone(backend), timeouts));
    connection
}

async fn wait_until_open(stream: &Stream, timeouts: StreamTimeouts) -> Result<(), String> {
    let opened = within(timeouts.open, poll_fn(|cx| stream.connection().poll_open(cx))).await;
    opened.unwrap_or_else(|| Err(format!("no connection within {:?}", timeouts.open)))
}
