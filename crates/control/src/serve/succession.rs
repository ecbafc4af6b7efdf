//! Sockets that listen before this gateway does: those of a service manager, or of the gateway whose place it takes.
//!
//! One gateway after the other has the store, so that no limit is ever counted twice: the old one drains, saves
//! and ends, then the new one opens the store. Meanwhile whoever connects waits in the queues of the sockets,
//! which no moment has closed.

use crate::{
    Place, Sockets,
    failure::Failure,
    transport::unix::{Handover, Old, ask_for_sockets},
};
use gateway::record::{Level, LogSink};
use listenfd::ListenFd;
use std::{
    env,
    net::{SocketAddr, TcpListener},
};

/// The sockets that are there already, and the gateway that has to end before the store is opened.
pub(super) fn sockets(
    takes_over: bool,
    wanted_admin: Option<SocketAddr>,
    wanted: Vec<SocketAddr>,
    place: &Place,
    log: &LogSink,
) -> Result<(Sockets, Option<Old>), Failure> {
    let mut of_manager = of_manager()?;
    if !of_manager.is_empty() || !takes_over {
        let is_admin = |socket: &TcpListener| socket.local_addr().ok() == wanted_admin;
        let admin = of_manager.iter().position(is_admin).map(|place| of_manager.remove(place));
        return Ok((Sockets { requests: of_manager, admin }, None));
    }
    let asked = ask_for_sockets(place, wanted).map_err(|error| {
        Failure::new(format!("the running gateway did not hand over ({error}), and goes on"))
    })?;
    let Some(Handover { sockets, old }) = asked else {
        log.event(Level::Info, "nothing to take over", &[("reason", "no gateway runs on this store")]);
        return Ok((Sockets::default(), None));
    };
    Ok((sockets, Some(old)))
}

/// Waits until the old gateway has ended.
pub(super) fn wait(old: Old, log: &LogSink) -> Result<(), Failure> {
    log.event(Level::Info, "taking over", &[("waits_for", "the end of the running gateway")]);
    old.wait().map_err(|error| Failure::new(format!("cannot see the old gateway end: {error}")))
}

/// What systemd opened for us: `LISTEN_FDS` descriptors from 3 on, if `LISTEN_PID` means us. Without that variable they may
/// be meant for whoever started us.
fn of_manager() -> Result<Vec<TcpListener>, Failure> {
    let process = env::var("LISTEN_PID").ok().and_then(|text| text.parse::<u32>().ok());
    if process != Some(std::process::id()) {
        return Ok(Vec::new());
    }
    let mut handed = ListenFd::from_env();
    let mut sockets = Vec::new();
    for number in 0..handed.len() {
        let socket = handed.take_tcp_listener(number);
        let fail =
            |error| Failure::new(format!("what the service manager handed over cannot be used: {error}"));
        sockets.extend(socket.map_err(fail)?);
    }
    Ok(sockets)
}
