//! Handing the listening sockets over to the gateway that takes the place of this one.
//!
//! An answer tells how many follow; then each comes with one byte. The connection stays open until the old
//! process has ended: its end is how the new one knows that the store is free, whatever the old one died of.

use super::{
    client::AskError,
    place::{FoundBy, Place},
};
use crate::{error::Refused, sockets::Sockets};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    net::{SocketAddr, TcpListener},
    os::{fd::AsFd, unix::net::UnixStream},
    time::Duration,
};

/// So long the old gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// More sockets than any gateway has.
const MOST: usize = 4096;

/// The gateway that hands over. It has ended once this is at its end.
pub(crate) struct Old(UnixStream);

/// What begins the handing over.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// Hand the listening sockets over, drain and end. What is sent behind the answer is no JSON.
    HandOver {
        /// Where the next gateway will listen.
        #[serde(default)]
        addresses: Vec<SocketAddr>,
    },
}

/// So many sockets follow.
#[derive(Serialize, Deserialize)]
pub(super) struct HandedOver {
    /// How many.
    pub(super) sockets: usize,
    /// The address of the one among them that `[admin] address` is served on.
    #[serde(default)]
    pub(super) admin: Option<SocketAddr>,
}

/// Sends a socket to whoever asked. The stream has to block.
pub(super) fn send(stream: &UnixStream, socket: &TcpListener) -> io::Result<()> {
    let fds = [socket.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(stream, &[IoSlice::new(b"s")], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// What the old gateway hands over.
pub(crate) struct Handover {
    /// Its sockets.
    pub(crate) sockets: Sockets,
    /// The gateway.
    pub(crate) old: Old,
}

/// Asks the gateway that runs there for its sockets. `addresses`: where the one that asks will listen. None: no gateway runs
/// there.
///
/// # Errors
/// Why it did not hand them over. Then it goes on.
pub(crate) fn ask_for_sockets(place: &Place, addresses: Vec<SocketAddr>) -> io::Result<Option<Handover>> {
    let found = place.connect().map_err(|error| io::Error::other(AskError::from(error)))?;
    let Some((mut stream, by)) = found else { return Ok(None) };
    if by == FoundBy::Config {
        // Its keys and counters are elsewhere.
        return Err(io::Error::other(
            "its store is in another folder, and a hot restart stays on one store: change `[store] path` back, or stop it \
             and start this one",
        ));
    }
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = serde_json::to_vec(&Request::HandOver { addresses })?;
    request.push(b'\n');
    stream.write_all(&request)?;
    let answer: Result<HandedOver, Refused> = serde_json::from_slice(&read_line(&mut stream)?)?;
    let HandedOver { sockets, admin } = answer.map_err(io::Error::other)?;
    let mut sockets = (0..sockets.min(MOST)).map(|_| receive(&stream)).collect::<io::Result<Vec<_>>>()?;
    let is_admin = |socket: &TcpListener| admin.is_some() && socket.local_addr().ok() == admin;
    let admin = sockets.iter().position(is_admin).map(|place| sockets.remove(place));
    Ok(Some(Handover { sockets: Sockets { requests: sockets, admin }, old: Old(stream) }))
}

/// Byte by byte: what comes behind the line has sockets with it that a larger read would lose.
fn read_line(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.last() != Some(&b'\n') && line.len() < 64 << 10 {
        stream.read_exact(&mut byte)?;
        line.extend_from_slice(&byte);
    }
    Ok(line)
}

fn receive(stream: &UnixStream) -> io::Result<TcpListener> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(stream, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    // What else the system may tell beside the byte is nothing that was asked for.
    let socket = control.drain().find_map(|message| {
        if let RecvAncillaryMessage::ScmRights(mut sockets) = message { sockets.next() } else { None }
    });
    socket.map(TcpListener::from).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

impl Old {
    /// Waits until the process has ended.
    pub(crate) fn wait(mut self) -> io::Result<()> {
        self.0.set_read_timeout(None)?;
        let mut rest = [0; 16];
        while self.0.read(&mut rest)? > 0 {}
        Ok(())
    }
}
