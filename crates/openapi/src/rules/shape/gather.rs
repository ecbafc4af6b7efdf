//! Shapes of schemas: what each keyword implies for the types of text and of its parts.

use super::{LINKS, NamePattern, Shape, Types};
use crate::{
    documents::{Place, Version},
    rules::commas,
    schema::SchemaCompiler,
};
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::Arc};

/// Parts inside parts that text is made of; what is deeper stays text.
const DEEPEST: usize = 5;
/// Schemas that are looked at for one shape: circles of references end here.
const MAX_SCHEMAS: usize = 2_000;

/// Shapes, each gathered once: a schema may be under a hundred media types and in a thousand operations.
#[derive(Default)]
pub(in crate::rules) struct Shapes(HashMap<Place, Arc<Shape>>);

impl Shapes {
    /// The shape that the schema at a place describes.
    pub(in crate::rules) fn of(&mut self, schemas: &mut SchemaCompiler<'_>, place: &Place) -> Arc<Shape> {
        // A reference that leads nowhere is a fault of the schema already.
        let place = schemas.target(place).unwrap_or_else(|_| place.clone());
        let gathered = self.0.entry(place).or_insert_with_key(|place| {
            let mut shape = Gathering { schemas, left: MAX_SCHEMAS }.shape(place, Depth::default());
            shape.finish();
            Arc::new(shape)
        });
        Arc::clone(gathered)
    }
}

/// The depth of a schema.
#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    /// Parts inside parts.
    parts: usize,
    /// Schemas of the same value.
    hops: usize,
}

impl Depth {
    fn part(self) -> Self {
        Self { parts: self.parts + 1, ..self }
    }

    fn hop(self) -> Self {
        Self { hops: self.hops + 1, ..self }
    }
}

struct Gathering<'s, 'd> {
    schemas: &'s SchemaCompiler<'d>,
    /// Schemas that may still be looked at.
    left: usize,
}

impl Gathering<'_, '_> {
    fn shape(&mut self, place: &Place, depth: Depth) -> Shape {
        let mut shape = Shape::default();
        if self.left == 0 || depth.parts > DEEPEST || depth.hops > 20 {
            return shape;
        }
        self.left -= 1;
        let documents = self.schemas.documents();
        let Some(Value::Object(map)) = documents.get(place) else { return shape };
        if let Some(Value::String(reference)) = map.get("$ref")
            && let Ok(target) = documents.resolve(place, reference)
        {
            shape = self.shape(&target, depth.hop());
            if !self.is_modern() {
                return shape; // keywords beside it are ignored
            }
        }
        shape.types = shape.types.narrowed(own_types(map));
        shape.has_no_comma |= commas::are_excluded(map);
        shape.binary |= map.get("format").is_some_and(|format| format == "binary")
            || map.get("type").is_some_and(|name| name == "file")
            || (map.contains_key("contentMediaType") || map.contains_key("contentEncoding"));
        shape.encoded |= map.contains_key("contentEncoding");
        shape.link |= map.get("format").and_then(Value::as_str).is_some_and(|format| LINKS.contains(&format));
        shape.restricted |= ["enum", "const", "pattern"].iter().any(|keyword| map.contains_key(*keyword));
        self.items(map, place, depth, &mut shape);
        self.members(map, place, depth, &mut shape);
        self.parts_of_the_same_value(map, place, depth, &mut shape);
        if self.is_modern() {
            self.conditions(map, place, depth, &mut shape);
        }
        if shape.types.is_empty() {
            if shape.items.is_some() || !shape.prefix.is_empty() {
                shape.types = Types::ARRAY;
            } else if !shape.members.is_empty() || !shape.patterns.is_empty() {
                shape.types = Types::OBJECT;
            } else if asks_of_numbers(map) {
                shape.types = Types::NUMERIC;
            } else if map.get("not").is_some_and(|not| own_types_of(not).has(Types::STRING)) {
                shape.types = Types::INTEGER | Types::NUMBER | Types::BOOLEAN | Types::NULL;
            }
        }
        if map.get("nullable").or_else(|| map.get("x-nullable")) == Some(&Value::Bool(true))
            && !shape.types.is_empty()
        {
            shape.types = shape.types | Types::NULL;
        }
        shape
    }

    /// Whether keywords count that came with 3.1.
    fn is_modern(&self) -> bool {
        self.schemas.documents().version() >= Version::V31
    }

    fn items(&mut self, map: &Map<String, Value>, place: &Place, depth: Depth, shape: &mut Shape) {
        let modern = self.is_modern();
        // Until 2019-09 the schemas of the first items are a list in `items`, and those of the others are elsewhere.
        let (first, others) = match map.get("items") {
            Some(Value::Array(_)) if modern => ("items", "additionalItems"),
            _ => ("prefixItems", "items"),
        };
        let count = map.get(first).and_then(Value::as_array).filter(|_| modern).map_or(0, Vec::len);
        let first = place.child(first);
        let prefix: Vec<Shape> =
            (0..count).map(|index| self.shape(&first.child(&index.to_string()), depth.part())).collect();
        let are_plain = prefix.iter().all(|item| item.has_no_comma);
        let mut has_no_commas = false;
        if map.get(others).is_some_and(Value::is_object) {
            let items = self.shape(&place.child(others), depth.part());
            has_no_commas = are_plain && items.has_no_comma;
            shape.items = Some(Box::new(items));
        } else if count > 0 {
            // No more items than those may be there.
            let most = map.get("maxItems").and_then(Value::as_u64);
            let is_closed = map.get(others) == Some(&Value::Bool(false))
                || most.is_some_and(|most| usize::try_from(most).is_ok_and(|most| most <= count));
            has_no_commas = is_closed && are_plain;
        }
        shape.has_no_commas |= has_no_commas;
        if count > 0 {
            shape.prefix = prefix;
        }
        for keyword in ["contains", "unevaluatedItems"] {
            if modern && shape.items.is_none() && map.get(keyword).is_some_and(Value::is_object) {
                let items = self.shape(&place.child(keyword), depth.part());
                shape.items = Some(Box::new(loosened(items)));
            }
        }
    }

    fn members(&mut self, map: &Map<String, Value>, place: &Place, depth: Depth, shape: &mut Shape) {
        if let Some(Value::Object(properties)) = map.get("properties") {
            for name in properties.keys().take(self.left) {
                let member = self.shape(&place.child("properties").child(name), depth.part());
                shape.add(name, member, Shape::narrow);
            }
        }
        let modern = self.is_modern();
        for pattern in map
            .get("patternProperties")
            .and_then(Value::as_object)
            .filter(|_| modern)
            .into_iter()
            .flat_map(Map::keys)
        {
            // One that cannot be compiled is not enforced.
            if let Some(validator) = self.schemas.name_pattern(pattern) {
                let member = self.shape(&place.child("patternProperties").child(pattern), depth.part());
                shape.patterns.push((NamePattern(Arc::new(validator)), member));
            }
        }
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            if keyword == "unevaluatedProperties" && (!modern || shape.rest.is_some()) {
                continue;
            }
            match map.get(keyword) {
                Some(Value::Bool(true)) => shape.rest = Some(Box::default()),
                Some(Value::Object(_)) => {
                    shape.rest = Some(Box::new(self.shape(&place.child(keyword), depth.part())));
                }
                Some(
                    Value::Null | Value::Bool(false) | Value::Number(_) | Value::String(_) | Value::Array(_),
                )
                | None => {}
            }
        }
    }

    fn parts_of_the_same_value(
        &mut self,
        map: &Map<String, Value>,
        place: &Place,
        depth: Depth,
        shape: &mut Shape,
    ) {
        let count = |keyword: &str| map.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..count("allOf") {
            let part = self.shape(&place.child("allOf").child(&index.to_string()), depth.hop());
            shape.narrow(part);
        }
        let is_swagger = self.schemas.documents().version() == Version::V2;
        for keyword in ["anyOf", "oneOf"].into_iter().filter(|_| !is_swagger) {
            let mut either: Option<Shape> = None;
            let mut has_types = true;
            for index in 0..count(keyword) {
                let part = self.shape(&place.child(keyword).child(&index.to_string()), depth.hop());
                has_types &= !part.types.is_empty();
                match &mut either {
                    Some(either) => either.widen(part),
                    None => either = Some(part),
                }
            }
            if let Some(mut either) = either {
                if !has_types {
                    either.types = Types::default();
                }
                shape.narrow(either);
            }
        }
    }

    /// What applies only to some values: text is converted by it where possible, and stays text elsewhere.
    fn conditions(&mut self, map: &Map<String, Value>, place: &Place, depth: Depth, shape: &mut Shape) {
        let mut places: Vec<Place> = Vec::new();
        if map.contains_key("if") {
            places.extend(["if", "then", "else"].iter().map(|keyword| place.child(keyword)));
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            let names = map.get(keyword).and_then(Value::as_object).into_iter().flat_map(Map::keys);
            places.extend(names.map(|name| place.child(keyword).child(name)));
        }
        for place in places {
            let mut part = self.shape(&place, depth.hop());
            // What the value itself is, and how it is taken apart, no condition decides.
            part = Shape {
                types: Types::default(),
                has_no_comma: false,
                has_no_commas: false,
                ..loosened(part)
            };
            shape.narrow(part);
        }
    }
}

impl Shape {
    /// Takes in another schema that holds for the same value.
    pub(super) fn narrow(&mut self, other: Self) {
        (self.types, self.loose) = match (self.loose, other.loose) {
            _ if self.types.is_empty() => (other.types, other.loose),
            _ if other.types.is_empty() => (self.types, self.loose),
            (false, false) => (self.types.narrowed(other.types), false),
            (true, true) => (self.types.either(other.types), true),
            // What holds always is more than what holds sometimes.
            (false, true) => (self.types, false),
            (true, false) => (other.types, false),
        };
        self.has_no_comma |= other.has_no_comma;
        self.has_no_commas |= other.has_no_commas;
        self.take_parts(other, Self::narrow);
    }

    /// Takes in an alternative.
    fn widen(&mut self, other: Self) {
        let may_be_list = |shape: &Self| shape.types.is_empty() || shape.types.has(Types::ARRAY);
        self.has_no_commas = match (may_be_list(self), may_be_list(&other)) {
            (true, true) => self.has_no_commas && other.has_no_commas,
            (true, false) => self.has_no_commas,
            (false, true) => other.has_no_commas,
            (false, false) => false,
        };
        self.types = self.types.either(other.types);
        self.loose |= other.loose;
        self.has_no_comma &= other.has_no_comma;
        self.take_parts(other, Self::widen);
    }

    fn take_parts(&mut self, other: Self, merge: fn(&mut Self, Self)) {
        self.binary |= other.binary;
        self.encoded |= other.encoded;
        self.link |= other.link;
        self.restricted |= other.restricted;
        for (own, other) in [(&mut self.items, other.items), (&mut self.rest, other.rest)] {
            match (own.as_deref_mut(), other) {
                (Some(own), Some(other)) => merge(own, *other),
                (None, Some(other)) => *own = Some(other),
                (_, None) => {}
            }
        }
        if self.prefix.is_empty() {
            self.prefix = other.prefix;
        }
        self.patterns.extend(other.patterns);
        for (name, member) in other.members {
            self.add(&name, member, merge);
        }
    }

    fn add(&mut self, name: &str, member: Self, merge: fn(&mut Self, Self)) {
        match self.members.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => {
                // The schema that names a part first decides whether it is bytes.
                let binary = known.binary;
                merge(known, member);
                known.binary = binary;
            }
            None => self.members.push((name.to_owned(), member)),
        }
    }
}

/// A shape that holds only for some values: any of its scalars may be text as well.
fn loosened(mut shape: Shape) -> Shape {
    if !shape.types.is_empty() && shape.types.has_scalar() {
        shape.types = shape.types | Types::STRING;
    }
    (shape.has_no_comma, shape.has_no_commas) = (false, false);
    (shape.binary, shape.link) = (false, false);
    shape.loose = true;
    shape.items = shape.items.map(|items| Box::new(loosened(*items)));
    shape.rest = shape.rest.map(|rest| Box::new(loosened(*rest)));
    shape.prefix = shape.prefix.into_iter().map(loosened).collect();
    shape.members = shape.members.into_iter().map(|(name, member)| (name, loosened(member))).collect();
    shape.patterns = shape.patterns.into_iter().map(|(name, member)| (name, loosened(member))).collect();
    shape
}

fn own_types(map: &Map<String, Value>) -> Types {
    let declared = match map.get("type") {
        Some(Value::String(name)) => Types::named(name),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .fold(Types::default(), |types, name| types | Types::named(name)),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Types::default(),
    };
    if !declared.is_empty() {
        return declared;
    }
    let values = map.get("enum").and_then(Value::as_array).into_iter().flatten().chain(map.get("const"));
    values.fold(Types::default(), |types, value| types | Types::of(value))
}

/// The types of a schema, if it declares nothing else.
fn own_types_of(schema: &Value) -> Types {
    let only = schema.as_object().filter(|map| map.len() == 1 && map.contains_key("type"));
    only.map(own_types).unwrap_or_default()
}

/// Whether a schema asks something of numbers, and so means one although it names no type.
fn asks_of_numbers(map: &Map<String, Value>) -> bool {
    let format = map.get("format").and_then(Value::as_str).unwrap_or_default();
    ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
        .iter()
        .any(|keyword| map.contains_key(*keyword))
        || matches!(format, "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64")
        || matches!(format, "float" | "double")
}
