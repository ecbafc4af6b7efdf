//! Bytes as the body of requests, by schemas of every kind and the media types of their operations.
#![no_main]

use fuzz::{Compiled, check_detail, check_message, fixed, guarded, twice};
use libfuzzer_sys::fuzz_target;
use openapi::rules::BodyFault;
use serde_json::Value;
use std::sync::LazyLock;

static OPERATIONS: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let mut all = fixed(include_str!("../../tests/interop/prism/documents/styles.json"));
    all.extend(fixed(include_str!("../../tests/interop/prism/documents/petstore.json")));
    all.extend(fixed(include_str!("../../tests/interop/prism/documents/orders.json")));
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

fn check(input: &[u8]) {
    let [choice, kind, body @ ..] = input else { return };
    let one = &OPERATIONS[usize::from(*choice) % OPERATIONS.len()];
    let media_type = MEDIA_TYPES[usize::from(*kind) % MEDIA_TYPES.len()].as_bytes();
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
