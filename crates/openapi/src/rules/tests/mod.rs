//! Rules as a gateway uses them: documents in, requests checked.

mod bodies;
mod parameters;
mod parts;
mod query_names;
mod ranges;
mod real;
mod shapes;
mod writing;

use crate::{
    api::{Body, In, Media, Parameter, ParameterForm, Style},
    documents::{Documents, Place, Version},
    fault::Warning,
    rules::{Headers, RequestRules, RuleCompiler, Sent, Strictness, Violation},
};
use serde_json::{Value, json};

/// Header lines.
pub(super) struct Lines(pub(super) Vec<(&'static str, &'static str)>);

impl Headers for Lines {
    fn each<'h>(&'h self, name: &str, found: &mut dyn FnMut(&'h [u8])) {
        for (_, value) in self.0.iter().filter(|(known, _)| *known == name) {
            found(value.as_bytes());
        }
    }
}

/// Rules of one operation of a document that contains its schemas.
pub(super) fn compiled(
    documents: &Documents,
    strictness: Strictness,
    path_names: &[&str],
    parameters: &[Parameter],
    body: Option<&Body>,
) -> (RequestRules, Vec<Warning>) {
    let mut compiler = RuleCompiler::new(documents, strictness);
    let rules = compiler.operation(path_names, parameters, body);
    let warnings = compiler.finish().unwrap_or_else(|faults| panic!("{faults}"));
    (rules, warnings)
}

pub(super) fn at(documents: &Documents, pointer: &str) -> Place {
    Place { file: documents.root(), pointer: pointer.to_owned() }
}

/// The rules of a body of one media type.
pub(super) fn body_rules(
    document: Value,
    version: Version,
    media_type: &str,
) -> (RequestRules, Vec<Warning>) {
    strict_body_rules(document, version, media_type, Strictness::default())
}

pub(super) fn strict_body_rules(
    document: Value,
    version: Version,
    media_type: &str,
    strictness: Strictness,
) -> (RequestRules, Vec<Warning>) {
    let documents = Documents::inline(document, version);
    let media = Media {
        media_type: media_type.to_owned(),
        schema: Some(at(&documents, "/schema")),
        encodings: Vec::new(),
    };
    let body = Body { required: true, content: vec![media], at: at(&documents, "") };
    compiled(&documents, strictness, &[], &[], Some(&body))
}

/// A parameter whose schema is at `/schema`.
pub(super) fn styled(documents: &Documents, place: In, style: Style, explode: bool) -> Parameter {
    Parameter {
        place,
        name: "p".to_owned(),
        required: true,
        allow_empty: false,
        form: ParameterForm::Styled {
            style,
            explode,
            allow_reserved: false,
            schema: Some(at(documents, "/schema")),
        },
        at: at(documents, ""),
    }
}

pub(super) fn one(schema: Value, version: Version) -> Documents {
    Documents::inline(json!({ "schema": schema }), version)
}

/// The findings of a check, one line each.
pub(super) fn listed(violations: &[Violation]) -> Vec<String> {
    violations
        .iter()
        .map(|violation| {
            let detail = &violation.detail;
            let pointer = detail.pointer.as_deref().unwrap_or_default();
            format!("{} {} {}{pointer}: {}", violation.code.name(), detail.place, detail.name, detail.message)
        })
        .collect()
}

pub(super) fn sent<'r>(path: &'r [&'r str], query: Option<&'r str>, headers: &'r Lines) -> Sent<'r> {
    Sent { path, query, headers }
}
