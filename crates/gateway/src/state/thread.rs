//! The state of one data thread. Nothing here is shared, so nothing is locked.

use crate::{
    clock::text,
    config::ThreadConfig,
    io::http2::Connections,
    record::{handshakes::FailedHandshakes, usage::Sheet},
    state::{load::Load, shared::Shared},
};
use http1::{
    field::{Field, RequestField, ResponseField},
    request::Notes,
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::{Arc, atomic::Ordering},
};
use tokio::{sync::Notify, time::Instant};
use transport::{connection_limit::ConnectionLimit, connection_state::ConnectionState};
use upstream::Pool;

/// Bytes of log lines that are handed over at once.
const LOG_BATCH: usize = 16 * 1024;
/// Maximum number of spare buffers for heads.
const MAX_SPARE: usize = 64;
/// Buffers with more items than this are not kept.
const MAX_SPARE_SIZE: usize = 64 * 1024;

/// The state of one data thread.
pub(crate) struct Thread {
    pub(crate) shared: Arc<Shared>,
    /// The number of this data thread.
    number: usize,
    /// Used for an invalid thread number.
    unknown_load: Load,
    /// Makes room for connections beyond the limit.
    pub(crate) connection_limit: ConnectionLimit,
    config: RefCell<Rc<ThreadConfig>>,
    pub(crate) pool: Pool,
    /// The writer for charges. None: they are kept in memory only.
    pub(crate) journal: RefCell<Option<journal::Writer>>,
    pub(crate) random: RefCell<fastrand::Rng>,
    /// SIGTERM was received: responses no longer offer to keep the connection.
    pub(crate) is_draining: Cell<bool>,
    /// Notified when the drain begins, with the time at which remaining requests are cut off.
    pub(crate) drain_begun: Notify,
    pub(crate) drain_end: Cell<Option<Instant>>,
    pub(crate) connections: RefCell<HashMap<u64, Rc<ConnectionState>>>,
    /// Closed connections that are still read, so that the last response arrives.
    pub(crate) lingering: Cell<usize>,
    /// HTTP/2 connections, which are notified when the thread drains.
    pub(crate) http2_connections: Connections,
    accepted: Cell<u64>,
    log: RefCell<(Vec<u8>, u64)>,
    pub(crate) usage: RefCell<Sheet>,
    pub(crate) failed_handshakes: RefCell<FailedHandshakes>,
    date: text::OfSecond,
    spare_fields: Spare<Field<RequestField>>,
    spare_texts: Spare<u8>,
    spare_answer_fields: Spare<Field<ResponseField>>,
    spare_heads: Spare<u8>,
}

/// Memory that is reused from one message to the next.
struct Spare<T>(RefCell<Vec<Vec<T>>>);

impl Thread {
    pub(crate) fn new(shared: Arc<Shared>, number: usize, journal: Option<journal::Writer>) -> Self {
        Self {
            config: RefCell::new(ThreadConfig::new(shared.config.load_full())),
            shared,
            number,
            unknown_load: Load::default(),
            connection_limit: ConnectionLimit::default(),
            pool: Pool::default(),
            journal: RefCell::new(journal),
            random: RefCell::new(fastrand::Rng::new()),
            is_draining: Cell::new(false),
            drain_begun: Notify::new(),
            drain_end: Cell::new(None),
            connections: RefCell::default(),
            lingering: Cell::new(0),
            http2_connections: Connections::default(),
            accepted: Cell::new(0),
            log: RefCell::default(),
            usage: RefCell::default(),
            failed_handshakes: RefCell::default(),
            date: text::OfSecond::new(),
            spare_fields: Spare::default(),
            spare_texts: Spare::default(),
            spare_answer_fields: Spare::default(),
            spare_heads: Spare::default(),
        }
    }

    /// The configuration for a request that begins now.
    pub(crate) fn config(&self) -> Rc<ThreadConfig> {
        let own = Rc::clone(&self.config.borrow());
        if own.number == self.shared.number() { own } else { self.next_config() }
    }

    #[cold]
    fn next_config(&self) -> Rc<ThreadConfig> {
        let latest = ThreadConfig::new(self.shared.config.load_full());
        self.pool.sweep(&latest.services);
        self.config.replace(Rc::clone(&latest));
        latest
    }

    /// A number that no other connection of this thread has.
    pub(crate) fn next_connection(&self) -> u64 {
        self.accepted.set(self.accepted.get() + 1);
        self.accepted.get()
    }

    /// Its load.
    pub(crate) fn load(&self) -> &Load {
        self.shared.loads.of(self.number).unwrap_or(&self.unknown_load)
    }

    /// Memory for the results of parsing a request.
    pub(crate) fn notes(&self) -> Notes {
        let text = String::from_utf8(self.spare_texts.take(512)).unwrap_or_default(); // it is empty
        Notes { fields: self.spare_fields.take(32), text }
    }

    pub(crate) fn give_back(&self, notes: Notes) {
        self.spare_fields.give_back(notes.fields);
        self.spare_texts.give_back(notes.text.into_bytes());
    }

    /// Memory for the fields of a response.
    pub(crate) fn response_fields(&self) -> Vec<Field<ResponseField>> {
        self.spare_answer_fields.take(32)
    }

    pub(crate) fn give_response_fields_back(&self, fields: Vec<Field<ResponseField>>) {
        self.spare_answer_fields.give_back(fields);
    }

    /// Memory to write a head into.
    pub(crate) fn head_memory(&self) -> Vec<u8> {
        self.spare_heads.take(2048)
    }

    pub(crate) fn give_head_memory(&self, memory: Vec<u8>) {
        self.spare_heads.give_back(memory);
    }

    /// Appends the `Date` line of a Unix second.
    pub(crate) fn write_date(&self, second: u64, out: &mut Vec<u8>) {
        let line = |second| format!("Date: {}\r\n", text::http_date(second));
        self.date.with(second, line, |line| out.extend_from_slice(line.as_bytes()));
    }

    /// Adds a line to the log. Lines are handed over in batches.
    pub(crate) fn log(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut log = self.log.borrow_mut();
        write(&mut log.0);
        log.1 += 1;
        let is_full = log.0.len() >= LOG_BATCH;
        drop(log);
        if is_full {
            self.flush_log();
        }
    }

    /// Hands the tallies over. If the control plane does not keep up, they stay here and grow
    /// within their bound.
    pub(crate) fn hand_usage_over(&self) {
        let mut sheet = self.usage.borrow_mut();
        if sheet.is_empty() || self.shared.usage.is_full() {
            return;
        }
        // Another thread may have taken the last place meanwhile.
        if let Err(refused) = self.shared.usage.push(sheet.take()) {
            let requests = refused.iter().map(|entry| entry.tally.requests()).sum();
            self.shared.lost_usage.fetch_add(requests, Ordering::Relaxed);
        }
    }

    /// Hands the log lines over.
    pub(crate) fn flush_log(&self) {
        let (batch, lines) = std::mem::take(&mut *self.log.borrow_mut());
        if lines > 0 {
            self.shared.log.hand_over(batch, lines);
        }
    }
}

impl<T> Default for Spare<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T> Spare<T> {
    fn take(&self, capacity: usize) -> Vec<T> {
        self.0.borrow_mut().pop().unwrap_or_else(|| Vec::with_capacity(capacity))
    }

    /// Keeps memory. Its content is cleared here, in one place: content of one message in another
    /// would be request smuggling.
    fn give_back(&self, mut memory: Vec<T>) {
        memory.clear();
        let mut spare = self.0.borrow_mut();
        if spare.len() < MAX_SPARE && memory.capacity() <= MAX_SPARE_SIZE {
            spare.push(memory);
        }
    }
}
