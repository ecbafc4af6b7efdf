//! Discriminators: which value of which member means which schema.

use crate::{
    documents::{Place, Version},
    schema::{
        Key, SchemaCompiler, UnitId,
        applicators::is_named,
        choice::{Choice, Discriminator, Otherwise, Rule},
        keywords::CHOICE,
    },
};
use contract::pointer;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};

/// The declaration of a `discriminator`.
struct Declared<'d> {
    property: &'d str,
    mapping: Vec<(&'d str, &'d str)>,
    default: Option<&'d str>,
}

fn declared(map: &Map<String, Value>) -> Option<Declared<'_>> {
    match map.get("discriminator")? {
        Value::String(property) => Some(Declared { property, mapping: Vec::new(), default: None }),
        Value::Object(object) => {
            let mapping = object.get("mapping").and_then(Value::as_object);
            let mapping = mapping.into_iter().flatten();
            Some(Declared {
                property: object.get("propertyName")?.as_str()?,
                mapping: mapping.filter_map(|(value, to)| Some((value.as_str(), to.as_str()?))).collect(),
                default: object.get("defaultMapping").and_then(Value::as_str),
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// The values of a discriminator while they are gathered.
struct Gathered {
    targets: HashMap<String, UnitId>,
    values: Vec<String>,
    ambiguous: bool,
}

impl Gathered {
    fn add(&mut self, value: &str, unit: UnitId, shown: bool) {
        match self.targets.get(value) {
            None => {
                self.targets.insert(value.to_owned(), unit);
                if shown {
                    self.values.push(value.to_owned());
                }
            }
            Some(known) => self.ambiguous |= *known != unit,
        }
    }
}

impl<'d> SchemaCompiler<'d> {
    /// The schema that a name or a reference of a mapping means.
    fn mapped(&mut self, place: &Place, to: &str) -> Result<Place, String> {
        let schemas = match self.documents.version() {
            Version::V2 => "/definitions",
            Version::V30 | Version::V31 | Version::V32 => "/components/schemas",
        };
        let schemas = Place { file: self.documents.root(), pointer: schemas.to_owned() };
        let named = schemas.child(to);
        let place = if self.documents.get(&named).is_some() { named } else { self.resolved(place, to)? };
        self.target(&place)
    }

    /// The discriminator of alternatives.
    pub(super) fn discriminator(
        &mut self,
        map: &'d Map<String, Value>,
        place: &Place,
        branches: &[(UnitId, Place)],
    ) -> Option<Discriminator> {
        let declared = self.understood(map, place)?;
        let mut gathered = self.mapping(&declared, place);
        let mut nameless = false;
        for (unit, target) in branches {
            let mapped = gathered.targets.values().any(|other| other == unit);
            let pinned = self.pinned(target, declared.property, 0);
            let name = is_named(target).then(|| last_name(target));
            nameless |= !mapped && pinned.is_empty() && name.is_none();
            for value in &pinned {
                gathered.add(value, *unit, !mapped);
            }
            if let Some(name) = name {
                gathered.add(&name, *unit, !mapped && pinned.is_empty());
            }
        }
        let default = declared.default.and_then(|to| self.mapped(place, to).ok());
        let otherwise = match default {
            Some(place) => Otherwise::Always(self.id(Key { place, plain: false, waived: Vec::new() })),
            None if nameless || gathered.ambiguous => Otherwise::Branches,
            None => Otherwise::Wrong,
        };
        let Gathered { targets, values, .. } = gathered;
        Some(Discriminator { property: declared.property.to_owned(), targets, values, otherwise })
    }

    fn understood(&mut self, map: &'d Map<String, Value>, place: &Place) -> Option<Declared<'d>> {
        let declared = declared(map);
        if declared.is_none() && map.contains_key("discriminator") {
            let message = "`discriminator` has no `propertyName`; it is ignored.".to_owned();
            self.warn(place, message);
        }
        declared
    }

    fn mapping(&mut self, declared: &Declared<'d>, place: &Place) -> Gathered {
        let mut gathered = Gathered { targets: HashMap::new(), values: Vec::new(), ambiguous: false };
        for (value, to) in &declared.mapping {
            match self.mapped(place, to) {
                Ok(target) => {
                    // The parent itself, where it is one of its own values.
                    let plain = target == *place;
                    let unit = self.id(Key { place: target, plain, waived: Vec::new() });
                    gathered.add(value, unit, true);
                }
                Err(message) => {
                    self.warn(place, format!("A mapping of a discriminator is ignored: {message}"))
                }
            }
        }
        gathered
    }

    /// A parent whose children name it in `allOf`: what is checked against it is checked against the child that
    /// its discriminator names. The child holds it against the parent's own members.
    pub(super) fn inherited_choice(&mut self, key: &Key, value: &'d Value) -> Option<Value> {
        let Value::Object(map) = value else { return None };
        if key.plain
            || !map.contains_key("discriminator")
            || map.contains_key("oneOf")
            || map.contains_key("anyOf")
        {
            return None;
        }
        let place = &key.place;
        let children = self.descendants(place);
        let declared = self.understood(map, place)?;
        if children.is_empty() && declared.mapping.is_empty() {
            return None;
        }
        let waived = key.waived.clone();
        let parent = self.id(Key { place: place.clone(), plain: true, waived });
        let mut gathered = self.mapping(&declared, place);
        for child in children {
            let unit = self.id(Key { place: child.clone(), plain: false, waived: Vec::new() });
            let mapped = gathered.targets.values().any(|other| *other == unit);
            let pinned = self.pinned(&child, declared.property, 0);
            let pinned: Vec<_> =
                pinned.into_iter().filter(|value| !gathered.targets.contains_key(value)).collect();
            // More values than one are those of the parent's list, not this child's own.
            if let [value] = pinned.as_slice() {
                gathered.add(value, unit, !mapped);
            }
            gathered.add(&last_name(&child), unit, !mapped && pinned.len() != 1);
        }
        for value in self.pinned(place, declared.property, 0) {
            if !gathered.targets.contains_key(&value) {
                gathered.add(&value, parent, true);
            }
        }
        let name = last_name(place);
        if !gathered.targets.contains_key(&name) {
            gathered.add(&name, parent, false);
        }
        let default = declared.default.and_then(|to| self.mapped(place, to).ok());
        let otherwise = match default {
            Some(target) => {
                let plain = target == *place;
                Otherwise::Always(self.id(Key { place: target, plain, waived: Vec::new() }))
            }
            None => Otherwise::Missing(parent),
        };
        let Gathered { targets, values, .. } = gathered;
        let discriminator =
            Discriminator { property: declared.property.to_owned(), targets, values, otherwise };
        self.choices.push(Choice {
            rule: Rule::Any,
            branches: vec![parent],
            discriminator: Some(discriminator),
        });
        Some(json!({ CHOICE: self.choices.len() - 1 }))
    }

    /// Whether the discriminator at a place leads to this child, which refers back to it.
    pub(super) fn is_child(&mut self, child: &Place, parent: &Place) -> bool {
        let Some(Value::Object(map)) = self.documents.get(parent) else { return false };
        let Some(declared) = declared(map) else { return false };
        let alternatives: Vec<Place> = ["oneOf", "anyOf"]
            .iter()
            .filter_map(|keyword| Some((parent.child(keyword), map.get(*keyword)?.as_array()?.len())))
            .flat_map(|(list, length)| (0..length).map(move |index| list.child(&index.to_string())))
            .collect();
        if alternatives.is_empty() {
            return true;
        }
        let among = alternatives.iter().any(|place| self.target(place).as_ref() == Ok(child));
        among || declared.mapping.iter().any(|(_, to)| self.mapped(parent, to).as_ref() == Ok(child))
    }

    /// Named schemas that name this one in `allOf`, also through others.
    fn descendants(&mut self, place: &Place) -> Vec<Place> {
        if self.children.is_none() {
            let children = self.every_child();
            self.children = Some(children);
        }
        let children = self.children.as_ref();
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([place.clone()]);
        let mut waiting = vec![place.clone()];
        while let Some(parent) = waiting.pop() {
            for child in children.and_then(|children| children.get(&parent)).into_iter().flatten() {
                if seen.insert(child.clone()) {
                    found.push(child.clone());
                    waiting.push(child.clone());
                }
            }
        }
        found
    }

    fn every_child(&self) -> HashMap<Place, Vec<Place>> {
        let mut children: HashMap<Place, Vec<Place>> = HashMap::new();
        for pointer in ["/components/schemas", "/definitions"] {
            let schemas = Place { file: self.documents.root(), pointer: pointer.to_owned() };
            let Some(Value::Object(named)) = self.documents.get(&schemas) else { continue };
            for (name, schema) in named {
                let parents = schemas.child(name).child("allOf");
                let listed = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
                for (at, parent) in listed.enumerate() {
                    let Some(Value::String(reference)) = parent.get("$ref") else { continue };
                    if let Ok(parent) = self.resolved(&parents.child(&at.to_string()), reference) {
                        children.entry(parent).or_default().push(schemas.child(name));
                    }
                }
            }
        }
        children
    }

    /// The values that a schema itself leaves to the discriminator's member: by `const`, by `enum`, or by
    /// the extension that Azure's documents have for it.
    fn pinned(&mut self, place: &Place, property: &str, depth: usize) -> Vec<String> {
        let Some(Value::Object(map)) = self.documents.get(place) else { return Vec::new() };
        if let Some(Value::String(value)) = map.get("x-ms-discriminator-value") {
            return vec![value.clone()];
        }
        let member = place.child("properties").child(property);
        if let Some(member) =
            self.documents.get(&member).is_some().then(|| self.target(&member).ok()).flatten()
            && let Some(Value::Object(member)) = self.documents.get(&member)
        {
            let text = |value: &Value| match value {
                Value::String(text) => Some(text.clone()),
                Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            };
            if let Some(value) = member.get("const") {
                return text(value).into_iter().collect();
            }
            if let Some(Value::Array(values)) = member.get("enum") {
                return values.iter().filter_map(text).collect();
            }
        }
        let inherited = map.get("allOf").and_then(Value::as_array).map_or(0, Vec::len);
        for index in (0..inherited).filter(|_| depth < 4) {
            let part = place.child("allOf").child(&index.to_string());
            // What a named parent lists are the values of all its children.
            if self.documents.get(&part).is_some_and(|part| part.get("$ref").is_none()) {
                let pinned = self.pinned(&part, property, depth + 1);
                if !pinned.is_empty() {
                    return pinned;
                }
            }
        }
        Vec::new()
    }
}

fn last_name(place: &Place) -> String {
    pointer::last_name(&place.pointer).into_owned()
}
