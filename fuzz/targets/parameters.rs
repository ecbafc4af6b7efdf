//! Bytes as path, query, headers and cookies of requests to a document that has parameters of every style.
#![no_main]

use contract::ErrorCode;
use fuzz::{Compiled, Lines, check_detail, fixed, guarded, takes, twice};
use libfuzzer_sys::fuzz_target;
use openapi::{api::In, rules::Sent};
use std::sync::LazyLock;

static OPERATIONS: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let mut all = fixed(include_str!("../../tests/interop/prism/documents/styles.json"));
    all.extend(fixed(include_str!("../../tests/interop/prism/documents/petstore.json")));
    all.extend(fixed(include_str!("../../tests/interop/prism/documents/orders.json")));
    all.retain(|one| one.rules.checks_parameters());
    all
});

fuzz_target!(|input: &[u8]| guarded(input, || check(input)));

fn check(input: &[u8]) {
    let Some((&choice, rest)) = input.split_first() else { return };
    // The head of a request is text without line ends, as HTTP has it; headers may have bytes beyond.
    let mut lines = rest.split(|byte| *byte == b'\n');
    let query = lines.next().and_then(|line| std::str::from_utf8(line).ok());
    let value = lines.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let one = &OPERATIONS[usize::from(choice) % OPERATIONS.len()];
    let path: Vec<&str> = one.operation.path_names().iter().map(|_| value).collect();
    let more: Vec<&[u8]> = lines.collect();
    let headers = headers(one, &more);
    let sent = Sent { path: &path, query, headers: &headers };
    let violations = twice(|| one.rules.check_parameters(&sent));
    for violation in &violations {
        check_detail(&violation.detail);
        assert!(
            matches!(
                violation.code,
                ErrorCode::ParameterMissing
                    | ErrorCode::ParameterNotValid
                    | ErrorCode::HeaderMissing
                    | ErrorCode::HeaderNotValid
            ),
            "{:?} is not a parameter's code",
            violation.code
        );
    }
    if violations.is_empty() {
        check_accepted(one, query, &more);
    }
}

/// Each line is the value of the next header; the last stands for a cookie as well.
fn headers<'r>(one: &'r Compiled, values: &[&'r [u8]]) -> Lines<'r> {
    let mut lines = Vec::new();
    let named = one.operation.parameters.iter().filter(|parameter| parameter.place == In::Header);
    for (parameter, value) in named.zip(values) {
        lines.push((parameter.name.as_str(), *value));
    }
    if takes(&one.operation, In::Cookie) {
        lines.extend(values.iter().map(|value| ("cookie", *value)));
    }
    Lines(lines)
}

/// Nothing that is required can be missing from a request that passed.
fn check_accepted(one: &Compiled, query: Option<&str>, more: &[&[u8]]) {
    for parameter in one.operation.parameters.iter().filter(|parameter| parameter.required) {
        match parameter.place {
            In::Path => {}
            In::Query | In::QueryString => {
                assert!(query.is_some_and(|query| !query.is_empty()), "{:?} was missing", parameter.name);
            }
            In::Header | In::Cookie => assert!(!more.is_empty(), "{:?} was missing", parameter.name),
        }
    }
}
