//! Every interleaving of a ring's writer and reader, by loom, and a kill at every step of a writer:
//! `cargo test --release -p fairgate-journal --features loom --lib interleavings`.
//!
//! Loom tries what stores another thread may see, and when. It does not move a load behind a later store,
//! so that the pair of `head` (Release when entries were read, Acquire before they are written over) is
//! not held to its orderings here; everything else is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test; a panic is how a fault is told")]

use crate::{
    memory::{FATE, Fate, Mapping},
    ring::{DeadRing, Layout, Overflow, Ring, Writer},
    row::Charge,
};
use std::{
    fs::File,
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
};

fn charge(number: u32) -> Charge {
    // Every word of the entry tells its number, so that a mixture of two would be seen.
    let mut charge = Charge::new([u8::try_from(number).unwrap(); 16], number);
    assert!(charge.push(number, number));
    charge
}

fn ring(entries: usize) -> (Arc<Mapping>, Layout, Ring) {
    let layout = Layout { rings: 1, entries };
    let mapping = Arc::new(Mapping::of(layout.length() / 8));
    let ring = Ring::new(&mapping, layout, 0).unwrap();
    (mapping, layout, ring)
}

#[test]
fn the_reader_sees_whole_entries_each_once_and_in_order() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (_, _, reader) = ring(2);
        let overflow = Arc::new(Overflow::new());
        let mut writer = Writer::new(reader.clone(), Arc::clone(&overflow));
        let thread = loom::thread::spawn(move || {
            for number in 1..=3 {
                writer.append(&charge(number), u64::from(number));
            }
        });
        let (mut taken, mut seen) = (0, Vec::new());
        let mut take = |seen: &mut Vec<u32>| {
            let tail = reader.tail();
            for position in taken..tail {
                let entry = reader.read(position).unwrap();
                let number = entry.charge.units;
                assert_eq!((entry.charge, entry.second), (charge(number), u64::from(number)));
                seen.push(number);
            }
            taken = tail;
            reader.free(tail);
        };
        take(&mut seen);
        take(&mut seen);
        thread.join().unwrap();
        take(&mut seen);
        assert!(seen.is_sorted());
        while let Some(entry) = overflow.pop() {
            seen.push(entry.charge.units);
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3]);
    });
}

const ANSWER: &[u8] = b"answer";

/// Sends and appends, with a kernel that takes all, a part, or nothing. Tells `done` what is certain.
fn history(writer: &mut Writer, done: &mut Vec<u32>) {
    let socket = File::open("/dev/null").unwrap();
    let all = Some(u32::MAX);
    // What the kernel does, from behind: whole; blocks; a part, then as long a rest; a part, blocks, the rest.
    let takes = vec![all, Some(2), all, None, Some(2), all, Some(3), None, all];
    FATE.with_borrow_mut(|fate| fate.takes = takes);
    let mut send = |writer: &mut Writer, number: u32, bytes: &[u8]| {
        let before = FATE.with_borrow(|fate| fate.taken);
        let sent =
            catch_unwind(AssertUnwindSafe(|| writer.send_last(socket.as_fd(), bytes, &charge(number), 0)));
        if FATE.with_borrow(|fate| fate.taken) - before == bytes.len() {
            done.push(number);
        }
        match sent {
            Ok(sent) => sent.unwrap_or(0),
            Err(killed) => std::panic::resume_unwind(killed),
        }
    };
    assert_eq!(send(writer, 1, ANSWER), 6);
    assert_eq!(send(writer, 2, ANSWER), 0);
    // The rest is as long as the part that was taken: an old note must not speak for the new message.
    assert_eq!(send(writer, 2, ANSWER), 3);
    assert_eq!(send(writer, 2, &ANSWER[3..]), 3);
    assert_eq!(send(writer, 3, ANSWER), 2);
    assert_eq!(send(writer, 3, &ANSWER[2..]), 0);
    assert_eq!(send(writer, 3, &ANSWER[2..]), 4);
    // An answer that is given up after a part of it; another one takes its place.
    assert_eq!(send(writer, 4, ANSWER), 2);
    assert_eq!(send(writer, 5, &ANSWER[4..]), 2);
}

#[test]
fn a_kill_at_any_step_leaves_what_the_kernel_took() {
    let mut kills = 0;
    for steps in 0.. {
        let survived = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let survives = Arc::clone(&survived);
        loom::model(move || {
            let (mapping, layout, ring) = ring(4);
            let mut writer = Writer::new(ring, Arc::new(Overflow::new()));
            let mut done = Vec::new();
            FATE.set(Fate { steps: Some(steps), ..Fate::default() });
            let killed = catch_unwind(AssertUnwindSafe(|| history(&mut writer, &mut done))).is_err();
            FATE.set(Fate::default());
            survives.store(!killed, Ordering::Relaxed);
            let words = mapping.words().iter().map(|word| word.load(Ordering::SeqCst).to_ne_bytes());
            let words: Vec<[u8; 8]> = words.collect();
            let dead = DeadRing::new(&words, layout, 0).unwrap();
            let found: Vec<u32> =
                (dead.head..dead.tail).map(|position| dead.read(position).unwrap().charge.units).collect();
            assert_eq!(found, done, "killed before step {steps}");
        });
        if survived.load(Ordering::Relaxed) {
            break;
        }
        kills += 1;
    }
    // Each of nine sends takes about ten steps.
    assert!(kills > 70, "{kills}");
}
