//! A connection: its state, what is sent on it, and what its user asks of it. What is received: `receive`; messages that are sent: `send`.

mod receive;
mod send;

use crate::{
    ErrorCode, Fields, Malformed, PREFACE,
    closed::Closed,
    flow::{ReceiveWindow, SendWindow},
    guard::Guard,
    hpack,
    output::Output,
    settings::{self, Settings, id},
    stream::Stream,
};
use receive::Block;
use std::collections::{BTreeMap, VecDeque};

/// Which side of the connection we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We ask.
    Client,
    /// We answer.
    Server,
}

/// The bounds of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Which side we are.
    pub role: Role,
    /// Streams that the peer may have open at once.
    pub most_streams: u32,
    /// Bytes of one stream's body that the peer may send ahead: at least 65,535, which every peer takes for granted.
    pub window: u32,
    /// Bytes of all bodies that the peer may send ahead.
    pub connection_window: u32,
    /// Bytes of a list of header fields, counted as RFC 9113 section 6.5.2 has it.
    pub largest_list: u32,
}

/// What happened on a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A message has begun: a request, or an answer (1xx answers too).
    Head {
        /// The stream.
        stream: u32,
        /// Its fields.
        fields: Fields,
        /// What is wrong with them. The user of a server answers, and then resets the stream; a client's was reset.
        malformed: Option<Malformed>,
        /// There is no body.
        ended: bool,
    },
    /// There is something to read on a stream, or its end.
    Readable(u32),
    /// A stream may have room to write; 0: any of them.
    Writable(u32),
    /// A message turned out to be malformed behind its head. As with [`Event::Head`].
    Broken {
        /// The stream.
        stream: u32,
        /// Why.
        why: &'static str,
    },
    /// A stream was reset, by the peer or because of what the peer did.
    Reset {
        /// The stream.
        stream: u32,
        /// Why.
        code: ErrorCode,
    },
    /// The peer opens or takes no more streams.
    GoAway {
        /// The last stream of ours that it has looked at.
        last: u32,
        /// Why.
        code: ErrorCode,
    },
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    config: Config,
    peer: Settings,
    decoder: hpack::Decoder,
    encoder: hpack::Encoder,
    streams: BTreeMap<u32, Stream>,
    /// How many of them were answered in full, have no reader, and may still be ended by the peer.
    left: usize,
    closed: Closed,
    /// The highest stream that the peer has opened.
    last_peer: u32,
    /// The next stream that we open.
    next_own: u32,
    send: SendWindow,
    receive: ReceiveWindow,
    block: Option<Block>,
    has_preface: bool,
    has_settings: bool,
    /// We have sent GOAWAY: streams behind this are refused.
    is_draining: bool,
    peer_is_going: bool,
    failed: Option<(ErrorCode, &'static str)>,
    guard: Guard,
    events: VecDeque<Event>,
    /// Heads among the events.
    heads: usize,
    out: Output,
    scratch: Vec<u8>,
}

impl Connection {
    /// A connection on which nothing was sent yet. Its preface waits to be written.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut out = Output::default();
        match config.role {
            Role::Client => {
                out.raw(PREFACE);
                settings::write(
                    &[
                        (id::ENABLE_PUSH, 0),
                        (id::INITIAL_WINDOW_SIZE, config.window),
                        (id::MAX_HEADER_LIST_SIZE, config.largest_list),
                    ],
                    &mut out,
                );
            }
            Role::Server => settings::write(
                &[
                    (id::MAX_CONCURRENT_STREAMS, config.most_streams),
                    (id::INITIAL_WINDOW_SIZE, config.window),
                    (id::MAX_HEADER_LIST_SIZE, config.largest_list),
                    (id::NO_RFC7540_PRIORITIES, 1),
                ],
                &mut out,
            ),
        }
        let default = crate::flow::DEFAULT;
        let connection_window = config.connection_window.max(default);
        if connection_window > default {
            out.window_update(0, connection_window - default);
        }
        Self {
            config,
            peer: Settings::default(),
            decoder: hpack::Decoder::new(usize::try_from(config.largest_list).unwrap_or(usize::MAX)),
            encoder: hpack::Encoder::default(),
            streams: BTreeMap::new(),
            left: 0,
            closed: Closed::new(config.most_streams),
            last_peer: 0,
            next_own: 1,
            send: SendWindow::new(default),
            receive: ReceiveWindow::new(connection_window),
            block: None,
            // A server's preface is its SETTINGS alone.
            has_preface: config.role == Role::Client,
            has_settings: false,
            is_draining: false,
            peer_is_going: false,
            failed: None,
            guard: Guard::new(),
            events: VecDeque::new(),
            heads: 0,
            out,
            scratch: Vec::new(),
        }
    }

    /// What happened next.
    pub fn next_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if let Some(Event::Head { .. }) = event {
            self.heads -= 1;
        }
        event
    }

    // === what is to be written ===

    /// Bytes that are to be written now.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.out.waiting()
    }

    /// Where the first byte of [`Connection::output`] stands in all that was ever written.
    #[must_use]
    pub const fn output_front(&self) -> u64 {
        self.out.front()
    }

    /// Where what is written next will stand.
    #[must_use]
    pub const fn output_end(&self) -> u64 {
        self.out.end()
    }

    /// Removes bytes that were written from the front of the output.
    pub fn take_output(&mut self, count: usize) {
        self.out.take(count);
    }

    /// Gives back memory that an idle connection does not need.
    pub fn rest(&mut self) {
        self.out.rest();
        self.decoder.rest();
        self.scratch = Vec::new();
        self.events.shrink_to(4);
        self.closed.rest();
        // An empty map keeps a node for eleven streams.
        if self.streams.is_empty() {
            self.streams = BTreeMap::new();
        }
    }

    // === the state ===

    /// Streams that somebody still works on.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams.values().filter(|stream| !stream.is_left).count()
    }

    /// The error that has ended the connection, as its last frame names it.
    #[must_use]
    pub fn failed(&self) -> Option<ErrorCode> {
        self.failed.map(|(code, _)| code)
    }

    /// The debug text in the last frame of a connection that has failed.
    #[must_use]
    pub fn why_failed(&self) -> Option<&'static str> {
        self.failed.map(|(_, why)| why)
    }

    /// [`Connection::drain`] was called.
    #[must_use]
    pub const fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// The peer opens or takes no more streams.
    #[must_use]
    pub const fn peer_is_going(&self) -> bool {
        self.peer_is_going
    }

    /// A header block has begun and not ended: nothing else can come on this connection.
    #[must_use]
    pub const fn is_within_block(&self) -> bool {
        self.block.is_some()
    }

    /// The peer has sent its SETTINGS, which must be its first frame.
    #[must_use]
    pub const fn has_settings(&self) -> bool {
        self.has_settings
    }

    /// Whether there are streams whose message was answered in full before it ended.
    #[must_use]
    pub const fn has_left(&self) -> bool {
        self.left > 0
    }

    /// Resets the streams whose message was answered in full before it ended: the rest of it is not needed.
    pub fn reset_left(&mut self) {
        while self.reset_oldest_left() {}
    }

    /// Resets those of them that were there at the last call already.
    pub fn reset_stale(&mut self) {
        let left = self.streams.iter_mut().filter(|(_, found)| found.is_left);
        let stale = left
            .filter_map(|(stream, found)| std::mem::replace(&mut found.is_stale, true).then_some(*stream));
        for stream in stale.collect::<Vec<_>>() {
            self.reset(stream, ErrorCode::NO_ERROR);
            self.forget_left(stream);
        }
    }

    fn reset_oldest_left(&mut self) -> bool {
        let left = self.streams.iter().find(|(_, found)| found.is_left).filter(|_| self.left > 0);
        let Some((&stream, _)) = left else { return false };
        self.reset(stream, ErrorCode::NO_ERROR);
        self.forget_left(stream);
        true
    }

    fn forget_left(&mut self, stream: u32) {
        if self.streams.remove(&stream).is_some_and(|found| found.is_left) {
            self.left = self.left.saturating_sub(1);
        }
    }

    /// Opens no stream any more that the peer begins; those that are open go on.
    pub fn drain(&mut self) {
        if !self.is_draining && self.failed.is_none() {
            self.is_draining = true;
            self.out.go_away(self.last_peer, ErrorCode::NO_ERROR, "");
        }
    }

    /// Ends the connection: nothing is read any more, and the last thing written says why.
    pub fn fail(&mut self, code: ErrorCode, why: &'static str) {
        if self.failed.is_none() {
            self.failed = Some((code, why));
            self.out.go_away(self.last_peer, code, why);
        }
    }

    // === bodies that come ===

    /// Bytes of a stream's body that are here.
    #[must_use]
    pub fn readable(&self, stream: u32) -> &[u8] {
        self.streams.get(&stream).map(|found| found.inbox.filled()).unwrap_or_default()
    }

    /// Bytes of a stream's body were consumed: the peer may send as many again.
    pub fn consume(&mut self, stream: u32, count: usize) {
        let Some(found) = self.streams.get_mut(&stream) else { return };
        let count = found.inbox.consume(count);
        if let Some(increment) = found.receive.give_back(count)
            && !found.remote_ended
            && found.how.is_none()
        {
            self.out.window_update(stream, increment);
        }
        self.give_back(count);
    }

    /// The peer has said all it had to say on this stream, and all of it was read.
    #[must_use]
    pub fn has_ended(&self, stream: u32) -> bool {
        self.streams
            .get(&stream)
            .is_none_or(|found| found.remote_ended && !found.is_broken && found.inbox.filled().is_empty())
    }

    /// The trailers that a stream's body ended with.
    pub fn take_trailers(&mut self, stream: u32) -> Option<Fields> {
        self.streams.get_mut(&stream)?.trailers.take()
    }

    /// So much of the connection's window is free again.
    fn give_back(&mut self, count: usize) {
        if let Some(increment) = self.receive.give_back(count) {
            self.out.window_update(0, increment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_of_a_stream_is_the_last_that_is_opened() {
        let config = Config {
            role: Role::Client,
            most_streams: 10,
            window: 65_535,
            connection_window: 65_535,
            largest_list: 16_384,
        };
        let mut client = Connection::new(config);
        // After a thousand million requests.
        client.next_own = 0x7fff_fffd;
        assert!(!client.is_used_up());
        assert_eq!(client.open([(&b":method"[..], &b"GET"[..])], true, false), Some(0x7fff_fffd));
        assert!(client.is_used_up() && !client.can_open());
        assert_eq!(client.open([(&b":method"[..], &b"GET"[..])], true, false), None);
    }
}
