//! Bytes as the head of a request: what is taken, written anew and read again has to be the same.
#![no_main]

use fuzz::guarded;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| guarded(input, || gateway::fuzzing::head(input)));
