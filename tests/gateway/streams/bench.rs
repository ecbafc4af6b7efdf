//! A gateway before an upstream that switches protocols, and what was charged for a request.

use crate::support::{
    Answer, Config, Connection, Exchange, Gateway, Key, Next, Request, Upstream, get, sample::sample,
};

pub(crate) struct Bench {
    pub(crate) upstream: Upstream,
    pub(crate) gateway: Gateway,
    pub(crate) key: Key,
}

impl Bench {
    pub(crate) fn of(upstream: Upstream, configure: impl Fn(Config) -> Config) -> Self {
        let gateway = Gateway::start(&configure(Config::of(&upstream)));
        let key = gateway.key();
        Self { upstream, gateway, key }
    }

    /// Waits until a request is recorded, and returns what it was charged.
    #[track_caller]
    pub(crate) fn charged(&self, id: &str) -> u64 {
        self.gateway.logged(id)["charged"].as_u64().unwrap()
    }

    /// Sends a handshake and reads the head that answers it.
    #[track_caller]
    pub(crate) fn shake(&self, request: &Request) -> (Connection, Answer) {
        let mut connection = self.gateway.connect();
        connection.write(&request.bytes());
        let answer = Answer::read_head(&mut connection.wire).unwrap();
        (connection, answer)
    }

    /// Opens a tunnel.
    #[track_caller]
    pub(crate) fn tunnel(&self, target: &str, id: &str) -> Connection {
        let (connection, answer) = self.shake(&handshake(target).key(&self.key).header("X-Request-Id", id));
        assert_eq!(answer.status, 101, "{answer:?}");
        connection
    }
}

/// A request for a WebSocket.
pub(crate) fn handshake(target: &str) -> Request {
    get(target)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Protocol", "chat, superchat")
        .header("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
}

/// The answer that accepts it.
pub(crate) const SWITCHED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";

/// Accepts the upgrade and echoes everything, until the client has finished sending.
pub(crate) fn echo(exchange: &mut Exchange<'_>) -> Next {
    exchange.write(SWITCHED);
    while let Ok(bytes) = exchange.wire.some() {
        if !exchange.write(&bytes) {
            break;
        }
    }
    Next::Close
}

/// Echoes where an upgrade is asked for, and is the sample API everywhere else.
pub(crate) fn echo_or_sample(exchange: &mut Exchange<'_>) -> Next {
    if exchange.seen.headers.has("Upgrade") { echo(exchange) } else { sample(exchange) }
}
