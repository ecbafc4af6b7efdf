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

/// What the names of all our components begin with, if no name of the document does.
pub(super) const PREFIX: &str = "Fairgate";
/// The member of the mark that has the chosen prefix.
pub(super) const PREFIX_MEMBER: &str = "prefix";
/// The member of a response of ours that holds the document's own words.
pub(super) const OWN_DESCRIPTION: &str = "x-fairgate-said";
/// The kinds of components that we add.
pub(super) const KINDS: [Kind; 5] =
    [Kind::Schema, Kind::Response, Kind::Header, Kind::Example, Kind::SecurityScheme];
/// How many responses may be made for the words of the document. Those beyond it get the plain ones:
/// a document of many operations must not become a multiple of its size.
const MAX_WORDS: usize = 2_000;

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
    pub(super) fn new(root: &Map<String, Value>, version: Version, facts: &'f Facts<'f>) -> Self {
        Self {
            facts,
            version,
            prefix: prefix(root),
            responses: HashMap::new(),
            names: Names::default(),
            words: 0,
            made: Vec::new(),
            used: HashSet::new(),
        }
    }

    /// A reference to the response of a row, with the document's own words about it.
    pub(super) fn response(&mut self, row: Row, own: Option<String>) -> Value {
        let mut own = own;
        if own.is_some() && !self.responses.contains_key(&(row, own.clone())) {
            self.words += 1;
            if self.words > MAX_WORDS {
                own = None;
            }
        }
        if let Some(name) = self.responses.get(&(row, own.clone())) {
            return self.reference(Kind::Response, name);
        }
        let name = self.names.take(&format!("{}{}", self.prefix, row.name()));
        let response = self.make_response(row, own.as_deref());
        let reference = self.reference(Kind::Response, &name);
        self.made.push((Kind::Response, name.clone(), response));
        self.responses.insert((row, own), name);
        reference
    }

    fn make_response(&mut self, row: Row, own: Option<&str>) -> Value {
        let meaning = row.description();
        let mut response = Map::new();
        let description = own.map_or_else(|| meaning.clone(), |own| format!("{own}\n\n{meaning}"));
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
                    let mut media = Map::new();
                    media.insert("schema".to_owned(), self.error_schema(form));
                    // All codes in one form show what the other form is for each: its schema has an example.
                    if form == Form::Specification {
                        let examples: Map<String, Value> = row
                            .codes()
                            .map(|code| (code.name().to_owned(), self.example(code, row.number)))
                            .collect();
                        media.insert("examples".to_owned(), Value::Object(examples));
                    }
                    content.insert(form.content_type().to_owned(), Value::Object(media));
                }
                response.insert("content".to_owned(), Value::Object(content));
            }
        }
        response.insert(super::MARK.to_owned(), true.into());
        if let Some(own) = own {
            response.insert(OWN_DESCRIPTION.to_owned(), own.into());
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

    /// A reference to the schema of the state of limits.
    pub(super) fn limits_schema(&mut self) -> Value {
        let one = self.schema("Limit", schemas::limit());
        let schema = schemas::limits(&one, self.version);
        self.schema("Limits", schema)
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
        // Each object has a name of its own, or generators of clients make one up, which may be the API's.
        let detail = self.schema("ErrorDetail", schemas::error_detail());
        let error = self.schema("Error", schemas::error(&detail));
        let (name, schema) = match form {
            Form::Specification => ("ErrorSpecification", schemas::error_specification(&error, self.version)),
            Form::Problem => {
                let code = ErrorCode::ParameterNotValid;
                let number = code.status().on_the_wire(self.facts.statuses);
                let example = examples::body(code, number, form, self.facts);
                ("ProblemDetails", schemas::problem_details(&error, example, self.version))
            }
        };
        self.schema(name, schema)
    }

    /// A reference to a schema of ours.
    fn schema(&mut self, name: &str, schema: Value) -> Value {
        let name = format!("{}{name}", self.prefix);
        self.once(Kind::Schema, name, |_| schema)
    }

    /// What the names of our components begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    fn example(&mut self, code: ErrorCode, number: u16) -> Value {
        let mut name = format!("{}_{}", self.prefix, code.name());
        if number == 308 {
            name.push_str("_308");
        }
        let facts = self.facts;
        self.once(
            Kind::Example,
            name,
            |_| json!({ "summary": code.title(), "value": examples::body(code, number, Form::Specification, facts) }),
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

/// A prefix that nothing of the document begins with that a generator of clients makes a name of.
fn prefix(root: &Map<String, Value>) -> String {
    let mut names = Vec::new();
    collect_names(root, &mut names);
    let is_free = |prefix: &str| {
        let plain = plain(prefix);
        !names.iter().any(|name| name.starts_with(&plain))
    };
    let numbered = (2..).map(|number| format!("{PREFIX}Gateway{number}"));
    let candidates = [PREFIX.to_owned(), format!("{PREFIX}Gateway")].into_iter().chain(numbered);
    // A document has so many names only; the prefix itself is never reached.
    candidates.take(names.len() + 3).find(|candidate| is_free(candidate)).unwrap_or_else(|| PREFIX.to_owned())
}

/// A name as generators compare them: they change case and drop what is between words.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The names of components and the titles of schemas that begin as ours would.
fn collect_names(root: &Map<String, Value>, names: &mut Vec<String>) {
    let ours = plain(PREFIX);
    let mut note = |name: &str| {
        // Most names do not even begin with the letter.
        if name.starts_with(['f', 'F', '_', '-', '.', ' ']) {
            let plain = plain(name);
            if plain.starts_with(&ours) {
                names.push(plain);
            }
        }
    };
    for section in ["definitions", "responses", "parameters", "securityDefinitions"] {
        let held = root.get(section).and_then(Value::as_object);
        held.into_iter().flat_map(Map::keys).for_each(|name| note(name));
    }
    let components = root.get("components").and_then(Value::as_object);
    for held in components.into_iter().flat_map(Map::values).filter_map(Value::as_object) {
        held.keys().for_each(|name| note(name));
    }
    let mut open: Vec<&Value> = root.values().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Array(list) => open.extend(list),
            Value::Object(members) => {
                if let Some(Value::String(title)) = members.get("title") {
                    note(title);
                }
                open.extend(members.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
