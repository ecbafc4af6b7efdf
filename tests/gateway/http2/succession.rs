//! Hot restarts while HTTP/2 clients send requests, with TLS and without: every stream that GOAWAY does not return
//! is answered, and counted once.

use crate::{
    peer::{
        ACK, DATA, END_STREAM, GOAWAY, HEADERS, NO_ERROR, PREFACE, Peer, REFUSED_STREAM, RST_STREAM, SETTINGS,
    },
    support::{Config, Gateway, Key, Upstream, eventually, gateway::Home},
};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Streams that a client has open at once.
const AT_ONCE: usize = 4;

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

/// Sends requests on one connection until it ends or the gateway sends GOAWAY. What GOAWAY returns was not processed,
/// and is for the next connection; anything else without a response is lost.
fn ask_on_one_connection(mut peer: Peer, key: &Key, is_over: &AtomicBool, answered: &AtomicU64) {
    peer.write(PREFACE);
    peer.settings(&[]);
    let (mut open, mut next) = (BTreeSet::new(), 1);
    let (mut last, mut has_heard) = (None, false);
    loop {
        let goes_on = last.is_none() && !is_over.load(Ordering::Relaxed);
        while goes_on && open.len() < AT_ONCE {
            peer.ask(next, "GET", "/items/7", &[("x-api-key", &key.key)]);
            open.insert(next);
            next += 2;
        }
        if open.is_empty() {
            return;
        }
        let frame = match peer.try_next() {
            Ok(frame) => frame,
            // Nothing was sent on it: it was closed as idle, before its first byte arrived.
            Err(_) if !has_heard => return,
            Err(ended) => panic!("{ended:?}: {open:?} are lost, the last one accepted: {last:?}"),
        };
        has_heard = true;
        match frame.kind {
            HEADERS => assert_eq!(peer.decode(&frame.payload)[0].1, "200"),
            SETTINGS if frame.flags & ACK == 0 => peer.try_send(SETTINGS, ACK, 0, &[]),
            GOAWAY => {
                assert_eq!(number(&frame.payload[4..]), NO_ERROR);
                let taken = number(&frame.payload);
                open.retain(|stream| *stream <= taken);
                last = Some(taken);
            }
            RST_STREAM => {
                assert_eq!(number(&frame.payload), REFUSED_STREAM, "{frame:?}");
                open.remove(&frame.stream);
            }
            _ => {}
        }
        if matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0 && open.remove(&frame.stream)
        {
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Lets three gateways follow one another under load.
fn succession(config: &Config, connect: fn(SocketAddr) -> Peer) {
    let home = Home::new(config);
    let mut old = Gateway::start_in(&home);
    let key = old.key();
    let address = old.address;
    let (is_over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let new = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    ask_on_one_connection(connect(address), &key, &is_over, &answered);
                }
            });
        }
        let more = |what: &str| {
            let before = answered.load(Ordering::Relaxed);
            eventually(what, || (answered.load(Ordering::Relaxed) > before + 100).then_some(()));
        };
        more("load");
        for _ in 0..2 {
            let new = Gateway::start_with(&home, &["serve", "--take-over"]);
            more("load at the new one");
            assert_eq!(old.ended().code(), Some(0), "{}", old.log());
            assert_eq!(new.address, address);
            old = new;
        }
        is_over.store(true, Ordering::Relaxed);
        old
    });
    assert_eq!(new.used(&key), answered.into_inner());
    drop(Arc::clone(&home));
}

#[test]
fn without_tls_no_stream_is_lost() {
    let upstream = Upstream::sample();
    succession(&Config::of(&upstream), Peer::silent);
}

#[test]
fn under_tls_no_stream_is_lost() {
    let upstream = Upstream::sample();
    succession(&Config::of(&upstream).over_tls(), Peer::silent_over_tls);
}
