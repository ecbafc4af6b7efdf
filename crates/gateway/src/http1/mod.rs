//! HTTP/1.1 on the wire: what bytes mean, and how they are written. Knows no socket and no policy.
//!
//! Own code, not a library's, because here the contract lives or dies: each malformed byte has to
//! end in our body, and what the upstream gets has to be written anew from what was understood.
//! docs/decisions/001-http1-codec.md has the figures that decided it. The tokenising itself is httparse's.

pub(crate) mod body;
pub(crate) mod field;
mod host;
pub(crate) mod locate;
pub(crate) mod path;
mod query;
pub(crate) mod reading;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod scan;
pub(crate) mod target;

use contract::ErrorCode;
use std::borrow::Cow;

/// Header fields that a head may have.
pub(crate) const MAX_FIELDS: usize = 100;

/// Why bytes are refused. The text goes to the client: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: ErrorCode,
    pub(crate) message: Cow<'static, str>,
}

impl Fault {
    pub(crate) const fn new(code: ErrorCode, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message) }
    }

    pub(crate) const fn malformed(message: &'static str) -> Self {
        Self::new(ErrorCode::RequestMalformed, message)
    }

    /// Malformed, with its place in the message.
    pub(crate) const fn at(message: String) -> Self {
        Self { code: ErrorCode::RequestMalformed, message: Cow::Owned(message) }
    }

    pub(crate) const TOO_MANY_FIELDS: Self =
        Self::new(ErrorCode::HeadersTooLarge, "The request has more than 100 header fields.");
}

/// A part of a buffer, by offsets: heads stay where they were read, and may be moved with their buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Where `part` lies within `whole`. `part` has to be a slice of `whole`.
    pub(crate) fn of(part: &[u8], whole: &[u8]) -> Self {
        debug_assert!(
            part.is_empty()
                || whole.as_ptr_range().contains(&part.as_ptr())
                    && part.as_ptr_range().end <= whole.as_ptr_range().end,
            "a part of something else has no place here"
        );
        // A head is bounded far below 4 GiB, so the offsets fit.
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr()) as u32;
        Self { start, end: start + part.len() as u32 }
    }

    /// From one offset to another.
    pub(crate) const fn between(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    pub(crate) fn get(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}
