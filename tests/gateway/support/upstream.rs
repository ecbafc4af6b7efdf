//! A scripted upstream: a listener that handles each request as the test specifies, and records all.

use super::{
    answer::Headers,
    exchange::{Exchange, Next, Seen},
    gate::eventually,
    wire::Wire,
};
use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// What an upstream received so far.
#[derive(Debug, Default)]
pub(crate) struct Record {
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    stopping: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    record: Arc<Record>,
}

type Open = dyn Fn(TcpStream) -> Wire + Send + Sync;
type Script = dyn Fn(&mut Exchange<'_>) -> Next + Send + Sync;

// === impl Record ===

impl Record {
    fn push(&self, seen: &Seen) -> usize {
        let mut all = self.seen.lock().unwrap();
        all.push(seen.clone());
        all.len() - 1
    }

    /// How many requests there were.
    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn update(&self, index: usize, seen: &Seen) {
        self.seen.lock().unwrap()[index] = seen.clone();
    }
}

// === impl Upstream ===

impl Upstream {
    /// Handles every request by the script.
    pub(crate) fn scripted(script: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static) -> Self {
        Self::scripted_over(Wire::new, script)
    }

    /// The same at this address.
    pub(crate) fn scripted_at(
        address: SocketAddr,
        script: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static,
    ) -> Self {
        Self::serve_on(TcpListener::bind(address).unwrap(), Wire::new, script)
    }

    /// The same, over the stream that `open` makes of a socket.
    pub(crate) fn scripted_over(
        open: impl Fn(TcpStream) -> Wire + Send + Sync + 'static,
        script: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static,
    ) -> Self {
        Self::serve_on(TcpListener::bind("127.0.0.1:0").unwrap(), open, script)
    }

    fn serve_on(
        listener: TcpListener,
        open: impl Fn(TcpStream) -> Wire + Send + Sync + 'static,
        script: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let script: Arc<Script> = Arc::new(script);
        let shared = Arc::clone(&record);
        let open: Arc<Open> = Arc::new(open);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (record, script, open) = (Arc::clone(&shared), Arc::clone(&script), Arc::clone(&open));
                let connection = record.connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(open(stream), connection, &record, &*script));
            }
        });
        Self { address, record }
    }

    /// Answers every request with exactly these bytes and keeps the connection.
    pub(crate) fn sending(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::scripted(move |exchange| exchange.send_raw(&bytes, Next::Keep))
    }

    /// Answers every request with exactly these bytes and closes the connection.
    pub(crate) fn sending_and_closing(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::scripted(move |exchange| exchange.send_raw(&bytes, Next::Close))
    }

    /// An address where nothing listens.
    pub(crate) fn unreachable() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { address, record: Arc::default() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in the order in which their heads arrived.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.record.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.record.seen.lock().unwrap().len()
    }

    /// How many requests were for this target.
    pub(crate) fn count_of(&self, target: &str) -> u64 {
        self.record.seen.lock().unwrap().iter().filter(|seen| seen.target == target).count() as u64
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("the upstream saw no request")
    }

    /// The only request so far; it waits until its body was read.
    #[track_caller]
    pub(crate) fn only(&self) -> Seen {
        let seen = eventually("the upstream reads a request", || {
            Some(self.seen()).filter(|seen| seen.first().is_some_and(|first| first.whole))
        });
        assert_eq!(seen.len(), 1, "the upstream saw {seen:?}");
        seen.into_iter().next().unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.record.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.record.stopping.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it notices the shutdown.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut wire: Wire, connection: usize, record: &Record, script: &Script) {
    // A connection may be idle as long as the test runs.
    wire.stream.set_read_timeout(None).unwrap();
    let mut earlier = 0;
    while let Ok(line) = wire.line() {
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        let (method, target, version) = (word(), word(), word());
        let Ok(fields) = wire.fields() else { return };
        let seen = Seen { method, target, version, headers: Headers(fields), connection, ..Seen::default() };
        let index = record.push(&seen);
        let mut exchange = Exchange { seen, earlier, wire: &mut wire, record, index, body_read: false };
        if script(&mut exchange) == Next::Close || exchange.read_body().is_none() {
            return;
        }
        earlier += 1;
    }
}
