//! Messages in frames: a byte of flags, four of length, the message. The last frame tells what the call has come to.

use super::{Told, UNTOLD, fields_named, is_gzip, one_status};
use contract::grpc;
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Bytes that the last frame may have, compressed or not.
const MAX_END: u32 = 64 * 1024;

/// How the last frame is known, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Of gRPC-Web: trailers in lines, by the flag 0x80.
    Trailers,
    /// Of Connect: JSON, by the flag 0x02.
    Json,
}

/// Reads frames that arrive in pieces.
#[derive(Debug)]
pub(super) struct Frames {
    ending: Ending,
    /// What compressed frames are compressed by is gzip.
    knows_coding: bool,
    head: [u8; 5],
    /// Bytes of a frame's head that are here.
    begun: usize,
    /// Bytes of the frame that are still to come.
    left: u32,
    /// The last frame, once it has begun.
    end: Option<Vec<u8>>,
    is_compressed: bool,
    told: Option<Told>,
}

impl Frames {
    /// `coding`: what the head says of how frames are compressed.
    pub(super) fn new(ending: Ending, coding: Option<&[u8]>) -> Self {
        Self {
            ending,
            knows_coding: coding.is_some_and(is_gzip),
            head: [0; 5],
            begun: 0,
            left: 0,
            end: None,
            is_compressed: false,
            told: None,
        }
    }

    /// What the last frame has told, if it is here.
    pub(super) fn told(&self) -> Told {
        self.told.unwrap_or(Told::Nothing)
    }

    /// What comes is not frames.
    pub(super) const fn give_up(&mut self) {
        self.told = Some(UNTOLD);
    }

    pub(super) fn read(&mut self, mut part: &[u8]) {
        while !part.is_empty() {
            if self.told.is_some() {
                // Whatever stands behind the end, nobody knows what it would mean to the client.
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
                self.told = Some(self.tell(&end));
            }
        }
    }

    /// A frame's head is here.
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

    fn tell(&self, end: &[u8]) -> Told {
        if !self.is_compressed {
            return self.tell_plain(end);
        }
        let mut plain = Vec::new();
        let most = u64::from(MAX_END) + 1;
        let is_read =
            self.knows_coding && MultiGzDecoder::new(end).take(most).read_to_end(&mut plain).is_ok();
        if is_read && plain.len() < most as usize { self.tell_plain(&plain) } else { UNTOLD }
    }

    fn tell_plain(&self, end: &[u8]) -> Told {
        match self.ending {
            Ending::Trailers => one_status(fields_named(end, b"grpc-status")),
            Ending::Json => match serde_json::from_slice::<End>(end) {
                Ok(End { error: None }) => Told::Success,
                Ok(End { error: Some(error) }) => {
                    let status = error.code.as_deref().and_then(grpc::of_connect).unwrap_or(grpc::UNKNOWN);
                    Told::Error(grpc::recorded_as(status))
                }
                Err(_) => UNTOLD,
            },
        }
    }

    /// The body has ended. What it has told: an error, where it ended within a frame.
    pub(super) fn finish(&mut self) -> Told {
        if self.begun > 0 || self.left > 0 {
            self.give_up();
        }
        self.told()
    }
}

/// The last frame of a stream of Connect.
#[derive(serde::Deserialize)]
struct End {
    error: Option<EndError>,
}

#[derive(serde::Deserialize)]
struct EndError {
    code: Option<String>,
}
