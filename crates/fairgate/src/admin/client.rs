//! Asks a running gateway through its admin socket. Blocking: commands have nothing else to do.

use super::{
    address::{Address, SOCKET_FILE},
    operation::{Operation, OperationError, Outcome},
};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
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
    /// The connection broke, so that it is not known whether the operation was done.
    #[error("the gateway behind {} did not answer ({source}): look with the matching `list` command whether it was done", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Asks the gateway that runs on the store in this folder. None: no gateway runs there.
pub(crate) fn ask(store_folder: &Path, operation: &Operation) -> Result<Option<Outcome>, AskError> {
    let path = store_folder.join(SOCKET_FILE);
    let connect = || UnixStream::connect(Address::new(store_folder, SOCKET_FILE)?.path());
    let stream = match connect() {
        Ok(stream) => stream,
        Err(error) => {
            let kind = error.kind();
            // No file, no folder, or a socket that a dead process left.
            let nobody =
                [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory, io::ErrorKind::ConnectionRefused];
            if nobody.contains(&kind) {
                return Ok(None);
            }
            if kind == io::ErrorKind::PermissionDenied {
                return Err(AskError::NoPermission { path });
            }
            return Err(AskError::Broken { path, source: error });
        }
    };
    let answer = exchange(stream, operation).map_err(|source| AskError::Broken { path, source })?;
    Ok(Some(answer?))
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
