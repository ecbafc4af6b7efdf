//! A connected socket, with or without TLS. Nothing else needs to distinguish them.

use crate::tls::{AgreedProtocol, TlsStream};
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

/// A connected socket.
#[derive(Debug)]
pub enum Socket {
    /// Without TLS.
    Plain(TcpStream),
    /// Boxed, because the state of a TLS session is large.
    Tls(Box<TlsStream>),
}

/// Readiness can be awaited without holding memory to read into.
pub trait Readable {
    /// Ready once there is something to read, or the end.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl Socket {
    /// The protocol negotiated in the handshake. None: no negotiation, or no TLS.
    pub fn agreed_protocol(&self) -> Option<AgreedProtocol> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.agreed_protocol(),
        }
    }

    /// Ready once the peer has hung up, as far as that is visible while it has nothing to send. A
    /// peer that only ends its own direction looks the same.
    #[inline]
    pub fn poll_hung_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Plain(stream) => {
                let mut byte = [0];
                let mut space = ReadBuf::new(&mut byte);
                match ready!(stream.poll_peek(cx, &mut space)) {
                    Ok(0) | Err(_) => Poll::Ready(()),
                    Ok(_) => Poll::Pending, // the next request: the client is still there
                }
            }
            Self::Tls(stream) => stream.poll_hung_up(cx),
        }
    }

    /// Writes the last bytes of a message through `send`, which gets the socket and the bytes for
    /// the wire: `bytes` themselves, or the TLS records with them. It is called until it does not
    /// return WouldBlock. Ready with the length of `bytes` if and only if the latest call of `send`
    /// has written everything it was given and nothing of `bytes` is left; with less, the rest is
    /// to be written by the next call.
    ///
    /// # Errors
    /// Errors of `send` and of the socket.
    #[inline]
    pub fn poll_write_last(
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
            Self::Tls(stream) => stream.poll_write_last(cx, bytes, send),
        }
    }

    /// Whether the peer can read written bytes only when their whole TLS record has arrived.
    #[inline]
    pub const fn is_read_by_record(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(_) => true,
        }
    }

    /// Abandons a write that has begun. Under TLS nothing can be written after that.
    pub fn give_up_write(&mut self) {
        match self {
            Self::Plain(_) => {}
            Self::Tls(stream) => stream.give_up(),
        }
    }

    /// Makes the connection end with a reset, for a body that is delimited by the end of the connection.
    pub fn reset(&mut self) {
        match self {
            // If this fails, the connection is closed normally.
            Self::Plain(stream) => {
                drop(socket2::SockRef::from(&*stream).set_linger(Some(std::time::Duration::ZERO)))
            }
            Self::Tls(stream) => stream.reset(),
        }
    }

    /// Whether an idle connection can be reused: open, and without unexpected data.
    ///
    /// Uses the readiness that the runtime already knows of; only if there was an event does it cost a read.
    #[inline]
    pub fn is_quiet(&mut self) -> bool {
        match self {
            Self::Plain(stream) => {
                let mut cx = Context::from_waker(std::task::Waker::noop());
                if stream.poll_read_ready(&mut cx).is_pending() {
                    return true;
                }
                matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            }
            Self::Tls(stream) => stream.is_quiet(),
        }
    }
}

impl Readable for Socket {
    #[inline]
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => stream.poll_read_ready(cx),
            Self::Tls(stream) => stream.poll_readable(cx),
        }
    }
}

impl AsyncRead for Socket {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(cx, bytes),
        }
    }

    /// Written bytes are on their way already, with or without TLS.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }
}
