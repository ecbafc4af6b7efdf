//! Which address is asked next, and whether another one is asked at all.

use super::unavailable::{FULL, busy, ill, turned_away};
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

/// How often a request that waits for a place looks for one.
const LOOK: Duration = Duration::from_millis(5);
/// Connections that may be given up under one request.
const MAX_GONE_AWAY: u32 = 3;

/// What one request tries.
pub(super) struct Attempts<'s> {
    pub(super) service: &'s Service,
    /// When the client's time is up.
    last: Option<Instant>,
    /// A bit for each position that was asked.
    tried: u64,
    /// The request is sent anew to the same address, by a fresh connection.
    again: Option<usize>,
    /// The position that was asked last.
    position: usize,
    /// Requests that were sent a second time.
    retries: u32,
    /// Connections that were given up under the request before it was looked at.
    gone_away: u32,
    /// Something of the request was sent, so that nobody knows what has become of it.
    was_sent: bool,
    /// What went wrong first, and where.
    first: Option<(&'s Backend, Refused)>,
}

/// Whether a request may be sent to another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Nothing of it was sent.
    Free,
    /// It was sent, but may be sent twice, as long as not too many are.
    Counted,
    /// It may not.
    Never,
}

/// Why a request has no connection.
pub(super) enum NotConnected {
    /// The address has as many requests as it takes at once.
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
                    // Another thread may have taken the last place; then it is as if it had been busy.
                    if let Some((backend, flight)) = self.service.begin(position) {
                        self.position = position;
                        context.backend = Some(backend);
                        return Ok((backend, flight));
                    }
                }
                Chosen::Busy => {}
                Chosen::Unhealthy => return Err(self.none(context, ill(thread))),
                Chosen::Tried => return Err(self.none(context, ill(thread))),
            }
            // Waiting is looked after in steps: a list of who waits would be a lock that all threads share.
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

    /// No address can be asked. Where one was asked before, that is what went wrong.
    fn none(&mut self, context: &mut RequestContext<'s>, refused: Refused) -> Refused {
        self.give_up(context).unwrap_or(refused)
    }

    /// What went wrong first, to be told.
    fn give_up(&mut self, context: &mut RequestContext<'s>) -> Option<Refused> {
        let (backend, mut refused) = self.first.take()?;
        context.backend = Some(backend);
        // That another address could not be reached says nothing of the one that has the request.
        if self.was_sent {
            refused.become_unexpected();
        }
        Some(refused)
    }

    /// The address failed. Ok: another one may be asked.
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
            None => Ok(()), // not reached: there is a first failure by now
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

    /// The upstream did not look at the request. Ok: it may be sent again, perhaps to the same address. `is_whole`: all of
    /// it is still here.
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
                // Connections end, which burdens nobody; but not one after the other.
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

    /// There is no connection to the address. Ok: another one may be asked.
    pub(super) fn not_connected(
        &mut self,
        thread: &Thread,
        context: &mut RequestContext<'s>,
        why: NotConnected,
    ) -> Result<(), Refused> {
        match why {
            NotConnected::Busy => self.busy(context),
            // Nothing was sent, so any request may be sent elsewhere, and no upstream is burdened by that.
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

    /// Whether there is an address that was not asked yet, beside the one that was asked last.
    fn has_other(&self) -> bool {
        self.service.backends.len() > self.tried.count_ones() as usize + 1
    }

    /// The address that was asked last is not asked again.
    fn leave_out(&mut self) {
        self.tried |= 1u64.checked_shl(u32::try_from(self.position).unwrap_or(u32::MAX)).unwrap_or(0);
    }

    /// Whether the request may be sent a second time to an upstream that has it already; if so, that counts.
    fn may_repeat(&mut self, now: Instant) -> bool {
        let may =
            self.retries < self.service.settings.upstream.retries.max_retries && self.service.may_retry(now);
        self.retries += u32::from(may);
        may
    }

    /// The address answered. `has_broken`: but not to the end of its answer.
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

    /// The connection was no good; the same address is asked by a fresh one. `was_sent`: it has got something of the
    /// request all the same.
    pub(super) const fn take_fresh(&mut self, was_sent: bool) {
        self.was_sent |= was_sent;
        self.again = Some(self.position);
    }

    pub(super) const fn may_reuse(&self) -> bool {
        self.again.is_none()
    }

    /// How long a connection may take.
    pub(super) fn time_to_connect(&self) -> Duration {
        self.service.timeouts().connect.min(self.time_left())
    }

    fn time_left(&self) -> Duration {
        self.last.map_or(Duration::MAX, |last| last.saturating_duration_since(turn::now()))
    }

    /// How long an HTTP/2 connection of this service is waited for.
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

    /// If this is an error of an address that was asked in place of another one, it tells what went wrong there.
    pub(super) fn tell_first(self, passed: Result<Outcome, Refused>) -> Result<Outcome, Refused> {
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

/// Tells, behind what went wrong first, what went wrong afterwards.
fn append(first: &mut Refused, backend: &Backend, then: &Refused) {
    if let (Some(first), Some(then)) = (&mut first.cause, &then.cause) {
        first.detail =
            format!("{}\nThen, {}: {}: {}", first.detail, backend.authority, then.group, then.detail);
    }
}
