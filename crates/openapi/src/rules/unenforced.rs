//! What a body's schema requires of bytes that are not inspected: a warning names it.

use crate::{
    documents::Place,
    rules::shape::{Shape, Types},
    schema::{SchemaCompiler, sentences::quoted},
};
use serde_json::Value;

/// Schemas of one object that are looked through for its members.
const MAX_SCHEMAS: usize = 100;

/// Warns about the requirements of a schema of bytes. `what` has them.
pub(super) fn warn_of_bytes(schemas: &mut SchemaCompiler<'_>, place: &Place, what: &str) {
    let Ok(place) = schemas.documents().follow(place) else { return };
    for keyword in ["minLength", "maxLength", "pattern", "enum", "const"] {
        if schemas.documents().get(&place).is_some_and(|schema| schema.get(keyword).is_some()) {
            schemas.warn(&place, format!("`{keyword}` is not enforced for {what}: its content is not read."));
        }
    }
}

/// Warns of parts of a form that are files.
pub(super) fn warn_of_parts(schemas: &mut SchemaCompiler<'_>, place: &Place, shape: &Shape) {
    for (name, place) in members(schemas, place) {
        let Some(member) = shape.member(&name) else { continue };
        let (place, member) = if member.types == Types::ARRAY {
            let Some(items) = &member.items else { continue };
            let Ok(list) = schemas.documents().follow(&place) else { continue };
            (list.child("items"), items.as_ref())
        } else {
            (place, member)
        };
        if member.binary && !is_encoded(schemas, &place) {
            warn_of_bytes(schemas, &place, &format!("the part {}", quoted(&name)));
        } else if member.is_link() {
            warn_of_link(schemas, &place, &name);
        }
    }
}

/// Whether bytes are represented by a text, which is checked against its schema.
fn is_encoded(schemas: &SchemaCompiler<'_>, place: &Place) -> bool {
    let place = schemas.documents().follow(place).ok();
    let schema = place.and_then(|place| schemas.documents().get(&place));
    schema.is_some_and(|schema| schema.get("contentEncoding").is_some())
}

/// Frameworks describe a file as the link that their answers have in its place.
fn warn_of_link(schemas: &mut SchemaCompiler<'_>, place: &Place, name: &str) {
    let Ok(place) = schemas.documents().follow(place) else { return };
    let message = format!(
        "The part {} is described as a link. A part with a filename is a file and is not validated as one.",
        quoted(name)
    );
    schemas.warn(&place, message);
}

/// The members of an object, and the locations of their schemas: in itself, in its target, and in its parts.
fn members(schemas: &SchemaCompiler<'_>, place: &Place) -> Vec<(String, Place)> {
    let documents = schemas.documents();
    let mut found = Vec::new();
    let mut seen: Vec<Place> = Vec::new();
    let mut waiting = vec![place.clone()];
    while let Some(place) = waiting.pop() {
        if seen.len() == MAX_SCHEMAS || seen.contains(&place) {
            continue;
        }
        seen.push(place.clone());
        let Some(Value::Object(map)) = documents.get(&place) else { continue };
        if let Some(Value::String(reference)) = map.get("$ref") {
            waiting.extend(documents.resolve(&place, reference));
        }
        for name in
            map.get("properties").and_then(Value::as_object).into_iter().flat_map(|names| names.keys())
        {
            found.push((name.clone(), place.child("properties").child(name)));
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let count = map.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
            waiting.extend((0..count).map(|index| place.child(keyword).child(&index.to_string())));
        }
    }
    found
}
