//! Reading from a connection into a buffer.

use crate::deadline::Deadline;
use buffer::Buffer;
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, ReadBuf};

/// A buffer to read into.
pub trait Fill {
    /// Reads once, after making room. Ready with 0 at the end of the stream.
    ///
    /// A full buffer grows, so the caller must bound how much it holds.
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut (impl AsyncRead + Unpin),
    ) -> Poll<io::Result<usize>>;

    /// Reads once. None: the deadline passed first.
    fn fill(
        &mut self,
        io: &mut (impl AsyncRead + Unpin),
        deadline: &mut Deadline,
    ) -> impl Future<Output = Option<io::Result<usize>>>;
}

impl Fill for Buffer {
    #[inline]
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut (impl AsyncRead + Unpin),
    ) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(self.space());
        ready!(Pin::new(io).poll_read(cx, &mut space))?;
        let count = space.filled().len();
        self.advance(count);
        Poll::Ready(Ok(count))
    }

    #[inline]
    async fn fill(
        &mut self,
        io: &mut (impl AsyncRead + Unpin),
        deadline: &mut Deadline,
    ) -> Option<io::Result<usize>> {
        poll_fn(|cx| match self.poll_fill(cx, io) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => deadline.poll_passed(cx).map(|()| None),
        })
        .await
    }
}
