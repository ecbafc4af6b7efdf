//! `[admin] address`: tells by HTTP whether the gateway lives, is ready, and what it has to do.
//!
//! On a thread of its own, so that it answers while the control plane reads a large store or document. It
//! changes nothing and tells no secret; all that can be changed goes through the socket in the store's folder.

use super::standing::Standing;
use crate::failure::Failure;
use std::{
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
    sync::{Semaphore, oneshot},
    time::{sleep, timeout},
};

/// Bytes of a request that are read. All that matters stands in its first line.
const LARGEST: usize = 8 << 10;
/// So long a client may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many clients at a time. The next ones wait.
const MOST_CLIENTS: usize = 32;

/// The thread that answers. It ends when this is dropped.
pub(super) struct Health {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    address: SocketAddr,
}

impl Health {
    /// Begins to answer.
    pub(super) fn serve(address: SocketAddr, standing: Arc<Standing>) -> Result<Self, Failure> {
        let fail =
            |error: io::Error| Failure::new(format!("cannot listen on [admin] address {address}: {error}"));
        let listener = TcpListener::bind(address).map_err(fail)?;
        listener.set_nonblocking(true).map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fail)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("health".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, standing) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { stop: Some(stop), thread: Some(thread.map_err(fail)?), address })
    }

    /// Where it answers.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, standing: Arc<Standing>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let seats = Arc::new(Semaphore::new(MOST_CLIENTS));
    loop {
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let standing = Arc::clone(&standing);
                tokio::spawn(async move {
                    let _seat = seat;
                    // A client that is slow, silent or gone hurts only itself.
                    let _ = timeout(PATIENCE, converse(stream, &standing)).await;
                });
            }
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// One request, one answer.
async fn converse(mut stream: TcpStream, standing: &Standing) -> io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < LARGEST {
        match stream.read(&mut chunk).await? {
            0 => return Ok(()),
            count => request.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
    stream.write_all(&answer(&request, standing)).await?;
    stream.shutdown().await
}

fn answer(request: &[u8], standing: &Standing) -> Vec<u8> {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_head = method == "HEAD";
    let (status, kind, body) = match (method, target.split('?').next().unwrap_or_default()) {
        ("GET" | "HEAD", "/live") => {
            told(standing.is_live(), if standing.is_live() { "live" } else { "stuck" })
        }
        ("GET" | "HEAD", "/ready") => told(standing.is_ready(), standing.word()),
        ("GET" | "HEAD", "/metrics") => {
            ("200 OK", "text/plain; version=0.0.4; charset=utf-8", metrics(standing))
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

fn metrics(standing: &Standing) -> String {
    let mut out = String::new();
    let loads = standing.loads();
    let ready = u8::from(standing.is_ready());
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
    use crate::serve::standing::Phase;

    fn first_line(request: &str, standing: &Standing) -> String {
        let answer = String::from_utf8(answer(request.as_bytes(), standing)).unwrap();
        answer.lines().next().unwrap().to_owned()
    }

    #[test]
    fn a_gateway_that_starts_or_drains_lives_and_is_not_ready() {
        let standing = Standing::default();
        for (phase, ready) in [
            (Phase::Starting, "HTTP/1.1 503 Service Unavailable"),
            (Phase::Serving, "HTTP/1.1 200 OK"),
            (Phase::Draining, "HTTP/1.1 503 Service Unavailable"),
        ] {
            standing.enter(phase);
            assert_eq!(first_line("GET /ready HTTP/1.1\r\n\r\n", &standing), ready, "{phase:?}");
            assert_eq!(first_line("HEAD /live HTTP/1.1\r\n\r\n", &standing), "HTTP/1.1 200 OK");
        }
        assert_eq!(first_line("GET /keys HTTP/1.1\r\n\r\n", &standing), "HTTP/1.1 404 Not Found");
        assert_eq!(first_line("POST /ready HTTP/1.1\r\n\r\n", &standing), "HTTP/1.1 405 Method Not Allowed");
        assert_eq!(first_line("\u{1}", &standing), "HTTP/1.1 404 Not Found");
    }
}
