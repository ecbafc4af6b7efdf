//! What comes in: each frame against the rules of RFC 9113 sections 5 and 6.
//!
//! A function that returns an error ends the connection with it. Errors of a stream go through `stream_error`.

mod control;

use super::{Connection, Event, Role};
use crate::{
    ErrorCode, Fields, Malformed, PREFACE, Request, Response, check_trailers,
    closed::How,
    frame::{self, Head, flag, kind},
    output::Output,
    stream::Stream,
};

/// Frames that one header block may be cut into. Each costs its sender as much as it costs us, but
/// nothing else can come in between.
const MAX_PIECES: u32 = 128;
/// Heads that may wait to be looked at. A few bytes may decode to a large one, so that what stands in one read could
/// become any number of them.
const MAX_HEADS: usize = 16;

/// A header block that is not complete yet.
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

const FLOOD: Fatal = (ErrorCode::ENHANCE_YOUR_CALM, "too many frames that move nothing");
const RESETS: Fatal = (ErrorCode::ENHANCE_YOUR_CALM, "too many streams were reset");

impl Connection {
    /// Consumes whole frames from the front of `bytes`, and returns how many bytes those were: until none is left, or until
    /// [`Connection::next_event`] has many events to return. `now` is in milliseconds, of any clock that does not step back far.
    pub fn receive(&mut self, bytes: &[u8], now: u64) -> usize {
        let mut rest = bytes;
        loop {
            if self.failed.is_some() {
                return bytes.len(); // nothing that follows can be trusted to mean anything
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

    /// 0: what is there is not complete.
    fn receive_one(&mut self, bytes: &[u8], now: u64) -> Result<usize, Fatal> {
        if !self.has_preface {
            let length = bytes.len().min(PREFACE.len());
            if !PREFACE.starts_with(bytes.get(..length).unwrap_or_default()) {
                return Err(protocol("this is not the preface of HTTP/2"));
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
            return Err(protocol("the first frame has to be SETTINGS"));
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
                Some(How::ResetByUs) => Ok(()), // it was sent before the peer knew
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
        let has_length =
            stream.is_within_told_length() && (!ended || stream.has_told_length()) || stream.is_broken;
        if ended {
            stream.remote_ended = true;
        }
        let is_kept = has_length && !stream.is_broken && !stream.is_left;
        if is_kept {
            stream.inbox.push(data);
        }
        // What is not kept is used already: the padding, and what belongs to nothing that is understood.
        let used = payload.len() - if is_kept { data.len() } else { 0 };
        // The window of a body that nobody reads stays closed.
        let is_open = !stream.remote_ended && !stream.is_left;
        let increment = stream.receive.give_back(used).filter(|_| is_open);
        self.give_back(used);
        if let Some(increment) = increment {
            self.out.window_update(head.stream, increment);
        }
        if !has_length {
            return self.broken(head.stream, "The body is not as long as its Content-Length says.", now);
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
            return Err(protocol("HEADERS on a stream that cannot be"));
        }
        let mut bytes = frame::unpad(head, payload).ok_or(protocol("more padding than payload"))?;
        let mut depends_on_itself = false;
        if head.has(flag::PRIORITY) {
            let dependency = frame::number(bytes).map(|number| number & 0x7fff_ffff);
            bytes = bytes.get(5..).ok_or(size("HEADERS without the priority that it announces"))?;
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
        // A block may be somewhat larger than the list that it decodes to, but not without end.
        let most = usize::try_from(self.config.largest_list).unwrap_or(usize::MAX).saturating_mul(2);
        if block.bytes.len() > most.saturating_add(frame::LARGEST) || block.pieces > MAX_PIECES {
            return Err((ErrorCode::ENHANCE_YOUR_CALM, "a header block without end"));
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
        // Whatever becomes of the stream: the table has to see every block.
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
                // It was sent before the peer knew. One that goes on has us decode for nothing.
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
        // A stream that ended normally makes room at once. One that was reset does so only when nobody works on it any
        // more: else a client could have any number of requests worked on by taking each of them back.
        let most = usize::try_from(self.config.most_streams).unwrap_or(usize::MAX);
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
                opened.told_length = request.content_length;
                (ended && !opened.has_told_length())
                    .then_some(Malformed::Broken("The body is not as long as its Content-Length says."))
            }
            Err(malformed) => Some(malformed),
        };
        opened.is_broken = malformed.is_some();
        self.streams.insert(stream, opened);
        self.heads += 1;
        self.events.push_back(Event::Head { stream, fields, malformed, ended });
        Ok(())
    }

    /// The head of an answer to us.
    fn answer(&mut self, stream: u32, fields: Fields, ended: bool, now: u64) -> Result<(), Fatal> {
        let Some(found) = self.streams.get_mut(&stream) else { return Ok(()) };
        let malformed = match Response::of(&fields) {
            Ok(answer) if answer.status < 200 => {
                ended.then_some(Malformed::Broken("An interim answer ends its stream."))
            }
            Ok(answer) => {
                found.has_head = true;
                // Both have no body, whatever the length says that one would have (RFC 9110 section 8.6).
                found.is_to_head |= answer.status == 304 || answer.status == 204;
                found.told_length = answer.content_length;
                found.remote_ended = ended;
                (ended && !found.has_told_length())
                    .then_some(Malformed::Broken("The body is not as long as its Content-Length says."))
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
                "A second header block does not end the stream, as trailers have to.",
                now,
            );
        }
        if let Err(Malformed::Broken(why)) = check_trailers(&fields) {
            return self.broken(stream, why, now);
        }
        if !found.has_told_length() {
            return self.broken(stream, "The body is not as long as its Content-Length says.", now);
        }
        // Trailers that are too large are dropped: what counts, the body, is there.
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

    /// A message turned out to be malformed. As a server, we answer before the stream is reset.
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
            // An error of the stream, unless there is none that could be reset.
            return match self.is_idle(head.stream) {
                true => Err(size("PRIORITY has to have 5 bytes")),
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
            .ok_or(size("RST_STREAM has to have 4 bytes"))?;
        let code = ErrorCode(code);
        match self.streams.get_mut(&head.stream).filter(|stream| stream.how.is_none()) {
            Some(stream) => {
                stream.how = Some(How::ResetByPeer);
                // What was answered in full was no work for nothing: its sender stops an upload that is not needed.
                let is_early = self.config.role == Role::Server && !stream.local_ended;
                self.closed.remember(head.stream, How::ResetByPeer);
                self.events.push_back(Event::Reset { stream: head.stream, code });
                self.count_reset(is_early, now)
            }
            // It crossed a reset of ours, or answers it: once, that is expected.
            None if self.closed.how(head.stream) == Some(How::ResetByUs) => {
                self.closed.remember(head.stream, How::ResetByPeer);
                Ok(())
            }
            // It crossed an end.
            None => self.idle_frame(now),
        }
    }

    // === errors and floods ===

    /// Nobody has opened this stream yet, nor can it be one that was closed.
    fn is_idle(&self, stream: u32) -> bool {
        match self.config.role {
            // We never push, and whoever asks us cannot.
            _ if stream.is_multiple_of(2) => true,
            Role::Server => stream > self.last_peer,
            Role::Client => stream >= self.next_own,
        }
    }

    /// Ends a stream because of what the peer did.
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
