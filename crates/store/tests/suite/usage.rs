//! Usage adds up by minute, hour and day, for every query; old rows are dropped.

use super::{Home, fresh};
use proptest::{
    collection::vec,
    option,
    sample::select,
    test_runner::{Config, TestRunner},
};
use std::{collections::BTreeMap, ops::Range, sync::Arc};
use store::{UsageCell, UsageEntry, UsageQuery, UsageRow, UsageStore, Whose, wait};
use usage::{Grain, Retention, Sample, Tally};

const DAY: u64 = 86_400;
pub const KEEP: Retention = Retention { minutes: 2 * DAY, hours: 60 * DAY, days: 800 * DAY };
const MINUTES_OF_A_DAY: u32 = 1440;
/// The minute in which 2026-11-23 begins.
pub const BEGIN: u32 = 20_780 * MINUTES_OF_A_DAY;

pub fn tally(requests: u32, code: Option<&str>) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..requests {
        tally.add(&Sample { code, charged: 2, bytes_in: 3, bytes_out: 100, micros: 700 });
    }
    tally
}

pub fn entry(key_id: Option<&str>, endpoint: Option<&str>, minute: u32, requests: u32) -> UsageEntry {
    let tally = tally(requests, key_id.is_none().then_some("KEY_NOT_SET"));
    UsageEntry { key_id: key_id.map(str::to_owned), endpoint: endpoint.map(str::to_owned), minute, tally }
}

/// All rows, read in small pages.
pub fn rows(store: &impl UsageStore, whose: &Whose, grain: Grain, buckets: Range<u32>) -> Vec<UsageRow> {
    let mut query = UsageQuery { whose: whose.clone(), grain, buckets };
    let mut all = vec![];
    loop {
        let page = wait(store.usage(&query, 3)).unwrap();
        all.extend(page.rows);
        let Some(next) = page.next else { return all };
        assert!(next > query.buckets.start);
        query.buckets.start = next;
    }
}

fn requests(rows: &[UsageRow]) -> Vec<(u32, Option<&str>, u64)> {
    rows.iter().map(|row| (row.bucket, row.endpoint.as_deref(), row.tally.requests())).collect()
}

pub fn nothing_was_used_yet<H: Home>() {
    let (_home, store) = fresh::<H>();
    assert_eq!(rows(&store, &Whose::Everyone, Grain::Day, 0..u32::MAX), []);
    wait(store.add_usage(Arc::from([]), KEEP)).unwrap();
}

pub fn a_key_sees_its_own_and_everyone_sees_all_also_after_a_restart<H: Home>() {
    let (home, store) = fresh::<H>();
    let key = || Whose::Key("key_a".into());
    let entries = [
        entry(Some("key_a"), Some("GET /items"), BEGIN, 1),
        entry(Some("key_a"), Some("GET /items"), BEGIN + 1, 2),
        entry(Some("key_b"), Some("GET /items"), BEGIN, 4),
        entry(None, None, BEGIN + 59, 8),
    ];
    wait(store.add_usage(Arc::from(entries), KEEP)).unwrap();
    wait(store.add_usage(Arc::from([entry(Some("key_a"), Some("GET /items"), BEGIN, 16)]), KEEP)).unwrap();
    let store = home.again(store);
    let all = 0..u32::MAX;
    let items = Some("GET /items");
    assert_eq!(
        requests(&rows(&store, &key(), Grain::Minute, all.clone())),
        [(BEGIN, items, 17), (BEGIN + 1, items, 2)]
    );
    assert_eq!(requests(&rows(&store, &key(), Grain::Hour, all.clone())), [(BEGIN / 60, items, 19)]);
    let nobody = rows(&store, &Whose::Nobody, Grain::Day, all.clone());
    assert_eq!(requests(&nobody), [(20_780, None, 8)]);
    assert_eq!(nobody[0].tally.codes().collect::<Vec<_>>(), [("KEY_NOT_SET", 8)]);
    let everyone = rows(&store, &Whose::Everyone, Grain::Day, all.clone());
    assert_eq!(requests(&everyone), [(20_780, None, 8), (20_780, items, 23)]);
    assert_eq!(requests(&rows(&store, &key(), Grain::Minute, BEGIN + 1..BEGIN + 2)), [(BEGIN + 1, items, 2)]);
    assert_eq!(rows(&store, &Whose::Key("key_".into()), Grain::Day, all), []);
}

pub fn what_is_older_than_it_is_kept_goes_grain_by_grain<H: Home>() {
    let (_home, store) = fresh::<H>();
    let at = |days: u32| entry(Some("key_a"), None, BEGIN + days * MINUTES_OF_A_DAY, 1);
    let count = |grain| rows(&store, &Whose::Everyone, grain, 0..u32::MAX).len();
    for days in [0, 1, 2] {
        wait(store.add_usage(Arc::from([at(days)]), KEEP)).unwrap();
    }
    assert_eq!((count(Grain::Minute), count(Grain::Hour), count(Grain::Day)), (3, 3, 3));
    wait(store.add_usage(Arc::from([at(3)]), KEEP)).unwrap();
    assert_eq!((count(Grain::Minute), count(Grain::Hour), count(Grain::Day)), (3, 4, 4));
    wait(store.add_usage(Arc::from([at(75)]), KEEP)).unwrap();
    assert_eq!((count(Grain::Minute), count(Grain::Hour), count(Grain::Day)), (1, 1, 5));
    // A late batch must not bring back dropped rows.
    wait(store.add_usage(Arc::from([at(75), at(0)]), KEEP)).unwrap();
    assert_eq!((count(Grain::Minute), count(Grain::Hour), count(Grain::Day)), (1, 1, 5));
    wait(store.add_usage(Arc::from([at(1000)]), KEEP)).unwrap();
    assert_eq!((count(Grain::Minute), count(Grain::Hour), count(Grain::Day)), (1, 1, 1));
}

/// Requests of a key, if any, to an endpoint, if any, so many minutes after the start.
type Used = (Option<&'static str>, Option<&'static str>, u32, u32);

pub fn batches_add_up_to_a_model<H: Home>() {
    let used = (
        option::of(select(&["key_a", "key_b"][..])),
        option::of(select(&["GET /items", "POST /items"][..])),
        0..3 * MINUTES_OF_A_DAY,
        1..4_u32,
    );
    let home = H::new();
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let run = |batches| {
        adds_up_to_a_model(&home.make(), batches);
        Ok(())
    };
    TestRunner::new(config).run(&vec(vec(used, 0..12), 1..5), run).unwrap();
}

fn adds_up_to_a_model(store: &impl UsageStore, batches: Vec<Vec<Used>>) {
    let keep = Retention { minutes: 10 * DAY, ..KEEP };
    let whose = [Whose::Everyone, Whose::Nobody, Whose::Key("key_a".into()), Whose::Key("key_b".into())];
    let mut model: BTreeMap<(usize, Grain, u32, Option<String>), Tally> = BTreeMap::new();
    for batch in batches {
        let entries: Vec<_> = batch
            .into_iter()
            .map(|(key, endpoint, minute, count)| entry(key, endpoint, BEGIN + minute, count))
            .collect();
        wait(store.add_usage(entries.clone().into(), keep)).unwrap();
        for entry in &entries {
            let own = match entry.key_id.as_deref() {
                None => 1,
                Some("key_a") => 2,
                Some(_) => 3,
            };
            for (whose, grain) in
                [0, own].into_iter().flat_map(|whose| Grain::ALL.map(|grain| (whose, grain)))
            {
                let bucket = grain.bucket(Grain::Minute.start(entry.minute));
                model.entry((whose, grain, bucket, entry.endpoint.clone())).or_default().merge(&entry.tally);
            }
        }
    }
    for (number, whose) in whose.iter().enumerate() {
        for grain in Grain::ALL {
            let found: Vec<_> = rows(store, whose, grain, 0..u32::MAX);
            let expected: Vec<_> = model
                .range((number, grain, 0, None)..(number, grain, u32::MAX, None))
                .map(|((.., bucket, endpoint), tally)| UsageRow {
                    bucket: *bucket,
                    endpoint: endpoint.clone(),
                    tally: tally.clone(),
                })
                .collect();
            assert_eq!(found, expected);
        }
    }
}

fn cells(store: &impl UsageStore) -> Vec<UsageCell> {
    let (mut all, mut after) = (vec![], None);
    loop {
        let page = wait(store.usage_after(after, 3)).unwrap();
        let Some(last) = page.last() else { return all };
        after = Some(last.place.clone());
        all.extend(page);
    }
}

pub fn all_tallies_can_be_put_into_another_store_and_twice_is_once<H: Home>() {
    let (_home, from) = fresh::<H>();
    let (home, into) = fresh::<H>();
    assert_eq!(cells(&from), []);
    let entries = [
        entry(Some("key_a"), Some("GET /items"), BEGIN, 1),
        entry(Some("key_b"), None, BEGIN + 70, 2),
        entry(None, Some("GET /items"), BEGIN + MINUTES_OF_A_DAY, 3),
    ];
    wait(from.add_usage(Arc::from(entries), KEEP)).unwrap();
    let all = cells(&from);
    // Each grain has each entry, of its owner and of everyone.
    assert_eq!(all.len(), 3 * 3 * 2);
    for _ in 0..2 {
        wait(into.put_usage(all.clone())).unwrap();
    }
    wait(into.put_usage(vec![])).unwrap();
    let into = home.again(into);
    assert_eq!(cells(&into), all);
    // Where there is more already, that stays.
    wait(into.add_usage(Arc::from([entry(Some("key_a"), Some("GET /items"), BEGIN, 5)]), KEEP)).unwrap();
    wait(into.put_usage(all)).unwrap();
    let days = BEGIN / MINUTES_OF_A_DAY..u32::MAX;
    assert_eq!(
        requests(&rows(&into, &Whose::Key("key_a".into()), Grain::Day, days)),
        [(BEGIN / MINUTES_OF_A_DAY, Some("GET /items"), 6)]
    );
}
