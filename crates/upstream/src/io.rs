//! The transport of an upstream: a socket, or an HTTP/2 stream. Nothing else needs to distinguish them.

use crate::http2::{Stream, Unprocessed};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use transport::{Readable, Socket};

/// A connection to an upstream.
#[derive(Debug)]
pub enum Io {
    /// It carries one request after another.
    Socket(Socket),
    /// A request on an HTTP/2 connection, which reads and writes like HTTP/1.1.
    Stream(Box<Stream>),
}

impl Io {
    /// Makes the connection end with a reset, for a body that is delimited by the end of the connection.
    pub fn reset(&mut self) {
        match self {
            Self::Socket(socket) => socket.reset(),
            Self::Stream(_) => {} // reset on drop
        }
    }

    /// See [`Socket::is_quiet`].
    #[inline]
    pub(crate) fn is_quiet(&mut self) -> bool {
        match self {
            Self::Socket(socket) => socket.is_quiet(),
            Self::Stream(_) => false, // it carries one request
        }
    }

    /// Whether it is a request on a shared connection.
    #[inline]
    pub const fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    /// Whether only the request was reset, not its connection.
    pub fn is_reset(&self) -> bool {
        match self {
            Self::Socket(_) => false,
            Self::Stream(stream) => stream.is_reset(),
        }
    }

    /// Whether the upstream reported that it did not process the request: then it can be retried.
    pub fn unprocessed(&self) -> Option<Unprocessed> {
        match self {
            Self::Socket(_) => None,
            Self::Stream(stream) => stream.unprocessed(),
        }
    }
}

impl Readable for Io {
    #[inline]
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_readable(cx),
            Self::Stream(stream) => stream.poll_readable(cx),
        }
    }
}

impl AsyncRead for Io {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Stream(stream) => stream.poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Stream(stream) => stream.poll_write(cx, bytes),
        }
    }

    /// Written bytes are on their way already.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Stream(_) => Poll::Ready(Ok(())),
        }
    }
}
