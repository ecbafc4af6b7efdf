//! What is stored is read back, also after the store was closed and reopened.

use super::{
    Home,
    common::{BY, all_keys, import, incident, key, window},
    fresh,
};
use std::sync::Arc;
use store::{Changed, INCIDENTS_KEPT, INCIDENTS_OF_CLIENT, Records, StoreError, wait};

/// When a key was revoked, by its change. None: there is no such key.
fn revoke(store: &impl Records, id: &str, at: u64) -> Option<Option<u64>> {
    let change = wait(store.revoke_key(id, at, BY)).unwrap()?;
    let Changed::KeyRevoked(key) = change.what else { panic!("{change:?}") };
    Some(key.revoked_at)
}

pub fn keys_come_back_as_they_were_saved<H: Home>() {
    let (home, store) = fresh::<H>();
    let keys: Vec<_> = (0..500).map(key).collect();
    import(&store, keys.iter().cloned()).unwrap();
    let store = home.again(store);
    for threads in [1, 2, 3, 7] {
        assert_eq!(all_keys(&store, threads).unwrap(), keys, "{threads} threads");
    }
    assert_eq!(wait(store.count_keys()).unwrap(), 500);
    assert_eq!(wait(store.key_by_id(&keys[7].id)).unwrap().as_ref(), Some(&keys[7]));
    let by_digest = wait(store.keys_by_digests(vec![keys[9].digest, [9; 32], keys[7].digest])).unwrap();
    assert_eq!(by_digest, [Some(keys[9].clone()), None, Some(keys[7].clone())]);
    assert_eq!(wait(store.key_by_id("key_unknown")).unwrap(), None);
}

pub fn pages_walk_through_all_keys_once<H: Home>() {
    let (_home, store) = fresh::<H>();
    import(&store, (0..25).map(key)).unwrap();
    let mut ids = vec![];
    let mut after: Option<String> = None;
    loop {
        let page = wait(store.page_of_keys(after, 10)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        ids.extend(page.into_iter().map(|record| record.id));
    }
    assert_eq!(ids, (0..25).map(|number| key(number).id).collect::<Vec<_>>());
}

pub fn keys_are_walked_through_in_the_order_of_their_digests<H: Home>() {
    let (_home, store) = fresh::<H>();
    import(&store, (0..25).rev().map(key)).unwrap();
    let (mut all, mut after) = (vec![], None);
    loop {
        let page = wait(store.keys_after(after, 10)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.digest);
        all.extend(page);
    }
    assert_eq!(all, (0..25).map(key).collect::<Vec<_>>());
}

pub fn keys_that_are_put_stand_in_the_place_of_others_and_stay_revoked<H: Home>() {
    let (home, store) = fresh::<H>();
    import(&store, (0..5).map(key)).unwrap();
    assert_eq!(revoke(&store, &key(1).id, 50), Some(Some(50)));
    let mut put: Vec<_> = (0..7).map(key).collect();
    put[0].plan = "pro".into();
    put[2].revoked_at = Some(60);
    for _ in 0..2 {
        wait(store.put_keys(put.clone())).unwrap();
    }
    wait(store.put_keys(vec![])).unwrap();
    let store = home.again(store);
    put[1].revoked_at = Some(50);
    assert_eq!(all_keys(&store, 2).unwrap(), put);
    // An id is never taken from its key, nor a key's digest from it; then nothing is put.
    let (mut of_id, mut of_digest) = (key(3), key(4));
    of_id.digest = [8; 32];
    of_digest.id = "key_another".into();
    for other in [of_id, of_digest] {
        let error = wait(store.put_keys(vec![key(9), other])).unwrap_err();
        assert!(matches!(error, StoreError::KeysExist { .. }), "{error}");
    }
    assert_eq!(wait(store.count_keys()).unwrap(), 7);
}

pub fn one_known_digest_refuses_the_whole_batch_and_names_the_key<H: Home>() {
    let (_home, store) = fresh::<H>();
    import(&store, (0..10).map(key)).unwrap();
    let batch = (8..20).map(|number| {
        let mut record = key(number);
        record.id = format!("key_other{number:011}");
        record
    });
    let error = import(&store, batch.into_iter()).unwrap_err();
    assert!(matches!(&error, StoreError::KeysExist { ids } if *ids == [key(8).id, key(9).id]), "{error}");
    assert_eq!(wait(store.count_keys()).unwrap(), 10);
    assert_eq!(wait(store.key_by_id(&key(9).id)).unwrap(), Some(key(9)));
    assert_eq!(wait(store.page_of_keys(None, 100)).unwrap().len(), 10);
}

pub fn a_digest_twice_in_one_batch_is_refused<H: Home>() {
    let (_home, store) = fresh::<H>();
    let mut twin = key(1);
    twin.id = "key_twin".into();
    let error = import(&store, [key(1), twin].into_iter()).unwrap_err();
    assert!(matches!(error, StoreError::KeysExist { .. }));
    assert_eq!(wait(store.count_keys()).unwrap(), 0);
}

pub fn a_revoked_key_keeps_the_time_of_its_first_revocation<H: Home>() {
    let (home, store) = fresh::<H>();
    import(&store, (0..3).map(key)).unwrap();
    assert_eq!(revoke(&store, &key(1).id, 50), Some(Some(50)));
    assert_eq!(revoke(&store, &key(1).id, 60), Some(Some(50)));
    assert_eq!(revoke(&store, "key_unknown", 60), None);
    let store = home.again(store);
    assert_eq!(wait(store.key_by_id(&key(1).id)).unwrap().unwrap().revoked_at, Some(50));
    assert_eq!(wait(store.key_by_id(&key(2).id)).unwrap().unwrap().revoked_at, None);
}

pub fn the_newest_incidents_are_kept_and_found<H: Home>() {
    let (home, store) = fresh::<H>();
    wait(store.add_incidents(Arc::from((0..100).map(incident).collect::<Vec<_>>()))).unwrap();
    let many: Vec<_> = (100..INCIDENTS_KEPT + 50).map(incident).collect();
    wait(store.add_incidents(Arc::from(many))).unwrap();
    let store = home.again(store);
    let newest = wait(store.incidents(3, None)).unwrap();
    let numbers = [INCIDENTS_KEPT + 49, INCIDENTS_KEPT + 48, INCIDENTS_KEPT + 47];
    assert_eq!(newest, numbers.map(incident));
    assert_eq!(wait(store.incidents(usize::MAX, None)).unwrap().len() as u64, INCIDENTS_KEPT);
    assert_eq!(wait(store.incidents_of("req_49")).unwrap(), []);
    assert_eq!(wait(store.incidents_of("req_50")).unwrap(), [incident(50)]);
    let silent = wait(store.incidents(2, Some("upstream silent".into()))).unwrap();
    assert!(silent.len() == 2 && silent.iter().all(|incident| incident.cause == "upstream silent"));
}

pub fn a_batch_larger_than_what_is_kept_keeps_its_newest<H: Home>() {
    let (_home, store) = fresh::<H>();
    wait(store.add_incidents(Arc::from((0..INCIDENTS_KEPT + 7).map(incident).collect::<Vec<_>>()))).unwrap();
    assert_eq!(wait(store.incidents_of("req_6")).unwrap(), []);
    assert_eq!(wait(store.incidents_of("req_7")).unwrap(), [incident(7)]);
}

pub fn a_request_id_that_a_client_used_twice_shows_both<H: Home>() {
    let (_home, store) = fresh::<H>();
    let mut second = incident(1);
    second.detail = "another".into();
    wait(store.add_incidents(Arc::from([incident(1), incident(2), second.clone()]))).unwrap();
    assert_eq!(wait(store.incidents_of("req_1")).unwrap(), [second, incident(1)]);
    assert_eq!(wait(store.incidents(10, None)).unwrap().len(), 3);
}

pub fn one_client_pushes_out_no_incident_of_another_and_all_are_counted<H: Home>() {
    let (home, store) = fresh::<H>();
    let of = |client: &str, cause: &str, number| {
        let mut one = incident(number);
        (one.address, one.cause) = (Some(client.into()), cause.into());
        one
    };
    let rare = of("10.9.9.9", "upstream silent", 1);
    let other = of("10.9.9.8", "a panic", 2);
    wait(store.add_incidents(Arc::from([rare.clone(), other.clone()]))).unwrap();
    for _ in 0..3 {
        let flood: Vec<_> = (10..12_010).map(|number| of("10.0.0.1", "upstream silent", number)).collect();
        wait(store.add_incidents(Arc::from(flood))).unwrap();
    }
    let mut counted = of("10.0.0.1", "upstream silent", 12_009);
    counted.more = 500;
    wait(store.add_incidents(Arc::from([counted]))).unwrap();
    // Many clients, but one cause: the others keep theirs.
    let crowd =
        (0..INCIDENTS_KEPT + 500).map(|number| of(&format!("client {number}"), "upstream closed", number));
    wait(store.add_incidents(Arc::from(crowd.collect::<Vec<_>>()))).unwrap();
    let store = home.again(store);
    assert_eq!(wait(store.incidents_of("req_2")).unwrap().last(), Some(&other));
    assert_eq!(wait(store.incidents_of("req_1")).unwrap().last(), Some(&rare));
    let kept = wait(store.incidents(usize::MAX, Some("upstream silent".into()))).unwrap();
    assert_eq!(kept.len(), INCIDENTS_OF_CLIENT + 1);
    assert_eq!(wait(store.incidents(usize::MAX, None)).unwrap().len() as u64, INCIDENTS_KEPT);
    let groups = wait(store.incident_groups()).unwrap();
    let listed: Vec<_> = groups.iter().map(|group| (group.cause.as_str(), group.count, group.kept)).collect();
    let of_crowd = INCIDENTS_KEPT - INCIDENTS_OF_CLIENT as u64 - 2;
    let mut expected = [
        ("upstream silent", 36_501, INCIDENTS_OF_CLIENT as u64 + 1),
        ("a panic", 1, 1),
        ("upstream closed", INCIDENTS_KEPT + 500, of_crowd),
    ];
    expected.sort();
    let mut sorted = listed.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    let silent = groups.iter().find(|group| group.cause == "upstream silent").unwrap();
    assert_eq!(silent.latest.as_ref().unwrap().request_id, "req_12009");
    assert!(silent.first_millis < silent.last_millis);
}

pub fn windows_of_maintenance_come_in_the_order_of_their_beginning<H: Home>() {
    let (home, store) = fresh::<H>();
    for (id, from) in [("mnt_b", 200), ("mnt_a", 300), ("mnt_c", 100)] {
        wait(store.put_maintenance(window(id, from), BY)).unwrap();
    }
    wait(store.put_maintenance(window("mnt_a", 150), BY)).unwrap();
    let store = home.again(store);
    assert_eq!(
        wait(store.maintenance()).unwrap(),
        [window("mnt_c", 100), window("mnt_a", 150), window("mnt_b", 200)]
    );
    assert!(wait(store.remove_maintenance("mnt_a", BY)).unwrap().is_some());
    assert!(wait(store.remove_maintenance("mnt_a", BY)).unwrap().is_none());
    assert_eq!(wait(store.maintenance()).unwrap().len(), 2);
}
