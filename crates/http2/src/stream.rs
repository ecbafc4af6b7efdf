//! One stream: which sides are open, its windows, and body data that was received and not consumed.

use crate::{
    Fields,
    closed::How,
    flow::{ReceiveWindow, SendWindow},
};

/// Capacity that an empty inbox keeps.
const KEPT: usize = 16 * 1024;

/// A stream in use.
#[derive(Debug)]
pub(crate) struct Stream {
    /// We have sent END_STREAM.
    pub(crate) local_ended: bool,
    /// The peer has sent END_STREAM.
    pub(crate) remote_ended: bool,
    /// How it was closed.
    pub(crate) how: Option<How>,
    pub(crate) send: SendWindow,
    pub(crate) receive: ReceiveWindow,
    pub(crate) inbox: Inbox,
    pub(crate) trailers: Option<Fields>,
    /// The peer's head was received (for a response: the final one).
    pub(crate) has_head: bool,
    /// Malformed: further data is dropped.
    pub(crate) is_broken: bool,
    /// A response was sent and the stream is no longer in use: further frames are checked and dropped.
    pub(crate) is_left: bool,
    /// It has been so since the previous check.
    pub(crate) is_stale: bool,
    /// Responses have no body, whatever their Content-Length.
    pub(crate) is_to_head: bool,
    /// The value of Content-Length, if present.
    pub(crate) content_length: Option<u64>,
    pub(crate) received: u64,
}

impl Stream {
    pub(crate) fn new(send: u32, receive: u32) -> Self {
        Self {
            local_ended: false,
            remote_ended: false,
            how: None,
            send: SendWindow::new(send),
            receive: ReceiveWindow::new(receive),
            inbox: Inbox::default(),
            trailers: None,
            has_head: false,
            is_broken: false,
            is_left: false,
            is_stale: false,
            is_to_head: false,
            content_length: None,
            received: 0,
        }
    }

    /// Whether the length of the ended body matches Content-Length.
    pub(crate) fn matches_content_length(&self) -> bool {
        self.content_length
            .is_none_or(|length| length == self.received || self.is_to_head && self.received == 0)
    }

    /// Whether a response lacks only its END_STREAM.
    pub(crate) fn lacks_only_its_end(&self) -> bool {
        self.has_head && (self.is_to_head || self.content_length == Some(self.received))
    }

    /// Whether the received data does not exceed Content-Length.
    pub(crate) fn is_within_content_length(&self) -> bool {
        self.content_length.is_none_or(|length| self.received <= length)
    }
}

/// Body data that was received and not consumed. The stream's window bounds it.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    used: usize,
}

impl Inbox {
    pub(crate) fn filled(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.used > KEPT && self.used > self.bytes.len() / 2 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Consumes bytes and returns how many there were.
    pub(crate) fn consume(&mut self, count: usize) -> usize {
        let count = count.min(self.filled().len());
        self.used += count;
        if self.used == self.bytes.len() {
            self.used = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEPT {
                self.bytes = Vec::new();
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_matches_its_content_length_and_may_be_absent_for_head() {
        for (content_length, received, is_to_head, fits) in [
            (None, 5, false, true),
            (Some(5), 5, false, true),
            (Some(5), 4, false, false),
            (Some(5), 0, false, false),
            (Some(5), 0, true, true),
            (Some(5), 1, true, false),
        ] {
            let mut stream = Stream::new(1, 1);
            (stream.content_length, stream.received, stream.is_to_head) =
                (content_length, received, is_to_head);
            assert_eq!(
                stream.matches_content_length(),
                fits,
                "{received} of {content_length:?}, to HEAD: {is_to_head}"
            );
        }
    }

    #[test]
    fn memory_of_what_was_used_is_given_back_a_good_deal_at_a_time() {
        const KEPT: usize = 16 * 1024;
        for (length, is_kept) in [(KEPT, true), (KEPT + 1, false)] {
            let mut inbox = Inbox { bytes: Vec::with_capacity(length), used: 0 };
            inbox.push(&vec![0; length]);
            assert_eq!(inbox.consume(usize::MAX), length);
            assert_eq!(inbox.bytes.capacity() > 0, is_kept, "{length}");
        }
        // (bytes, consumed, whether consumed bytes are removed when more arrive)
        for (length, used, is_moved) in [
            (2 * KEPT, KEPT, false),
            (2 * KEPT - 2, KEPT, false),
            (2 * KEPT, KEPT + 1, true),
            (2 * KEPT + 2, KEPT + 1, false),
            (2 * KEPT + 2, KEPT + 2, true),
        ] {
            let mut inbox = Inbox::default();
            inbox.push(&vec![b'a'; length]);
            inbox.consume(used);
            inbox.push(b"b");
            assert_eq!(inbox.used == 0, is_moved, "{used} of {length}");
            assert_eq!((inbox.filled().len(), inbox.filled().last()), (length - used + 1, Some(&b'b')));
        }
    }
}
