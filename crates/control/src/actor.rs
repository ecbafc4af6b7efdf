//! Who has something done.

use std::{fmt, fs};

/// Who has an operation carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The user of this machine with this number, by a command.
    User(u32),
    /// Whoever sent SIGHUP.
    Hangup,
    /// The watcher of the configuration's files.
    FileWatcher,
}

impl Actor {
    /// The user that this process runs as.
    pub fn this_user() -> Self {
        Self::User(rustix::process::geteuid().as_raw())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(out, "user {}", user_name(*user)),
            Self::Hangup => out.write_str("SIGHUP"),
            Self::FileWatcher => out.write_str("file watcher"),
        }
    }
}

/// A user's number, and the name before it where the system knows one.
pub(super) fn user_name(user: u32) -> String {
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == user.to_string()).then(|| name.to_owned())
    });
    name.map_or_else(|| user.to_string(), |name| format!("{name} ({user})"))
}
