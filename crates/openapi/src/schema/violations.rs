//! Everything that is wrong with a value, in the order of the value.

use crate::schema::{
    choice::Named,
    keywords::{CHOICE, READ_ONLY, UNIT},
    sentences,
    walk::{self, Check, Unit, UnitId, Units},
};
use instance::Part;
use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;
use std::{collections::HashSet, sync::Arc};

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// JSON pointer (RFC 6901) to it, or to where it should be.
    pub(crate) pointer: String,
    /// A sentence or two.
    pub(crate) message: String,
}

/// Violations that one answer tells.
pub(crate) const MOST_TOLD: usize = 50;

/// Violations that are gathered; from here on they are not even counted.
const MOST_GATHERED: usize = 1_000;

/// Gathers what is wrong.
pub(super) struct Gatherer {
    pub(super) found: Vec<Found>,
}

impl Units {
    /// What is wrong with a value. Empty: nothing.
    pub(crate) fn violations(self: &Arc<Self>, id: UnitId, value: &Value) -> Vec<Found> {
        if self.is_valid(id, Part::Made(value)) { Vec::new() } else { self.violations_of_wrong(id, value) }
    }

    /// What is wrong with a value that is not valid. Never empty.
    pub(crate) fn violations_of_wrong(self: &Arc<Self>, id: UnitId, value: &Value) -> Vec<Found> {
        let mut gatherer = Gatherer { found: Vec::new() };
        let ((), gave_up) = walk::over(self, Part::Made(value), || gatherer.unit(id, value, ""));
        let mut found = gatherer.found;
        if gave_up {
            let message = "It is nested too deep, or has too many alternatives, to be checked.".to_owned();
            found.insert(0, Found { pointer: String::new(), message });
        } else if found.is_empty() {
            // It is wrong, although no keyword said why: it must not pass for want of a sentence.
            let message = "It is not what it has to be here.".to_owned();
            found.push(Found { pointer: String::new(), message });
        }
        told(found, value)
    }
}

/// In the order of the value, each once, and no more than a person reads.
fn told(found: Vec<Found>, value: &Value) -> Vec<Found> {
    let gathered_all = found.len() < MOST_GATHERED;
    let mut seen = HashSet::new();
    let mut found: Vec<Found> =
        found.into_iter().filter(|one| seen.insert((one.pointer.clone(), one.message.clone()))).collect();
    in_order(&mut found, value);
    let more = found.len().saturating_sub(MOST_TOLD);
    if more > 0 {
        found.truncate(MOST_TOLD);
        let at_least = if gathered_all { "" } else { "at least " };
        let noun = if more == 1 { "violation" } else { "violations" };
        let message = format!("There are {at_least}{more} more {noun}; these are the first {MOST_TOLD}.");
        found.push(Found { pointer: String::new(), message });
    }
    found
}

/// Sorts violations by their places in a value.
pub(crate) fn in_order(found: &mut [Found], value: &Value) {
    found.sort_by_cached_key(|one| position(value, &one.pointer));
}

/// The way to a place in a value, as positions. What is missing comes after what is there.
fn position(value: &Value, pointer: &str) -> Vec<usize> {
    let mut here = Some(value);
    let mut way = Vec::new();
    for segment in pointer.split('/').skip(1) {
        let name = unescaped(segment);
        let (at, next) = match here {
            Some(Value::Object(members)) => {
                let found = members.iter().enumerate().find(|(_, (key, _))| **key == name);
                found.map_or((usize::MAX, None), |(at, (_, next))| (at, Some(next)))
            }
            Some(Value::Array(items)) => {
                let at = name.parse().unwrap_or(usize::MAX);
                (at, items.get(at))
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
                (usize::MAX, None)
            }
        };
        way.push(at);
        here = next;
    }
    way
}

pub(crate) fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

pub(crate) fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl Gatherer {
    pub(super) fn add(&mut self, pointer: String, message: String) {
        if self.found.len() < MOST_GATHERED {
            self.found.push(Found { pointer, message });
        }
    }

    /// What a unit says of a value that stands at a place. Only inside [`walk::over`].
    pub(super) fn unit(&mut self, id: UnitId, value: &Value, at: &str) {
        if self.found.len() >= MOST_GATHERED {
            return;
        }
        walk::enter(id, Part::Made(value), (), (), |units| {
            let Some(unit) = units.units.get(id.0 as usize) else { return };
            match &unit.check {
                Check::Anything => {}
                Check::Nothing => {
                    self.add(at.to_owned(), "It cannot be checked, so it is not taken.".to_owned());
                }
                Check::Scalar(_, validator) | Check::Schema(validator) => {
                    for error in validator.errors(value) {
                        self.error(units, unit, value, at, &error);
                    }
                }
            }
        });
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the validator's own kinds; the last arm tells of them"
    )]
    /// What an error of a unit's validator says. `value` and `at` are those of the unit as a whole.
    pub(super) fn error(
        &mut self,
        units: &Units,
        unit: &Unit,
        value: &Value,
        at: &str,
        error: &ValidationError<'_>,
    ) {
        let path = error.instance_path().as_str();
        let here = format!("{at}{path}");
        let part = value.pointer(path).unwrap_or(value);
        match error.kind() {
            ValidationErrorKind::Custom { keyword, message } => match keyword.as_str() {
                UNIT => {
                    if let Ok(id) = message.parse() {
                        self.unit(UnitId(id), part, &here);
                    }
                }
                CHOICE => {
                    if let Ok(index) = message.parse() {
                        self.choice(units, index, part, &here);
                    }
                }
                READ_ONLY => self.add(here, "It is read-only; leave it out.".to_owned()),
                _ => self.add(here, "It is not what it has to be here.".to_owned()),
            },
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                if let Some(best) = super::fit::best_of(context, path) {
                    for error in best {
                        self.error(units, unit, value, at, error);
                    }
                }
            }
            ValidationErrorKind::PropertyNames { error: inner } => {
                self.property_name(units, unit, inner, &here);
            }
            kind => {
                let schema = error.schema_path().as_str();
                let schema = schema.rsplit_once('/').map_or("", |(schema, _)| schema);
                let known = unit.known.get(schema).map(|names| &**names);
                sentences::tell(
                    kind,
                    part,
                    &here,
                    error.schema_path().as_str(),
                    known,
                    &mut |pointer, message| {
                        self.add(pointer, message);
                    },
                );
            }
        }
    }

    fn property_name(&mut self, units: &Units, unit: &Unit, inner: &ValidationError<'_>, here: &str) {
        let name = inner.instance().as_str().unwrap_or_default().to_owned();
        let mut about_name = Self { found: Vec::new() };
        let value = Value::String(name.clone());
        about_name.error(units, unit, &value, "", inner);
        let why = about_name.found.into_iter().next().map(|found| found.message).unwrap_or_default();
        let shown = sentences::quoted(&name);
        self.add(child(here, &name), format!("The name {shown} is not allowed here. {why}"));
    }

    /// What is wrong with a value that is none of the alternatives.
    fn choice(&mut self, units: &Units, index: usize, value: &Value, at: &str) {
        let Some(choice) = units.choices.get(index) else { return };
        if let Some(discriminator) = &choice.discriminator {
            let known = || discriminator.values.iter().map(String::as_str);
            match discriminator.named(Part::Made(value)) {
                Named::Branch(branch) => return self.unit(branch, value, at),
                Named::Branches => {}
                Named::Missing => {
                    let choices = sentences::list(known());
                    let message = format!(
                        "It is required, because it says which kind of object this is, but not there. It has to be one of {choices}."
                    );
                    return self.add(child(at, &discriminator.property), message);
                }
                Named::Unknown => {
                    let sent = value.get(&discriminator.property).unwrap_or(&Value::Null);
                    let message = sentences::none_of(known(), sent);
                    return self.add(child(at, &discriminator.property), message);
                }
            }
        }
        self.best_branch(units, choice, value, at);
    }
}
