//! Bytes as a document, with a second file that every reference to another file leads to.
#![no_main]

use fuzz::{TwoFiles, check_message, check_spot, guarded, read, twice};
use libfuzzer_sys::fuzz_target;
use openapi::rules::Strictness;

/// Parts the two files.
const CUT: &[u8] = b"\n=====\n";

fuzz_target!(|input: &[u8]| guarded(input, || check(input)));

fn check(input: &[u8]) {
    let at = input.windows(CUT.len()).position(|window| window == CUT);
    let (first, second) = match at {
        Some(at) => (&input[..at], &input[at + CUT.len()..]),
        None => (input, &b"{}"[..]),
    };
    let files = TwoFiles { root: "folder/root.yaml", first, second };
    let outcome = twice(|| read(&files, Strictness::default()).0);
    for fault in &outcome.faults {
        check_spot(&fault.spot);
        assert!(!fault.message.trim().is_empty(), "a fault without a message");
    }
    for warning in &outcome.warnings {
        check_spot(&warning.spot);
        check_message(&warning.message);
    }
}
