//! A wall clock for the processes of one folder, which can be set while they run.

use crate::support::{Config, gateway::Home};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

/// The wall clock: the machine's own, plus an offset in a file that every reading looks up.
#[derive(Debug)]
pub(crate) struct FakeTime {
    folder: TempDir,
}

impl FakeTime {
    /// A wall clock that now shows this time.
    pub(crate) fn at(time: &str) -> Self {
        let fake = Self { folder: tempfile::Builder::new().prefix("fairgate-time-").tempdir().unwrap() };
        fake.set(time);
        fake
    }

    /// A folder whose processes have this wall clock.
    pub(crate) fn home(&self, config: &Config) -> Arc<Home> {
        self.home_with(config, "1")
    }

    /// A folder whose processes use this clock for elapsed time as well: setting it forward lets time pass.
    #[allow(dead_code, reason = "tests/gateway/tls uses it")]
    pub(crate) fn home_of_all_clocks(&self, config: &Config) -> Arc<Home> {
        self.home_with(config, "0")
    }

    fn home_with(&self, config: &Config, keeps_monotonic: &str) -> Arc<Home> {
        Home::with_environment(config, self.environment(keeps_monotonic))
    }

    /// What gives a process this wall clock, and keeps (`1`) or moves (`0`) the one that nobody sets.
    pub(crate) fn environment(&self, keeps_monotonic: &str) -> Vec<(String, String)> {
        let file = self.file().to_str().unwrap().to_owned();
        let variables = [
            ("LD_PRELOAD", library().to_str().unwrap().to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", keeps_monotonic.to_owned()),
            ("FAKETIME_DONT_RESET", "1".to_owned()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Sets it: it continues from this time.
    pub(crate) fn set(&self, time: &str) {
        self.be_off_by(second(time) as f64 - machine());
    }

    /// Sets it forward, or back, by so many seconds.
    pub(crate) fn set_by(&self, seconds: f64) {
        // Without reading the machine's clock: a delay between two readings would set it back by that.
        self.be_off_by(self.offset() + seconds);
    }

    /// The Unix seconds that it shows.
    pub(crate) fn now(&self) -> f64 {
        machine() + self.offset()
    }

    fn offset(&self) -> f64 {
        std::fs::read_to_string(self.file()).unwrap().trim().parse().unwrap()
    }

    fn be_off_by(&self, seconds: f64) {
        // Renamed into place, so that half of it is never read.
        let new = self.folder.path().join("new");
        std::fs::write(&new, format!("{seconds:+.3}")).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }
}

/// Unix seconds of a time such as `2026-11-23T00:00:00Z`.
pub(crate) fn second(time: &str) -> u64 {
    u64::try_from(time.parse::<jiff::Timestamp>().unwrap().as_second()).unwrap()
}

fn machine() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// The library for processes of several threads, wherever the system keeps it.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let places = [PathBuf::from("/usr/lib"), PathBuf::from("/usr/local/lib")].into_iter().chain(folders);
    let found = places.map(|place| place.join("faketime/libfaketimeMT.so.1")).find(|path| Path::exists(path));
    found.expect("libfaketime is not installed: apt-get install faketime")
}
