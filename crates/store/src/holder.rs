//! Who holds the lock of a file, where the system tells that.

use std::{fmt, fs, os::unix::fs::MetadataExt, path::Path};

/// The process that has a file locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    process: u32,
    name: Option<String>,
}

impl Holder {
    /// Looks it up. None: the system does not tell, or nobody holds it any more.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let process = process_of(&fs::read_to_string("/proc/locks").ok()?, found.dev(), found.ino())?;
        let name = fs::read_to_string(format!("/proc/{process}/comm")).ok();
        Some(Self { process, name: name.map(|name| name.trim().to_owned()) })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "process {}", self.process)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(out, ", `{name}`"))
    }
}

/// Finds the lock in what stands in `/proc/locks`, such as `1: FLOCK  ADVISORY  WRITE 4711 fe:00:55 0 EOF`.
fn process_of(locks: &str, device: u64, inode: u64) -> Option<u32> {
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff);
    let minor = (device & 0xff) | ((device >> 12) & !0xff);
    let place = format!("{major:02x}:{minor:02x}:{inode}");
    locks.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        // Who only waits for a lock has an arrow here.
        (words.next()? == "FLOCK").then_some(())?;
        let process = words.nth(2)?.parse().ok()?;
        // A process of another container has no number here.
        (words.next()? == place && process != 0).then_some(process)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_this_process() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(Holder::of(file.path()), None);
        file.as_file().lock().unwrap();
        // The system tells locks of this machine's own file systems, but not of every kind that there is.
        let holder = Holder::of(file.path()).expect("this file system does not tell");
        assert_eq!(holder.process, std::process::id());
        assert!(holder.to_string().starts_with(&format!("process {}, `", std::process::id())), "{holder}");
    }

    #[test]
    fn only_who_holds_the_very_file_is_told() {
        let locks = "1: POSIX  ADVISORY  WRITE 1 fe:00:55 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 2 fe:01:55 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 3 fe:00:5 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 0 fe:00:55 0 EOF\n\
                     4: -> FLOCK  ADVISORY  WRITE 4 fe:00:55 0 EOF\n\
                     broken\n\
                     5: FLOCK  ADVISORY  WRITE 5 fe:00:55 0 EOF\n";
        assert_eq!(process_of(locks, 0xfe00, 55), Some(5));
        assert_eq!(process_of(locks, 0xfe02, 55), None);
        assert_eq!(process_of("", 0xfe00, 55), None);
    }
}
