//! Everything that is wrong with a value, in the order of the value.

mod fit;

use crate::schema::{
    choice::Named,
    keywords::{CHOICE, MULTIPLE_OF, READ_ONLY, UNIT},
    sentences::{self, MAX_REPORTED},
    unit::UnitId,
    walk::{self, Check, Unit, Units},
};
use contract::{
    detail::MORE,
    pointer::{child, names},
};
use instance::{Part, Seen};
use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// JSON pointer (RFC 6901) to it, or to where it should be.
    pub(crate) pointer: String,
    /// A sentence or two.
    pub(crate) message: String,
}

/// Violations that are gathered; from here on they are not even counted.
const MAX_GATHERED: usize = 1_000;
/// Errors of the validator that one unit is asked for.
const MAX_ERRORS: u32 = 1_000;
/// Errors of the validator in all, those that only weigh alternatives included.
const MAX_ERRORS_IN_ALL: u32 = 20_000;
/// Violations for which the name that was probably meant is looked for.
const MAX_HINTS: usize = MAX_REPORTED;

/// Gathers what is wrong.
pub(super) struct Gatherer {
    pub(super) found: Vec<Found>,
    /// Errors that the validator may still be asked for.
    errors_left: u32,
    /// There is more than was gathered.
    has_more: bool,
}

impl Units {
    /// What is wrong with a value. Empty: nothing.
    pub(crate) fn violations(self: &Arc<Self>, id: UnitId, value: Part<'_>) -> Vec<Found> {
        if self.is_valid(id, value) { Vec::new() } else { self.violations_of_wrong(id, value) }
    }

    /// What is wrong with a value that is not valid. Never empty.
    pub(crate) fn violations_of_wrong(self: &Arc<Self>, id: UnitId, value: Part<'_>) -> Vec<Found> {
        let mut gatherer = Gatherer::new(MAX_ERRORS_IN_ALL);
        let ((), gave_up) = walk::over(self, value, || gatherer.unit(id, value, ""));
        let Gatherer { mut found, has_more, .. } = gatherer;
        if gave_up {
            let message = "Too deeply nested, or has too many alternatives, to be validated.".to_owned();
            found.insert(0, Found { pointer: String::new(), message });
        } else if found.is_empty() {
            // It is wrong, although no keyword said why: it must not pass for lack of a sentence.
            let message = "Does not match the schema.".to_owned();
            found.push(Found { pointer: String::new(), message });
        }
        report(found, value, has_more)
    }
}

/// In the order of the value, each once, and no more than a person reads.
fn report(found: Vec<Found>, value: Part<'_>, has_more: bool) -> Vec<Found> {
    let gathered_all = found.len() < MAX_GATHERED && !has_more;
    let mut seen = HashSet::new();
    let mut found: Vec<Found> =
        found.into_iter().filter(|one| seen.insert((one.pointer.clone(), one.message.clone()))).collect();
    in_order(&mut found, value);
    let more = found.len().saturating_sub(MAX_REPORTED);
    if more > 0 {
        found.truncate(MAX_REPORTED);
        let at_least = if gathered_all { "" } else { "at least " };
        let noun = if more == 1 { "violation" } else { "violations" };
        let message = format!("{MORE}{at_least}{more} more {noun}; these are the first {MAX_REPORTED}.");
        found.push(Found { pointer: String::new(), message });
    }
    found
}

/// Sorts violations by their places in a value.
pub(crate) fn in_order(found: &mut [Found], value: Part<'_>) {
    let mut places = Places::default();
    found.sort_by_cached_key(|one| places.of(value, &one.pointer));
}

/// An object of more members is looked through once.
const FEW_MEMBERS: usize = 64;

/// The places of the members of large objects, by where these lie.
#[derive(Default)]
struct Places<'v>(HashMap<usize, HashMap<&'v str, usize>>);

impl<'v> Places<'v> {
    /// The way to a place in a value, as positions. What is missing comes after what is there.
    fn of(&mut self, value: Part<'v>, pointer: &str) -> Vec<usize> {
        let mut here = Some(value);
        let mut way = Vec::new();
        for name in names(pointer) {
            let at = match here.map(|here| (here, here.seen())) {
                Some((here, Seen::Object(members))) if members.len() > FEW_MEMBERS => {
                    let places = self.0.entry(here.address()).or_insert_with(|| {
                        members.iter().enumerate().map(|(at, (name, _))| (name, at)).collect()
                    });
                    places.get(&*name).copied()
                }
                Some((_, Seen::Object(members))) => members.iter().position(|(key, _)| key == &*name),
                Some((_, Seen::Array(_))) => name.parse().ok(),
                Some((_, Seen::Null | Seen::Bool(_) | Seen::Number(_) | Seen::Text(_))) | None => None,
            };
            way.push(at.unwrap_or(usize::MAX));
            here = here.and_then(|here| here.child(&name));
        }
        way
    }
}

impl Gatherer {
    pub(super) const fn new(errors_left: u32) -> Self {
        Self { found: Vec::new(), errors_left, has_more: false }
    }

    pub(super) fn add(&mut self, pointer: String, message: String) {
        if self.found.len() < MAX_GATHERED {
            self.found.push(Found { pointer, message });
        }
    }

    /// Errors that a validator may be asked for now, at most so many.
    pub(super) fn allowed(&mut self, most: u32) -> u32 {
        let allowed = most.min(self.errors_left);
        self.has_more |= allowed == 0;
        allowed
    }

    /// So many errors were made.
    pub(super) fn made(&mut self, errors: usize) {
        let errors = u32::try_from(errors).unwrap_or(u32::MAX).max(1);
        self.errors_left = self.errors_left.saturating_sub(errors);
    }

    /// The violations of a unit by a value at a place. Only inside [`walk::over`].
    pub(super) fn unit(&mut self, id: UnitId, value: Part<'_>, at: &str) {
        if self.found.len() >= MAX_GATHERED {
            return;
        }
        walk::enter(id, value, (), (), |units| {
            let Some(unit) = units.units.get(id.0 as usize) else { return };
            match &unit.check {
                Check::Anything => {}
                Check::Nothing => {
                    self.add(at.to_owned(), "Cannot be validated, so it is rejected.".to_owned());
                }
                Check::Scalar(_, validator) | Check::Schema(validator) => {
                    let allowed = self.allowed(MAX_ERRORS);
                    if allowed == 0 {
                        return;
                    }
                    let (errors, has_more) = validator.errors(value, allowed);
                    self.has_more |= has_more;
                    self.made(errors.len());
                    for error in errors {
                        if self.found.len() >= MAX_GATHERED {
                            return;
                        }
                        self.error(units, unit, value, at, &error);
                    }
                }
            }
        });
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the validator's own kinds; the last arm describes them"
    )]
    /// The violations of an error of a unit's validator. `value` and `at` are those of the unit as a whole.
    pub(super) fn error(
        &mut self,
        units: &Units,
        unit: &Unit,
        value: Part<'_>,
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
                READ_ONLY => self.add(here, "Read-only; do not send it.".to_owned()),
                MULTIPLE_OF => self.add(here, sentences::no_multiple(message, part)),
                _ => self.add(here, "Does not match the schema.".to_owned()),
            },
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                if let Some(best) = fit::best_of(context, path) {
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
                let has_hint = self.found.len() < MAX_HINTS;
                let known = unit.known.get(schema).map(|names| &**names).filter(|_| has_hint);
                let about = sentences::About { value: part, at: &here, known, has_hint };
                sentences::describe(kind, &about, error.schema_path().as_str(), &mut |pointer, message| {
                    self.add(pointer, message);
                    self.found.len() < MAX_GATHERED
                });
            }
        }
    }

    fn property_name(&mut self, units: &Units, unit: &Unit, inner: &ValidationError<'_>, here: &str) {
        let name = inner.instance().as_str().unwrap_or_default().to_owned();
        let mut about_name = Self::new(MAX_ERRORS);
        let value = Value::String(name.clone());
        about_name.error(units, unit, Part::Made(&value), "", inner);
        let why = about_name.found.into_iter().next().map(|found| found.message).unwrap_or_default();
        let shown = sentences::quoted(&name);
        self.add(child(here, &name), format!("Property name {shown} is not allowed. {why}"));
    }

    /// What is wrong with a value that matches none of the alternatives.
    fn choice(&mut self, units: &Units, index: usize, value: Part<'_>, at: &str) {
        let Some(choice) = units.choices.get(index) else { return };
        if let Some(discriminator) = &choice.discriminator {
            let known = || discriminator.values.iter().map(String::as_str);
            match discriminator.named(value) {
                Named::Branch(branch) => return self.unit(branch, value, at),
                Named::Branches => {}
                Named::Missing => {
                    let choices = sentences::list(known());
                    let message = format!(
                        "Required to select the type of the object, but missing. Must be one of {choices}."
                    );
                    return self.add(child(at, &discriminator.property), message);
                }
                Named::Unknown => {
                    let sent = value.child(&discriminator.property).unwrap_or(Part::Made(&Value::Null));
                    let message = sentences::none_of(known(), sent, self.found.len() < MAX_HINTS);
                    return self.add(child(at, &discriminator.property), message);
                }
            }
        }
        self.best_branch(units, choice, value, at);
    }
}
