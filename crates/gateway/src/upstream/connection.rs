//! A connection to an upstream, whatever it is spoken by.

use crate::io::Io;
use buffer::Buffer;

/// A connection to an upstream.
pub(crate) struct Upstream {
    pub(crate) io: Io,
    pub(crate) input: Buffer,
    /// It carried a request before.
    pub(crate) is_reused: bool,
    /// Where it leads to.
    pub(crate) home: Home,
}

/// Where a connection leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home {
    /// [`Backend::id`](super::Backend::id).
    pub(crate) backend: u32,
    /// Which answer to the question for the name it was opened by: what another answer led to is not used again.
    pub(crate) generation: u32,
}
