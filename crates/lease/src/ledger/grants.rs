//! What is granted of one counter, and the answer to one question about it.

use super::{
    Member,
    bucket::{Bucket, Filled},
};
use crate::{
    counter::{AHEAD, FLOWS_IN_SOON, Kind, Millis, PLACE_TTL, Rule},
    message::{Answer, NodeId, Question, Recall, Sequence, State},
};
use std::collections::BTreeMap;

/// The grants of one counter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grants {
    rows: Vec<Row>,
    bucket: Bucket,
    /// From when on the whole record may be forgotten.
    forgotten: Millis,
}

/// What one node holds of one slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) slice: u64,
    pub(crate) node: NodeId,
    pub(crate) granted: u32,
    sequence: Sequence,
    used: u32,
    refunded: u32,
    /// From when on the row may be forgotten.
    expires: Millis,
}

/// What an answer depends on besides its counter.
pub(crate) struct View<'a> {
    pub(crate) now: Millis,
    pub(crate) node: NodeId,
    pub(crate) sequence: Sequence,
    pub(crate) epoch: u64,
    pub(crate) lost_at: Millis,
    /// Whether there are members that have not said their totals in this epoch.
    pub(crate) is_awaited: bool,
    /// Whether the node that asks has.
    pub(crate) has_said: bool,
    pub(crate) members: &'a BTreeMap<NodeId, Member>,
}

impl Row {
    /// Whether its node has said all that it holds since, and did not name this.
    pub(crate) fn is_void(&self, members: &BTreeMap<NodeId, Member>) -> bool {
        members.get(&self.node).is_some_and(|member| self.sequence < member.said_since)
    }

    /// Units that the node may still spend, as far as is known.
    fn unspent(&self) -> u32 {
        self.granted.saturating_sub(self.used)
    }
}

impl Grants {
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Forgets what counts no more. False: nothing is left.
    pub(crate) fn prune(&mut self, now: Millis) -> bool {
        self.rows.retain(|row| row.expires > now);
        !self.rows.is_empty() || self.forgotten > now
    }

    pub(crate) fn answer(&mut self, view: &View<'_>, asked: &Question, recalls: &mut Vec<Recall>) -> Answer {
        let (now, rule) = (view.now, &asked.rule);
        self.prune(now);
        self.rows.retain(|row| !row.is_void(view.members));
        let expires = match rule.kind {
            Kind::AtOnce => now.saturating_add(PLACE_TTL),
            Kind::Window { .. } | Kind::InAll | Kind::Rolling { .. } | Kind::Rate { .. } => {
                rule.forgotten(asked.slice).unwrap_or(Millis::MAX)
            }
        };
        let answer = |granted, left, state| Answer {
            counter: asked.counter,
            slice: asked.slice,
            granted,
            left,
            state,
        };
        if expires <= now || rule.begins(asked.slice).is_some_and(|begins| begins > now.saturating_add(AHEAD))
        {
            let granted = self.row(asked.slice, view.node).map_or(0, |row| row.granted);
            return answer(granted, 0, State::Over);
        }
        self.forgotten = self.forgotten.max(expires.saturating_add(rule.fill_millis()));
        let before = self.row(asked.slice, view.node);
        let mut row = Row {
            slice: asked.slice,
            node: view.node,
            granted: before.map_or(0, |row| row.granted),
            sequence: view.sequence,
            used: asked.used,
            refunded: asked.refunded,
            expires,
        };
        let state = if asked.is_restated && !view.has_said {
            row.granted = asked.total;
            State::Granted
        } else if asked.total <= row.granted {
            self.lower(view, asked, &mut row, before);
            State::Granted
        } else {
            self.raise(view, asked, &mut row, recalls)
        };
        self.rows.retain(|one| (one.slice, one.node) != (row.slice, row.node));
        self.rows.push(row);
        let left = self.left(now, rule, asked.slice, view.lost_at, view.epoch, view.members);
        answer(row.granted, if state == State::Withheld { 0 } else { left }, state)
    }

    fn lower(&mut self, view: &View<'_>, asked: &Question, row: &mut Row, before: Option<Row>) {
        let freed = row.granted - asked.total;
        row.granted = asked.total;
        let Some(mut filled) = self.filled(view.now, &asked.rule, view.lost_at, view.epoch, view.members)
        else {
            return; // what is in no row is free
        };
        if asked.slice >= asked.rule.oldest(view.now) {
            filled.put(freed, freed);
        } else {
            // What was not spent in its slice is gone, and the bucket has filled without it. What failed is not.
            let refunded = asked.refunded.saturating_sub(before.map_or(0, |row| row.refunded));
            filled.put(freed.min(refunded), 0);
        }
        self.bucket = filled.bucket();
    }

    fn raise(
        &mut self,
        view: &View<'_>,
        asked: &Question,
        row: &mut Row,
        recalls: &mut Vec<Recall>,
    ) -> State {
        let (now, rule) = (view.now, &asked.rule);
        if rule.ends(asked.slice).is_some_and(|ends| ends <= now) {
            return State::Over;
        }
        let is_lost = view.lost_at > 0 && rule.withheld_until(view.lost_at).is_some_and(|until| now < until);
        if is_lost && view.is_awaited {
            return State::Withheld;
        }
        let left = self.left(now, rule, asked.slice, view.lost_at, view.epoch, view.members);
        let mut filled = self.filled(now, rule, view.lost_at, view.epoch, view.members);
        if asked.least.saturating_sub(row.granted) <= left {
            let more = left.min(asked.total - row.granted);
            row.granted += more;
            if let Some(filled) = &mut filled {
                filled.take(more);
                self.bucket = filled.bucket();
            }
            return State::Granted;
        }
        let flows_in = filled.and_then(|filled| filled.flows_in(asked.least.saturating_sub(row.granted)));
        // What flows in soon comes before anything that is called back.
        if flows_in.is_some_and(|millis| millis <= FLOWS_IN_SOON) {
            return State::Scarce { held: false, flows_in };
        }
        let mut held = false;
        for other in self.rows.iter().filter(|other| other.node != view.node && other.unspent() > 0) {
            let counts = counts(rule, other.slice, asked.slice, now);
            let is_there = view.members.get(&other.node).is_some_and(|member| !member.is_removed);
            if counts && is_there {
                held = true;
                recalls.push(Recall { to: other.node, counter: asked.counter, slice: other.slice });
            }
        }
        State::Scarce { held, flows_in }
    }

    /// Units that nobody holds.
    pub(crate) fn left(
        &self,
        now: Millis,
        rule: &Rule,
        slice: u64,
        lost_at: Millis,
        epoch: u64,
        members: &BTreeMap<NodeId, Member>,
    ) -> u32 {
        if let Some(filled) = self.filled(now, rule, lost_at, epoch, members) {
            return filled.units();
        }
        let granted = self
            .rows
            .iter()
            .filter(|row| row.expires > now && !row.is_void(members) && counts(rule, row.slice, slice, now))
            .fold(0_u64, |sum, row| sum + u64::from(row.granted));
        u32::try_from(u64::from(rule.amount).saturating_sub(granted)).unwrap_or(0)
    }

    /// The bucket of a rate.
    fn filled(
        &self,
        now: Millis,
        rule: &Rule,
        lost_at: Millis,
        epoch: u64,
        members: &BTreeMap<NodeId, Member>,
    ) -> Option<Filled> {
        let oldest = rule.oldest(now);
        let is_held = |row: &&Row| {
            let is_removed = members.get(&row.node).is_some_and(|member| member.is_removed);
            row.slice >= oldest && !is_removed && !row.is_void(members)
        };
        let held = self.rows.iter().filter(is_held).fold(0_u64, |sum, row| sum + u64::from(row.unspent()));
        self.bucket.at(now, rule, held, lost_at, epoch)
    }

    fn row(&self, slice: u64, node: NodeId) -> Option<Row> {
        self.rows.iter().find(|row| (row.slice, row.node) == (slice, node)).copied()
    }
}

/// Whether what is granted of one slice counts against another that is asked for at `now`.
const fn counts(rule: &Rule, slice: u64, asked: u64, now: Millis) -> bool {
    match rule.kind {
        Kind::Window { .. } => slice == asked,
        Kind::InAll | Kind::AtOnce => true,
        Kind::Rolling { .. } | Kind::Rate { .. } => slice >= rule.oldest(now),
    }
}
