//! A connection: its state, its output, and the calls of its user. Receiving is in `receive`,
//! sending messages in `send`.

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
    /// We send requests.
    Client,
    /// We send responses.
    Server,
}

/// The limits of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Which side we are.
    pub role: Role,
    /// Streams that the peer may have open at once.
    pub max_concurrent_streams: u32,
    /// The initial window of a stream: at least 65,535 bytes, which a peer may assume before it
    /// reads our SETTINGS.
    pub window: u32,
    /// The window of the connection, in bytes.
    pub connection_window: u32,
    /// Limit of a field section, in bytes as counted by RFC 9113 section 6.5.2.
    pub max_header_list_size: u32,
}

/// What happened on a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The head of a message: a request, or a response (1xx included).
    Head {
        /// The stream.
        stream: u32,
        /// Its fields.
        fields: Fields,
        /// Why they are malformed. A server's user responds and then resets the stream; a client's stream
        /// was already reset.
        malformed: Option<Malformed>,
        /// The message has no body.
        ended: bool,
    },
    /// A stream has data to read, or has ended.
    Readable(u32),
    /// A stream may have room to write. 0: any of them.
    Writable(u32),
    /// A message is malformed, which showed only after its head. Handled like a malformed [`Event::Head`].
    Broken {
        /// The stream.
        stream: u32,
        /// Why.
        why: &'static str,
    },
    /// A stream was reset, by the peer or because of an error of the peer.
    Reset {
        /// The stream.
        stream: u32,
        /// Why.
        code: ErrorCode,
    },
    /// The peer opens or accepts no more streams.
    GoAway {
        /// The last of our streams that it processed.
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
    /// How many of them were responded to in full, have no reader, and may still be ended by the peer.
    left: usize,
    closed: Closed,
    /// The highest stream identifier that the peer has opened.
    last_peer: u32,
    /// The next stream identifier that we open.
    next_own: u32,
    send: SendWindow,
    receive: ReceiveWindow,
    block: Option<Block>,
    has_preface: bool,
    has_settings: bool,
    /// We have sent GOAWAY: streams above the last identifier are refused.
    is_draining: bool,
    peer_is_going: bool,
    failed: Option<(ErrorCode, &'static str)>,
    guard: Guard,
    events: VecDeque<Event>,
    /// How many of the events are heads.
    heads: usize,
    out: Output,
    scratch: Vec<u8>,
}

impl Connection {
    /// A new connection. Its preface is in the output.
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
                        (id::MAX_HEADER_LIST_SIZE, config.max_header_list_size),
                    ],
                    &mut out,
                );
            }
            Role::Server => settings::write(
                &[
                    (id::MAX_CONCURRENT_STREAMS, config.max_concurrent_streams),
                    (id::INITIAL_WINDOW_SIZE, config.window),
                    (id::MAX_HEADER_LIST_SIZE, config.max_header_list_size),
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
            decoder: hpack::Decoder::new(usize::try_from(config.max_header_list_size).unwrap_or(usize::MAX)),
            encoder: hpack::Encoder::default(),
            streams: BTreeMap::new(),
            left: 0,
            closed: Closed::new(config.max_concurrent_streams),
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

    /// The next event.
    pub fn next_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if let Some(Event::Head { .. }) = event {
            self.heads -= 1;
        }
        event
    }

    // === output ===

    /// Bytes to write now.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.out.waiting()
    }

    /// The offset of the first byte of [`Connection::output`] among all bytes ever written.
    #[must_use]
    pub const fn output_front(&self) -> u64 {
        self.out.front()
    }

    /// The offset of the next byte that will be added to the output.
    #[must_use]
    pub const fn output_end(&self) -> u64 {
        self.out.end()
    }

    /// Removes written bytes from the front of the output.
    pub fn take_output(&mut self, count: usize) {
        self.out.take(count);
    }

    /// Releases memory that an idle connection does not need.
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

    // === state ===

    /// How many streams are in use.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams.values().filter(|stream| !stream.is_left).count()
    }

    /// The error that ended the connection, as in its GOAWAY frame.
    #[must_use]
    pub fn failed(&self) -> Option<ErrorCode> {
        self.failed.map(|(code, _)| code)
    }

    /// The debug data in the GOAWAY frame of a failed connection.
    #[must_use]
    pub fn why_failed(&self) -> Option<&'static str> {
        self.failed.map(|(_, why)| why)
    }

    /// Whether [`Connection::drain`] was called.
    #[must_use]
    pub const fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// The peer opens or accepts no more streams.
    #[must_use]
    pub const fn peer_is_going(&self) -> bool {
        self.peer_is_going
    }

    /// A header block has begun and is not complete: no other frame may arrive before its end.
    #[must_use]
    pub const fn is_within_block(&self) -> bool {
        self.block.is_some()
    }

    /// The peer has sent its SETTINGS, which must be its first frame.
    #[must_use]
    pub const fn has_settings(&self) -> bool {
        self.has_settings
    }

    /// Whether there are streams whose request was responded to in full before it ended.
    #[must_use]
    pub const fn has_left(&self) -> bool {
        self.left > 0
    }

    /// Resets the streams whose request was responded to in full before it ended: the rest of it is
    /// not needed.
    pub fn reset_left(&mut self) {
        while self.reset_oldest_left() {}
    }

    /// Resets those of them that existed at the previous call.
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

    /// Refuses new streams of the peer; those that are open continue.
    pub fn drain(&mut self) {
        if !self.is_draining && self.failed.is_none() {
            self.is_draining = true;
            self.out.go_away(self.last_peer, ErrorCode::NO_ERROR, "");
        }
    }

    /// Ends the connection: nothing more is read, and the last frame written states the reason.
    pub fn fail(&mut self, code: ErrorCode, why: &'static str) {
        if self.failed.is_none() {
            self.failed = Some((code, why));
            self.out.go_away(self.last_peer, code, why);
        }
    }

    // === received bodies ===

    /// Received bytes of a stream's body.
    #[must_use]
    pub fn readable(&self, stream: u32) -> &[u8] {
        self.streams.get(&stream).map(|found| found.inbox.filled()).unwrap_or_default()
    }

    /// Marks bytes of a stream's body as consumed: the peer may send as many again.
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

    /// The peer has ended this stream, and all data was read.
    #[must_use]
    pub fn has_ended(&self, stream: u32) -> bool {
        self.streams
            .get(&stream)
            .is_none_or(|found| found.remote_ended && !found.is_broken && found.inbox.filled().is_empty())
    }

    /// Returns the trailers of a stream's body.
    pub fn take_trailers(&mut self, stream: u32) -> Option<Fields> {
        self.streams.get_mut(&stream)?.trailers.take()
    }

    /// Gives this much of the connection's window back to the peer.
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
            max_concurrent_streams: 10,
            window: 65_535,
            connection_window: 65_535,
            max_header_list_size: 16_384,
        };
        let mut client = Connection::new(config);
        // After a billion requests.
        client.next_own = 0x7fff_fffd;
        assert!(!client.is_used_up());
        assert_eq!(client.open([(&b":method"[..], &b"GET"[..])], true, false), Some(0x7fff_fffd));
        assert!(client.is_used_up() && !client.can_open());
        assert_eq!(client.open([(&b":method"[..], &b"GET"[..])], true, false), None);
    }
}
