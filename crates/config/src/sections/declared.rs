//! The rules of an endpoint that is declared without a document: its parameters as schemas.
//!
//! There is one validation, that of documents, so that both give the same result for the same request.

use super::{
    parameters::{Kind, Parameter, Place},
    takes,
};
use crate::{fault::Fault, raw::Section, template::Template};
use openapi::{
    api::{self, In, Media, ParameterForm, Style},
    documents::{self, Documents, Version},
    rules::{RequestRules, RuleCompiler, Strictness},
};
use reference::Takes;
use serde_json::{Map, Value, json};

const JSON: &str = "application/json";

/// Compiles the rules. None: a fault was noted; no rules: anything passes.
pub(super) fn rules(
    section: &Section<'_>,
    path: &Template,
    parameters: &[Parameter],
    media_types: &[String],
    strictness: Strictness,
) -> Option<(Option<RequestRules>, Takes)> {
    if parameters.is_empty() && media_types.is_empty() {
        return Some((None, Takes::default()));
    }
    let in_body: Vec<&Parameter> = parameters.iter().filter(|one| one.place == Place::Body).collect();
    let mut schemas: Map<String, Value> =
        parameters.iter().enumerate().map(|(index, one)| (index.to_string(), schema(one))).collect();
    schemas.insert("body".to_owned(), object(&in_body));
    let documents = Documents::inline(Value::Object(schemas), Version::V31);
    let root = documents::Place { file: documents.root(), pointer: String::new() };

    let declared: Vec<api::Parameter> = parameters
        .iter()
        .enumerate()
        .filter_map(|(index, one)| parameter(one, root.child(&index.to_string())))
        .collect();
    let body = body(&in_body, media_types, &root);
    let names: Vec<&str> = path.names.iter().map(String::as_str).collect();
    let mut compiler = RuleCompiler::new(&documents, strictness);
    let rules = compiler.operation(&names, &declared, body.as_ref());
    // What would not be enforced is rejected: the operator wrote it here, no generator.
    let unenforced = match compiler.finish() {
        Ok(warnings) => warnings.into_iter().map(|warning| warning.message).collect(),
        Err(faults) => faults.0.into_iter().map(|fault| fault.message).collect::<Vec<_>>(),
    };
    for message in &unenforced {
        section.reader.fault(
            Fault::at(section.place.clone(), "a parameter of this endpoint cannot be validated")
                .label(message),
        );
    }
    unenforced.is_empty().then(|| (Some(rules), takes::takes(&documents, &declared, body.as_ref())))
}

fn parameter(one: &Parameter, at: documents::Place) -> Option<api::Parameter> {
    let (place, style, explode) = match one.place {
        Place::Path => (In::Path, Style::Simple, false),
        Place::Query => (In::Query, Style::Form, true),
        Place::Header => (In::Header, Style::Simple, false),
        Place::Body => return None,
    };
    let form = ParameterForm::Styled { style, explode, allow_reserved: false, schema: Some(at.clone()) };
    let (name, required) = (one.name.clone(), one.required);
    Some(api::Parameter { place, name, required, allow_empty: false, form, at })
}

fn body(members: &[&Parameter], media_types: &[String], root: &documents::Place) -> Option<api::Body> {
    if members.is_empty() && media_types.is_empty() {
        return None;
    }
    let schema = (!members.is_empty()).then(|| root.child("body"));
    let types = if media_types.is_empty() { vec![JSON.to_owned()] } else { media_types.to_vec() };
    let media = |media_type| Media { media_type, schema: schema.clone(), encodings: Vec::new() };
    Some(api::Body {
        required: members.iter().any(|member| member.required),
        content: types.into_iter().map(media).collect(),
        at: root.child("body"),
    })
}

fn object(members: &[&Parameter]) -> Value {
    let properties: Map<String, Value> =
        members.iter().map(|member| (member.name.clone(), schema(member))).collect();
    let required: Vec<&str> =
        members.iter().filter(|member| member.required).map(|member| member.name.as_str()).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn schema(one: &Parameter) -> Value {
    let mut schema = Map::new();
    let (kind, least, most) = match one.kind {
        Kind::String => ("string", "minLength", "maxLength"),
        Kind::Integer => ("integer", "minimum", "maximum"),
        Kind::Number => ("number", "minimum", "maximum"),
        Kind::Boolean => ("boolean", "minimum", "maximum"),
    };
    schema.insert("type".to_owned(), kind.into());
    for (keyword, bound) in [(least, one.minimum), (most, one.maximum)] {
        if let Some(bound) = bound {
            schema.insert(keyword.to_owned(), number(bound));
        }
    }
    if let Some(pattern) = &one.pattern {
        schema.insert("pattern".to_owned(), pattern.as_str().into());
    }
    if !one.one_of.is_empty() {
        let value = |text: &String| match one.kind {
            Kind::String => Value::from(text.as_str()),
            Kind::Integer | Kind::Number | Kind::Boolean => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
            }
        };
        schema.insert("enum".to_owned(), one.one_of.iter().map(value).collect());
    }
    Value::Object(schema)
}

/// A bound as it was written: `1`, not `1.0`.
fn number(bound: f64) -> Value {
    let whole = bound as i64;
    if whole as f64 == bound { whole.into() } else { bound.into() }
}
