//! Tells the service manager how the start and the end go on (`Type=notify` of systemd), if it wants to know.

use std::{
    env,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
};

/// Sends one state, such as `READY=1`. Nobody may be there to hear it.
pub(super) fn tell(state: &str) {
    let Ok(place) = env::var("NOTIFY_SOCKET") else { return };
    let address = match place.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&place),
    };
    // With the number of the process: after a succession the manager would go on looking at the old one.
    let message = format!("MAINPID={}\n{state}\n", std::process::id());
    if let (Ok(address), Ok(socket)) = (address, UnixDatagram::unbound()) {
        let _ = socket.send_to_addr(message.as_bytes(), &address);
    }
}
