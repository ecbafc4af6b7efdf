//! What text may be by a schema: the types of a value and of its parts.

mod gather;

pub(super) use gather::Shapes;

use instance::{Part, Validator};
use serde_json::Value;
use std::sync::Arc;

/// A set of JSON types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    pub(super) const NUMBER: Self = Self(8);
    pub(super) const STRING: Self = Self(16);
    pub(super) const ARRAY: Self = Self(32);
    pub(super) const OBJECT: Self = Self(64);
    /// Whatever parses as a number is one: there are rules for numbers, and nothing excludes them.
    const FIRM: Self = Self(128);
    /// What a schema has in mind that names no type and has bounds of numbers. Other text passes it.
    const NUMERIC: Self = Self(Self::INTEGER.0 | Self::NUMBER.0 | Self::STRING.0 | Self::FIRM.0);

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether text is a number whenever it reads as one.
    pub(super) fn are_firm(self) -> bool {
        self.has(Self::FIRM)
    }

    /// Whether anything but arrays and objects may be there.
    pub(super) fn has_scalar(self) -> bool {
        self.is_empty() || self.0 & !(Self::ARRAY.0 | Self::OBJECT.0 | Self::NULL.0) != 0
    }

    /// Whether there is nothing but text.
    pub(super) fn are_text(self) -> bool {
        self == Self::STRING || self == Self::STRING | Self::NULL
    }

    /// Whether there is nothing but objects.
    pub(super) fn are_objects(self) -> bool {
        self == Self::OBJECT || self == Self::OBJECT | Self::NULL
    }

    fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" | "file" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => Self(0),
        }
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number.is_f64() => Self::NUMBER,
            Value::Number(_) => Self::INTEGER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// The types of both, where each narrows the other; those of one, where the other has none.
    fn narrowed(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        // An integer is a number.
        let widened = |types: Self| if types.has(Self::NUMBER) { types | Self::INTEGER } else { types };
        let both = Self(widened(self).0 & widened(other).0);
        if both.is_empty() { self } else { both }
    }
}

impl Types {
    /// The types of either of two alternatives. One without types takes text unchanged.
    fn either(self, other: Self) -> Self {
        if self.is_empty() && other.is_empty() {
            return self;
        }
        let mut both = self | other;
        if (self.is_empty() || other.is_empty()) && both.has_scalar() {
            both = both | Self::STRING;
        }
        let is_text = |types: Self| types.has(Self::STRING) && !types.are_firm();
        if is_text(self) || is_text(other) {
            both.0 &= !Self::FIRM.0;
        }
        both
    }
}

impl std::ops::BitOr for Types {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The types of a value and of its parts.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    /// Empty: they are not declared.
    pub(super) types: Types,
    pub(super) items: Option<Box<Shape>>,
    /// The first items, each of its own.
    prefix: Vec<Shape>,
    pub(super) members: Vec<(String, Shape)>,
    /// Of members without a name. None: the schema does not declare them, or excludes them.
    pub(super) rest: Option<Box<Shape>>,
    /// A body or part of it that is never looked into.
    pub(super) binary: bool,
    /// Its bytes are represented by a text, which is checked.
    encoded: bool,
    /// A link, as some frameworks describe a file by what their answers have in its place.
    link: bool,
    /// There are more rules for the text than its format: then a file cannot represent it.
    restricted: bool,
    /// Its text can have no comma.
    has_no_comma: bool,
    /// No item of it can have a comma, so that commas part items even where they are percent-encoded.
    pub(super) has_no_commas: bool,
    /// It holds only for some values, by a condition that is not looked at here.
    loose: bool,
    /// Of members whose names match a pattern.
    patterns: Vec<(NamePattern, Shape)>,
    /// The places of many members, by their names.
    by_name: Vec<usize>,
}

/// A pattern of names.
#[derive(Debug, Clone)]
struct NamePattern(Arc<Validator>);

impl NamePattern {
    fn matches(&self, name: &str) -> bool {
        self.0.is_valid(Part::Made(&Value::String(name.to_owned())))
    }
}

/// The formats of links.
const LINKS: [&str; 4] = ["uri", "uri-reference", "iri", "iri-reference"];

/// Members that are looked through one by one.
const FEW: usize = 16;

impl Shape {
    /// Whether raw bytes are allowed here, of which only the presence is checked.
    pub(super) fn takes_bytes(&self) -> bool {
        self.binary && !self.encoded && self.is_text()
    }

    /// Whether a file may be sent in the place of the link that it is described as.
    pub(super) fn is_link(&self) -> bool {
        self.link && !self.restricted && !self.binary && self.is_text()
    }

    /// Whether nothing but text may be there.
    fn is_text(&self) -> bool {
        self.types.are_text() || self.types.is_empty()
    }

    /// The shape of the member with this name.
    pub(super) fn member(&self, wanted: &str) -> Option<&Self> {
        if self.by_name.is_empty() {
            return self.members.iter().find(|(name, _)| name == wanted).map(|(_, shape)| shape);
        }
        let name = |place: usize| self.members.get(place).map_or("", |(name, _)| name.as_str());
        let found = self.by_name.binary_search_by(|&place| name(place).cmp(wanted)).ok()?;
        self.members.get(*self.by_name.get(found)?).map(|(_, shape)| shape)
    }

    /// The shape of a member of this name, whether it is named or not.
    pub(super) fn part(&self, name: &str) -> Option<&Self> {
        self.member(name).or_else(|| self.by_pattern(name)).or(self.rest.as_deref())
    }

    fn by_pattern(&self, name: &str) -> Option<&Self> {
        self.patterns.iter().find(|(pattern, _)| pattern.matches(name)).map(|(_, shape)| shape)
    }

    /// Whether a name, or a pattern of names, is this one.
    pub(super) fn names(&self, name: &str) -> bool {
        self.member(name).is_some() || self.by_pattern(name).is_some()
    }

    /// Whether it may have members of other names.
    pub(super) fn is_open(&self) -> bool {
        self.rest.is_some() || (self.members.is_empty() && self.patterns.is_empty())
    }

    /// The shape of an item.
    pub(super) fn item(&self, index: usize) -> Option<&Self> {
        self.prefix.get(index).or(self.items.as_deref())
    }

    /// Has members found by their names from now on.
    fn finish(&mut self) {
        // A named member is checked against the patterns of its name as well.
        for (name, member) in &mut self.members {
            for (_, shape) in self.patterns.iter().filter(|(pattern, _)| pattern.matches(name)) {
                member.narrow(shape.clone());
            }
        }
        if self.members.len() > FEW {
            let mut by_name: Vec<usize> = (0..self.members.len()).collect();
            by_name.sort_by_key(|&place| self.members.get(place).map(|(name, _)| name.as_str()));
            self.by_name = by_name;
        }
        self.members.iter_mut().for_each(|(_, member)| member.finish());
        self.prefix.iter_mut().for_each(Self::finish);
        self.patterns.iter_mut().for_each(|(_, shape)| shape.finish());
        self.items.iter_mut().chain(&mut self.rest).for_each(|part| part.finish());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        documents::{Documents, Place, Version},
        rules::Strictness,
        schema::SchemaCompiler,
    };
    use serde_json::json;

    #[test]
    fn references_to_one_schema_share_its_shape() {
        let documents = json!({
            "a": {"$ref": "#/c"}, "b": {"$ref": "#/a"}, "c": {"properties": {"x": {"type": "integer"}}},
            "d": {"$ref": "#/c", "properties": {"y": {"type": "boolean"}}},
        });
        let documents = Documents::inline(documents, Version::V31);
        let mut schemas = SchemaCompiler::new(&documents, Strictness::default());
        let mut shapes = Shapes::default();
        let mut of = |pointer: &str| {
            let place = Place { file: documents.root(), pointer: pointer.to_owned() };
            shapes.of(&mut schemas, &place)
        };
        let (a, b, c, d) = (of("/a"), of("/b"), of("/c"), of("/d"));
        assert!(Arc::ptr_eq(&a, &c) && Arc::ptr_eq(&b, &c));
        assert_eq!(a.member("x").unwrap().types, Types::INTEGER);
        // Keywords beside a reference count as well.
        assert_eq!(d.member("x").unwrap().types, Types::INTEGER);
        assert_eq!(d.member("y").unwrap().types, Types::BOOLEAN);
    }
}
