//! What a node says to the ledger, and what it does about the replies.

use super::{Handle, Micros, Node, Standing, lease::Care, time::LedgerTime};
use crate::{
    counter::CounterId,
    message::{MAX_QUESTIONS, Message, Outcome, Question, Recall, Reply},
};
use std::cmp::Reverse;

/// Questions wait for others to travel with for as long as this after a message, or until there were so many requests. What is
/// asked after a pause is sent at once.
const PACE: Micros = 1_000;
const REQUESTS_A_MESSAGE: u32 = 16;

impl Node {
    /// The next message, if there is something to say and the one before is answered or given up.
    pub fn message(&mut self, now: Micros) -> Option<Message> {
        if !self.link.is_free(now) || self.standing == Standing::Superseded {
            return None;
        }
        let is_saying = self.saying.is_some() && self.epoch != 0;
        if self.saying.is_none() && !self.link.wants_beat(now) {
            let is_early = now < self.link.sent_at() + PACE && self.asked_for < REQUESTS_A_MESSAGE;
            if self.queue.is_empty() || is_early {
                return None;
            }
        }
        self.asked_for = 0;
        let sequence = self.link.send(now);
        self.sent.clear();
        let (mut said_since, mut questions) = (None, Vec::new());
        match self.saying.take() {
            Some(mut saying) if is_saying => {
                let since = *saying.since.get_or_insert(sequence);
                saying.is_last = saying.left.is_empty();
                if saying.is_last {
                    said_since = Some(since);
                }
                let rest = saying.left.len().saturating_sub(MAX_QUESTIONS);
                for handle in saying.left.split_off(rest) {
                    questions.extend(self.question(now, handle, true));
                }
                self.saying = Some(saying);
            }
            saying => {
                // Before anything else an empty message, to learn of the epoch.
                let is_first = saying.is_some();
                self.saying = saying;
                while !is_first && questions.len() < MAX_QUESTIONS {
                    let Some(handle) = self.queue.pop_front() else { break };
                    if let Some(lease) = self.leases.get_mut(handle) {
                        lease.is_queued = false;
                    }
                    questions.extend(self.question(now, handle, false));
                }
            }
        }
        Some(Message { from: self.id, sequence, epoch: self.epoch, said_since, questions })
    }

    fn question(&mut self, now: Micros, handle: Handle, is_restated: bool) -> Option<Question> {
        let latest = self.ledger_time(now)?;
        let (sequence, members) = (self.link.next() - 1, self.members);
        let lease = self.leases.get_mut(handle)?;
        (lease.asked, lease.asked_at) = (sequence, now);
        self.sent.push(handle);
        Some(lease.question(now, latest, members, is_restated))
    }

    /// Takes a reply. False: it is worth nothing any more.
    pub fn hear(&mut self, now: Micros, reply: &Reply) -> bool {
        let asked_at = self.link.receive(reply.sequence);
        let Some(asked_at) = asked_at else {
            // It came too late to be waited for. What it answers and nobody asked anew meanwhile is as good as ever.
            if reply.epoch != self.epoch || reply.outcome != Outcome::Taken || self.saying.is_some() {
                return false;
            }
            self.link.heard();
            self.take_answers(now, reply);
            return true;
        };
        let time = LedgerTime::new(asked_at, now, reply.now);
        let before = self.time.filter(|_| reply.epoch == self.epoch);
        self.time = Some(before.map_or(time, |before| before.or(time, now)));
        self.members = reply.members;
        match reply.outcome {
            Outcome::Taken => {
                self.standing = Standing::Member;
                self.take_answers(now, reply);
                if self.saying.as_ref().is_some_and(|saying| saying.is_last) {
                    self.saying = None;
                }
            }
            Outcome::Late => self.ask_anew(),
            Outcome::OtherEpoch => {
                self.ask_anew();
                self.replaced += u32::from(self.epoch != 0 && self.epoch != reply.epoch);
                self.epoch = reply.epoch;
                self.say_all();
            }
            Outcome::NotMember => {
                self.ask_anew();
                self.standing = Standing::NotMember;
            }
            Outcome::Superseded => self.standing = Standing::Superseded,
        }
        true
    }

    fn take_answers(&mut self, now: Micros, reply: &Reply) {
        for answer in &reply.answers {
            let Some(handle) = self.leases.find(answer.counter, answer.slice) else { continue };
            let members = self.members;
            let Some(lease) = self.leases.get_mut(handle) else { continue };
            // Of two questions about one lease only the later one's answer says what the ledger knows.
            if lease.asked != reply.sequence || lease.answered >= reply.sequence {
                continue;
            }
            lease.answered = reply.sequence;
            lease.hear(now, answer);
            let wants_more = lease.wants_more(now, members);
            if wants_more {
                self.ask(handle);
            }
            self.watch(handle, now + super::lease::IDLE);
        }
    }

    /// Asks everything anew that the last message asked.
    fn ask_anew(&mut self) {
        let sent = std::mem::take(&mut self.sent);
        for handle in &sent {
            if self.leases.get(*handle).is_none_or(|lease| !lease.is_pending()) {
                continue;
            }
            match &mut self.saying {
                Some(saying) => saying.left.push(*handle),
                None => self.ask(*handle),
            }
        }
        self.sent = sent;
    }

    /// Others need what this node does not.
    pub fn recall(&mut self, now: Micros, recall: &Recall) {
        let Some(handle) = self.leases.find(recall.counter, recall.slice) else { return };
        if let Some(lease) = self.leases.get_mut(handle) {
            lease.single_until = lease.single_until.max(now + super::lease::EMPTY);
            if lease.can_give_back() {
                self.ask(handle);
            }
        }
    }

    /// Does what is due: gives up messages, gives back what is not needed, renews places, forgets.
    pub fn tick(&mut self, now: Micros) {
        if self.link.gives_up(now) {
            self.ask_anew();
        }
        let Some(time) = self.time else { return };
        let (latest, earliest) = (time.latest(now), time.earliest(now));
        while let Some(Reverse((due, handle))) =
            self.timers.peek().copied().filter(|Reverse((due, _))| *due <= now)
        {
            self.timers.pop();
            let Some(lease) = self.leases.get_mut(handle).filter(|lease| lease.due == due) else { continue };
            lease.due = Micros::MAX;
            let (care, next) = lease.care(now, latest, earliest);
            let is_pending = lease.is_pending();
            match care {
                Care::Nothing => {}
                Care::Ask if is_pending => {}
                Care::Ask => self.ask(handle),
                Care::Forget => {
                    self.leases.remove(handle);
                    continue;
                }
                Care::LosePlaces => {
                    lease.granted = 0;
                    if lease.reserved > 0 {
                        self.lost_places.push(handle);
                    }
                }
            }
            if next < Micros::MAX {
                self.watch(handle, next.max(now + 1));
            }
        }
    }

    /// A lease of places whose requests have to be ended now: the ledger may grant their places to others.
    pub fn lost_places(&mut self) -> Option<Handle> {
        self.lost_places.pop()
    }

    /// When [`Node::tick`] or [`Node::message`] have something to do, if nothing comes before.
    pub fn due(&self) -> Micros {
        // Without the ledger's time no lease is looked at.
        let timer = self.timers.peek().filter(|_| self.time.is_some());
        let timer = timer.map_or(Micros::MAX, |Reverse((due, _))| *due);
        let message = match (&self.saying, self.queue.is_empty()) {
            (Some(_), _) => self.link.free_at(),
            (None, true) => self.link.due(),
            (None, false) if self.asked_for >= REQUESTS_A_MESSAGE => self.link.free_at(),
            (None, false) => self.link.free_at().max(self.link.sent_at() + PACE),
        };
        timer.min(message)
    }

    /// The lease of a counter in a slice, if there is one.
    pub fn find(&self, counter: CounterId, slice: u64) -> Option<Handle> {
        self.leases.find(counter, slice)
    }
}
