//! What nodes ask for, what they give back, and what clients are told.

use crate::cluster::{COUNTER, Cluster, MILLI, granted, window};
use lease::{CounterId, Denial, Take};

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
fn what_remains_is_asked_for_anew_before_a_unit_that_came_back_is_spent_after_a_while() {
    let mut cluster = Cluster::new(2);
    let receipt = granted(cluster.take(0, window(100), 1));
    cluster.nodes[0].release(cluster.now, receipt);
    cluster.charge(1, window(100), 5);
    cluster.wait(110);
    let handle = cluster.charge(0, window(100), 1);
    assert_eq!(cluster.nodes[0].remaining(handle), Some(94));
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
fn who_waits_is_not_overtaken() {
    let mut cluster = Cluster::new(1);
    let receipt = granted(cluster.take(0, window(10), 1));
    cluster.nodes[0].release(cluster.now, receipt);
    let Take::Wait(_) = cluster.begin(0, window(10), 3) else { panic!() };
    assert!(matches!(cluster.begin(0, window(10), 1), Take::Wait(_)));
}

#[test]
fn a_node_that_ends_leaves_nothing_behind_that_it_does_not_need() {
    let mut cluster = Cluster::new(2);
    // A hot counter: it is leased in blocks.
    for _ in 0..20 {
        cluster.charge(0, window(1_000), 1);
        cluster.now += MILLI;
    }
    assert!(cluster.granted(window(1_000))[0] > 20);
    assert!(!cluster.nodes[0].give_all_back(cluster.now));
    cluster.exchange(0);
    assert!(cluster.nodes[0].give_all_back(cluster.now));
    assert_eq!(cluster.granted(window(1_000)), [20]);
}

#[test]
fn asking_how_a_counter_stands_takes_nothing_and_tells_what_others_hold() {
    let mut cluster = Cluster::new(2);
    cluster.charge(0, window(100), 30);
    let receipt = granted(cluster.take(1, window(100), 0));
    assert_eq!(receipt.units, 0);
    assert_eq!(cluster.nodes[1].remaining(receipt.lease), Some(70));
    cluster.nodes[1].release(cluster.now, receipt);
    assert_eq!(cluster.granted(window(100)).iter().sum::<u32>(), 30);
}

#[test]
fn what_a_node_holds_and_has_not_used_is_counted_in_parts() {
    let mut cluster = Cluster::new(1);
    let rule = window(100);
    cluster.charge(0, rule, 3);
    let receipt = granted(cluster.take(0, rule, 2));
    for other in 2..700 {
        let counter = CounterId { limit: other, ..COUNTER };
        cluster.nodes[0].lease(cluster.now, counter, rule).unwrap();
    }
    let (mut parts, mut units, mut from) = (0, 0, Some(0));
    while let Some(at) = from {
        let (some, next) = cluster.nodes[0].unused(at, 100);
        (parts, units, from) = (parts + 1, units + some, next);
    }
    assert_eq!((parts, units), (7, u64::from(receipt.units)));
}
