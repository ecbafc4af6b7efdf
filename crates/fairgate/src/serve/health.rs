//! `[admin] address`: tells by HTTP whether the gateway lives, is ready, and what it has to do.
//!
//! On a thread of its own, so that it answers while the control plane reads a large store or document. It
//! changes nothing and tells no secret; all that can be changed goes through the socket in the store's folder.

use super::lifecycle::Lifecycle;
use crate::failure::Failure;
use gateway::record::{Level, LogSink};
use std::{
    collections::VecDeque,
    fmt::Write,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::{sleep, timeout},
};

/// Bytes of a request that are read. All that matters stands in its first line.
const LARGEST: usize = 8 << 10;
/// So long a client may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many clients at a time. One more, and the one that has taken longest is ended: it has had more time than an
/// honest one needs, and whoever asks whether we are ready must not wait for those who send nothing.
const MAX_CLIENTS: usize = 64;
/// How often an address that was taken is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What answers, where the configuration wants it.
pub(super) struct Health {
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
    pub(super) const fn new(lifecycle: Arc<Lifecycle>, log: LogSink) -> Self {
        Self { lifecycle, log, running: None }
    }

    /// Begins to answer, on a socket that was handed over if it fits.
    pub(super) fn begin(
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
    pub(super) fn begin_when_free(&mut self, wanted: Option<SocketAddr>) -> Result<(), Failure> {
        if let Some(wanted) = wanted {
            self.running = Some(self.run(wanted, None).map_err(|error| fail(wanted, &error))?);
        }
        Ok(())
    }

    /// Answers at another address from now on, or nowhere.
    ///
    /// # Errors
    /// The address cannot be listened on. Then all is as before.
    pub(super) fn move_to(&mut self, wanted: Option<SocketAddr>) -> Result<(), Failure> {
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
    pub(super) fn wanted(&self) -> Option<SocketAddr> {
        self.running.as_ref().map(|running| running.wanted)
    }

    /// Where it answers.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.running.as_ref().map(|running| running.address)
    }

    /// The socket, to be handed over.
    pub(super) fn socket(&self) -> Option<TcpListener> {
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
    let mut was_told = false;
    let mut next = socket.map_or_else(|| TcpListener::bind(wanted), Ok);
    loop {
        match next.and_then(|socket| {
            socket.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(socket)
        }) {
            Ok(listener) => {
                if was_told {
                    log.event(
                        Level::Info,
                        "the admin address is served",
                        &[("address", &wanted.to_string())],
                    );
                }
                return accept(listener, lifecycle).await;
            }
            Err(error) if !was_told => {
                was_told = true;
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
async fn converse(mut stream: TcpStream, lifecycle: &Lifecycle) -> io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < LARGEST {
        match stream.read(&mut chunk).await? {
            0 => return Ok(()),
            count => request.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
    stream.write_all(&answer(&request, lifecycle)).await?;
    stream.shutdown().await
}

fn answer(request: &[u8], lifecycle: &Lifecycle) -> Vec<u8> {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_head = method == "HEAD";
    let (status, kind, body) = match (method, target.split('?').next().unwrap_or_default()) {
        ("GET" | "HEAD", "/live") => {
            told(lifecycle.is_live(), if lifecycle.is_live() { "live" } else { "stuck" })
        }
        ("GET" | "HEAD", "/ready") => told(lifecycle.is_ready(), lifecycle.word()),
        ("GET" | "HEAD", "/metrics") => {
            ("200 OK", "text/plain; version=0.0.4; charset=utf-8", metrics(lifecycle))
        }
        (_, "/live" | "/ready" | "/metrics") => {
            ("405 Method Not Allowed", "application/json", "{\"status\":\"use GET\"}\n".to_owned())
        }
        _ => (
            "404 Not Found",
            "application/json",
            "{\"status\":\"there are /live, /ready and /metrics\"}\n".to_owned(),
        ),
    };
    let mut out = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    if !is_head {
        out.push_str(&body);
    }
    out.into_bytes()
}

fn told(is_good: bool, word: &str) -> (&'static str, &'static str, String) {
    let status = if is_good { "200 OK" } else { "503 Service Unavailable" };
    (status, "application/json", format!("{{\"status\":\"{word}\"}}\n"))
}

fn metrics(lifecycle: &Lifecycle) -> String {
    let mut out = String::new();
    let loads = lifecycle.loads();
    let ready = u8::from(lifecycle.is_ready());
    let mut one = |name: &str, meaning: &str, values: &mut dyn Iterator<Item = (String, u64)>| {
        let _ = writeln!(out, "# HELP {name} {meaning}\n# TYPE {name} gauge");
        for (labels, value) in values {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    };
    one(
        "fairgate_ready",
        "Whether requests should be sent here.",
        &mut std::iter::once((String::new(), ready.into())),
    );
    let label = |number: usize| format!("{{thread=\"{number}\"}}");
    let threads = || loads.iter().enumerate();
    let connections = &mut threads().map(|(number, load)| (label(number), load.connections as u64));
    one("fairgate_connections", "Connections of clients that are open.", connections);
    let requests = &mut threads().map(|(number, load)| (label(number), load.requests as u64));
    one("fairgate_requests_in_flight", "Requests that are not answered yet.", requests);
    let lag = &mut threads().map(|(number, load)| (label(number), load.lag_millis));
    one("fairgate_lag_milliseconds", "How far a data thread is behind with what is due.", lag);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::lifecycle::Phase;

    fn first_line(request: &str, lifecycle: &Lifecycle) -> String {
        let answer = String::from_utf8(answer(request.as_bytes(), lifecycle)).unwrap();
        answer.lines().next().unwrap().to_owned()
    }

    #[test]
    fn a_gateway_that_starts_or_drains_lives_and_is_not_ready() {
        let lifecycle = Lifecycle::default();
        for (phase, ready) in [
            (Phase::Starting, "HTTP/1.1 503 Service Unavailable"),
            (Phase::Serving, "HTTP/1.1 200 OK"),
            (Phase::Draining, "HTTP/1.1 503 Service Unavailable"),
        ] {
            lifecycle.enter(phase);
            assert_eq!(first_line("GET /ready HTTP/1.1\r\n\r\n", &lifecycle), ready, "{phase:?}");
            assert_eq!(first_line("HEAD /live HTTP/1.1\r\n\r\n", &lifecycle), "HTTP/1.1 200 OK");
        }
        assert_eq!(first_line("GET /keys HTTP/1.1\r\n\r\n", &lifecycle), "HTTP/1.1 404 Not Found");
        assert_eq!(first_line("POST /ready HTTP/1.1\r\n\r\n", &lifecycle), "HTTP/1.1 405 Method Not Allowed");
        assert_eq!(first_line("\u{1}", &lifecycle), "HTTP/1.1 404 Not Found");
    }
}
