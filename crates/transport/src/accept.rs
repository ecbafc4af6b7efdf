//! From an accepted socket to a usable connection: the PROXY header and the TLS handshake.

use crate::{
    deadline::within,
    proxy_protocol,
    socket::Socket,
    tls::{self, Accepted, Server},
};
use std::{io, net::IpAddr, time::Duration};
use tokio::net::TcpStream;

/// What is expected on a socket.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'s> {
    /// The timeout of a PROXY header, where one is required. None: there is no header.
    pub proxy_header: Option<Duration>,
    /// Whether the peer is trusted to report its client in such a header.
    pub is_trusted: bool,
    /// The protocol that follows.
    pub spoken: Spoken<'s>,
}

/// The protocol of a socket.
#[derive(Debug, Clone, Copy)]
pub enum Spoken<'s> {
    /// No TLS.
    Plain,
    /// TLS.
    Tls {
        /// The TLS configuration. None: not set yet, so no connection is accepted.
        server: Option<&'s Server>,
        /// Whether HTTP/2 is offered too.
        offers_http2: bool,
        /// The timeout of the handshake.
        timeout: Duration,
    },
}

/// A connection that is ready for requests.
#[derive(Debug)]
pub struct Open {
    /// The transport.
    pub socket: Socket,
    /// The address of the client: the peer, or the one named in the PROXY header.
    pub address: IpAddr,
    /// The subject of the client's verified certificate.
    pub subject: Option<Box<str>>,
}

/// The outcome for a socket.
#[derive(Debug)]
pub enum Outcome {
    /// Ready for requests.
    Open(Open),
    /// The bytes received are not what is expected. It can be responded to.
    Refused(Open, Fault),
    /// The handshake failed, and an alert was sent; the connection only has to be closed so that it arrives.
    Failed(Socket, IpAddr, io::Error),
    /// Everything was sent; the connection only has to be closed so that it arrives.
    Ending(Socket),
    /// The client is gone, or cannot be responded to.
    Gone,
}

/// Why the bytes received are not what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is no PROXY header, or the peer is not trusted.
    NoProxyHeader,
    /// Plain text on a port that speaks TLS.
    NotTls,
}

/// Reads the PROXY header, where one is required, and does the handshake. `from`: the peer.
pub async fn open(mut socket: TcpStream, from: IpAddr, expected: Expected<'_>) -> Outcome {
    let mut address = from;
    if let Some(timeout) = expected.proxy_header {
        // From an untrusted peer the header could be forged, so it is not even read.
        let read =
            async { if expected.is_trusted { proxy_protocol::read(&mut socket).await.ok() } else { None } };
        match (within(timeout, read).await.flatten(), expected.spoken) {
            (Some(source), _) => address = source.unwrap_or(address).to_canonical(),
            (None, Spoken::Plain) => {
                return Outcome::Refused(plain(socket, address), Fault::NoProxyHeader);
            }
            // Without a TLS session no error can be sent.
            (None, Spoken::Tls { .. }) => return Outcome::Gone,
        }
    }
    match expected.spoken {
        Spoken::Plain => Outcome::Open(plain(socket, address)),
        Spoken::Tls { server: None, .. } => Outcome::Gone,
        Spoken::Tls { server: Some(server), offers_http2, timeout } => {
            // A client must not hold the socket with an endless or stalled handshake.
            match within(timeout, tls::accept(socket, server, offers_http2)).await {
                Some(accepted) => outcome(accepted, address),
                None => Outcome::Gone,
            }
        }
    }
}

const fn plain(socket: TcpStream, address: IpAddr) -> Open {
    Open { socket: Socket::Plain(socket), address, subject: None }
}

fn outcome(accepted: Accepted, address: IpAddr) -> Outcome {
    match accepted {
        Accepted::Tls { stream, subject } => {
            Outcome::Open(Open { socket: Socket::Tls(stream), address, subject })
        }
        Accepted::Plain(socket) => Outcome::Refused(plain(socket, address), Fault::NotTls),
        Accepted::Refused(stream, error) => Outcome::Failed(Socket::Tls(stream), address, error),
        Accepted::Challenge(stream) => Outcome::Ending(Socket::Tls(stream)),
        Accepted::Gone => Outcome::Gone,
    }
}
