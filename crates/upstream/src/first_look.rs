//! Whether a server listens at an address, before the first request needs it.
//!
//! The check must not have side effects: a server on this machine is looked up among the listening
//! sockets, because it might log, count or wait for a connection without a request. Elsewhere a
//! connection is opened and closed.

use super::{backend::Backend, dial::resolved};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::net::TcpStream;
use transport::deadline::within;

/// Checks. The error, that no server is there, is for the operator.
pub async fn look(backend: &Backend, timeout: Duration) -> Result<(), String> {
    let found = within(timeout, async {
        let resolved = resolved(backend).await?;
        let mut reason = "the name has no address".to_owned();
        for address in &resolved.addresses {
            match is_there(*address).await {
                Ok(()) => return Ok(()),
                Err(why) => reason = format!("no connection to {address}: {why}"),
            }
        }
        Err(reason)
    });
    found.await.unwrap_or_else(|| Err(format!("no connection within {timeout:?}")))
}

async fn is_there(address: SocketAddr) -> Result<(), String> {
    if !address.ip().is_loopback() {
        return TcpStream::connect(address).await.map(drop).map_err(|error| error.to_string());
    }
    // Without these files it is unknown, and the first request will show it.
    let Ok(sockets) = std::fs::read_to_string("/proc/net/tcp") else { return Ok(()) };
    let further = std::fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    if listens(address, sockets.lines().chain(further.lines())) {
        Ok(())
    } else {
        Err("nothing listens there".to_owned())
    }
}

/// Whether one of these lines (proc_pid_net(5)) is a socket that accepts connections to this address.
fn listens<'l>(address: SocketAddr, mut lines: impl Iterator<Item = &'l str>) -> bool {
    let any = match address.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    // An IPv6 socket accepts IPv4 connections too.
    let mapped = match address.ip() {
        IpAddr::V4(own) => own.to_ipv6_mapped(),
        IpAddr::V6(own) => own,
    };
    let both = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let wanted = [address.ip(), any, IpAddr::V6(mapped), both]
        .map(|ip| format!("{}:{:04X}", hexadecimal(ip), address.port()));
    lines.any(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (local, state) = (words.next().unwrap_or_default(), words.nth(1));
        state == Some(LISTEN) && wanted.iter().any(|wanted| wanted == local)
    })
}

const LISTEN: &str = "0A";

/// An address in the format of that file: words in native byte order.
fn hexadecimal(ip: IpAddr) -> String {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = octets.chunks_exact(4).filter_map(|word| <[u8; 4]>::try_from(word).ok());
    words.map(|word| format!("{:08X}", u32::from_ne_bytes(word))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn is_there(address: SocketAddr) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(super::is_there(address)).is_ok()
    }

    #[test]
    fn a_server_of_this_machine_is_found_however_it_listens_without_a_connection() {
        for (listens, asked) in [
            ("127.0.0.1:0", "127.0.0.1"),
            ("0.0.0.0:0", "127.0.0.1"),
            ("[::]:0", "127.0.0.1"),
            ("[::]:0", "::1"),
            ("[::1]:0", "::1"),
        ] {
            let Ok(listener) = TcpListener::bind(listens) else { continue };
            let address = SocketAddr::new(asked.parse().unwrap(), listener.local_addr().unwrap().port());
            assert!(is_there(address), "{listens} {asked}");
            listener.set_nonblocking(true).unwrap();
            assert!(listener.accept().is_err(), "{listens} {asked}");
            drop(listener);
            assert!(!is_there(address), "{listens} {asked}");
        }
    }
}
