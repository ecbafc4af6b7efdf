//! When to retry, for gRPC libraries: `google.rpc.RetryInfo`, alone and as a detail of `google.rpc.Status`.
//!
//! Encoded by hand: a few protobuf fields, whose numbers never change.

use super::GrpcStatus;

const TYPE_URL: &[u8] = b"type.googleapis.com/google.rpc.RetryInfo";
/// Field numbers of `Duration`, `RetryInfo`, `Any` and `Status`.
const SECONDS: u8 = 1;
const RETRY_DELAY: u8 = 1;
const ANY_TYPE_URL: u8 = 1;
const ANY_VALUE: u8 = 2;
const CODE: u8 = 1;
const MESSAGE: u8 = 2;
const DETAILS: u8 = 3;

/// A `RetryInfo` with this delay in seconds.
pub fn retry_info(seconds: u64) -> Vec<u8> {
    let mut duration = Vec::with_capacity(11);
    number(SECONDS, seconds, &mut duration);
    let mut info = Vec::with_capacity(13);
    bytes(RETRY_DELAY, &duration, &mut info);
    info
}

/// A `Status` with a [`retry_info`] as its only detail.
///
/// `message` must be that of the call: some libraries use this one instead, others reject a different one.
pub fn status_details(status: GrpcStatus, message: &str, seconds: u64) -> Vec<u8> {
    let mut detail = Vec::with_capacity(64);
    bytes(ANY_TYPE_URL, TYPE_URL, &mut detail);
    bytes(ANY_VALUE, &retry_info(seconds), &mut detail);
    let mut all = Vec::with_capacity(message.len() + 80);
    number(CODE, status.number().into(), &mut all);
    bytes(MESSAGE, message.as_bytes(), &mut all);
    bytes(DETAILS, &detail, &mut all);
    all
}

/// Appends a number with a field number below 16.
fn number(field: u8, value: u64, out: &mut Vec<u8>) {
    const VARINT: u8 = 0;
    out.push(field << 3 | VARINT);
    varint(value, out);
}

/// Appends bytes, a text or a message with a field number below 16.
fn bytes(field: u8, value: &[u8], out: &mut Vec<u8>) {
    const LENGTH_DELIMITED: u8 = 2;
    out.push(field << 3 | LENGTH_DELIMITED);
    varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        // Takes the lowest seven bits, on purpose.
        #[allow(clippy::cast_possible_truncation)]
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    #[allow(clippy::cast_possible_truncation)]
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that Google's library for Python produces (protobuf 7, googleapis-common-protos 1.76).
    #[test]
    fn the_messages_are_those_of_google_rpc() {
        for (seconds, info) in [
            (1, &b"\x0a\x02\x08\x01"[..]),
            (127, b"\x0a\x02\x08\x7f"),
            (128, b"\x0a\x03\x08\x80\x01"),
            (300, b"\x0a\x03\x08\xac\x02"),
            (2_147_483, b"\x0a\x05\x08\x9b\x89\x83\x01"),
        ] {
            assert_eq!(retry_info(seconds), info, "{seconds}");
        }
        let text = "w\u{fc}ste".repeat(50);
        let details = status_details(GrpcStatus::Unavailable, &text, 300);
        let mut expected = b"\x08\x0e\x12\xac\x02".to_vec();
        expected.extend_from_slice(text.as_bytes());
        expected.extend_from_slice(
            b"\x1a\x31\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x05\x0a\x03\x08\xac\x02",
        );
        assert_eq!(details, expected);
    }
}
