//! A connected socket, plain or under TLS. Nothing else has to know which.

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
    /// What is written goes over the wire as it is.
    Plain(TcpStream),
    /// Boxed, because the state of a TLS session is large.
    Tls(Box<TlsStream>),
}

/// What can be waited for without holding memory to read into.
pub trait Readable {
    /// Ready once there is something to read, or the end.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl Socket {
    /// What was agreed on in the handshake. None: nothing, or there was none.
    pub fn agreed_protocol(&self) -> Option<AgreedProtocol> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.agreed_protocol(),
        }
    }

    /// Ready once the peer has hung up, as far as that can be seen while it has nothing to say. A peer that only ends
    /// its own direction looks the same.
    #[inline]
    pub fn poll_hung_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Plain(stream) => {
                let mut byte = [0];
                let mut space = ReadBuf::new(&mut byte);
                match ready!(stream.poll_peek(cx, &mut space)) {
                    Ok(0) | Err(_) => Poll::Ready(()),
                    Ok(_) => Poll::Pending, // the next request: whoever sends it is still there
                }
            }
            Self::Tls(stream) => stream.poll_hung_up(cx),
        }
    }

    /// Writes the last bytes of something by `send`, which is given the socket and what goes over the wire: `bytes`
    /// themselves, or the records that carry them. It is called until it says other than that it would have to wait.
    /// Ready with the length of `bytes` if and only if the latest call of `send` has taken all that it was given and
    /// nothing of `bytes` is left; with less, the rest is to be written by the next call.
    ///
    /// # Errors
    /// Those of `send` and of the socket.
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

    /// Whether the peer can read what is written only once all of what carries it has come: a record of TLS.
    #[inline]
    pub const fn is_of_use_whole(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(_) => true,
        }
    }

    /// Says that a write that was begun is not gone on with. Under TLS nothing can be written any more then.
    pub fn give_up_write(&mut self) {
        match self {
            Self::Plain(_) => {}
            Self::Tls(stream) => stream.give_up(),
        }
    }

    /// Has the connection end in a reset, for a body whose only end is that of the connection.
    pub fn reset(&mut self) {
        match self {
            // If it cannot be set, the connection is closed in the ordinary way.
            Self::Plain(stream) => {
                drop(socket2::SockRef::from(&*stream).set_linger(Some(std::time::Duration::ZERO)))
            }
            Self::Tls(stream) => stream.reset(),
        }
    }

    /// Whether an idle connection can still be used: open, and nothing was sent on it unasked.
    ///
    /// Asks the runtime what it was last told by the system; only if there was something does it cost a read.
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

    /// What was written is on its way already, plain or under TLS.
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
