//! A client's connection: sends the exact bytes of a test, parses responses strictly.

use super::{
    answer::Answer,
    authority::AUTHORITY,
    request::{HOST, Request},
    wire::{Ended, Wire},
};
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};
use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
};

/// Ports of this machine where gateways of this process's tests speak TLS.
pub(crate) static TLS_PORTS: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

pub(crate) fn session(config: ClientConfig, name: &str) -> ClientConnection {
    ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap()
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) wire: Wire,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::try_open(address).unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))
    }

    pub(crate) fn try_open(address: SocketAddr) -> std::io::Result<Self> {
        let wire = TcpStream::connect(address).map(Wire::new)?;
        let is_tls = TLS_PORTS.lock().unwrap().contains(&address.port());
        let wire = if is_tls { wire.under_tls(session(AUTHORITY.client(None), HOST)) } else { wire };
        Ok(Self { wire })
    }

    /// Connects with TLS and this name in SNI.
    ///
    /// # Errors
    /// The connection or the handshake fails.
    pub(crate) fn try_open_tls(
        address: SocketAddr,
        config: ClientConfig,
        name: &str,
    ) -> std::io::Result<Self> {
        let mut wire = TcpStream::connect(address).map(Wire::new)?.under_tls(session(config, name));
        wire.shake_hands()?;
        Ok(Self { wire })
    }

    /// The certificate that the peer presented.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.wire.tls.as_ref().unwrap().peer_certificates().unwrap()[0].to_vec()
    }

    /// Sends a request and reads its answer.
    #[track_caller]
    pub(crate) fn send(&mut self, request: &Request) -> Answer {
        self.write(&request.bytes());
        self.answer_to(request.method())
    }

    /// Sends bytes. A peer that stops reading is not a fault here: the test examines its response.
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

    /// The response to bytes that may not have been a request.
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
