//! The components that the contract adds: made when an operation first needs them, so that none is unused.

use super::{
    codes::Row,
    examples,
    facts::Facts,
    headers::{self, Header},
    kinds::{Kind, section},
    names::Names,
    schemas, section_of,
};
use crate::documents::Version;
use contract::{ErrorCode, specification::Form};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// What the names of all our components begin with.
pub(super) const PREFIX: &str = "Fairgate";
/// The member of a response of ours that holds the document's own words.
pub(super) const SAID: &str = "x-fairgate-said";
/// The kinds of components that we add.
pub(super) const KINDS: [Kind; 5] =
    [Kind::Schema, Kind::Response, Kind::Header, Kind::Example, Kind::SecurityScheme];
/// How many responses may be made for the words of the document. Those beyond it get the plain ones:
/// a document of many operations must not become a multiple of its size.
const MOST_WORDS: usize = 2_000;

/// The components, on their way into the document.
pub(super) struct Components<'f> {
    facts: &'f Facts<'f>,
    version: Version,
    prefix: String,
    responses: HashMap<(Row, Option<String>), String>,
    names: Names,
    words: usize,
    /// In the order in which they were made.
    made: Vec<(Kind, String, Value)>,
    used: HashSet<(Kind, String)>,
}

impl<'f> Components<'f> {
    pub(super) fn new(root: &mut Map<String, Value>, version: Version, facts: &'f Facts<'f>) -> Self {
        Self {
            facts,
            version,
            prefix: prefix(root, version),
            responses: HashMap::new(),
            names: Names::default(),
            words: 0,
            made: Vec::new(),
            used: HashSet::new(),
        }
    }

    /// A reference to the response of a row, with the document's own words about it.
    pub(super) fn response(&mut self, row: Row, said: Option<String>) -> Value {
        let mut said = said;
        if said.is_some() && !self.responses.contains_key(&(row, said.clone())) {
            self.words += 1;
            if self.words > MOST_WORDS {
                said = None;
            }
        }
        if let Some(name) = self.responses.get(&(row, said.clone())) {
            return self.reference(Kind::Response, name);
        }
        let name = self.names.take(&format!("{}{}", self.prefix, row.name()));
        let response = self.make_response(row, said.as_deref());
        let reference = self.reference(Kind::Response, &name);
        self.made.push((Kind::Response, name.clone(), response));
        self.responses.insert((row, said), name);
        reference
    }

    fn make_response(&mut self, row: Row, said: Option<&str>) -> Value {
        let meaning = row.description();
        let mut response = Map::new();
        let description = said.map_or_else(|| meaning.clone(), |said| format!("{said}\n\n{meaning}"));
        response.insert("description".to_owned(), description.into());
        response.insert("headers".to_owned(), self.headers(&headers::of_row(row)));
        match self.version {
            Version::V2 => {
                response.insert("schema".to_owned(), self.error_schema(Form::Specification));
                let shown = [Form::Specification, Form::Problem].into_iter().filter_map(|form| {
                    let code = row.codes().next()?;
                    Some((form.content_type().to_owned(), examples::body(code, row.number, form, self.facts)))
                });
                response.insert("examples".to_owned(), Value::Object(shown.collect()));
            }
            Version::V30 | Version::V31 | Version::V32 => {
                let mut content = Map::new();
                for form in [Form::Specification, Form::Problem] {
                    let schema = self.error_schema(form);
                    let examples: Map<String, Value> = row
                        .codes()
                        .map(|code| (code.name().to_owned(), self.example(code, row.number, form)))
                        .collect();
                    content.insert(
                        form.content_type().to_owned(),
                        json!({ "schema": schema, "examples": examples }),
                    );
                }
                response.insert("content".to_owned(), Value::Object(content));
            }
        }
        response.insert(super::MARK.to_owned(), true.into());
        if let Some(said) = said {
            response.insert(SAID.to_owned(), said.into());
        }
        Value::Object(response)
    }

    /// The headers of a response: references where the version has them.
    pub(super) fn headers(&mut self, headers: &[Header]) -> Value {
        let mut held = Map::new();
        for &header in headers {
            let object = header.object(self.version);
            let value = match self.version {
                Version::V2 => object,
                Version::V30 | Version::V31 | Version::V32 => {
                    let name = format!("{}{}", self.prefix, header.component());
                    self.once(Kind::Header, name, |_| object)
                }
            };
            held.insert(header.name().to_owned(), value);
        }
        Value::Object(held)
    }

    /// A reference to the schema of how limits stand.
    pub(super) fn limits_schema(&mut self) -> Value {
        let name = format!("{}Limits", self.prefix);
        self.once(Kind::Schema, name, |_| schemas::limits())
    }

    /// Writes all components into the document.
    pub(super) fn finish(&mut self, root: &mut Map<String, Value>) {
        for (kind, name, value) in self.made.drain(..) {
            if let Some(held) = section(kind, self.version).and_then(|names| section_of(root, names)) {
                held.insert(name, value);
            }
        }
    }

    fn error_schema(&mut self, form: Form) -> Value {
        let specification = format!("{}ErrorSpecification", self.prefix);
        let reference = self.once(Kind::Schema, specification, |_| schemas::error_specification());
        match form {
            Form::Specification => reference,
            Form::Problem => {
                let target = reference.get("$ref").and_then(Value::as_str).unwrap_or_default().to_owned();
                let name = format!("{}ProblemDetails", self.prefix);
                self.once(Kind::Schema, name, |_| schemas::problem_details(&target))
            }
        }
    }

    fn example(&mut self, code: ErrorCode, number: u16, form: Form) -> Value {
        let mut name = format!("{}_{}", self.prefix, code.name());
        if number == 308 {
            name.push_str("_308");
        }
        match form {
            Form::Specification => {}
            Form::Problem => name.push_str("_problem"),
        }
        let facts = self.facts;
        self.once(
            Kind::Example,
            name,
            |_| json!({ "summary": code.title(), "value": examples::body(code, number, form, facts) }),
        )
    }

    /// A reference to a component that is made when it is first asked for.
    fn once(&mut self, kind: Kind, name: String, make: impl FnOnce(&str) -> Value) -> Value {
        let reference = self.reference(kind, &name);
        if self.used.insert((kind, name.clone())) {
            let value = make(&name);
            self.made.push((kind, name, value));
        }
        reference
    }

    fn reference(&self, kind: Kind, name: &str) -> Value {
        let names = section(kind, self.version).unwrap_or_default().join("/");
        json!({ "$ref": format!("#/{names}/{name}") })
    }
}

/// A prefix that no component of the document begins with.
fn prefix(root: &mut Map<String, Value>, version: Version) -> String {
    let mut prefix = PREFIX.to_owned();
    let mut names: Vec<String> = Vec::new();
    for kind in KINDS {
        if let Some(held) = section(kind, version).and_then(|names| super::existing_section(root, names)) {
            names.extend(held.keys().filter(|name| name.starts_with(PREFIX)).cloned());
        }
    }
    // Each round adds a character, and a name of the document can only be in the way of so many.
    while names.iter().any(|name| name.starts_with(&prefix)) {
        prefix.push('_');
    }
    prefix
}
