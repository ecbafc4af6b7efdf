//! The cases that the demo shows: what each one promises, and the command that shows it.
//!
//! Every command works in any order and any number of times: none uses up what another one needs.

mod gateway;
mod success;
mod upstream;

use super::{keys::Keys, shell_line::ShellLine};
use crate::failure::Failure;
use contract::{ErrorCode, Statuses};
use std::net::SocketAddr;

/// An order of one clock.
const ORDER: &str = r#"{"customer":{"email":"ada@example.com"},"lines":[{"item":4,"quantity":1}]}"#;

/// One case.
pub(super) struct Case {
    /// Unique; also the name of the key that is used.
    pub(super) name: &'static str,
    pub(super) promise: Promise,
    /// One line for people.
    pub(super) shows: &'static str,
    pub(super) command: ShellLine,
}

/// What the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    Success(u16),
    Error(ErrorCode),
}

/// Where the servers of the demo listen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) gateway: SocketAddr,
    pub(super) in_maintenance: SocketAddr,
    pub(super) sample_api: SocketAddr,
}

/// A case before its key is made.
struct Plan {
    name: &'static str,
    promise: Promise,
    shows: &'static str,
    key: KeyFor,
    /// The command, with the key.
    command: fn(Places, &str) -> ShellLine,
}

/// What kind of key a case needs.
enum KeyFor {
    Nobody,
    /// A key with these permissions.
    Holder(&'static [&'static str]),
    Revoked,
    Expired,
    Slow,
    UsedUp,
    Imported,
    Unknown,
}

/// All cases, in the order of the table.
pub(super) fn all(places: Places, keys: &mut Keys<'_>) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for plan in success::PLANS.iter().chain(&gateway::PLANS).chain(&upstream::PLANS) {
        let key = plan.key.make(plan.name, keys)?;
        let command = (plan.command)(places, &key);
        cases.push(Case { name: plan.name, promise: plan.promise, shows: plan.shows, command });
    }
    // Stable: within a row the order is that in which they were planned.
    cases.sort_by_key(|case| case.promise.row());
    Ok(cases)
}

impl KeyFor {
    fn make(&self, name: &str, keys: &mut Keys<'_>) -> Result<String, Failure> {
        match self {
            Self::Nobody => Ok(String::new()),
            Self::Holder(permissions) => keys.working(name, permissions),
            Self::Revoked => keys.revoked(name),
            Self::Expired => keys.expired(name),
            Self::Slow => keys.slow(name),
            Self::UsedUp => keys.used_up(name),
            Self::Imported => keys.imported(name),
            Self::Unknown => Keys::unknown(),
        }
    }
}

impl Promise {
    /// The row of the table. Every success is the row 200.
    pub(super) fn row(self) -> u16 {
        match self {
            Self::Success(_) => 200,
            Self::Error(_) => self.http_code(),
        }
    }

    /// The HTTP status of the response.
    pub(super) fn http_code(self) -> u16 {
        match self {
            Self::Success(status) => status,
            Self::Error(code) => code.status().on_the_wire(Statuses::Fairgate),
        }
    }
}

impl Places {
    fn url(self, path: &str) -> String {
        format!("http://{}{path}", self.gateway)
    }

    /// A request to the gateway without a key.
    fn to(self, path: &str) -> ShellLine {
        ShellLine::curl(&self.url(path))
    }
}
