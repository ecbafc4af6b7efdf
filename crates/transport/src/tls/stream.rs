//! A TLS connection: rustls creates and reads the records, this file moves them over the socket.
//!
//! rustls is driven manually, because the last bytes of a response and its charge are one step: the
//! journal must get exactly the records that carry them. So no byte counts as written before the
//! socket took its whole record, and what the socket has not taken is kept here, never inside
//! rustls.

use super::{
    records::Records,
    server::{AgreedProtocol, HTTP1, HTTP2},
};
use rustls::Connection;
use std::{
    io::{self, Read, Write},
    os::fd::{AsFd, BorrowedFd},
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

/// Bytes encrypted at once: two records.
const AT_ONCE: usize = 32 * 1024;

/// A TLS connection, during or after its handshake.
#[derive(Debug)]
pub struct TlsStream {
    socket: TcpStream,
    session: Connection,
    out: Records,
    /// Bytes of the caller that are encrypted in `out`, which is not empty then. They are reported
    /// as written once it is empty; until then the caller must pass the same bytes, or call
    /// [`TlsStream::give_up`].
    accepted: usize,
    /// rustls may hold decrypted bytes that were not read.
    has_unread: bool,
    /// The peer has ended its direction.
    has_ended: bool,
    /// It ends with a reset: no orderly close is sent.
    is_cut: bool,
}

impl TlsStream {
    pub(super) const fn new(socket: TcpStream, session: Connection) -> Self {
        Self {
            socket,
            session,
            out: Records::new(),
            accepted: 0,
            has_unread: false,
            has_ended: false,
            is_cut: false,
        }
    }

    pub(super) const fn session(&self) -> &Connection {
        &self.session
    }

    /// The protocol negotiated in the handshake.
    pub(crate) fn agreed_protocol(&self) -> Option<AgreedProtocol> {
        match self.session.alpn_protocol()? {
            HTTP2 => Some(AgreedProtocol::Http2),
            protocol if HTTP1.contains(&protocol) => Some(AgreedProtocol::Http1),
            _ => None,
        }
    }

    /// Ready once the handshake is complete and all of it was sent.
    pub(super) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.out.take_from(&mut self.session)?;
            ready!(self.poll_send(cx))?;
            if !self.session.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_records(cx))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// The last read may have taken everything.
    fn look_for_unread(&mut self) {
        let state = self.session.process_new_packets();
        self.has_unread = state.is_ok_and(|state| state.plaintext_bytes_to_read() > 0);
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_unread { Poll::Ready(Ok(())) } else { self.socket.poll_read_ready(cx) }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            match self.session.reader().read(buf.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.has_unread = false,
                // The peer sent close_notify or, as an error, closed without it.
                read => {
                    buf.advance(read?);
                    return Poll::Ready(Ok(()));
                }
            }
            let read = self.poll_records(cx);
            // Reading may have produced an alert or a response to a key update. Reading does not
            // wait until it is sent. While a write of the caller is in progress, it is queued after
            // that and sent by the caller: there may be a charge with it.
            self.out.take_from(&mut self.session)?;
            if self.accepted == 0
                && let Poll::Ready(sent) = self.poll_send(cx)
                && read.is_pending()
            {
                sent?;
            }
            ready!(read)?;
        }
    }

    /// Ready once the peer has hung up, or sent close_notify.
    pub(crate) fn poll_hung_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.look_for_unread();
        loop {
            if self.has_ended {
                return Poll::Ready(());
            }
            // The next request: the client is still there. No more of it is read now.
            if self.has_unread {
                return Poll::Pending;
            }
            match ready!(self.poll_records(cx)) {
                Ok(0) | Err(_) => self.has_ended = true,
                Ok(_) => {}
            }
        }
    }

    /// Reads records from the socket once. Ready with 0 at its end.
    fn poll_records(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.socket.poll_read_ready(cx))?;
            match self.take_records() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                taken => return Poll::Ready(taken),
            }
        }
    }

    fn take_records(&mut self) -> io::Result<usize> {
        let count = self.session.read_tls(&mut Socket(&self.socket))?;
        let state = self.session.process_new_packets();
        let state = state.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.has_unread = state.plaintext_bytes_to_read() > 0;
        self.has_ended |= state.peer_has_closed();
        Ok(count)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_encrypt(cx, bytes))?;
        ready!(self.poll_send(cx))?;
        Poll::Ready(Ok(std::mem::take(&mut self.accepted).min(bytes.len())))
    }

    /// Writes the last bytes of a message. `send` gets the records that carry the end of `bytes`,
    /// and no others, until they are all taken. Only then do all of `bytes` count as written, and
    /// `send` has taken the last of them in its latest call.
    pub(crate) fn poll_write_last(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        mut send: impl FnMut(BorrowedFd<'_>, &[u8]) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_encrypt(cx, bytes))?;
        if self.accepted < bytes.len() || bytes.is_empty() {
            // Other records are queued before the last ones, or there are none.
            ready!(self.poll_send(cx))?;
            return Poll::Ready(Ok(std::mem::take(&mut self.accepted)));
        }
        loop {
            ready!(self.socket.poll_write_ready(cx))?;
            let out = self.out.rest();
            match self.socket.try_io(Interest::WRITABLE, || send(self.socket.as_fd(), out)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                taken => self.out.took(taken?),
            }
            if self.out.is_empty() {
                return Poll::Ready(Ok(std::mem::take(&mut self.accepted)));
            }
        }
    }

    /// Encrypts the beginning of `bytes`, unless an earlier call did.
    fn poll_encrypt(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<()>> {
        if self.is_cut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.accepted == 0 && !bytes.is_empty() {
            // Records of rustls itself go first, so that `out` contains only those of the caller.
            self.out.take_from(&mut self.session)?;
            ready!(self.poll_send(cx))?;
            let part = bytes.get(..AT_ONCE).unwrap_or(bytes);
            self.accepted = self.session.writer().write(part)?;
            self.out.take_from(&mut self.session)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Ready once the socket took all records.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_write(cx, self.out.rest()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.out.took(count),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends close_notify, and closes our side.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Abandoning a write is not an orderly end.
        self.is_cut |= self.accepted > 0;
        if !self.is_cut {
            self.session.send_close_notify(); // sent only once by rustls
            self.out.take_from(&mut self.session)?;
            ready!(self.poll_send(cx))?;
        }
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    /// Writes nothing more, because a write was abandoned: what was encrypted for it cannot be taken back.
    pub(crate) const fn give_up(&mut self) {
        self.is_cut = true;
    }

    /// Makes the connection end with a reset, and never with close_notify.
    pub(crate) fn reset(&mut self) {
        self.is_cut = true;
        // If this fails, the missing close_notify still shows that the response is truncated.
        drop(socket2::SockRef::from(&self.socket).set_linger(Some(std::time::Duration::ZERO)));
    }

    /// Whether an idle connection can be reused. Tickets and key updates may arrive at any time;
    /// data and the end may not.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.look_for_unread();
        while self.socket.poll_read_ready(&mut cx).is_ready() {
            match self.take_records() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Ok(0) | Err(_) => return false,
                Ok(_) if self.has_unread || self.has_ended => return false,
                Ok(_) => {}
            }
        }
        !self.has_unread && !self.has_ended && self.accepted == 0 && self.out.is_empty()
    }

    /// Sends the alert of an aborted handshake, if the socket takes it at once.
    pub(super) fn send_alert(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        if self.out.take_from(&mut self.session).is_ok() {
            let _ = self.poll_send(&mut cx);
        }
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write(cx, bytes)
    }

    /// Written bytes are on their way already.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_shutdown(cx)
    }
}

/// The socket, as read by rustls.
struct Socket<'s>(&'s TcpStream);

impl Read for Socket<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buf)
    }
}
