//! Serves the control plane on a Unix socket in the store's folder: one JSON line asks, one answers.
//!
//! Whoever can open the socket can do everything, so only the owner can: its mode is 0600 from the
//! moment that it has its name, and who connects has to be the gateway's own user or root.

use super::{
    address::{Address, SOCKET_FILE},
    handing::{self, HandedOver},
    place::Place,
};
use crate::{
    actor::{Actor, user_name},
    control::Control,
    dispatch::{answer, dispatch, refusal},
    error::{OperationError, Refused},
    sockets::Sockets,
};
use std::{
    cell::RefCell,
    collections::VecDeque,
    fs::{self, DirBuilder, Permissions},
    future::Future,
    io,
    net::SocketAddr,
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt},
        net::{UnixListener as StdListener, UnixStream as StdStream},
    },
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::{AbortHandle, JoinHandle, JoinSet, LocalSet},
    time::{sleep, timeout},
};

/// A request line that is longer is refused. Ten thousand keys of an import fit.
const LONGEST_REQUEST: u64 = 16 << 20;
/// So long a client may take to send a request, and again to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many clients may be about to send a request. One more, and the one that has taken longest is ended: commands that
/// hang must not keep others out.
const MAX_CLIENTS: usize = 128;

/// The socket, open for clients but not served yet.
pub struct AdminSocket {
    listeners: Vec<StdListener>,
    path: PathBuf,
}

/// The names that the gateway is found by without its store's folder.
pub struct Names(Vec<StdListener>);

/// Why the socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// A gateway has the store.
    #[error("the store {} is in use by another gateway ({process}): end it first, or give this one a `[store] path` of its own", store.display())]
    InUse {
        /// The store's folder.
        store: PathBuf,
        /// Its process.
        process: String,
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
    pub fn is_left(store_folder: &Path) -> bool {
        store_folder.join(SOCKET_FILE).exists()
    }

    /// Takes the names of the gateway. Before the store is opened: a gateway whose folder was removed still has them,
    /// and a second store must not be made in its place.
    pub fn reserve(place: &Place) -> Result<Names, SocketError> {
        let store = place.store.clone().unwrap_or_default();
        place.listen().map(Names).map_err(|process| SocketError::InUse { store, process })
    }

    /// Opens the socket in the store's folder. What a dead gateway left there is replaced.
    ///
    /// Call it after the store is open: the store's lock keeps two gateways apart.
    pub fn bind(store_folder: &Path, names: &Names) -> Result<Self, SocketError> {
        let path = store_folder.join(SOCKET_FILE);
        let place = Address::new(store_folder, SOCKET_FILE);
        // If nobody answers, for whatever reason, what stands there is replaced.
        if place.and_then(|place| StdStream::connect(place.path())).is_ok() {
            let process = format!("it answers at {}", path.display());
            return Err(SocketError::InUse { store: store_folder.to_owned(), process });
        }
        let open = || -> io::Result<Vec<StdListener>> {
            let mut listeners = vec![bind_private(store_folder)?];
            for name in &names.0 {
                listeners.push(name.try_clone()?);
            }
            Ok(listeners)
        };
        match open() {
            Ok(listeners) => Ok(Self { listeners, path }),
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
/// the socket. Runs on a current-thread runtime.
pub async fn serve(
    socket: AdminSocket,
    control: Rc<Control>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let listeners =
        socket.listeners.into_iter().map(UnixListener::from_std).collect::<io::Result<Vec<_>>>()?;
    let clients = LocalSet::new();
    clients.run_until(accept_all(listeners, control, shutdown)).await;
    // The store is still ours here, so no other gateway can have put its socket in this place.
    fs::remove_file(&socket.path)
}

async fn accept_all(listeners: Vec<UnixListener>, control: Rc<Control>, shutdown: impl Future<Output = ()>) {
    let clients = Rc::new(RefCell::new(Clients::default()));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        let (control, clients) = (Rc::clone(&control), Rc::clone(&clients));
        accepting.spawn_local(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => Clients::add(&clients, stream, &control),
                    // Out of file descriptors, most likely: others must be able to close theirs.
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        });
    }
    shutdown.await;
    accepting.shutdown().await;
    loop {
        let next = clients.borrow_mut().tasks.pop();
        let Some(next) = next else { return };
        let _ = next.await;
    }
}

/// Those who are connected.
#[derive(Default)]
struct Clients {
    tasks: Vec<JoinHandle<()>>,
    /// Those who have not sent their request yet, the oldest first.
    silent: VecDeque<(u64, AbortHandle)>,
    count: u64,
}

impl Clients {
    fn add(clients: &Rc<RefCell<Self>>, stream: UnixStream, control: &Rc<Control>) {
        let mut all = clients.borrow_mut();
        all.tasks.retain(|task| !task.is_finished());
        all.silent.retain(|(_, task)| !task.is_finished());
        if all.silent.len() >= MAX_CLIENTS
            && let Some((_, longest)) = all.silent.pop_front()
        {
            longest.abort();
        }
        all.count = all.count.wrapping_add(1);
        let (number, clients, control) = (all.count, Rc::clone(clients), Rc::clone(control));
        let task = tokio::task::spawn_local(async move {
            let has_spoken = || clients.borrow_mut().silent.retain(|(silent, _)| *silent != number);
            converse(stream, &control, has_spoken).await;
        });
        all.silent.push_back((number, task.abort_handle()));
        all.tasks.push(task);
    }
}

/// One request, one answer. A client that is slow, silent or gone hurts only itself.
async fn converse(stream: UnixStream, control: &Control, has_spoken: impl FnOnce()) {
    let client = stream.peer_cred().map(|client| client.uid());
    let (read, mut write) = stream.into_split();
    let mut request = Vec::new();
    let mut reader = BufReader::new(read.take(LONGEST_REQUEST));
    let Ok(Ok(_)) = timeout(PATIENCE, reader.read_until(b'\n', &mut request)).await else { return };
    if request.is_empty() {
        return;
    }
    // What is carried out is carried out to its end.
    has_spoken();
    let actor = check_user(client).and_then(|user| check_line(&request).map(|()| Actor::User(user)));
    if actor.is_ok()
        && let Ok(handing::Request::HandOver { addresses }) = serde_json::from_slice(&request)
    {
        let read = reader.into_inner().into_inner();
        if let Ok(stream) = read.reunite(write)
            && let Ok(stream) = stream.into_std()
        {
            hand_over(stream, control, &addresses).await;
        }
        return;
    }
    let answer = match actor {
        Ok(actor) => dispatch(control, actor, &request).await,
        Err(refused) => refusal(refused),
    };
    if let Some(answer) = answer {
        let _ = timeout(PATIENCE, write.write_all(&answer)).await;
    }
}

/// The user that asks. The names of a gateway can be connected to by every user of the machine.
fn check_user(client: io::Result<u32>) -> Result<u32, OperationError> {
    let ours = rustix::process::geteuid().as_raw();
    match client {
        Ok(user) if user == ours || user == 0 => Ok(user),
        Ok(user) => Err(OperationError::OtherUser { ours: user_name(ours), theirs: user_name(user) }),
        Err(error) => Err(OperationError::UserNotKnown(error.to_string())),
    }
}

fn check_line(request: &[u8]) -> Result<(), OperationError> {
    if request.ends_with(b"\n") {
        return Ok(());
    }
    let why = if request.len() as u64 == LONGEST_REQUEST { "it is too long" } else { "it is cut short" };
    Err(OperationError::NotUnderstood { why: why.into() })
}

/// Sends the sockets. The connection stays open until this process ends: see [`handing`].
async fn hand_over(stream: StdStream, control: &Control, addresses: &[SocketAddr]) {
    let handed = control.hand_over(addresses).await.map_err(Refused::from);
    let told = handed.as_ref().map_err(Clone::clone).map(|handed| {
        let admin = handed.admin.as_ref().and_then(|admin| admin.local_addr().ok());
        HandedOver { sockets: handed.all().count(), admin }
    });
    let Some(line) = answer(&told) else { return };
    let send = || {
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        io::Write::write_all(&mut &stream, &line)?;
        handed.iter().flat_map(Sockets::all).try_for_each(|socket| handing::send(&stream, socket))
    };
    // Whoever asked and is gone has not got them, and the end is as with a signal.
    if send().is_ok() && handed.is_ok() {
        std::mem::forget(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_gateways_own_user_and_root_are_answered() {
        let ours = rustix::process::geteuid().as_raw();
        assert_eq!(check_user(Ok(ours)).unwrap(), ours);
        assert_eq!(check_user(Ok(0)).unwrap(), 0);
        for other in [1, 65_534, u32::MAX].into_iter().filter(|other| *other != ours) {
            let refused = check_user(Ok(other)).unwrap_err();
            assert!(matches!(refused, OperationError::OtherUser { .. }), "{other}: {refused}");
        }
        let unknown = check_user(Err(io::ErrorKind::Other.into())).unwrap_err();
        assert!(matches!(unknown, OperationError::UserNotKnown(_)), "{unknown}");
    }
}
