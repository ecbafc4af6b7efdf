//! The way to the ledger: one message at a time, time-outs, waits that grow, a breaker.

use super::Micros;
use crate::message::{Sequence, sequence};

/// For how long a reply is waited for.
pub(crate) const TIMEOUT: Micros = 50_000;

/// After so many messages without a reply in a row, nobody waits for the next one.
const BREAKS_AFTER: u32 = 3;

/// The waits between tries: the first try again is made at once.
const BACKOFF: (Micros, Micros) = (50_000, 1_000_000);

/// After so long without a message one is sent, to learn of a new epoch and of the time.
const BEAT: Micros = 1_000_000;

/// The state of the way.
#[derive(Debug)]
pub(crate) struct Link {
    /// The number of the last message.
    last: Sequence,
    /// When it was sent, as long as it is waited for.
    in_flight: Option<Micros>,
    /// It had no reply yet.
    is_open: bool,
    sent_at: Micros,
    failures: u32,
    quiet_until: Micros,
}

impl Link {
    pub(crate) const fn new(start: u32) -> Self {
        Self {
            last: sequence(start),
            in_flight: None,
            is_open: false,
            sent_at: 0,
            failures: 0,
            quiet_until: 0,
        }
    }

    /// The number that the next message will have.
    pub(crate) const fn next(&self) -> Sequence {
        self.last + 1
    }

    /// Whether the ledger is thought to reply.
    pub(crate) const fn is_up(&self) -> bool {
        self.failures < BREAKS_AFTER
    }

    /// Whether a message may be sent.
    pub(crate) const fn is_free(&self, now: Micros) -> bool {
        self.in_flight.is_none() && now >= self.quiet_until
    }

    /// Whether one should be, though there is nothing to ask.
    pub(crate) const fn wants_beat(&self, now: Micros) -> bool {
        !self.is_up() || now >= self.sent_at + BEAT
    }

    pub(crate) const fn send(&mut self, now: Micros) -> Sequence {
        self.last += 1;
        self.in_flight = Some(now);
        self.is_open = true;
        self.sent_at = now;
        self.last
    }

    /// When the message was sent that this reply is to, if that is the last one and had no reply yet. It may have been given up:
    /// so a slow ledger is understood, if slowly.
    pub(crate) fn receive(&mut self, sequence: Sequence) -> Option<Micros> {
        if sequence != self.last || !self.is_open {
            return None;
        }
        (self.in_flight, self.is_open) = (None, false);
        self.heard();
        Some(self.sent_at)
    }

    /// Something came, if late.
    pub(crate) const fn heard(&mut self) {
        self.failures = 0;
        self.quiet_until = 0;
    }

    /// Gives a message up that got no reply. True: it did just now.
    pub(crate) const fn gives_up(&mut self, now: Micros) -> bool {
        let Some(sent) = self.in_flight else { return false };
        if now < sent + TIMEOUT {
            return false;
        }
        self.in_flight = None;
        self.failures = self.failures.saturating_add(1);
        if self.failures > 1 {
            let shift = if self.failures > 10 { 8 } else { self.failures - 2 };
            let wait = BACKOFF.0 << shift;
            self.quiet_until = now + if wait < BACKOFF.1 { wait } else { BACKOFF.1 };
        }
        true
    }

    /// When the last message was sent.
    pub(crate) const fn sent_at(&self) -> Micros {
        self.sent_at
    }

    /// When there will be something to do.
    pub(crate) const fn due(&self) -> Micros {
        match self.in_flight {
            Some(sent) => sent + TIMEOUT,
            None if self.is_up() => self.sent_at + BEAT,
            None => self.quiet_until,
        }
    }

    /// From when on a message may be sent that waits.
    pub(crate) const fn free_at(&self) -> Micros {
        match self.in_flight {
            Some(sent) => sent + TIMEOUT,
            None => self.quiet_until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_ledger_is_asked_less_and_less_often_and_nobody_waits_for_it() {
        let mut link = Link::new(1);
        let (mut now, mut sent_at) = (0, Vec::new());
        while now < 10_000_000 {
            link.gives_up(now);
            if link.is_free(now) {
                link.send(now);
                sent_at.push(now);
            }
            now += 10_000;
        }
        assert_eq!(sent_at[..4], [0, 50_000, 150_000, 300_000]);
        assert!(sent_at.windows(2).all(|two| two[1] - two[0] <= 1_060_000));
        assert!((10..20).contains(&sent_at.len()), "{sent_at:?}");
        assert!(!link.is_up());
        assert_eq!(link.receive(link.next() - 2), None);
        assert!(link.receive(link.next() - 1).is_some());
        assert!(link.is_up());
    }
}
