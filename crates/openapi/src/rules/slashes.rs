//! Patterns that ask for a slash where none can be: in one segment of a path.

use crate::{
    documents::Place,
    schema::{SchemaCompiler, sentences::quoted},
};
use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::Value;

/// Warns if a parameter of a path matches one segment, but its pattern only texts with a slash.
pub(super) fn warn(schemas: &mut SchemaCompiler<'_>, schema: Option<&Place>, name: &str) {
    let Some(place) = schema.and_then(|place| schemas.documents().follow(place).ok()) else { return };
    let schema = schemas.documents().get(&place);
    let Some(pattern) = schema.and_then(|schema| schema.get("pattern")).and_then(Value::as_str) else {
        return;
    };
    if !asks_for_slash(pattern) {
        return;
    }
    let message = format!(
        "The pattern {} matches only texts with a slash, but {{{name}}} matches one segment of the path: no request can match it. Split the path into its segments.",
        quoted(pattern)
    );
    schemas.warn(&place.child("pattern"), message);
}

fn asks_for_slash(pattern: &str) -> bool {
    // Those of a literal of another language are its delimiters, which another warning names.
    let is_literal = pattern.contains("/^") || pattern.contains("$/");
    !is_literal && regex_syntax::parse(pattern).is_ok_and(|hir| has_slash(&hir))
}

/// Whether whatever matches has a slash. As deep as the parser lets a pattern be.
fn has_slash(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'/'),
        HirKind::Class(Class::Unicode(class)) => class.literal().is_some_and(|only| only == b"/"),
        HirKind::Class(Class::Bytes(class)) => class.literal().is_some_and(|only| only == b"/"),
        HirKind::Repetition(repetition) => repetition.min > 0 && has_slash(&repetition.sub),
        HirKind::Capture(capture) => has_slash(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(has_slash),
        HirKind::Alternation(parts) => parts.iter().all(has_slash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_need_a_slash_ask_for_one() {
        for pattern in ["shelves/[^/]+", "^shelves/[^/]+$", "^(a/b|c/d)$", "(/x)+", "\\/"] {
            assert!(asks_for_slash(pattern), "{pattern}");
        }
        for pattern in ["^[^/]+$", "^(a/)?b$", "^(a/b|c)$", "[a/]", "(/x)*", "(", "/^[a-z]+$/", "^(?:/^a/)$"]
        {
            assert!(!asks_for_slash(pattern), "{pattern}");
        }
    }
}
