//! A store's folder, and its expected counters.

use journal::{Charge, Class, Journal, JournalError, Options, Report, Row, Who, Writer};
use std::{collections::BTreeMap, fs, path::PathBuf};
use tempfile::TempDir;

/// Rows by account, tag and window.
pub(crate) type Rows = BTreeMap<(Who, u32, u32), u32>;

/// A fresh folder for a store, with another one in place of /dev/shm.
pub(crate) struct World {
    pub(crate) root: TempDir,
    pub(crate) options: Options,
}

/// An opened journal.
pub(crate) struct Opened {
    pub(crate) journal: Journal,
    pub(crate) writers: Vec<Writer>,
    pub(crate) report: Report,
    pub(crate) rows: Rows,
}

impl World {
    pub(crate) fn new(writers: usize, ring_entries: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        let (folder, memory) = (root.path().join("store"), root.path().join("memory"));
        fs::create_dir(&folder).unwrap();
        fs::create_dir(&memory).unwrap();
        let options = Options { folder, memory, writers, ring_entries };
        Self { root, options }
    }

    pub(crate) fn counters(&self) -> PathBuf {
        self.options.folder.join("counters")
    }

    pub(crate) fn try_open(&self, now: u64) -> Result<Opened, JournalError> {
        let mut rows = Rows::new();
        let (journal, writers, report) = journal::open(&self.options, now, &mut |row, _| {
            let twice = rows.insert((row.who, row.tag, row.window), row.units);
            assert_eq!(twice, None, "one row for each window of each counter");
        })?;
        assert_eq!(report.rows, rows.len() as u64);
        Ok(Opened { journal, writers, report, rows })
    }

    pub(crate) fn open(&self, now: u64) -> Opened {
        self.try_open(now).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What a power cut takes away.
    pub(crate) fn lose_memory(&self) {
        for file in fs::read_dir(&self.options.memory).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
    }

    /// Every file of the counters, by name.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.counters()).unwrap().map(|file| file.unwrap().path());
        files
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read(&path).unwrap())
            })
            .collect()
    }

    /// Puts files back as they were, and removes all others.
    pub(crate) fn put_back(&self, files: &BTreeMap<String, Vec<u8>>) {
        fs::remove_dir_all(self.counters()).unwrap();
        fs::create_dir(self.counters()).unwrap();
        for (name, bytes) in files {
            fs::write(self.counters().join(name), bytes).unwrap();
        }
    }
}

pub(crate) fn who(number: u64) -> Who {
    // Spread, as digests are.
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut who = [0; 16];
    who[..8].copy_from_slice(&spread.to_be_bytes());
    who[8..].copy_from_slice(&number.to_be_bytes());
    who
}

pub(crate) fn charge(number: u64, units: u32, counters: &[(u32, u32)]) -> Charge {
    let mut charge = Charge::new(who(number), units);
    for (tag, window) in counters {
        assert!(charge.push(*tag, *window));
    }
    charge
}

/// The expected counters: the rules of retention again, in the simplest form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    all: Rows,
}

impl Model {
    pub(crate) fn add(&mut self, charge: &Charge) {
        for Row { who, tag, window, units } in charge.rows() {
            *self.all.entry((who, tag, window)).or_default() += units;
        }
    }

    /// All except the windows that newer ones have superseded. Windows of these tests do not wrap.
    pub(crate) fn rows(&self) -> Rows {
        let newest = |who: Who, tag: u32| {
            self.all.keys().filter(|key| (key.0, key.1) == (who, tag)).map(|key| key.2).max().unwrap()
        };
        let live = |&(who, tag, window): &(Who, u32, u32)| match Class::of(tag) {
            Class::Lifetime => true,
            Class::Calendar | Class::Rate => window == newest(who, tag),
            Class::Rolling => newest(who, tag) - window <= 17,
        };
        self.all.iter().filter(|(key, units)| live(key) && **units > 0).map(|(k, u)| (*k, *u)).collect()
    }
}

pub(crate) fn summary(report: &Report) -> String {
    report.findings.iter().map(|finding| format!("{:?}: {finding}\n", finding.weight)).collect()
}

pub(crate) fn has_lost(report: &Report) -> bool {
    report.findings.iter().any(|finding| finding.weight == journal::Weight::Lost)
}
