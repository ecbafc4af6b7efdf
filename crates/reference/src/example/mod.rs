//! Examples of error codes: a request to this API that gets one, and the answer as this API would give it.

pub(crate) mod head;
pub(crate) mod keys;
pub(crate) mod later;
pub(crate) mod values;

pub(crate) use values::concerns;

use crate::{
    facts::Facts,
    model::Endpoint,
    request::{KEY, Request},
};
use contract::{Detail, ErrorCode, Specification, specification::Form, status::reason_phrase};
use serde_json::Value;

/// The id that examples have.
const REQUEST_ID: &str = "req_01kb4f9v2x6m8q7r5t3w0y1z2a";

/// An example.
pub(crate) struct Example {
    pub(crate) code: ErrorCode,
    pub(crate) number: u16,
    pub(crate) request: Request,
    /// Why this API does not answer so at present. Empty: it does.
    pub(crate) not_now: &'static str,
    message: String,
    details: Vec<Detail>,
    location: Option<String>,
    contact: Option<String>,
    /// The name in `RateLimit-Policy` of the limit that denied.
    violated_policy: Option<String>,
    /// Headers of the answer that matter to this code.
    pub(crate) headers: Vec<(&'static str, String)>,
    check: String,
    base: String,
}

impl Example {
    fn new(facts: &Facts, code: ErrorCode, request: Request, message: impl Into<String>) -> Self {
        let reference = &facts.reference;
        Self {
            code,
            number: facts.number(code),
            request,
            not_now: "",
            message: message.into(),
            details: Vec::new(),
            location: None,
            contact: None,
            violated_policy: None,
            headers: Vec::new(),
            check: format!("{}{}/errors/{}", reference.base(), reference.docs_path, code.name()),
            base: reference.base().to_owned(),
        }
    }

    fn detail(mut self, detail: Detail) -> Self {
        self.details.push(detail);
        self
    }

    fn location(mut self, facts: &Facts, location: String) -> Self {
        let redirect = facts.reference.redirect_status.of(&self.request.method);
        self.number = redirect.number;
        if redirect.has_location {
            self.headers.push(("Location", location.clone()));
        }
        self.location = Some(location);
        self
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn not_now(mut self, why: &'static str) -> Self {
        self.not_now = why;
        self
    }

    /// The line that sends the request.
    pub(crate) fn curl(&self) -> String {
        self.request.curl(&self.base)
    }

    /// The status line and the headers that matter.
    pub(crate) fn head(&self, form: Form) -> String {
        let mut head = format!("HTTP/1.1 {} {}\n", self.number, reason_phrase(self.number));
        head.push_str(&format!("Content-Type: {}", form.content_type()));
        if form == Form::Problem {
            return head; // the others are the same, and were shown
        }
        head.push_str(&format!("\nX-Request-Id: {REQUEST_ID}"));
        for (name, value) in &self.headers {
            head.push_str(&format!("\n{name}: {value}"));
        }
        head
    }

    /// The body, as the API itself would write it.
    pub(crate) fn body(&self, form: Form) -> Value {
        let mut specification =
            Specification::new(self.code, self.number, &self.message, &self.check, REQUEST_ID);
        specification.details = &self.details;
        specification.location = self.location.as_deref();
        specification.contact = self.contact.as_deref();
        specification.violated_policy = self.violated_policy.as_deref();
        let mut body = Vec::new();
        specification.write(form, &mut body);
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

/// A request that the API takes: to this endpoint, or to any path where none are declared.
fn fine(facts: &Facts, endpoint: Option<&Endpoint>) -> Request {
    match endpoint {
        Some(endpoint) => Request::to(&facts.reference, endpoint, None, None),
        None => Request::bare("GET", "/items").with_key(&facts.reference, KEY),
    }
}
