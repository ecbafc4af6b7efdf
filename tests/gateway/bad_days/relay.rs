//! A relay between gateways and a server, which holds back what the server says, or says it otherwise. Kernels without
//! `netem` cannot slow a link down.

use crate::network::TEST;
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

#[derive(Clone)]
pub(crate) struct Relay {
    pub(crate) address: String,
    ways: Arc<Mutex<Ways>>,
}

/// What happens to what the server says.
#[derive(Default)]
struct Ways {
    delay: Duration,
    /// Text, and what is said in its place, of the same length.
    otherwise: Option<(&'static str, &'static str)>,
    open: Vec<TcpStream>,
}

impl Relay {
    /// A relay to a server at this address.
    pub(crate) fn to(server: String) -> Self {
        let listener = TcpListener::bind((TEST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let relay = Self { address, ways: Arc::default() };
        let ways = Arc::clone(&relay.ways);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                let Ok(server) = TcpStream::connect(&server) else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                ways.lock().unwrap().open.push(client.try_clone().unwrap());
                carry(client, server, &ways);
            }
        });
        relay
    }

    /// Each word of the server comes so much later.
    pub(crate) fn delay(&self, delay: Duration) {
        self.ways.lock().unwrap().delay = delay;
    }

    /// The server says something else in place of a text. Connections begin anew.
    pub(crate) fn say_otherwise(&self, otherwise: Option<(&'static str, &'static str)>) {
        let mut ways = self.ways.lock().unwrap();
        ways.otherwise = otherwise;
        for stream in ways.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn carry(client: TcpStream, server: TcpStream, ways: &Arc<Mutex<Ways>>) {
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (sender, words) = mpsc::channel();
    thread::spawn(move || deliver(client, &words));
    let (mut server, ways) = (server, Arc::clone(ways));
    thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = server.read(&mut bytes) {
            let ways = ways.lock().unwrap();
            let (due, otherwise) = (Instant::now() + ways.delay, ways.otherwise);
            drop(ways);
            if sender.send((due, told(&bytes[..count], otherwise))).is_err() {
                return;
            }
        }
    });
}

fn deliver(mut client: TcpStream, words: &Receiver<(Instant, Vec<u8>)>) {
    for (due, word) in words {
        #[expect(clippy::disallowed_methods, reason = "a delay is what a slow server is")]
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if client.write_all(&word).is_err() {
            return;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

fn told(bytes: &[u8], otherwise: Option<(&str, &str)>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some((text, other)) = otherwise {
        assert_eq!(text.len(), other.len());
        for at in 0..bytes.len() {
            if bytes[at..].starts_with(text.as_bytes()) {
                bytes[at..at + text.len()].copy_from_slice(other.as_bytes());
            }
        }
    }
    bytes
}
