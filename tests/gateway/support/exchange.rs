//! One request as the scripted upstream sees it, and everything it may do in return.

use super::{
    answer::Headers,
    upstream::Record,
    wire::{Ended, Wire},
};

/// What happens to the upstream's connection after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Keep,
    Close,
}

/// A request that an upstream received.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Headers,
    /// Whether the body was read to its end.
    pub(crate) whole: bool,
    /// Which connection it came on, from 0.
    pub(crate) connection: usize,
}

pub(crate) struct Exchange<'a> {
    pub(crate) seen: Seen,
    /// How many requests came on this connection before.
    pub(crate) earlier: usize,
    pub(crate) wire: &'a mut Wire,
    pub(crate) record: &'a Record,
    pub(crate) index: usize,
    pub(crate) body_read: bool,
}

impl Exchange<'_> {
    pub(crate) fn target(&self) -> &str {
        &self.seen.target
    }

    /// Reads and records the request's body. None: it was truncated.
    pub(crate) fn read_body(&mut self) -> Option<Vec<u8>> {
        if !self.body_read {
            self.body_read = true;
            // RFC 9110 section 10.1.1: a server that will read the body sends 100.
            if self.seen.headers.list("expect").contains(&"100-continue".to_owned()) {
                self.wire.write(b"HTTP/1.1 100 Continue\r\n\r\n");
            }
            let chunked = self.seen.headers.list("transfer-encoding").contains(&"chunked".to_owned());
            let length = self.seen.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
            let (body, trailers, cut) = if chunked {
                self.wire.chunked()
            } else {
                let (body, cut) = self.wire.exactly(length);
                (body, Vec::new(), cut)
            };
            self.seen.body = body;
            self.seen.trailers = Headers(trailers);
            self.seen.whole = cut.is_none();
            self.record.update(self.index, &self.seen);
        }
        self.seen.whole.then(|| self.seen.body.clone())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        self.wire.write(bytes)
    }

    /// An ordinary response, after the body was read.
    pub(crate) fn answer(&mut self, status: u16, fields: &[(&str, &str)], body: &[u8]) -> Next {
        self.read_body();
        let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
        for (name, value) in fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if status != 204 && status != 304 {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if self.seen.method != "HEAD" && status != 204 && status != 304 {
            bytes.extend_from_slice(body);
        }
        if self.write(&bytes) { Next::Keep } else { Next::Close }
    }

    pub(crate) fn json(&mut self, status: u16, body: &str) -> Next {
        self.answer(status, &[("Content-Type", "application/json")], body.as_bytes())
    }

    /// Reads the request to its end, then sends exactly these bytes.
    pub(crate) fn send_raw(&mut self, bytes: &[u8], next: Next) -> Next {
        self.read_body();
        if self.write(bytes) { next } else { Next::Close }
    }

    /// Sends nothing more, and waits until the gateway gives up.
    pub(crate) fn stall(&mut self) -> Next {
        while self.wire.some().is_ok() {}
        Next::Close
    }

    /// Waits until the gateway closes the connection. False: it never did.
    pub(crate) fn gateway_hangs_up(&mut self) -> bool {
        self.wire.rest().1 != Ended::Silent
    }
}
