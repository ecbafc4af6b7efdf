//! Crashes at any moment: what was charged is there, exactly once.

use crate::world::{Model, Opened, World, charge, has_lost, summary};
use journal::{Charge, Class};
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000;

#[test]
fn a_clean_end_reports_nothing() {
    let world = World::new(2, 64);
    let Opened { mut journal, mut writers, report, rows } = world.open(NOW);
    assert_eq!((report.findings.len(), report.newest, rows.len()), (0, 0, 0));
    writers[0].append(&charge(1, 5, &[(5, 100), (6, 200)]), NOW);
    writers[1].append(&charge(1, 2, &[(5, 100)]), NOW);
    let committed = journal.commit(NOW + 1).unwrap();
    assert_eq!((committed.charges, committed.rows), (2, 2));
    writers[1].append(&charge(2, 1, &[(4, 0)]), NOW + 2);
    drop(writers);
    journal.close(NOW + 3).unwrap();
    assert_eq!(std::fs::read_dir(&world.options.memory).unwrap().count(), 0);

    let Opened { report, rows, .. } = world.open(NOW + 4);
    assert_eq!(summary(&report), "");
    assert_eq!((report.newest, report.from_memory), (NOW + 3, 0));
    let mut model = Model::default();
    model.add(&charge(1, 7, &[(5, 100)]));
    model.add(&charge(1, 5, &[(6, 200)]));
    model.add(&charge(2, 1, &[(4, 0)]));
    assert_eq!(rows, model.rows());
}

#[test]
fn a_crash_is_reported_with_the_number_of_charges_that_came_back() {
    let world = World::new(1, 64);
    let Opened { journal, mut writers, .. } = world.open(NOW);
    for _ in 0..3 {
        writers[0].append(&charge(1, 5, &[(5, 100)]), NOW + 9);
    }
    drop((journal, writers));
    let Opened { report, rows, .. } = world.open(NOW);
    assert_eq!((report.from_memory, report.newest), (3, NOW + 9));
    assert_eq!(summary(&report), "Harmless: 3 charges came back from shared memory.\n");
    assert_eq!(rows.values().sum::<u32>(), 15);
}

#[test]
fn a_second_opening_is_refused() {
    let world = World::new(1, 64);
    let opened = world.open(NOW);
    let error = world.try_open(NOW).err().unwrap();
    assert!(matches!(error, journal::JournalError::InUse { .. }), "{error}");
    drop(opened);
    world.open(NOW);
}

#[test]
fn memory_without_a_place_falls_back_to_the_disk() {
    let mut world = World::new(1, 64);
    world.options.memory = world.root.path().join("nowhere");
    for start in 0..3 {
        let Opened { journal, mut writers, report, rows } = world.open(NOW);
        assert!(summary(&report).contains("is used instead"), "{}", summary(&report));
        assert!(!has_lost(&report), "{}", summary(&report));
        assert_eq!(rows.values().sum::<u32>(), start);
        writers[0].append(&charge(1, 1, &[(5, 100)]), NOW);
        drop((journal, writers));
    }
    // Memory that is available again is used again, and nothing is lost by that.
    world.options.memory = world.root.path().join("memory");
    let Opened { report, rows, .. } = world.open(NOW);
    assert_eq!(rows.values().sum::<u32>(), 3);
    assert!(!has_lost(&report), "{}", summary(&report));
    assert!(!world.counters().join("memory").exists());
}

#[test]
fn a_full_ring_loses_nothing_but_its_protection() {
    let world = World::new(1, 8);
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    for sent in 0..20 {
        assert_eq!(writers[0].is_full(), sent >= 7);
        writers[0].append(&charge(1, 1, &[(5, 100)]), NOW);
    }
    let committed = journal.commit(NOW).unwrap();
    assert_eq!((committed.charges, committed.unprotected), (20, 12));
    assert!(!writers[0].is_full());
    drop((journal, writers));
    assert_eq!(world.open(NOW).rows.values().sum::<u32>(), 20);
}

#[test]
fn relieved_charges_are_written_by_the_next_commit_and_missed_by_a_crash_before_it() {
    for commit in [true, false] {
        let world = World::new(1, 8);
        let Opened { mut journal, mut writers, .. } = world.open(NOW);
        writers[0].append(&charge(1, 1, &[(5, 100)]), NOW);
        journal.commit(NOW).unwrap();
        for _ in 0..7 {
            writers[0].append(&charge(1, 1, &[(5, 100)]), NOW);
        }
        journal.relieve();
        assert!(!writers[0].is_full());
        writers[0].append(&charge(1, 1, &[(5, 100)]), NOW);
        if commit {
            journal.commit(NOW).unwrap();
        }
        drop((journal, writers));
        let Opened { report, rows, .. } = world.open(NOW);
        assert_eq!(rows.values().sum::<u32>(), if commit { 9 } else { 2 });
        assert_eq!(summary(&report).contains("7 charges were held in ordinary memory"), !commit);
    }
}

#[test]
fn old_rows_are_dropped_by_their_class() {
    let day = 86_400;
    let world = World::new(1, 64);
    let tags = [4, 5, 6, 7];
    let start = |at: u64, windows: u32| {
        let Opened { mut journal, mut writers, rows, .. } = world.open(at);
        for tag in tags {
            writers[0].append(&charge(u64::from(windows), 1, &[(tag, windows)]), at);
        }
        journal.commit(at).unwrap();
        drop(writers);
        journal.close(at).unwrap();
        rows
    };
    start(NOW, 1);
    start(NOW + 31 * day, 2);
    let classes = |rows: &crate::world::Rows, window| {
        let found = rows.keys().filter(|key| key.2 == window).map(|key| Class::of(key.1));
        found.collect::<Vec<_>>()
    };
    // The last write defines the age of a row, so the rate's first window is over now.
    let rows = start(NOW + 31 * day, 2);
    assert_eq!(classes(&rows, 1), [Class::Lifetime, Class::Calendar, Class::Rolling]);
    start(NOW + 62 * day, 3);
    let rows = start(NOW + 62 * day, 3);
    assert_eq!(classes(&rows, 1), [Class::Lifetime]);
    assert_eq!(classes(&rows, 2), [Class::Lifetime, Class::Calendar, Class::Rolling]);
}

#[test]
fn a_journal_that_has_grown_is_compacted_beside_the_commits() {
    use journal::Compacting;
    let world = World::new(1, 1 << 16);
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    let mut add = |numbers: u64, window: u32| {
        for number in 0..numbers {
            writers[0].append(&charge(number, 1, &[(0, window)]), NOW);
        }
    };
    // 60,000 rows a commit are 1.7 MB of journal, and ten of them more than it may have.
    let (mut sum, mut news) = (0, Vec::new());
    for round in 0..20 {
        add(60_000, round % 2);
        sum += 60_000;
        news = journal.commit(NOW).unwrap().compaction;
        if !news.is_empty() {
            assert_eq!(round, 9);
            break;
        }
    }
    assert_eq!(news, [Compacting::Begun]);
    // Commits continue meanwhile, each in a moment.
    loop {
        add(1, 2);
        sum += 1;
        news = journal.commit(NOW).unwrap().compaction;
        if !news.is_empty() {
            break;
        }
        // On a very fast disk, so many of them would make the next journal too large before this is done.
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    let rows = 120_000 * 32;
    let is_of_rows = |length: u64| length > rows && length < rows + rows / 100;
    assert!(matches!(news[..], [Compacting::Done(length)] if is_of_rows(length)), "{news:?}");
    drop((journal, writers));
    let Opened { report, rows, .. } = world.open(NOW);
    assert_eq!(rows.values().sum::<u32>(), sum);
    assert!(!has_lost(&report), "{}", summary(&report));
    let names: Vec<String> = world.files().into_keys().collect();
    assert_eq!(names, ["checkpoint-2", "journal-1", "journal-2", "lock"]);
}

/// What happens in a history.
#[derive(Debug, Clone)]
enum Step {
    Charge {
        writer: usize,
        charge: Charge,
    },
    Commit,
    Compact,
    /// Everything is dropped without a last commit.
    Crash,
    /// The same, and shared memory with it.
    PowerCut,
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let counters = prop::collection::vec((0_u32..8, 90_u32..120), 0..5);
    let charges = (0_usize..3, 0_u64..4, 0_u32..5, counters).prop_map(|(writer, who, units, counters)| {
        Step::Charge { writer, charge: charge(who, units, &counters) }
    });
    let step = prop_oneof![
        20 => charges,
        4 => Just(Step::Commit),
        1 => Just(Step::Compact),
        2 => Just(Step::Crash),
        1 => Just(Step::PowerCut),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").map_or(64, |cases| cases.parse().unwrap()), ..ProptestConfig::default() })]

    #[test]
    fn every_charge_is_there_exactly_once(steps in steps()) {
        // Small rings, so that they are full now and then; a crash would lose what is beyond them.
        let world = World::new(3, 128);
        let mut opened = world.open(NOW);
        let (mut model, mut on_disk) = (Model::default(), Model::default());
        for (index, step) in steps.into_iter().enumerate() {
            let now = NOW + index as u64;
            match step {
                Step::Charge { writer, charge } => {
                    opened.writers[writer].append(&charge, now);
                    model.add(&charge);
                    continue;
                }
                Step::Commit => {
                    opened.journal.commit(now).unwrap();
                    on_disk = model.clone();
                    continue;
                }
                Step::Compact => {
                    opened.journal.compact_now(now).unwrap();
                    on_disk = model.clone();
                    continue;
                }
                Step::Crash => drop(opened),
                Step::PowerCut => {
                    drop(opened);
                    world.lose_memory();
                    model = on_disk.clone();
                }
                Step::Close => {
                    drop(opened.writers);
                    opened.journal.close(now).unwrap();
                }
            }
            on_disk = model.clone();
            opened = world.open(now);
            prop_assert_eq!(&opened.rows, &model.rows(), "{}", summary(&opened.report));
        }
        drop(opened);
        let rows = world.open(NOW + 100).rows;
        prop_assert_eq!(rows, model.rows());
    }
}
