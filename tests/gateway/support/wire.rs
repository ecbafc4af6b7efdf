//! A socket and its read-ahead buffer: strict lines, exact lengths, and why it ended.

use rustls::{Connection, Stream};
use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

/// How long a test waits for bytes before silence is a fault.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Why no more bytes came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// An orderly end of the stream.
    Closed,
    /// The peer reset the connection.
    Reset,
    /// Nothing came within the timeout of the test.
    Silent,
}

#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    /// The session, if the connection is under TLS.
    pub(crate) tls: Option<Box<Connection>>,
    ahead: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, tls: None, ahead: Vec::new() }
    }

    /// Switches to TLS. The first bytes perform the handshake.
    pub(crate) fn under_tls(mut self, session: impl Into<Connection>) -> Self {
        self.tls = Some(Box::new(session.into()));
        self
    }

    /// Does the handshake.
    ///
    /// # Errors
    /// What either side rejected.
    pub(crate) fn shake_hands(&mut self) -> std::io::Result<()> {
        let session = self.tls.as_mut().expect("a TLS session");
        while session.is_handshaking() {
            session.complete_io(&mut self.stream)?;
        }
        Ok(())
    }

    /// Reads some more bytes.
    fn fill(&mut self) -> Result<(), Ended> {
        let mut chunk = [0; 64 * 1024];
        loop {
            let read = match &mut self.tls {
                None => self.stream.read(&mut chunk),
                Some(session) => under(session, &mut self.stream).read(&mut chunk),
            };
            return match read {
                Ok(0) => Err(Ended::Closed),
                Ok(length) => {
                    self.ahead.extend_from_slice(&chunk[..length]);
                    Ok(())
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    Err(Ended::Silent)
                }
                Err(_) => Err(Ended::Reset),
            };
        }
    }

    /// One line without its CRLF. A bare LF stays in the line, so that a strict reader sees it.
    pub(crate) fn line(&mut self) -> Result<Vec<u8>, Ended> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.ahead.drain(..end + 2).take(end).collect();
                return Ok(line);
            }
            self.fill()?;
        }
    }

    /// Exactly so many bytes, or those before the end.
    pub(crate) fn exactly(&mut self, length: usize) -> (Vec<u8>, Option<Ended>) {
        while self.ahead.len() < length {
            if let Err(ended) = self.fill() {
                return (std::mem::take(&mut self.ahead), Some(ended));
            }
        }
        (self.ahead.drain(..length).collect(), None)
    }

    /// The available bytes, at least one.
    pub(crate) fn some(&mut self) -> Result<Vec<u8>, Ended> {
        if self.ahead.is_empty() {
            self.fill()?;
        }
        Ok(std::mem::take(&mut self.ahead))
    }

    /// Everything up to the end of the stream.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, Ended) {
        loop {
            if let Err(ended) = self.fill() {
                return (std::mem::take(&mut self.ahead), ended);
            }
        }
    }

    /// What was read ahead and not consumed yet.
    pub(crate) fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// Waits for bytes without consuming them. An error gives the reason why none will come.
    pub(crate) fn wait(&mut self) -> Result<(), Ended> {
        if self.ahead.is_empty() { self.fill() } else { Ok(()) }
    }

    /// Waits until bytes are in the kernel's buffer, and leaves them unread.
    pub(crate) fn wait_unread(&self) -> Result<(), Ended> {
        match self.stream.peek(&mut [0]) {
            Ok(0) => Err(Ended::Closed),
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Ended::Silent)
            }
            Err(_) => Err(Ended::Reset),
        }
    }

    /// Writes all of it. False: the peer accepts no more bytes, which often is the point of a test.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        match &mut self.tls {
            None => self.stream.write_all(bytes).and_then(|()| self.stream.flush()).is_ok(),
            Some(session) => {
                let mut stream = under(session, &mut self.stream);
                stream.write_all(bytes).and_then(|()| stream.flush()).is_ok()
            }
        }
    }

    /// Shuts down our direction and leaves the other one open.
    pub(crate) fn finish_writing(&mut self) {
        if let Some(session) = &mut self.tls {
            session.send_close_notify();
            let _ = session.write_tls(&mut self.stream);
        }
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The fields up to the empty line: of a head or of trailers. Names and values as they were sent.
    pub(crate) fn fields(&mut self) -> Result<Vec<(String, String)>, Ended> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let shown = String::from_utf8_lossy(&line).into_owned();
            assert!(
                !line.contains(&b'\n') && !line.contains(&b'\r'),
                "a bare CR or LF in a field: {shown:?}"
            );
            let (name, value) =
                shown.split_once(':').unwrap_or_else(|| panic!("a field without a colon: {shown:?}"));
            let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            assert!(!name.is_empty() && name.bytes().all(token), "an invalid field name: {shown:?}");
            fields.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
        }
    }

    /// A chunked body and its trailers. The last part is the reason for a truncation.
    pub(crate) fn chunked(&mut self) -> (Vec<u8>, Vec<(String, String)>, Option<Ended>) {
        let mut body = Vec::new();
        loop {
            let line = match self.line() {
                Ok(line) => line,
                Err(ended) => return (body, Vec::new(), Some(ended)),
            };
            let line = String::from_utf8_lossy(&line).into_owned();
            let size = line.split(';').next().unwrap_or_default().trim_end();
            let size =
                usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("not a chunk size: {line:?}"));
            if size == 0 {
                return match self.fields() {
                    Ok(trailers) => (body, trailers, None),
                    Err(ended) => (body, Vec::new(), Some(ended)),
                };
            }
            let (chunk, broken) = self.exactly(size);
            body.extend_from_slice(&chunk);
            if broken.is_some() {
                return (body, Vec::new(), broken);
            }
            let (end, broken) = self.exactly(2);
            if broken.is_some() {
                return (body, Vec::new(), broken);
            }
            assert_eq!(end, b"\r\n", "a chunk longer than its size");
        }
    }
}

trait Both: Read + Write {}

impl<T: Read + Write> Both for T {}

/// The stream under this session.
fn under<'s>(session: &'s mut Connection, stream: &'s mut TcpStream) -> Box<dyn Both + 's> {
    match session {
        Connection::Client(session) => Box::new(Stream::new(session, stream)),
        Connection::Server(session) => Box::new(Stream::new(session, stream)),
    }
}
