//! From an accepted socket to a served connection: the PROXY header, the TLS handshake, the
//! identity of the peer.

use crate::{
    client::Client,
    connection::{refuse, refuse_as, serve, until_dismissed},
    context::peer::Peer,
    io::Io,
    state::thread::Thread,
};
use http1::{Fault, target::Scheme};
use std::{net::IpAddr, rc::Rc};
use tokio::net::TcpStream;
use transport::{
    Socket,
    accept::{self, Expected, Open, Outcome, Spoken},
    connection_state::ConnectionState,
};

/// What the listener of a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Plain,
    Tls,
}

const SPEAKS_HTTPS: Fault = Fault::malformed(
    "This port speaks HTTPS, but the request came without TLS. Send it to an https:// address.",
);
const NO_PROXY_HEADER: Fault = Fault::malformed(
    "This port accepts only the proxies in front of this API: a connection must begin with a PROXY protocol header.",
);

/// Serves a connection from its first byte to its end.
pub(crate) async fn enter(
    thread: &Rc<Thread>,
    socket: TcpStream,
    from: IpAddr,
    protocol: Protocol,
    connection_state: &Rc<ConnectionState>,
) {
    // Until the peer is known, it may be ended at any time. Boxed, because an idle connection does
    // not need the state of the handshake.
    let opened =
        until_dismissed(connection_state, Box::pin(open(thread, socket, from, protocol)).as_mut()).await;
    match opened.unwrap_or(Outcome::Gone) {
        Outcome::Open(open) => {
            let (io, peer) = peer(thread, open);
            serve(thread, io, &peer, connection_state).await;
        }
        Outcome::Refused(open, fault) => {
            let (io, peer) = peer(thread, open);
            let peer = Peer { is_at_https: is_not_tls(fault), ..peer };
            Box::pin(refuse_as(thread, io, &peer, fault_of(fault))).await;
        }
        Outcome::Failed(socket, address, error) => fail(thread, socket, address, &error).await,
        Outcome::Ending(socket) => close(thread, socket).await,
        Outcome::Gone => {}
    }
}

/// Responds on a connection that exceeds the connection limit.
pub(crate) async fn turn_away(thread: &Rc<Thread>, socket: TcpStream, from: IpAddr, protocol: Protocol) {
    match open(thread, socket, from, protocol).await {
        Outcome::Open(open) | Outcome::Refused(open, _) => {
            let (io, peer) = peer(thread, open);
            refuse(thread, io, &peer).await;
        }
        Outcome::Failed(socket, address, error) => fail(thread, socket, address, &error).await,
        Outcome::Ending(socket) => close(thread, socket).await,
        Outcome::Gone => {}
    }
}

async fn fail(thread: &Thread, socket: Socket, address: IpAddr, error: &std::io::Error) {
    thread.failed_handshakes.borrow_mut().add(&address, error);
    close(thread, socket).await;
}

async fn close(thread: &Thread, socket: Socket) {
    let client = Client::new(Io::Socket(socket), &thread.config().settings.timeouts);
    client.close(thread).await;
}

/// Reads the PROXY header, where required, and does the handshake.
async fn open(thread: &Thread, socket: TcpStream, from: IpAddr, protocol: Protocol) -> Outcome {
    let config = thread.config();
    let settings = &config.settings;
    let tls = settings.tls.as_ref();
    let server = thread.shared.tls.load_full();
    let (has_header, spoken) = match protocol {
        Protocol::Plain => (settings.listen.proxy_protocol, Spoken::Plain),
        Protocol::Tls => {
            let timeout = tls.map(|tls| tls.handshake).unwrap_or_default();
            let (server, offers_http2) =
                (server.as_deref().filter(|_| tls.is_some()), settings.http2.enabled);
            (tls.is_some_and(|tls| tls.proxy_protocol), Spoken::Tls { server, offers_http2, timeout })
        }
    };
    let expected = Expected {
        proxy_header: has_header.then_some(settings.timeouts.head),
        is_trusted: has_header && settings.trusted_proxies.iter().any(|net| net.contains(&from)),
        spoken,
    };
    accept::open(socket, from, expected).await
}

fn peer(thread: &Thread, open: Open) -> (Io, Peer) {
    let scheme = match &open.socket {
        Socket::Plain(_) => Scheme::Http,
        Socket::Tls(_) => Scheme::Https,
    };
    let peer = Peer::new(open.address, scheme, &thread.shared.address_errors);
    (Io::Socket(open.socket), Peer { subject: open.subject, ..peer })
}

const fn is_not_tls(fault: accept::Fault) -> bool {
    match fault {
        accept::Fault::NotTls => true,
        accept::Fault::NoProxyHeader => false,
    }
}

const fn fault_of(fault: accept::Fault) -> Fault {
    match fault {
        accept::Fault::NoProxyHeader => NO_PROXY_HEADER,
        accept::Fault::NotTls => SPEAKS_HTTPS,
    }
}
