//! Nodes, ledgers and ways that are lost, and come back.

use crate::cluster::{BASE, COUNTER, Cluster, MILLI, granted, message, question, window};
use lease::{CounterId, Denial, GRACE, Kind, Ledger, Node, Outcome, Rule, Standing, Take, Unreachable, Used};

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
fn a_window_that_has_ended_is_not_granted_again_when_the_next_ledgers_clock_is_behind() {
    let mut cluster = Cluster::new(2);
    cluster.charge(0, window(10), 10);
    cluster.now = 60_500 * MILLI;
    assert!(matches!(cluster.begin(0, window(10), 1), Take::Over));
    cluster.exchange(0);
    cluster.exchange(1);
    (cluster.ledger, cluster.behind) = (Ledger::new(2), 2_000);
    cluster.ledger.begin_epoch(2, cluster.ledger_now(), &[0, 1], &[]);
    cluster.wait(1_100);
    cluster.exchange(0);
    cluster.exchange(1);
    assert_eq!(cluster.granted(window(10)), [10]);
    assert_eq!(cluster.take(1, window(10), 1), Take::Denied(Denial::Exhausted));
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
fn a_node_that_starts_without_the_ledger_may_go_on_with_its_share_by_a_clock_of_its_own() {
    let mut cluster = Cluster::new(2);
    let mut node = Node::new(0, 2, Unreachable::GoOn, []);
    assert_eq!(node.lease(cluster.now, COUNTER, window(10)), None);
    node.assume(cluster.now, cluster.ledger_now(), 2);
    while node.is_ledger_up() {
        node.message(cluster.now);
        cluster.wait(10);
        node.tick(cluster.now);
    }
    let handle = node.lease(cluster.now, COUNTER, window(10)).unwrap();
    for _ in 0..5 {
        let receipt = granted(node.take(cluster.now, handle, 1));
        node.charge(cluster.now, receipt, 1);
    }
    assert_eq!(node.take(cluster.now, handle, 1), Take::Denied(Denial::Unavailable));
    // When the ledger is back, what was used counts.
    cluster.nodes[0] = node;
    cluster.wait(1_100);
    cluster.exchange(0);
    cluster.wait(1_100);
    assert_eq!(cluster.charge(1, window(10), 5), cluster.nodes[1].find(COUNTER, 9).unwrap());
    assert_eq!(cluster.take(1, window(10), 1), Take::Denied(Denial::Exhausted));
}
