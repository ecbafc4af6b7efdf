//! What the validator is given: values that were made here, and trees that were read. It sees no difference.

use crate::tree::{Members as TreeMembers, Tree};
use jsonschema::{
    JsonType,
    json::{self, Json, NodeIdentity, cmp, unique},
};
use serde_json::{Map, Number, Value};
use std::{borrow::Cow, slice};

/// The kind of JSON that validators are compiled for.
#[derive(Debug)]
pub enum Instance {}

/// A value, or a part of one.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// It was made here.
    Made(&'a Value),
    /// It was read.
    Read(&'a Tree<'a>),
}

/// What a part is.
#[derive(Debug)]
pub enum Seen<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(&'a Number),
    /// A string.
    Text(&'a str),
    /// An array.
    Array(Items<'a>),
    /// An object.
    Object(Members<'a>),
}

/// The items of an array.
#[derive(Debug, Clone, Copy)]
pub enum Items<'a> {
    /// They were made here.
    Made(&'a [Value]),
    /// They were read.
    Read(&'a [Tree<'a>]),
}

/// The members of an object.
#[derive(Debug, Clone, Copy)]
pub enum Members<'a> {
    /// They were made here.
    Made(&'a Map<String, Value>),
    /// They were read.
    Read(&'a TreeMembers<'a>),
}

impl<'a> Part<'a> {
    /// What it is.
    #[must_use]
    pub fn seen(self) -> Seen<'a> {
        match self {
            Self::Made(Value::Null) | Self::Read(Tree::Null) => Seen::Null,
            Self::Made(Value::Bool(flag)) | Self::Read(Tree::Bool(flag)) => Seen::Bool(*flag),
            Self::Made(Value::Number(number)) | Self::Read(Tree::Number(number)) => Seen::Number(number),
            Self::Made(Value::String(text)) => Seen::Text(text),
            Self::Read(Tree::Text(text)) => Seen::Text(text),
            Self::Made(Value::Array(items)) => Seen::Array(Items::Made(items)),
            Self::Read(Tree::Array(items)) => Seen::Array(Items::Read(items)),
            Self::Made(Value::Object(members)) => Seen::Object(Members::Made(members)),
            Self::Read(Tree::Object(members)) => Seen::Object(Members::Read(members)),
        }
    }

    /// Where it lies: no other part that is there at the same time lies there.
    #[must_use]
    pub fn address(self) -> usize {
        match self {
            Self::Made(value) => std::ptr::from_ref(value).addr(),
            Self::Read(tree) => std::ptr::from_ref(tree).addr(),
        }
    }
}

impl<'a> Items<'a> {
    /// One after the other.
    #[must_use]
    pub fn iter(self) -> ItemsIter<'a> {
        match self {
            Self::Made(items) => ItemsIter::Made(items.iter()),
            Self::Read(items) => ItemsIter::Read(items.iter()),
        }
    }
}

impl<'a> Members<'a> {
    /// The value of the member with this name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Part<'a>> {
        match self {
            Self::Made(members) => members.get(name).map(Part::Made),
            Self::Read(members) => members.get(name).map(Part::Read),
        }
    }

    /// Name and value, one after the other.
    #[must_use]
    pub fn iter(self) -> MembersIter<'a> {
        match self {
            Self::Made(members) => MembersIter::Made(members.iter()),
            Self::Read(members) => MembersIter::Read(members.pairs().iter()),
        }
    }
}

/// Goes through [`Items`].
#[derive(Debug)]
pub enum ItemsIter<'a> {
    /// They were made here.
    Made(slice::Iter<'a, Value>),
    /// They were read.
    Read(slice::Iter<'a, Tree<'a>>),
}

impl<'a> Iterator for ItemsIter<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        match self {
            Self::Made(items) => items.next().map(Part::Made),
            Self::Read(items) => items.next().map(Part::Read),
        }
    }
}

/// Goes through [`Members`].
#[derive(Debug)]
pub enum MembersIter<'a> {
    /// They were made here.
    Made(serde_json::map::Iter<'a>),
    /// They were read.
    Read(slice::Iter<'a, (Cow<'a, str>, Tree<'a>)>),
}

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, Part<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Made(members) => members.next().map(|(name, value)| (name.as_str(), Part::Made(value))),
            Self::Read(members) => members.next().map(|(name, value)| (&**name, Part::Read(value))),
        }
    }
}

impl Json for Instance {
    type Node<'a> = Part<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    // A look at a member goes through some names, as it does for the values of `serde_json`, whose figure this is.
    const KEYS_PER_LOOKUP: usize = 2;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), string: &str, work: impl FnOnce(Part<'_>) -> T) -> T {
        work(Part::Read(&Tree::Text(Cow::Borrowed(string))))
    }
}

impl<'a> json::Node<'a, Instance> for Part<'a> {
    type Object = Members<'a>;
    type Array = Items<'a>;
    type Number = &'a Number;

    fn as_object(&self) -> Option<Members<'a>> {
        if let Seen::Object(members) = self.seen() { Some(members) } else { None }
    }

    fn as_array(&self) -> Option<Items<'a>> {
        if let Seen::Array(items) = self.seen() { Some(items) } else { None }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        if let Seen::Text(text) = self.seen() { Some(Cow::Borrowed(text)) } else { None }
    }

    fn as_number(&self) -> Option<&'a Number> {
        if let Seen::Number(number) = self.seen() { Some(number) } else { None }
    }

    fn as_boolean(&self) -> Option<bool> {
        if let Seen::Bool(flag) = self.seen() { Some(flag) } else { None }
    }

    fn is_null(&self) -> bool {
        matches!(self.seen(), Seen::Null)
    }

    fn json_type(&self) -> JsonType {
        match self.seen() {
            Seen::Null => JsonType::Null,
            Seen::Bool(_) => JsonType::Boolean,
            Seen::Number(_) => JsonType::Number,
            Seen::Text(_) => JsonType::String,
            Seen::Array(_) => JsonType::Array,
            Seen::Object(_) => JsonType::Object,
        }
    }

    fn string_length_within(&self, least: u64, most: u64) -> Option<bool> {
        let Seen::Text(text) = self.seen() else { return None };
        // A character has one to four bytes, which mostly tells enough.
        let bytes = text.len() as u64;
        let fewest = bytes.div_ceil(4);
        if bytes < least || fewest > most {
            return Some(false);
        }
        let is_sure = least <= fewest && bytes <= most;
        Some(is_sure || (least..=most).contains(&(text.chars().count() as u64)))
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (*self, self.seen(), expected) {
            (Self::Made(value), _, _) => cmp::equal(value, expected),
            // Most are held against texts.
            (Self::Read(_), Seen::Text(text), Value::String(expected)) => text == expected,
            (Self::Read(tree), _, _) => cmp::equal(&tree.to_value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        match self {
            Self::Made(value) => Cow::Borrowed(value),
            Self::Read(tree) => Cow::Owned(tree.to_value()),
        }
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(self.address()))
    }
}

impl<'a> json::Object<'a, Instance> for Members<'a> {
    type Node = Part<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        match self {
            Self::Made(members) => members.len(),
            Self::Read(members) => members.pairs().len(),
        }
    }

    fn get(&self, key: &String) -> Option<Part<'a>> {
        Members::get(*self, key)
    }

    fn members(&self) -> MembersIter<'a> {
        self.iter()
    }
}

impl<'a> json::Array<'a, Instance> for Items<'a> {
    type Node = Part<'a>;
    type ElementsIter = ItemsIter<'a>;

    fn len(&self) -> usize {
        match self {
            Self::Made(items) => items.len(),
            Self::Read(items) => items.len(),
        }
    }

    fn elements(&self) -> ItemsIter<'a> {
        self.iter()
    }

    fn is_unique(&self) -> bool {
        match self {
            Self::Made(items) => unique::is_unique(items),
            Self::Read(items) => unique::is_unique(&items.iter().map(Tree::to_value).collect::<Vec<_>>()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonschema::json::conformance;

    #[test]
    fn both_forms_are_what_the_validator_relies_on() {
        let value = conformance::document();
        conformance::assert_conformance::<Instance>(&Part::Made(&value));
        let text = value.to_string();
        conformance::assert_conformance::<Instance>(&Part::Read(&Tree::read(text.as_bytes()).unwrap()));
    }
}
