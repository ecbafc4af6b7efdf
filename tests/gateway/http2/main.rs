//! HTTP/2 on the wire: RFC 9113 section by section, and that the contract is the same as over HTTP/1.1.
//!
//! The client is this suite's own, at the level of frames, so that it can send what no library allows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::type_complexity,
    unreachable_pub,
    missing_docs,
    reason = "a test reports what it finds by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod attacks;
mod bodies;
mod charges;
mod early_answers;
mod generic;
mod operation;
mod peer;
#[path = "../strictness/recorder.rs"]
mod recorder;
mod section_3_preface;
mod section_4_frames;
mod section_5_streams;
mod section_6_definitions;
mod section_8_messages;
mod smuggling;
mod succession;
mod times;

use peer::{Expect, Peer};
use support::{Config, Gateway, Upstream, sample::sample};

/// A gateway before the sample upstream.
fn gateway() -> (Upstream, Gateway) {
    let upstream = Upstream::scripted(sample);
    let gateway = Gateway::start(&Config::of(&upstream));
    (upstream, gateway)
}

/// A gateway that waits for the bodies of requests without a key, so that their faults come before a response.
fn patient_gateway() -> (Upstream, Gateway) {
    let upstream = Upstream::scripted(sample);
    let config =
        Config::of(&upstream).endpoint("POST", "/items", "public = true").endpoint("GET", "/items/{id}", "");
    let gateway = Gateway::start(&config);
    (upstream, gateway)
}

/// A case of a section: its name, what the client does, and what must follow.
type Case = (&'static str, Expect, fn(&mut Peer));

/// Tries each case on a connection of its own.
#[track_caller]
fn try_all(cases: &[Case]) {
    let (_upstream, gateway) = patient_gateway();
    let mut failed = Vec::new();
    for (name, expect, act) in cases {
        let found = std::panic::catch_unwind(|| {
            let mut peer = Peer::open(gateway.address);
            act(&mut peer);
            peer.expect(expect)
        });
        match found {
            Ok(Ok(())) => {}
            Ok(Err(why)) => failed.push(format!("{name}: expected {expect:?}, {why}")),
            Err(_) => failed.push(format!("{name}: the case itself panicked")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
