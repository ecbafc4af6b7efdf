//! The sample API: a small real HTTP server that works, and that fails in every way an API can.
//!
//! It knows nothing of the gateway in front of it: what a client sees of it directly, without the
//! contract, is what makes the difference visible.

mod answers;
mod items;
mod orders;

use crate::failure::Failure;
use answers::{Body, Reply, Shelves, reply};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use items::Shop;
use orders::Orders;
use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::{pending, poll_fn},
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    task::LocalSet,
    time::sleep,
};

/// What no HTTP server should do on its connection. The answer to such a request bypasses the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misbehaviour {
    /// The connection is closed before any answer.
    Close,
    /// The connection is closed within an answer.
    HalfAnAnswer,
    /// What comes is not HTTP.
    Garbage,
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>>>>;

/// Starts it on a free port and returns its address. It ends with the process: the gateway
/// needs it until the last answer.
pub(super) fn start() -> Result<SocketAddr, Failure> {
    let failed =
        |error: std::io::Error| Failure::new(format!("the sample API cannot start on 127.0.0.1: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let thread = std::thread::Builder::new().name("sample-api".into());
    thread.spawn(move || serve(&runtime, &listener)).map_err(failed)?;
    Ok(address)
}

fn serve(runtime: &Runtime, listener: &TcpListener) {
    let shelves = Shelves { shop: Shop::with_some_items(), orders: Orders::default() };
    let shelves = Rc::new(RefCell::new(shelves));
    LocalSet::new().block_on(runtime, async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    tokio::task::spawn_local(converse(stream, Rc::clone(&shelves)));
                }
                // Out of file descriptors, most likely: others must be able to close theirs.
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    });
}

/// Serves a connection, until a request must get a response that no HTTP server would send.
async fn converse(stream: TcpStream, shelves: Rc<RefCell<Shelves>>) {
    let misbehaviour: Rc<Cell<Option<Misbehaviour>>> = Rc::default();
    let wanted = Rc::clone(&misbehaviour);
    let service = service_fn(move |request: Request<Incoming>| -> Answering {
        let (shelves, misbehaviour) = (Rc::clone(&shelves), Rc::clone(&misbehaviour));
        Box::pin(async move {
            match reply(request, &shelves).await {
                Reply::Answer(answer) => Ok(answer),
                Reply::Silence => pending().await,
                Reply::Misbehave(wanted) => {
                    misbehaviour.set(Some(wanted));
                    pending().await
                }
            }
        })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|cx| match connection.poll_without_shutdown(cx) {
        Poll::Ready(_) => Poll::Ready(None),
        // The service never answers in this case; the connection is ours from here on.
        Poll::Pending => wanted.get().map_or(Poll::Pending, |wanted| Poll::Ready(Some(wanted))),
    });
    let wanted = ended.await;
    let mut stream = connection.into_parts().io.into_inner();
    let bytes: &[u8] = match wanted {
        None | Some(Misbehaviour::Close) => b"",
        Some(Misbehaviour::HalfAnAnswer) => {
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"items\": [{\"id\": 1, \"na"
        }
        Some(Misbehaviour::Garbage) => b"%#?!\x00\x01\x02 out of paper\r\n\r\n",
    };
    // The client may be gone by now.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
}
