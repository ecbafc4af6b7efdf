//! The beginning of a connection under TLS, to a client and to an upstream.

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

/// What became of a client's connection.
pub(crate) enum Accepted {
    /// The handshake is done.
    Tls {
        stream: Box<TlsStream>,
        /// The subject of the certificate that the client has proved to have.
        subject: Option<Box<str>>,
    },
    /// What came is text, HTTP most likely. Nothing was read of it.
    Plain(TcpStream),
    /// An authority looked at the proof that it wanted; that is all.
    Challenge(Box<TlsStream>),
    /// The handshake failed, and the client was told so by an alert, if it was still there.
    Refused(Box<TlsStream>, io::Error),
    /// The client went without a word.
    Gone,
}

/// Begins a connection that a client opened. `speaks_http2`: that is offered as well. A client that takes the offer says
/// so again by the preface of HTTP/2, so nobody has to be told.
pub(crate) async fn accept(socket: TcpStream, server: &Server, speaks_http2: bool) -> Accepted {
    // No record of TLS begins with a byte that stands for a sign of text; a request of HTTP does.
    let mut first = [0];
    match socket.peek(&mut first).await {
        Ok(1..) if first[0] >= b' ' && first[0].is_ascii() => return Accepted::Plain(socket),
        Ok(1..) => {}
        Ok(0) | Err(_) => return Accepted::Gone,
    }
    let session = match ServerConnection::new(server.offer(speaks_http2)) {
        Ok(session) => session,
        Err(_) => return Accepted::Gone, // rustls has nothing that could fail here
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

/// Begins a connection to an upstream. `by_http2`: nothing else is to be spoken.
///
/// # Errors
/// Why it cannot be trusted or does not want us, for the operator.
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
