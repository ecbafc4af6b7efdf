//! The rules of the protocol one by one, between one ledger and nodes whose messages the test carries itself.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use lease::{
    CounterId, Denial, GRACE, Handle, Kind, Ledger, Message, Micros, Node, Outcome, PLACE_MARGIN, PLACE_TTL,
    Question, Recall, Receipt, Reply, Rule, Standing, State, Take, Unreachable, Used, sequence,
};

/// The ledger's clock when the nodes' clocks stand at 0.
const BASE: u64 = 1_700_000_000_000;
const MILLI: Micros = 1_000;
const COUNTER: CounterId = CounterId { who: [7; 16], limit: 1 };

fn window(amount: u32) -> Rule {
    Rule { amount, kind: Kind::Window { index: 9, begins: BASE, ends: BASE + 60_000 } }
}

/// A ledger and its nodes; the way between them loses nothing unless the test does.
struct Cluster {
    ledger: Ledger,
    nodes: Vec<Node>,
    now: Micros,
}

impl Cluster {
    fn new(nodes: u32) -> Self {
        let mut ledger = Ledger::new(1);
        (0..nodes).for_each(|node| ledger.join(node));
        let nodes = (0..nodes).map(|node| Node::new(node, 1, Unreachable::Deny, [])).collect();
        let mut cluster = Self { ledger, nodes, now: 10 * MILLI };
        for node in 0..cluster.nodes.len() {
            cluster.exchange(node);
        }
        cluster
    }

    fn ledger_now(&self) -> u64 {
        BASE + self.now / MILLI
    }

    /// Carries a message to the ledger.
    fn ask(&mut self, message: &Message) -> (Reply, Vec<Recall>) {
        let mut recalls = Vec::new();
        let reply = self.ledger.take(self.ledger_now(), message, &mut recalls);
        (reply, recalls)
    }

    /// Carries all that a node has to say, and the replies. Recalls are lost.
    fn exchange(&mut self, node: usize) -> Vec<Recall> {
        let mut all = Vec::new();
        for _ in 0..20 {
            self.now += 2 * MILLI;
            self.nodes[node].tick(self.now);
            let Some(message) = self.nodes[node].message(self.now) else { break };
            let (reply, recalls) = self.ask(&message);
            self.nodes[node].hear(self.now, &reply);
            all.extend(recalls);
        }
        all
    }

    fn begin(&mut self, node: usize, rule: Rule, units: u32) -> Take {
        let handle = self.nodes[node].lease(self.now, COUNTER, rule).unwrap();
        self.nodes[node].take(self.now, handle, units)
    }

    /// Takes units and waits for the ledger as long as it takes.
    fn take(&mut self, node: usize, rule: Rule, units: u32) -> Take {
        let mut take = self.begin(node, rule, units);
        for _ in 0..100 {
            let Take::Wait(waiting) = take else { return take };
            for recall in self.exchange(node) {
                let to = recall.to as usize;
                self.nodes[to].recall(self.now, &recall);
                self.exchange(to);
            }
            take = self.nodes[node].retry(self.now, waiting);
        }
        panic!("it waits for ever");
    }

    fn charge(&mut self, node: usize, rule: Rule, units: u32) -> Handle {
        let Take::Granted(receipt) = self.take(node, rule, units) else { panic!("not granted") };
        self.nodes[node].charge(self.now, receipt, units);
        receipt.lease
    }

    fn granted(&self, rule: Rule) -> Vec<u32> {
        let slice = rule.slice(self.ledger_now());
        let mut rows: Vec<_> = self.ledger.granted(COUNTER, slice).collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, granted)| granted).collect()
    }

    fn wait(&mut self, millis: u64) {
        self.now += millis * MILLI;
    }
}

fn question(rule: Rule, total: u32) -> Question {
    let slice = rule.slice(BASE);
    Question { counter: COUNTER, rule, slice, total, least: total, used: 0, refunded: 0, is_restated: false }
}

fn message(number: u64, questions: Vec<Question>) -> Message {
    Message { from: 0, sequence: sequence(1) + 100 + number, epoch: 1, said_since: None, questions }
}

fn granted(take: Take) -> Receipt {
    let Take::Granted(receipt) = take else { panic!("not granted: {take:?}") };
    receipt
}

#[test]
fn a_message_that_comes_twice_or_late_changes_nothing() {
    let mut cluster = Cluster::new(1);
    let (first, second) =
        (message(1, vec![question(window(100), 40)]), message(2, vec![question(window(100), 10)]));
    assert_eq!(cluster.ask(&first).0.answers[0].granted, 40);
    assert_eq!(cluster.ask(&first).0.outcome, Outcome::Late);
    assert_eq!(cluster.granted(window(100)), [40]);
    assert_eq!(cluster.ask(&second).0.answers[0].granted, 10);
    assert_eq!(cluster.ask(&first).0.outcome, Outcome::Late);
    assert_eq!(cluster.granted(window(100)), [10]);
}

#[test]
fn a_question_that_is_asked_again_names_the_same_total() {
    let mut cluster = Cluster::new(1);
    let Take::Wait(waiting) = cluster.begin(0, window(100), 30) else { panic!() };
    let lost = cluster.nodes[0].message(cluster.now).unwrap();
    cluster.ask(&lost); // the reply is lost
    cluster.wait(60);
    cluster.exchange(0);
    assert_eq!(cluster.granted(window(100)), [30]);
    granted(cluster.nodes[0].retry(cluster.now, waiting));
}

#[test]
fn an_answer_is_worth_nothing_once_another_question_was_asked() {
    let mut cluster = Cluster::new(1);
    let Take::Wait(waiting) = cluster.begin(0, window(100), 30) else { panic!() };
    let first = cluster.nodes[0].message(cluster.now).unwrap();
    let (late, _) = cluster.ask(&first);
    cluster.nodes[0].abandon(waiting);
    cluster.wait(60);
    cluster.nodes[0].tick(cluster.now);
    let second = cluster.nodes[0].message(cluster.now).unwrap();
    assert_eq!(second.questions[0].total, 0);
    cluster.nodes[0].hear(cluster.now, &late);
    let handle = cluster.nodes[0].find(COUNTER, 9).unwrap();
    assert_eq!(cluster.nodes[0].account(handle).unwrap().granted, 0);
    assert!(matches!(cluster.begin(0, window(100), 30), Take::Wait(_)));
}

#[test]
fn what_is_given_back_is_not_spent_from_the_question_on() {
    let mut cluster = Cluster::new(1);
    let receipt = granted(cluster.take(0, window(100), 5));
    cluster.nodes[0].release(cluster.now, receipt);
    cluster.nodes[0].recall(cluster.now, &Recall { to: 0, counter: COUNTER, slice: 9 });
    cluster.wait(2);
    let gives_back = cluster.nodes[0].message(cluster.now).unwrap();
    assert_eq!(gives_back.questions[0].total, 0);
    assert!(matches!(cluster.begin(0, window(100), 5), Take::Wait(_)));
}

#[test]
fn the_sum_of_all_leases_never_exceeds_the_limit_and_the_least_is_granted_whole_or_not_at_all() {
    let mut cluster = Cluster::new(3);
    cluster.charge(0, window(10), 4);
    cluster.charge(1, window(10), 4);
    assert_eq!(cluster.take(2, window(10), 3), Take::Denied(Denial::Exhausted));
    assert_eq!(cluster.granted(window(10)).iter().sum::<u32>(), 8);
    cluster.charge(2, window(10), 2);
    assert_eq!(cluster.take(2, window(10), 11), Take::Denied(Denial::Exhausted));
}

#[test]
fn what_remains_falls_by_the_cost_whichever_node_is_asked() {
    let mut cluster = Cluster::new(3);
    for turn in 0..10_u32 {
        let node = turn as usize % 3;
        let handle = cluster.charge(node, window(100), 3);
        assert_eq!(cluster.nodes[node].remaining(handle), Some(100 - 3 * (turn + 1)));
        cluster.wait(1_000);
    }
}

#[test]
fn an_error_goes_back_into_the_lease_and_after_a_while_to_the_others() {
    let mut cluster = Cluster::new(2);
    let receipt = granted(cluster.take(0, window(1), 1));
    cluster.nodes[0].release(cluster.now, receipt);
    let receipt = granted(cluster.begin(0, window(1), 1)); // without the ledger
    cluster.nodes[0].release(cluster.now, receipt);
    cluster.wait(250);
    cluster.exchange(0);
    cluster.charge(1, window(1), 1);
}

#[test]
fn unspent_leases_are_called_back_and_who_asked_is_granted_after_the_wait() {
    let mut cluster = Cluster::new(2);
    let receipt = granted(cluster.take(0, window(10), 10));
    cluster.nodes[0].charge(cluster.now, receipt, 4);
    let began = cluster.now;
    granted(cluster.take(1, window(10), 6));
    assert!((50..60).contains(&((cluster.now - began) / MILLI)), "{}", cluster.now - began);
}

#[test]
fn who_asks_twice_in_vain_is_denied_and_does_not_ask_for_a_tenth_of_a_second() {
    let mut cluster = Cluster::new(2);
    granted(cluster.take(0, window(10), 10)); // in flight
    assert_eq!(cluster.take(1, window(10), 1), Take::Denied(Denial::Exhausted));
    let denied_at = cluster.now;
    assert_eq!(cluster.begin(1, window(10), 1), Take::Denied(Denial::Exhausted));
    cluster.now = denied_at + 90 * MILLI;
    assert_eq!(cluster.begin(1, window(10), 1), Take::Denied(Denial::Exhausted));
    cluster.now = denied_at + 101 * MILLI;
    assert!(matches!(cluster.begin(1, window(10), 1), Take::Wait(_)));
}

#[test]
fn a_seldom_used_counter_is_granted_unit_by_unit() {
    let mut cluster = Cluster::new(1);
    for used in 1..20 {
        cluster.charge(0, window(1_000_000), 1);
        assert_eq!(cluster.granted(window(1_000_000)), [used]);
        cluster.wait(150);
    }
}

#[test]
fn a_hot_counter_is_asked_for_ahead_in_blocks_that_shrink_as_the_window_runs_out() {
    let mut cluster = Cluster::new(3);
    let (limit, mut waited, mut blocks) = (2_000, 0, Vec::new());
    for used in 0..limit {
        let take = cluster.begin(0, window(limit), 1);
        if let Take::Wait(waiting) = take {
            waited += 1;
            cluster.exchange(0);
            let receipt = granted(cluster.nodes[0].retry(cluster.now, waiting));
            cluster.nodes[0].charge(cluster.now, receipt, 1);
        } else {
            cluster.nodes[0].charge(cluster.now, granted(take), 1);
        }
        cluster.now += MILLI / 2;
        if used % 4 == 0 {
            cluster.exchange(0);
        }
        blocks.push(cluster.granted(window(limit))[0] - used - 1);
    }
    assert!(waited < 20, "{waited} requests had to wait");
    assert!(blocks[500] > 50, "{}", blocks[500]);
    for (used, block) in blocks.iter().enumerate() {
        let left = limit - used as u32;
        assert!(*block <= left.div_ceil(4) + 1, "{block} held of {left} that were left");
    }
}

#[test]
fn a_new_epoch_grants_nothing_of_old_windows_until_all_members_have_said_their_totals() {
    let mut cluster = Cluster::new(3);
    cluster.charge(0, window(10), 4);
    cluster.charge(1, window(10), 4);
    cluster.ledger = Ledger::new(2);
    cluster.ledger.begin_epoch(2, cluster.ledger_now(), &[0, 1, 2], &[]);
    assert_eq!(cluster.take(2, window(10), 1), Take::Denied(Denial::Unavailable));
    cluster.wait(1_100);
    cluster.exchange(0);
    assert_eq!(cluster.granted(window(10)), [4, 0]); // node 2 wants some, and holds none
    cluster.wait(110);
    assert_eq!(cluster.take(2, window(10), 1), Take::Denied(Denial::Unavailable));
    assert_eq!(cluster.ledger.awaited().collect::<Vec<_>>(), [1]);
    cluster.wait(1_100);
    cluster.exchange(1);
    cluster.wait(110);
    assert_eq!(cluster.take(2, window(10), 3), Take::Denied(Denial::Exhausted));
    cluster.wait(110);
    cluster.charge(2, window(10), 2);
}

#[test]
fn a_window_that_began_well_after_the_loss_waits_for_nobody() {
    let mut cluster = Cluster::new(2);
    cluster.ledger = Ledger::new(2);
    cluster.ledger.begin_epoch(2, cluster.ledger_now(), &[0, 1], &[]);
    cluster.wait(20_000);
    let begins = BASE + 10_000 + GRACE;
    let later = Rule { amount: 5, kind: Kind::Window { index: 10, begins, ends: begins + 60_000 } };
    cluster.exchange(0);
    cluster.charge(0, later, 5);
    assert_eq!(cluster.ledger.awaited().collect::<Vec<_>>(), [1]);
}

#[test]
fn a_message_of_another_epoch_changes_nothing() {
    let mut cluster = Cluster::new(1);
    let old = message(5, vec![question(window(100), 40)]);
    cluster.ledger.begin_epoch(2, cluster.ledger_now(), &[0], &[]);
    assert_eq!(cluster.ask(&old).0.outcome, Outcome::OtherEpoch);
    assert!(cluster.granted(window(100)).is_empty());
}

#[test]
fn nobody_waits_longer_for_a_member_that_is_given_up() {
    let mut cluster = Cluster::new(2);
    cluster.charge(1, window(10), 4);
    cluster.ledger.begin_epoch(2, cluster.ledger_now(), &[0, 1], &[]);
    cluster.wait(1_100);
    cluster.exchange(0);
    cluster.ledger.go_on_without(1);
    cluster.charge(0, window(10), 1);
}

#[test]
fn all_that_a_removed_member_holds_counts_as_used() {
    let mut cluster = Cluster::new(2);
    granted(cluster.take(0, window(10), 6));
    cluster.ledger.remove(0);
    assert_eq!(cluster.take(1, window(10), 5), Take::Denied(Denial::Exhausted));
    cluster.wait(110);
    cluster.charge(1, window(10), 4);
    cluster.wait(1_100);
    cluster.exchange(0);
    assert_eq!(cluster.nodes[0].standing(), Standing::NotMember);
    assert_eq!(cluster.begin(0, window(10), 1), Take::Denied(Denial::Unavailable));
}

#[test]
fn a_node_that_comes_back_keeps_what_its_journal_says_and_gives_back_the_rest() {
    let mut cluster = Cluster::new(2);
    cluster.charge(0, window(10), 3);
    granted(cluster.take(0, window(10), 2)); // in flight when it is killed
    let other = CounterId { who: [8; 16], limit: 1 };
    let handle = cluster.nodes[0].lease(cluster.now, other, window(10)).unwrap();
    cluster.nodes[0].take(cluster.now, handle, 10);
    cluster.exchange(0);
    let used = Used { counter: COUNTER, rule: window(10), slice: 9, used: 3 };
    cluster.nodes[0] = Node::new(0, 2, Unreachable::Deny, [used]);
    assert_eq!(cluster.granted(window(10)), [5]);
    cluster.exchange(0);
    assert_eq!(cluster.granted(window(10)), [3]);
    assert_eq!(cluster.ledger.granted(other, 9).count(), 0, "the journal does not name it");
    cluster.charge(1, window(10), 7);
}

#[test]
fn a_second_node_with_the_same_number_stops_the_first() {
    let mut cluster = Cluster::new(1);
    granted(cluster.take(0, window(10), 1));
    let mut first = std::mem::replace(&mut cluster.nodes[0], Node::new(0, 2, Unreachable::Deny, []));
    cluster.exchange(0);
    cluster.wait(1_100);
    first.tick(cluster.now);
    let (reply, _) = cluster.ask(&first.message(cluster.now).unwrap());
    assert_eq!(reply.outcome, Outcome::Superseded);
    first.hear(cluster.now, &reply);
    let handle = first.lease(cluster.now, COUNTER, window(10)).unwrap();
    assert_eq!(first.take(cluster.now, handle, 1), Take::Denied(Denial::Unavailable));
}

#[test]
fn a_lease_ends_with_its_window() {
    let mut cluster = Cluster::new(1);
    let receipt = granted(cluster.take(0, window(10), 3));
    cluster.nodes[0].release(cluster.now, receipt);
    cluster.now = 60_000 * MILLI;
    assert_eq!(cluster.nodes[0].take(cluster.now, receipt.lease, 1), Take::Over);
    cluster.wait(GRACE + 100);
    cluster.exchange(0);
    cluster.ledger.sweep(cluster.ledger_now());
    assert!(cluster.ledger.is_empty() && cluster.nodes[0].is_empty());
    // A request that outlives its window touches nothing.
    cluster.nodes[0].charge(cluster.now, receipt, 3);
}

#[test]
fn without_the_ledger_leases_at_hand_are_spent_and_then_the_node_denies_or_goes_on_with_its_share() {
    for (unreachable, more) in [(Unreachable::Deny, 0), (Unreachable::GoOn, 2)] {
        let mut cluster = Cluster::new(2);
        cluster.nodes[0] = Node::new(0, 2, unreachable, []);
        cluster.exchange(0);
        let receipt = granted(cluster.take(0, window(10), 3));
        cluster.nodes[0].release(cluster.now, receipt);
        let mut waiting = Vec::new();
        // A few messages are lost, and nobody waits for the next one.
        while cluster.nodes[0].is_ledger_up() {
            if let Take::Wait(one) = cluster.begin(0, window(10), 10) {
                waiting.push(one);
            }
            cluster.wait(10);
            cluster.nodes[0].tick(cluster.now);
            cluster.nodes[0].message(cluster.now);
            assert!(cluster.now < 1_000 * MILLI);
        }
        for one in waiting {
            assert_eq!(cluster.nodes[0].retry(cluster.now, one), Take::Denied(Denial::Unavailable));
        }
        let handle = cluster.nodes[0].find(COUNTER, 9).unwrap();
        let at_hand = cluster.nodes[0].account(handle).unwrap().granted;
        assert_eq!(at_hand, 3);
        for _ in 0..at_hand + more {
            granted(cluster.begin(0, window(10), 1));
        }
        assert_eq!(cluster.begin(0, window(10), 1), Take::Denied(Denial::Unavailable));
        assert_eq!(cluster.nodes[0].beyond(), u64::from(more));
        cluster.wait(2_000);
        cluster.exchange(0);
        assert!(cluster.nodes[0].is_ledger_up());
        assert_eq!(cluster.granted(window(10)), [at_hand + more]);
    }
}

#[test]
fn a_node_stops_using_places_before_the_ledger_forgets_them_counted_from_before_it_asked() {
    let at_once = Rule { amount: 2, kind: Kind::AtOnce };
    let mut cluster = Cluster::new(2);
    let Take::Wait(waiting) = cluster.begin(0, at_once, 1) else { panic!() };
    let asked_at = cluster.now;
    let asks = cluster.nodes[0].message(cluster.now).unwrap();
    let (reply, _) = cluster.ask(&asks);
    cluster.wait(40);
    cluster.nodes[0].hear(cluster.now, &reply);
    let receipt = granted(cluster.nodes[0].retry(cluster.now, waiting));
    // It cannot renew them.
    cluster.now = asked_at + (PLACE_TTL - PLACE_MARGIN) * MILLI - 1;
    cluster.nodes[0].tick(cluster.now);
    assert_eq!(cluster.nodes[0].lost_places(), None);
    cluster.now += 1;
    cluster.nodes[0].tick(cluster.now);
    assert_eq!(cluster.nodes[0].lost_places(), Some(receipt.lease));
    cluster.nodes[0].charge(cluster.now, receipt, 1);
    assert_eq!(cluster.ledger.left(cluster.ledger_now(), COUNTER, &at_once), 1);
    cluster.now = asked_at + PLACE_TTL * MILLI;
    granted(cluster.take(1, at_once, 2));
}

#[test]
fn places_are_renewed_by_heartbeat_and_free_when_their_request_has_ended() {
    let at_once = Rule { amount: 1, kind: Kind::AtOnce };
    let mut cluster = Cluster::new(2);
    let receipt = granted(cluster.take(0, at_once, 1));
    for _ in 0..200 {
        cluster.wait(1_000);
        cluster.exchange(0);
    }
    assert_eq!(cluster.take(1, at_once, 1), Take::Denied(Denial::Exhausted));
    assert_eq!(cluster.nodes[0].lost_places(), None);
    cluster.nodes[0].charge(cluster.now, receipt, 1);
    cluster.wait(110);
    granted(cluster.take(1, at_once, 1));
}

#[test]
fn an_error_after_the_slice_of_a_rate_is_given_back_and_what_was_not_spent_is_not() {
    // One unit a minute, so that nothing flows in meanwhile; slices of a minute.
    let rate = Rule { amount: 1, kind: Kind::Rate { period: 3_600_000, burst: 10 } };
    let mut cluster = Cluster::new(2);
    let late = granted(cluster.take(0, rate, 4));
    let unspent = granted(cluster.take(0, rate, 3));
    cluster.nodes[0].release(cluster.now, unspent);
    // The node is cut off for three slices. What it did not spend is gone by then; the bucket may have filled without it.
    cluster.wait(180_000);
    cluster.exchange(0);
    assert_eq!(cluster.ledger.left(cluster.ledger_now(), COUNTER, &rate), 3);
    cluster.nodes[0].release(cluster.now, late);
    cluster.exchange(0);
    assert_eq!(cluster.ledger.left(cluster.ledger_now(), COUNTER, &rate), 7);
    cluster.exchange(0);
    assert_eq!(cluster.ledger.left(cluster.ledger_now(), COUNTER, &rate), 7);
}

#[test]
fn a_rate_that_was_lost_begins_empty() {
    let rate = Rule { amount: 10, kind: Kind::Rate { period: 1_000, burst: 50 } };
    let mut cluster = Cluster::new(1);
    cluster.charge(0, rate, 50);
    cluster.ledger = Ledger::new(2);
    cluster.ledger.begin_epoch(2, cluster.ledger_now(), &[0], &[]);
    cluster.wait(1_100);
    cluster.exchange(0);
    let left = cluster.ledger.left(cluster.ledger_now(), COUNTER, &rate);
    assert!((10..=12).contains(&left), "{left}");
}

#[test]
fn a_question_that_is_scarce_says_so_and_whom_it_called() {
    let mut cluster = Cluster::new(2);
    granted(cluster.take(1, window(10), 8));
    let (reply, recalls) = cluster.ask(&message(1, vec![question(window(10), 5)]));
    assert_eq!(reply.answers[0].state, State::Scarce { held: true, flows_in: None });
    assert_eq!((reply.answers[0].granted, reply.answers[0].left), (0, 2));
    assert_eq!(recalls, [Recall { to: 1, counter: COUNTER, slice: 9 }]);
}
