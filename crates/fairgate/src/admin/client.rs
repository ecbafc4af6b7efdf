//! Asks a running gateway through its admin socket. Blocking: commands have nothing else to do.

use super::{
    operation::{Operation, OperationError, Outcome},
    place::{ConnectError, FoundBy, Place},
};
use std::{
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
pub(crate) enum AskError {
    /// It refused.
    #[error(transparent)]
    Refused(#[from] OperationError),
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
pub(crate) fn ask(place: &Place, operation: &Operation) -> Result<Option<(Outcome, FoundBy)>, AskError> {
    let Some((stream, by)) = place.connect()? else { return Ok(None) };
    let path = place.store.clone().or_else(|| place.config.clone()).unwrap_or_default();
    let answer = exchange(stream, operation).map_err(|source| AskError::Broken { path, source })?;
    Ok(Some((answer?, by)))
}

/// A user's number, and the name beside it where the system knows one.
pub(super) fn user_name(user: u32) -> String {
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == user.to_string()).then(|| name.to_owned())
    });
    name.map_or_else(|| user.to_string(), |name| format!("{name} ({user})"))
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

fn exchange(mut stream: UnixStream, operation: &Operation) -> io::Result<Result<Outcome, OperationError>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = serde_json::to_vec(operation)?;
    request.push(b'\n');
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
