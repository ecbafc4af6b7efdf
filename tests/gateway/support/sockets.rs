//! The kernel's view of TCP connections on this machine: whether the peer has read what was sent to it.

use super::eventually;
use std::net::{SocketAddr, TcpStream};

/// Bytes in the kernel's buffers of this connection's peer: those that it has not read, and those that our side
/// has not received.
pub(crate) fn held_by_peer(stream: &TcpStream) -> (u64, u64) {
    let (ours, theirs) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let line = table.lines().find(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next() == Some(&hex(theirs)) && words.next() == Some(&hex(ours))
    });
    let Some(queues) = line.and_then(|line| line.split_whitespace().nth(4)) else { return (0, 0) };
    let (sending, receiving) = queues.split_once(':').unwrap();
    let number = |digits| u64::from_str_radix(digits, 16).unwrap();
    (number(receiving), number(sending))
}

/// Waits until the peer can send no more, because nothing reads here.
#[track_caller]
pub(crate) fn wait_until_nothing_moves(stream: &TcpStream) {
    let (mut before, mut looks) = ((0, 0), 0);
    eventually("the responses no longer advance", || {
        let held = held_by_peer(stream);
        looks = if held == before && held.1 > 0 { looks + 1 } else { 0 };
        before = held;
        (looks > 30).then_some(())
    });
}

fn hex(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else { panic!("{address} is not IPv4") };
    format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port())
}
