//! One request on one stream, from its head to the last byte of its response.

use crate::{
    client::{Client, Next},
    connection::without_panic,
    context::peer::Peer,
    handle::{handle, refuse_bytes, refuse_panicked, turn_away},
    io::{
        Io,
        http2::{Connection, State, Stream},
    },
    state::thread::Thread,
};
use ::http2::Malformed;
use contract::ErrorCode;
use http1::{Fault, request::RequestHead};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};

/// A request as received: what the stream's task needs besides its bytes.
pub(crate) struct Asked {
    pub(crate) stream: u32,
    pub(crate) is_head: bool,
    pub(crate) malformed: Option<Malformed>,
    /// What is kept of a head in case it is refused: it is malformed already, or may still turn out to be.
    pub(crate) remains: RequestHead,
    /// `:scheme` is https.
    pub(crate) is_https: bool,
    /// Its connection exceeds the connection limit.
    pub(crate) turned_away: bool,
}

/// Responds to the request on a stream.
pub(crate) async fn serve(thread: Rc<Thread>, shared: Rc<Connection>, peer: Rc<Peer>, asked: Asked) {
    let stream = Stream::new(Rc::clone(&shared), asked.stream, asked.is_head);
    let config = thread.config();
    let settings = &config.settings;
    let mut client = Client::new(Io::Stream(Box::new(stream)), &settings.timeouts);
    if asked.turned_away {
        turn_away(&thread, &mut client, &peer, asked.remains).await;
        return;
    }
    if let Some(malformed) = asked.malformed {
        refuse_bytes(&thread, &mut client, &peer, asked.remains, fault(malformed)).await;
        return;
    }
    let length = match client.next_head(&settings.timeouts, settings.sizes.head).await {
        Next::Head(length) => length,
        Next::Closed => return,
        Next::Refused(fault) => {
            refuse_bytes(&thread, &mut client, &peer, asked.remains, fault).await;
            return;
        }
    };
    let bytes = client.input.split_off_front(length);
    let mut head = match RequestHead::parse(bytes, length, thread.notes(), &config.reading) {
        Ok(head) => head,
        Err((fault, bytes, notes)) => {
            let remains = RequestHead::of_refused(bytes.get(..length).unwrap_or_default(), &config.reading);
            client.input.lend(bytes);
            thread.give_back(notes);
            refuse_bytes(&thread, &mut client, &peer, remains, fault).await;
            return;
        }
    };
    head.is_http2 = true;
    if asked.is_https {
        head.set_https();
    }
    // A stream carries one request: the rest of its body need not be read for the next one.
    head.keep_alive = false;
    let mut last_key = shared.with(|state| std::mem::take(&mut state.own.last_key));
    let handled = {
        let handling = pin!(handle(&thread, &config, &mut client, &peer, head, &mut last_key));
        let handling = pin!(without_panic(handling));
        unless_broken(&shared, asked.stream, handling).await
    };
    shared.with(|state| state.own.last_key = last_key);
    match handled {
        Ok(Some(_)) => {}
        // All reservations were released when the request's state was dropped.
        Ok(None) if client.response_begun => {}
        Ok(None) => refuse_panicked(&thread, &mut client, &peer).await,
        Err(why) => refuse_bytes(&thread, &mut client, &peer, asked.remains, Fault::malformed(why)).await,
    }
}

/// Runs a future to completion, unless the request turns out to be malformed before any byte of the
/// response was sent. Once a response has begun it continues and is charged: otherwise a client
/// could get it for free by breaking its own request.
async fn unless_broken<F: Future>(
    shared: &Connection,
    stream: u32,
    mut future: Pin<&mut F>,
) -> Result<F::Output, &'static str> {
    poll_fn(|cx| {
        if let Some(why) = shared.with(|state| broken(state, stream, cx)) {
            return Poll::Ready(Err(why));
        }
        future.as_mut().poll(cx).map(Ok)
    })
    .await
}

fn broken(state: &mut State, stream: u32, cx: &Context<'_>) -> Option<&'static str> {
    let known = state.streams.get_mut(&stream)?;
    known.watcher = Some(cx.waker().clone());
    known.broken.filter(|_| !known.has_answered)
}

fn fault(malformed: Malformed) -> Fault {
    match malformed {
        Malformed::Broken(why) => Fault::malformed(why),
        Malformed::TooLarge => Fault::new(
            ErrorCode::HeadersTooLarge,
            "The request headers together are larger than this API accepts.",
        ),
    }
}
