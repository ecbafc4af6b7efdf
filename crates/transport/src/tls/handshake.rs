//! TLS handshakes with clients and upstreams.

use super::{
    client::{Client, HTTP2},
    names::ACME_TLS,
    server::Server,
    stream::TlsStream,
    subject,
};
use rustls::{ClientConnection, Connection, ServerConnection};
use std::{future::poll_fn, io, sync::Arc};
use tokio::net::TcpStream;

/// The outcome of a handshake with a client.
pub(crate) enum Accepted {
    /// The handshake is complete.
    Tls {
        stream: Box<TlsStream>,
        /// The subject of the client's verified certificate.
        subject: Option<Box<str>>,
    },
    /// Plain text, most likely HTTP. Nothing was read of it.
    Plain(TcpStream),
    /// A certificate authority verified an ACME challenge; nothing else follows.
    Challenge(Box<TlsStream>),
    /// The handshake failed, and an alert was sent if possible.
    Refused(Box<TlsStream>, io::Error),
    /// The client left without sending anything.
    Gone,
}

/// Does the handshake with a client. `speaks_http2`: HTTP/2 is offered too. A client that selects
/// it begins with the preface of HTTP/2, so the result need not be returned.
pub(crate) async fn accept(socket: TcpStream, server: &Server, speaks_http2: bool) -> Accepted {
    // A TLS record never begins with a printable character; an HTTP request does.
    let mut first = [0];
    match socket.peek(&mut first).await {
        Ok(1..) if first[0] >= b' ' && first[0].is_ascii() => return Accepted::Plain(socket),
        Ok(1..) => {}
        Ok(0) | Err(_) => return Accepted::Gone,
    }
    let session = match ServerConnection::new(server.offer(speaks_http2)) {
        Ok(session) => session,
        Err(_) => return Accepted::Gone, // rustls cannot fail here
    };
    let mut stream = Box::new(TlsStream::new(socket, Connection::Server(session)));
    if let Err(error) = poll_fn(|cx| stream.poll_handshake(cx)).await {
        stream.send_alert();
        return Accepted::Refused(stream, error);
    }
    let session = stream.session();
    if session.alpn_protocol() == Some(ACME_TLS) {
        return Accepted::Challenge(stream);
    }
    let subject = session.peer_certificates().and_then(|chain| subject::of(chain.first()?));
    Accepted::Tls { stream, subject }
}

/// Does the handshake with an upstream. `by_http2`: only HTTP/2 is accepted.
///
/// # Errors
/// Why the handshake failed, for the operator.
pub async fn connect(socket: TcpStream, client: &Client, by_http2: bool) -> Result<Box<TlsStream>, String> {
    let config = if by_http2 { &client.http2_config } else { &client.config };
    let session = ClientConnection::new(Arc::clone(config), client.name.clone());
    let session = session.map_err(|error| error.to_string())?;
    let mut stream = Box::new(TlsStream::new(socket, Connection::Client(session)));
    match poll_fn(|cx| stream.poll_handshake(cx)).await {
        Ok(()) if by_http2 && stream.session().alpn_protocol() != Some(HTTP2) => {
            Err("it does not offer HTTP/2 (`h2` by ALPN): set `http2 = false` for it".to_owned())
        }
        Ok(()) => Ok(stream),
        Err(error) => {
            stream.send_alert();
            Err(error.to_string())
        }
    }
}
