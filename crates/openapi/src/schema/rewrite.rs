//! A schema of any dialect becomes one of plain 2020-12, its references the numbers of units.

use crate::{
    documents::Place,
    schema::{
        Key, SchemaCompiler,
        dialect::{Dialect, Standing},
        keywords::{MULTIPLE_OF, UNIT},
        walk::Known,
    },
};
use contract::pointer;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

/// Schemas one inside the other. Real ones have fewer than 40; the compiler recurses as deep.
const DEEPEST: usize = 100;

/// References that lead to references.
const LONGEST_CHAIN: usize = 100;

/// A unit that is being written.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    pub(super) schema: Value,
    pub(super) known: Known,
}

/// What the schemas of one unit share while it is written.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) known: Known,
    /// Schemas that are in this unit because annotations must flow through a reference to them.
    bundled: Map<String, Value>,
    bundled_names: HashMap<Place, String>,
}

/// The location of a schema.
#[derive(Debug, Clone)]
pub(super) struct Standpoint {
    /// In the documents.
    pub(super) place: Place,
    /// In the unit: a JSON pointer.
    pub(super) path: String,
    pub(super) depth: usize,
    /// References are bundled into the unit, because `unevaluated…` above must see what they evaluate.
    pub(super) bundles: bool,
    /// The schema whose `allOf` this is.
    pub(super) child: Option<Rc<Place>>,
    /// Members that need not be there because they are `readOnly`.
    pub(super) waived: Rc<BTreeSet<String>>,
}

impl Standpoint {
    /// Of a schema that is asked about the same value.
    pub(super) fn same_value(&self, steps: &[&str]) -> Self {
        let mut there = self.clone();
        for step in steps {
            there.place = there.place.child(step);
        }
        there.path = joined(&self.path, steps);
        there.depth += 1;
        there
    }

    /// Of a schema that is asked about a part of the value.
    pub(super) fn part(&self, steps: &[&str]) -> Self {
        let mut there = self.same_value(steps);
        there.bundles = false;
        there.child = None;
        there.waived = Rc::default();
        there
    }
}

fn joined(path: &str, steps: &[&str]) -> String {
    let mut path = path.to_owned();
    for step in steps {
        pointer::push(&mut path, step);
    }
    path
}

impl<'d> SchemaCompiler<'d> {
    /// The schema of a unit, rewritten.
    pub(super) fn rewritten(&mut self, key: &Key) -> Unfinished {
        let mut draft = Draft::default();
        let here = Standpoint {
            place: key.place.clone(),
            path: String::new(),
            depth: 0,
            bundles: false,
            child: None,
            waived: Rc::new(key.waived.iter().cloned().collect()),
        };
        let Some(value) = self.documents.get(&key.place) else {
            self.fault(&key.place, "There is nothing here.".to_owned(), "");
            return Unfinished { schema: Value::Bool(false), known: Known::new() };
        };
        let mut schema = match self.inherited_choice(key, value) {
            Some(choice) => choice,
            None => self.schema(value, &here, key.plain, &mut draft),
        };
        if !draft.bundled.is_empty()
            && let Value::Object(schema) = &mut schema
        {
            schema.insert("$defs".to_owned(), Value::Object(draft.bundled));
        }
        Unfinished { schema, known: draft.known }
    }

    /// A schema, rewritten. `plain`: without its discriminator.
    pub(super) fn schema(
        &mut self,
        value: &'d Value,
        at: &Standpoint,
        plain: bool,
        draft: &mut Draft,
    ) -> Value {
        let Some(map) = self.object(value, at) else { return Value::Bool(value != &Value::Bool(false)) };
        if at.depth > DEEPEST {
            let message = format!("Schemas must not be nested more than {DEEPEST} levels deep.");
            self.fault(&at.place, message, "Move inner schemas to named components and refer to them.");
            return Value::Bool(false);
        }
        let dialect = self.dialect(map, &at.place);
        let mut out = Map::new();
        let mut here = at.clone();
        here.bundles |= asks_for_unevaluated(map) && dialect == Dialect::Draft2020;
        if let Some(reference) = map.get("$ref") {
            match self.reference(reference, &here, draft) {
                Value::Object(reference) => out.extend(reference),
                closed @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)) => return closed,
            }
            if dialect.ignores_siblings() {
                self.name_siblings(map, dialect, &at.place);
                return Value::Object(out);
            }
        }
        if map.contains_key("required") || map.contains_key("allOf") {
            here.waived = self.waived_here(&here);
        }
        self.name_unenforced(map, dialect, at);
        self.assertions(map, dialect, &here, &mut out);
        self.applicators(map, dialect, &here, plain, draft, &mut out);
        if dialect.nullable(map) { nullable(out, draft, &at.path) } else { Value::Object(out) }
    }

    fn object(&mut self, value: &'d Value, at: &Standpoint) -> Option<&'d Map<String, Value>> {
        match value {
            Value::Object(map) => return Some(map),
            Value::Bool(_) => {}
            Value::Null => {
                self.warn(&at.place, "This schema is empty; any value is valid.".to_owned());
            }
            Value::Number(_) | Value::String(_) | Value::Array(_) => {
                let message = "This schema must be an object; any value is valid.".to_owned();
                self.warn(&at.place, message);
            }
        }
        None
    }

    fn dialect(&mut self, map: &Map<String, Value>, place: &Place) -> Dialect {
        let version = Dialect::of(self.documents.version());
        if version != Dialect::Draft2020 {
            return version;
        }
        let own = map.get("$schema").and_then(Value::as_str).map(str::to_owned);
        if let Some(uri) = own {
            return Dialect::named(&uri).unwrap_or_else(|| {
                self.warn(place, format!("Unknown dialect \"{uri}\"; it is read as 2020-12."));
                Dialect::Draft2020
            });
        }
        if let Some(dialect) = self.default_dialect {
            return dialect;
        }
        let root = Place { file: self.documents.root(), pointer: "/jsonSchemaDialect".to_owned() };
        let named = self.documents.get(&root).and_then(Value::as_str);
        let dialect = named.map_or(Some(version), Dialect::named).unwrap_or_else(|| {
            let message = "Unknown dialect; schemas are read as 2020-12.".to_owned();
            self.warn(&root, message);
            version
        });
        *self.default_dialect.insert(dialect)
    }

    /// Where a reference leads in the end.
    ///
    /// # Errors
    /// Nowhere, or round in a circle. A sentence.
    pub(crate) fn target(&mut self, place: &Place) -> Result<Place, String> {
        let mut place = place.clone();
        for _ in 0..LONGEST_CHAIN {
            let Some(Value::Object(map)) = self.documents.get(&place) else { return Ok(place) };
            let Some(Value::String(reference)) = map.get("$ref") else { return Ok(place) };
            if map.len() > 1 {
                let dialect = self.dialect(map, &place);
                if !dialect.ignores_siblings() {
                    return Ok(place);
                }
                self.name_siblings(map, dialect, &place);
            }
            place = self.resolved(&place, reference)?;
        }
        Err("The references are circular.".to_owned())
    }

    pub(super) fn resolved(&self, place: &Place, reference: &str) -> Result<Place, String> {
        self.documents.resolve(place, reference).map_err(|error| error.0)
    }

    /// What a `$ref` becomes: one keyword, or false where it leads nowhere.
    fn reference(&mut self, reference: &Value, at: &Standpoint, draft: &mut Draft) -> Value {
        let Value::String(reference) = reference else {
            self.fault(&at.place, "The value of `$ref` must be a string.".to_owned(), "");
            return Value::Bool(false);
        };
        let target = self.resolved(&at.place, reference).and_then(|place| self.target(&place));
        match target {
            Ok(target) if at.bundles => self.bundled(&target, at, draft),
            Ok(target) => {
                let plain = at.child.as_ref().is_some_and(|child| self.is_child(child, &target));
                let waived = self.waived_there(&target, &at.waived);
                let id = self.id(Key { place: target, plain, waived });
                json!({ UNIT: id.0 })
            }
            Err(message) => {
                self.fault(&at.place, message, "");
                Value::Bool(false)
            }
        }
    }

    fn bundled(&mut self, target: &Place, at: &Standpoint, draft: &mut Draft) -> Value {
        let name = if let Some(name) = draft.bundled_names.get(target) {
            name.clone()
        } else {
            let name = format!("s{}", draft.bundled_names.len());
            draft.bundled_names.insert(target.clone(), name.clone());
            let there = Standpoint {
                place: target.clone(),
                path: format!("/$defs/{name}"),
                depth: at.depth + 1,
                bundles: true,
                child: None,
                waived: Rc::clone(&at.waived),
            };
            let value = self.documents.get(target).unwrap_or(&Value::Bool(false));
            let schema = self.schema(value, &there, true, draft);
            draft.bundled.insert(name.clone(), schema);
            name
        };
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// Warns, once for a place, about keywords beside a `$ref` that are ignored although they constrain something.
    fn name_siblings(&mut self, map: &Map<String, Value>, dialect: Dialect, place: &Place) {
        let asks = |name: &&String| {
            *name != "$ref"
                && (dialect.standing(name) == Standing::Asserts
                    || matches!(name.as_str(), "nullable" | "x-nullable" | "readOnly"))
        };
        let names: Vec<&str> = map.keys().filter(asks).map(String::as_str).collect();
        if !names.is_empty() && self.named_siblings.insert(place.clone()) {
            let message = format!(
                "{} ignores the keywords beside a `$ref`: {}. To apply it, write the `$ref` within `allOf`.",
                dialect.name(),
                names.join(", ")
            );
            self.warn(place, message);
        }
    }

    fn name_unenforced(&mut self, map: &Map<String, Value>, dialect: Dialect, at: &Standpoint) {
        for keyword in map.keys() {
            let message = match dialect.standing(keyword) {
                Standing::Asserts | Standing::Annotates => continue,
                Standing::Elsewhere => {
                    format!("The keyword `{keyword}` is not part of {}; it is not enforced.", dialect.name())
                }
                Standing::Unknown => {
                    let shown: String = keyword.chars().take(60).collect();
                    format!("Unknown keyword `{shown}`; it is not enforced.")
                }
            };
            self.warn(&at.place, message);
        }
        for keyword in ["contentEncoding", "contentMediaType", "contentSchema"] {
            if map.contains_key(keyword) {
                let message =
                    format!("The keyword `{keyword}` is not enforced: encoded content is not validated.");
                self.warn(&at.place, message);
            }
        }
        for keyword in ["$dynamicRef", "$recursiveRef"] {
            if map.contains_key(keyword) && dialect == Dialect::Draft2020 {
                self.warn(&at.place, format!("The keyword `{keyword}` is not enforced."));
            }
        }
    }
}

fn asks_for_unevaluated(map: &Map<String, Value>) -> bool {
    map.contains_key("unevaluatedProperties") || map.contains_key("unevaluatedItems")
}

/// Lets null in. A list of values or another schema beside `nullable` would keep it out, and the document
/// explicitly allows it.
fn nullable(mut out: Map<String, Value>, draft: &mut Draft, path: &str) -> Value {
    const SIMPLE: &[&str] = &[
        "type",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        MULTIPLE_OF,
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "items",
        "minItems",
        "maxItems",
        "uniqueItems",
        "properties",
        "required",
        "additionalProperties",
        "minProperties",
        "maxProperties",
    ];
    if out.is_empty() {
        return Value::Object(out);
    }
    if out.keys().all(|keyword| SIMPLE.contains(&keyword.as_str())) {
        if let Some(types) = out.get_mut("type") {
            let mut list = match types.take() {
                Value::Array(list) => list,
                one @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Object(_)) => {
                    vec![one]
                }
            };
            if !list.iter().any(|name| name == "null") {
                list.push("null".into());
            }
            *types = Value::Array(list);
        }
        if let Some(Value::Array(values)) = out.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
        return Value::Object(out);
    }
    // What was known by its path has moved.
    let moved: Vec<_> = draft.known.keys().filter(|known| known.starts_with(path)).cloned().collect();
    for known in moved {
        if let Some(names) = draft.known.remove(&known) {
            let rest = known.get(path.len()..).unwrap_or_default();
            draft.known.insert(format!("{path}/then{rest}"), names);
        }
    }
    json!({ "if": { "not": { "type": "null" } }, "then": out })
}
