//! HTTP/2 clients: each sends several requests at once, so that responses end in the same writes, and a kill hits them
//! together.

use crate::{
    clients::Client,
    deeds::{Deed, Wish},
    peer::{
        ACK, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PREFACE, Peer, RST_STREAM, SETTINGS,
        begun, block, frame,
    },
    support::{Answer, Headers, wire::Ended},
};
use std::{collections::BTreeMap, time::Duration};

/// Concurrent requests of a client: more than end in one write.
const AT_ONCE: usize = 12;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_WINDOW: u32 = 0x7fff_ffff;
const DEFAULT_WINDOW: u32 = 65_535;

/// A request in flight.
struct Asked {
    wish: Wish,
    /// The key's place.
    key: usize,
    answer: Option<Answer>,
}

impl Client<'_> {
    /// Sends requests on one connection until it ends, or the gateway is dead.
    pub(crate) fn ask_by_streams(&mut self, mut peer: Peer) {
        peer.write(PREFACE);
        peer.settings(&[(INITIAL_WINDOW_SIZE, MAX_WINDOW)]);
        peer.open_window(0, MAX_WINDOW - DEFAULT_WINDOW);
        for first in (1..).step_by(2 * AT_ONCE) {
            if self.is_killed() {
                return;
            }
            let mut asked = self.ask_for_several(&mut peer, first);
            if self.random.u8(..4) == 0 {
                // The responses accumulate meanwhile.
                std::thread::park_timeout(Duration::from_millis(5));
            }
            while !asked.is_empty() {
                match peer.try_next() {
                    Ok(frame) => self.take(&mut peer, frame, &mut asked),
                    Err(ended) => return self.give_up(asked, ended),
                }
            }
        }
    }

    fn ask_for_several(&mut self, peer: &mut Peer, first: u32) -> BTreeMap<u32, Asked> {
        let mut bytes = Vec::new();
        let mut asked = BTreeMap::new();
        for stream in (first..).step_by(2).take(AT_ONCE) {
            let mut wish = Wish::random(&mut self.random);
            // Streams that wait long would hold up the others of their dozen.
            while matches!(wish.deed, Deed::Silence | Deed::Slow) {
                wish = Wish::random(&mut self.random);
            }
            let (place, key) = self.choose_key();
            self.seen.requests += 1;
            let request = wish.request.clone().key(&key);
            let pseudo = [
                (":method", request.method()),
                (":scheme", "http"),
                (":path", request.target()),
                (":authority", "api.example.com"),
            ];
            let lower: Vec<(String, &str)> = request
                .fields()
                .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect();
            let fields = pseudo.into_iter().chain(lower.iter().map(|(name, value)| (name.as_str(), *value)));
            let ends = if request.content().is_empty() { END_STREAM } else { 0 };
            let head = block(&fields.collect::<Vec<_>>());
            bytes.extend(frame(HEADERS, END_HEADERS | ends, stream, &head));
            if ends == 0 {
                bytes.extend(frame(DATA, END_STREAM, stream, request.content()));
            }
            asked.insert(stream, Asked { wish, key: place, answer: None });
        }
        peer.write(&bytes);
        asked
    }

    fn take(&mut self, peer: &mut Peer, frame: Frame, asked: &mut BTreeMap<u32, Asked>) {
        match frame.kind {
            SETTINGS if frame.flags == 0 => {
                peer.send(SETTINGS, ACK, 0, &[]);
            }
            // The end of the connection decides the fate of the rest.
            GOAWAY if self.is_killed() => {}
            HEADERS | DATA | RST_STREAM => self.take_of_stream(peer, frame, asked),
            _ if frame.stream == 0 && frame.kind != GOAWAY => {}
            _ => self.seen.odd.push(format!("{frame:?}")),
        }
    }

    fn take_of_stream(&mut self, peer: &mut Peer, frame: Frame, asked: &mut BTreeMap<u32, Asked>) {
        let fields = (frame.kind == HEADERS).then(|| peer.decode(&frame.payload));
        let Some(one) = asked.get_mut(&frame.stream) else {
            // An answered stream may still be reset: the rest of its request is not needed.
            if frame.kind != RST_STREAM {
                self.seen.odd.push(format!("of no stream: {frame:?}"));
            }
            return;
        };
        match (fields, &mut one.answer) {
            (Some(fields), answer @ None) => *answer = Some(begun(fields)),
            (Some(fields), Some(answer)) => answer.trailers = Headers(fields),
            (None, Some(answer)) if frame.kind == DATA => answer.body.extend_from_slice(&frame.payload),
            (None, Some(answer)) => answer.cut = Some(Ended::Reset),
            (None, None) => {
                self.seen.odd.push(format!("before its head: {frame:?}"));
                asked.remove(&frame.stream);
                return;
            }
        }
        if frame.kind == RST_STREAM || frame.flags & END_STREAM != 0 {
            let one = asked.remove(&frame.stream).expect("it was here");
            let answer = one.answer.expect("it has begun");
            if answer.is_whole() && answer.status < 300 {
                self.strike();
            }
            self.judge(&one.wish, one.key, &answer);
        }
    }

    /// The connection has ended: what was in flight on it has no response, or half of one.
    fn give_up(&mut self, asked: BTreeMap<u32, Asked>, ended: Ended) {
        for one in asked.into_values() {
            match one.answer {
                None => self.unanswered(&one.wish, ended),
                Some(answer) => self.judge(&one.wish, one.key, &Answer { cut: Some(ended), ..answer }),
            }
        }
    }
}
