//! One stream: which sides are still open, its windows, and what of its body was received and not used yet.

use crate::{
    Fields,
    closed::How,
    flow::{ReceiveWindow, SendWindow},
};

/// Memory that an empty inbox keeps.
const KEPT: usize = 16 * 1024;

/// A stream that somebody still works on.
#[derive(Debug)]
pub(crate) struct Stream {
    /// We have sent END_STREAM.
    pub(crate) local_ended: bool,
    /// The peer has sent END_STREAM.
    pub(crate) remote_ended: bool,
    /// The protocol is done with it.
    pub(crate) how: Option<How>,
    pub(crate) send: SendWindow,
    pub(crate) receive: ReceiveWindow,
    pub(crate) inbox: Inbox,
    pub(crate) trailers: Option<Fields>,
    /// The peer's head is here (of an answer: the final one).
    pub(crate) has_head: bool,
    /// It was found malformed: what still comes is dropped.
    pub(crate) is_broken: bool,
    /// It was answered, and nobody works on it any more: what still comes is judged and dropped.
    pub(crate) is_left: bool,
    /// It has been so for a while.
    pub(crate) is_stale: bool,
    /// Answers have no body here, whatever their Content-Length says.
    pub(crate) is_to_head: bool,
    /// The length of the body that the head told.
    pub(crate) told_length: Option<u64>,
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
            told_length: None,
            received: 0,
        }
    }

    /// Whether the body that came is as long as was told, now that it has ended.
    pub(crate) fn has_told_length(&self) -> bool {
        self.told_length.is_none_or(|told| told == self.received || self.is_to_head && self.received == 0)
    }

    /// Whether all of an answer is here, and only the frame that ends it is still to come.
    pub(crate) fn lacks_only_its_end(&self) -> bool {
        self.has_head && (self.is_to_head || self.told_length == Some(self.received))
    }

    /// Whether what came is within what was told.
    pub(crate) fn is_within_told_length(&self) -> bool {
        self.told_length.is_none_or(|told| self.received <= told)
    }
}

/// Bytes of a body that were received and not used yet. The stream's window bounds them.
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

    /// Uses bytes, and tells how many there were to use.
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
    fn a_body_is_as_long_as_was_told_and_to_head_there_may_be_none() {
        for (told, received, is_to_head, fits) in [
            (None, 5, false, true),
            (Some(5), 5, false, true),
            (Some(5), 4, false, false),
            (Some(5), 0, false, false),
            (Some(5), 0, true, true),
            (Some(5), 1, true, false),
        ] {
            let mut stream = Stream::new(1, 1);
            (stream.told_length, stream.received, stream.is_to_head) = (told, received, is_to_head);
            assert_eq!(stream.has_told_length(), fits, "{received} of {told:?}, to HEAD: {is_to_head}");
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
        // (bytes, used, whether those that were used are taken out when more comes)
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
