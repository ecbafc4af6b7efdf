//! How the rules of an endpoint refuse invalid requests, found by running the rules: so an example
//! in the reference shows the gateway's actual response.

use openapi::{
    api::path_names,
    rules::{BodyFault, Headers, RequestRules, Sent},
};
use reference::{Check, Endpoint, MALFORMED_BODY, Place, Wrong};

/// Values of which one is invalid for nearly every rule.
const CANDIDATES: [&str; 6] = ["0", "-1", "up", "1.5", "1000000000", "?"];
/// Bodies of which one is invalid for nearly every schema.
const BODIES: [&str; 5] = ["{}", "{\"name\":\"\"}", "[]", "null", "7"];
const JSON: &str = "application/json";

/// Adds the refusals of these rules to the endpoint.
pub(super) fn try_out(rules: &RequestRules, endpoint: &mut Endpoint) {
    if rules.checks_parameters() {
        let path_names = path_names(&endpoint.path);
        let mut takes = (*endpoint.takes).clone();
        for check in &mut takes.checks {
            check.wrong = wrong(rules, &path_names, check);
        }
        endpoint.takes = takes.into();
    }
    let refusals = &mut endpoint.refusals;
    if let Err(BodyFault::MediaType(message)) = rules.check_media_type(Some(b"text/plain"), true) {
        refusals.media_type = Some(message);
    }
    let named = endpoint.takes.media_types.iter().find(|media_type| !media_type.contains('*'));
    let media_type = Some(named.map_or(JSON, String::as_str).as_bytes());
    if !rules.reads_body(media_type) {
        return;
    }
    if let Err(BodyFault::Malformed(message)) = rules.check_body(media_type, MALFORMED_BODY.as_bytes()) {
        refusals.malformed = Some(message);
    }
    refusals.not_valid =
        BODIES.into_iter().find_map(|body| match rules.check_body(media_type, body.as_bytes()) {
            Err(BodyFault::NotValid(details)) => Some((body.to_owned(), details)),
            Err(BodyFault::MediaType(_) | BodyFault::Malformed(_) | BodyFault::TooManyValues { .. })
            | Ok(()) => None,
        });
}

/// A value that these rules refuse at the place of this check, and the refusal.
fn wrong(rules: &RequestRules, path_names: &[&str], check: &Check) -> Option<Wrong> {
    CANDIDATES.into_iter().find_map(|candidate| {
        let is_here = |name: &&str| check.place == Place::Path && *name == check.name;
        let path: Vec<&str> =
            path_names.iter().map(|name| if is_here(name) { candidate } else { "7" }).collect();
        let query = (check.place == Place::Query).then(|| format!("{}={candidate}", check.name));
        let headers = match check.place {
            Place::Header => vec![(check.name.to_ascii_lowercase(), candidate.to_owned())],
            Place::Cookie => vec![("cookie".to_owned(), format!("{}={candidate}", check.name))],
            Place::Path | Place::Query | Place::Body => Vec::new(),
        };
        let sent = Sent { path: &path, query: query.as_deref(), headers: &Fields(headers) };
        let violation = rules
            .check_parameters(&sent)
            .into_iter()
            .find(|one| one.detail.place == check.place.word() && one.detail.name == check.name)?;
        Some(Wrong { value: candidate.to_owned(), message: violation.detail.message })
    })
}

struct Fields(Vec<(String, String)>);

impl Headers for Fields {
    fn each<'h>(&'h self, name: &str, found: &mut dyn FnMut(&'h [u8])) {
        for (_, value) in self.0.iter().filter(|(known, _)| known == name) {
            found(value.as_bytes());
        }
    }
}
