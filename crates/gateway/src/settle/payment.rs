//! The reservation of a request, and the moment at which it is charged: when the last bytes of its
//! response are sent, neither before nor after.

use crate::{
    cluster::{Leased, Places},
    context::RequestContext,
    io::Io,
    keyring::Settled,
    state::thread::Thread,
};
use journal::{Charge, Due};
use limits::{InFlight, Reservation, Who};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::AsyncWrite;

/// Reserved units, and their owner. When dropped, they are released.
#[derive(Debug)]
pub(crate) struct Owed {
    who: Who,
    reservation: Reservation,
    /// The same units of leases, if several nodes share limits.
    leased: Option<Box<Leased>>,
}

/// The places among the requests in flight of a response that was charged and continues. When
/// dropped, they are released.
#[derive(Debug)]
#[must_use = "places that are dropped are given back"]
pub(crate) struct Staying {
    _here: Option<InFlight>,
    _leased: Option<Box<Leased>>,
}

/// Settles a response. When dropped, nothing is charged.
pub(crate) struct Payment<'t> {
    thread: &'t Thread,
    owed: Option<Owed>,
    /// Unix second.
    now: u64,
    /// The charge is already recorded, together with the last bytes.
    is_recorded: bool,
}

impl Owed {
    pub(crate) const fn new(who: Who, reservation: Reservation) -> Self {
        Self { who, reservation, leased: None }
    }

    /// For limits that several nodes share.
    pub(crate) const fn leased(who: Who, reservation: Reservation, leased: Box<Leased>) -> Self {
        Self { who, reservation, leased: Some(leased) }
    }

    /// Notifies when its places among the requests in flight are lost. None: it has none that can be lost.
    pub(crate) fn places(&self) -> Option<Places> {
        self.leased.as_ref()?.places()
    }

    /// The upstream reported the cost of the response. Never more than was reserved is charged.
    pub(crate) fn lower_to(&mut self, cost: u32) {
        self.reservation.lower_to(cost);
        if let Some(leased) = &mut self.leased {
            leased.lower_to(cost);
        }
    }

    /// The charge to record. None: nothing that outlives the request.
    fn charge(&self) -> Option<Charge> {
        let mut charge = Charge::new(self.who, self.reservation.cost());
        let has_all = self.reservation.counters().all(|(tag, window)| charge.push(tag.0, window));
        // A charge holds as many counters as an account.
        debug_assert!(has_all);
        (charge.units > 0 && !charge.counters().is_empty()).then_some(charge)
    }
}

impl<'t> Payment<'t> {
    pub(crate) const fn new(thread: &'t Thread, owed: Option<Owed>, now: u64) -> Self {
        Self { thread, owed, now, is_recorded: false }
    }

    /// Writes the last bytes of the response. Sending them and recording the charge is one step: if
    /// the process is killed at any time, either both have happened or neither.
    pub(crate) fn poll_write_last(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut Io,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // A client that has read the whole response may send the next request, also on another
        // connection, and must not find its place among the requests in flight still taken. So it
        // is released before these bytes are sent.
        if let Some(owed) = &mut self.owed {
            owed.reservation.land();
            if let Some(leased) = &mut owed.leased {
                leased.land();
            }
        }
        self.poll_write_charged(cx, sink, bytes)
    }

    /// Like [`Payment::poll_write_last`], for a response that is charged now and continues: its
    /// place among the requests in flight stays taken.
    pub(crate) fn poll_write_charged(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut Io,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let charge = self.owed.as_ref().filter(|_| !self.is_recorded).and_then(Owed::charge);
        // A stream's last frame is sent with those of others, so the connection's task does this step.
        if let (Io::Stream(stream), Some(charge)) = (&mut *sink, &charge)
            && self.thread.journal.borrow().is_some()
        {
            let written = ready!(stream.poll_write_last(cx, bytes, charge, self.now))?;
            self.is_recorded = written.is_recorded;
            return Poll::Ready(Ok(written.count));
        }
        let mut journal = self.thread.journal.borrow_mut();
        let (Some(journal), Some(charge)) = (journal.as_mut(), charge) else {
            return Pin::new(sink).poll_write(cx, bytes);
        };
        let now = self.now;
        let is_recorded = &mut self.is_recorded;
        sink.poll_write_last(cx, bytes, |socket, wire| {
            let due = Due { end: wire.len(), charge: &charge, now_seconds: now };
            let sent = journal.send_last(socket, wire, &[due])?;
            // Use the journal's result, not the number of bytes: under TLS a write of zero bytes is
            // not a write.
            *is_recorded = sent.charged > 0;
            Ok(sent.taken)
        })
    }

    /// Charges: the response was delivered, or the client hung up on it. Returns how many units,
    /// and lets the context keep the account for the connection's next request.
    pub(crate) fn settle(self, context: &RequestContext<'_>) -> u32 {
        let Some(owed) = self.record() else { return 0 };
        let cost = owed.reservation.cost();
        owed.leased.into_iter().for_each(Leased::charge);
        context.settled.set(Some(Settled { who: owed.who, account: owed.reservation.charge() }));
        cost
    }

    /// Charges a response that continues. Returns how many units, and the places among the requests
    /// in flight, which stay taken until they are dropped.
    pub(crate) fn settle_and_stay(self) -> (u32, Option<Staying>) {
        let Some(owed) = self.record() else { return (0, None) };
        let cost = owed.reservation.cost();
        let leased = owed.leased.and_then(Leased::charge_and_stay);
        (cost, Some(Staying { _here: owed.reservation.charge_and_stay(), _leased: leased }))
    }

    /// Cancels the charge: what looked like a success is an error.
    pub(crate) fn waive(&mut self) {
        self.owed = None;
    }

    /// Records the charge, if it is not yet recorded.
    fn record(self) -> Option<Owed> {
        let owed = self.owed?;
        if !self.is_recorded
            && let Some(journal) = self.thread.journal.borrow_mut().as_mut()
            && let Some(charge) = owed.charge()
        {
            journal.append(&charge, self.now);
        }
        Some(owed)
    }
}
