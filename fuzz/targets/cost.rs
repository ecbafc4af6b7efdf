//! Bytes grown to the size at which a check leaves the data thread. No check may hold that thread up for longer than other
//! requests can wait, or take much more memory than the body.
//!
//! Time is the thread's own on a processor: what else the machine does is no finding.
#![no_main]

use fuzz::{Compiled, fixed, guarded};
use libfuzzer_sys::fuzz_target;
use openapi::rules::soon;
use std::{fs, sync::LazyLock, time::Duration};

/// The schema that takes most work for small bodies: alternatives, circles, all that looks at every item.
static COSTLY: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let mut all = fixed(include_str!("../seeds/costly.json"));
    all.extend(fixed(include_str!("../../tests/interop/prism/documents/styles.json")));
    all.extend(fixed(include_str!("../../tests/interop/prism/documents/orders.json")));
    all.retain(|one| one.operation.body.is_some());
    all
});

const MEDIA_TYPES: [&str; 4] =
    ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=cut"];

/// A body of more bytes never begins on a data thread.
const LARGEST: usize = 256 << 10;
/// What one check may hold a data thread up: the 50 ms that the gateway promises, for code that the fuzzer's counters and
/// checks of overflow make some times slower.
const HELD_UP: Duration = Duration::from_millis(200);
/// A check of this many values, wherever it runs.
const MAX_VALUES: usize = 100_000;
/// Bytes that a check may take for each byte of the body, for each of its values, and as a whole.
const MEMORY: (usize, usize, usize) = (8, 400, 8 << 20);

fuzz_target!(|input: &[u8]| guarded(input, || check(input)));

fn check(input: &[u8]) {
    let [choice, kind, size, body @ ..] = input else { return };
    let one = &COSTLY[usize::from(*choice) % COSTLY.len()];
    let media_type = MEDIA_TYPES[usize::from(*kind) % MEDIA_TYPES.len()].as_bytes();
    if body.is_empty() || !one.rules.reads_body(Some(media_type)) {
        return;
    }
    // Mostly small ones, so that there are many.
    let grown = grow(media_type, body, LARGEST >> (size % 8));
    if !one.rules.is_large(Some(media_type), &grown) {
        let began = on_processor();
        let _ = soon(|| one.rules.check_body_of(Some(media_type), &grown, MAX_VALUES));
        let took = on_processor().saturating_sub(began);
        assert!(took < HELD_UP, "a data thread was held up for {took:?}");
    }
    let (each_byte, each_value, whole) = MEMORY;
    let values = grown.iter().filter(|byte| b",[{&".contains(byte)).count().min(MAX_VALUES);
    let before = peak();
    let _ = one.rules.check_body_of(Some(media_type), &grown, MAX_VALUES);
    let took = peak().saturating_sub(before);
    let most = whole + each_byte * grown.len() + each_value * values;
    assert!(took < most, "{took} bytes of memory for a body of {} with {values} values", grown.len());
}

/// The same again and again: as the items of a list, or as the pairs of a form.
fn grow(media_type: &[u8], body: &[u8], size: usize) -> Vec<u8> {
    let (before, between, behind) =
        if media_type.ends_with(b"json") { ("[", ",", "]") } else { ("", "&", "") };
    let mut grown = before.as_bytes().to_vec();
    while grown.len() + body.len() + 2 < size {
        grown.extend_from_slice(body);
        grown.extend_from_slice(between.as_bytes());
    }
    grown.extend_from_slice(body);
    grown.extend_from_slice(behind.as_bytes());
    grown
}

/// How long this thread has run.
fn on_processor() -> Duration {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// The most memory that this process has had. It never shrinks, so what a check adds to it is at most what it took.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<usize>().ok());
    kib.map_or(0, |kib| kib << 10)
}
