//! Which items can have no comma: then a comma that is percent-encoded can only stand between two of them.

use crate::{documents::Place, schema::SchemaCompiler};
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use serde_json::{Map, Value};

/// Schemas that are followed into one another.
const DEEPEST: usize = 8;

/// Whether no item of the array at a place can have a comma.
pub(super) fn are_excluded(schemas: &SchemaCompiler<'_>, place: &Place) -> bool {
    let mut place = place.clone();
    for _ in 0..DEEPEST {
        let Some(Value::Object(map)) = schemas.documents().get(&place) else { return false };
        if map.get("items").is_some_and(Value::is_object) {
            return excludes(schemas, &place.child("items"), 0);
        }
        let Some(Value::String(reference)) = map.get("$ref") else { return false };
        let Ok(target) = schemas.documents().resolve(&place, reference) else { return false };
        place = target;
    }
    false
}

/// Whether no value of the schema at a place can have a comma.
fn excludes(schemas: &SchemaCompiler<'_>, place: &Place, depth: usize) -> bool {
    let Some(Value::Object(map)) = schemas.documents().get(place) else { return false };
    if depth > DEEPEST {
        return false;
    }
    if let Some(Value::String(reference)) = map.get("$ref")
        && let Ok(target) = schemas.documents().resolve(place, reference)
        && excludes(schemas, &target, depth + 1)
    {
        return true;
    }
    let parts = |keyword: &str| {
        let count = map.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        let list = place.child(keyword);
        (0..count).map(move |index| list.child(&index.to_string())).collect::<Vec<_>>()
    };
    let all = |keyword: &str| {
        let parts = parts(keyword);
        !parts.is_empty() && parts.iter().all(|part| excludes(schemas, part, depth + 1))
    };
    excludes_itself(map)
        || parts("allOf").iter().any(|part| excludes(schemas, part, depth + 1))
        || all("anyOf")
        || all("oneOf")
}

fn excludes_itself(map: &Map<String, Value>) -> bool {
    let has_none = |value: &Value| value.as_str().is_none_or(|text| !text.contains(','));
    if let Some(Value::Array(values)) = map.get("enum") {
        return values.iter().all(has_none);
    }
    if let Some(value) = map.get("const") {
        return has_none(value);
    }
    let is_plain = |name: &str| matches!(name, "integer" | "number" | "boolean" | "null");
    let are_plain = match map.get("type") {
        Some(Value::String(name)) => is_plain(name),
        Some(Value::Array(names)) => {
            !names.is_empty() && names.iter().all(|name| name.as_str().is_some_and(is_plain))
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
    };
    let format = map.get("format").and_then(Value::as_str).unwrap_or_default();
    are_plain
        || matches!(
            format,
            "uuid" | "date" | "date-time" | "time" | "duration" | "ipv4" | "ipv6" | "hostname"
        )
        || matches!(format, "byte" | "base64url")
        || map.get("pattern").and_then(Value::as_str).is_some_and(pattern_excludes)
}

/// Whether nothing that a pattern matches has a comma: it is about the whole of a text, and no part of it takes one.
fn pattern_excludes(pattern: &str) -> bool {
    let Ok(hir) = regex_syntax::parse(pattern) else { return false };
    let properties = hir.properties();
    properties.look_set_prefix().contains(Look::Start)
        && properties.look_set_suffix().contains(Look::End)
        && !takes_comma(&hir)
}

// As deep as the parser lets a pattern be.
fn takes_comma(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b','),
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(&','))
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(&b','))
        }
        HirKind::Repetition(repetition) => takes_comma(&repetition.sub),
        HirKind::Capture(capture) => takes_comma(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(takes_comma),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_whole_texts_without_commas_exclude_them() {
        for pattern in ["^[a-z]+$", "^\\d{1,3}$", "^(a|b)+$", "^$", "^[A-Za-z0-9_-]{1,64}$"] {
            assert!(pattern_excludes(pattern), "{pattern}");
        }
        for pattern in ["[a-z]+", "^[a-z]+", "^.*$", "^[^a]+$", "^a,b$", "^[ -/]$", "^a$|b", "("] {
            assert!(!pattern_excludes(pattern), "{pattern}");
        }
    }
}
