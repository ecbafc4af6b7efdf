//! The sockets that a gateway listens on: opened here, or passed by another process.
//!
//! A passed socket keeps its backlog: clients that connect meanwhile wait, and none is refused.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

/// The listen backlog of each thread.
const BACKLOG: i32 = 4096;

/// Sockets that already listen: from a service manager, or from the gateway that this one replaces.
#[derive(Debug, Default)]
pub struct Handed(pub Vec<TcpListener>);

/// Listening on an address failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}{advice}")]
pub struct ListenError {
    address: SocketAddr,
    /// The system's error.
    error: io::Error,
    /// What to do.
    advice: &'static str,
}

impl ListenError {
    fn new(address: SocketAddr, error: io::Error) -> Self {
        Self { address, advice: advice(error.kind()), error }
    }

    /// Whether another program listens there.
    pub fn is_taken(&self) -> bool {
        self.error.kind() == io::ErrorKind::AddrInUse
    }
}

/// Listening sockets for each data thread at an address, and that address. Passed sockets are used
/// if there are any.
///
/// # Errors
/// The system refused.
pub fn open(
    address: SocketAddr,
    threads: usize,
    handed: &mut Handed,
) -> Result<(SocketAddr, Vec<Vec<TcpListener>>), ListenError> {
    let fits = |socket: &TcpListener, wanted: SocketAddr| {
        socket.local_addr().is_ok_and(|local| {
            local.ip() == wanted.ip() && (wanted.port() == 0 || local.port() == wanted.port())
        })
    };
    let first =
        handed.0.iter().find(|socket| fits(socket, address)).and_then(|socket| socket.local_addr().ok());
    let Some(address) = first else { return make(address, threads) };
    let (ours, others) = std::mem::take(&mut handed.0).into_iter().partition(|socket| fits(socket, address));
    handed.0 = others;
    let of_threads = share(ours, threads).map_err(|error| ListenError::new(address, error))?;
    Ok((address, of_threads))
}

fn make(address: SocketAddr, threads: usize) -> Result<(SocketAddr, Vec<Vec<TcpListener>>), ListenError> {
    // The first socket does not share its address, so that a running gateway is detected: with
    // SO_REUSEPORT the kernel would distribute connections between both.
    let alone = listen(address, false)?;
    let address = alone.local_addr().map_err(|error| ListenError::new(address, error))?;
    if threads == 1 {
        return Ok((address, vec![vec![alone]]));
    }
    drop(alone);
    let sockets =
        (0..threads).map(|_| Ok(vec![listen(address, true)?])).collect::<Result<_, ListenError>>()?;
    Ok((address, sockets))
}

/// Distributes sockets among threads: every socket has a thread, and every thread a socket; a
/// thread may have several, and several threads may share one.
fn share(sockets: Vec<TcpListener>, threads: usize) -> std::io::Result<Vec<Vec<TcpListener>>> {
    let mut of_threads: Vec<Vec<TcpListener>> = Vec::new();
    for number in 0..threads {
        let shared = sockets.get(number % sockets.len().max(1)).filter(|_| number >= sockets.len());
        of_threads.push(shared.map(TcpListener::try_clone).transpose()?.into_iter().collect());
    }
    for (number, socket) in sockets.into_iter().enumerate() {
        socket.set_nonblocking(true)?;
        if let Some(thread) = of_threads.get_mut(number % threads.max(1)) {
            thread.push(socket);
        }
    }
    Ok(of_threads)
}

/// Listens. `is_shared`: others may listen on the same address.
///
/// # Errors
/// The system refused.
pub fn listen(address: SocketAddr, is_shared: bool) -> Result<TcpListener, ListenError> {
    use socket2::{Domain, Socket, Type};
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        if is_shared {
            socket.set_reuse_port(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    open().map_err(|error: io::Error| ListenError::new(address, error))
}

fn advice(kind: io::ErrorKind) -> &'static str {
    if kind == io::ErrorKind::AddrInUse {
        "; another program listens there: stop it, or choose another [listen] address"
    } else if kind == io::ErrorKind::PermissionDenied {
        "; ports below 1024 are privileged: choose a higher one, or grant CAP_NET_BIND_SERVICE"
    } else if kind == io::ErrorKind::AddrNotAvailable {
        "; no network interface of this machine has that address"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sockets(count: usize) -> Vec<TcpListener> {
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect()
    }

    #[test]
    fn every_socket_is_accepted_from_and_every_thread_accepts() {
        for (count, threads) in [(1, 1), (1, 4), (4, 2), (3, 3), (5, 3)] {
            let sockets = sockets(count);
            let addresses: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
            let shared = share(sockets, threads).unwrap();
            assert_eq!(shared.len(), threads);
            assert!(shared.iter().all(|of_thread| !of_thread.is_empty()), "{count} for {threads}");
            for address in addresses {
                let is_there = |socket: &TcpListener| socket.local_addr().unwrap() == address;
                assert!(shared.iter().flatten().any(is_there), "{count} for {threads}");
            }
        }
    }

    #[test]
    fn only_sockets_of_the_address_are_taken() {
        let mut handed = Handed(sockets(2));
        let wanted = handed.0[1].local_addr().unwrap();
        let (address, shared) = open(wanted, 1, &mut handed).unwrap();
        assert_eq!((address, shared.len(), handed.0.len()), (wanted, 1, 1));
        assert_ne!(handed.0[0].local_addr().unwrap(), wanted);
    }
}
