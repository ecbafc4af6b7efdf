//! Damaged files: every loss is reported, what is not reported is correct.

use crate::world::{Model, Opened, Rows, World, charge, has_lost, summary};
use journal::JournalError;
use proptest::prelude::*;
use std::{collections::BTreeMap, fs};

const NOW: u64 = 1_800_000_000;

type Files = BTreeMap<String, Vec<u8>>;

/// A closed store of two generations: each commit of the journal is about a counter of its own.
fn closed_store(world: &World) -> (Files, Rows) {
    let mut model = Model::default();
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    let mut add = |writers: &mut [journal::Writer], number: u64| {
        let one = charge(number, 3, &[(5, 1), (6, 2)]);
        writers[0].append(&one, NOW);
        model.add(&one);
    };
    for number in 0..3 {
        add(&mut writers, number);
        journal.commit(NOW).unwrap();
    }
    journal.compact_now(NOW).unwrap();
    for number in 2..6 {
        add(&mut writers, number);
        journal.commit(NOW + 1).unwrap();
    }
    drop(writers);
    journal.close(NOW + 2).unwrap();
    let mut files = world.files();
    files.remove("lock");
    assert_eq!(
        files.keys().map(String::as_str).collect::<Vec<_>>(),
        ["checkpoint-2", "journal-1", "journal-2"]
    );
    (files, model.rows())
}

/// Every row is correct, or lower and reported; none is higher than what was charged.
fn never_silently_wrong(opened: &Opened, truth: &Rows, what: &str) {
    for (key, units) in &opened.rows {
        assert!(truth.get(key).is_some_and(|true_units| units <= true_units), "{what}: {key:?} has {units}");
    }
    if &opened.rows != truth {
        assert!(has_lost(&opened.report), "{what}: lost without a report\n{}", summary(&opened.report));
    }
}

#[test]
fn every_byte_flipped_in_turn() {
    let world = World::new(1, 64);
    let (files, truth) = closed_store(&world);
    let (mut whole, mut less, mut refused) = (0, 0, 0);
    for (name, bytes) in &files {
        for at in 0..bytes.len() {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            world.put_back(&damaged);
            let what = format!("{name}, byte {at}");
            match world.try_open(NOW + 3) {
                Ok(opened) => {
                    never_silently_wrong(&opened, &truth, &what);
                    if opened.rows == truth {
                        whole += 1;
                        // A damaged checkpoint costs nothing while the journals before it are there.
                        assert!(
                            name != "checkpoint-2" || summary(&opened.report).contains("nothing is lost"),
                            "{what}"
                        );
                    } else {
                        less += 1;
                        assert!(name == "journal-2", "{what}");
                        // A block holds one commit: that of one counter, in two rows.
                        let missing = truth.iter().filter(|(key, units)| opened.rows.get(key) != Some(units));
                        assert!(missing.count() <= 2, "{what}");
                    }
                    if has_lost(&opened.report) || name == "checkpoint-2" {
                        let kept = fs::read(world.counters().join(format!("damaged-{name}"))).unwrap();
                        assert_eq!(&kept, &damaged[name], "{what}");
                    }
                }
                Err(error) => {
                    refused += 1;
                    assert!(matches!(error, JournalError::NothingGood { .. }), "{what}: {error}");
                }
            }
        }
    }
    println!("whole {whole}, less and reported {less}, refused {refused}");
    assert!(whole > 0 && less > 0 && refused == 0);
}

#[test]
fn a_damaged_checkpoint_costs_nothing_in_later_generations_too() {
    let world = World::new(1, 64);
    let mut model = Model::default();
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    for number in 0..8 {
        let one = charge(number, 3, &[(5, 1), (6, 2)]);
        writers[0].append(&one, NOW);
        model.add(&one);
        if number % 2 == 1 {
            journal.compact_now(NOW).unwrap();
        }
    }
    drop(writers);
    journal.close(NOW).unwrap();
    let names: Vec<String> = world.files().into_keys().collect();
    assert_eq!(names, ["checkpoint-4", "checkpoint-5", "journal-4", "journal-5", "lock"]);
    let mut files = world.files();
    files.get_mut("checkpoint-5").unwrap()[300] ^= 1;
    world.put_back(&files);
    let Opened { mut journal, writers, report, rows } = world.open(NOW);
    assert_eq!(rows, model.rows());
    let text = summary(&report);
    assert!(text.contains("checkpoint-5 is damaged at offset 64.") && !has_lost(&report), "{text}");
    // The repair has its own generation, and the next start reports nothing.
    journal.compact_now(NOW).unwrap();
    drop(writers);
    journal.close(NOW).unwrap();
    assert_eq!(world.files()["damaged-checkpoint-5"], files["checkpoint-5"]);
    let opened = world.open(NOW);
    assert_eq!((summary(&opened.report).as_str(), opened.rows), ("", model.rows()));
    drop((opened.journal, opened.writers));
    // With both checkpoints damaged nothing complete is left, and that is reported.
    let mut files = world.files();
    for name in ["checkpoint-4", "checkpoint-6"] {
        files.get_mut(name).unwrap()[300] ^= 1;
    }
    world.put_back(&files);
    let text = world.try_open(NOW).err().unwrap().to_string();
    assert!(text.contains("checkpoint-6 is damaged") && text.contains("checkpoint-4 is damaged"), "{text}");
}

#[test]
fn every_length_cut_off() {
    let world = World::new(1, 64);
    let (files, truth) = closed_store(&world);
    for (name, bytes) in &files {
        for length in 0..bytes.len() {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap().truncate(length);
            world.put_back(&damaged);
            let what = format!("{name}, {length} of {} bytes", bytes.len());
            let opened = world.try_open(NOW + 3).unwrap_or_else(|error| panic!("{what}: {error}"));
            never_silently_wrong(&opened, &truth, &what);
        }
    }
}

#[test]
fn every_file_missing_in_turn() {
    let world = World::new(1, 64);
    let (files, truth) = closed_store(&world);
    for name in files.keys() {
        let mut damaged = files.clone();
        damaged.remove(name);
        world.put_back(&damaged);
        let opened = world.open(NOW + 3);
        never_silently_wrong(&opened, &truth, name);
        assert_eq!(opened.rows == truth, name != "journal-2", "{name}");
    }
}

#[test]
fn without_any_whole_state_it_does_not_start() {
    let world = World::new(1, 64);
    let (mut files, _) = closed_store(&world);
    files.remove("journal-1");
    files.get_mut("checkpoint-2").unwrap()[200] ^= 1;
    world.put_back(&files);
    let error = world.try_open(NOW).err().unwrap();
    let text = error.to_string();
    assert!(matches!(error, JournalError::NothingGood { .. }), "{text}");
    assert!(text.contains("checkpoint-2 is damaged") && text.contains("move this folder away"), "{text}");
    // It stays that way: an attempt to start changes nothing.
    assert!(world.try_open(NOW).is_err());
    files.remove("checkpoint-2");
    world.put_back(&files);
    let text = world.try_open(NOW).err().unwrap().to_string();
    assert!(text.contains("checkpoint-2 and those before it are missing"), "{text}");
    // Manually, on purpose.
    fs::rename(world.counters(), world.root.path().join("away")).unwrap();
    assert_eq!(world.open(NOW).rows.len(), 0);
}

#[test]
fn a_damaged_block_is_repaired_once_and_reported_once() {
    let world = World::new(1, 64);
    let (mut files, truth) = closed_store(&world);
    let journal = files.get_mut("journal-2").unwrap();
    // Into the rows of the first commit of this journal: its head, the epoch block, the block's head.
    let at = 64 + (64 + 8 + 48) + 64 + 8 + 20;
    journal[at] ^= 1;
    world.put_back(&files);
    let Opened { mut journal, writers, report, rows } = world.open(NOW + 3);
    let text = summary(&report);
    assert!(
        text.contains(
            "journal-2 is damaged: the 128 bytes at offset 184 held 2 rows, written at Unix second 1800000001"
        ),
        "{text}"
    );
    assert_eq!(rows.values().sum::<u32>(), truth.values().sum::<u32>() - 6);
    journal.compact_now(NOW + 4).unwrap();
    drop(writers);
    journal.close(NOW + 5).unwrap();
    let again = world.open(NOW + 6);
    assert_eq!((summary(&again.report).as_str(), again.rows), ("", rows));
    assert_eq!(world.files()["damaged-journal-2"], files["journal-2"]);
}

#[test]
fn a_write_that_was_torn_by_a_kill_comes_back_from_memory() {
    // A commit of many blocks, of which the disk has each possible part.
    let world = World::new(1, 8192);
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    let mut model = Model::default();
    let mut add = |writers: &mut [journal::Writer], number: u64| {
        let one = charge(number, 1, &[(0, 0)]);
        writers[0].append(&one, NOW);
        model.add(&one);
    };
    for number in 0..6000 {
        add(&mut writers, number);
    }
    let before = world.files()["journal-1"].len();
    let memory = fs::read_dir(&world.options.memory).unwrap().next().unwrap().unwrap().path();
    let image = fs::read(&memory).unwrap();
    assert_eq!(journal.commit(NOW).unwrap().rows, 6000);
    drop((journal, writers));
    let files = world.files();
    let whole = files["journal-1"].len();
    for length in (before..=whole).step_by(9_001).chain([whole - 1, whole]) {
        let mut torn = files.clone();
        torn.get_mut("journal-1").unwrap().truncate(length);
        world.put_back(&torn);
        fs::write(&memory, &image).unwrap();
        let opened = world.open(NOW);
        assert_eq!(opened.rows, model.rows(), "{length} of {whole}: {}", summary(&opened.report));
        assert!(!has_lost(&opened.report), "{length} of {whole}: {}", summary(&opened.report));
        drop(opened);
        // And the repair lasts.
        let opened = world.open(NOW);
        assert_eq!(opened.rows, model.rows(), "{length} of {whole}, again");
        drop(opened);
        // The same in a power cut: no counter is above what was charged, and the loss is reported.
        world.put_back(&torn);
        world.lose_memory();
        let opened = world.open(NOW);
        never_silently_wrong(&opened, &model.rows(), &format!("{length} of {whole}, power cut"));
        let rows = opened.rows.clone();
        drop(opened);
        assert_eq!(world.open(NOW).rows, rows);
    }
}

#[test]
fn memory_of_another_start_is_not_used() {
    let world = World::new(1, 64);
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    writers[0].append(&charge(1, 1, &[(5, 1)]), NOW);
    journal.commit(NOW).unwrap();
    writers[0].append(&charge(1, 1, &[(5, 1)]), NOW);
    drop((journal, writers));
    let files = world.files();
    let memory = fs::read_dir(&world.options.memory).unwrap().next().unwrap().unwrap().path();
    let image = fs::read(&memory).unwrap();
    // Magic, rings, entries, epoch, boot id, store id, id of the start.
    for (at, reported) in [
        (0, "head"),
        (12, "head"),
        (16, "head"),
        (24, "of start"),
        (32, "of start"),
        (48, "of start"),
        (64, "of start"),
    ] {
        world.put_back(&files);
        let mut other = image.clone();
        other[at] ^= 1;
        fs::write(&memory, other).unwrap();
        let opened = world.open(NOW);
        assert!(
            has_lost(&opened.report) && summary(&opened.report).contains(reported),
            "{at}: {}",
            summary(&opened.report)
        );
        assert_eq!(opened.rows.values().sum::<u32>(), 1, "{at}");
    }
    // An older format cannot be read.
    world.put_back(&files);
    let mut older = image.clone();
    older[8] = 1;
    fs::write(&memory, older).unwrap();
    assert!(has_lost(&world.open(NOW).report));
    // A newer format cannot be judged.
    world.put_back(&files);
    let mut newer = image.clone();
    newer[8] = 3;
    fs::write(&memory, newer).unwrap();
    assert!(matches!(world.try_open(NOW).err().unwrap(), JournalError::Newer { found: 3, known: 2, .. }));
    fs::write(&memory, image).unwrap();
    assert_eq!(world.open(NOW).rows.values().sum::<u32>(), 2);
}

#[test]
fn a_link_in_place_of_the_memory_is_not_followed() {
    let world = World::new(1, 64);
    drop(world.open(NOW));
    let memory = fs::read_dir(&world.options.memory).unwrap().next().unwrap().unwrap().path();
    let victim = world.root.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    fs::remove_file(&memory).unwrap();
    std::os::unix::fs::symlink(&victim, &memory).unwrap();
    let opened = world.open(NOW);
    assert!(summary(&opened.report).contains("is used instead"), "{}", summary(&opened.report));
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

/// What an attacker does to a file.
#[derive(Debug, Clone)]
enum Harm {
    Overwrite(Vec<u8>),
    Remove(usize),
    /// A copy of these bytes behind them.
    Twice(usize),
    Zeros(usize),
    /// The end of the file goes before it.
    Turn,
    Away,
}

fn harms() -> impl Strategy<Value = Vec<(usize, prop::sample::Index, Harm)>> {
    let blocks = [60, 64, 120, 128, 184, 256];
    let lengths = prop_oneof![1_usize..200, prop::sample::select(blocks.to_vec())];
    let harm = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..100).prop_map(Harm::Overwrite),
        lengths.clone().prop_map(Harm::Remove),
        lengths.clone().prop_map(Harm::Twice),
        lengths.prop_map(Harm::Zeros),
        Just(Harm::Turn),
        Just(Harm::Away),
    ];
    prop::collection::vec((0_usize..3, any::<prop::sample::Index>(), harm), 1..4)
}

fn harm(bytes: &mut Vec<u8>, at: &prop::sample::Index, harm: Harm) {
    if bytes.is_empty() {
        return;
    }
    // Often where something begins: files are made of 8-byte fields.
    let at = at.index(bytes.len()) / 8 * 8;
    let end = |length: usize| (at + length).min(bytes.len());
    match harm {
        Harm::Overwrite(new) => {
            let end = end(new.len());
            bytes[at..end].copy_from_slice(&new[..end - at]);
        }
        Harm::Remove(length) => drop(bytes.drain(at..end(length))),
        Harm::Twice(length) => {
            let copy = bytes[at..end(length)].to_vec();
            let behind = end(length);
            bytes.splice(behind..behind, copy);
        }
        Harm::Zeros(length) => drop(bytes.splice(at..at, vec![0; length])),
        Harm::Turn => bytes.rotate_left(at),
        Harm::Away => bytes.clear(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(100, |cases| cases.parse().unwrap()),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_harm_is_silently_wrong(harms in harms()) {
        let world = World::new(1, 64);
        let (mut files, truth) = closed_store(&world);
        let names: Vec<String> = files.keys().cloned().collect();
        let what = format!("{harms:?}");
        for (file, at, one) in harms {
            harm(files.get_mut(&names[file]).unwrap(), &at, one);
        }
        world.put_back(&files);
        let rows = match world.try_open(NOW + 3) {
            Ok(opened) => {
                never_silently_wrong(&opened, &truth, &what);
                opened.rows
            }
            Err(error) => {
                prop_assert!(matches!(error, JournalError::NothingGood { .. }), "{}: {}", what, error);
                return Ok(());
            }
        };
        // What was used once is used again, and nothing more.
        prop_assert_eq!(world.open(NOW + 4).rows, rows);
    }
}
