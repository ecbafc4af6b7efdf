//! The properties of an object's members, gathered from all schemas that the object is checked against:
//! `readOnly` in one of them makes a member that another requires one that requests need not send.

use crate::{
    documents::Place,
    schema::{Names, SchemaCompiler, rewrite::Standpoint},
};
use serde_json::Value;
use std::{collections::BTreeSet, rc::Rc};

/// Which members are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// Those that are `readOnly`.
    ReadOnly,
    /// Those that are required.
    Required,
    /// All that have a name.
    All,
}

/// Schemas that are looked at for one object; a document needs no more than a few dozen.
const MAX_SCHEMAS: usize = 500;
const DEEPEST: usize = 12;

impl SchemaCompiler<'_> {
    /// The members of the object that the schema at a place describes, also through `$ref` and `allOf`.
    pub(super) fn member_names(&mut self, place: &Place, members: Members) -> Names {
        let cache = match members {
            Members::ReadOnly => &self.read_only_names,
            Members::Required => &self.required_names,
            Members::All => return Rc::new(self.gathered(place, members)),
        };
        if let Some(names) = cache.get(place) {
            return Rc::clone(names);
        }
        let names = Rc::new(self.gathered(place, members));
        let cache = match members {
            Members::ReadOnly | Members::All => &mut self.read_only_names,
            Members::Required => &mut self.required_names,
        };
        cache.insert(place.clone(), Rc::clone(&names));
        names
    }

    fn gathered(&mut self, place: &Place, members: Members) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![place.clone()];
        while let Some(place) = waiting.pop() {
            if seen.len() >= MAX_SCHEMAS || !seen.insert(place.clone()) {
                continue;
            }
            let Some(Value::Object(map)) = self.documents.get(&place) else { continue };
            if let Some(Value::String(reference)) = map.get("$ref") {
                waiting.extend(self.resolved(&place, reference));
            }
            if let Some(Value::Object(properties)) = map.get("properties") {
                for name in properties.keys() {
                    let wanted = match members {
                        Members::ReadOnly => self.is_read_only(&place.child("properties").child(name), 0),
                        Members::Required => false,
                        Members::All => true,
                    };
                    if wanted {
                        names.insert(name.clone());
                    }
                }
            }
            if let Some(Value::Array(required)) = map.get("required").filter(|_| members == Members::Required)
            {
                names.extend(required.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            // A member that one alternative makes read-only is not so in the others.
            let alternatives: &[&str] = match members {
                Members::ReadOnly => &["allOf"],
                Members::Required | Members::All => &["allOf", "oneOf", "anyOf"],
            };
            for keyword in alternatives {
                if let Some(Value::Array(list)) = map.get(*keyword) {
                    let list_place = place.child(keyword);
                    waiting.extend((0..list.len()).map(|index| list_place.child(&index.to_string())));
                }
            }
        }
        names
    }

    /// Whether a member's schema has `readOnly`, also through `$ref` and `allOf`.
    pub(super) fn is_read_only(&self, place: &Place, depth: usize) -> bool {
        let Some(Value::Object(map)) = self.documents.get(place) else { return false };
        if depth > DEEPEST {
            return false;
        }
        if map.get("readOnly") == Some(&Value::Bool(true)) {
            return true;
        }
        if let Some(Value::String(reference)) = map.get("$ref")
            && let Ok(target) = self.resolved(place, reference)
        {
            return self.is_read_only(&target, depth + 1);
        }
        // Only the first few: authors put it beside one reference, and the work must not multiply.
        map.get("allOf").and_then(Value::as_array).is_some_and(|list| {
            let list_place = place.child("allOf");
            (0..list.len().min(4))
                .any(|index| self.is_read_only(&list_place.child(&index.to_string()), depth + 4))
        })
    }

    /// Members that need not be there in a schema: those of its surroundings, and its own.
    pub(super) fn waived_here(&mut self, at: &Standpoint) -> Names {
        let own = self.member_names(&at.place, Members::ReadOnly);
        if own.is_empty() || own.is_subset(&at.waived) {
            return Rc::clone(&at.waived);
        }
        Rc::new(at.waived.union(&own).cloned().collect())
    }

    /// Of the members that need not be there, those that make a difference to the schema at another place.
    pub(super) fn waived_there(&mut self, place: &Place, waived: &BTreeSet<String>) -> Vec<String> {
        if waived.is_empty() {
            return Vec::new();
        }
        let required = self.member_names(place, Members::Required);
        let own = self.member_names(place, Members::ReadOnly);
        waived.iter().filter(|name| required.contains(*name) && !own.contains(*name)).cloned().collect()
    }
}
