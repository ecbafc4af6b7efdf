//! `[admin] address`: tells by HTTP whether the gateway lives, is ready, and what it has to do.
//!
//! On a thread of its own, so that it answers while the control plane reads a large store or document. It
//! changes nothing and tells no secret; all that can be changed goes through the socket in the store's folder.

use super::metrics::metrics;
use crate::{failure::Failure, lifecycle::Lifecycle};
use bytes::Bytes;
use gateway::record::{Level, LogSink};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::oneshot,
    time::{sleep, timeout},
};

/// Bytes of a request's head that are read.
const LARGEST: usize = 8 << 10;
/// So long a client may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many clients at a time. One more, and the one that has taken longest is ended: it has had more time than an
/// honest one needs, and whoever asks whether we are ready must not wait for those who send nothing.
const MAX_CLIENTS: usize = 64;
/// How often an address that was taken is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What answers, where the configuration wants it.
pub(crate) struct Health {
    lifecycle: Arc<Lifecycle>,
    log: LogSink,
    running: Option<Running>,
}

/// The thread that answers. It ends when this is dropped.
struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// What the configuration says: its port may be 0.
    wanted: SocketAddr,
    address: SocketAddr,
    /// The socket once more, for the gateway that takes the place of this one. None: it is not open yet.
    socket: Option<TcpListener>,
}

// === impl Health ===

impl Health {
    pub(crate) const fn new(lifecycle: Arc<Lifecycle>, log: LogSink) -> Self {
        Self { lifecycle, log, running: None }
    }

    /// Begins to answer, on a socket that was handed over if it fits.
    pub(crate) fn begin(
        &mut self,
        wanted: Option<SocketAddr>,
        handed: Option<TcpListener>,
    ) -> Result<(), Failure> {
        let Some(wanted) = wanted else { return Ok(()) };
        let fits = |socket: &TcpListener| {
            socket.local_addr().is_ok_and(|local| {
                local.ip() == wanted.ip() && (wanted.port() == 0 || local.port() == wanted.port())
            })
        };
        let socket = match handed.filter(fits) {
            Some(socket) => Ok(socket),
            None => TcpListener::bind(wanted),
        };
        let running = socket.and_then(|socket| self.run(wanted, Some(socket)));
        self.running = Some(running.map_err(|error| fail(wanted, &error))?);
        Ok(())
    }

    /// Begins to answer as soon as the address is free: nobody serves meanwhile, and that is worse than nobody telling.
    pub(crate) fn begin_when_free(&mut self, wanted: Option<SocketAddr>) -> Result<(), Failure> {
        if let Some(wanted) = wanted {
            self.running = Some(self.run(wanted, None).map_err(|error| fail(wanted, &error))?);
        }
        Ok(())
    }

    /// Answers at another address from now on, or nowhere.
    ///
    /// # Errors
    /// The address cannot be listened on. Then all is as before.
    pub(crate) fn move_to(&mut self, wanted: Option<SocketAddr>) -> Result<(), Failure> {
        let before = self.wanted();
        if wanted == before {
            return Ok(());
        }
        let Some(wanted) = wanted else {
            self.running = None;
            return Ok(());
        };
        let mut opened = TcpListener::bind(wanted);
        // An address can be a part of the one before: the old one has to make room.
        let is_in_the_way = before.is_some_and(|before| before.port() == wanted.port());
        if is_in_the_way && opened.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse) {
            self.running = None;
            opened = TcpListener::bind(wanted);
        }
        match opened.and_then(|socket| self.run(wanted, Some(socket))) {
            Ok(running) => {
                self.running = Some(running);
                Ok(())
            }
            Err(error) => {
                if self.running.is_none() {
                    let _ = self.begin_when_free(before);
                }
                Err(fail(wanted, &error))
            }
        }
    }

    /// What the configuration says.
    pub(crate) fn wanted(&self) -> Option<SocketAddr> {
        self.running.as_ref().map(|running| running.wanted)
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.running.as_ref().map(|running| running.address)
    }

    /// The socket, to be handed over.
    pub(crate) fn socket(&self) -> Option<TcpListener> {
        self.running.as_ref()?.socket.as_ref()?.try_clone().ok()
    }

    fn run(&self, wanted: SocketAddr, socket: Option<TcpListener>) -> io::Result<Running> {
        let address = socket.as_ref().map_or(Ok(wanted), TcpListener::local_addr)?;
        let kept = socket.as_ref().map(TcpListener::try_clone).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (lifecycle, log) = (Arc::clone(&self.lifecycle), self.log.clone());
        let thread = std::thread::Builder::new().name("health".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(wanted, socket, lifecycle, &log) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Running { stop: Some(stop), thread: Some(thread), wanted, address, socket: kept })
    }
}

fn fail(address: SocketAddr, error: &io::Error) -> Failure {
    Failure::new(format!("cannot listen on `[admin] address` {address}: {error}"))
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(wanted: SocketAddr, socket: Option<TcpListener>, lifecycle: Arc<Lifecycle>, log: &LogSink) {
    let mut was_logged = false;
    let mut next = socket.map_or_else(|| TcpListener::bind(wanted), Ok);
    loop {
        match next.and_then(|socket| {
            socket.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(socket)
        }) {
            Ok(listener) => {
                if was_logged {
                    log.event(
                        Level::Info,
                        "the admin address is served",
                        &[("address", &wanted.to_string())],
                    );
                }
                return accept(listener, lifecycle).await;
            }
            Err(error) if !was_logged => {
                was_logged = true;
                let members = [
                    ("error", fail(wanted, &error).to_string()),
                    ("effect", "requests are served; it is tried again each second".to_owned()),
                ];
                let members = members.each_ref().map(|(name, value)| (*name, value.as_str()));
                log.event(Level::Error, "the admin address is not served", &members);
            }
            Err(_) => {}
        }
        sleep(AGAIN).await;
        next = TcpListener::bind(wanted);
    }
}

async fn accept(listener: tokio::net::TcpListener, lifecycle: Arc<Lifecycle>) {
    let mut clients: VecDeque<tokio::task::JoinHandle<()>> = VecDeque::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                clients.retain(|client| !client.is_finished());
                if clients.len() >= MAX_CLIENTS
                    && let Some(longest) = clients.pop_front()
                {
                    longest.abort();
                }
                let lifecycle = Arc::clone(&lifecycle);
                clients.push_back(tokio::spawn(async move {
                    // A client that is slow, silent or gone hurts only itself.
                    let _ = timeout(PATIENCE, converse(stream, &lifecycle)).await;
                }));
            }
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// One request, one answer.
async fn converse(stream: TcpStream, lifecycle: &Lifecycle) -> hyper::Result<()> {
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(answer(request.method(), request.uri().path(), lifecycle))
    });
    let mut server = http1::Builder::new();
    server.keep_alive(false).max_buf_size(LARGEST);
    server.serve_connection(TokioIo::new(stream), service).await
}

fn answer(method: &Method, path: &str, lifecycle: &Lifecycle) -> Response<Full<Bytes>> {
    let is_read = [Method::GET, Method::HEAD].contains(method);
    match path {
        "/live" | "/ready" | "/metrics" if !is_read => {
            let mut answer = json(StatusCode::METHOD_NOT_ALLOWED, "use GET");
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            answer
        }
        "/live" if lifecycle.is_live() => json(StatusCode::OK, "live"),
        "/live" => json(StatusCode::SERVICE_UNAVAILABLE, "stuck"),
        "/ready" if lifecycle.is_ready() => json(StatusCode::OK, lifecycle.word()),
        "/ready" => json(StatusCode::SERVICE_UNAVAILABLE, lifecycle.word()),
        "/metrics" => text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics(lifecycle)),
        _ => json(StatusCode::NOT_FOUND, "there are /live, /ready and /metrics"),
    }
}

fn json(status: StatusCode, word: &str) -> Response<Full<Bytes>> {
    text(status, "application/json", format!("{{\"status\":\"{word}\"}}\n"))
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::Phase;
    use std::io::{Read, Write};

    #[test]
    fn a_gateway_that_starts_or_drains_lives_and_is_not_ready() {
        let lifecycle = Lifecycle::default();
        let status = |method: Method, path: &str| answer(&method, path, &lifecycle).status().as_u16();
        for (phase, ready) in [(Phase::Starting, 503), (Phase::Serving, 200), (Phase::Draining, 503)] {
            lifecycle.enter(phase);
            assert_eq!(status(Method::GET, "/ready"), ready, "{phase:?}");
            assert_eq!(status(Method::HEAD, "/live"), 200);
        }
        assert_eq!(status(Method::GET, "/keys"), 404);
        assert_eq!(status(Method::POST, "/ready"), 405);
    }

    #[test]
    fn an_answer_ends_its_connection_and_nonsense_gets_one_as_well() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = |request: &'static [u8]| {
            let client = std::thread::spawn(move || {
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                stream.write_all(request).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer
            });
            let (stream, _) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            let lifecycle = Lifecycle::default();
            let _ =
                runtime.block_on(async { converse(TcpStream::from_std(stream).unwrap(), &lifecycle).await });
            client.join().unwrap()
        };
        let answer = asked(b"GET /ready?now HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n{\"status\":\"starting\"}\n"), "{answer}");
        let answer = asked(b"HEAD /ready HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(answer.ends_with("\r\n\r\n") && answer.contains("content-length: 22\r\n"), "{answer}");
        assert!(asked(b"\x01\r\n\r\n").starts_with("HTTP/1.1 400 Bad Request\r\n"));
    }
}
