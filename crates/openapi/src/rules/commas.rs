//! Which items can have no comma: then a percent-encoded comma can only separate two of them.

use regex_syntax::hir::{Class, Hir, HirKind, Look};
use serde_json::{Map, Value};

/// Whether no value that a schema takes can have a comma, by its own keywords.
pub(super) fn are_excluded(map: &Map<String, Value>) -> bool {
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
