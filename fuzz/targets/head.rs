//! Bytes as the head of a request: what is taken, written anew and read again has to be the same.
#![no_main]

use fuzz::guarded;
use http1::{
    MAX_FIELDS, locate,
    reading::{Reading, Treatment},
    request::{Notes, RequestHead},
    scan::HeadScanner,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| guarded(input, || check(input)));

/// Reads bytes as a head. What is taken, written anew and read again has to be the same.
fn check(bytes: &[u8]) {
    let Ok(Some(length)) = HeadScanner::default().scan(bytes) else {
        let _ = locate::fault(bytes);
        return;
    };
    let reading = Reading {
        keys: vec!["x-api-key".into()],
        overrides: Treatment::Refuse,
        odd_names: Treatment::Drop,
        ..Reading::default()
    };
    let head = match RequestHead::parse(bytes.to_vec(), length, Notes::default(), &reading) {
        Ok(head) => head,
        Err((fault, _, _)) => {
            assert!(
                !fault.message.chars().any(char::is_control),
                "a message that cannot be shown: {}",
                fault.message
            );
            return;
        }
    };
    let has_host = head.fields().any(|(name, _, _)| name.eq_ignore_ascii_case(b"host"));
    if !has_host && !head.host().is_empty() && head.fields().count() == MAX_FIELDS {
        return; // the host, which stood in the target alone, would be one field too many
    }
    let again = written(&head);
    let length = again.len();
    let Ok(second) = RequestHead::parse(again, length, Notes::default(), &reading) else {
        panic!("what was taken once is refused when it is written anew");
    };
    let same = (head.method(), head.path(), head.query(), head.host(), head.framing)
        == (second.method(), second.path(), second.query(), second.host(), second.framing);
    assert!(same, "what was taken once means something else when it is written anew");
    assert!(head.path() == "*" || head.path().starts_with('/'), "a path that does not begin with a slash");
}

fn written(head: &RequestHead) -> Vec<u8> {
    let mut out = format!("{} {}", head.method(), head.path()).into_bytes();
    if let Some(query) = head.query() {
        out.push(b'?');
        out.extend_from_slice(query.as_bytes());
    }
    out.extend_from_slice(if head.is_http11 { b" HTTP/1.1\r\n" } else { b" HTTP/1.0\r\n" });
    if !head.host().is_empty() {
        out.extend_from_slice(format!("Host: {}\r\n", head.host()).as_bytes());
    }
    for (name, value, _) in head.fields().filter(|(name, _, _)| !name.eq_ignore_ascii_case(b"host")) {
        for part in [name, b": ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}
