//! What comes on a stream, as the bytes of an HTTP/1.1 message.

use http2::{Connection, Fields};
use std::io::Write;
use tokio::io::ReadBuf;

/// A message that comes, as far as it was not read yet.
#[derive(Debug, Default)]
pub struct Incoming {
    /// Heads, and what frames the body, up to where the body goes on.
    text: Vec<u8>,
    used: usize,
    body: Body,
}

/// How the body is framed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// There is none, or it was read to its end.
    #[default]
    None,
    /// The head that tells has not come: none at all, or those of 1xx responses.
    Waiting,
    /// As it is: its length was told, or it ends with the stream.
    Plain,
    /// In chunks; of the present one so many bytes are still to be read.
    Chunked {
        /// Bytes of the present chunk.
        left: usize,
        /// It was begun.
        is_open: bool,
    },
}

impl Body {
    /// In chunks, of which none has begun.
    pub const fn chunked() -> Self {
        Self::Chunked { left: 0, is_open: false }
    }
}

impl Incoming {
    /// A message whose head is still to come.
    pub fn waiting() -> Self {
        Self { body: Body::Waiting, ..Self::default() }
    }

    /// Bytes of heads that nobody has read yet.
    #[inline]
    pub fn unread_text(&self) -> usize {
        self.text.len() - self.used
    }

    /// A head has come: `write` appends it, and tells how the body behind it is framed.
    pub fn head(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Body) {
        self.body = write(&mut self.text);
    }

    /// Whether reading would give something, or the end.
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

    /// Reads what is there. False: nothing was there, and more may come. True without a byte: the end.
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
                        let _ = write!(self.text, "{left:x}\r\n"); // into a Vec: cannot fail
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
