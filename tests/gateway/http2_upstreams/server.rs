//! An upstream made of the crate `h2`, an independent implementation: a function of the test answers each request.

use h2::{
    RecvStream,
    server::{Builder, Connection, SendResponse},
};
use hyper::http::{Request, Response};
use std::{
    future::Future,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use bytes::Bytes;

/// One request, and the means to answer it.
pub(crate) struct Asked {
    pub(crate) request: Request<RecvStream>,
    pub(crate) respond: SendResponse<Bytes>,
}

/// What was seen of a request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authority: String,
    pub(crate) scheme: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Record {
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    record: Arc<Record>,
    /// Ends the server when it is dropped.
    _running: tokio::sync::oneshot::Sender<()>,
}

type Answering = Pin<Box<dyn Future<Output = ()> + Send>>;
type Script = Arc<dyn Fn(Asked) -> Answering + Send + Sync>;

impl Server {
    /// Answers each request by a task of its own.
    pub(crate) fn scripted<F>(script: impl Fn(Asked) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::built(Builder::new(), script)
    }

    /// The same with settings of its own.
    pub(crate) fn built<F>(builder: Builder, script: impl Fn(Asked) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let (running, mut ended) = tokio::sync::oneshot::channel();
        let shared = Arc::clone(&record);
        let script: Script = Arc::new(move |asked| Box::pin(script(asked)));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                loop {
                    tokio::select! {
                        _ = &mut ended => return,
                        accepted = listener.accept() => {
                            let Ok((socket, _)) = accepted else { continue };
                            // Without it small frames wait for acknowledgements (Nagle), unlike in real servers.
                            socket.set_nodelay(true).unwrap();
                            shared.connections.fetch_add(1, Ordering::SeqCst);
                            let (record, script) = (Arc::clone(&shared), Arc::clone(&script));
                            let builder = builder.clone();
                            tokio::spawn(async move {
                                let Ok(greeted) = builder.handshake(socket).await else { return };
                                serve(greeted, &record, &script).await;
                            });
                        }
                    }
                }
            });
        });
        Self { address, record, _running: running }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.record.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.record.seen.lock().unwrap().len()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("the upstream saw no request")
    }

    pub(crate) fn connections(&self) -> usize {
        self.record.connections.load(Ordering::SeqCst)
    }
}

async fn serve<T: AsyncRead + AsyncWrite + Unpin>(
    mut greeted: Connection<T, Bytes>,
    record: &Record,
    script: &Script,
) {
    while let Some(Ok((request, respond))) = greeted.accept().await {
        let text = |value: &hyper::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let uri = request.uri();
        record.seen.lock().unwrap().push(Seen {
            method: request.method().to_string(),
            path: uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            authority: uri.authority().map(ToString::to_string).unwrap_or_default(),
            scheme: uri.scheme_str().unwrap_or_default().to_owned(),
            headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        });
        // A path can end the connection in order; requests in flight continue.
        if request.uri().path() == "/goodbye" {
            greeted.graceful_shutdown();
        }
        tokio::spawn(script(Asked { request, respond }));
    }
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.request.uri().path()
    }

    /// Reads the body to its end, opening windows as it comes, and the trailers.
    pub(crate) async fn body(&mut self) -> (Vec<u8>, Vec<(String, String)>) {
        let body = self.request.body_mut();
        let mut bytes = Vec::new();
        while let Some(Ok(data)) = body.data().await {
            let _ = body.flow_control().release_capacity(data.len());
            bytes.extend_from_slice(&data);
        }
        let trailers = body.trailers().await.ok().flatten().unwrap_or_default();
        let text = |value: &hyper::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        (bytes, trailers.iter().map(|(name, value)| (name.to_string(), text(value))).collect())
    }

    /// Answers with a body that is sent at once.
    pub(crate) fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let head = head(status, headers);
        let Ok(mut stream) = self.respond.send_response(head, body.is_empty()) else { return };
        if !body.is_empty() {
            let _ = stream.send_data(Bytes::copy_from_slice(body), true);
        }
    }
}

pub(crate) fn head(status: u16, headers: &[(&str, &str)]) -> Response<()> {
    let mut head = Response::builder().status(status);
    for (name, value) in headers {
        head = head.header(*name, *value);
    }
    head.body(()).unwrap()
}
