//! All counters are read without being changed: of a store that nobody counts in, and beside charges that go on.

use crate::world::{Model, Opened, Rows, World, charge};
use journal::{Journal, Row, Writer};

const NOW: u64 = 1_800_000_000;

fn read(world: &World) -> (Rows, u64) {
    let mut rows = Rows::new();
    let report = journal::read(&world.options, &mut |row: Row, _| {
        rows.insert((row.who, row.tag, row.window), row.units);
    })
    .unwrap();
    (rows, report.from_memory)
}

/// All counters of a journal that goes on charging.
fn written(journal: &mut Journal, writer: &mut Writer) -> Rows {
    journal.want_counters();
    for round in 0..1000 {
        journal.commit(NOW + round).unwrap();
        if let Some(counters) = journal.take_counters() {
            let (mut counters, mut rows) = (counters.unwrap(), Rows::new());
            while let Some((row, _)) = counters.next_row().unwrap() {
                rows.insert((row.who, row.tag, row.window), row.units);
            }
            assert!(journal.take_counters().is_none(), "once");
            return rows;
        }
        writer.append(&charge(9, 1, &[(4, 0)]), NOW + round);
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    panic!("they were never written");
}

#[test]
fn reading_has_what_only_memory_has_and_changes_nothing() {
    let world = World::new(1, 64);
    assert_eq!(read(&world), (Rows::new(), 0));
    assert!(!world.counters().exists(), "nothing is made");
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    writers[0].append(&charge(1, 5, &[(5, 100), (4, 0)]), NOW);
    journal.commit(NOW).unwrap();
    writers[0].append(&charge(1, 2, &[(5, 100)]), NOW);
    let refused = journal::read(&world.options, &mut |_, _| ());
    assert!(matches!(refused, Err(journal::JournalError::InUse { .. })), "{refused:?}");
    drop((journal, writers));
    let mut model = Model::default();
    model.add(&charge(1, 7, &[(5, 100)]));
    model.add(&charge(1, 5, &[(4, 0)]));
    let before = world.files();
    for _ in 0..2 {
        assert_eq!(read(&world), (model.rows(), 1));
    }
    assert_eq!(world.files(), before);
    let Opened { report, rows, .. } = world.open(NOW);
    assert_eq!((rows, report.from_memory), (model.rows(), 1));
}

#[test]
fn counters_are_written_down_beside_charges_that_go_on() {
    let world = World::new(1, 64);
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    assert!(journal.take_counters().is_none(), "nobody asked");
    writers[0].append(&charge(1, 5, &[(5, 100), (4, 0)]), NOW);
    let mut model = Model::default();
    model.add(&charge(1, 5, &[(5, 100), (4, 0)]));
    assert_eq!(written(&mut journal, &mut writers[0]), model.rows());
    // What was charged meanwhile is in the next ones.
    let rows = written(&mut journal, &mut writers[0]);
    assert!(
        rows.len() == 3
            && rows
                .iter()
                .all(|(row, units)| *units > 0 && model.rows().get(row).is_none_or(|known| known == units)),
        "{rows:?}"
    );
}
