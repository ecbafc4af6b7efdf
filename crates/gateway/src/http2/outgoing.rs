//! The bytes of an HTTP/1.1 message, taken apart into frames as they come. Nothing of a body is held here.

use super::text::{read_lines, read_request};
use ::http2::{Connection, Fields};

/// A message that goes out on a stream.
#[derive(Debug)]
pub(crate) struct Outgoing {
    state: State,
    /// A head, a line that frames the body, or trailers, as far as they have come.
    text: Vec<u8>,
    /// The request was a HEAD: whatever the head of the answer tells, there is no body.
    is_to_head: bool,
    has_begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Length(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    End,
}

/// What became of the beginning of a request.
pub(crate) enum Opened {
    /// All bytes were taken, and the head is not complete.
    NotYet,
    /// Nothing was taken: the peer takes no more requests at once.
    NotNow,
    /// It has a stream, and so many bytes were taken.
    Stream { stream: u32, is_head: bool, count: usize },
}

/// The end of a body in chunks, behind the data of the last one.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

impl Outgoing {
    pub(crate) const fn new(is_to_head: bool) -> Self {
        Self { state: State::Head, text: Vec::new(), is_to_head, has_begun: false }
    }

    /// Opens a stream with the request whose head `bytes` begin with.
    pub(crate) fn open(&mut self, connection: &mut Connection, scheme: &[u8], bytes: &[u8]) -> Opened {
        if !connection.make_room() {
            return Opened::NotNow;
        }
        let Some(count) = self.gather(bytes, b"\r\n\r\n") else { return Opened::NotYet };
        let fields = read_request(&self.text, scheme);
        let is_head = self.text.starts_with(b"HEAD ");
        let state = framing(&self.text, &fields);
        let Some(stream) = connection.open(fields.iter(), state == State::End, is_head) else {
            return Opened::NotNow; // not reached: it was asked above
        };
        (self.state, self.has_begun) = (state, true);
        self.text.clear();
        Opened::Stream { stream, is_head, count }
    }

    /// The last frame was sent.
    pub(crate) fn has_ended(&self) -> bool {
        self.state == State::End
    }

    /// The final head was sent: no other answer can be given.
    pub(crate) const fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Takes what can be sent now of `bytes`, and tells how many bytes that was.
    pub(crate) fn take(&mut self, connection: &mut Connection, stream: u32, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            taken += match self.state {
                State::Head => match self.gather(rest, b"\r\n\r\n") {
                    Some(count) => {
                        self.send_head(connection, stream);
                        count
                    }
                    None => rest.len(),
                },
                State::Length(left) => {
                    let piece = front(rest, left);
                    let ends = piece.len() as u64 == left;
                    let count = connection.send_data(stream, piece, ends);
                    let left = left - count as u64;
                    self.state = if left == 0 { State::End } else { State::Length(left) };
                    if count < piece.len() {
                        return taken + count;
                    }
                    count
                }
                State::ChunkSize => match self.gather(rest, b"\r\n") {
                    Some(count) => {
                        self.state = match size(&self.text) {
                            0 => State::Trailers,
                            size => State::Chunk(size),
                        };
                        self.text.clear();
                        count
                    }
                    None => rest.len(),
                },
                State::Chunk(left) => {
                    let piece = front(rest, left);
                    // The end often comes with the last chunk: then it needs no frame of its own.
                    let ends = piece.len() as u64 == left && rest.get(piece.len()..) == Some(LAST_CHUNK);
                    let count = connection.send_data(stream, piece, ends);
                    if count < piece.len() {
                        self.state = State::Chunk(left - count as u64);
                        return taken + count;
                    }
                    if ends {
                        self.state = State::End;
                        return bytes.len();
                    }
                    let left = left - count as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    count
                }
                State::ChunkEnd => match self.gather(rest, b"\r\n") {
                    Some(count) => {
                        self.text.clear();
                        self.state = State::ChunkSize;
                        count
                    }
                    None => rest.len(),
                },
                State::Trailers => self.take_trailers(connection, stream, rest),
                // The body of an answer that has none, to HEAD say.
                State::End => rest.len(),
            };
        }
        taken
    }

    /// Gathers text up to and with `end`. None: all of `bytes` was taken and the end has not come.
    fn gather(&mut self, bytes: &[u8], end: &[u8]) -> Option<usize> {
        // The end may lie across what came before and what came now.
        let from = self.text.len().saturating_sub(end.len() - 1);
        let before = self.text.len();
        self.text.extend_from_slice(bytes);
        let found = memchr::memmem::find(self.text.get(from..).unwrap_or_default(), end)?;
        let length = from + found + end.len();
        self.text.truncate(length);
        Some(length - before)
    }

    fn send_head(&mut self, connection: &mut Connection, stream: u32) {
        let line_end = memchr::memchr(b'\n', &self.text).unwrap_or(0);
        let (line, lines) = self.text.split_at(line_end);
        let status = line.get(9..12).unwrap_or(b"500");
        let mut fields = Fields::default();
        fields.push(b":status", status);
        read_lines(lines, &mut fields);
        let body = match status {
            [b'1', ..] => State::Head,
            b"204" | b"304" => State::End,
            _ if self.is_to_head => State::End,
            _ => framing(lines, &fields),
        };
        self.has_begun |= body != State::Head;
        self.state = body;
        connection.send_head(stream, fields.iter(), body == State::End);
        self.text.clear();
    }

    fn take_trailers(&mut self, connection: &mut Connection, stream: u32, rest: &[u8]) -> usize {
        // An empty line ends them; without any, it is all there is.
        let is_bare = self.text.is_empty() && rest.first() == Some(&b'\r') || self.text == b"\r";
        let end: &[u8] = if is_bare { b"\r\n" } else { b"\r\n\r\n" };
        let Some(count) = self.gather(rest, end) else { return rest.len() };
        let mut fields = Fields::default();
        read_lines(&self.text, &mut fields);
        if fields.iter().next().is_some() {
            connection.send_head(stream, fields.iter(), true);
        } else {
            connection.send_data(stream, &[], true);
        }
        self.text = Vec::new();
        self.state = State::End;
        count
    }
}

fn front(bytes: &[u8], most: u64) -> &[u8] {
    let count = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(..count).unwrap_or_default()
}

fn size(line: &[u8]) -> u64 {
    let digits = line.trim_ascii();
    std::str::from_utf8(digits).ok().and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0)
}

/// How a body is framed, by the head that we wrote. Without a length it is in chunks, or there is none: nothing that we
/// write is framed by the connection's end.
fn framing(lines: &[u8], fields: &Fields) -> State {
    let told = fields.iter().find(|(name, _)| *name == b"content-length").map(|(_, value)| value);
    match told.and_then(crate::http1::request::content_length) {
        Some(0) => State::End,
        Some(length) => State::Length(length),
        None if memchr::memmem::find(lines, b"Transfer-Encoding: chunked").is_some() => State::ChunkSize,
        None => State::End,
    }
}
