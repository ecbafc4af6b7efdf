//! From an accepted socket to a connection that is served: the proxy's header, the handshake, who is there.

use crate::{
    client::Client,
    connection::{refuse, serve},
    http1::Fault,
    peer::{Peer, Scheme},
    proxy_protocol,
    record::Level,
    thread::Thread,
    tls::{self, Accepted},
    transport::Transport,
};
use std::{
    cell::Cell,
    net::{IpAddr, SocketAddr},
    rc::Rc,
};
use tokio::{net::TcpStream, time::timeout};

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

/// Serves a connection from its first byte to its end. Until it is known who is there, it may be ended at any moment.
pub(crate) async fn enter(
    thread: &Thread,
    mut socket: TcpStream,
    from: SocketAddr,
    door: Door,
    is_idle: &Rc<Cell<bool>>,
) {
    is_idle.set(true);
    let mut address = from.ip().to_canonical();
    let config = thread.config();
    let has_header = match door {
        Door::Plain => config.settings.listen.proxy_protocol,
        Door::Tls => config.settings.tls.as_ref().is_some_and(|tls| tls.proxy_protocol),
    };
    if has_header {
        let is_trusted = config.settings.trusted_proxies.iter().any(|net| net.contains(&address));
        // From anybody else the header could say anything, so it is not even read.
        let read = async { if is_trusted { proxy_protocol::read(&mut socket).await.ok() } else { None } };
        match timeout(config.settings.timeouts.head, read).await.ok().flatten() {
            Some(told) => address = told.unwrap_or(address).to_canonical(),
            None => return refuse_header(thread, socket, address, door).await,
        }
    }
    match door {
        Door::Plain => {
            let peer = Peer { address, scheme: Scheme::Http, subject: None };
            serve(thread, Transport::Plain(socket), &peer, is_idle).await;
        }
        Door::Tls => shake_hands(thread, socket, address, is_idle).await,
    }
}

/// Without a header that can be believed nobody knows who is there.
async fn refuse_header(thread: &Thread, socket: TcpStream, address: IpAddr, door: Door) {
    match door {
        Door::Plain => {
            let peer = Peer { address, scheme: Scheme::Http, subject: None };
            refuse(thread, Transport::Plain(socket), &peer, NO_PROXY_HEADER).await;
        }
        // There is no session yet in which it could be said.
        Door::Tls => {}
    }
}

async fn shake_hands(thread: &Thread, socket: TcpStream, address: IpAddr, is_idle: &Rc<Cell<bool>>) {
    let config = thread.config();
    let (Some(settings), Some(server)) = (&config.settings.tls, thread.shared.tls.load_full()) else {
        return;
    };
    // A client that goes on and on with it, or says nothing, must not keep the socket.
    let Ok(accepted) = timeout(settings.handshake, tls::accept(socket, &server)).await else { return };
    match accepted {
        Accepted::Tls { stream, subject } => {
            let peer = Peer { address, scheme: Scheme::Https, subject };
            serve(thread, Transport::Tls(stream), &peer, is_idle).await;
        }
        Accepted::Plain(socket) => {
            let peer = Peer { address, scheme: Scheme::Http, subject: None };
            refuse(thread, Transport::Plain(socket), &peer, SPEAKS_HTTPS).await;
        }
        Accepted::Refused(stream, error) => {
            thread.tell_handshake(&address, &error);
            Client::new(Transport::Tls(stream), &config.settings.timeouts).close().await;
        }
        Accepted::Challenge(stream) => {
            Client::new(Transport::Tls(stream), &config.settings.timeouts).close().await;
        }
        Accepted::Gone => {}
    }
}

/// Handshakes that failed since it was last told, and why the latest did. Told once a second at most, so that nobody
/// can fill a log.
#[derive(Debug, Default)]
pub(crate) struct FailedHandshakes {
    count: u64,
    latest: String,
}

impl Thread {
    fn tell_handshake(&self, address: &IpAddr, error: &std::io::Error) {
        let mut failed = self.failed_handshakes.borrow_mut();
        failed.count += 1;
        failed.latest = format!("{address}: {error}");
    }

    /// Logs the handshakes that failed.
    pub(crate) fn log_handshakes(&self) {
        let failed = std::mem::take(&mut *self.failed_handshakes.borrow_mut());
        if failed.count > 0 {
            let members = [("count", failed.count.to_string()), ("latest", failed.latest)];
            let members = members.each_ref().map(|(name, value)| (*name, value.as_str()));
            self.shared.log.event(Level::Warn, "TLS handshakes failed", &members);
        }
    }
}
