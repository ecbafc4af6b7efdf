//! Bytes as the texts of an error: every form of the answer is JSON that says the same.
#![no_main]

use contract::{ErrorCode, Specification, specification::Form};
use fuzz::guarded;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| guarded(input, || check(input)));

fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (message, location) = text.split_once('\n').unwrap_or((&text, ""));
    let mut specification = Specification::new(
        ErrorCode::RequestMalformed,
        400,
        message,
        "https://api.example.com/check",
        "req_1",
    );
    specification.location = Some(location);
    specification.contact = Some(location);
    // A problem says the message at its top as well, as RFC 9457 has it; all else stands within `error` in both forms.
    for form in [Form::Specification, Form::Problem] {
        let mut body = Vec::new();
        specification.write(form, &mut body);
        let read: Value = serde_json::from_slice(&body).expect("an error that is no JSON");
        let error = &read["error"];
        assert_eq!(error["message"].as_str(), Some(message), "another text than was meant");
        assert_eq!(error["location"].as_str(), Some(location), "another place than was meant");
        assert_eq!(error["contact"].as_str(), Some(location), "another contact than was meant");
        assert_eq!(error["code"].as_str(), Some("REQUEST_MALFORMED"), "another code than was meant");
        if form == Form::Problem {
            assert_eq!(read["detail"].as_str(), Some(message), "another detail than was meant");
        }
    }
}
