//! The life of a client's connection: one request after the other until one side has enough.

use crate::{
    client::{Client, Next},
    handle::{handle, refuse_bytes, refuse_panicked},
    http1::request::RequestHead,
    http2,
    policies::key::LastKey,
    thread::Thread,
    transport::Transport,
};
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    task::Poll,
};

/// Serves a connection to its end.
pub(crate) async fn serve(thread: &Rc<Thread>, io: Transport, peer: IpAddr, is_idle: &Rc<Cell<bool>>) {
    let mut client = Client::new(io, &thread.config().settings.timeouts);
    let mut last_key = LastKey::default();
    let mut is_first = true;
    loop {
        let keep_alive = thread.config().settings.timeouts.keep_alive;
        // While it is idle the drain may end it at any moment, and nothing is lost.
        is_idle.set(client.input.is_empty());
        if thread.is_draining.get() && client.input.is_empty() || !client.wait(keep_alive).await {
            break;
        }
        is_idle.set(false);
        // Only now: a request is judged by what holds when it begins, not when its connection fell idle.
        let config = thread.config();
        let settings = &config.settings;
        let length = match client.next_head(&settings.timeouts, settings.sizes.head).await {
            Next::Head(length) => length,
            Next::Closed => return,
            Next::Refused(fault) => {
                refuse_bytes(thread, &mut client, peer, fault).await;
                break;
            }
        };
        if std::mem::take(&mut is_first) && settings.http2.enabled && is_http2(&client) {
            drop(config); // it may be replaced while this connection lasts
            // Boxed, so that a connection that speaks HTTP/1.1 does not hold the memory of the other.
            return Box::pin(http2::serve(Rc::clone(thread), client, peer)).await;
        }
        let bytes = client.input.split_off_front(length);
        let head = match RequestHead::parse(bytes, length, thread.fields(), &config.key_header_names) {
            Ok(head) => head,
            Err((fault, (bytes, fields))) => {
                client.input.lend(bytes);
                thread.give_back(fields);
                refuse_bytes(thread, &mut client, peer, fault).await;
                break;
            }
        };
        match without_panic(handle(thread, &config, &mut client, peer, head, &mut last_key)).await {
            Some(true) => {}
            Some(false) => break,
            None => {
                // Whatever was reserved was given back when the request's state was dropped.
                if !client.answer_begun {
                    refuse_panicked(thread, &mut client, peer).await;
                }
                break;
            }
        }
    }
    client.close().await;
}

/// Whether the client speaks HTTP/2 without having been asked (RFC 9113 section 3.3).
fn is_http2(client: &Client) -> bool {
    client.input.filled().starts_with(http2::PREFACE_HEAD)
}

/// Runs a future to its end; None if it panicked. A defect in the handling of one request must not
/// take the connection's answer with it, nor the thread.
pub(crate) async fn without_panic<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
        Err(_) => Poll::Ready(None),
    })
    .await
}
