//! HTTP/1.1 on the wire: what bytes mean, and how they are written. Knows no socket and no policy.
//!
//! Own code, not a library's, because here the contract lives or dies: each malformed byte has to
//! end in our body, and what the upstream gets has to be written anew from what was understood.
//! docs/decisions/001-http1-codec.md has the figures that decided it. The tokenising itself is httparse's.

pub mod body;
pub mod field;
mod host;
pub mod locate;
pub mod path;
mod query;
pub mod reading;
pub mod request;
pub mod response;
pub mod scan;
pub mod target;

use contract::ErrorCode;
use std::borrow::Cow;

/// Header fields that a head may have.
pub const MAX_FIELDS: usize = 100;

/// Why bytes are refused. The text goes to the client: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which error it is.
    pub code: ErrorCode,
    /// What is wrong, and where.
    pub message: Cow<'static, str>,
}

impl Fault {
    /// A fault of this kind.
    pub const fn new(code: ErrorCode, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message) }
    }

    /// What is not HTTP/1.1 as it has to be.
    pub const fn malformed(message: &'static str) -> Self {
        Self::new(ErrorCode::RequestMalformed, message)
    }

    /// Malformed, with its place in the message.
    pub const fn at(message: String) -> Self {
        Self { code: ErrorCode::RequestMalformed, message: Cow::Owned(message) }
    }

    /// More than [`MAX_FIELDS`] fields.
    pub const TOO_MANY_FIELDS: Self =
        Self::new(ErrorCode::HeadersTooLarge, "The request has more than 100 header fields.");
}

/// A part of a buffer, by offsets: heads stay where they were read, and may be moved with their buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Where `part` lies within `whole`. `part` has to be a slice of `whole`.
    #[inline]
    pub fn of(part: &[u8], whole: &[u8]) -> Self {
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
    #[inline]
    pub const fn between(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The part of `whole`, which has to be the buffer that it was made for.
    #[inline]
    pub fn get(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}
