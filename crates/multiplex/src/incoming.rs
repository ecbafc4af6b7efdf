//! The incoming message of a stream, as HTTP/1.1 bytes.

use http2::{Connection, Fields};
use std::io::Write;
use tokio::io::ReadBuf;

/// An incoming message, as far as it was not read yet.
#[derive(Debug, Default)]
pub struct Incoming {
    /// Heads and framing, up to where the body continues.
    text: Vec<u8>,
    used: usize,
    body: Body,
}

/// The framing of the body.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// There is no body, or it was read to its end.
    #[default]
    None,
    /// The final head has not arrived: no head at all, or only those of 1xx responses.
    Waiting,
    /// Unframed: it has a Content-Length, or ends with the stream.
    Plain,
    /// Chunked, with this many bytes left to read of the current chunk.
    Chunked {
        /// Bytes left of the current chunk.
        left: usize,
        /// It has begun.
        is_open: bool,
    },
}

impl Body {
    /// Chunked, and no chunk has begun.
    pub const fn chunked() -> Self {
        Self::Chunked { left: 0, is_open: false }
    }
}

impl Incoming {
    /// A message whose head has not arrived.
    pub fn waiting() -> Self {
        Self { body: Body::Waiting, ..Self::default() }
    }

    /// Bytes of heads that were not read yet.
    #[inline]
    pub fn unread_text(&self) -> usize {
        self.text.len() - self.used
    }

    /// A head has arrived: `write` appends it, and returns the framing of its body.
    pub fn head(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Body) {
        self.body = write(&mut self.text);
    }

    /// Whether reading would return bytes or the end.
    #[inline]
    pub fn is_readable(&self, connection: &Connection, stream: u32) -> bool {
        self.used < self.text.len()
            || match self.body {
                Body::None => true,
                Body::Waiting => false,
                Body::Plain | Body::Chunked { .. } => {
                    !connection.readable(stream).is_empty() || connection.has_ended(stream)
                }
            }
    }

    /// Reads what is available. False: nothing is available, and more may arrive. True without a
    /// byte: the end.
    pub fn read(&mut self, connection: &mut Connection, stream: u32, into: &mut ReadBuf<'_>) -> bool {
        let before = into.filled().len();
        loop {
            self.read_text(into);
            if into.remaining() == 0 {
                return true;
            }
            match self.body {
                Body::None => return true,
                Body::Waiting => return into.filled().len() > before,
                Body::Plain => {
                    let count = read_body(connection, stream, usize::MAX, into);
                    if count == 0 && connection.has_ended(stream) {
                        self.body = Body::None;
                    } else if count == 0 {
                        return into.filled().len() > before;
                    }
                }
                Body::Chunked { left: 0, is_open: true } => {
                    self.text.extend_from_slice(b"\r\n");
                    self.body = Body::chunked();
                }
                Body::Chunked { left: 0, is_open: false } => {
                    let left = connection.readable(stream).len();
                    if left > 0 {
                        let _ = write!(self.text, "{left:x}\r\n"); // writing into a Vec cannot fail
                        self.body = Body::Chunked { left, is_open: true };
                    } else if connection.has_ended(stream) {
                        self.text.extend_from_slice(b"0\r\n");
                        write_trailers(connection.take_trailers(stream), &mut self.text);
                        self.body = Body::None;
                    } else {
                        return into.filled().len() > before;
                    }
                }
                Body::Chunked { left, is_open } => {
                    let count = read_body(connection, stream, left, into);
                    self.body = Body::Chunked { left: left - count, is_open };
                    if count == 0 {
                        return into.filled().len() > before;
                    }
                }
            }
        }
    }

    fn read_text(&mut self, into: &mut ReadBuf<'_>) {
        let waiting = self.text.get(self.used..).unwrap_or_default();
        let count = waiting.len().min(into.remaining());
        into.put_slice(waiting.get(..count).unwrap_or_default());
        self.used += count;
        if self.used == self.text.len() {
            self.text.clear();
            self.used = 0;
        }
    }
}

fn read_body(connection: &mut Connection, stream: u32, most: usize, into: &mut ReadBuf<'_>) -> usize {
    let bytes = connection.readable(stream);
    let count = bytes.len().min(most).min(into.remaining());
    into.put_slice(bytes.get(..count).unwrap_or_default());
    connection.consume(stream, count);
    count
}

fn write_trailers(trailers: Option<Fields>, out: &mut Vec<u8>) {
    for (name, value) in trailers.iter().flat_map(Fields::iter) {
        write_line(name, value, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends a line of a head.
pub(crate) fn write_line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}
