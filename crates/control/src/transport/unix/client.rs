//! Asks a running gateway through its admin socket. Blocking: commands have nothing else to do.

use super::place::{ConnectError, FoundBy, Place};
use crate::{actor::user_name, control::Operation, error::Refused};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};

/// The import of millions of keys is the longest that a gateway works on one request.
const PATIENCE: Duration = Duration::from_secs(300);
/// More than any honest answer.
const LONGEST_ANSWER: u64 = 64 << 20;

/// Why a gateway that runs did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The socket is not open to this user.
    #[error("no permission to use the admin socket {}: run the command as the user that runs the gateway", path.display())]
    NoPermission {
        /// The socket.
        path: PathBuf,
    },
    /// The gateway is another user's.
    #[error(
        "the gateway that answers for this configuration runs as the user {user} (process {process}): run the command as that user"
    )]
    Foreign {
        /// The user's number, with the name if there is one.
        user: String,
        /// The number of its process.
        process: i32,
    },
    /// The connection broke, so that it is not known whether the operation was done.
    #[error("the gateway behind {} did not answer ({source}): look with the matching `list` command whether it was done", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Asks the gateway that runs there, and tells by what it was found. None: no gateway runs there.
pub fn ask<O: Operation>(place: &Place, operation: &O) -> Result<Option<(O::Response, FoundBy)>, AskError> {
    let Some((stream, by)) = place.connect()? else { return Ok(None) };
    let path = place.store.clone().or_else(|| place.config.clone()).unwrap_or_default();
    let answer = exchange(stream, O::NAME, operation).map_err(|source| AskError::Broken { path, source })?;
    Ok(Some((answer?, by)))
}

impl From<ConnectError> for AskError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Foreign { user, process } => Self::Foreign { user: user_name(user), process },
            ConnectError::NoPermission(path) => Self::NoPermission { path },
            ConnectError::Io(path, source) => Self::Broken { path, source },
        }
    }
}

/// The line that asks for an operation.
pub(super) fn line(name: &str, operation: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&BTreeMap::from([(name, operation)]))?;
    line.push(b'\n');
    Ok(line)
}

fn exchange<R: DeserializeOwned>(
    mut stream: UnixStream,
    name: &str,
    operation: &impl Serialize,
) -> io::Result<Result<R, Refused>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = line(name, operation)?;
    // A gateway that refuses without reading to the end closes its side; its answer is there all the same.
    let sent = stream.write_all(&request);
    let mut answer = Vec::new();
    BufReader::new(stream.take(LONGEST_ANSWER)).read_until(b'\n', &mut answer)?;
    if !answer.ends_with(b"\n") {
        sent?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&answer)?)
}
