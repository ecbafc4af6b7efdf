//! Recently closed streams: which frames may still arrive for one depends on how it was closed.

use std::collections::VecDeque;

/// Lower and upper bound of the number of closed streams that are remembered.
const BOUNDS: (usize, usize) = (256, 4_096);

/// How a stream was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Both sides sent END_STREAM.
    Ended,
    /// The peer reset it and may not send more frames.
    ResetByPeer,
    /// We reset it: frames that the peer sent before it received the reset may still arrive.
    ResetByUs,
}

/// The most recently closed streams.
#[derive(Debug)]
pub(crate) struct Closed {
    latest: VecDeque<(u32, How)>,
    most: usize,
}

impl Closed {
    /// `streams`: how many streams the peer may have open. It can open and close that many others
    /// before it learns that one was reset, and each may be closed twice: ended, then reset.
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

    /// Releases memory that is not in use.
    pub(crate) fn rest(&mut self) {
        self.latest.shrink_to_fit();
    }

    /// How a stream was closed. None: it is no longer remembered, or was never open.
    pub(crate) fn how(&self, stream: u32) -> Option<How> {
        // The latest entry counts: a stream that ended may have been reset afterwards.
        self.latest.iter().rev().find(|(known, _)| *known == stream).map(|(_, how)| *how)
    }
}
