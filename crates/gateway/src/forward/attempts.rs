//! Which address gets the request next, and whether another one is tried at all.

use super::unavailable::{FULL, busy, turned_away, unhealthy};
use crate::{
    context::{RequestContext, refusal::Refused},
    record::{Level, Outcome, Value},
    state::thread::Thread,
};
use contract::ErrorCode;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use transport::turn;
use upstream::{Backend, Chosen, Flight, Service, StreamTimeouts, Unprocessed};

/// How often a request that waits for a free place checks for one.
const LOOK: Duration = Duration::from_millis(5);
/// How many connections may be closed gracefully under one request.
const MAX_GONE_AWAY: u32 = 3;

/// The attempts of one request.
pub(super) struct Attempts<'s> {
    pub(super) service: &'s Service,
    /// The client's deadline.
    last: Option<Instant>,
    /// A bit for each address that was tried.
    tried: u64,
    /// The request is retried at the same address, on a new connection.
    again: Option<usize>,
    /// The last address tried.
    position: usize,
    /// How often the request was sent again.
    retries: u32,
    /// Connections that were closed before they processed the request.
    gone_away: u32,
    /// Part of the request was sent, so it may have been processed.
    was_sent: bool,
    /// The first failure, and where.
    first: Option<(&'s Backend, Refused)>,
}

/// Whether a request may be sent to another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// None of it was sent.
    Free,
    /// It was sent, but may be sent twice, within the retry budget.
    Counted,
    /// It must not be sent again.
    Never,
}

/// Why a request has no connection.
pub(super) enum NotConnected {
    /// The address has its maximum of requests in flight.
    Busy,
    Failed(Refused),
}

impl<'s> Attempts<'s> {
    pub(super) const fn new(service: &'s Service, last: Option<Instant>) -> Self {
        Self {
            service,
            last,
            tried: 0,
            again: None,
            position: 0,
            retries: 0,
            gone_away: 0,
            was_sent: false,
            first: None,
        }
    }

    /// The next address, and a place among its requests.
    pub(super) async fn next(
        &mut self,
        thread: &Thread,
        context: &mut RequestContext<'s>,
    ) -> Result<(&'s Arc<Backend>, Flight<'s>), Refused> {
        let mut waits: Option<(_, Instant)> = None;
        loop {
            let now = if waits.is_some() { Instant::now() } else { turn::now() };
            let chosen = match self.again {
                Some(position) => Chosen::One(position),
                None => self.service.choose(now, self.tried, &mut thread.random.borrow_mut()),
            };
            match chosen {
                Chosen::One(position) => {
                    // Another thread may have taken the last place; then the address counts as busy.
                    if let Some((backend, flight)) = self.service.begin(position) {
                        self.position = position;
                        context.backend = Some(backend);
                        return Ok((backend, flight));
                    }
                }
                Chosen::Busy => {}
                Chosen::Unhealthy => return Err(self.none(context, unhealthy(thread))),
                Chosen::Tried => return Err(self.none(context, unhealthy(thread))),
            }
            // Waiting is done by polling: a queue of waiters would be a lock shared by all threads.
            let queue = self.service.settings.upstream.queue;
            let end = match &waits {
                Some((_, end)) => *end,
                None => {
                    let Some(place) = self.service.wait(queue.max_pending_requests) else {
                        return Err(self.none(context, busy(FULL)));
                    };
                    let end = Instant::now() + queue.pending_timeout;
                    waits = Some((place, self.last.map_or(end, |last| end.min(last))));
                    end
                }
            };
            if Instant::now() >= end {
                return Err(self.none(context, busy(FULL)));
            }
            sleep(LOOK).await;
        }
    }

    /// No address is left to try. If one was tried before, its failure is the error.
    fn none(&mut self, context: &mut RequestContext<'s>, refused: Refused) -> Refused {
        self.give_up(context).unwrap_or(refused)
    }

    /// The first failure, to be reported.
    fn give_up(&mut self, context: &mut RequestContext<'s>) -> Option<Refused> {
        let (backend, mut refused) = self.first.take()?;
        context.backend = Some(backend);
        // That another address was unreachable does not matter for the one that may have processed
        // the request.
        if self.was_sent {
            refused.become_unexpected();
        }
        Some(refused)
    }

    /// The address failed. Ok: another one may be tried.
    pub(super) fn failed(
        &mut self,
        thread: &Thread,
        context: &mut RequestContext<'s>,
        refused: Refused,
        again: Again,
    ) -> Result<(), Refused> {
        let Some(backend) = context.backend else { return Err(refused) };
        self.was_sent |= refused.code == ErrorCode::UnexpectedError;
        let reason = refused.cause.as_ref().map_or("", |cause| cause.detail.as_str());
        self.note_failure(thread, context, backend, reason);
        self.leave_out();
        self.again = None;
        match &mut self.first {
            Some((_, first)) => append(first, backend, &refused),
            None => self.first = Some((backend, refused)),
        }
        if self.may_go_on(again) {
            return Ok(());
        }
        match self.give_up(context) {
            Some(refused) => Err(refused),
            None => Ok(()), // unreachable: there is a first failure by now
        }
    }

    fn may_go_on(&mut self, again: Again) -> bool {
        let now = Instant::now();
        let has_other = self.service.backends.len() > self.tried.count_ones() as usize;
        if !has_other || self.last.is_some_and(|last| now >= last) {
            return false;
        }
        match again {
            Again::Free => true,
            Again::Never => false,
            Again::Counted => self.may_repeat(now),
        }
    }

    /// The upstream did not process the request. Ok: it may be sent again, perhaps to the same
    /// address. `is_whole`: all of it is still available.
    pub(super) fn unprocessed(
        &mut self,
        thread: &Thread,
        context: &mut RequestContext<'s>,
        why: Unprocessed,
        is_whole: bool,
    ) -> Result<(), Refused> {
        let now = Instant::now();
        let has_time = self.last.is_none_or(|last| now < last);
        let may = is_whole
            && has_time
            && match why {
                // Closing a connection gracefully is normal; doing it every time is not.
                Unprocessed::GoneAway => {
                    self.gone_away += 1;
                    self.gone_away <= MAX_GONE_AWAY
                }
                Unprocessed::Refused => self.may_repeat(now),
            };
        if !may {
            if let (Unprocessed::GoneAway, true, Some(backend)) = (why, is_whole && has_time, context.backend)
            {
                self.note_failure(thread, context, backend, "it closes connections without responding");
            }
            return Err(self.none(context, turned_away(thread)));
        }
        self.again = match why {
            Unprocessed::GoneAway => Some(self.position),
            Unprocessed::Refused if self.has_other() => {
                self.leave_out();
                None
            }
            Unprocessed::Refused => Some(self.position),
        };
        Ok(())
    }

    /// There is no connection to the address. Ok: another one may be tried.
    pub(super) fn not_connected(
        &mut self,
        thread: &Thread,
        context: &mut RequestContext<'s>,
        why: NotConnected,
    ) -> Result<(), Refused> {
        match why {
            NotConnected::Busy => self.busy(context),
            // Nothing was sent, so any request may go elsewhere, and no upstream gets extra load.
            NotConnected::Failed(refused) => self.failed(thread, context, refused, Again::Free),
        }
    }

    /// The address has no place for the request.
    fn busy(&mut self, context: &mut RequestContext<'s>) -> Result<(), Refused> {
        self.leave_out();
        self.again = None;
        if self.service.backends.len() > self.tried.count_ones() as usize {
            Ok(())
        } else {
            Err(self.none(context, busy("The upstream already has its maximum of requests in flight.")))
        }
    }

    /// Whether there is an address that was not tried, besides the last one.
    fn has_other(&self) -> bool {
        self.service.backends.len() > self.tried.count_ones() as usize + 1
    }

    /// Excludes the last address from further attempts.
    fn leave_out(&mut self) {
        self.tried |= 1u64.checked_shl(u32::try_from(self.position).unwrap_or(u32::MAX)).unwrap_or(0);
    }

    /// Whether the request may be sent again to an upstream that may have it already; if so, it
    /// counts as a retry.
    fn may_repeat(&mut self, now: Instant) -> bool {
        let may =
            self.retries < self.service.settings.upstream.retries.max_retries && self.service.may_retry(now);
        self.retries += u32::from(may);
        may
    }

    /// The address responded. `has_broken`: but not completely.
    pub(super) fn note_answer(
        &self,
        thread: &Thread,
        context: &RequestContext<'_>,
        backend: &Backend,
        has_broken: bool,
    ) {
        if has_broken {
            self.note_failure(thread, context, backend, "a response was cut off");
        } else {
            backend.health.succeeded();
        }
    }

    fn note_failure(&self, thread: &Thread, context: &RequestContext<'_>, backend: &Backend, reason: &str) {
        let random = thread.random.borrow_mut().f64();
        let Some(time) = self.service.failed(backend, context.shared.clock.now_millis(), random) else {
            return;
        };
        let members = [
            ("service", Value::Text(&backend.service)),
            ("address", Value::Text(&backend.authority)),
            ("seconds", Value::Decimal(time.as_secs_f64())),
            ("reason", Value::Text(reason)),
        ];
        context.shared.log.event_of(Level::Warn, "an upstream address is out", &members);
    }

    /// The connection was stale; the same address is tried on a new one. `was_sent`: part of the
    /// request was sent nevertheless.
    pub(super) const fn take_fresh(&mut self, was_sent: bool) {
        self.was_sent |= was_sent;
        self.again = Some(self.position);
    }

    pub(super) const fn may_reuse(&self) -> bool {
        self.again.is_none()
    }

    /// How long connecting may take.
    pub(super) fn time_to_connect(&self) -> Duration {
        self.service.timeouts().connect.min(self.time_left())
    }

    fn time_left(&self) -> Duration {
        self.last.map_or(Duration::MAX, |last| last.saturating_duration_since(turn::now()))
    }

    /// The timeouts of this service for a wait for an HTTP/2 connection.
    pub(super) fn stream_timeouts(&self) -> StreamTimeouts {
        let upstream = &self.service.settings.upstream;
        let wait = if upstream.queue.max_pending_requests == 0 {
            Duration::ZERO
        } else {
            upstream.queue.pending_timeout
        };
        StreamTimeouts {
            connect: upstream.timeouts.connect,
            open: self.time_to_connect(),
            stall: upstream.timeouts.stall,
            pending: wait.min(self.time_left()),
        }
    }

    /// Adds the first failure to the error of an address that was tried after another one.
    pub(super) fn report_first(self, passed: Result<Outcome, Refused>) -> Result<Outcome, Refused> {
        let Some((backend, first)) = self.first else { return passed };
        passed.map_err(|mut refused| {
            if let (Some(cause), Some(before)) = (&mut refused.cause, &first.cause) {
                cause.detail = format!(
                    "{}\nBefore that, {}: {}: {}",
                    cause.detail, backend.authority, before.group, before.detail
                );
            }
            refused
        })
    }
}

/// Appends a later failure to the first one.
fn append(first: &mut Refused, backend: &Backend, then: &Refused) {
    if let (Some(first), Some(then)) = (&mut first.cause, &then.cause) {
        first.detail =
            format!("{}\nThen, {}: {}: {}", first.detail, backend.authority, then.group, then.detail);
    }
}
