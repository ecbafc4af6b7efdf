//! Receiving: each frame is checked against RFC 9113 sections 5 and 6.
//!
//! An error that a function returns ends the connection. Stream errors go through `stream_error`.

mod control;

use super::{Connection, Event, Role};
use crate::{
    ErrorCode, Fields, Malformed, PREFACE, Request, Response, check_trailers,
    closed::How,
    frame::{self, Head, flag, kind},
    output::Output,
    stream::Stream,
};

/// Maximum number of frames of one header block. Each costs its sender as much as us, but no other
/// frame may arrive in between.
const MAX_PIECES: u32 = 128;
/// Maximum number of heads that wait to be processed. A few bytes may decode to a large head, so a
/// single read could otherwise produce any number of them.
const MAX_HEADS: usize = 16;

/// A header block that is not complete.
#[derive(Debug)]
pub(super) struct Block {
    stream: u32,
    ended: bool,
    depends_on_itself: bool,
    bytes: Vec<u8>,
    pieces: u32,
}

/// Why a connection ends.
type Fatal = (ErrorCode, &'static str);

const fn protocol(why: &'static str) -> Fatal {
    (ErrorCode::PROTOCOL_ERROR, why)
}

const fn size(why: &'static str) -> Fatal {
    (ErrorCode::FRAME_SIZE_ERROR, why)
}

const FLOOD: Fatal = (ErrorCode::ENHANCE_YOUR_CALM, "too many frames without effect");
const RESETS: Fatal = (ErrorCode::ENHANCE_YOUR_CALM, "too many streams were reset");

impl Connection {
    /// Consumes complete frames from the front of `bytes` and returns how many bytes they had:
    /// until none is left, or until
    /// [`Connection::next_event`] has many events to return. `now`: milliseconds of a clock that
    /// does not go back far.
    pub fn receive(&mut self, bytes: &[u8], now: u64) -> usize {
        let mut rest = bytes;
        loop {
            if self.failed.is_some() {
                return bytes.len(); // after an error, the rest cannot be interpreted
            }
            if self.heads >= MAX_HEADS {
                return bytes.len() - rest.len();
            }
            match self.receive_one(rest, now) {
                Ok(0) => return bytes.len() - rest.len(),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err((code, why)) => self.fail(code, why),
            }
        }
    }

    /// 0: the frame is not complete.
    fn receive_one(&mut self, bytes: &[u8], now: u64) -> Result<usize, Fatal> {
        if !self.has_preface {
            let length = bytes.len().min(PREFACE.len());
            if !PREFACE.starts_with(bytes.get(..length).unwrap_or_default()) {
                return Err(protocol("not an HTTP/2 connection preface"));
            }
            self.has_preface = length == PREFACE.len();
            return Ok(if self.has_preface { length } else { 0 });
        }
        let Some(head) = Head::read(bytes) else { return Ok(0) };
        if head.length > frame::LARGEST {
            return Err(size("a frame is larger than 16384 bytes"));
        }
        let whole = frame::HEAD + head.length;
        let Some(payload) = bytes.get(frame::HEAD..whole) else { return Ok(0) };
        self.frame(head, payload, now)?;
        if self.streams.get(&head.stream).is_some_and(|found| found.is_left && found.how.is_some()) {
            self.forget_left(head.stream);
        }
        Ok(whole)
    }

    fn frame(&mut self, head: Head, payload: &[u8], now: u64) -> Result<(), Fatal> {
        if !self.has_settings && (head.kind != kind::SETTINGS || head.has(flag::ACK)) {
            return Err(protocol("the first frame must be SETTINGS"));
        }
        if let Some(block) = &self.block
            && (head.kind != kind::CONTINUATION || head.stream != block.stream)
        {
            return Err(protocol("a header block was interrupted"));
        }
        match head.kind {
            kind::DATA => self.data(head, payload, now),
            kind::HEADERS => self.headers(head, payload, now),
            kind::PRIORITY => self.priority(head, payload, now),
            kind::RST_STREAM => self.rst_stream(head, payload, now),
            kind::SETTINGS => self.settings(head, payload, now),
            kind::PUSH_PROMISE => Err(protocol("server push is not allowed")),
            kind::PING => self.ping(head, payload, now),
            kind::GOAWAY => self.go_away(head, payload),
            kind::WINDOW_UPDATE => self.window_update(head, payload, now),
            kind::CONTINUATION => self.continuation(payload, head, now),
            // Unknown types are ignored (section 4.1).
            _ => self.idle_frame(now),
        }
    }

    // === streams ===

    fn data(&mut self, head: Head, payload: &[u8], now: u64) -> Result<(), Fatal> {
        if self.is_idle(head.stream) {
            return Err(protocol("DATA on a stream that is not open"));
        }
        let data = frame::unpad(head, payload).ok_or(protocol("more padding than payload"))?;
        if !self.receive.take(payload.len()) {
            return Err((ErrorCode::FLOW_CONTROL_ERROR, "more data than the connection's window"));
        }
        let ended = head.has(flag::END_STREAM);
        if payload.is_empty() && !ended {
            self.idle_frame(now)?;
        }
        let Some(stream) = self.streams.get_mut(&head.stream).filter(|stream| stream.how.is_none()) else {
            self.give_back(payload.len());
            return match self.closed.how(head.stream) {
                Some(How::ResetByUs) => Ok(()), // sent before the peer received the reset
                Some(How::Ended | How::ResetByPeer) | None => {
                    self.stream_error(head.stream, ErrorCode::STREAM_CLOSED, now)
                }
            };
        };
        if stream.remote_ended || !stream.has_head {
            let code = if stream.remote_ended { ErrorCode::STREAM_CLOSED } else { ErrorCode::PROTOCOL_ERROR };
            self.give_back(payload.len());
            return self.stream_error(head.stream, code, now);
        }
        if !stream.receive.take(payload.len()) {
            self.give_back(payload.len());
            return self.stream_error(head.stream, ErrorCode::FLOW_CONTROL_ERROR, now);
        }
        stream.received = stream.received.saturating_add(data.len() as u64);
        let has_length = stream.is_within_content_length() && (!ended || stream.matches_content_length())
            || stream.is_broken;
        if ended {
            stream.remote_ended = true;
        }
        let is_kept = has_length && !stream.is_broken && !stream.is_left;
        if is_kept {
            stream.inbox.push(data);
        }
        // Bytes that are not kept count as consumed at once: padding, and the data of a malformed message.
        let used = payload.len() - if is_kept { data.len() } else { 0 };
        // If nobody reads the body, its window stays closed.
        let is_open = !stream.remote_ended && !stream.is_left;
        let increment = stream.receive.give_back(used).filter(|_| is_open);
        self.give_back(used);
        if let Some(increment) = increment {
            self.out.window_update(head.stream, increment);
        }
        if !has_length {
            return self.broken(
                head.stream,
                "The length of the body does not match its Content-Length.",
                now,
            );
        }
        if ended {
            self.remote_end(head.stream);
        }
        self.events.push_back(Event::Readable(head.stream));
        Ok(())
    }

    fn headers(&mut self, head: Head, payload: &[u8], now: u64) -> Result<(), Fatal> {
        let is_possible = match self.config.role {
            Role::Server => head.stream % 2 == 1,
            Role::Client => !self.is_idle(head.stream),
        };
        if !is_possible {
            return Err(protocol("HEADERS on an invalid stream"));
        }
        let mut bytes = frame::unpad(head, payload).ok_or(protocol("more padding than payload"))?;
        let mut depends_on_itself = false;
        if head.has(flag::PRIORITY) {
            let dependency = frame::number(bytes).map(|number| number & 0x7fff_ffff);
            bytes = bytes.get(5..).ok_or(size("HEADERS without the announced priority"))?;
            depends_on_itself = dependency == Some(head.stream);
        }
        let ended = head.has(flag::END_STREAM);
        if head.has(flag::END_HEADERS) {
            return self.block(head.stream, ended, depends_on_itself, bytes, now);
        }
        let bytes = bytes.to_vec();
        self.block = Some(Block { stream: head.stream, ended, depends_on_itself, bytes, pieces: 1 });
        Ok(())
    }

    fn continuation(&mut self, payload: &[u8], head: Head, now: u64) -> Result<(), Fatal> {
        let Some(mut block) = self.block.take() else {
            return Err(protocol("CONTINUATION without a header block"));
        };
        block.bytes.extend_from_slice(payload);
        block.pieces += 1;
        // A block may be somewhat larger than the list that it decodes to, but it must be bounded.
        let most = usize::try_from(self.config.max_header_list_size).unwrap_or(usize::MAX).saturating_mul(2);
        if block.bytes.len() > most.saturating_add(frame::LARGEST) || block.pieces > MAX_PIECES {
            return Err((ErrorCode::ENHANCE_YOUR_CALM, "a header block that is too long"));
        }
        if head.has(flag::END_HEADERS) {
            return self.block(block.stream, block.ended, block.depends_on_itself, &block.bytes, now);
        }
        self.block = Some(block);
        Ok(())
    }

    /// A header block is complete.
    fn block(
        &mut self,
        stream: u32,
        ended: bool,
        depends_on_itself: bool,
        bytes: &[u8],
        now: u64,
    ) -> Result<(), Fatal> {
        // Whatever happens to the stream: the dynamic table must process every block.
        let fields = self
            .decoder
            .decode(bytes)
            .map_err(|_| (ErrorCode::COMPRESSION_ERROR, "a header block cannot be decoded"))?;
        let is_new = self.is_idle(stream);
        if is_new {
            self.last_peer = stream;
        }
        match self.streams.get_mut(&stream).filter(|found| found.how.is_none()) {
            None if is_new => self.open_by_peer(stream, fields, ended, depends_on_itself, now),
            None => match self.closed.how(stream) {
                // Sent before the peer received the reset. A peer that goes on makes us decode in vain, so
                // it counts as idle.
                Some(How::ResetByUs) => self.idle_frame(now),
                Some(How::ResetByPeer) => self.stream_error(stream, ErrorCode::STREAM_CLOSED, now),
                Some(How::Ended) => Err((ErrorCode::STREAM_CLOSED, "HEADERS on a stream that has ended")),
                None => Err(protocol("a stream was opened that is not higher than those before")),
            },
            Some(found) if found.remote_ended => self.stream_error(stream, ErrorCode::STREAM_CLOSED, now),
            Some(found) if found.is_broken => {
                found.remote_ended |= ended;
                self.idle_frame(now)
            }
            Some(_) if depends_on_itself => self.stream_error(stream, ErrorCode::PROTOCOL_ERROR, now),
            Some(found) if found.has_head => self.trailers(stream, fields, ended, now),
            Some(_) => self.answer(stream, fields, ended, now),
        }
    }

    fn open_by_peer(
        &mut self,
        stream: u32,
        fields: Fields,
        ended: bool,
        depends_on_itself: bool,
        now: u64,
    ) -> Result<(), Fatal> {
        if depends_on_itself {
            return self.stream_error(stream, ErrorCode::PROTOCOL_ERROR, now);
        }
        // A stream that ended normally makes room at once. One that was reset does so only when its
        // request is no longer being handled: otherwise a client could start any number of requests
        // by cancelling each of them.
        let most = usize::try_from(self.config.max_concurrent_streams).unwrap_or(usize::MAX);
        if self.streams.len() >= most {
            self.reset_left();
        }
        let is_full = self.streams.len() >= most
            && self.streams.values().filter(|found| found.how != Some(How::Ended)).count() >= most;
        if self.is_draining || is_full {
            return self.stream_error(stream, ErrorCode::REFUSED_STREAM, now);
        }
        let mut opened = Stream::new(self.peer.initial_window, self.config.window);
        (opened.has_head, opened.remote_ended) = (true, ended);
        let malformed = match Request::of(&fields) {
            Ok(request) => {
                opened.content_length = request.content_length;
                (ended && !opened.matches_content_length())
                    .then_some(Malformed::Broken("The length of the body does not match its Content-Length."))
            }
            Err(malformed) => Some(malformed),
        };
        opened.is_broken = malformed.is_some();
        self.streams.insert(stream, opened);
        self.heads += 1;
        self.events.push_back(Event::Head { stream, fields, malformed, ended });
        Ok(())
    }

    /// The head of a response.
    fn answer(&mut self, stream: u32, fields: Fields, ended: bool, now: u64) -> Result<(), Fatal> {
        let Some(found) = self.streams.get_mut(&stream) else { return Ok(()) };
        let malformed = match Response::of(&fields) {
            Ok(answer) if answer.status < 200 => {
                ended.then_some(Malformed::Broken("An interim response ends its stream."))
            }
            Ok(answer) => {
                found.has_head = true;
                // Neither has a body, whatever its Content-Length (RFC 9110 section 8.6).
                found.is_to_head |= answer.status == 304 || answer.status == 204;
                found.content_length = answer.content_length;
                found.remote_ended = ended;
                (ended && !found.matches_content_length())
                    .then_some(Malformed::Broken("The length of the body does not match its Content-Length."))
            }
            Err(malformed) => Some(malformed),
        };
        found.is_broken = malformed.is_some();
        if ended && malformed.is_none() {
            self.remote_end(stream);
        }
        if malformed.is_some() {
            self.reset(stream, ErrorCode::PROTOCOL_ERROR);
        }
        self.heads += 1;
        self.events.push_back(Event::Head { stream, fields, malformed, ended });
        self.count_reset(malformed.is_some(), now)
    }

    fn trailers(&mut self, stream: u32, fields: Fields, ended: bool, now: u64) -> Result<(), Fatal> {
        let Some(found) = self.streams.get_mut(&stream) else { return Ok(()) };
        found.remote_ended = ended;
        if !ended {
            return self.broken(
                stream,
                "A second header block does not end the stream, as trailers must.",
                now,
            );
        }
        if let Err(Malformed::Broken(why)) = check_trailers(&fields) {
            return self.broken(stream, why, now);
        }
        if !found.matches_content_length() {
            return self.broken(stream, "The length of the body does not match its Content-Length.", now);
        }
        // Trailers that are too large are dropped: the body, which matters, is complete.
        found.trailers = (!fields.is_too_large()).then_some(fields);
        self.remote_end(stream);
        self.events.push_back(Event::Readable(stream));
        Ok(())
    }

    fn remote_end(&mut self, stream: u32) {
        if let Some(found) = self.streams.get_mut(&stream) {
            found.remote_ended = true;
            if found.local_ended && found.how.is_none() {
                found.how = Some(How::Ended);
                self.closed.remember(stream, How::Ended);
            }
        }
    }

    /// A message is malformed. A server responds before the stream is reset.
    fn broken(&mut self, stream: u32, why: &'static str, now: u64) -> Result<(), Fatal> {
        let Some(found) = self.streams.get_mut(&stream) else { return Ok(()) };
        found.is_broken = true;
        if self.config.role == Role::Client || found.local_ended {
            self.reset(stream, ErrorCode::PROTOCOL_ERROR);
        }
        self.events.push_back(Event::Broken { stream, why });
        self.count_reset(true, now)
    }

    fn priority(&mut self, head: Head, payload: &[u8], now: u64) -> Result<(), Fatal> {
        if head.stream == 0 {
            return Err(protocol("PRIORITY on stream 0"));
        }
        let Some(dependency) = frame::number(payload).filter(|_| payload.len() == 5) else {
            // A stream error, unless the stream is idle and cannot be reset.
            return match self.is_idle(head.stream) {
                true => Err(size("PRIORITY must have 5 bytes")),
                false => self.stream_error(head.stream, ErrorCode::FRAME_SIZE_ERROR, now),
            };
        };
        if dependency & 0x7fff_ffff == head.stream {
            return match self.is_idle(head.stream) {
                true => Err(protocol("a stream depends on itself")),
                false => self.stream_error(head.stream, ErrorCode::PROTOCOL_ERROR, now),
            };
        }
        self.idle_frame(now)
    }

    fn rst_stream(&mut self, head: Head, payload: &[u8], now: u64) -> Result<(), Fatal> {
        if self.is_idle(head.stream) {
            return Err(protocol("RST_STREAM on a stream that is not open"));
        }
        let code = frame::number(payload)
            .filter(|_| payload.len() == 4)
            .ok_or(size("RST_STREAM must have 4 bytes"))?;
        let code = ErrorCode(code);
        match self.streams.get_mut(&head.stream).filter(|stream| stream.how.is_none()) {
            Some(stream) => {
                stream.how = Some(How::ResetByPeer);
                // A request that was already responded to did not waste our work: its client stops an
                // upload that is not needed.
                let is_early = self.config.role == Role::Server && !stream.local_ended;
                self.closed.remember(head.stream, How::ResetByPeer);
                self.events.push_back(Event::Reset { stream: head.stream, code });
                self.count_reset(is_early, now)
            }
            // It crossed our reset, or reacts to it: that is expected once.
            None if self.closed.how(head.stream) == Some(How::ResetByUs) => {
                self.closed.remember(head.stream, How::ResetByPeer);
                Ok(())
            }
            // It crossed our END_STREAM.
            None => self.idle_frame(now),
        }
    }

    // === errors and floods ===

    /// Whether this stream was never opened.
    fn is_idle(&self, stream: u32) -> bool {
        match self.config.role {
            // We never push, and a client cannot receive requests.
            _ if stream.is_multiple_of(2) => true,
            Role::Server => stream > self.last_peer,
            Role::Client => stream >= self.next_own,
        }
    }

    /// Ends a stream because of an error of the peer.
    fn stream_error(&mut self, stream: u32, code: ErrorCode, now: u64) -> Result<(), Fatal> {
        Output::reset(&mut self.out, stream, code);
        self.closed.remember(stream, How::ResetByUs);
        if let Some(found) = self.streams.get_mut(&stream) {
            found.how = Some(How::ResetByUs);
            self.events.push_back(Event::Reset { stream, code });
        }
        self.count_reset(true, now)
    }

    fn count_reset(&mut self, counts: bool, now: u64) -> Result<(), Fatal> {
        if counts && !self.guard.reset(now) { Err(RESETS) } else { Ok(()) }
    }

    fn idle_frame(&mut self, now: u64) -> Result<(), Fatal> {
        if self.guard.idle_frame(now) { Ok(()) } else { Err(FLOOD) }
    }
}
