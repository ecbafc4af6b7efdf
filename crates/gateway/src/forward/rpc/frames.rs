//! Messages in frames: a byte of flags, four bytes of length, the message. The last frame has the
//! status of the call.

use super::{Status, UNKNOWN, fields_named, is_gzip, one_status};
use contract::grpc;
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Maximum size of the last frame, compressed or not.
const MAX_END: u32 = 64 * 1024;

/// How the last frame is marked, and what it contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// gRPC-Web: trailers as lines, marked by the flag 0x80.
    Trailers,
    /// Connect: JSON, marked by the flag 0x02.
    Json,
}

/// Reads frames that arrive in pieces.
#[derive(Debug)]
pub(super) struct Frames {
    ending: Ending,
    /// The compression of frames is gzip.
    knows_coding: bool,
    head: [u8; 5],
    /// Bytes of a frame header received so far.
    begun: usize,
    /// Bytes of the frame still to come.
    left: u32,
    /// The last frame, once it has begun.
    end: Option<Vec<u8>>,
    is_compressed: bool,
    status: Option<Status>,
}

impl Frames {
    /// `coding`: the frame compression named in the head.
    pub(super) fn new(ending: Ending, coding: Option<&[u8]>) -> Self {
        Self {
            ending,
            knows_coding: coding.is_some_and(is_gzip),
            head: [0; 5],
            begun: 0,
            left: 0,
            end: None,
            is_compressed: false,
            status: None,
        }
    }

    /// The status in the last frame, if it has arrived.
    pub(super) fn status(&self) -> Status {
        self.status.unwrap_or(Status::Missing)
    }

    /// The data is not valid frames.
    pub(super) const fn give_up(&mut self) {
        self.status = Some(UNKNOWN);
    }

    pub(super) fn read(&mut self, mut part: &[u8]) {
        while !part.is_empty() {
            if self.status.is_some() {
                // It is unknown how a client would interpret data after the end.
                return self.give_up();
            }
            if self.left > 0 {
                let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(part.len());
                let (now, later) = part.split_at(count);
                part = later;
                self.left -= u32::try_from(count).unwrap_or(self.left);
                if let Some(end) = &mut self.end {
                    end.extend_from_slice(now);
                }
            } else {
                let wanted = self.head.get_mut(self.begun..).unwrap_or_default();
                let count = wanted.len().min(part.len());
                let (now, later) = part.split_at(count);
                for (place, byte) in wanted.iter_mut().zip(now) {
                    *place = *byte;
                }
                part = later;
                self.begun += count;
                if self.begun < self.head.len() {
                    return;
                }
                self.begun = 0;
                self.begin();
            }
            if self.left == 0
                && let Some(end) = self.end.take()
            {
                self.status = Some(self.read_end(&end));
            }
        }
    }

    /// A frame header is complete.
    fn begin(&mut self) {
        let [flags, length @ ..] = self.head;
        self.left = u32::from_be_bytes(length);
        let is_end = match self.ending {
            Ending::Trailers => flags & 0x80 != 0,
            Ending::Json => flags & 0x02 != 0,
        };
        if is_end && self.left > MAX_END {
            self.give_up();
        } else if is_end {
            self.is_compressed = flags & 0x01 != 0;
            self.end = Some(Vec::new());
        }
    }

    fn read_end(&self, end: &[u8]) -> Status {
        if !self.is_compressed {
            return self.read_plain_end(end);
        }
        let mut plain = Vec::new();
        let most = u64::from(MAX_END) + 1;
        let is_read =
            self.knows_coding && MultiGzDecoder::new(end).take(most).read_to_end(&mut plain).is_ok();
        if is_read && plain.len() < most as usize { self.read_plain_end(&plain) } else { UNKNOWN }
    }

    fn read_plain_end(&self, end: &[u8]) -> Status {
        match self.ending {
            Ending::Trailers => one_status(fields_named(end, b"grpc-status")),
            Ending::Json => match serde_json::from_slice::<End>(end) {
                Ok(End { error: None }) => Status::Success,
                Ok(End { error: Some(error) }) => {
                    let status = error.code.as_deref().and_then(grpc::of_connect).unwrap_or(grpc::UNKNOWN);
                    Status::Error(grpc::recorded_as(status))
                }
                Err(_) => UNKNOWN,
            },
        }
    }

    /// The body has ended. Its status: an error if it ended inside a frame.
    pub(super) fn finish(&mut self) -> Status {
        if self.begun > 0 || self.left > 0 {
            self.give_up();
        }
        self.status()
    }
}

/// The last frame of a Connect stream.
#[derive(serde::Deserialize)]
struct End {
    error: Option<EndError>,
}

#[derive(serde::Deserialize)]
struct EndError {
    code: Option<String>,
}
