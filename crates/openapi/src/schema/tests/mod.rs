//! Schemas as in documents, and the findings for values.

mod agreement;
mod sentences;
mod suite;
mod warnings;

use crate::{
    documents::{Documents, Place, Version},
    fault::Warning,
    rules::{ReadOnly, Strictness},
    schema::{Found, SchemaCompiler},
};
use instance::{Part, Tree};
use serde_json::Value;

/// What is wrong with a value by the schema that is the whole document.
///
/// # Errors
/// The faults of the schema.
fn judged(schema: &Value, version: Version, value: &Value) -> Result<Vec<Found>, String> {
    judged_at(schema, "", version, ReadOnly::Ignored, value).map(|(found, _)| found)
}

/// What is wrong with a value by the schema at a pointer of a document, and the warnings.
fn judged_at(
    document: &Value,
    pointer: &str,
    version: Version,
    read_only: ReadOnly,
    value: &Value,
) -> Result<(Vec<Found>, Vec<Warning>), String> {
    let documents = Documents::inline(document.clone(), version);
    let mut compiler = SchemaCompiler::new(&documents, Strictness { read_only, ..Strictness::default() });
    let unit = compiler.unit(&Place { file: documents.root(), pointer: pointer.to_owned() });
    let (units, warnings, faults) = compiler.finish();
    if let Some(fault) = faults.first() {
        return Err(fault.to_string());
    }
    let found = units.violations(unit, Part::Made(value));
    // The two ways of the validator, to a yes or no and to all errors, must never disagree.
    assert_eq!(found.is_empty(), units.is_valid(unit, Part::Made(value)), "{document} {value}");
    // Nor must the two forms that a value can have.
    let text = value.to_string();
    let tree = Tree::read(text.as_bytes()).unwrap();
    assert_eq!(found.is_empty(), units.is_valid(unit, Part::Read(&tree)), "{document} {value}");
    assert_eq!(found, units.violations(unit, Part::Read(&tree)), "{document} {value}");
    Ok((found, warnings))
}
