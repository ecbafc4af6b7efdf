//! The locations of a document's operations, for the links that name them by a reference.

use super::kinds;
use crate::documents::{Documents, Place};
use contract::pointer::escape;
use serde_json::Value;
use std::collections::HashMap;

/// The pointer of each operation in the enriched document, by the places that a reference may name it by: where it is
/// used, in the path item that it comes from, and where it is itself. Those of the root file need none.
pub(super) fn by_place(documents: &Documents) -> HashMap<Place, String> {
    let mut found = HashMap::new();
    let root = Place { file: documents.root(), pointer: "/paths".to_owned() };
    for path in documents.get(&root).and_then(Value::as_object).into_iter().flat_map(|paths| paths.keys()) {
        let own = root.child(path);
        let Ok(item) = documents.follow(&own) else { continue };
        let Some(Value::Object(members)) = documents.get(&item) else { continue };
        for name in members.keys().filter(|name| kinds::method(name).is_some()) {
            let operation = item.child(name);
            let target = documents.follow(&operation).ok();
            for place in std::iter::once(operation).chain(target) {
                if place.file != root.file {
                    found.entry(place).or_insert_with(|| format!("/paths/{}/{name}", escape(path)));
                }
            }
        }
    }
    found
}
