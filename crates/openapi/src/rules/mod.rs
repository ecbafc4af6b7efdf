//! The rules of an operation's requests, compiled: parameters by style, bodies by media type, both by schema.

mod body;
mod commas;
mod form;
mod json;
mod multipart;
mod pairs;
mod parameter;
mod parameters;
mod raw;
mod shape;
mod slashes;
mod styles;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod unenforced;

/// The byte order mark that a text begins with: editors show nothing of it.
fn marked(text: &[u8]) -> Option<&'static str> {
    match text {
        [0xef, 0xbb, 0xbf, ..] => Some("a byte order mark (U+FEFF)"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("a byte order mark of UTF-16"),
        _ => None,
    }
}

pub use crate::strictness::{Formats, ReadOnly, Strictness, UnknownQuery};
use crate::{
    api::{Body, In, Parameter},
    documents::{Documents, Place},
    fault::{Faults, Warning},
    rules::{body::BodyRules, parameters::ParameterRules, shape::Shapes},
    schema::{SchemaCompiler, Units},
};
use contract::{Detail, ErrorCode};
use instance::work::{self, TimeLimit};
use serde_json::Value;
use std::{
    sync::{Arc, OnceLock, atomic::AtomicBool},
    time::Duration,
};

/// What a request sends, as far as rules look at it.
pub struct Sent<'r> {
    /// The values of the path template's names, in the template's order, still percent-encoded.
    pub path: &'r [&'r str],
    /// Behind the question mark, still percent-encoded.
    pub query: Option<&'r str>,
    /// The header lines.
    pub headers: &'r dyn Headers,
}

/// The header lines of a request.
pub trait Headers {
    /// Calls `found` with each value of a header; the name is in lower case.
    fn each<'h>(&'h self, name: &str, found: &mut dyn FnMut(&'h [u8]));
}

/// The same, kept for a check on another thread.
pub struct OwnSent {
    path: Vec<String>,
    query: Option<String>,
    headers: OwnHeaders,
}

struct OwnHeaders(Vec<(String, Vec<u8>)>);

impl Headers for OwnHeaders {
    fn each<'h>(&'h self, name: &str, found: &mut dyn FnMut(&'h [u8])) {
        for (_, value) in self.0.iter().filter(|(known, _)| known == name) {
            found(value);
        }
    }
}

impl OwnSent {
    /// Copies what these rules look at.
    pub fn of(sent: &Sent<'_>, rules: &RequestRules) -> Self {
        let mut headers = Vec::new();
        for name in rules.parameters.header_names() {
            sent.headers.each(name, &mut |value| headers.push((name.to_owned(), value.to_vec())));
        }
        Self {
            path: sent.path.iter().map(|&value| value.to_owned()).collect(),
            query: sent.query.map(str::to_owned),
            headers: OwnHeaders(headers),
        }
    }

    /// Lends it to a check.
    pub fn with<T>(&self, check: impl FnOnce(&Sent<'_>) -> T) -> T {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        check(&Sent { path: &path, query: self.query.as_deref(), headers: &self.headers })
    }
}

/// How long a check may take on a thread that others wait for.
const SOON: Duration = Duration::from_millis(10);

/// Runs a check that others wait for. None: it takes longer than they should.
pub fn soon<T>(check: impl FnOnce() -> T) -> Option<T> {
    work::within(TimeLimit::Short(SOON), check)
}

/// Runs a check for as long as its result is needed. None: it no longer is.
pub fn while_wanted<T>(is_wanted: &Arc<AtomicBool>, check: impl FnOnce() -> T) -> Option<T> {
    work::within(TimeLimit::While(Arc::clone(is_wanted)), check)
}

/// A violation: the code that the answer has if this is the first one, and what the client reads of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// `PARAMETER_MISSING`, `PARAMETER_NOT_VALID`, `HEADER_MISSING` or `HEADER_NOT_VALID`.
    pub code: ErrorCode,
    /// Where, and what is wrong.
    pub detail: Detail,
}

/// Why a body is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyFault {
    /// 400: the operation does not accept its media type. A sentence.
    MediaType(String),
    /// 400: it is missing, or does not conform to its media type. A sentence.
    Malformed(String),
    /// 400: it has more values than are checked.
    TooManyValues {
        /// Values that it may have.
        most: usize,
    },
    /// 422: it does not match its schema. All violations.
    NotValid(Vec<Detail>),
}

/// The rules of one operation.
#[derive(Debug)]
pub struct RequestRules {
    parameters: ParameterRules,
    body: Option<BodyRules>,
    units: Shared,
}

/// The compiled schemas, there once the compiler has finished.
type Shared = Arc<OnceLock<Arc<Units>>>;

/// Compiles rules. Schemas that several operations share are compiled once.
pub struct RuleCompiler<'d> {
    schemas: SchemaCompiler<'d>,
    shapes: Shapes,
    strictness: Strictness,
    keys: Arc<KeyNames>,
    units: Shared,
}

impl<'d> RuleCompiler<'d> {
    /// A compiler for operations of these documents.
    pub fn new(documents: &'d Documents, strictness: Strictness) -> Self {
        let schemas = SchemaCompiler::new(documents, strictness);
        let keys = Arc::new(KeyNames::of(documents));
        Self { schemas, shapes: Shapes::default(), strictness, keys, units: Arc::default() }
    }

    /// The rules of an operation. Faults are noted, and returned by [`RuleCompiler::finish`].
    ///
    /// `path_names` are the names of the path template, in its order.
    pub fn operation(
        &mut self,
        path_names: &[&str],
        parameters: &[Parameter],
        body: Option<&Body>,
    ) -> RequestRules {
        let unknown = self.strictness.unknown_query;
        let keys = Arc::clone(&self.keys);
        let Self { schemas, shapes, .. } = self;
        let parameters = ParameterRules::compile(schemas, shapes, path_names, parameters, unknown, keys);
        let body = body.map(|body| BodyRules::compile(schemas, shapes, body));
        RequestRules { parameters, body, units: Arc::clone(&self.units) }
    }

    /// What is not enforced. From here on the rules can be used: until then they take nothing that has
    /// a schema.
    ///
    /// # Errors
    /// Every schema that cannot be compiled.
    pub fn finish(self) -> Result<Vec<Warning>, Faults> {
        let (units, mut warnings, mut faults) = self.schemas.finish();
        // The only place where it is set, and the compiler is used up by it.
        let _ = self.units.set(units);
        faults.sort();
        warnings.sort();
        if faults.is_empty() { Ok(warnings) } else { Err(Faults(faults)) }
    }
}

impl RequestRules {
    /// Whether semicolons in the path belong to a parameter (style `matrix`), so that they need no check.
    pub fn has_semicolons(&self) -> bool {
        self.parameters.has_semicolons()
    }

    /// Whether there is anything to check in path, query, headers and cookies.
    pub fn checks_parameters(&self) -> bool {
        self.parameters.check_anything()
    }

    /// Whether path, query, headers and cookies are valid, where that is known at once. False:
    /// [`RequestRules::parameter_violations`] has the answer.
    pub fn parameters_fit(&self, sent: &Sent<'_>) -> bool {
        self.parameters.fit(sent)
    }

    /// Checks path, query, headers and cookies: every violation, in the order of the document.
    pub fn check_parameters(&self, sent: &Sent<'_>) -> Vec<Violation> {
        self.with_units(|units| self.parameters.check(sent, units))
    }

    /// The same where [`RequestRules::parameters_fit`] could not see that they are valid.
    pub fn parameter_violations(&self, sent: &Sent<'_>) -> Vec<Violation> {
        self.with_units(|units| self.parameters.violations(sent, units))
    }

    /// Whether the body must be read, to be checked, when a request has this Content-Type.
    /// Means something only if [`RequestRules::check_media_type`] has taken it.
    pub fn reads_body(&self, content_type: Option<&[u8]>) -> bool {
        self.body.as_ref().is_some_and(|body| body.reads(content_type))
    }

    /// What is known of a body from the head: its media type, and that it is missing. `has_body` is false if the
    /// framing has none.
    ///
    /// # Errors
    /// [`BodyFault::MediaType`], or [`BodyFault::Malformed`] for a required body that is missing.
    pub fn check_media_type(&self, content_type: Option<&[u8]>, has_body: bool) -> Result<(), BodyFault> {
        self.body.as_ref().map_or(Ok(()), |body| body.check_media_type(content_type, has_body))
    }

    /// Whether checking a body may take too long for a thread that others wait for.
    pub fn is_large(&self, content_type: Option<&[u8]>, body: &[u8]) -> bool {
        self.body
            .as_ref()
            .is_some_and(|rules| self.with_units(|units| rules.is_large(content_type, body, units)))
    }

    /// Checks a body that was read whole.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check_body(&self, content_type: Option<&[u8]>, body: &[u8]) -> Result<(), BodyFault> {
        self.check_body_of(content_type, body, usize::MAX)
    }

    /// Checks a body that was read whole, of at most so many values.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check_body_of(
        &self,
        content_type: Option<&[u8]>,
        body: &[u8],
        most: usize,
    ) -> Result<(), BodyFault> {
        let Some(rules) = &self.body else { return Ok(()) };
        self.with_units(|units| rules.check(content_type, body, most, units))
    }

    /// Without touching the count of the shared schemas, which every thread would write to.
    fn with_units<T>(&self, check: impl FnOnce(&Arc<Units>) -> T) -> T {
        match self.units.get() {
            Some(units) => check(units),
            None => check(&Arc::default()),
        }
    }
}

/// Names of query parameters and cookies that hold keys, by the security schemes of a document.
#[derive(Debug, Default)]
struct KeyNames {
    query: Vec<String>,
    cookies: Vec<String>,
}

impl KeyNames {
    fn of(documents: &Documents) -> Self {
        let mut keys = Self::default();
        for pointer in ["/components/securitySchemes", "/securityDefinitions"] {
            let at = Place { file: documents.root(), pointer: pointer.to_owned() };
            let Some(Value::Object(schemes)) = documents.get(&at) else { continue };
            for (name, mut scheme) in schemes {
                if let Some(Value::String(reference)) = scheme.get("$ref") {
                    let place = documents.resolve(&at.child(name), reference).ok();
                    let Some(target) = place.and_then(|place| documents.get(&place)) else { continue };
                    scheme = target;
                }
                let names = match scheme.get("in").and_then(Value::as_str) {
                    Some("query") => &mut keys.query,
                    Some("cookie") => &mut keys.cookies,
                    _ => continue,
                };
                names.extend(scheme.get("name").and_then(Value::as_str).map(str::to_owned));
            }
        }
        keys
    }

    /// Whether a name of this place holds a key.
    fn has(&self, place: In, name: &str) -> bool {
        let names = match place {
            In::Query => &self.query,
            In::Cookie => &self.cookies,
            In::Path | In::QueryString | In::Header => return false,
        };
        names.iter().any(|known| known == name)
    }
}
