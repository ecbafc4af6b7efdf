//! What is special to windows, rates and places.

use crate::cluster::{COUNTER, Cluster, MILLI, granted, window};
use lease::{GRACE, Kind, PLACE_MARGIN, PLACE_TTL, Rule, Take};

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
