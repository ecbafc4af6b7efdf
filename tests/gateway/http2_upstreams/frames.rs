//! An upstream at the level of frames, which can send what no library would.

use crate::support::wire::PATIENCE;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

pub(crate) use crate::support::http2::*;

/// `:status: 200` of the static table.
pub(crate) const OK: &[u8] = &[0x88];

/// One connection of the gateway's.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    /// Which connection this is, from 0.
    pub(crate) number: usize,
}

pub(crate) struct Frames {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Frames {
    /// Serves each connection on a thread of its own, once both sides have exchanged prefaces with these settings.
    pub(crate) fn serve(
        settings: &'static [(u16, u32)],
        script: impl Fn(&mut Peer) -> Option<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (counted, script) = (Arc::clone(&connections), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&script);
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    stream.set_nodelay(true).unwrap();
                    let mut peer = Peer { stream, number };
                    peer.greet(settings).and_then(|()| script(&mut peer))
                });
            }
        });
        Self { address, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// None, wherever it is returned: the gateway has closed the connection.
impl Peer {
    fn greet(&mut self, values: &[(u16, u32)]) -> Option<()> {
        let mut preface = [0; 24];
        self.stream.read_exact(&mut preface).ok()?;
        assert_eq!(preface, *PREFACE);
        self.send(SETTINGS, 0, 0, &settings(values))?;
        self.send(SETTINGS, ACK, 0, &[])
    }

    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Option<()> {
        self.write(&frame(kind, flags, stream, payload))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.stream.write_all(bytes).ok()
    }

    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).ok()?;
        let (mut frame, length) = Frame::of_head(&head);
        frame.payload.resize(length, 0);
        self.stream.read_exact(&mut frame.payload).ok()?;
        Some(frame)
    }

    /// The next frame of this kind.
    pub(crate) fn wait_for(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// The stream of the next request.
    pub(crate) fn request(&mut self) -> Option<u32> {
        self.wait_for(HEADERS).map(|frame| frame.stream)
    }

    /// A whole answer of 200.
    pub(crate) fn answer(&mut self, stream: u32, body: &[u8]) -> Option<()> {
        self.send(HEADERS, END_HEADERS, stream, OK)?;
        self.send(DATA, END_STREAM, stream, body)
    }

    pub(crate) fn reset(&mut self, stream: u32, code: u32) -> Option<()> {
        self.send(RST_STREAM, 0, stream, &code.to_be_bytes())
    }

    pub(crate) fn go_away(&mut self, last: u32, code: u32) -> Option<()> {
        self.send(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
    }

    /// Reads until the gateway has closed, and returns the code of its GOAWAY.
    pub(crate) fn end(&mut self) -> Option<u32> {
        let frame = self.wait_for(GOAWAY)?;
        Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()))
    }
}
