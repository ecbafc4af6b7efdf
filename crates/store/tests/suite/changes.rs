//! Every write that a gateway must know of is numbered, in the transaction that makes it, and can be read later.

use super::{
    Home,
    common::{BY, import, key, window},
    fresh,
};
use store::{Change, Changed, Records, Since, StoreError, wait};

fn describe(change: &Change) -> (u64, String) {
    let what = match &change.what {
        Changed::KeyAdded(key) => format!("added {} {:?}", key.id, key.revoked_at),
        Changed::KeyChanged(key) => format!("changed {} {}", key.id, key.plan),
        Changed::KeyRevoked(key) => format!("revoked {} {:?}", key.id, key.revoked_at),
        Changed::KeysImported(keys) => format!("imported {}", keys.records().count()),
        Changed::MaintenancePut(window) => format!("put {}", window.id),
        Changed::MaintenanceRemoved(id) => format!("removed {id}"),
    };
    (change.number, format!("{what} by {}", change.by))
}

/// The changes after this number. The number alone: everything must be read.
fn since(store: &impl Records, after: impl Into<Option<u64>>) -> Result<Vec<(u64, String)>, u64> {
    match wait(store.changes_since(after.into())).unwrap() {
        Since::Changes(changes) => Ok(changes.iter().map(describe).collect()),
        Since::Everything(number) => Err(number),
    }
}

pub fn every_write_is_a_change_with_the_next_number_and_is_read_again_as_announced<H: Home>() {
    let (home, store) = fresh::<H>();
    assert_eq!(
        since(&store, None),
        Err(0),
        "a reader without a number reads everything, also of an empty store"
    );
    assert_eq!(since(&store, 0), Ok(vec![]));
    let mut other_plan = key(2);
    other_plan.plan = "premium".into();
    let announced = [
        wait(store.add_key(key(1), "one")).unwrap(),
        wait(store.add_key(key(2), "two")).unwrap(),
        wait(store.replace_key(other_plan, BY)).unwrap().unwrap(),
        wait(store.revoke_key(&key(2).id, 50, BY)).unwrap().unwrap(),
        wait(store.put_maintenance(window("mnt_a", 100), BY)).unwrap(),
        wait(store.put_maintenance(window("mnt_b", 100), BY)).unwrap(),
        wait(store.remove_maintenance("mnt_b", BY)).unwrap().unwrap(),
    ]
    .map(|change| describe(&change));
    let (first, second) = (key(1).id, key(2).id);
    let expected = [
        (1, format!("added {first} None by one")),
        (2, format!("added {second} None by two")),
        (3, format!("changed {second} premium by {BY}")),
        (4, format!("revoked {second} Some(50) by {BY}")),
        (5, format!("put mnt_a by {BY}")),
        (6, format!("put mnt_b by {BY}")),
        (7, format!("removed mnt_b by {BY}")),
    ];
    assert_eq!(announced, expected);
    let store = home.again(store);
    let mut later = expected.to_vec();
    // Records in their current state: applied in order, the changes lead to the same.
    later[1].1 = format!("added {second} Some(50) by two");
    later[5].1 = format!("removed mnt_b by {BY}");
    assert_eq!(since(&store, 0), Ok(later.clone()));
    assert_eq!(since(&store, 4), Ok(later[4..].to_vec()));
    assert_eq!(since(&store, 7), Ok(vec![]));
    assert_eq!(since(&store, 8), Err(7), "of another store, or of a time unknown to a copy");
    assert_eq!(since(&store, None), Err(7));
    assert_eq!(wait(store.add_key(key(3), BY)).unwrap().number, 8);
}

pub fn what_changes_nothing_is_no_change<H: Home>() {
    let (_home, store) = fresh::<H>();
    wait(store.add_key(key(1), BY)).unwrap();
    assert!(wait(store.replace_key(key(2), BY)).unwrap().is_none());
    assert!(wait(store.revoke_key("key_unknown", 1, BY)).unwrap().is_none());
    assert!(wait(store.remove_maintenance("mnt_a", BY)).unwrap().is_none());
    assert!(matches!(wait(store.add_key(key(1), BY)), Err(StoreError::KeysExist { .. })));
    assert_eq!(since(&store, 1), Ok(vec![]));
}

pub fn who_missed_an_import_or_a_thousand_changes_reads_everything<H: Home>() {
    let (_home, store) = fresh::<H>();
    wait(store.put_maintenance(window("mnt_a", 1), BY)).unwrap();
    let change = import(&store, (0..50).map(key)).unwrap();
    assert_eq!(describe(&change), (2, format!("imported 50 by {BY}")));
    assert_eq!(since(&store, 1), Err(2));
    assert_eq!(since(&store, 2), Ok(vec![]));
    for from in 0..1000 {
        wait(store.put_maintenance(window("mnt_a", from), BY)).unwrap();
    }
    assert_eq!(since(&store, 2).unwrap().len(), 1000);
    wait(store.put_maintenance(window("mnt_a", 1), BY)).unwrap();
    assert_eq!(since(&store, 2), Err(1003));
    assert_eq!(since(&store, 3).unwrap().len(), 1000);
}

pub fn a_write_without_a_waiter_is_carried_out<H: Home>() {
    let (home, store) = fresh::<H>();
    drop(store.add_key(key(1), BY));
    let store = home.again(store);
    assert_eq!(wait(store.key_by_id(&key(1).id)).unwrap(), Some(key(1)));
    assert_eq!(since(&store, 0).unwrap().len(), 1);
}
