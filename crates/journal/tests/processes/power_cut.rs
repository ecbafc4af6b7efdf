//! Power cuts that take what was written and not synced, bytes and names: what a commit or a checkpoint has
//! promised is still on the disk.

use crate::world::{Opened, World, charge, summary};
use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::{fs::MetadataExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::Command,
};

const NOW: u64 = 1_800_000_000;
/// Set for the child: the folders of its world.
const CHILD: &str = "JOURNAL_TEST_POWER_CUT";
/// After how many steps the child ends.
const STEPS: &str = "JOURNAL_TEST_STEPS";
/// Units that are promised after each step of the child.
const PROMISED: [u32; 6] = [0, 1000, 1000, 2000, 2000, 3000];

/// Not a test of its own: the process that the power is taken from.
#[test]
fn child_without_power() {
    let Ok(root) = env::var(CHILD) else { return };
    let mut options = journal::Options::new(Path::new(&root).join("store"), 1);
    options.memory = PathBuf::from(&root).join("memory");
    options.ring_entries = 4096;
    let steps: usize = env::var(STEPS).unwrap().parse().unwrap();
    let (mut journal, mut writers, _) = journal::open(&options, NOW, &mut |_, _| {}).unwrap();
    for step in 1..=steps {
        if step % 2 == 0 {
            journal.compact_now(NOW).unwrap();
            continue;
        }
        for number in 0..1000 {
            writers[0].append(&charge(number, 1, &[(0, 0)]), NOW);
        }
        journal.commit(NOW).unwrap();
    }
    // No destructors, no last commit.
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_power_cut_takes_nothing_that_was_promised() {
    if env::var(CHILD).is_ok() {
        return;
    }
    let library = forgetful_disk();
    for (steps, promised) in PROMISED.into_iter().enumerate() {
        let mut world = World::new(1, 4096);
        world.options.writers = 1;
        let disk = world.root.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", "power_cut::child_without_power", "--nocapture"])
            .env(CHILD, world.root.path())
            .env(STEPS, steps.to_string())
            .env("FORGETFUL_DISK", &disk)
            .env("LD_PRELOAD", &library)
            .status()
            .unwrap();
        assert_eq!(status.signal(), Some(9), "{status}");
        assert!(names(&disk, &world.options.folder).contains_key("counters"), "its own name is on the disk");
        cut_power(&world, &disk);
        let Opened { report, rows, .. } = world.open(NOW);
        let [lost] = report.findings.as_slice() else { panic!("after {steps} steps: {}", summary(&report)) };
        assert!(lost.to_string().starts_with("The shared memory"), "after {steps} steps: {lost}");
        assert_eq!(rows.values().sum::<u32>(), promised, "after {steps} steps");
    }
}

/// Leaves what is on the disk.
pub(crate) fn cut_power(world: &World, disk: &Path) {
    let survived = names(disk, &world.counters()).into_iter().map(|(name, inode)| {
        // A file that was never synced is there by its name alone.
        (name, fs::read(disk.join(inode)).unwrap_or_default())
    });
    world.put_back(&survived.collect());
    world.lose_memory();
}

/// The names that a folder has on the disk, each with its inode.
fn names(disk: &Path, folder: &Path) -> BTreeMap<String, String> {
    let inode = fs::metadata(folder).unwrap().ino();
    let listed = fs::read_to_string(disk.join(inode.to_string())).unwrap_or_default();
    listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(inode, name)| (name.into(), inode.into()))
        .collect()
}

/// The disk, compiled.
pub(crate) fn forgetful_disk() -> PathBuf {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("forgetful_disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/processes/forgetful_disk.c");
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(compiled.unwrap().success());
    library
}
