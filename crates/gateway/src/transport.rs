//! The byte stream of a connection. TLS will be a second variant here; nothing else has to know.

use crate::http2;
use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

/// A connection to a client or to the upstream.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(TcpStream),
    /// A stream of an HTTP/2 connection, which reads and writes as HTTP/1.1 does.
    Stream(Box<http2::Stream>),
}

impl Transport {
    /// Waits until there is something to read, without holding memory to read into.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => stream.poll_read_ready(cx),
            Self::Stream(stream) => stream.poll_readable(cx),
        }
    }

    /// Ready once the peer has hung up, as far as that can be seen while it has nothing to say. A peer that only ends
    /// its own direction looks the same.
    pub(crate) fn poll_hung_up(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Plain(stream) => {
                let mut byte = [0];
                let mut space = ReadBuf::new(&mut byte);
                match ready!(stream.poll_peek(cx, &mut space)) {
                    Ok(0) | Err(_) => Poll::Ready(()),
                    Ok(_) => Poll::Pending, // the next request: whoever sends it is still there
                }
            }
            Self::Stream(stream) => stream.poll_hung_up(cx),
        }
    }

    /// Does something with the socket itself once it takes bytes: `write` is called until it says other than
    /// that it would have to wait.
    pub(crate) fn poll_with_socket(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => loop {
                ready!(stream.poll_write_ready(cx))?;
                match stream.try_io(Interest::WRITABLE, || write(stream.as_fd())) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    written => return Poll::Ready(written),
                }
            },
            // It has no socket of its own: whoever has something to say to one goes through the stream.
            Self::Stream(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }

    /// Has the connection end in a reset, for a body whose only end is that of the connection.
    pub(crate) fn reset(&self) {
        match self {
            // If it cannot be set, the connection is closed in the ordinary way.
            Self::Plain(stream) => {
                drop(socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO)))
            }
            Self::Stream(stream) => stream.reset(),
        }
    }

    /// Whether an idle connection can still be used: open, and nothing was sent on it unasked.
    ///
    /// Asks the runtime what it was last told by the system; only if there was something does it cost a read.
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            Self::Plain(stream) => {
                let mut cx = Context::from_waker(std::task::Waker::noop());
                if stream.poll_read_ready(&mut cx).is_pending() {
                    return true;
                }
                matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            }
            Self::Stream(_) => false, // it carries one request
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Stream(stream) => stream.poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Stream(stream) => stream.poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Stream(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Stream(_) => Poll::Ready(Ok(())),
        }
    }
}
