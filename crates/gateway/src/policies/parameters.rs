//! Parameters, headers and cookies of an endpoint: 400 with every violation, not just the first.

use crate::{
    http1::request::RequestHead,
    refusal::{Refusal, Refused},
    visit::Visit,
};
use contract::{Detail, ErrorCode};
use openapi::rules::{Headers, RequestRules, Sent};

impl Headers for RequestHead {
    fn each<'h>(&'h self, name: &str, found: &mut dyn FnMut(&'h [u8])) {
        for value in self.named(name) {
            found(value);
        }
    }
}

/// Checks path, query, headers and cookies.
pub(crate) fn check(visit: &Visit<'_>, rules: &RequestRules) -> Result<(), Refused> {
    if !rules.checks_parameters() {
        return Ok(());
    }
    let path = visit.config.routes.parameters(visit.head.path());
    let sent = Sent { path: &path, query: visit.head.query(), headers: &visit.head };
    let violations = rules.check_parameters(&sent);
    let Some(first) = violations.first() else { return Ok(()) };
    let code = first.code;
    let message = match violations.as_slice() {
        [only] if matches!(code, ErrorCode::ParameterMissing | ErrorCode::HeaderMissing) => {
            format!("The {} \"{}\" is required, but not there.", noun(&only.detail), only.detail.name)
        }
        [only] => {
            format!(
                "The {} \"{}\" is not right: {}",
                noun(&only.detail),
                only.detail.name,
                only.detail.message
            )
        }
        all => format!("{} parameters or headers are not right; `details` names each.", all.len()),
    };
    let mut refused = Refusal::new(code, message);
    refused.details = violations.into_iter().map(|violation| violation.detail).collect();
    Err(refused)
}

fn noun(detail: &Detail) -> String {
    match detail.place {
        "header" | "cookie" => detail.place.to_owned(),
        place => format!("{place} parameter"),
    }
}
