//! From an accepted socket to a connection on which something can be said: the proxy's header, and the handshake.

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
    /// How long a proxy's header may take, where one has to come first. None: none comes.
    pub proxy_header: Option<Duration>,
    /// Whether who connected may say by such a header who is behind it.
    pub is_trusted: bool,
    /// What is spoken behind it.
    pub spoken: Spoken<'s>,
}

/// What is spoken on a socket.
#[derive(Debug, Clone, Copy)]
pub enum Spoken<'s> {
    /// Whatever comes, it comes plain.
    Plain,
    /// TLS.
    Tls {
        /// What is offered to clients. None: nothing yet, and nobody gets in.
        server: Option<&'s Server>,
        /// HTTP/2 is offered, too.
        offers_http2: bool,
        /// How long the handshake may take.
        timeout: Duration,
    },
}

/// A connection whose beginning is done.
#[derive(Debug)]
pub struct Open {
    /// What is read from, and written to.
    pub socket: Socket,
    /// Who is there: whoever connected, or who the proxy's header names.
    pub address: IpAddr,
    /// The subject of the certificate that the client proved to have.
    pub subject: Option<Box<str>>,
}

/// What became of a socket.
#[derive(Debug)]
pub enum Outcome {
    /// Requests can come.
    Open(Open),
    /// It was said in no way that could be understood what is wanted. It can be answered.
    Refused(Open, Fault),
    /// The handshake failed, and the client was told so; the connection only has to be closed so that this arrives.
    Failed(Socket, IpAddr, io::Error),
    /// All is said; the connection only has to be closed so that it arrives.
    Ending(Socket),
    /// The client is gone, or cannot be answered.
    Gone,
}

/// Why nothing can be understood on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not begin with a proxy's header, or with one of somebody who is not believed.
    NoProxyHeader,
    /// What came is plain text, where TLS is spoken.
    NotTls,
}

/// Reads the header of a proxy, where one has to come, and does the handshake. `from`: who connected.
pub async fn open(mut socket: TcpStream, from: IpAddr, expected: Expected<'_>) -> Outcome {
    let mut address = from;
    if let Some(timeout) = expected.proxy_header {
        // From anybody else the header could say anything, so it is not even read.
        let read =
            async { if expected.is_trusted { proxy_protocol::read(&mut socket).await.ok() } else { None } };
        match (within(timeout, read).await.flatten(), expected.spoken) {
            (Some(told), _) => address = told.unwrap_or(address).to_canonical(),
            (None, Spoken::Plain) => {
                return Outcome::Refused(plain(socket, address), Fault::NoProxyHeader);
            }
            // There is no session yet in which it could be said.
            (None, Spoken::Tls { .. }) => return Outcome::Gone,
        }
    }
    match expected.spoken {
        Spoken::Plain => Outcome::Open(plain(socket, address)),
        Spoken::Tls { server: None, .. } => Outcome::Gone,
        Spoken::Tls { server: Some(server), offers_http2, timeout } => {
            // A client that goes on and on with it, or says nothing, must not keep the socket.
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
