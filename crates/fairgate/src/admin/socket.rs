//! Serves the control plane on a Unix socket in the store's folder: one JSON line asks, one answers.
//!
//! Whoever can open the socket can do everything, so only the owner can: its mode is 0600 from the
//! moment that it has its name.

use super::{
    address::{Address, SOCKET_FILE},
    control::Control,
    handing,
    operation::{Operation, OperationError, Outcome},
    reload::carry_out,
};
use std::{
    cell::RefCell,
    fs::{self, DirBuilder, Permissions},
    future::Future,
    io,
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt},
        net::{UnixListener as StdListener, UnixStream as StdStream},
    },
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::{JoinSet, LocalSet},
    time::{sleep, timeout},
};

/// A request line that is longer is refused. Ten thousand keys of an import fit.
const LONGEST_REQUEST: u64 = 16 << 20;
/// So long a client may take to send a request, and again to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many clients at a time. The next ones wait.
const MOST_CLIENTS: usize = 32;

/// The socket, open for clients but not served yet.
pub(crate) struct AdminSocket {
    listener: StdListener,
    path: PathBuf,
}

/// Why the socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// Somebody answers there.
    #[error("another gateway runs on this store: it answers at {}; end it first, or give this one a `[store] path` of its own", path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot open the admin socket {}: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

// === impl AdminSocket ===

impl AdminSocket {
    /// Whether a gateway left its socket in the store's folder: it runs still, or was killed.
    pub(crate) fn is_left(store_folder: &Path) -> bool {
        store_folder.join(SOCKET_FILE).exists()
    }

    /// Opens the socket in the store's folder. What a dead gateway left there is replaced.
    ///
    /// Call it after the store is open: the store's lock keeps two gateways apart.
    pub(crate) fn bind(store_folder: &Path) -> Result<Self, SocketError> {
        let path = store_folder.join(SOCKET_FILE);
        let place = Address::new(store_folder, SOCKET_FILE);
        // If nobody answers, for whatever reason, what stands there is replaced.
        if place.and_then(|place| StdStream::connect(place.path())).is_ok() {
            return Err(SocketError::InUse { path });
        }
        match bind_private(store_folder) {
            Ok(listener) => Ok(Self { listener, path }),
            Err(source) => Err(SocketError::Io { path, source }),
        }
    }
}

/// Binds in a folder that only we can enter, and moves the socket out when its mode is set: a
/// socket is made with the mode that the umask leaves, and anybody could be quicker than `chmod`.
fn bind_private(store_folder: &Path) -> io::Result<StdListener> {
    let room = store_folder.join(".admin");
    match fs::remove_dir_all(&room) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    DirBuilder::new().mode(0o700).create(&room)?;
    let listener = StdListener::bind(Address::new(&room, SOCKET_FILE)?.path())?;
    listener.set_nonblocking(true)?;
    fs::set_permissions(room.join(SOCKET_FILE), Permissions::from_mode(0o600))?;
    fs::rename(room.join(SOCKET_FILE), store_folder.join(SOCKET_FILE))?;
    fs::remove_dir(&room)?;
    Ok(listener)
}

/// Serves clients until `shutdown` is done, then answers those that are being served and removes
/// the socket. Runs on a current-thread runtime; operations block it while they work.
pub(crate) async fn serve(
    socket: AdminSocket,
    control: Rc<RefCell<Control>>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let listener = UnixListener::from_std(socket.listener)?;
    let clients = LocalSet::new();
    clients.run_until(accept_all(listener, control, shutdown)).await;
    // The store is still ours here, so no other gateway can have put its socket in this place.
    fs::remove_file(&socket.path)
}

async fn accept_all(
    listener: UnixListener,
    control: Rc<RefCell<Control>>,
    shutdown: impl Future<Output = ()>,
) {
    let mut tasks = JoinSet::new();
    let seats = Arc::new(Semaphore::new(MOST_CLIENTS));
    let accept = async {
        loop {
            while tasks.try_join_next().is_some() {}
            let Ok(seat) = Arc::clone(&seats).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let control = Rc::clone(&control);
                    tasks.spawn_local(async move {
                        let _seat = seat;
                        converse(stream, &control).await;
                    });
                }
                // Out of file descriptors, most likely: others must be able to close theirs.
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = shutdown => {}
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

/// One request, one answer. A client that is slow, silent or gone hurts only itself.
async fn converse(stream: UnixStream, control: &RefCell<Control>) {
    let (read, mut write) = stream.into_split();
    let mut request = Vec::new();
    let mut reader = BufReader::new(read.take(LONGEST_REQUEST));
    let Ok(Ok(_)) = timeout(PATIENCE, reader.read_until(b'\n', &mut request)).await else { return };
    if request.is_empty() {
        return;
    }
    if matches!(serde_json::from_slice(&request), Ok(Operation::HandOver)) {
        let read = reader.into_inner().into_inner();
        if let Ok(stream) = read.reunite(write)
            && let Ok(stream) = stream.into_std()
        {
            hand_over(stream, control);
        }
        return;
    }
    let answer = answer_to(&request, control).await;
    let Ok(mut bytes) = serde_json::to_vec(&answer) else { return };
    bytes.push(b'\n');
    let _ = timeout(PATIENCE, write.write_all(&bytes)).await;
}

/// Sends the sockets. The connection stays open until this process ends: see [`handing`].
fn hand_over(stream: StdStream, control: &RefCell<Control>) {
    let handed = control.borrow().live.hand_over();
    let answer = handed.as_ref().map(|sockets| Outcome::HandedOver { sockets: sockets.len() });
    let Ok(mut line) = serde_json::to_vec(&answer) else { return };
    line.push(b'\n');
    let send = || {
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        io::Write::write_all(&mut &stream, &line)?;
        handing::send(&stream, handed.as_deref().unwrap_or_default())
    };
    // Whoever asked and is gone has not got them, and the end is as with a signal.
    if send().is_ok() && handed.is_ok() {
        std::mem::forget(stream);
    }
}

async fn answer_to(request: &[u8], control: &RefCell<Control>) -> Result<Outcome, OperationError> {
    if !request.ends_with(b"\n") {
        let why = if request.len() as u64 == LONGEST_REQUEST { "it is too long" } else { "it is cut short" };
        return Err(OperationError::NotUnderstood { why: why.into() });
    }
    let operation: Operation = serde_json::from_slice(request)
        .map_err(|error| OperationError::NotUnderstood { why: error.to_string() })?;
    carry_out(control, operation).await
}
