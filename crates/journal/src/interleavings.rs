//! Every interleaving of a ring's writer and reader, with loom, and a kill at every step of a
//! writer: `cargo test --release -p fairgate-journal --features loom --lib interleavings`.
//!
//! Loom tries which stores another thread may see, and when. It does not reorder a load after a
//! later store, so the orderings of `head` (Release after entries were read, Acquire before they
//! are overwritten) are not verified here; everything else is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports errors by panicking")]

use crate::{
    memory::{FATE, Fate, Mapping},
    ring::{DeadRing, Due, Layout, Overflow, Ring, Writer},
    row::Charge,
};
use std::{
    fs::File,
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
};

fn charge(number: u32) -> Charge {
    // Every word of the entry contains its number, so that a mixture of two would be detected.
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

/// Sends and appends, with a kernel that takes all, a part, or nothing. Records completed charges in `done`.
fn history(writer: &mut Writer, done: &mut Vec<u32>) {
    let socket = File::open("/dev/null").unwrap();
    // How much the kernel takes of each send; None: it would block.
    let all = Some(u32::MAX);
    let mut send = |takes: Option<u32>, bytes: &[u8], due: &[(u32, usize)]| {
        FATE.with_borrow_mut(|fate| (fate.takes, fate.taken) = (vec![takes], 0));
        let charges: Vec<Charge> = due.iter().map(|&(number, _)| charge(number)).collect();
        let ends = due.iter().zip(&charges);
        let owed: Vec<Due<'_>> =
            ends.map(|(&(_, end), charge)| Due { end, charge, now_seconds: 0 }).collect();
        let sent = catch_unwind(AssertUnwindSafe(|| writer.send_last(socket.as_fd(), bytes, &owed)));
        let taken = FATE.with_borrow(|fate| fate.taken);
        done.extend(due.iter().filter(|(_, end)| *end <= taken).map(|(number, _)| number));
        match sent {
            Ok(sent) => sent.map_or((0, 0), |sent| (sent.taken, sent.charged)),
            Err(killed) => std::panic::resume_unwind(killed),
        }
    };
    assert_eq!(send(all, ANSWER, &[(1, 6)]), (6, 1));
    assert_eq!(send(None, ANSWER, &[(2, 6)]), (0, 0));
    // The rest is as long as the part that was taken: an old `taken` must not apply to the new message.
    assert_eq!(send(Some(3), ANSWER, &[(2, 6)]), (3, 0));
    assert_eq!(send(all, &ANSWER[3..], &[(2, 3)]), (3, 1));
    assert_eq!(send(Some(2), ANSWER, &[(3, 6)]), (2, 0));
    assert_eq!(send(None, &ANSWER[2..], &[(3, 4)]), (0, 0));
    assert_eq!(send(all, &ANSWER[2..], &[(3, 4)]), (4, 1));
    // A response that is abandoned after a part of it; another one takes its place.
    assert_eq!(send(Some(2), ANSWER, &[(4, 6)]), (2, 0));
    assert_eq!(send(all, &ANSWER[4..], &[(5, 2)]), (2, 1));
    // Several that end in one write, with more bytes after them; then fewer: the old ends must not
    // apply to them.
    assert_eq!(send(all, ANSWER, &[(6, 1), (7, 3), (8, 5)]), (6, 3));
    assert_eq!(send(all, ANSWER, &[(15, 6)]), (6, 1));
    assert_eq!(send(Some(1), ANSWER, &[(9, 2), (10, 4), (11, 6)]), (1, 0));
    assert_eq!(send(Some(4), &ANSWER[1..], &[(9, 1), (10, 3), (11, 5)]), (4, 2));
    assert_eq!(send(None, &ANSWER[5..], &[(11, 1)]), (0, 0));
    assert_eq!(send(all, &ANSWER[5..], &[(11, 1)]), (1, 1));
    // Charges whose end was not reached are dropped, although others were due with them.
    assert_eq!(send(Some(3), ANSWER, &[(12, 4), (13, 5)]), (3, 0));
    assert_eq!(send(all, &ANSWER[3..], &[(14, 3)]), (3, 1));
}

#[test]
fn a_kill_at_any_step_leaves_what_the_kernel_took() {
    let mut kills = 0;
    for steps in 0.. {
        let survived = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let survives = Arc::clone(&survived);
        loom::model(move || {
            let (mapping, layout, ring) = ring(16);
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
    // Each of seventeen sends takes about twelve steps, and one more entry twelve.
    assert!(kills > 200, "{kills}");
}
