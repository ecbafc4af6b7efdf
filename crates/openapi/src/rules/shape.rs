//! What text may become by a schema: the types of a value and of its parts.

use crate::{documents::Place, rules::commas, schema::SchemaCompiler};
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::Arc};

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

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether anything but arrays and objects may be there.
    pub(super) fn has_scalar(self) -> bool {
        self.is_empty() || self.0 & !(Self::ARRAY.0 | Self::OBJECT.0 | Self::NULL.0) != 0
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

    /// The types of both, where each narrows the other; those of one, where the other says nothing.
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

impl std::ops::BitOr for Types {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The types of a value and of its parts.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    /// Empty: nothing is said of them.
    pub(super) types: Types,
    pub(super) items: Option<Box<Shape>>,
    pub(super) members: Vec<(String, Shape)>,
    /// Of members without a name. None: the schema says nothing of them, or that there are none.
    pub(super) rest: Option<Box<Shape>>,
    /// A body or part of it that is never looked into.
    pub(super) binary: bool,
    /// Its bytes come as a text that stands for them, which is looked into.
    encoded: bool,
    /// A link, as some frameworks describe a file by what their answers have in its place.
    link: bool,
    /// More is asked of the text than its format: then no file stands for it.
    restricted: bool,
    /// No item of it can have a comma, so that commas part items even where they are percent-encoded.
    pub(super) has_no_commas: bool,
    /// The places of many members, by their names.
    by_name: Vec<usize>,
}

/// The formats of links.
const LINKS: [&str; 4] = ["uri", "uri-reference", "iri", "iri-reference"];

/// Members that are looked through one by one.
const FEW: usize = 16;

impl Shape {
    /// Whether bytes as they are may stand here, of which nothing but their presence is checked.
    pub(super) fn takes_bytes(&self) -> bool {
        self.binary && !self.encoded && self.is_text()
    }

    /// Whether a file may be sent in the place of the link that it is described as.
    pub(super) fn is_link(&self) -> bool {
        self.link && !self.restricted && !self.binary && self.is_text()
    }

    /// Whether nothing but text may be there.
    fn is_text(&self) -> bool {
        self.types == Types::STRING || self.types == Types::STRING | Types::NULL || self.types.is_empty()
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

    /// Has members found by their names from now on.
    fn finish(&mut self) {
        if self.members.len() > FEW {
            let mut by_name: Vec<usize> = (0..self.members.len()).collect();
            by_name.sort_by_key(|&place| self.members.get(place).map(|(name, _)| name.as_str()));
            self.by_name = by_name;
        }
        self.members.iter_mut().for_each(|(_, member)| member.finish());
        self.items.iter_mut().chain(&mut self.rest).for_each(|part| part.finish());
    }
}

/// Parts inside parts that text is made of; what is deeper stays text.
const DEEPEST: usize = 5;
/// Schemas that are looked at for one shape: circles of references end here.
const MAX_SCHEMAS: usize = 2_000;

/// Shapes, each gathered once: a schema may stand under a hundred media types and in a thousand operations.
#[derive(Default)]
pub(super) struct Shapes(HashMap<Place, Arc<Shape>>);

impl Shapes {
    /// The shape that the schema at a place describes.
    pub(super) fn of(&mut self, schemas: &mut SchemaCompiler<'_>, place: &Place) -> Arc<Shape> {
        // A reference that leads nowhere is a fault of the schema already.
        let place = schemas.target(place).unwrap_or_else(|_| place.clone());
        let gathered = self.0.entry(place).or_insert_with_key(|place| Arc::new(shape(schemas, place)));
        Arc::clone(gathered)
    }
}

fn shape(schemas: &SchemaCompiler<'_>, place: &Place) -> Shape {
    let mut left = MAX_SCHEMAS;
    let mut shape = gather(schemas, place, 0, 0, &mut left);
    shape.finish();
    shape.has_no_commas = shape.types.has(Types::ARRAY) && commas::are_excluded(schemas, place);
    shape
}

fn gather(schemas: &SchemaCompiler<'_>, place: &Place, depth: usize, hops: usize, left: &mut usize) -> Shape {
    let mut shape = Shape::default();
    if *left == 0 || depth > DEEPEST || hops > 20 {
        return shape;
    }
    *left -= 1;
    let documents = schemas.documents();
    let Some(Value::Object(map)) = documents.get(place) else { return shape };
    if let Some(Value::String(reference)) = map.get("$ref")
        && let Ok(target) = documents.resolve(place, reference)
    {
        shape = gather(schemas, &target, depth, hops + 1, left);
    }
    shape.types = shape.types.narrowed(own_types(map));
    shape.binary |= map.get("format").is_some_and(|format| format == "binary")
        || map.get("type").is_some_and(|name| name == "file")
        || (map.contains_key("contentMediaType") || map.contains_key("contentEncoding"));
    shape.encoded |= map.contains_key("contentEncoding");
    shape.link |= map.get("format").and_then(Value::as_str).is_some_and(|format| LINKS.contains(&format));
    shape.restricted |= ["enum", "const", "pattern"].iter().any(|keyword| map.contains_key(*keyword));
    if map.get("items").is_some_and(Value::is_object) {
        let items = gather(schemas, &place.child("items"), depth + 1, hops, left);
        shape.items = Some(Box::new(items));
    }
    if let Some(Value::Object(properties)) = map.get("properties") {
        for name in properties.keys().take(*left) {
            let member = gather(schemas, &place.child("properties").child(name), depth + 1, hops, left);
            add_member(&mut shape, name, member);
        }
    }
    match map.get("additionalProperties") {
        Some(Value::Bool(true)) => shape.rest = Some(Box::default()),
        Some(Value::Object(_)) => {
            let rest = gather(schemas, &place.child("additionalProperties"), depth + 1, hops, left);
            shape.rest = Some(Box::new(rest));
        }
        Some(Value::Null | Value::Bool(false) | Value::Number(_) | Value::String(_) | Value::Array(_))
        | None => {}
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let count = map.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        let mut union = Types::default();
        let mut says = true;
        for index in 0..count {
            let part = place.child(keyword).child(&index.to_string());
            let part = gather(schemas, &part, depth, hops + 1, left);
            if keyword == "allOf" {
                shape.types = shape.types.narrowed(part.types);
            } else {
                says &= !part.types.is_empty();
                union = union | part.types;
            }
            merge(&mut shape, part);
        }
        if says {
            shape.types = shape.types.narrowed(union);
        }
    }
    if shape.types.is_empty() {
        if shape.items.is_some() {
            shape.types = Types::ARRAY;
        } else if !shape.members.is_empty() {
            shape.types = Types::OBJECT;
        }
    }
    if map.get("nullable").or_else(|| map.get("x-nullable")) == Some(&Value::Bool(true))
        && !shape.types.is_empty()
    {
        shape.types = shape.types | Types::NULL;
    }
    shape
}

fn own_types(map: &Map<String, Value>) -> Types {
    let said = match map.get("type") {
        Some(Value::String(name)) => Types::named(name),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .fold(Types::default(), |types, name| types | Types::named(name)),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Types::default(),
    };
    if !said.is_empty() {
        return said;
    }
    let values = map.get("enum").and_then(Value::as_array).into_iter().flatten().chain(map.get("const"));
    values.fold(Types::default(), |types, value| types | Types::of(value))
}

fn merge(shape: &mut Shape, part: Shape) {
    shape.binary |= part.binary;
    shape.encoded |= part.encoded;
    shape.link |= part.link;
    shape.restricted |= part.restricted;
    if shape.items.is_none() {
        shape.items = part.items;
    }
    if shape.rest.is_none() {
        shape.rest = part.rest;
    }
    for (name, member) in part.members {
        add_member(shape, &name, member);
    }
}

fn add_member(shape: &mut Shape, name: &str, member: Shape) {
    match shape.members.iter_mut().find(|(known, _)| known == name) {
        // Alternatives that disagree: it may be either.
        Some((_, known)) => {
            known.types = known.types | member.types;
            known.link |= member.link;
            known.encoded |= member.encoded;
            known.restricted |= member.restricted;
        }
        None => shape.members.push((name.to_owned(), member)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        documents::{Documents, Version},
        rules::Strictness,
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
        // What stands beside a reference counts as well.
        assert_eq!(d.member("x").unwrap().types, Types::INTEGER);
        assert_eq!(d.member("y").unwrap().types, Types::BOOLEAN);
    }
}
