//! Damaged files of counters, on the real gateway: what is left is used and the rest is logged, or it does not
//! start and names the remedy. A counter is never zero, or too large, silently.

use crate::support::{Config, Gateway, Key, Upstream, gateway::Home, get};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

const USED: u64 = 9;

struct Place {
    _upstream: Upstream,
    home: Arc<Home>,
    key: Key,
    /// The files of the counters as they were, with their names.
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Place {
    /// A gateway that has ended in order, or was killed, after nine units were charged over several commits.
    fn new(is_killed: bool) -> Self {
        let upstream = Upstream::sample();
        let config = Config::of(&upstream)
            .plan("free", &["1000 per day", "1000 in all"])
            .store("flush_interval = \"10ms\"");
        let home = Home::new(&config);
        let key = home.create_key(&["--plan", "free"]);
        let gateway = Gateway::start_in(&home);
        for _ in 0..USED {
            assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
            std::thread::park_timeout(std::time::Duration::from_millis(15));
        }
        if is_killed {
            gateway.kill()
        } else {
            gateway.stop()
        };
        let files = read(&home);
        assert!(files.iter().any(|(_, bytes)| bytes.len() > 100), "there are no counters");
        Self { _upstream: upstream, home, key, files }
    }

    /// Puts all files back as they were.
    fn restore(&self) {
        let folder = self.home.path("data/counters");
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        for (path, bytes) in &self.files {
            fs::write(path, bytes).unwrap();
        }
    }

    fn names(&self) -> Vec<&PathBuf> {
        self.files.iter().map(|(path, _)| path).collect()
    }

    /// Leaves nothing of any file but its length.
    fn overwrite(&self) {
        for (path, bytes) in &self.files {
            fs::write(path, vec![0xa5; bytes.len()]).unwrap();
        }
    }

    /// Starts, and asserts that nothing is silently wrong. Returns the outcome.
    fn start(&self, damage: &str) -> Outcome {
        let gateway = match Gateway::try_start_in(&self.home) {
            Ok(gateway) => gateway,
            Err(output) => {
                assert!(output.contains("counters"), "{damage}: {output}");
                assert!(
                    output.contains("move this folder away") && output.contains("backup"),
                    "{damage}: {output}"
                );
                return Outcome::Refused;
            }
        };
        let used: Vec<u64> = gateway.limits(&self.key).all.iter().map(|limit| limit.used).collect();
        assert!(used.iter().all(|used| *used <= USED), "{damage}: more than was charged: {used:?}");
        let is_logged = gateway.has_event("charges are missing");
        let outcome = if used.iter().all(|used| *used == USED) { Outcome::Whole } else { Outcome::Logged };
        assert!(outcome == Outcome::Whole || is_logged, "{damage}: {used:?} silently:\n{}", gateway.log());
        // It continues from there.
        assert_eq!(gateway.send(&get("/items/7").key(&self.key)).status, 200, "{damage}");
        gateway.stop();
        outcome
    }

    /// The file that charges are appended to.
    fn largest(&self) -> &(PathBuf, Vec<u8>) {
        self.files.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap()
    }
}

fn is_journal(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("journal-"))
}

/// The files of the counters.
fn read(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(home.path("data/counters")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Whole,
    Logged,
    Refused,
}

#[test]
fn a_flipped_byte_is_logged_and_everything_else_is_used() {
    let place = Place::new(false);
    let mut outcomes = Vec::new();
    for (path, bytes) in &place.files {
        // A few places of each file; the journal's own tests try every byte.
        for part in 0..6 {
            let at = bytes.len() * part / 6 + bytes.len() / 12;
            let Some(byte) = bytes.get(at) else { continue };
            place.restore();
            let mut damaged = bytes.clone();
            damaged[at] = byte ^ 0x10;
            fs::write(path, damaged).unwrap();
            let damage = format!("byte {at} of {}", path.display());
            outcomes.push(place.start(&damage));
        }
    }
    assert!(outcomes.contains(&Outcome::Logged), "no damage had an effect: {outcomes:?}");
}

#[test]
fn a_file_that_was_cut_is_used_up_to_the_cut() {
    let place = Place::new(false);
    let (path, bytes) = place.largest();
    // After the block of its first start. A journal that ends within that block looks as it does when the very
    // first start is killed, before anything could be charged.
    for part in 2..6 {
        place.restore();
        let length = bytes.len() * part / 6;
        fs::write(path, &bytes[..length]).unwrap();
        place.start(&format!("{} cut to {length} of {} bytes", path.display(), bytes.len()));
    }
}

#[test]
fn a_young_journal_that_is_wholly_overwritten_is_detected() {
    let place = Place::new(false);
    place.overwrite();
    assert_eq!(place.start("all files overwritten"), Outcome::Logged);
}

#[test]
fn without_a_usable_journal_it_does_not_start_and_names_the_remedy() {
    let mut place = Place::new(false);
    // Damage makes the gateway begin a new journal, and write the whole state down as a checkpoint. It keeps
    // the state before that too, so it takes two until the very first journal is gone.
    for _ in 0..2 {
        let (path, bytes) = place.files.iter().filter(|(path, _)| is_journal(path)).max().unwrap();
        let mut damaged = bytes.clone();
        damaged[bytes.len() - 9] ^= 0x10;
        fs::write(path, damaged).unwrap();
        let gateway = Gateway::start_in(&place.home);
        assert_eq!(gateway.send(&get("/items/7").key(&place.key)).status, 200);
        gateway.event("counters compacted");
        gateway.stop();
        place.files = read(&place.home);
    }
    assert!(!place.files.iter().any(|(path, _)| path.ends_with("journal-1")), "{:?}", place.names());
    place.overwrite();
    assert_eq!(place.start("all files overwritten"), Outcome::Refused);
    // The remedy works: with the folder moved away it starts, with empty counters.
    fs::rename(place.home.path("data/counters"), place.home.path("moved-away")).unwrap();
    let gateway = Gateway::start_in(&place.home);
    assert_eq!(gateway.used(&place.key), 0);
}

#[test]
fn a_torn_end_after_a_kill_is_restored_from_memory_or_logged() {
    let place = Place::new(true);
    let (path, bytes) = place.largest();
    fs::write(path, &bytes[..bytes.len() - 3]).unwrap();
    let gateway = Gateway::start_in(&place.home);
    let used: Vec<u64> = gateway.limits(&place.key).all.iter().map(|limit| limit.used).collect();
    let is_logged = gateway.has_event("charges are missing");
    assert!(used == [USED, USED] || (is_logged && used.iter().all(|used| *used <= USED)), "{used:?}");
}
