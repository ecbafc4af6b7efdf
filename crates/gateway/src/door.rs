//! From an accepted socket to a connection that is served: the proxy's header, the handshake, who is there.

use crate::{
    client::Client,
    connection::{refuse, refuse_as, serve, until_dismissed},
    deadline::within,
    peer::Peer,
    presence::Presence,
    proxy_protocol,
    thread::Thread,
    tls::{self, Accepted},
    transport::Transport,
};
use http1::{Fault, target::Scheme};
use std::{net::IpAddr, rc::Rc};
use tokio::net::TcpStream;

/// What is spoken where a socket came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Plain,
    Tls,
}

const SPEAKS_HTTPS: Fault = Fault::malformed(
    "This port speaks HTTPS, and the request came without TLS. Send it to an address that begins with https://.",
);
const NO_PROXY_HEADER: Fault = Fault::malformed(
    "This port is for the proxies before this API alone: a connection has to begin with a header of the PROXY \
     protocol.",
);

/// What became of a socket.
enum Opened {
    /// Requests can come.
    Open(Transport, Peer),
    /// It was said in no way that could be understood what is wanted.
    Refused(Transport, Peer, Fault),
    /// All is said; it only has to be closed so that it arrives.
    Ending(Transport),
    Gone,
}

/// Serves a connection from its first byte to its end.
pub(crate) async fn enter(
    thread: &Rc<Thread>,
    socket: TcpStream,
    from: IpAddr,
    door: Door,
    presence: &Rc<Presence>,
) {
    // Until it is known who is there, it may be ended at any moment. On the heap, because a connection that waits for
    // its next request has no use for what a handshake needs.
    let opened = until_dismissed(presence, Box::pin(open(thread, socket, from, door)).as_mut()).await;
    match opened.unwrap_or(Opened::Gone) {
        Opened::Open(io, peer) => serve(thread, io, &peer, presence).await,
        Opened::Refused(io, peer, fault) => Box::pin(refuse_as(thread, io, &peer, fault)).await,
        Opened::Ending(io) => close(thread, io).await,
        Opened::Gone => {}
    }
}

/// Tells a connection that there is no room for it.
pub(crate) async fn turn_away(thread: &Rc<Thread>, socket: TcpStream, from: IpAddr, door: Door) {
    match open(thread, socket, from, door).await {
        Opened::Open(io, peer) | Opened::Refused(io, peer, _) => refuse(thread, io, &peer).await,
        Opened::Ending(io) => close(thread, io).await,
        Opened::Gone => {}
    }
}

async fn close(thread: &Thread, io: Transport) {
    let client = Client::new(io, &thread.config().settings.timeouts);
    client.close().await;
}

/// Reads the header of a proxy, where one has to come, and does the handshake.
async fn open(thread: &Thread, mut socket: TcpStream, from: IpAddr, door: Door) -> Opened {
    let config = thread.config();
    let has_header = match door {
        Door::Plain => config.settings.listen.proxy_protocol,
        Door::Tls => config.settings.tls.as_ref().is_some_and(|tls| tls.proxy_protocol),
    };
    let plain = |address| Peer::new(address, Scheme::Http, &thread.shared.address_errors);
    let mut address = from;
    if has_header {
        let is_trusted = config.settings.trusted_proxies.iter().any(|net| net.contains(&address));
        // From anybody else the header could say anything, so it is not even read.
        let read = async { if is_trusted { proxy_protocol::read(&mut socket).await.ok() } else { None } };
        match (within(config.settings.timeouts.head, read).await.flatten(), door) {
            (Some(told), _) => address = told.unwrap_or(address).to_canonical(),
            (None, Door::Plain) => {
                return Opened::Refused(Transport::Plain(socket), plain(address), NO_PROXY_HEADER);
            }
            // There is no session yet in which it could be said.
            (None, Door::Tls) => return Opened::Gone,
        }
    }
    match door {
        Door::Plain => Opened::Open(Transport::Plain(socket), plain(address)),
        Door::Tls => shake_hands(thread, socket, address).await,
    }
}

async fn shake_hands(thread: &Thread, socket: TcpStream, address: IpAddr) -> Opened {
    let config = thread.config();
    let (Some(settings), Some(server)) = (&config.settings.tls, thread.shared.tls.load_full()) else {
        return Opened::Gone;
    };
    // A client that goes on and on with it, or says nothing, must not keep the socket.
    match within(settings.handshake, tls::accept(socket, &server, config.settings.http2.enabled)).await {
        Some(Accepted::Tls { stream, subject }) => {
            let peer = Peer::new(address, Scheme::Https, &thread.shared.address_errors);
            Opened::Open(Transport::Tls(stream), Peer { subject, ..peer })
        }
        Some(Accepted::Plain(socket)) => {
            let peer = Peer::new(address, Scheme::Http, &thread.shared.address_errors);
            Opened::Refused(Transport::Plain(socket), peer, SPEAKS_HTTPS)
        }
        Some(Accepted::Refused(stream, error)) => {
            thread.failed_handshakes.borrow_mut().add(&address, &error);
            Opened::Ending(Transport::Tls(stream))
        }
        Some(Accepted::Challenge(stream)) => Opened::Ending(Transport::Tls(stream)),
        Some(Accepted::Gone) | None => Opened::Gone,
    }
}
