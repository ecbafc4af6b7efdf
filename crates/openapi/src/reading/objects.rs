//! Members of objects, with their types checked: what has a wrong one is a fault at its place.

use super::Reader;
use crate::documents::Place;
use serde_json::{Map, Value};

/// An object of a document, and its location.
#[derive(Clone)]
pub(super) struct Object<'d> {
    pub(super) place: Place,
    pub(super) members: &'d Map<String, Value>,
}

impl<'d> Object<'d> {
    /// A member that is there and is not null. YAML makes null of a member with nothing behind it.
    pub(super) fn get(&self, name: &str) -> Option<&'d Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }
}

impl<'d> Reader<'d> {
    /// The object at a place.
    pub(super) fn object_at(&mut self, place: &Place) -> Option<Object<'d>> {
        match self.documents.get(place) {
            Some(Value::Object(members)) => Some(Object { place: place.clone(), members }),
            Some(other) => {
                self.wrong(place, "an object", other);
                None
            }
            None => None,
        }
    }

    /// A member that must be an object, itself, also if it is a reference.
    pub(super) fn object(&mut self, parent: &Object<'d>, name: &str) -> Option<Object<'d>> {
        self.member(parent, name)?;
        self.object_at(&parent.place.child(name))
    }

    /// A member that must be a list.
    pub(super) fn list(&mut self, parent: &Object<'d>, name: &str) -> Option<&'d [Value]> {
        let value = self.member(parent, name)?;
        self.typed(parent, name, "an array", value, Value::as_array).map(Vec::as_slice)
    }

    /// A member that must be a non-empty string.
    pub(super) fn text(&mut self, parent: &Object<'d>, name: &str) -> Option<&'d str> {
        let value = self.member(parent, name)?;
        self.typed(parent, name, "a string", value, Value::as_str)
    }

    /// A member that is true or false, and false if it is not there.
    pub(super) fn flag(&mut self, parent: &Object<'d>, name: &str) -> bool {
        self.choice(parent, name).unwrap_or(false)
    }

    /// A member that is true or false, if it is there.
    pub(super) fn choice(&mut self, parent: &Object<'d>, name: &str) -> Option<bool> {
        let value = self.member(parent, name)?;
        self.typed(parent, name, "a boolean", value, Value::as_bool)
    }

    fn typed<T>(
        &mut self,
        parent: &Object<'d>,
        name: &str,
        needed: &str,
        value: &'d Value,
        read: impl FnOnce(&'d Value) -> Option<T>,
    ) -> Option<T> {
        let typed = read(value);
        if typed.is_none() {
            self.wrong(&parent.place.child(name), needed, value);
        }
        typed
    }

    /// The first line of a text that only people read. YAML makes numbers of titles such as 1.0.
    pub(super) fn line(&mut self, parent: &Object<'d>, name: &str) -> String {
        match self.member(parent, name) {
            Some(Value::String(text)) => {
                text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
            }
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
                let message = format!("The field \"{name}\" must be a string; it is ignored.");
                self.notes.warn(&parent.place.child(name), message);
                String::new()
            }
            None => String::new(),
        }
    }

    fn member(&mut self, parent: &Object<'d>, name: &str) -> Option<&'d Value> {
        let value = parent.members.get(name)?;
        if value.is_null() {
            let message = format!("The field \"{name}\" has no value; it is treated as missing.");
            self.notes.warn(&parent.place.child(name), message);
            return None;
        }
        Some(value)
    }

    /// Notes that something has a wrong type.
    pub(super) fn wrong(&mut self, place: &Place, needed: &str, found: &Value) {
        self.notes.fault(place, format!("Must be {needed}, but is {}.", name_of(found)), "");
    }
}

/// A value's type, in a sentence.
pub(super) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
