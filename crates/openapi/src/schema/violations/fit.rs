//! Which of several alternatives was probably meant, so that only its errors are reported.

use super::Gatherer;
use crate::schema::{
    choice::{Choice, Rule},
    keywords::{CHOICE, UNIT},
    sentences::{self, types_of},
    unit::UnitId,
    walk::{self, Check, Units},
};
use contract::{detail::MISSING, pointer::child};
use instance::Part;
use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind},
};

/// Alternatives that are weighed; the first of more are as good as any.
const MAX_WEIGHED: usize = 64;
const MAX_ERRORS: u32 = 200;
/// References inside an alternative that are followed to weigh it.
const DEEPEST: usize = 6;

/// How far a value is from an alternative.
#[derive(Debug, Clone, Default)]
struct Distance {
    weight: u32,
    /// Types that it would take instead of this one.
    types: Vec<JsonType>,
    /// Members that are missing, if nothing else is wrong.
    missing: Vec<String>,
    only_missing: bool,
}

impl Gatherer {
    /// Reports the errors of the alternative that fits best.
    pub(super) fn best_branch(&mut self, units: &Units, choice: &Choice, value: Part<'_>, at: &str) {
        let branches = choice.branches.get(..MAX_WEIGHED).unwrap_or(&choice.branches);
        if choice.rule == Rule::One {
            let fitting: Vec<_> = branches.iter().filter(|&&branch| walk::is_valid(branch, value)).collect();
            if fitting.len() > 1 {
                let names: Vec<&str> = fitting
                    .iter()
                    .filter_map(|branch| units.units.get(branch.0 as usize))
                    .map(|unit| unit.name.as_str())
                    .filter(|name| name.parse::<usize>().is_err())
                    .collect();
                let named = if names.len() == fitting.len() {
                    format!(" ({})", sentences::list(names.into_iter()))
                } else {
                    String::new()
                };
                let message = format!(
                    "Matches {} of {} alternatives{named}, but must match exactly one.",
                    fitting.len(),
                    choice.branches.len()
                );
                return self.add(at.to_owned(), message);
            }
        }
        let distances: Vec<(UnitId, Distance)> =
            branches.iter().map(|&branch| (branch, self.distance(branch, value, 0))).collect();
        if distances.iter().all(|(_, distance)| !distance.types.is_empty()) {
            let types = distances.iter().flat_map(|(_, distance)| distance.types.iter().copied());
            return self.add(at.to_owned(), sentences::wrong_type(types, value));
        }
        if distances.len() > 1 && distances.iter().all(|(_, distance)| distance.only_missing) {
            return self.one_of_members(&distances, at);
        }
        let best = distances.iter().min_by_key(|(_, distance)| distance.weight);
        if let Some((branch, _)) = best {
            self.unit(*branch, value, at);
        }
    }

    fn one_of_members(&mut self, distances: &[(UnitId, Distance)], at: &str) {
        let mut singles = Vec::new();
        for (_, distance) in distances {
            match distance.missing.as_slice() {
                [only] => {
                    if !singles.contains(only) {
                        singles.push(only.clone());
                    }
                }
                several => {
                    for name in several {
                        let message = MISSING.to_owned();
                        self.add(child(at, name), message);
                    }
                    return;
                }
            }
        }
        match singles.as_slice() {
            [only] => self.add(child(at, only), MISSING.to_owned()),
            several => {
                let names = sentences::list(several.iter().map(String::as_str));
                self.add(
                    at.to_owned(),
                    format!("One of the properties {names} is required, but all are missing."),
                );
            }
        }
    }
}

impl Gatherer {
    /// How far a value is from a unit.
    fn distance(&mut self, id: UnitId, value: Part<'_>, depth: usize) -> Distance {
        walk::enter(id, value, Distance::default(), Distance::default(), |units| {
            let mut sum = Distance::default();
            let Some(unit) = units.units.get(id.0 as usize) else { return sum };
            let validator = match &unit.check {
                Check::Anything => return sum,
                Check::Nothing => {
                    sum.weight = u32::MAX;
                    return sum;
                }
                Check::Scalar(_, validator) | Check::Schema(validator) => validator,
            };
            let mut missing_only = true;
            let mut any = false;
            let allowed = self.allowed(MAX_ERRORS);
            if allowed == 0 {
                return sum;
            }
            let (errors, _) = validator.errors(value, allowed);
            self.made(errors.len());
            for error in errors.into_iter().take(MAX_ERRORS as usize) {
                any = true;
                if let ValidationErrorKind::Required { property } = error.kind()
                    && error.instance_path().as_str().is_empty()
                    && property.as_str().is_none_or(|name| value.child(name).is_none())
                {
                    sum.missing.extend(property.as_str().map(str::to_owned));
                    sum.weight = sum.weight.saturating_add(4);
                    continue;
                }
                if let Some(inner) = self.same_value(&error, units, value, depth) {
                    sum.weight = sum.weight.saturating_add(inner.weight);
                    sum.types.extend(inner.types);
                    missing_only &= inner.only_missing;
                    sum.missing.extend(inner.missing);
                    continue;
                }
                missing_only = false;
                sum.weight = sum.weight.saturating_add(weight(&error, ""));
                sum.types.extend(types_at(&error, ""));
            }
            sum.only_missing = any && missing_only;
            sum
        })
    }

    /// The distance to what an error only refers to, for the same value.
    fn same_value(
        &mut self,
        error: &ValidationError<'_>,
        units: &Units,
        value: Part<'_>,
        depth: usize,
    ) -> Option<Distance> {
        let ValidationErrorKind::Custom { keyword, message } = error.kind() else { return None };
        if !error.instance_path().as_str().is_empty() || depth >= DEEPEST {
            return None;
        }
        match keyword.as_str() {
            UNIT => Some(self.distance(UnitId(message.parse().ok()?), value, depth + 1)),
            CHOICE => {
                let choice = units.choices.get(message.parse::<usize>().ok()?)?;
                let branches = choice.branches.get(..MAX_WEIGHED).unwrap_or(&choice.branches);
                let distances: Vec<_> =
                    branches.iter().map(|&branch| self.distance(branch, value, depth + 1)).collect();
                let types = if distances.iter().all(|distance| !distance.types.is_empty()) {
                    distances.iter().flat_map(|distance| distance.types.iter().copied()).collect()
                } else {
                    Vec::new()
                };
                let best = distances.into_iter().min_by_key(|distance| distance.weight)?;
                Some(Distance { types, only_missing: false, ..best })
            }
            _ => None,
        }
    }
}

/// The errors of the alternative that fits best, of those that the validator itself compared.
pub(super) fn best_of<'c>(
    context: &'c [Vec<ValidationError<'static>>],
    path: &str,
) -> Option<&'c Vec<ValidationError<'static>>> {
    context.iter().min_by_key(|errors| {
        errors
            .iter()
            .take(MAX_ERRORS as usize)
            .fold(0_u32, |sum, error| sum.saturating_add(weight(error, path)))
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the validator's own kinds; only one is about types")]
fn types_at(error: &ValidationError<'_>, path: &str) -> Vec<JsonType> {
    match error.kind() {
        ValidationErrorKind::Type { kind } if error.instance_path().as_str() == path => match kind {
            TypeKind::Single(one) => vec![*one],
            TypeKind::Multiple(several) => types_of(*several),
        },
        _ => Vec::new(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the validator's own kinds; most weigh the same")]
/// How much an error counts against its alternative: a wrong type most, then a member with a fixed value,
/// which often identifies the alternative.
fn weight(error: &ValidationError<'_>, path: &str) -> u32 {
    let here = error.instance_path().as_str() == path;
    match error.kind() {
        ValidationErrorKind::Type { .. } if here => 10_000,
        ValidationErrorKind::Constant { .. } => 100,
        ValidationErrorKind::Enum { .. } => 60,
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            u32::try_from(unexpected.len()).unwrap_or(u32::MAX).saturating_mul(5)
        }
        ValidationErrorKind::Type { .. } => 8,
        ValidationErrorKind::Required { .. } => 4,
        _ => 3,
    }
}
