//! What a request owes, and the moment in which it is charged: when the last bytes of its answer are on
//! their way, not before and not after.

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

/// Units that are reserved, and whose they are. Dropped, they are given back.
#[derive(Debug)]
pub(crate) struct Owed {
    who: Who,
    reservation: Reservation,
    /// The same units of leases, where several nodes share limits.
    leased: Option<Box<Leased>>,
}

/// The places among the requests in flight of an answer that was charged and goes on. Dropped, they are given back.
#[derive(Debug)]
#[must_use = "places that are dropped are given back"]
pub(crate) struct Staying {
    _here: Option<InFlight>,
    _leased: Option<Box<Leased>>,
}

/// The settling of one answer. Dropped, nothing is charged.
pub(crate) struct Payment<'t> {
    thread: &'t Thread,
    owed: Option<Owed>,
    /// Unix second.
    now: u64,
    /// The charge is written down already, with the last bytes.
    is_recorded: bool,
}

impl Owed {
    pub(crate) const fn new(who: Who, reservation: Reservation) -> Self {
        Self { who, reservation, leased: None }
    }

    /// Where several nodes share the limits.
    pub(crate) const fn leased(who: Who, reservation: Reservation, leased: Box<Leased>) -> Self {
        Self { who, reservation, leased: Some(leased) }
    }

    /// What tells that its places among the requests in flight are lost. None: it has none that could be.
    pub(crate) fn places(&self) -> Option<Places> {
        self.leased.as_ref()?.places()
    }

    /// The upstream told what the answer has cost. More than was reserved is not taken.
    pub(crate) fn lower_to(&mut self, cost: u32) {
        self.reservation.lower_to(cost);
        if let Some(leased) = &mut self.leased {
            leased.lower_to(cost);
        }
    }

    /// What is to be written down. None: nothing that would outlive the request.
    fn charge(&self) -> Option<Charge> {
        let mut charge = Charge::new(self.who, self.reservation.cost());
        let has_all = self.reservation.counters().all(|(tag, window)| charge.push(tag.0, window));
        // As many counters fit into a charge as into an account.
        debug_assert!(has_all);
        (charge.units > 0 && !charge.counters().is_empty()).then_some(charge)
    }
}

impl<'t> Payment<'t> {
    pub(crate) const fn new(thread: &'t Thread, owed: Option<Owed>, now: u64) -> Self {
        Self { thread, owed, now, is_recorded: false }
    }

    /// Writes the last bytes of the answer. That they are taken and that the charge is written down is one
    /// step: whenever the process is killed, either both have happened or neither.
    pub(crate) fn poll_write_last(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut Io,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Whoever has read the answer to its end may ask for the next one, also on another connection, and must not find
        // his place among the requests at once still taken. So it is free before these bytes are on their way.
        if let Some(owed) = &mut self.owed {
            owed.reservation.land();
            if let Some(leased) = &mut owed.leased {
                leased.land();
            }
        }
        self.poll_write_charged(cx, sink, bytes)
    }

    /// As [`Payment::poll_write_last`], for an answer that is charged now and goes on: its place among the requests
    /// at once stays taken.
    pub(crate) fn poll_write_charged(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut Io,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let charge = self.owed.as_ref().filter(|_| !self.is_recorded).and_then(Owed::charge);
        // A stream's last frame goes out with those of others, so the connection's task takes this step.
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
            // The journal's word for it, not the number of bytes: under TLS no bytes at all are no write.
            *is_recorded = sent.charged > 0;
            Ok(sent.taken)
        })
    }

    /// Charges: the answer was delivered, or the client hung up on it. Tells how many units, and lets the context keep
    /// the account for the connection's next request.
    pub(crate) fn settle(self, context: &RequestContext<'_>) -> u32 {
        let Some(owed) = self.record() else { return 0 };
        let cost = owed.reservation.cost();
        owed.leased.into_iter().for_each(Leased::charge);
        context.settled.set(Some(Settled { who: owed.who, account: owed.reservation.charge() }));
        cost
    }

    /// Charges an answer that goes on. Tells how many units, and gives the places among the requests at once that
    /// stay taken until they are dropped.
    pub(crate) fn settle_and_stay(self) -> (u32, Option<Staying>) {
        let Some(owed) = self.record() else { return (0, None) };
        let cost = owed.reservation.cost();
        let leased = owed.leased.and_then(Leased::charge_and_stay);
        (cost, Some(Staying { _here: owed.reservation.charge_and_stay(), _leased: leased }))
    }

    /// Takes the debt back: what was taken for a success has turned out to be an error.
    pub(crate) fn waive(&mut self) {
        self.owed = None;
    }

    /// Has the charge written down, if it is not yet.
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
