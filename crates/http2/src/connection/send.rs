//! Sending messages: heads, bodies, trailers, and the end of a stream.

use super::{Connection, Role};
use crate::{
    ErrorCode,
    closed::How,
    frame::{self, flag, kind},
    stream::Stream,
};

/// Bytes that hold most header blocks.
const USUAL_BLOCK: usize = 512;

impl Connection {
    /// Opens a stream with a request. `is_head`: the method is HEAD, so the response has no body.
    /// None: no stream can be opened now.
    pub fn open<'f>(
        &mut self,
        fields: impl IntoIterator<Item = (&'f [u8], &'f [u8])>,
        ended: bool,
        is_head: bool,
    ) -> Option<u32> {
        let stream = self.next_own;
        if !self.make_room() {
            return None;
        }
        self.next_own += 2;
        let mut opened = Stream::new(self.peer.initial_window, self.config.window);
        opened.is_to_head = is_head;
        self.streams.insert(stream, opened);
        self.send_head(stream, fields, ended);
        Some(stream)
    }

    /// Whether [`Connection::open`] can open a stream now. Streams that lack only their END_STREAM make room.
    pub fn make_room(&mut self) -> bool {
        if !self.can_open() {
            self.reset_left();
        }
        self.can_open()
    }

    /// Whether another stream is allowed.
    #[must_use]
    pub fn can_open(&self) -> bool {
        let open = self.streams.values().filter(|stream| stream.how.is_none()).count();
        self.failed.is_none()
            && !self.peer_is_going
            && !self.is_used_up()
            && u32::try_from(open).is_ok_and(|open| open < self.peer.max_concurrent_streams)
    }

    /// All stream identifiers that we may use were used.
    #[must_use]
    pub const fn is_used_up(&self) -> bool {
        self.next_own >= 0x7fff_ffff
    }

    /// How many streams the peer accepts at once. Without such a setting: any number.
    #[must_use]
    pub const fn most_own_streams(&self) -> u32 {
        self.peer.max_concurrent_streams
    }

    /// Sends a head (interim or final) or trailers. `ended`: it is the last frame.
    pub fn send_head<'f>(
        &mut self,
        stream: u32,
        fields: impl IntoIterator<Item = (&'f [u8], &'f [u8])>,
        ended: bool,
    ) {
        if !self.can_send(stream) {
            return;
        }
        self.scratch.clear();
        self.scratch.reserve(USUAL_BLOCK);
        self.encoder.encode(fields, &mut self.scratch);
        let mut rest = self.scratch.as_slice();
        let mut kind = kind::HEADERS;
        let mut flags = if ended { flag::END_STREAM } else { 0 };
        loop {
            let (piece, behind) = rest.split_at(rest.len().min(frame::LARGEST));
            rest = behind;
            if rest.is_empty() {
                flags |= flag::END_HEADERS;
            }
            self.out.frame(kind, flags, stream, piece);
            if rest.is_empty() {
                break;
            }
            (kind, flags) = (kind::CONTINUATION, 0);
        }
        if ended {
            self.end(stream);
        }
    }

    /// Bytes of body data that can be sent on this stream now.
    #[must_use]
    pub fn room(&self, stream: u32) -> usize {
        let of_stream = self.streams.get(&stream).map_or(0, |found| found.send.room());
        if self.can_send(stream) { of_stream.min(self.send.room()) } else { 0 }
    }

    /// The stream's own window blocks it: room elsewhere would not help.
    #[must_use]
    pub fn is_held_by_stream(&self, stream: u32) -> bool {
        self.streams.get(&stream).is_some_and(|found| found.send.room() == 0)
    }

    /// Sends as much of `bytes` as the windows allow and returns how much. `ended`: these are the
    /// last bytes; if all of them are sent, the stream ends with them.
    pub fn send_data(&mut self, stream: u32, bytes: &[u8], ended: bool) -> usize {
        let room = self.room(stream);
        if !self.can_send(stream) {
            return 0;
        }
        let (mut now, later) = bytes.split_at(bytes.len().min(room));
        let count = now.len();
        let ends = ended && later.is_empty();
        while !now.is_empty() || ends {
            let (piece, behind) = now.split_at(now.len().min(frame::LARGEST));
            now = behind;
            let is_last = now.is_empty();
            let flags = if ends && is_last { flag::END_STREAM } else { 0 };
            self.out.frame(kind::DATA, flags, stream, piece);
            if is_last {
                break;
            }
        }
        self.send.take(count);
        if let Some(found) = self.streams.get_mut(&stream) {
            found.send.take(count);
        }
        if ends {
            self.end(stream);
        }
        count
    }

    /// Whether we can still send on this stream.
    #[must_use]
    pub fn can_send(&self, stream: u32) -> bool {
        self.failed.is_none()
            && self.streams.get(&stream).is_some_and(|found| !found.local_ended && found.how.is_none())
    }

    pub(super) fn end(&mut self, stream: u32) {
        if let Some(found) = self.streams.get_mut(&stream) {
            found.local_ended = true;
            if found.remote_ended && found.how.is_none() {
                found.how = Some(How::Ended);
                self.closed.remember(stream, How::Ended);
            }
        }
    }

    /// Resets a stream. If `code` is an error, a stream that has ended on both sides is reset too,
    /// which states the reason to its peer (RFC 9113 section 8.1.1).
    pub fn reset(&mut self, stream: u32, code: ErrorCode) {
        let Some(found) = self.streams.get_mut(&stream) else { return };
        let is_over = match found.how {
            None => false,
            Some(How::Ended) => code == ErrorCode::NO_ERROR,
            Some(How::ResetByPeer | How::ResetByUs) => true,
        };
        if self.failed.is_some() || is_over {
            return;
        }
        found.how = Some(How::ResetByUs);
        self.closed.remember(stream, How::ResetByUs);
        self.out.reset(stream, code);
    }

    /// The stream is no longer in use; what is still open of it is reset. If a request was
    /// responded to in full before it ended, its client is asked to stop (RFC 9113 section 8.1),
    /// but not at once: data in flight may end it, and curl 7.88 loses a response that arrives
    /// together with the reset. [`Connection::reset_stale`] resets it later, or a new stream that
    /// needs the room. A response that lacks only END_STREAM is reset only to make room for another
    /// stream. Until then each frame is checked like any other.
    pub fn release(&mut self, stream: u32) {
        let is_server = self.config.role == Role::Server;
        if let Some(found) = self.streams.get_mut(&stream)
            && (is_server || found.lacks_only_its_end())
            && self.failed.is_none()
            && (found.local_ended && found.how.is_none() && !found.is_broken)
        {
            found.is_left = true;
            self.left += 1;
            let unread = found.inbox.consume(usize::MAX);
            self.give_back(unread);
            // The peer counts each of them towards its limit of open streams.
            if is_server
                && self.left > usize::try_from(self.config.max_concurrent_streams / 2).unwrap_or(usize::MAX)
            {
                self.reset_oldest_left();
            }
            return;
        }
        if self.streams.get(&stream).is_some_and(|found| found.how.is_none()) {
            let has_answered = self.streams.get(&stream).is_some_and(|found| found.local_ended);
            self.reset(
                stream,
                match (self.config.role, has_answered) {
                    (Role::Server, true) => ErrorCode::NO_ERROR,
                    (Role::Server, false) => ErrorCode::INTERNAL_ERROR,
                    (Role::Client, true | false) => ErrorCode::CANCEL,
                },
            );
        }
        if let Some(found) = self.streams.remove(&stream) {
            // Unread data must not keep the connection's window closed for other streams.
            self.give_back(found.inbox.filled().len());
        }
    }
}
