//! A client's connection: the very bytes of a test go out, strictly read answers come back.

use super::{
    answer::Answer,
    request::Request,
    wire::{Ended, Wire},
};
use std::net::{SocketAddr, TcpStream};

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) wire: Wire,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::try_open(address).unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))
    }

    pub(crate) fn try_open(address: SocketAddr) -> std::io::Result<Self> {
        TcpStream::connect(address).map(|stream| Self { wire: Wire::new(stream) })
    }

    /// Sends a request and reads its answer.
    #[track_caller]
    pub(crate) fn send(&mut self, request: &Request) -> Answer {
        self.write(&request.bytes());
        self.answer_to(request.method())
    }

    /// Sends bytes. A peer that stops reading is no fault here: its answer is what a test looks at.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        self.wire.write(bytes)
    }

    /// The answer to a request with this method.
    #[track_caller]
    pub(crate) fn answer_to(&mut self, method: &str) -> Answer {
        match self.try_answer_to(method) {
            Ok(answer) => answer,
            Err(ended) => panic!("no answer to {method}: {ended:?}"),
        }
    }

    pub(crate) fn try_answer_to(&mut self, method: &str) -> Result<Answer, Ended> {
        Answer::read(&mut self.wire, method)
    }

    /// The answer to bytes that need not have been a request.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    /// Whether the peer ends the connection without sending anything more.
    pub(crate) fn is_closed(&mut self) -> bool {
        let (rest, ended) = self.wire.rest();
        rest.is_empty() && ended != Ended::Silent
    }
}
