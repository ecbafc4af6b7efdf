//! The order of what is written, synced, named and removed: a process is killed, or the power cut, before each such
//! call.

use crate::{
    power_cut::{cut_power, forgetful_disk},
    world::{Opened, World, charge, summary},
};
use journal::Report;
use std::{
    env, fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Command,
};

const NOW: u64 = 1_800_000_000;
/// Set for the child: the folders of its world.
const CHILD: &str = "JOURNAL_TEST_EVERY_CALL";
/// Of its world: how many units were charged, and how many of them were promised to survive a power cut.
const PROGRESS: &str = "progress";
/// More calls than there are.
const MOST: usize = 200;

/// Not a test of its own: the process that ends before a call.
#[test]
fn child_that_ends_before_a_call() {
    let Ok(root) = env::var(CHILD) else { return };
    let root = PathBuf::from(root);
    let mut options = journal::Options::new(root.join("store"), 1);
    options.memory = root.join("memory");
    options.ring_entries = 64;
    let mut charged = 0;
    let record = |charged: u32, promised: u32| {
        fs::write(root.join(PROGRESS), format!("{charged} {promised}")).unwrap();
    };
    let (mut journal, mut writers, _) = journal::open(&options, NOW, &mut |_, _| {}).unwrap();
    let mut add = || {
        for number in 0..10 {
            writers[0].append(&charge(number, 1, &[(0, 0)]), NOW);
        }
        charged += 10;
        charged
    };
    // The previous promise counts until the next one is made.
    let mut promised = 0;
    for compacts in [false, true, false, true, true] {
        let charged = add();
        record(charged, promised);
        if compacts {
            journal.compact_now(NOW).unwrap();
        } else {
            journal.commit(NOW).unwrap();
        }
        promised = charged;
        record(charged, promised);
    }
    let charged = add();
    record(charged, promised);
    drop(writers);
    journal.close(NOW).unwrap();
    record(charged, charged);
}

/// What is left of a child that ended before its n-th call.
struct Left {
    world: World,
    disk: PathBuf,
    /// Units.
    charged: u32,
    promised: u32,
    /// It makes fewer calls.
    is_complete: bool,
}

fn end_before(call: usize, library: &Path) -> Left {
    let mut world = World::new(1, 64);
    world.options.writers = 1;
    let disk = world.root.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "every_call::child_that_ends_before_a_call", "--nocapture"])
        .env(CHILD, world.root.path())
        .env("FORGETFUL_DISK", &disk)
        .env("FORGETFUL_END_AT", call.to_string())
        .env("LD_PRELOAD", library)
        .status()
        .unwrap();
    let progress = fs::read_to_string(world.root.path().join(PROGRESS)).unwrap_or_default();
    let mut numbers = progress.split(' ').filter_map(|number| number.parse().ok());
    let mut number = || numbers.next().unwrap_or(0);
    assert!(status.success() || status.signal() == Some(9), "before call {call}: {status}");
    Left { world, disk, charged: number(), promised: number(), is_complete: status.success() }
}

#[test]
fn before_whichever_call_it_ends_nothing_is_lost() {
    if env::var(CHILD).is_ok() {
        return;
    }
    let library = forgetful_disk();
    let mut ends = 0;
    for call in 1..MOST {
        // Killed: what was written is there, synced or not, and so is the shared memory.
        let Left { world, charged, promised, is_complete, .. } = end_before(call, &library);
        let Opened { report, rows, .. } = world.open(NOW);
        let sum = rows.values().sum::<u32>();
        assert_eq!(sum, charged, "killed before call {call}: {}", summary(&report));
        assert!(
            charged == 0 || reports_only(&report, "charges came back"),
            "killed before call {call}: {}",
            summary(&report)
        );
        if is_complete {
            assert_eq!((charged, promised, summary(&report).as_str()), (60, 60, ""));
            break;
        }
        ends += 1;
        // The power is cut: what was promised is there, and of the rest all or nothing.
        let Left { world, disk, charged, promised, .. } = end_before(call, &library);
        if disk.read_dir().unwrap().next().is_none() {
            continue; // nothing was ever written
        }
        cut_power(&world, &disk);
        let Opened { report, rows, .. } = world.open(NOW);
        let sum = rows.values().sum::<u32>();
        assert!(
            sum == promised || sum == charged,
            "power cut before call {call}: {sum} of {charged}, promised {promised}: {}",
            summary(&report)
        );
        assert!(
            charged == 0 || reports_only(&report, "The shared memory"),
            "power cut before call {call}: {}",
            summary(&report)
        );
    }
    assert!((30..MOST - 1).contains(&ends), "{ends} calls");
}

/// Nothing is damaged: this is the only finding.
fn reports_only(report: &Report, what: &str) -> bool {
    report.findings.iter().all(|finding| finding.to_string().contains(what))
}
