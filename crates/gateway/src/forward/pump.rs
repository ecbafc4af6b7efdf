//! Moves a body from one connection to another while it arrives, holding at most one buffer of it.

use super::rpc::Judge;
use crate::{client::compression::Compressor, io::Io, settle::payment::Payment};
use buffer::Buffer;
use contract::ErrorCode;
use http1::{
    Fault,
    body::{Decoder, Framing, Step, encode, encode_end},
};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite};
use transport::Fill;

/// Bytes collected before they are written.
const GATHERED: usize = 32 * 1024;

/// The destination of a body.
pub(crate) trait Sink {
    /// Writes. `are_last`: these bytes complete the message.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8], are_last: bool) -> Poll<io::Result<usize>>;

    /// The body is an error: nothing is charged for it.
    fn waive(&mut self);
}

/// A client's connection, with the charge for the response: it is charged with the last bytes.
pub(crate) struct Charged<'c, 't> {
    pub(crate) io: &'c mut Io,
    pub(crate) payment: &'c mut Payment<'t>,
}

impl Sink for Charged<'_, '_> {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8], are_last: bool) -> Poll<io::Result<usize>> {
        if are_last {
            self.payment.poll_write_last(cx, self.io, bytes)
        } else {
            Pin::new(&mut *self.io).poll_write(cx, bytes)
        }
    }

    fn waive(&mut self) {
        self.payment.waive();
    }
}

impl Sink for upstream::Io {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8], _are_last: bool) -> Poll<io::Result<usize>> {
        Pin::new(self).poll_write(cx, bytes)
    }

    fn waive(&mut self) {} // a request costs its sender nothing
}

/// A body in transit. Bytes in front of it (a head) are sent with its first bytes.
pub(crate) struct Pump {
    decoder: Decoder,
    framing: Framing,
    /// Compresses the body.
    compressor: Option<Box<Compressor>>,
    out: Vec<u8>,
    written: usize,
    received: u64,
    /// Bytes written in total.
    sent: u64,
    largest: u64,
    has_ended: bool,
    /// Something was read or written since the last check: deadlines are extended.
    has_moved: bool,
    waits_for: Side,
    /// Determines whether the response to a remote procedure call is a success.
    judge: Option<Judge>,
    /// The error inside a response with a success status.
    error: Option<ErrorCode>,
}

/// A side of a pump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Sink,
}

/// Why a body was not transferred completely.
#[derive(Debug)]
pub(crate) enum PumpFault {
    /// The source closed in the middle of the body.
    Cut,
    /// Reading failed.
    Source(io::Error),
    /// The framing does not match the head.
    Framing(Fault),
    /// The body exceeds the limit.
    TooLarge,
    /// Writing failed.
    Sink(io::Error),
}

impl Pump {
    /// A pump for the rest of a body, decoded by `decoder` and framed by `framing`.
    pub(crate) const fn new(head: Vec<u8>, decoder: Decoder, framing: Framing, largest: u64) -> Self {
        Self {
            decoder,
            framing,
            compressor: None,
            out: head,
            written: 0,
            received: 0,
            sent: 0,
            largest,
            has_ended: false,
            has_moved: false,
            waits_for: Side::Sink,
            judge: None,
            error: None,
        }
    }

    /// Enables compression of the body.
    pub(crate) fn compress(&mut self, compressor: Box<Compressor>) {
        self.compressor = Some(compressor);
    }

    /// Lets `judge` determine whether the response is a success.
    pub(crate) fn judged_by(mut self, judge: Judge) -> Self {
        self.judge = Some(judge);
        self
    }

    /// The error inside the response, as far as it has arrived.
    pub(crate) fn error(&self) -> Option<ErrorCode> {
        self.error.or_else(|| self.judge.as_ref().and_then(Judge::error))
    }

    /// Moves what can be moved. Ready once the whole body is written.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut (impl AsyncRead + Unpin),
        input: &mut Buffer,
        sink: &mut impl Sink,
    ) -> Poll<Result<(), PumpFault>> {
        loop {
            // Buffered bytes are sent in one write with pending ones.
            if !self.has_ended {
                self.gather(input)?;
            }
            // Before the last bytes, with which it would be charged.
            if self.has_ended && self.error.is_some() {
                sink.waive();
            }
            if self.written < self.out.len() {
                self.waits_for = Side::Sink;
                let rest = self.out.get(self.written..).unwrap_or_default();
                match ready!(sink.poll_write(cx, rest, self.has_ended)) {
                    Ok(0) => return Poll::Ready(Err(PumpFault::Sink(io::ErrorKind::WriteZero.into()))),
                    Ok(count) => self.wrote(count),
                    Err(error) => return Poll::Ready(Err(PumpFault::Sink(error))),
                }
                continue;
            }
            if self.has_ended {
                return Poll::Ready(Ok(()));
            }
            self.waits_for = Side::Source;
            let filled = match input.poll_fill(cx, source) {
                Poll::Ready(filled) => filled,
                // Nothing is held back while the source is silent: an event must arrive when it happens.
                Poll::Pending if self.flush() => continue,
                Poll::Pending => return Poll::Pending,
            };
            match filled {
                Ok(0) if self.decoder.ends_with_stream() => self.end(),
                Ok(0) => return Poll::Ready(Err(PumpFault::Cut)),
                Ok(_) => self.has_moved = true,
                Err(error) => return Poll::Ready(Err(PumpFault::Source(error))),
            }
        }
    }

    /// Takes bytes from the input buffer, up to a bound.
    fn gather(&mut self, input: &mut Buffer) -> Result<(), PumpFault> {
        while self.out.len() < GATHERED {
            match self.decoder.next(input).map_err(PumpFault::Framing)? {
                Step::Data(data) => {
                    self.received = self.received.saturating_add(data.len() as u64);
                    if self.received > self.largest {
                        return Err(PumpFault::TooLarge);
                    }
                    if let Some(judge) = &mut self.judge {
                        judge.read(data);
                    }
                    match &mut self.compressor {
                        None => encode(self.framing, data, &mut self.out),
                        Some(compressor) => encode(self.framing, &compressor.compress(data), &mut self.out),
                    }
                }
                Step::End => {
                    self.end();
                    break;
                }
                Step::More => break,
            }
        }
        Ok(())
    }

    /// Takes what the compressor holds back. False: nothing.
    fn flush(&mut self) -> bool {
        let before = self.out.len();
        if let Some(compressor) = &mut self.compressor {
            encode(self.framing, &compressor.flush(), &mut self.out);
        }
        self.out.len() > before
    }

    fn end(&mut self) {
        if let Some(judge) = &mut self.judge {
            self.error = judge.finish(self.decoder.trailers());
        }
        if let Some(compressor) = &mut self.compressor {
            encode(self.framing, &compressor.finish(), &mut self.out);
        }
        encode_end(self.framing, self.decoder.trailers(), &mut self.out);
        self.has_ended = true;
    }

    fn wrote(&mut self, count: usize) {
        self.has_moved = true;
        self.written += count;
        self.sent = self.sent.saturating_add(count as u64);
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
        }
    }

    /// Whether something was moved since the last call.
    pub(crate) const fn take_progress(&mut self) -> bool {
        std::mem::replace(&mut self.has_moved, false)
    }

    /// Which side the pump waits for.
    pub(crate) const fn waits_for(&self) -> Side {
        self.waits_for
    }

    /// Nothing was taken from the source, and nothing written.
    pub(crate) fn is_untouched(&self) -> bool {
        self.received == 0 && self.written == 0 && !self.has_moved
    }

    /// The decoder and the output buffer, for the next messages on the connections.
    pub(crate) fn into_parts(mut self) -> (Decoder, Vec<u8>) {
        self.out.clear();
        (self.decoder, self.out)
    }

    /// Bytes written, including the head and the framing of the body.
    pub(crate) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes of the body received.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Maximum size of the body.
    pub(crate) const fn largest(&self) -> u64 {
        self.largest
    }
}
