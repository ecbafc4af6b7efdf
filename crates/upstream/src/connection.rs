//! A connection to an upstream, of either protocol.

use crate::{
    backend::Backend,
    dial::{Speaks, open},
    http2::Stream,
    io::Io,
};
use buffer::Buffer;
use std::time::Duration;

/// A connection to an upstream.
pub struct Upstream {
    /// The transport.
    pub io: Io,
    /// Bytes that were read and not used.
    pub input: Buffer,
    /// It carried a request before.
    pub is_reused: bool,
    /// Where it leads.
    pub home: Home,
}

/// Where a connection leads.
#[derive(Debug, Clone, Copy)]
pub struct Home {
    /// [`Backend::id`](super::Backend::id).
    pub backend: u32,
    /// The DNS result that it was opened with: it is not reused after a different result.
    pub generation: u32,
}

/// Opens a connection for HTTP/1.1.
///
/// # Errors
/// Why there is none, for the operator.
pub async fn connect(backend: &Backend, timeout: Duration) -> Result<Upstream, String> {
    let (socket, generation) = open(backend, timeout, Speaks::Http1).await?;
    let home = Home { backend: backend.id, generation };
    Ok(Upstream { io: Io::Socket(socket), input: Buffer::default(), is_reused: false, home })
}

impl Upstream {
    /// A request on a stream.
    pub(crate) fn of_stream(stream: Stream, backend: &Backend) -> Self {
        let connection = stream.connection();
        Self {
            is_reused: connection.has_answered.get(),
            home: Home { backend: backend.id, generation: connection.generation.get().unwrap_or_default() },
            io: Io::Stream(Box::new(stream)),
            input: Buffer::default(),
        }
    }
}
