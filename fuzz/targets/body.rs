//! Bytes as the body of requests, by schemas of every kind and the media types of their operations; and grown to the size
//! at which a check is handed to another thread, when none may take longer than others can wait, nor much more memory than the body.
#![no_main]

use fuzz::{Compiled, check_detail, check_message, fixed, guarded, twice};
use libfuzzer_sys::fuzz_target;
use openapi::rules::{BodyFault, soon};
use serde_json::Value;
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

static OPERATIONS: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let mut all = fixed(include_str!("../../tests/prism/documents/styles.json"));
    all.extend(fixed(include_str!("../../tests/prism/documents/petstore.json")));
    all.extend(fixed(include_str!("../../tests/prism/documents/orders.json")));
    all.retain(|one| one.operation.body.is_some());
    all
});

/// What requests may say of their bodies, beside what the documents name.
const MEDIA_TYPES: [&str; 8] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=cut",
    "text/plain",
    "text/plain; charset=latin1",
    "application/vnd.order+json",
    "application/octet-stream",
];

fuzz_target!(|input: &[u8]| guarded(input, || check(input)));

/// A body of more bytes never begins on a data thread.
const LARGEST: usize = 256 << 10;
/// What one request's check may hold a data thread up, with room for a machine that has other work and for the fuzzer's
/// counters: ten times what the gateway promises.
const HELD_UP: Duration = Duration::from_millis(500);
/// A check of this many values, wherever it is run.
const MOST_VALUES: usize = 100_000;
/// Bytes that a check may take for each byte of the body, and for each of its values, and as a whole.
const MEMORY: (usize, usize, usize) = (8, 400, 8 << 20);

/// The schema that takes most work for small bodies: alternatives, circles, all that has to look at every item.
static COSTLY: LazyLock<Vec<Compiled>> = LazyLock::new(|| fixed(include_str!("../seeds/costly.json")));

fn check(input: &[u8]) {
    let [choice, kind, body @ ..] = input else { return };
    let all: Vec<&Compiled> = OPERATIONS.iter().chain(COSTLY.iter()).collect();
    let one = all[usize::from(*choice) % all.len()];
    let media_type = MEDIA_TYPES[usize::from(*kind) % MEDIA_TYPES.len()].as_bytes();
    if one.rules.reads_body(Some(media_type)) && !body.is_empty() {
        grow(one, media_type, body);
    }
    if let Err(fault) = twice(|| one.rules.check_media_type(Some(media_type), true)) {
        check_fault(&fault);
        return;
    }
    // Without the need to read a body the gateway never asks for it to be checked.
    if !one.rules.reads_body(Some(media_type)) {
        return;
    }
    let result = twice(|| one.rules.check_body(Some(media_type), body));
    let json = std::str::from_utf8(media_type).is_ok_and(|name| name.contains("json"));
    match result {
        Ok(()) => {
            if json && !body.is_empty() {
                parse(body).expect("a body was taken that is no JSON");
            }
        }
        Err(fault) => {
            check_fault(&fault);
            if let (true, BodyFault::NotValid(details)) = (json, &fault) {
                let value = parse(body).expect("a body was judged by its schema that is no JSON");
                for pointer in details.iter().filter_map(|detail| detail.pointer.as_deref()) {
                    // What is missing has its place in an object that is there.
                    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                    assert!(value.pointer(parent).is_some(), "{pointer:?} is not in the body");
                }
            }
        }
    }
}

/// The same again and again: as the items of a list, or as the pairs of a form.
fn grow(one: &Compiled, media_type: &[u8], body: &[u8]) {
    let is_json = std::str::from_utf8(media_type).is_ok_and(|name| name.contains("json"));
    let (before, between, behind) = if is_json { ("[", ",", "]") } else { ("", "&", "") };
    let mut grown = before.as_bytes().to_vec();
    while grown.len() + body.len() + 2 < LARGEST {
        grown.extend_from_slice(body);
        grown.extend_from_slice(between.as_bytes());
    }
    grown.extend_from_slice(body);
    grown.extend_from_slice(behind.as_bytes());
    if !one.rules.is_large(Some(media_type), &grown) {
        let began = Instant::now();
        let _ = soon(|| one.rules.check_body_of(Some(media_type), &grown, MOST_VALUES));
        let took = began.elapsed();
        assert!(took < HELD_UP, "a data thread was held up for {took:?}");
    }
    let (each_byte, each_value, whole) = MEMORY;
    let values = grown.iter().filter(|byte| b",[{&".contains(byte)).count().min(MOST_VALUES);
    let before = peak();
    let _ = one.rules.check_body_of(Some(media_type), &grown, MOST_VALUES);
    let took = peak().saturating_sub(before);
    let most = whole + each_byte * grown.len() + each_value * values;
    assert!(took < most, "{took} bytes of memory for a body of {} with {values} values", grown.len());
}

/// The most memory that this process has had. It never shrinks, so what a check adds to it is at most what it took.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<usize>().ok());
    kib.map_or(0, |kib| kib << 10)
}

fn parse(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

fn check_fault(fault: &BodyFault) {
    match fault {
        BodyFault::MediaType(message) | BodyFault::Malformed(message) => check_message(message),
        BodyFault::TooManyValues { most } => assert!(*most < usize::MAX, "a bound that nobody set"),
        BodyFault::NotValid(details) => {
            assert!(!details.is_empty(), "a body is not valid, and nothing is wrong with it");
            for detail in details {
                check_detail(detail);
            }
        }
    }
}
