//! Clients at full load: each sends one request after the other, judges the response, and stops when the
//! gateway is dead.

use crate::{
    deeds::{Deed, Wish},
    peer::Peer,
    rounds::LARGE_KEYS,
    support::{Answer, Connection, Gateway, Key, wire::Ended},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A client abandons no response this shortly before a kill: it would be unknown whether the gateway
/// lived to notice.
const LAST_LEAVING: Duration = Duration::from_millis(300);

/// What clients saw, in counts.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    /// Successes received to their last byte.
    pub(crate) received: BTreeMap<Deed, u64>,
    /// Faults of the upstream that ended in an error or a truncated response.
    pub(crate) faults: BTreeMap<Deed, u64>,
    pub(crate) denied: u64,
    /// The upstream succeeded, but too late for a loaded machine.
    pub(crate) errors: u64,
    pub(crate) cut_by_kill: u64,
    pub(crate) unanswered: u64,
    pub(crate) left: u64,
    pub(crate) unknown: u64,
    pub(crate) units: u64,
    /// What must never happen.
    pub(crate) odd: Vec<String>,
}

/// How clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// One request after the other.
    Http1,
    /// Several at once on streams of a connection.
    Http2,
}

/// A success that a client received, or abandoned.
#[derive(Debug)]
pub(crate) struct Received {
    /// The key's place.
    pub(crate) key: usize,
    pub(crate) units: u64,
    pub(crate) at: Instant,
    /// The request's id, if the client left before the end.
    pub(crate) left: Option<String>,
}

/// When a kill may happen: at its time, but not before the round has seen enough. A busy machine only takes longer.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) at: Instant,
    /// Successes that must have been received.
    pub(crate) least: u64,
    pub(crate) received: AtomicU64,
}

pub(crate) struct Client<'r> {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    /// Keys with their places, large ones first.
    pub(crate) keys: &'r [(usize, Key)],
    pub(crate) random: fastrand::Rng,
    pub(crate) due: &'r Due,
    /// Set just before the kill.
    pub(crate) killed: &'r AtomicBool,
    /// The gateway, if the client is to kill it: at the last byte of a success, when it is time.
    pub(crate) victim: Option<&'r Mutex<Gateway>>,
    pub(crate) protocol: Protocol,
    pub(crate) seen: Seen,
    pub(crate) received: Vec<Received>,
}

impl Due {
    pub(crate) fn has_come(&self) -> bool {
        Instant::now() >= self.at && self.received.load(Ordering::SeqCst) >= self.least
    }
}

impl Client<'_> {
    /// Requests until the gateway is dead.
    pub(crate) fn run(mut self) -> (Seen, Vec<Received>) {
        while !self.is_killed() {
            match Connection::try_open(self.address) {
                Ok(connection) if self.protocol == Protocol::Http2 => {
                    self.ask_by_streams(Peer::on(connection.wire));
                }
                Ok(mut connection) => while !self.is_killed() && self.request(&mut connection) {},
                Err(_) if self.is_killed() => {}
                Err(error) => {
                    self.seen.odd.push(format!("cannot connect: {error}"));
                    break;
                }
            }
        }
        (self.seen, self.received)
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    /// One request. False: the connection cannot be used for another one.
    fn request(&mut self, connection: &mut Connection) -> bool {
        let wish = Wish::random(&mut self.random);
        let (place, key) = self.choose_key();
        self.seen.requests += 1;
        let id = format!("{}-{}", self.name, self.seen.requests);
        let request = wish.request.clone().key(&key).header("X-Request-Id", &id);
        connection.write(&request.bytes());
        let mut answer = match Answer::read_head(&mut connection.wire) {
            Ok(answer) => answer,
            Err(ended) => {
                self.unanswered(&wish, ended);
                return false;
            }
        };
        if wish.deed == Deed::Large && answer.status == 200 {
            match self.random.u8(..8) {
                0 if Instant::now() + LAST_LEAVING < self.due.at => {
                    self.seen.left += 1;
                    self.note(place, wish.cost, Some(id));
                    return false;
                }
                // A slow reader: the kernel holds the last bytes of its response for a while.
                1 => std::thread::park_timeout(Duration::from_millis(20)),
                _ => {}
            }
        }
        answer.read_body(&mut connection.wire, request.method());
        if answer.is_whole() && answer.status < 300 {
            self.strike();
        }
        self.judge(&wish, place, &answer);
        answer.is_whole() && !answer.headers.list("connection").contains(&"close".to_owned())
    }

    /// A key and its place.
    pub(crate) fn choose_key(&mut self) -> (usize, Key) {
        // Small keys are used up soon; most requests should not be denied.
        let among = if self.random.u8(..4) == 0 { self.keys.len() } else { LARGE_KEYS };
        self.keys[self.random.usize(..among)].clone()
    }

    /// The critical moment: the last byte has just arrived, so the charge must be recorded already.
    pub(crate) fn strike(&self) {
        let Some(victim) = self.victim.filter(|_| self.due.has_come()) else { return };
        let mut victim = victim.lock().unwrap();
        self.killed.store(true, Ordering::SeqCst);
        victim.strike();
    }

    fn note(&mut self, key: usize, units: u64, left: Option<String>) {
        self.received.push(Received { key, units, at: Instant::now(), left });
    }

    pub(crate) fn unanswered(&mut self, wish: &Wish, ended: Ended) {
        if self.is_killed() && ended != Ended::Silent {
            self.seen.unanswered += 1;
        } else {
            self.seen.odd.push(format!("no answer to {:?}: {ended:?}", wish.deed));
        }
    }

    pub(crate) fn judge(&mut self, wish: &Wish, key: usize, answer: &Answer) {
        let is_error = answer.status >= 400;
        match (wish.deed.is_success(), answer.cut) {
            (_, None) if answer.status == 429 => self.seen.denied += 1,
            (true, None) if is_error => self.seen.errors += 1,
            (true, None) if answer.body == wish.deed.body() => {
                *self.seen.received.entry(wish.deed).or_default() += 1;
                self.seen.units += wish.cost;
                self.due.received.fetch_add(1, Ordering::SeqCst);
                self.note(key, wish.cost, None);
            }
            (true, Some(Ended::Closed | Ended::Reset)) if self.is_killed() => self.seen.cut_by_kill += 1,
            (false, None) if is_error => *self.seen.faults.entry(wish.deed).or_default() += 1,
            (false, Some(Ended::Closed | Ended::Reset)) => {
                *self.seen.faults.entry(wish.deed).or_default() += 1;
            }
            (true, None | Some(_)) | (false, None | Some(Ended::Silent)) => self.seen.odd.push(format!(
                "{:?} became {} with {} bytes, cut: {:?}",
                wish.deed,
                answer.status,
                answer.body.len(),
                answer.cut
            )),
        }
    }
}

impl Seen {
    pub(crate) fn add(&mut self, other: Self) {
        let sum = |to: &mut BTreeMap<Deed, u64>, from: BTreeMap<Deed, u64>| {
            for (deed, count) in from {
                *to.entry(deed).or_default() += count;
            }
        };
        sum(&mut self.received, other.received);
        sum(&mut self.faults, other.faults);
        self.requests += other.requests;
        self.denied += other.denied;
        self.errors += other.errors;
        self.cut_by_kill += other.cut_by_kill;
        self.unanswered += other.unanswered;
        self.left += other.left;
        self.unknown += other.unknown;
        self.units += other.units;
        self.odd.extend(other.odd);
    }
}
