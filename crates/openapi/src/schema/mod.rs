//! Schemas, compiled: a schema at a place becomes a unit that values are checked against.
//!
//! The path of a schema: [`rewrite`] makes plain 2020-12 of whatever dialect it is written in, with each
//! reference as the number of another unit; `jsonschema` compiles that; [`walk`] checks values; and
//! [`violations`] and [`sentences`] say what is wrong with one.

mod applicators;
mod assertions;
pub(crate) mod choice;
mod dialect;
mod discriminators;
mod formats;
mod keywords;
mod nearest;
mod notes;
pub(crate) mod patterns;
mod read_only;
mod rewrite;
pub(crate) mod scalar;
pub(crate) mod sentences;
#[cfg(test)]
mod tests;
mod unit;
pub(crate) mod violations;
pub(crate) mod walk;

pub(crate) use nearest::nearest;
pub(crate) use unit::UnitId;
pub(crate) use violations::Found;
pub(crate) use walk::Units;

use crate::{
    documents::{Documents, Place},
    fault::{Fault, Warning},
    schema::{
        choice::Choice,
        notes::Notes,
        patterns::Patterns,
        rewrite::Unfinished,
        scalar::Scalar,
        walk::{Check, Unit},
    },
    strictness::{Formats, ReadOnly, Strictness},
};
use contract::pointer::last_name;
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    rc::Rc,
    sync::Arc,
};

/// What makes two uses of a schema the same unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    place: Place,
    /// Without its discriminator: it is asked by one of the schemas that the discriminator leads to.
    plain: bool,
    /// Members that are not required here because another schema of the same object makes them `readOnly`.
    waived: Vec<String>,
}

/// Names that members have, shared between equal schemas.
type Names = Rc<BTreeSet<String>>;

/// Compiles schemas, each once.
pub(crate) struct SchemaCompiler<'d> {
    documents: &'d Documents,
    read_only: ReadOnly,
    formats: Formats,
    /// Whether a pattern is matched against the names of members.
    matches_names: bool,
    options: instance::Options,
    patterns: Patterns,
    notes: Notes,
    ids: HashMap<Key, UnitId>,
    waiting: VecDeque<(UnitId, Key)>,
    units: Vec<Option<Unit>>,
    choices: Vec<Choice>,
    read_only_names: HashMap<Place, Names>,
    required_names: HashMap<Place, Names>,
    children: Option<HashMap<Place, Vec<Place>>>,
    /// References for which the keywords beside them were reported.
    named_siblings: HashSet<Place>,
    /// Whether `jsonSchemaDialect` names an unknown one; reported once.
    default_dialect: Option<dialect::Dialect>,
}

impl<'d> SchemaCompiler<'d> {
    /// A compiler for the schemas of these documents.
    pub(crate) fn new(documents: &'d Documents, strictness: Strictness) -> Self {
        Self {
            documents,
            read_only: strictness.read_only,
            formats: strictness.formats,
            matches_names: false,
            options: keywords::options(),
            patterns: Patterns::default(),
            notes: Notes::default(),
            ids: HashMap::new(),
            waiting: VecDeque::new(),
            units: Vec::new(),
            choices: Vec::new(),
            read_only_names: HashMap::new(),
            required_names: HashMap::new(),
            children: None,
            named_siblings: HashSet::new(),
            default_dialect: None,
        }
    }

    pub(crate) fn documents(&self) -> &'d Documents {
        self.documents
    }

    /// Notes what is not enforced.
    pub(crate) fn warn(&mut self, place: &Place, message: String) {
        self.notes.warn(self.documents, place, message);
    }

    fn fault(&mut self, place: &Place, message: String, help: &str) {
        self.notes.fault(self.documents, place, message, help);
    }

    /// The unit of the schema at a place, compiled now with all that it refers to.
    pub(crate) fn unit(&mut self, place: &Place) -> UnitId {
        let id = match self.target(place) {
            Ok(place) => self.id(Key { place, plain: false, waived: Vec::new() }),
            Err(message) => {
                self.fault(place, message, "");
                self.closed()
            }
        };
        self.drain();
        id
    }

    /// Whether a unit takes every value.
    pub(crate) fn takes_anything(&self, id: UnitId) -> bool {
        self.compiled(id).is_some_and(|unit| matches!(unit.check, Check::Anything))
    }

    /// A pattern that names of members are matched against. None: it is not enforced.
    pub(crate) fn name_pattern(&self, pattern: &str) -> Option<instance::Validator> {
        instance::compile(&self.options, &serde_json::json!({ "pattern": pattern })).ok()
    }

    /// The scalar that a unit is.
    pub(crate) fn scalar(&self, id: UnitId) -> Option<Scalar> {
        match &self.compiled(id)?.check {
            Check::Scalar(scalar, _) => Some(Scalar::clone(scalar)),
            Check::Anything | Check::Nothing | Check::Schema(_) => None,
        }
    }

    /// All units, what is not enforced, and what cannot be compiled.
    pub(crate) fn finish(mut self) -> (Arc<Units>, Vec<Warning>, Vec<Fault>) {
        self.drain();
        let units = self.units.into_iter().map(|unit| {
            unit.unwrap_or_else(|| Unit { name: String::new(), check: Check::Nothing, known: HashMap::new() })
        });
        let units =
            Units { units: units.collect(), choices: self.choices, matches_names: self.matches_names };
        let (warnings, faults) = self.notes.into_parts();
        (Arc::new(units), warnings, faults)
    }

    fn compiled(&self, id: UnitId) -> Option<&Unit> {
        self.units.get(id.0 as usize)?.as_ref()
    }

    fn id(&mut self, key: Key) -> UnitId {
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        let id = UnitId(u32::try_from(self.units.len()).unwrap_or(u32::MAX));
        self.units.push(None);
        self.ids.insert(key.clone(), id);
        self.waiting.push_back((id, key));
        id
    }

    /// A unit that nothing passes, for what a fault was noted of.
    fn closed(&mut self) -> UnitId {
        let id = UnitId(u32::try_from(self.units.len()).unwrap_or(u32::MAX));
        self.units.push(Some(Unit { name: String::new(), check: Check::Nothing, known: HashMap::new() }));
        id
    }

    fn drain(&mut self) {
        while let Some((id, key)) = self.waiting.pop_front() {
            let unit = self.compile(&key);
            if let Some(slot) = self.units.get_mut(id.0 as usize) {
                *slot = Some(unit);
            }
        }
    }

    fn compile(&mut self, key: &Key) -> Unit {
        let Unfinished { schema, known } = self.rewritten(key);
        let name = last_name(&key.place.pointer).into_owned();
        let check = match &schema {
            Value::Bool(true) => Check::Anything,
            Value::Object(map) if map.is_empty() => Check::Anything,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => match instance::compile(&self.options, &schema) {
                Ok(validator) => {
                    let validator = Box::new(validator);
                    match schema.as_object().and_then(Scalar::of) {
                        Some(scalar) => Check::Scalar(Box::new(scalar), validator),
                        None => Check::Schema(validator),
                    }
                }
                Err(error) => {
                    let message = format!("This schema cannot be compiled: {error}.");
                    self.fault(&key.place, message, "");
                    Check::Nothing
                }
            },
        };
        Unit { name, check, known }
    }
}
