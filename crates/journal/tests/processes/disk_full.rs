//! A disk without room, and with room again.

use crate::world::{Opened, World, charge, has_lost, summary};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

const NOW: u64 = 1_800_000_000;
/// Set for the child: the folders of its world.
const CHILD: &str = "JOURNAL_TEST_FULL";

/// Lets no file of this process grow beyond so many bytes.
fn limit_files(bytes: u64) {
    let limit = rustix::process::Rlimit { current: Some(bytes), maximum: None };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
}

/// Not a test of its own: a process whose files may not grow.
#[test]
fn child_without_room() {
    let Ok(root) = env::var(CHILD) else { return };
    let mut options = journal::Options::new(Path::new(&root).join("store"), 1);
    options.memory = PathBuf::from(&root).join("memory");
    options.ring_entries = 4096;
    let (mut journal, mut writers, _) = journal::open(&options, NOW, &mut |_, _| {}).unwrap();
    let mut add = |from: u64, to: u64| {
        for number in from..to {
            writers[0].append(&charge(number, 1, &[(0, 0)]), NOW);
        }
    };
    add(0, 1000);
    journal.commit(NOW).unwrap();
    let path = options.folder.join("counters/journal-1");
    let length = || std::fs::metadata(&path).unwrap().len();
    let before = length();
    // Room for a part of the next commit.
    limit_files(before + 5000);
    add(1000, 2000);
    for _ in 0..3 {
        let error = journal.commit(NOW).unwrap_err();
        assert!(error.is_disk_full(), "{error}");
        assert!(error.to_string().contains("journal-1"), "{error}");
        assert_eq!(length(), before, "a failed write leaves no trace");
        // Less than there is room for, but written with everything that waits.
        add(2000, 2010);
    }
    // A checkpoint is equally impossible, and that harms nothing.
    assert!(journal.compact_now(NOW).unwrap_err().is_disk_full());
    if env::var("JOURNAL_TEST_END").unwrap() == "room" {
        limit_files(1 << 40);
        let committed = journal.commit(NOW).unwrap();
        assert_eq!((committed.charges, committed.rows), (1030, 1010));
        add(2010, 3000);
        journal.commit(NOW).unwrap();
    }
    // As a kill would: no destructors, no last commit.
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_full_disk_loses_nothing() {
    if env::var(CHILD).is_ok() {
        return;
    }
    for (end, sum) in [("room", 3020), ("kill", 2030)] {
        let mut world = World::new(1, 4096);
        world.options.writers = 1;
        // A file that is too large raises a signal, unless it is ignored.
        let status = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" --exact disk_full::child_without_room --nocapture"])
            .arg(env::current_exe().unwrap())
            .env(CHILD, world.root.path())
            .env("JOURNAL_TEST_END", end)
            .status()
            .unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{end}: {status}");
        let Opened { report, rows, .. } = world.open(NOW);
        assert!(!has_lost(&report), "{end}: {}", summary(&report));
        assert_eq!(rows.values().sum::<u32>(), sum, "{end}");
        assert_eq!(report.from_memory, if end == "room" { 0 } else { 1030 });
    }
}
