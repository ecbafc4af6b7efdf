//! A client at the level of frames: sends what the test chooses, reads strictly.

use crate::support::{
    AUTHORITY, Answer, Framing, Headers, Key,
    client::session,
    request::HOST,
    wire::{Ended, Wire},
};
use http2::hpack::Decoder;
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpStream},
};

pub(crate) use crate::support::http2::*;

/// The expected reaction to what a client did.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    /// GOAWAY with one of these codes, and the end of the connection.
    Connection(&'static [u32]),
    /// RST_STREAM with one of these codes on this stream, and the connection continues.
    Stream(u32, &'static [u32]),
    /// An answer with 400 on this stream, then RST_STREAM with PROTOCOL_ERROR, and the connection continues.
    Malformed(u32),
    /// A whole answer on this stream, and the connection continues.
    Answered(u32),
    /// The connection continues.
    GoesOn,
}

pub(crate) struct Peer {
    pub(crate) wire: Wire,
    ahead: Vec<u8>,
    decoder: Decoder,
    /// Frames of other streams, kept while waiting for one.
    kept: Vec<Frame>,
    /// Reopens windows as data arrives.
    pub(crate) is_generous: bool,
    pub(crate) settings: BTreeMap<u16, u32>,
}

/// Fields as the block of a HEADERS frame, each a literal.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    let string = |text: &str, block: &mut Vec<u8>| {
        let mut length = text.len();
        if length < 127 {
            block.push(length as u8);
        } else {
            block.push(127);
            length -= 127;
            while length >= 128 {
                block.push((length % 128) as u8 | 128);
                length /= 128;
            }
            block.push(length as u8);
        }
        block.extend_from_slice(text.as_bytes());
    };
    for (name, value) in fields {
        block.push(0);
        string(name, &mut block);
        string(value, &mut block);
    }
    block
}

/// The pseudo-header fields of a request, and more.
pub(crate) fn request<'a>(method: &'a str, path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<u8> {
    let pseudo =
        [(":method", method), (":scheme", "http"), (":path", path), (":authority", "api.example.com")];
    block(&[&pseudo[..], more].concat())
}

/// A response of which only the head has arrived.
pub(crate) fn begun(mut fields: Vec<(String, String)>) -> Answer {
    assert_eq!(fields[0].0, ":status");
    let status = fields.remove(0).1.parse().unwrap();
    assert!(fields.iter().all(|(name, _)| *name == name.to_ascii_lowercase()), "{fields:?}");
    Answer {
        version: "HTTP/2".into(),
        status,
        reason: String::new(),
        headers: Headers(fields),
        body: Vec::new(),
        trailers: Headers::default(),
        framing: Framing::Length(0),
        cut: None,
        interim: Vec::new(),
    }
}

/// A plain request, which gets an error of the gateway: it has no key.
pub(crate) fn plain() -> Vec<u8> {
    request("GET", "/items/7", &[])
}

impl Peer {
    /// A connection on which nothing was sent yet.
    pub(crate) fn silent(address: SocketAddr) -> Self {
        Self::on(Wire::new(TcpStream::connect(address).unwrap()))
    }

    /// A TLS connection that has negotiated HTTP/2, and on which nothing was sent yet.
    pub(crate) fn silent_over_tls(address: SocketAddr) -> Self {
        let mut config = AUTHORITY.client(None);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let mut wire = Wire::new(TcpStream::connect(address).unwrap()).under_tls(session(config, HOST));
        wire.shake_hands().unwrap();
        Self::on(wire)
    }

    pub(crate) fn on(wire: Wire) -> Self {
        Self {
            wire,
            ahead: Vec::new(),
            decoder: Decoder::new(1 << 20),
            kept: Vec::new(),
            is_generous: true,
            settings: BTreeMap::new(),
        }
    }

    /// A connection on which both sides have sent their prefaces.
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::with_settings(address, &[])
    }

    pub(crate) fn open_over_tls(address: SocketAddr) -> Self {
        Self::silent_over_tls(address).greeted(&[])
    }

    pub(crate) fn with_settings(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        Self::silent(address).greeted(settings)
    }

    fn greeted(self, settings: &[(u16, u32)]) -> Self {
        let mut peer = self;
        peer.write(PREFACE);
        peer.settings(settings);
        let greeting = peer.next().expect("a greeting");
        assert_eq!((greeting.kind, greeting.flags, greeting.stream), (SETTINGS, 0, 0));
        for setting in greeting.payload.chunks(6) {
            let id = u16::from_be_bytes(setting[..2].try_into().unwrap());
            peer.settings.insert(id, u32::from_be_bytes(setting[2..].try_into().unwrap()));
        }
        peer.send(SETTINGS, ACK, 0, &[]);
        // The rest of the preface: the acknowledgement, and the connection's window.
        while peer.next().expect("a greeting").kind != SETTINGS {}
        peer
    }

    /// A server may have closed already: the test examines what it sent.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        self.wire.write(bytes)
    }

    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.write(&frame(kind, flags, stream, payload))
    }

    /// Sends a frame; the connection may be closed already.
    pub(crate) fn try_send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.send(kind, flags, stream, payload);
    }

    pub(crate) fn settings(&mut self, values: &[(u16, u32)]) {
        self.send(SETTINGS, 0, 0, &settings(values));
    }

    pub(crate) fn reset(&mut self, stream: u32, code: u32) {
        self.send(RST_STREAM, 0, stream, &code.to_be_bytes());
    }

    pub(crate) fn open_window(&mut self, stream: u32, by: u32) {
        self.send(WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
    }

    /// A request without a body.
    pub(crate) fn ask(&mut self, stream: u32, method: &str, path: &str, more: &[(&str, &str)]) {
        self.send(HEADERS, END_STREAM | END_HEADERS, stream, &request(method, path, more));
    }

    pub(crate) fn get(&mut self, stream: u32, path: &str, key: &Key) -> Answer {
        self.ask(stream, "GET", path, &[("x-api-key", &key.key)]);
        self.answer(stream)
    }

    /// The next frame. None: the connection has ended.
    pub(crate) fn try_next(&mut self) -> Result<Frame, Ended> {
        loop {
            if let Some(head) = self.ahead.first_chunk::<9>() {
                let (mut frame, length) = Frame::of_head(head);
                if self.ahead.len() >= 9 + length {
                    frame.payload = self.ahead.drain(..9 + length).skip(9).collect();
                    return Ok(frame);
                }
            }
            self.ahead.extend(self.wire.some()?);
        }
    }

    pub(crate) fn next(&mut self) -> Option<Frame> {
        let frame = self.try_next();
        assert_ne!(frame, Err(Ended::Silent), "the gateway sends nothing");
        frame.ok()
    }

    /// The next frame of a stream, or of the connection's end. Those of other streams are kept.
    pub(crate) fn next_of(&mut self, stream: u32) -> Option<Frame> {
        if let Some(place) = self.kept.iter().position(|frame| frame.stream == stream) {
            return Some(self.kept.remove(place));
        }
        loop {
            let frame = self.next()?;
            if frame.kind == DATA && self.is_generous && !frame.payload.is_empty() {
                let by = frame.payload.len() as u32;
                self.open_window(0, by);
                self.open_window(frame.stream, by);
            }
            match frame.kind {
                GOAWAY => return Some(frame),
                _ if frame.stream == stream => return Some(frame),
                _ => self.kept.push(frame),
            }
        }
    }

    /// The fields of a received block. Each must be decoded once, in the order of arrival.
    pub(crate) fn decode(&mut self, block: &[u8]) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = self.decoder.decode(block).expect("a block that can be decoded");
        fields.iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// A whole response on a stream, or as much as arrived before it was reset (`cut`).
    #[track_caller]
    pub(crate) fn answer(&mut self, stream: u32) -> Answer {
        self.try_answer(stream).unwrap_or_else(|| panic!("no answer on stream {stream}"))
    }

    pub(crate) fn try_answer(&mut self, stream: u32) -> Option<Answer> {
        let mut answer: Option<Answer> = None;
        let mut interim = Vec::new();
        loop {
            let frame = self.next_of(stream);
            if !matches!(&frame, Some(frame) if frame.kind != GOAWAY && frame.kind != RST_STREAM) {
                println!("the stream ended: {frame:?}");
            }
            if let Some(frame) = &frame
                && frame.kind == GOAWAY
                && frame.payload[4..8] == NO_ERROR.to_be_bytes()
                && u32::from_be_bytes(frame.payload[..4].try_into().unwrap()) >= stream
            {
                continue; // it still gets a response
            }
            let frame = frame.filter(|frame| frame.kind != GOAWAY);
            let Some(frame) = frame.filter(|frame| frame.kind != RST_STREAM) else {
                let mut answer = answer?;
                answer.cut = Some(Ended::Reset);
                return Some(answer);
            };
            match (frame.kind, &mut answer) {
                (HEADERS, None) => {
                    assert!(frame.flags & END_HEADERS != 0);
                    let begun = begun(self.decode(&frame.payload));
                    if begun.status < 200 {
                        interim.push((begun.status, begun.headers));
                        continue;
                    }
                    answer = Some(Answer { interim: std::mem::take(&mut interim), ..begun });
                }
                (HEADERS, Some(answer)) => answer.trailers = Headers(self.decode(&frame.payload)),
                (DATA, Some(answer)) => answer.body.extend_from_slice(&frame.payload),
                (WINDOW_UPDATE, _) => continue,
                (_, _) => panic!("not of an answer: {frame:?}"),
            }
            if frame.flags & END_STREAM != 0 {
                let mut answer = answer.expect("a head");
                answer.framing = Framing::Length(answer.body.len());
                return Some(answer);
            }
        }
    }

    /// Whether unexpected frames of this stream arrived.
    pub(crate) fn has_kept(&self, stream: u32) -> bool {
        self.kept.iter().any(|frame| frame.stream == stream)
    }

    /// Sends a PING and waits for its acknowledgement; what arrives before is kept.
    pub(crate) fn ping(&mut self) -> bool {
        self.send(PING, 0, 0, b"8 bytes!");
        loop {
            match self.try_next() {
                Ok(frame) if frame.kind == PING && frame.flags == ACK && frame.payload == b"8 bytes!" => {
                    return true;
                }
                Ok(frame) if frame.kind == GOAWAY => return false,
                Ok(frame) if frame.stream != 0 => self.kept.push(frame),
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// The code that the connection ends with. None: it continues, or ends without one.
    pub(crate) fn goaway(&mut self) -> Option<u32> {
        loop {
            let frame = self.try_next().ok()?;
            if frame.kind == GOAWAY {
                return Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()));
            }
        }
    }

    pub(crate) fn expect(&mut self, expect: &Expect) -> Result<(), String> {
        match *expect {
            Expect::Connection(codes) => {
                let code = self.goaway();
                if !code.is_some_and(|code| codes.contains(&code)) {
                    return Err(format!("the connection ended with {code:?}"));
                }
                match self.try_next() {
                    Err(Ended::Closed | Ended::Reset) => Ok(()),
                    other => Err(format!("{other:?} after GOAWAY")),
                }
            }
            Expect::Stream(stream, codes) => loop {
                match self.next_of(stream) {
                    Some(frame) if frame.kind == RST_STREAM => {
                        let code = u32::from_be_bytes(frame.payload[..].try_into().unwrap());
                        if !codes.contains(&code) {
                            return Err(format!("the stream was reset with {code}"));
                        }
                        return self.goes_on();
                    }
                    Some(frame) if frame.kind == GOAWAY => return Err(format!("came {frame:?}")),
                    Some(_) => {}
                    None => return Err("the connection ended".into()),
                }
            },
            Expect::Malformed(stream) => {
                let answer = self.try_answer(stream).ok_or("no response")?;
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                if answer.status != 400 || answer.cut.is_some() || !text.contains("REQUEST_MALFORMED") {
                    return Err(format!("came {answer:?}"));
                }
                self.expect(&Expect::Stream(stream, &[PROTOCOL_ERROR]))
            }
            Expect::Answered(stream) => {
                let answer = self.try_answer(stream).ok_or("no response")?;
                if answer.cut.is_some() { Err(format!("came {answer:?}")) } else { self.goes_on() }
            }
            Expect::GoesOn => self.goes_on(),
        }
    }

    fn goes_on(&mut self) -> Result<(), String> {
        if self.ping() { Ok(()) } else { Err("the connection does not continue".into()) }
    }
}
