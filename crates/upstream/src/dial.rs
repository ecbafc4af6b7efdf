//! Opens connections to an address, for either protocol.

use crate::{backend::Backend, resolved::Resolved};
use std::{future::poll_fn, net::SocketAddr, pin::Pin, sync::Arc, task::Poll, time::Duration};
use tokio::{net::TcpStream, time::sleep};
use transport::{Socket, deadline::within, tls};

/// The head start of each address before the next one is tried in parallel (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);
/// How often to check whether a name is resolved for the first time.
const LOOK: Duration = Duration::from_millis(5);

/// The protocol of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Http1,
    Http2,
}

/// Opens a connection, and returns the number of the DNS result used.
pub(crate) async fn open(
    backend: &Backend,
    timeout: Duration,
    speaks: Speaks,
) -> Result<(Socket, u32), String> {
    let connecting = async {
        let resolved = resolved(backend).await?;
        let stream = first_of(backend.turn(&resolved.addresses)).await?;
        // Nagle's delay would cost every request; without the option everything still works.
        let _ = stream.set_nodelay(true);
        let io = match &backend.tls {
            None => Socket::Plain(stream),
            Some(client) => {
                let describe =
                    |error| format!("no TLS with {} as {}: {error}", backend.authority, client.name());
                Socket::Tls(tls::connect(stream, client, speaks == Speaks::Http2).await.map_err(describe)?)
            }
        };
        Ok((io, resolved.generation))
    };
    let connected = within(timeout, connecting).await;
    connected.unwrap_or_else(|| Err(format!("no connection within {timeout:?}")))
}

/// The resolved addresses. Only the first requests after a start may have to wait for them.
pub(crate) async fn resolved(backend: &Backend) -> Result<Arc<Resolved>, String> {
    loop {
        let resolved = backend.resolved.load_full();
        if !resolved.addresses.is_empty() {
            return Ok(resolved);
        }
        if let Some(error) = &resolved.error {
            return Err(error.clone());
        }
        sleep(LOOK).await;
    }
}

type Connecting = Pin<Box<dyn Future<Output = Result<TcpStream, String>>>>;

/// The first connection that succeeds: one address after another, the next one as soon as the
/// previous one fails or takes long.
async fn first_of(mut places: impl Iterator<Item = SocketAddr>) -> Result<TcpStream, String> {
    let Some(first) = places.next() else { return Err("the name has no address".to_owned()) };
    let mut places = places.peekable();
    if places.peek().is_none() {
        return reach(first).await;
    }
    let mut running: Vec<Connecting> = vec![Box::pin(reach(first))];
    let mut reasons: Vec<String> = Vec::new();
    let mut next = Box::pin(sleep(HEAD_START));
    poll_fn(|cx| {
        loop {
            let mut has_failed = false;
            for index in (0..running.len()).rev() {
                match running.get_mut(index).map(|one| one.as_mut().poll(cx)) {
                    Some(Poll::Ready(Ok(stream))) => return Poll::Ready(Ok(stream)),
                    Some(Poll::Ready(Err(reason))) => {
                        drop(running.swap_remove(index));
                        reasons.push(reason);
                        has_failed = true;
                    }
                    Some(Poll::Pending) | None => {}
                }
            }
            let is_time = has_failed || next.as_mut().poll(cx).is_ready();
            match is_time.then(|| places.next()).flatten() {
                Some(place) => {
                    running.push(Box::pin(reach(place)));
                    next.as_mut().reset(tokio::time::Instant::now() + HEAD_START);
                }
                None if running.is_empty() => return Poll::Ready(Err(reasons.join("; "))),
                None => return Poll::Pending,
            }
        }
    })
    .await
}

async fn reach(place: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(place).await.map_err(|error| format!("no connection to {place}: {error}"))
}
