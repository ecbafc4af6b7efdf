//! Idle connections to upstreams. Each thread has its own.

use super::http2::{self, NoStream, StreamTimeouts};
use super::{
    backend::Backend,
    connection::{Home, Upstream},
    service::Services,
};
use crate::io::Io;
use buffer::Buffer;
use std::{cell::RefCell, collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Maximum number of idle connections of a thread to one address.
const MAX_IDLE: usize = 512;
/// How long a connection may be idle and still be used for a request that must not be sent twice.
/// Servers close idle connections after 5 seconds or more; if a request crosses such a close, it
/// cannot be repeated if it might have side effects.
const FRESH: Duration = Duration::from_secs(4);
/// How long a connection is kept idle at all.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// Idle connections.
#[derive(Default)]
pub struct Pool {
    /// By [`Backend::id`]; the most recent one last.
    idle: RefCell<HashMap<u32, Vec<Idle>, foldhash::fast::FixedState>>,
    /// Shared connections.
    pub(crate) http2: http2::Pool,
}

struct Idle {
    io: Io,
    since: Instant,
    generation: u32,
}

impl Pool {
    /// A stream of a shared connection, to an address that speaks HTTP/2.
    ///
    /// # Errors
    /// There is none.
    pub async fn open_stream(
        &self,
        backend: &Arc<Backend>,
        timeouts: StreamTimeouts,
    ) -> Result<Upstream, NoStream> {
        self.http2.open(backend, timeouts).await.map(|stream| Upstream::of_stream(stream, backend))
    }

    /// A usable idle connection. `is_safe`: the request may be sent twice.
    pub fn take(&self, backend: &Backend, now: Instant, is_safe: bool) -> Option<Upstream> {
        let longest = if is_safe { LONGEST_IDLE } else { FRESH };
        let mut all = self.idle.borrow_mut();
        let idle = all.get_mut(&backend.id)?;
        // The most recent first; once one is too old, all below it are.
        while idle.last().is_some_and(|latest| now.saturating_duration_since(latest.since) < longest) {
            let Idle { mut io, generation, .. } = idle.pop()?;
            // If the upstream closed the connection meanwhile, the kernel knows.
            if generation == backend.generation() && io.is_quiet() {
                let home = Home { backend: backend.id, generation };
                return Some(Upstream { io, input: Buffer::default(), is_reused: true, home });
            }
        }
        None
    }

    /// Keeps a connection whose response was read completely.
    pub fn put(&self, mut upstream: Upstream, now: Instant) {
        // Bytes after the response belong to no request; a stream carries only one.
        if !upstream.input.is_empty() || upstream.io.is_stream() {
            return;
        }
        upstream.input.rest();
        let mut all = self.idle.borrow_mut();
        let idle = all.entry(upstream.home.backend).or_default();
        if idle.len() < MAX_IDLE {
            idle.push(Idle { io: upstream.io, since: now, generation: upstream.home.generation });
        }
    }

    /// Closes connections that were idle for too long, that the upstream closed, or that lead to
    /// unused addresses.
    pub fn sweep(&self, services: &Services) {
        self.http2.sweep(services);
        let now = Instant::now();
        self.idle.borrow_mut().retain(|id, idle| {
            let Some(backend) = services.backend(*id) else { return false };
            let generation = backend.generation();
            idle.retain_mut(|one| {
                one.generation == generation
                    && now.saturating_duration_since(one.since) < LONGEST_IDLE
                    && one.io.is_quiet()
            });
            !idle.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{resolved::Resolved, settings::UpstreamAddress};
    use std::future::poll_fn;
    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
    };
    use transport::Socket;
    use transport::{Readable, descriptors};

    /// A pool, an address, and the server there.
    struct Place {
        pool: Pool,
        backend: Backend,
        listener: TcpListener,
        began: Instant,
    }

    impl Place {
        async fn new() -> Self {
            let address = UpstreamAddress {
                host: "127.0.0.1".into(),
                port: 1,
                weight: 1,
                tls: None,
                speaks_http2: false,
            };
            Self {
                pool: Pool::default(),
                backend: Backend::new("a", &address),
                listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
                began: Instant::now(),
            }
        }

        /// A connection, and the server's end of it.
        async fn connect(&self) -> (Upstream, TcpStream) {
            let address = self.listener.local_addr().unwrap();
            let (ours, theirs) = tokio::join!(TcpStream::connect(address), self.listener.accept());
            let home = Home { backend: self.backend.id, generation: self.backend.generation() };
            let io = Io::Socket(Socket::Plain(ours.unwrap()));
            (Upstream { io, input: Buffer::default(), is_reused: false, home }, theirs.unwrap().0)
        }

        /// Whether there is a usable connection after this many milliseconds.
        fn takes_after(&self, millis: u64, is_safe: bool) -> bool {
            self.pool.take(&self.backend, self.began + Duration::from_millis(millis), is_safe).is_some()
        }
    }

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }

    #[test]
    fn a_connection_is_used_until_it_has_waited_too_long_for_the_request() {
        run(async {
            for (is_safe, millis, is_used) in
                [(true, 59_999, true), (true, 60_000, false), (false, 3_999, true), (false, 4_000, false)]
            {
                let place = Place::new().await;
                let (ours, _theirs) = place.connect().await;
                place.pool.put(ours, place.began);
                assert_eq!(place.takes_after(millis, is_safe), is_used, "{millis} ms, safe: {is_safe}");
            }
        });
    }

    #[test]
    fn a_connection_to_where_the_name_led_before_is_not_used() {
        run(async {
            let place = Place::new().await;
            let (ours, _theirs) = place.connect().await;
            place.pool.put(ours, place.began);
            place.backend.resolved.store(Arc::new(Resolved { generation: 1, ..Resolved::default() }));
            assert!(!place.takes_after(0, true));
        });
    }

    #[test]
    fn a_connection_on_which_something_came_is_not_used() {
        run(async {
            for sent in [&b""[..], b"HTTP/1.1 408 Request Timeout\r\n\r\n"] {
                let place = Place::new().await;
                let (ours, mut theirs) = place.connect().await;
                theirs.write_all(sent).await.unwrap();
                drop(theirs);
                poll_fn(|cx| ours.io.poll_readable(cx)).await.unwrap();
                place.pool.put(ours, place.began);
                assert!(!place.takes_after(0, true), "{sent:?}");
            }
        });
    }

    #[test]
    fn idle_connections_to_one_address_are_limited() {
        descriptors::raise();
        run(async {
            let place = Place::new().await;
            let mut servers = Vec::new();
            for _ in 0..MAX_IDLE + 3 {
                let (ours, theirs) = place.connect().await;
                place.pool.put(ours, place.began);
                servers.push(theirs);
            }
            let mut used = Vec::new();
            used.extend(std::iter::from_fn(|| place.pool.take(&place.backend, place.began, true)));
            assert_eq!(used.len(), MAX_IDLE);
        });
    }

    #[test]
    fn connections_to_unused_addresses_are_closed() {
        run(async {
            let place = Place::new().await;
            let (ours, _theirs) = place.connect().await;
            place.pool.put(ours, place.began);
            place.pool.sweep(&Services::new(Vec::new(), None));
            assert!(!place.takes_after(0, true));
        });
    }
}
