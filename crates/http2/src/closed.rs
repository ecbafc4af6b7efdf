//! The streams that were closed lately: what may still come for one depends on how it was closed.

use std::collections::VecDeque;

/// Closed streams that are remembered: at least, and at most.
const BOUNDS: (usize, usize) = (256, 4_096);

/// How a stream was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Both sides said END_STREAM.
    Ended,
    /// The peer reset it: it may not send more.
    ResetByPeer,
    /// We reset it: what the peer sent before it knew is still on its way.
    ResetByUs,
}

/// The latest closed streams.
#[derive(Debug)]
pub(crate) struct Closed {
    latest: VecDeque<(u32, How)>,
    most: usize,
}

impl Closed {
    /// `streams`: as many as the peer may have open. It may open and close so many others before it learns that one was
    /// reset, and each may be closed twice: it ended, and was reset after that.
    pub(crate) fn new(streams: u32) -> Self {
        let most = usize::try_from(streams).unwrap_or(usize::MAX).saturating_mul(2);
        Self { latest: VecDeque::new(), most: most.clamp(BOUNDS.0, BOUNDS.1) }
    }

    pub(crate) fn remember(&mut self, stream: u32, how: How) {
        if self.latest.len() >= self.most {
            self.latest.pop_front();
        }
        self.latest.push_back((stream, how));
    }

    /// Gives back memory that was got for more than there is.
    pub(crate) fn rest(&mut self) {
        self.latest.shrink_to_fit();
    }

    /// How a stream was closed. None: nobody remembers, or it was never open.
    pub(crate) fn how(&self, stream: u32) -> Option<How> {
        // The last word counts: a stream that ended may have been reset after that.
        self.latest.iter().rev().find(|(known, _)| *known == stream).map(|(_, how)| *how)
    }
}
