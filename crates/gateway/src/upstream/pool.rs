//! Connections to upstreams that wait to be used again. Each thread has its own.

use super::{backend::Backend, http2::Lines, service::Services};
use crate::{buffer::Buffer, transport::Transport};
use std::{cell::RefCell, collections::HashMap, time::Duration};
use tokio::time::Instant;

/// Idle connections to one address that a thread keeps.
const MOST_IDLE: usize = 512;
/// How long a connection may be idle and still be used for a request that must not be sent twice.
/// Servers close idle connections after 5 seconds and more; a request that meets such a close on
/// its way cannot be repeated if it might change something.
const FRESH: Duration = Duration::from_secs(4);
/// How long a connection is kept idle at all.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// A connection to an upstream.
pub(crate) struct Upstream {
    pub(crate) io: Transport,
    pub(crate) input: Buffer,
    /// It carried a request before.
    pub(crate) is_reused: bool,
    /// Where it leads to.
    pub(crate) home: Home,
}

/// Where a connection leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home {
    /// [`Backend::id`].
    pub(crate) backend: u32,
    /// Which answer to the question for the name it was opened by: what another answer led to is not used again.
    pub(crate) generation: u32,
}

/// Connections that wait to be used again.
#[derive(Default)]
pub(crate) struct Pool {
    /// By [`Backend::id`]; of each the latest last.
    idle: RefCell<HashMap<u32, Vec<Idle>, foldhash::fast::FixedState>>,
    /// Those that are shared.
    pub(crate) lines: Lines,
}

struct Idle {
    io: Transport,
    since: Instant,
    generation: u32,
}

impl Pool {
    /// A connection that waits and is still good. `is_safe`: the request may be sent twice.
    pub(crate) fn take(&self, backend: &Backend, now: Instant, is_safe: bool) -> Option<Upstream> {
        let longest = if is_safe { LONGEST_IDLE } else { FRESH };
        let mut all = self.idle.borrow_mut();
        let idle = all.get_mut(&backend.id)?;
        // The latest first; once one is too old, all below it are.
        while idle.last().is_some_and(|latest| now.saturating_duration_since(latest.since) < longest) {
            let Idle { mut io, generation, .. } = idle.pop()?;
            // An upstream that closed the connection meanwhile has told the system so.
            if generation == backend.generation() && io.is_quiet() {
                let home = Home { backend: backend.id, generation };
                return Some(Upstream { io, input: Buffer::default(), is_reused: true, home });
            }
        }
        None
    }

    /// Keeps a connection whose answer was read to its end.
    pub(crate) fn put(&self, mut upstream: Upstream, now: Instant) {
        // Bytes behind the answer belong to nothing that was asked for; a stream carries one request.
        if !upstream.input.is_empty() || upstream.io.is_call() {
            return;
        }
        upstream.input.rest();
        let mut all = self.idle.borrow_mut();
        let idle = all.entry(upstream.home.backend).or_default();
        if idle.len() < MOST_IDLE {
            idle.push(Idle { io: upstream.io, since: now, generation: upstream.home.generation });
        }
    }

    /// Closes what waited too long, was closed by the upstream, or leads to where nobody is asked any more.
    pub(crate) fn sweep(&self, services: &Services) {
        self.lines.sweep(services);
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
