//! HTTP/1.1: parsing and serialization. No sockets, no policies.
//!
//! Our own code and not a library, because the contract depends on it: every malformed byte must
//! end in our error body, and the request to the upstream must be serialized from what was parsed.
//! docs/decisions/001-http1-codec.md has the measurements behind this decision. httparse does the
//! tokenizing.

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

/// Maximum number of header fields in a head.
pub const MAX_FIELDS: usize = 100;

/// Why bytes were refused. The text is sent to the client: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The error code.
    pub code: ErrorCode,
    /// What is wrong, and where.
    pub message: Cow<'static, str>,
}

impl Fault {
    /// A fault with this code.
    pub const fn new(code: ErrorCode, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message) }
    }

    /// Malformed HTTP/1.1.
    pub const fn malformed(message: &'static str) -> Self {
        Self::new(ErrorCode::RequestMalformed, message)
    }

    /// Malformed HTTP/1.1, with the location of the fault in the message.
    pub const fn at(message: String) -> Self {
        Self { code: ErrorCode::RequestMalformed, message: Cow::Owned(message) }
    }

    /// More than [`MAX_FIELDS`] fields.
    pub const TOO_MANY_FIELDS: Self =
        Self::new(ErrorCode::HeadersTooLarge, "The request has more than 100 header fields.");
}

/// A part of a buffer, by offsets: a head is not copied, and may move with its buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The location of `part` in `whole`. `part` must be a slice of `whole`.
    #[inline]
    pub fn of(part: &[u8], whole: &[u8]) -> Self {
        debug_assert!(
            part.is_empty()
                || whole.as_ptr_range().contains(&part.as_ptr())
                    && part.as_ptr_range().end <= whole.as_ptr_range().end,
            "`part` is not a slice of `whole`"
        );
        // A head is far smaller than 4 GiB, so the offsets fit.
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr()) as u32;
        Self { start, end: start + part.len() as u32 }
    }

    /// From one offset to another.
    #[inline]
    pub const fn between(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// This part of `whole`, which must be the buffer that it was made for.
    #[inline]
    pub fn get(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}
