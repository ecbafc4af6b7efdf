//! Converts the bytes of an HTTP/1.1 message to frames. No body data is held here.

use super::text::{Framed, List, answer_list, fields, request_list};
use http2::Connection;

/// The outgoing message of a stream.
#[derive(Debug)]
pub struct Outgoing {
    state: State,
    /// A head, a chunk-size line, or trailers, as far as they have arrived.
    text: Vec<u8>,
    /// The request method is HEAD: whatever the head of the response contains, there is no body.
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

/// The result of sending the beginning of a request.
pub enum Opened {
    /// All bytes were taken, and the head is not complete.
    NotYet,
    /// Nothing was taken: the peer accepts no more concurrent requests.
    NotNow,
    /// The stream was opened, and this many bytes were taken.
    Stream {
        /// The stream identifier.
        stream: u32,
        /// The request method is HEAD.
        is_head: bool,
        /// Bytes that were taken.
        count: usize,
    },
}

/// The end of a chunked body, after the data of the last chunk.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

impl Outgoing {
    /// A new message. `is_to_head`: the response to a HEAD.
    pub const fn new(is_to_head: bool) -> Self {
        Self { state: State::Head, text: Vec::new(), is_to_head, has_begun: false }
    }

    /// Opens a stream with the request whose head is at the beginning of `bytes`.
    pub fn open(&mut self, connection: &mut Connection, scheme: &[u8], bytes: &[u8]) -> Opened {
        if !connection.make_room() {
            return Opened::NotNow;
        }
        let Some(count) = self.gather(bytes, b"\r\n\r\n") else { return Opened::NotYet };
        let is_head = self.text.starts_with(b"HEAD ");
        let mut framed = Framed::default();
        let list = request_list(&mut self.text, scheme, &mut framed);
        let state = body(framed);
        let Some(stream) = connection.open(list.iter().copied(), state == State::End, is_head) else {
            return Opened::NotNow; // unreachable: checked above
        };
        drop(list);
        (self.state, self.has_begun) = (state, true);
        self.text.clear();
        Opened::Stream { stream, is_head, count }
    }

    /// The last frame was sent.
    #[inline]
    pub fn has_ended(&self) -> bool {
        self.state == State::End
    }

    /// The final head was sent: it cannot be replaced by another response.
    #[inline]
    pub const fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Takes the bytes that can be sent now, and returns how many.
    pub fn take(&mut self, connection: &mut Connection, stream: u32, bytes: &[u8]) -> usize {
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
                    // The end often arrives with the last chunk: then it needs no separate frame.
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
                // The body of a response without one, for example to HEAD.
                State::End => rest.len(),
            };
        }
        taken
    }

    /// Collects text up to and including `end`. None: all of `bytes` was taken and the end has not arrived.
    fn gather(&mut self, bytes: &[u8], end: &[u8]) -> Option<usize> {
        // Mostly it arrives in one piece. Bytes after it, often all of a body, are not copied.
        if self.text.is_empty()
            && let Some(length) = end_of(bytes, end)
        {
            self.text.extend_from_slice(bytes.get(..length).unwrap_or_default());
            return Some(length);
        }
        // The end may be split between earlier and new bytes.
        let from = self.text.len().saturating_sub(end.len() - 1);
        let before = self.text.len();
        self.text.extend_from_slice(bytes);
        let length = from + end_of(self.text.get(from..).unwrap_or_default(), end)?;
        self.text.truncate(length);
        Some(length - before)
    }

    fn send_head(&mut self, connection: &mut Connection, stream: u32) {
        let mut framed = Framed::default();
        let list = answer_list(&mut self.text, &mut framed);
        let status = list.first().map_or(&b""[..], |(_, status)| status);
        let state = match status {
            [b'1', ..] => State::Head,
            b"204" | b"304" => State::End,
            _ if self.is_to_head => State::End,
            _ => body(framed),
        };
        connection.send_head(stream, list.iter().copied(), state == State::End);
        drop(list);
        self.has_begun |= state != State::Head;
        self.state = state;
        self.text.clear();
    }

    fn take_trailers(&mut self, connection: &mut Connection, stream: u32, rest: &[u8]) -> usize {
        // An empty line ends the trailers; without any, it is all there is.
        let is_bare = self.text.is_empty() && rest.first() == Some(&b'\r') || self.text == b"\r";
        let end: &[u8] = if is_bare { b"\r\n" } else { b"\r\n\r\n" };
        let Some(count) = self.gather(rest, end) else { return rest.len() };
        let list: List<'_> = fields(&mut self.text, &mut Framed::default()).collect();
        if list.is_empty() {
            connection.send_data(stream, &[], true);
        } else {
            connection.send_head(stream, list.iter().copied(), true);
        }
        drop(list);
        self.text = Vec::new();
        self.state = State::End;
        count
    }
}

/// The offset in `bytes` after `end`, which ends a line.
fn end_of(bytes: &[u8], end: &[u8]) -> Option<usize> {
    let mut lines = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1);
    lines.find(|&length| bytes.get(..length).is_some_and(|text| text.ends_with(end)))
}

fn front(bytes: &[u8], most: u64) -> &[u8] {
    let count = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(..count).unwrap_or_default()
}

fn size(line: &[u8]) -> u64 {
    let digits = line.trim_ascii();
    std::str::from_utf8(digits).ok().and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0)
}

/// The framing of a message after its head.
const fn body(framed: Framed) -> State {
    match framed {
        Framed { length: Some(0), .. } => State::End,
        Framed { length: Some(length), .. } => State::Length(length),
        Framed { length: None, in_chunks: true } => State::ChunkSize,
        Framed { length: None, in_chunks: false } => State::End,
    }
}
