//! The way between nodes and ledger, and what goes wrong on it and at both of its ends.

use super::{Event, World};
use fastrand::Rng;
use lease::{Ledger, Message, Micros, NodeId};

impl World {
    fn has_faults(&self) -> bool {
        self.now < self.settings.faults_until
    }

    /// When the copies of a message arrive: none, one or two.
    pub(super) fn travels(&mut self, index: usize) -> Vec<Micros> {
        let way = |rng: &mut Rng| rng.u64(100..400);
        let mut waits = vec![way(&mut self.rng)];
        if self.peers[index].cut_until > self.now {
            return Vec::new();
        }
        if self.has_faults() {
            match self.rng.u32(..100) {
                0..8 => waits.clear(),
                8..14 => waits.push(self.rng.u64(100..300_000)),
                14..20 => waits = vec![self.rng.u64(100..300_000)],
                _ => {}
            }
        }
        waits
    }

    pub(super) fn ask(&mut self, message: &Message) {
        if self.ledger_down {
            return;
        }
        let index = message.from as usize;
        let mut recalls = Vec::new();
        let now = self.ledger_now();
        let reply = self.ledger.take(now, message, &mut recalls);
        self.checks.said(now, message, &reply, &self.ledger);
        let life = (message.sequence >> 32) as u32;
        for wait in self.travels(index) {
            self.after(wait, Event::Reply(index, life, reply.clone()));
        }
        for recall in recalls {
            let to = recall.to as usize;
            for wait in self.travels(to) {
                self.after(wait, Event::Recall(to, recall));
            }
        }
    }

    pub(super) fn trouble(&mut self) {
        if !self.has_faults() {
            return;
        }
        let wait = self.rng.u64(200_000..1_500_000);
        self.after(wait, Event::Trouble);
        let index = self.rng.usize(..self.peers.len());
        let lasts = self.rng.u64(50_000..self.settings.longest_fault);
        match self.rng.u8(..6) {
            0 | 1 if self.peers[index].node.is_some() && self.peers[index].paused_until <= self.now => {
                self.kill(index);
                self.after(lasts, Event::Start(index));
            }
            2 => self.peers[index].cut_until = self.now + lasts,
            3 if self.peers[index].node.is_some() => self.peers[index].paused_until = self.now + lasts,
            4 if !self.ledger_down => {
                // Stopped and started again, with all that it knew.
                self.ledger_down = true;
                self.after(lasts, Event::LedgerUp);
            }
            5 if !self.ledger_down => {
                self.lose(lasts);
            }
            _ => {}
        }
    }

    /// Another one takes over that lacks what was said last, or everything.
    fn lose(&mut self, lasts: Micros) {
        self.tally.epochs += 1;
        self.ledger_down = true;
        self.after(lasts.min(1_000_000), Event::LedgerUp);
        let back = self.rng.usize(..10);
        let older = self.kept.len().checked_sub(1 + back).and_then(|place| self.kept.get(place).cloned());
        self.ledger = older.filter(|_| self.rng.u8(..4) > 0).unwrap_or_else(|| Ledger::new(1));
        self.kept.clear();
        if self.settings.clocks_jump {
            self.skew = self.rng.u64(9_000..11_000);
        }
        let epoch = 2 + self.tally.epochs;
        let members: Vec<NodeId> = (0..self.peers.len() as NodeId).collect();
        self.ledger.begin_epoch(epoch, self.ledger_now(), &members, &[]);
    }
}
