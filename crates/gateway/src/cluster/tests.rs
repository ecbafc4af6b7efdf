//! Leases of several processes with one ledger in memory; tasks carry the messages.

use super::*;
use contract::Limit;
use lease::{Ledger, Unreachable};
use limits::{Known, Limits, Who};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use tokio::{
    task::{LocalSet, spawn_local},
    time::{sleep, timeout},
};

const WHO: Who = [7; 16];

struct World {
    ledger: RefCell<Ledger>,
    clusters: Vec<Arc<Cluster>>,
    is_cut: Cell<bool>,
}

fn limits(texts: &[&str]) -> Limits {
    Limits::new(texts.iter().map(|text| Limit::parse(text, &mut |_| None).unwrap()).collect()).unwrap()
}

fn wall() -> u64 {
    crate::clock::wall_millis()
}

/// Runs a test with this many nodes that have received a reply from the ledger.
fn run(nodes: u32, test: impl AsyncFnOnce(&World)) {
    let mut ledger = Ledger::new(1);
    (1..=nodes).for_each(|node| ledger.join(node));
    let node = |id| Cluster::new(Node::new(id, 1, Unreachable::Deny, []));
    let clusters = (1..=nodes).map(node).collect();
    let world = Rc::new(World { ledger: RefCell::new(ledger), clusters, is_cut: Cell::new(false) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        for index in 0..world.clusters.len() {
            spawn_local(drive(Rc::clone(&world), index));
        }
        while world.clusters.iter().any(|cluster| cluster.time().is_none()) {
            sleep(Duration::from_millis(1)).await;
        }
        test(&world).await;
    });
}

async fn drive(world: Rc<World>, index: usize) {
    loop {
        let Step { message, due } = world.clusters[index].step();
        match message.filter(|_| !world.is_cut.get()) {
            Some(message) => {
                tokio::task::yield_now().await;
                let mut recalls = Vec::new();
                let reply = world.ledger.borrow_mut().take(wall(), &message, &mut recalls);
                world.clusters[index].hear(&reply);
                for recall in recalls {
                    world.clusters[recall.to as usize - 1].recall(&recall);
                }
            }
            None => {
                let _ = timeout(due, world.clusters[index].kicked()).await;
            }
        }
    }
}

impl World {
    async fn take(&self, index: usize, limits: &Limits, cost: u32) -> Result<Box<Leased>, Denied> {
        loop {
            let cluster = &self.clusters[index % self.clusters.len()];
            let taken = match cluster.take(&WHO, limits, limits.all(), cost, cluster.time().unwrap()) {
                Ok(leased) if leased.waits() => leased.wait().await,
                taken => taken,
            };
            if taken.as_ref().err() != Some(&Denied::Over) {
                return taken;
            }
        }
    }

    fn remaining(&self, index: usize, limits: &Limits) -> u32 {
        let cluster = &self.clusters[index % self.clusters.len()];
        let at = CountedAt { who: WHO, time: cluster.time().unwrap() };
        let [Known { remaining, .. }, ..] = cluster.known(limits, limits.all(), at);
        remaining
    }
}

#[test]
fn every_kind_grants_exactly_its_amount_whichever_node_is_asked_and_errors_are_free() {
    run(3, async |world| {
        for (number, text) in ["10 per month", "10 in all", "10 per rolling day", "1 per hour, burst 10"]
            .into_iter()
            .enumerate()
        {
            let limits = limits(&[text]);
            let mut charged = 0;
            for turn in 0..40 {
                let index = (turn * 7 + number) / 2;
                match world.take(index, &limits, 1).await {
                    Ok(leased) if turn % 3 == 0 => drop(leased),
                    Ok(leased) => {
                        leased.charge();
                        charged += 1;
                    }
                    Err(denied) => {
                        assert_eq!(denied, Denied::Exhausted([0].into_iter().collect()));
                        sleep(Duration::from_millis(120)).await;
                    }
                }
            }
            assert_eq!(charged, 10, "{text}");
        }
    });
}

#[test]
fn the_remaining_units_decrease_by_the_cost_on_every_node() {
    run(3, async |world| {
        let limits = limits(&["100 per month", "50 per rolling day"]);
        for turn in 1..=6 {
            world.take(turn, &limits, 3).await.unwrap().charge();
            assert_eq!(world.remaining(turn, &limits), 100 - 3 * turn as u32);
            sleep(Duration::from_millis(110)).await;
        }
    });
}

#[test]
fn a_denial_by_one_limit_takes_nothing_from_the_others() {
    run(2, async |world| {
        let limits = limits(&["100 per month", "2 in all"]);
        for index in 0..2 {
            world.take(index, &limits, 1).await.unwrap().charge();
        }
        let denied = world.take(0, &limits, 1).await.unwrap_err();
        assert_eq!(denied, Denied::Exhausted([1].into_iter().collect()));
        sleep(Duration::from_millis(300)).await; // unspent units are returned
        assert_eq!(world.remaining(0, &limits), 98);
    });
}

#[test]
fn a_lower_reported_cost_leaves_the_rest_to_other_nodes() {
    run(2, async |world| {
        let limits = limits(&["10 in all"]);
        let mut leased = world.take(0, &limits, 8).await.unwrap();
        leased.lower_to(3);
        assert_eq!(world.remaining(0, &limits), 7);
        leased.charge();
        world.take(1, &limits, 7).await.unwrap().charge();
        assert!(world.take(0, &limits, 1).await.is_err());
    });
}

#[test]
fn a_place_is_free_for_other_nodes_when_its_answer_lands_and_not_before_the_end_of_a_tunnel() {
    run(2, async |world| {
        let limits = limits(&["1 at once"]);
        let mut leased = world.take(0, &limits, 5).await.unwrap();
        assert!(world.take(1, &limits, 1).await.is_err());
        leased.land();
        sleep(Duration::from_millis(120)).await; // a denial is accurate to a tenth of a second
        let tunnel = world.take(1, &limits, 1).await.unwrap().charge_and_stay();
        assert!(tunnel.is_some() && world.take(0, &limits, 1).await.is_err());
        drop(tunnel);
        sleep(Duration::from_millis(120)).await;
        leased.charge();
        drop(world.take(0, &limits, 1).await.unwrap());
    });
}

#[test]
fn who_leaves_while_waiting_takes_nothing() {
    run(2, async |world| {
        let limits = limits(&["5 in all"]);
        for _ in 0..20 {
            let cluster = &world.clusters[0];
            let leased = cluster.take(&WHO, &limits, limits.all(), 5, cluster.time().unwrap()).unwrap();
            drop(leased);
            sleep(Duration::from_millis(2)).await;
        }
        world.take(1, &limits, 5).await.unwrap().charge();
    });
}

#[test]
fn without_the_ledger_leases_at_hand_are_spent_and_then_it_cannot_be_decided() {
    run(1, async |world| {
        let limits = limits(&["1000 in all"]);
        for _ in 0..50 {
            world.take(0, &limits, 1).await.unwrap().charge();
            sleep(Duration::from_millis(2)).await;
        }
        world.is_cut.set(true);
        let mut granted = 0;
        let denied = loop {
            match world.take(0, &limits, 1).await {
                Ok(leased) => leased.charge(),
                Err(denied) => break denied,
            }
            granted += 1;
        };
        assert_eq!(denied, Denied::Unavailable);
        assert!(granted > 20, "{granted} of a hot counter were at hand");
        world.is_cut.set(false);
        sleep(Duration::from_millis(1_500)).await;
        world.take(0, &limits, 1).await.unwrap().charge();
        assert_eq!(world.remaining(0, &limits), 1000 - 50 - granted - 1);
    });
}

#[test]
fn requests_whose_places_are_lost_are_notified() {
    let cluster = Cluster::new(Node::new(1, 1, Unreachable::Deny, []));
    let flag = Arc::new(AtomicBool::new(false));
    let places = Places::new(Arc::clone(&cluster), [Arc::clone(&flag)].into_iter().collect());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert!(timeout(Duration::from_millis(20), places.lost()).await.is_err());
        flag.store(true, std::sync::atomic::Ordering::Release);
        cluster.lost.notify_waiters();
        places.lost().await;
    });
}
