//! Spending a lease allocates nothing. A program of its own: the allocations of all its threads are counted.
#![allow(clippy::unwrap_used, clippy::panic)]

use lease::{CounterId, Kind, Ledger, Micros, Node, Rule, Take, Unreachable};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATIONS: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn exchange(node: &mut Node, ledger: &mut Ledger, now: Micros) {
    node.tick(now);
    if let Some(message) = node.message(now) {
        let reply = ledger.take(1_700_000_000_000 + now / 1_000, &message, &mut Vec::new());
        node.hear(now, &reply);
    }
}

#[test]
fn spending_a_lease_allocates_nothing() {
    let (counter, rule) =
        (CounterId { who: [7; 16], limit: 1 }, Rule { amount: 1_000_000, kind: Kind::InAll });
    let mut ledger = Ledger::new(1);
    ledger.join(0);
    let (mut node, mut now) = (Node::new(0, 1, Unreachable::Deny, []), 0);
    for _ in 0..4 {
        now += 2_000;
        exchange(&mut node, &mut ledger, now);
    }
    // Enough to make it hot.
    for _ in 0..200 {
        now += 1_000;
        let handle = node.lease(now, counter, rule).unwrap();
        if let Take::Granted(receipt) = node.take(now, handle, 1) {
            node.charge(now, receipt, 1);
        }
        exchange(&mut node, &mut ledger, now);
    }
    let region = Region::new(ALLOCATIONS);
    for turn in 0..100 {
        let handle = node.lease(now, counter, rule).unwrap();
        let Take::Granted(receipt) = node.take(now, handle, 1) else { panic!("not granted") };
        if turn % 3 == 0 {
            node.release(now, receipt);
        } else {
            node.charge(now, receipt, 1);
        }
    }
    assert_eq!(region.change().allocations, 0);
}
