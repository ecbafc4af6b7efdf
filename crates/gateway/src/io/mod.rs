//! The transport of a client: a socket, or an HTTP/2 stream. Nothing else needs to distinguish them.

pub(crate) mod http2;
pub(crate) mod pace;

use std::{
    io,
    os::fd::BorrowedFd,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use transport::{Readable, Socket, tls::AgreedProtocol};

/// A connection to a client.
#[derive(Debug)]
pub(crate) enum Io {
    Socket(Socket),
    /// A stream of an HTTP/2 connection, which reads and writes like HTTP/1.1.
    Stream(Box<http2::Stream>),
}

impl Io {
    /// See [`Socket::agreed_protocol`].
    pub(crate) fn agreed_protocol(&self) -> Option<AgreedProtocol> {
        match self {
            Self::Socket(socket) => socket.agreed_protocol(),
            Self::Stream(_) => None,
        }
    }

    /// See [`Socket::poll_hung_up`].
    pub(crate) fn poll_hung_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Socket(socket) => socket.poll_hung_up(cx),
            Self::Stream(stream) => stream.poll_hung_up(cx),
        }
    }

    /// See [`Socket::poll_write_last`].
    pub(crate) fn poll_write_last(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        send: impl FnMut(BorrowedFd<'_>, &[u8]) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => socket.poll_write_last(cx, bytes, send),
            // A stream has no socket of its own, so it is never written to like one.
            Self::Stream(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }

    /// Abandons a write that has begun. Under TLS nothing can be written after that.
    pub(crate) fn give_up_write(&mut self) {
        match self {
            Self::Socket(socket) => socket.give_up_write(),
            // What a stream took is in frames already.
            Self::Stream(_) => {}
        }
    }

    /// Makes the connection end with a reset, for a body that is delimited by the end of the connection.
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Socket(socket) => socket.reset(),
            Self::Stream(stream) => stream.reset(),
        }
    }
}

impl Readable for Io {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_readable(cx),
            Self::Stream(stream) => stream.poll_readable(cx),
        }
    }
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Stream(stream) => stream.poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
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
