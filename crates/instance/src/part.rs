//! Instances for the validator: generated values and parsed trees, which it handles alike.

mod compare;

use crate::{
    tree::{Members as TreeMembers, Tree},
    work,
};
use contract::pointer;
use jsonschema::{
    JsonType,
    json::{self, Json, NodeIdentity},
};
use serde_json::{Map, Number, Value};
use std::{borrow::Cow, slice};

/// The type of JSON that validators are compiled for.
#[derive(Debug)]
pub enum Instance {}

/// A value, or a part of one.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// Generated.
    Made(&'a Value),
    /// Parsed.
    Read(&'a Tree<'a>),
}

/// The content of a part.
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
    /// Generated.
    Made(&'a [Value]),
    /// Parsed.
    Read(&'a [Tree<'a>]),
}

/// The members of an object.
#[derive(Debug, Clone, Copy)]
pub enum Members<'a> {
    /// Generated.
    Made(&'a Map<String, Value>),
    /// Parsed.
    Read(&'a TreeMembers<'a>),
}

impl<'a> Part<'a> {
    /// Its content.
    #[must_use]
    #[inline]
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

    /// Its text, if it is a string.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        if let Seen::Text(text) = self.seen() { Some(text) } else { None }
    }

    /// The member or item with this name.
    #[must_use]
    pub fn child(self, name: &str) -> Option<Self> {
        match self.seen() {
            Seen::Object(members) => members.get(name),
            Seen::Array(items) => items.get(pointer::index(name)?),
            Seen::Null | Seen::Bool(_) | Seen::Number(_) | Seen::Text(_) => None,
        }
    }

    /// The part at a JSON pointer.
    #[must_use]
    pub fn pointer(self, pointer: &str) -> Option<Self> {
        let mut here = self;
        for name in pointer::names(pointer) {
            here = here.child(&name)?;
        }
        Some(here)
    }

    /// Whether it equals another one.
    #[must_use]
    pub fn is_same(self, other: Part<'_>) -> bool {
        compare::are_same(self, other)
    }

    /// The number of values in it. Less, once its time limit is exceeded.
    #[must_use]
    pub fn count(self) -> u32 {
        fn of<'p>(parts: impl Iterator<Item = Part<'p>>) -> u32 {
            parts.fold(1, |count: u32, part| count.saturating_add(part.count()))
        }
        match self.seen() {
            Seen::Array(items) => of(items.iter()),
            Seen::Object(members) => of(members.iter().map(|(_, value)| value)),
            Seen::Null | Seen::Bool(_) | Seen::Number(_) | Seen::Text(_) => 1,
        }
    }

    /// Its memory address, which is unique among parts that exist at the same time.
    #[must_use]
    #[inline]
    pub fn address(self) -> usize {
        match self {
            Self::Made(value) => std::ptr::from_ref(value).addr(),
            Self::Read(tree) => std::ptr::from_ref(tree).addr(),
        }
    }
}

impl<'a> Items<'a> {
    /// The number of items.
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Self::Made(items) => items.len(),
            Self::Read(items) => items.len(),
        }
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The item at a position.
    #[must_use]
    pub fn get(self, place: usize) -> Option<Part<'a>> {
        match self {
            Self::Made(items) => items.get(place).map(Part::Made),
            Self::Read(items) => items.get(place).map(Part::Read),
        }
    }

    /// All items in order.
    #[must_use]
    #[inline]
    pub fn iter(self) -> ItemsIter<'a> {
        let items = match self {
            Self::Made(items) => ItemsLeft::Made(items.iter()),
            Self::Read(items) => ItemsLeft::Read(items.iter()),
        };
        ItemsIter { items, is_counted: self.len() > work::FEW }
    }

    /// The same for a validator: empty once its time limit is exceeded.
    #[inline]
    fn elements_now(self) -> ItemsIter<'a> {
        if work::is_over() { Self::Read(&[]).iter() } else { self.iter() }
    }
}

impl<'a> Members<'a> {
    /// The value of the member with this name.
    #[must_use]
    #[inline]
    pub fn get(self, name: &str) -> Option<Part<'a>> {
        match self {
            Self::Made(members) => members.get(name).map(Part::Made),
            Self::Read(members) => members.get(name).map(Part::Read),
        }
    }

    /// The number of members.
    #[must_use]
    #[inline]
    pub fn len(self) -> usize {
        match self {
            Self::Made(members) => members.len(),
            Self::Read(members) => members.pairs().len(),
        }
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Name and value of all members in order.
    #[must_use]
    #[inline]
    pub fn iter(self) -> MembersIter<'a> {
        let members = match self {
            Self::Made(members) => MembersLeft::Made(members.iter()),
            Self::Read(members) => MembersLeft::Read(members.pairs().iter()),
        };
        MembersIter { members, is_counted: self.len() > work::FEW }
    }

    /// The same for a validator: empty once its time limit is exceeded.
    #[inline]
    fn members_now(self) -> MembersIter<'a> {
        if work::is_over() {
            MembersIter { members: MembersLeft::Read([].iter()), is_counted: false }
        } else {
            self.iter()
        }
    }
}

/// Iterates over [`Items`].
#[derive(Debug, Clone)]
pub struct ItemsIter<'a> {
    items: ItemsLeft<'a>,
    /// There are many, so they count as work.
    is_counted: bool,
}

#[derive(Debug, Clone)]
enum ItemsLeft<'a> {
    /// Generated.
    Made(slice::Iter<'a, Value>),
    /// Parsed.
    Read(slice::Iter<'a, Tree<'a>>),
}

impl<'a> Iterator for ItemsIter<'a> {
    type Item = Part<'a>;

    #[inline]
    fn next(&mut self) -> Option<Part<'a>> {
        if self.is_counted && !work::spend(1) {
            return None;
        }
        match &mut self.items {
            ItemsLeft::Made(items) => items.next().map(Part::Made),
            ItemsLeft::Read(items) => items.next().map(Part::Read),
        }
    }
}

/// Iterates over [`Members`].
#[derive(Debug)]
pub struct MembersIter<'a> {
    members: MembersLeft<'a>,
    /// There are many, so they count as work.
    is_counted: bool,
}

#[derive(Debug)]
enum MembersLeft<'a> {
    /// Generated.
    Made(serde_json::map::Iter<'a>),
    /// Parsed.
    Read(slice::Iter<'a, (Cow<'a, str>, Tree<'a>)>),
}

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, Part<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_counted && !work::spend(1) {
            return None;
        }
        match &mut self.members {
            MembersLeft::Made(members) => {
                members.next().map(|(name, value)| (name.as_str(), Part::Made(value)))
            }
            MembersLeft::Read(members) => members.next().map(|(name, value)| (&**name, Part::Read(value))),
        }
    }
}

impl Json for Instance {
    type Node<'a> = Part<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    // A lookup compares some names, as for values of `serde_json`, whose figure this is.
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
        let Seen::Text(text) = self.seen() else { return None };
        work::reads_text(text.len());
        Some(Cow::Borrowed(text))
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
        // A character has one to four bytes, which mostly suffices to decide.
        let bytes = text.len() as u64;
        let fewest = bytes.div_ceil(4);
        if bytes < least || fewest > most {
            return Some(false);
        }
        let is_sure = least <= fewest && bytes <= most;
        Some(is_sure || (least..=most).contains(&(text.chars().count() as u64)))
    }

    fn equals_value(&self, expected: &Value) -> bool {
        compare::are_same(*self, Part::Made(expected))
    }

    fn to_value(&self) -> Cow<'a, Value> {
        // Of an error only its location and kind are used, and the text of names.
        if work::makes_error() {
            return Cow::Owned(self.text().map_or(Value::Null, Value::from));
        }
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
        Members::len(*self)
    }

    fn get(&self, key: &String) -> Option<Part<'a>> {
        Members::get(*self, key)
    }

    fn members(&self) -> MembersIter<'a> {
        self.members_now()
    }
}

impl<'a> json::Array<'a, Instance> for Items<'a> {
    type Node = Part<'a>;
    type ElementsIter = ItemsIter<'a>;

    fn len(&self) -> usize {
        Items::len(*self)
    }

    fn elements(&self) -> ItemsIter<'a> {
        self.elements_now()
    }

    fn is_unique(&self) -> bool {
        match *self {
            Self::Made(items) => compare::are_unique(items.len(), items.iter().map(Part::Made)),
            Self::Read(items) => compare::are_unique(items.len(), items.iter().map(Part::Read)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonschema::json::conformance;

    #[test]
    fn a_value_is_counted_with_all_that_it_is_made_of() {
        let many = vec!["0"; 3 * work::FEW].join(",");
        for (text, count) in [
            ("null", 1),
            ("[]", 1),
            ("[1,[2,{}]]", 5),
            (r#"{"a":{"b":["c",true]},"d":0}"#, 6),
            (&format!(r#"{{"a":[{many}],"b":"c"}}"#), 3 * work::FEW as u32 + 3),
        ] {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(Part::Made(&value).count(), count, "{text}");
            assert_eq!(Part::Read(&Tree::read(text.as_bytes()).unwrap()).count(), count, "{text}");
        }
    }

    #[test]
    fn both_forms_are_what_the_validator_relies_on() {
        let value = conformance::document();
        conformance::assert_conformance::<Instance>(&Part::Made(&value));
        let text = value.to_string();
        conformance::assert_conformance::<Instance>(&Part::Read(&Tree::read(text.as_bytes()).unwrap()));
    }
}
