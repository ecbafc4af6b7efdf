//! A client's connection over its lifetime: one request after another until one side ends it.

pub(crate) mod accept;
pub(crate) mod http2;

use crate::{
    client::{Client, Next},
    context::peer::Peer,
    handle::{handle, refuse_bytes, refuse_panicked, turn_away},
    io::Io,
    keyring::LastKey,
    state::thread::Thread,
};
use http1::{Fault, request::RequestHead};
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
};
use transport::{connection_state::ConnectionState, tls::AgreedProtocol};

/// What follows the available requests.
enum Then {
    /// Wait for the next one.
    Wait,
    /// Close the connection so that the last response arrives.
    Close,
    /// The client is gone.
    Gone,
    /// The client speaks HTTP/2.
    Switch,
}

/// Serves a connection to its end.
pub(crate) async fn serve(thread: &Rc<Thread>, io: Io, peer: &Peer, connection_state: &Rc<ConnectionState>) {
    let mut client = Client::new(io, &thread.config().settings.timeouts);
    let mut last_key = LastKey::default();
    let mut is_first = true;
    loop {
        match wait(thread, &mut client, connection_state).await {
            Then::Wait => {}
            Then::Close => break,
            Then::Gone | Then::Switch => return,
        }
        // Boxed, and only while there are requests: a request needs many times the memory of an
        // idle connection.
        let is_first = std::mem::take(&mut is_first);
        let then = {
            // Constructed in place, otherwise it would be constructed here and moved.
            let answering = Box::write(
                Box::new_uninit(),
                answer(thread, &mut client, peer, &mut last_key, connection_state, is_first),
            );
            Box::into_pin(answering).await
        };
        match then {
            Then::Wait => {}
            Then::Close => break,
            Then::Gone => return,
            Then::Switch => {
                let (peer, connection_state) = (Rc::new(peer.clone()), Rc::clone(connection_state));
                return Box::pin(http2::serve(Rc::clone(thread), client, peer, connection_state)).await;
            }
        }
    }
    // While it only waits for its client to stop sending, it may be ended in favour of others.
    connection_state.begin();
    let mut closing = Box::pin(client.close(thread));
    until_dismissed(connection_state, closing.as_mut()).await;
}

/// Waits for the first byte of a request. Meanwhile the connection may be ended, and nothing is lost.
async fn wait(thread: &Thread, client: &mut Client, connection_state: &ConnectionState) -> Then {
    connection_state.rest();
    let keep_alive = thread.config().settings.timeouts.keep_alive;
    match until_dismissed(connection_state, pin!(client.wait(keep_alive))).await {
        Some(true) => Then::Wait,
        Some(false) => Then::Close,
        None => Then::Gone,
    }
}

/// Responds to requests until none is available. `may_switch`: the first one may be the preface of HTTP/2.
async fn answer(
    thread: &Thread,
    client: &mut Client,
    peer: &Peer,
    last_key: &mut LastKey,
    connection_state: &ConnectionState,
    mut may_switch: bool,
) -> Then {
    // The protocol negotiated in the handshake applies, whatever the first bytes look like (RFC
    // 9113 section 3.4).
    match client.io.agreed_protocol() {
        Some(AgreedProtocol::Http2) if may_switch => return Then::Switch,
        // Then the preface of HTTP/2 is a malformed request.
        Some(AgreedProtocol::Http1) => may_switch = false,
        Some(AgreedProtocol::Http2) | None => {}
    }
    loop {
        connection_state.begin();
        // Only now: the configuration at the start of the request applies, not that of when its
        // connection became idle.
        let config = thread.config();
        let settings = &config.settings;
        let next = {
            let head = pin!(client.next_head(&settings.timeouts, settings.sizes.head));
            until_dismissed(connection_state, head).await
        };
        let length = match next {
            Some(Next::Head(length)) => length,
            Some(Next::Closed) => return Then::Gone,
            Some(Next::Refused(fault)) => {
                let kept = RequestHead::of_refused(client.input.filled(), &config.reading);
                refuse_bytes(thread, client, peer, kept, fault).await;
                return Then::Close;
            }
            None => {
                let kept = RequestHead::of_refused(client.input.filled(), &config.reading);
                turn_away(thread, client, peer, kept).await;
                return Then::Close;
            }
        };
        if std::mem::take(&mut may_switch) && settings.http2.enabled && is_http2(client) {
            return Then::Switch;
        }
        connection_state.work();
        let bytes = client.input.split_off_front(length);
        let head = match RequestHead::parse(bytes, length, thread.notes(), &config.reading) {
            Ok(head) => head,
            Err((fault, bytes, notes)) => {
                let kept = RequestHead::of_refused(bytes.get(..length).unwrap_or_default(), &config.reading);
                client.input.lend(bytes);
                thread.give_back(notes);
                refuse_bytes(thread, client, peer, kept, fault).await;
                return Then::Close;
            }
        };
        let handled = {
            let handling = pin!(handle(thread, &config, client, peer, head, last_key));
            without_panic(handling).await
        };
        match handled {
            Some(true) if client.input.is_empty() => return Then::Wait,
            Some(true) => {}
            Some(false) => return Then::Close,
            None => {
                // All reservations were released when the request's state was dropped.
                if !client.response_begun {
                    refuse_panicked(thread, client, peer).await;
                }
                return Then::Close;
            }
        }
    }
}

/// Responds on a connection that exceeds the connection limit: at once, or on its first stream if
/// it speaks HTTP/2.
pub(crate) async fn refuse(thread: &Rc<Thread>, io: Io, peer: &Peer) {
    let is_http2 = io.agreed_protocol() == Some(AgreedProtocol::Http2);
    let mut client = Client::new(io, &thread.config().settings.timeouts);
    if is_http2 {
        return Box::pin(http2::turn_away(Rc::clone(thread), client, Rc::new(peer.clone()))).await;
    }
    Box::pin(turn_away(thread, &mut client, peer, RequestHead::default())).await;
    client.close(thread).await;
}

/// Whether the client speaks HTTP/2 with prior knowledge (RFC 9113 section 3.3).
fn is_http2(client: &Client) -> bool {
    client.input.filled().starts_with(http2::PREFACE_HEAD)
}

/// Responds with this fault to whatever arrives on a connection, and closes it. The head is read
/// first, so that the response has the requested format.
pub(crate) async fn refuse_as(thread: &Thread, io: Io, peer: &Peer, fault: Fault) {
    let config = thread.config();
    let settings = &config.settings;
    let mut client = Client::new(io, &settings.timeouts);
    if client.wait(settings.timeouts.head).await {
        let head = match client.next_head(&settings.timeouts, settings.sizes.head).await {
            Next::Head(length) => {
                let bytes = client.input.split_off_front(length);
                match RequestHead::parse(bytes, length, thread.notes(), &config.reading) {
                    Ok(head) => head,
                    Err((_, bytes, _)) => {
                        RequestHead::of_refused(bytes.get(..length).unwrap_or_default(), &config.reading)
                    }
                }
            }
            Next::Refused(_) => RequestHead::of_refused(client.input.filled(), &config.reading),
            Next::Closed => return,
        };
        refuse_bytes(thread, &mut client, peer, head, fault).await;
    }
    client.close(thread).await;
}

/// The output of a future. None: the connection was asked to end first.
///
/// The future is borrowed, here and below: one passed by value would occupy its size twice in the
/// caller's state.
pub(crate) async fn until_dismissed<F: Future>(
    connection_state: &ConnectionState,
    mut future: Pin<&mut F>,
) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        // First, so that a request that arrived at the same moment gets a response.
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => connection_state.poll_dismissed(cx).map(|()| None),
    })
    .await
}

/// Runs a future to completion; None if it panicked. A bug in the handling of one request must not
/// affect the rest of the connection, nor the thread.
pub(crate) async fn without_panic<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
        Err(_) => Poll::Ready(None),
    })
    .await
}
