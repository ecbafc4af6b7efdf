//! Connections to the upstream, and those that wait to be used again. Each thread has its own.

use crate::{buffer::Buffer, config::Config, settings, transport::Transport};
use std::{
    cell::RefCell,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{net::TcpStream, time::Instant};

/// Idle connections that a thread keeps.
const MOST_IDLE: usize = 512;
/// How long a connection may be idle and still be used for a request that must not be sent twice.
/// Servers close idle connections after 5 seconds and more; a request that meets such a close on
/// its way cannot be repeated if it might change something.
const FRESH: Duration = Duration::from_secs(4);
/// How long a connection is kept idle at all.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// A connection to the upstream.
pub(crate) struct Upstream {
    pub(crate) io: Transport,
    pub(crate) input: Buffer,
    /// It carried a request before.
    pub(crate) is_reused: bool,
    /// The number of the configuration that it was opened by.
    pub(crate) config: u64,
}

/// Connections that wait to be used again, the latest last.
#[derive(Default)]
pub(crate) struct Pool {
    idle: RefCell<Vec<Idle>>,
    /// Where the connections lead to, and the number of the first configuration that leads there.
    to: RefCell<(String, u64)>,
}

struct Idle {
    io: Transport,
    since: Instant,
}

impl Pool {
    /// Connections for requests that begin from now on. Those to another upstream are closed.
    pub(crate) fn follow(&self, config: &Config) {
        let mut to = self.to.borrow_mut();
        if to.0 != config.upstream_origin {
            *to = (config.upstream_origin.clone(), config.number);
            self.idle.borrow_mut().clear();
        }
    }

    /// A connection that waits and is still good. `is_safe`: the request may be sent twice.
    pub(crate) fn take(&self, config: &Config, now: Instant, is_safe: bool) -> Option<Upstream> {
        if config.number < self.to.borrow().1 {
            return None; // a request that began when the upstream was another one
        }
        let longest = if is_safe { LONGEST_IDLE } else { FRESH };
        let mut idle = self.idle.borrow_mut();
        // The latest first; once one is too old, all below it are.
        while idle.last().is_some_and(|latest| now.saturating_duration_since(latest.since) < longest) {
            let Idle { io, .. } = idle.pop()?;
            // An upstream that closed the connection meanwhile has told the system so.
            if io.is_quiet() {
                return Some(Upstream {
                    io,
                    input: Buffer::default(),
                    is_reused: true,
                    config: config.number,
                });
            }
        }
        None
    }

    /// Keeps a connection whose answer was read to its end.
    pub(crate) fn put(&self, mut upstream: Upstream, now: Instant) {
        // Bytes behind the answer belong to nothing that was asked for.
        if !upstream.input.is_empty() || upstream.config < self.to.borrow().1 {
            return;
        }
        upstream.input.rest();
        let mut idle = self.idle.borrow_mut();
        if idle.len() < MOST_IDLE {
            idle.push(Idle { io: upstream.io, since: now });
        }
    }

    /// Closes what waited too long or was closed by the upstream.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        self.idle
            .borrow_mut()
            .retain(|idle| now.saturating_duration_since(idle.since) < LONGEST_IDLE && idle.io.is_quiet());
    }
}

/// Opens a connection. The error is the operator's to read.
///
/// `config`: the number of the configuration that leads there.
pub(crate) async fn connect(
    to: &settings::Upstream,
    config: u64,
    timeout: Duration,
) -> Result<Upstream, String> {
    let connecting = async {
        let addresses: Vec<SocketAddr> = match to.host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, to.port)],
            Err(_) => {
                let found = tokio::net::lookup_host((to.host.as_str(), to.port)).await;
                found.map_err(|error| format!("the name {} cannot be resolved: {error}", to.host))?.collect()
            }
        };
        let mut reason = format!("the name {} has no address", to.host);
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Delayed small writes would cost every request; without the option all still works.
                    let _ = stream.set_nodelay(true);
                    return Ok(Upstream {
                        io: Transport::Plain(stream),
                        input: Buffer::default(),
                        is_reused: false,
                        config,
                    });
                }
                Err(error) => reason = format!("no connection to {address}: {error}"),
            }
        }
        Err(reason)
    };
    match tokio::time::timeout(timeout, connecting).await {
        Ok(result) => result,
        Err(_) => Err(format!("no connection to {}:{} within {timeout:?}", to.host, to.port)),
    }
}
