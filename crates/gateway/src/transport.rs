//! The byte stream of a connection: plain, or under TLS. Nothing else has to know which.

use crate::{
    http2::{self, Call, Unprocessed},
    tls::TlsStream,
};
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
    /// A request on an HTTP/2 connection to an upstream, which does so too.
    Call(Box<Call>),
    /// Boxed, because the state of a TLS session is large.
    Tls(Box<TlsStream>),
}

impl Transport {
    /// Whether it is known that HTTP/2 will be spoken, before a byte of it came.
    pub(crate) fn has_agreed_on_http2(&self) -> bool {
        match self {
            Self::Plain(_) | Self::Stream(_) | Self::Call(_) => false,
            Self::Tls(stream) => stream.has_agreed_on_http2(),
        }
    }

    /// Waits until there is something to read, without holding memory to read into.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => stream.poll_read_ready(cx),
            Self::Stream(stream) => stream.poll_readable(cx),
            Self::Call(call) => call.poll_readable(cx),
            Self::Tls(stream) => stream.poll_readable(cx),
        }
    }

    /// Ready once the peer has hung up, as far as that can be seen while it has nothing to say. A peer that only ends
    /// its own direction looks the same.
    pub(crate) fn poll_hung_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
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
            Self::Call(_) => Poll::Pending, // whoever asks an upstream reads its answer
            Self::Tls(stream) => stream.poll_hung_up(cx),
        }
    }

    /// Writes the last bytes of something by `send`, which is given the socket and what goes over the wire: `bytes`
    /// themselves, or the records that carry them. It is called until it says other than that it would have to wait.
    /// Ready with the length of `bytes` if and only if the latest call of `send` has taken all that it was given and
    /// nothing of `bytes` is left; with less, the rest is to be written by the next call.
    pub(crate) fn poll_write_last(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        mut send: impl FnMut(BorrowedFd<'_>, &[u8]) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => loop {
                ready!(stream.poll_write_ready(cx))?;
                match stream.try_io(Interest::WRITABLE, || send(stream.as_fd(), bytes)) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    written => return Poll::Ready(written),
                }
            },
            // It has no socket of its own: whoever has something to say to one goes through the stream.
            Self::Stream(_) | Self::Call(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
            Self::Tls(stream) => stream.poll_write_last(cx, bytes, send),
        }
    }

    /// Whether the peer can read what is written only once all of what carries it has come: a record of TLS.
    pub(crate) const fn is_of_use_whole(&self) -> bool {
        match self {
            Self::Plain(_) | Self::Stream(_) | Self::Call(_) => false,
            Self::Tls(_) => true,
        }
    }

    /// Says that a write that was begun is not gone on with. Under TLS nothing can be written any more then.
    pub(crate) fn give_up_write(&mut self) {
        match self {
            // What a stream has taken stands in frames already.
            Self::Plain(_) | Self::Stream(_) | Self::Call(_) => {}
            Self::Tls(stream) => stream.give_up(),
        }
    }

    /// Has the connection end in a reset, for a body whose only end is that of the connection.
    pub(crate) fn reset(&mut self) {
        match self {
            // If it cannot be set, the connection is closed in the ordinary way.
            Self::Plain(stream) => {
                drop(socket2::SockRef::from(&*stream).set_linger(Some(std::time::Duration::ZERO)))
            }
            Self::Stream(stream) => stream.reset(),
            Self::Call(_) => {} // what is open of it is reset when it is dropped
            Self::Tls(stream) => stream.reset(),
        }
    }

    /// Whether an idle connection can still be used: open, and nothing was sent on it unasked.
    ///
    /// Asks the runtime what it was last told by the system; only if there was something does it cost a read.
    pub(crate) fn is_quiet(&mut self) -> bool {
        match self {
            Self::Plain(stream) => {
                let mut cx = Context::from_waker(std::task::Waker::noop());
                if stream.poll_read_ready(&mut cx).is_pending() {
                    return true;
                }
                matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            }
            Self::Stream(_) | Self::Call(_) => false, // it carries one request
            Self::Tls(stream) => stream.is_quiet(),
        }
    }

    /// Whether it is a request on a connection that others share.
    pub(crate) const fn is_call(&self) -> bool {
        matches!(self, Self::Call(_))
    }

    /// Whether a request was reset alone, and not with its connection.
    pub(crate) fn is_reset(&self) -> bool {
        match self {
            Self::Plain(_) | Self::Stream(_) | Self::Tls(_) => false,
            Self::Call(call) => call.is_reset(),
        }
    }

    /// Whether the upstream has said that it did not look at what was written: then it may be sent again.
    pub(crate) fn unprocessed(&self) -> Option<Unprocessed> {
        match self {
            Self::Plain(_) | Self::Stream(_) | Self::Tls(_) => None,
            Self::Call(call) => call.unprocessed(),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Stream(stream) => stream.poll_read(cx, buf),
            Self::Call(call) => call.poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Stream(stream) => stream.poll_write(cx, bytes),
            Self::Call(call) => call.poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(cx, bytes),
        }
    }

    /// What was written is on its way already, plain or under TLS.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Stream(_) | Self::Call(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }
}
