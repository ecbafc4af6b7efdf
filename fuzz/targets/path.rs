//! Bytes as a path: its normal form stays as it is, and nobody finds a dot segment in it.
#![no_main]

use fuzz::guarded;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| guarded(input, || {
    if let Ok(text) = std::str::from_utf8(input) {
        gateway::fuzzing::path(&format!("/{text}"));
    }
}));
