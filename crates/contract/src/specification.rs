//! The error specification: the body of every response from the 301 row downwards.
//!
//! It is serialized, not built from a template, so that it is valid JSON whatever bytes the request
//! contained.

use crate::{detail::Detail, registry::ErrorCode};
use std::borrow::Cow;

/// The maximum of `Retry-After` in seconds. JavaScript timers have 31 bits of milliseconds: larger
/// values fire at once, and clients would retry without a pause.
pub const MAX_RETRY_AFTER: u64 = i32::MAX as u64 / 1000;

/// The registered problem type of an exceeded limit (draft-ietf-httpapi-ratelimit-headers-11,
/// section 5.1). `error.check` has the page that explains the code, as always.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// The format of the specification, selected by the client's `Accept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// `application/json`: the specification.
    #[default]
    Specification,
    /// `application/problem+json`: RFC 9457 with the same members.
    Problem,
}

/// The error as the client gets it.
#[derive(Debug)]
pub struct Specification<'a> {
    /// `error.code`: a registered name, or the upstream's own if its body already had this form.
    pub code: Cow<'a, str>,
    /// `title` of RFC 9457.
    pub title: &'a str,
    /// What is wrong with this request and what to do. Never internals.
    pub message: &'a str,
    /// The number on the status line.
    pub http_code: u16,
    /// The page that explains the code.
    pub check: &'a str,
    /// The request's ID.
    pub request_id: &'a str,
    /// All violations of a validation error.
    pub details: &'a [Detail],
    /// The support address in a 500.
    pub contact: Option<&'a str>,
    /// The new location of a 301.
    pub location: Option<&'a str>,
    /// The name in `RateLimit-Policy` of the limit that denied.
    pub violated_policy: Option<&'a str>,
}

impl<'a> Specification<'a> {
    /// A specification of a registered code without optional members.
    pub fn new(
        code: ErrorCode,
        http_code: u16,
        message: &'a str,
        check: &'a str,
        request_id: &'a str,
    ) -> Self {
        Self {
            code: Cow::Borrowed(code.name()),
            title: code.title(),
            message,
            http_code,
            check,
            request_id,
            details: &[],
            contact: None,
            location: None,
            violated_policy: None,
        }
    }

    /// Appends the body to `out`, followed by a line break.
    pub fn write(&self, form: Form, out: &mut Vec<u8>) {
        let start = out.len();
        let written = match form {
            Form::Specification => self.write_plain(out),
            Form::Problem => self.write_problem(out),
        };
        // Serializing strings into a Vec cannot fail; should that ever change, an empty object is
        // still valid JSON, and a truncated one is not.
        if written.is_err() {
            out.truncate(start);
            out.extend_from_slice(b"{}");
        }
        out.push(b'\n');
    }

    fn write_plain(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        out.extend_from_slice(br#"{"success":false,"error":"#);
        self.write_error(out)?;
        out.push(b'}');
        Ok(())
    }

    fn write_problem(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let (kind, title) = match self.violated_policy {
            Some(_) => (QUOTA_EXCEEDED, "Quota Exceeded"),
            None => (self.check, self.title),
        };
        write_member(br#"{"type":"#, kind, out)?;
        write_member(br#","title":"#, title, out)?;
        out.extend_from_slice(br#","status":"#);
        serde_json::to_writer(&mut *out, &self.http_code)?;
        write_member(br#","detail":"#, self.message, out)?;
        write_member(br#","instance":"#, self.request_id, out)?;
        if let Some(policy) = self.violated_policy {
            write_member(br#","violated-policies":["#, policy, out)?;
            out.push(b']');
        }
        out.extend_from_slice(br#","success":false,"error":"#);
        self.write_error(out)?;
        out.push(b'}');
        Ok(())
    }

    /// Appends the member that both formats share. By hand, because a serializer that checks each
    /// character costs a sixth of a whole denial; text with control characters, and everything that
    /// is not text, is left to the serializer.
    fn write_error(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        write_member(br#"{"code":"#, &self.code, out)?;
        write_member(br#","message":"#, self.message, out)?;
        out.extend_from_slice(br#","http_code":"#);
        serde_json::to_writer(&mut *out, &self.http_code)?;
        write_member(br#","check":"#, self.check, out)?;
        write_member(br#","request_id":"#, self.request_id, out)?;
        if !self.details.is_empty() {
            out.extend_from_slice(br#","details":"#);
            serde_json::to_writer(&mut *out, self.details)?;
        }
        if let Some(contact) = self.contact {
            write_member(br#","contact":"#, contact, out)?;
        }
        if let Some(location) = self.location {
            write_member(br#","location":"#, location, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

impl Form {
    /// The Content-Type of this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Specification => "application/json",
            Self::Problem => "application/problem+json",
        }
    }

    /// The format for an `Accept` header: problem details only for a client that names them and
    /// does not give plain JSON a higher weight.
    pub fn accepted(accept: &[u8]) -> Self {
        // The media type contains a plus, which the header of nearly all clients does not.
        if !accept.contains(&b'+') {
            return Self::Specification;
        }
        let Ok(accept) = std::str::from_utf8(accept) else { return Self::Specification };
        let mut problem = 0.0;
        let mut json = 0.0;
        for range in accept.split(',') {
            let media_type = range.split(';').next().unwrap_or_default().trim();
            let weight = weight(range.as_bytes());
            if media_type.eq_ignore_ascii_case("application/problem+json") {
                problem = weight;
            } else if media_type.eq_ignore_ascii_case("application/json") {
                json = weight;
            }
        }
        if problem > 0.0 && problem >= json { Self::Problem } else { Self::Specification }
    }
}

/// The weight of a member of `Accept` or `Accept-Encoding` (RFC 9110 section 12.4.2). 0 if it is
/// not a number.
pub fn weight(range: &[u8]) -> f32 {
    let mut parameters = range.split(|&byte| byte == b';').skip(1).map(<[u8]>::trim_ascii);
    let weight = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_at_checked(2)?;
        name.eq_ignore_ascii_case(b"q=").then_some(value)
    });
    weight.map_or(1.0, |q| std::str::from_utf8(q).ok().and_then(|q| q.parse().ok()).unwrap_or(0.0))
}

/// Appends a member with a text value. `name` is everything between the previous value and this one.
fn write_member(name: &[u8], text: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
    out.extend_from_slice(name);
    let bytes = text.as_bytes();
    // Both without a branch for each byte, so that the compiler vectorizes them. Nearly all text is plain.
    if bytes.iter().fold(true, |all, byte| all & (*byte >= b' ' && *byte != b'"' && *byte != b'\\')) {
        out.push(b'"');
        out.extend_from_slice(bytes);
        out.push(b'"');
        return Ok(());
    }
    if bytes.iter().fold(false, |any, byte| any | (*byte < b' ')) {
        return serde_json::to_writer(out, text);
    }
    out.push(b'"');
    let mut written = 0;
    for escaped in memchr::memchr2_iter(b'"', b'\\', bytes) {
        out.extend_from_slice(bytes.get(written..escaped).unwrap_or_default());
        out.push(b'\\');
        written = escaped;
    }
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
    out.push(b'"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(specification: &Specification<'_>, form: Form) -> serde_json::Value {
        let mut out = Vec::new();
        specification.write(form, &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    proptest! {
        /// The hand-written JSON equals that of the serializer.
        #[test]
        fn both_forms_have_the_same_specification(
            code in ".*", message in ".*", check in ".*", id in ".*", http_code: u16,
            contact: Option<String>, location: Option<String>, name in ".*", has_details: bool
        ) {
            let details = [Detail { place: "body", name, pointer: Some(check.clone()), message: message.clone() }];
            let mut specification = Specification::new(ErrorCode::KeyNotSet, http_code, &message, &check, &id);
            specification.code = code.into();
            specification.contact = contact.as_deref();
            specification.location = location.as_deref();
            if has_details {
                specification.details = &details;
            }
            let (plain, problem) = (written(&specification, Form::Specification), written(&specification, Form::Problem));
            prop_assert_eq!(&plain["error"], &problem["error"]);
            prop_assert_eq!(&plain["success"], false);
            let mut error = serde_json::json!({
                "code": &specification.code, "message": &message, "http_code": http_code, "check": &check,
                "request_id": &id,
            });
            let optional = [
                ("details", if has_details { serde_json::to_value(&details).ok() } else { None }),
                ("contact", contact.clone().map(Into::into)),
                ("location", location.clone().map(Into::into)),
            ];
            for (name, value) in optional {
                if let Some(value) = value {
                    error[name] = value;
                }
            }
            prop_assert_eq!(&plain["error"], &error);
            prop_assert_eq!(
                &problem,
                &serde_json::json!({
                    "type": &check, "title": specification.title, "status": http_code, "detail": &message,
                    "instance": &id, "success": false, "error": error,
                })
            );
            prop_assert_eq!(plain.as_object().map(serde_json::Map::len), Some(2));
        }

        #[test]
        fn any_text_is_valid_json_and_round_trips(message in ".*", location in ".*", name in ".*") {
            let details = [Detail { place: "query", name: name.clone(), pointer: None, message: message.clone() }];
            let mut specification = Specification::new(ErrorCode::TrailingSlash, 301, &message, "c", "req_1");
            specification.location = Some(&location);
            specification.details = &details;
            let body = written(&specification, Form::Specification);
            prop_assert_eq!(body["error"]["message"].as_str(), Some(message.as_str()));
            prop_assert_eq!(body["error"]["location"].as_str(), Some(location.as_str()));
            prop_assert_eq!(body["error"]["details"][0]["name"].as_str(), Some(name.as_str()));
        }

        #[test]
        fn any_accept_header_is_judged_without_panic(accept: Vec<u8>) {
            Form::accepted(&accept);
        }
    }

    #[test]
    fn the_problem_form_has_the_members_of_rfc_9457_and_the_specification() {
        let specification = Specification::new(
            ErrorCode::KeyNotSet,
            403,
            "No key.",
            "https://a/_docs/errors/KEY_NOT_SET",
            "req_1",
        );
        let body = written(&specification, Form::Problem);
        assert_eq!(body["type"], "https://a/_docs/errors/KEY_NOT_SET");
        assert_eq!(body["title"], "No API key");
        assert_eq!(body["status"], 403);
        assert_eq!(body["detail"], "No key.");
        assert_eq!(body["instance"], "req_1");
        assert_eq!(body["error"]["code"], "KEY_NOT_SET");
        assert_eq!(body["success"], false);
    }

    #[test]
    fn each_form_has_the_media_type_that_is_registered_for_it() {
        assert_eq!(Form::Specification.content_type(), "application/json");
        assert_eq!(Form::Problem.content_type(), "application/problem+json");
    }

    #[test]
    fn problem_details_are_sent_to_clients_that_name_them() {
        for (accept, form) in [
            ("application/problem+json", Form::Problem),
            ("application/json, application/problem+json", Form::Problem),
            ("application/problem+json;q=0.5, application/json", Form::Specification),
            ("text/html, Application/Problem+JSON; q=0.3", Form::Problem),
            ("application/problem+json;q=0", Form::Specification),
            ("application/problem+json; Q=0.0", Form::Specification),
            ("*/*", Form::Specification),
            ("", Form::Specification),
        ] {
            assert_eq!(Form::accepted(accept.as_bytes()), form, "{accept}");
        }
    }
}
