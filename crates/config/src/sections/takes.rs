//! What an endpoint's rules check, in words, for the reference: names, types, bounds, and values that pass.
//!
//! Nothing is decided here. What cannot be described in a few words is left out, and still checked.

use openapi::{
    api::{Body, In, Parameter, ParameterForm},
    documents::{Documents, Place},
};
use reference::{Check, Takes};
use regex::Regex;
use serde_json::{Map, Value};

/// How many properties of a body, and how many values of a list, are named.
const MOST_MEMBERS: usize = 50;
const MAX_CHOICES: usize = 10;
/// Schemas within schemas that an example follows. Documents may be cyclic.
const DEPTH: usize = 4;
/// Longest text of a rule and of an example.
const LONGEST: usize = 200;
/// Texts of which one fits most patterns.
const TEXTS: [&str; 8] = ["7", "abc", "a", "ABC", "a1", "north", "2026-11-23", "12345678"];

/// What the rules of these parameters and this body check.
pub(super) fn takes(documents: &Documents, parameters: &[Parameter], body: Option<&Body>) -> Takes {
    let mut takes =
        Takes { checks: parameters.iter().map(|one| check(documents, one)).collect(), ..Takes::default() };
    let Some(body) = body else { return takes };
    takes.media_types = body.content.iter().map(|media| media.media_type.clone()).collect();
    let is_json = |media_type: &str| media_type == "application/json" || media_type.ends_with("+json");
    let json = body.content.iter().find(|media| is_json(&media.media_type));
    takes.checks_body = body.content.iter().any(|media| media.schema.is_some());
    if let Some(schema) = json.and_then(|media| media.schema.as_ref()) {
        takes.checks.extend(members(documents, schema));
        takes.body = example(documents, schema, DEPTH).to_string();
    }
    takes
}

fn check(documents: &Documents, one: &Parameter) -> Check {
    let place = match one.place {
        In::Path => reference::Place::Path,
        In::Query | In::QueryString => reference::Place::Query,
        In::Header => reference::Place::Header,
        In::Cookie => reference::Place::Cookie,
    };
    let schema = match &one.form {
        ParameterForm::Styled { schema, .. } | ParameterForm::Content { schema, .. } => schema.as_ref(),
    };
    let example = schema.map(|schema| {
        let value = example(documents, schema, 1);
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    });
    Check {
        place,
        name: one.name.clone(),
        required: one.required,
        rule: schema.map(|schema| rule(documents, schema)).unwrap_or_default(),
        example: example.filter(|example| example.len() <= LONGEST).unwrap_or_default(),
        wrong: None,
    }
}

/// The members of an object that is a body.
fn members(documents: &Documents, schema: &Place) -> Vec<Check> {
    let Some((place, object)) = followed(documents, schema) else { return Vec::new() };
    let Some(Value::Object(properties)) = object.get("properties") else { return Vec::new() };
    let required = required(object);
    let properties_at = place.child("properties");
    properties
        .keys()
        .take(MOST_MEMBERS)
        .map(|name| Check {
            place: reference::Place::Body,
            name: name.clone(),
            required: required.contains(&name.as_str()),
            rule: rule(documents, &properties_at.child(name)),
            example: String::new(),
            wrong: None,
        })
        .collect()
}

fn required(object: &Map<String, Value>) -> Vec<&str> {
    let names = object.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The schema at a place, references followed.
fn followed<'d>(documents: &'d Documents, schema: &Place) -> Option<(Place, &'d Map<String, Value>)> {
    let place = documents.follow(schema).ok()?;
    let object = documents.get(&place)?.as_object()?;
    Some((place, object))
}

/// The rule for a value: `a whole number, at least 1, at most 100`.
fn rule(documents: &Documents, schema: &Place) -> String {
    let Some((_, schema)) = followed(documents, schema) else { return String::new() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut parts: Vec<String> = Vec::new();
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        let named: Vec<String> = choices.iter().take(MAX_CHOICES).map(text).collect();
        let more = if choices.len() > MAX_CHOICES { ", …" } else { "" };
        parts.push(format!("one of {}{more}", named.join(", ")));
    } else if let Some(only) = schema.get("const") {
        parts.push(format!("exactly {}", text(only)));
    } else {
        parts.extend(kind(schema).map(str::to_owned));
        parts.extend(schema.get("format").and_then(Value::as_str).map(|format| format!("format {format}")));
    }
    let bounds = [
        ("minimum", "at least ", ""),
        ("maximum", "at most ", ""),
        ("minLength", "at least ", " characters"),
        ("maxLength", "at most ", " characters"),
        ("minItems", "at least ", " items"),
        ("maxItems", "at most ", " items"),
        ("multipleOf", "a multiple of ", ""),
    ];
    for (keyword, before, behind) in bounds {
        if let Some(bound) = schema.get(keyword).filter(|bound| bound.is_number()) {
            let behind = if bound.as_f64() == Some(1.0) { behind.trim_end_matches('s') } else { behind };
            parts.push(format!("{before}{bound}{behind}"));
        }
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        let whole = pattern.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$"));
        parts.push(format!("of the pattern {}", whole.unwrap_or(pattern)));
    }
    let rule = parts.join(", ");
    match rule.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", rule.get(..end).unwrap_or_default()),
        None => rule,
    }
}

/// The first type but null. Since 3.1 there may be several.
fn type_of(schema: &Map<String, Value>) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => Some(one),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).find(|one| *one != "null"),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            schema.contains_key("properties").then_some("object")
        }
    }
}

fn kind(schema: &Map<String, Value>) -> Option<&'static str> {
    Some(match type_of(schema)? {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        _ => return None,
    })
}

/// A value that passes, most likely: the document's own example, else one that fits type and bounds.
fn example(documents: &Documents, schema: &Place, depth: usize) -> Value {
    let Some((place, schema)) = followed(documents, schema) else { return Value::from(7) };
    let first = |name: &str| schema.get(name).and_then(Value::as_array).and_then(|all| all.first());
    let given = schema.get("example").or_else(|| first("examples")).or_else(|| schema.get("default"));
    if let Some(given) = given.or_else(|| schema.get("const")).or_else(|| first("enum")) {
        return given.clone();
    }
    match type_of(schema) {
        Some("string") => text(schema).into(),
        Some("boolean") => true.into(),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| 7.into()),
        Some("array") if depth > 0 => {
            Value::Array(vec![example(documents, &place.child("items"), depth - 1)])
        }
        Some("object") => {
            let properties = place.child("properties");
            let names = if depth > 0 { required(schema) } else { Vec::new() };
            let one = |name: &str| (name.to_owned(), example(documents, &properties.child(name), depth - 1));
            Value::Object(names.into_iter().take(MOST_MEMBERS).map(one).collect())
        }
        Some(_) | None => Value::from(7),
    }
}

fn text(schema: &Map<String, Value>) -> String {
    match schema.get("format").and_then(Value::as_str) {
        Some("date") => return "2026-11-23".to_owned(),
        Some("date-time") => return "2026-11-23T20:26:28Z".to_owned(),
        Some("email") => return "ada@example.com".to_owned(),
        Some("uuid") => return "123e4567-e89b-12d3-a456-426614174000".to_owned(),
        Some("uri") => return "https://example.com/".to_owned(),
        Some("ipv4") => return "192.0.2.7".to_owned(),
        Some(_) | None => {}
    }
    let pattern = schema.get("pattern").and_then(Value::as_str).and_then(|pattern| Regex::new(pattern).ok());
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    let most = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let fits = |text: &&str| {
        (least..=most).contains(&(text.len() as u64)) && pattern.as_ref().is_none_or(|p| p.is_match(text))
    };
    let known = TEXTS.into_iter().find(fits).map(str::to_owned);
    known.unwrap_or_else(|| "a".repeat(usize::try_from(least).unwrap_or(0).clamp(1, LONGEST)))
}
