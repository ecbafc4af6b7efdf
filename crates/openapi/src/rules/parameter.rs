//! One parameter: compiled, and checked against what was sent.

use crate::{
    api::{In, Parameter, ParameterForm, Style, parameter_name},
    rules::{
        Violation, json,
        pairs::{Coding, Pairs},
        raw::Raw,
        shape::{Shape, Shapes, Types},
        slashes,
        styles::{self, Reading},
    },
    schema::{
        Found, SchemaCompiler, UnitId, Units, scalar::Scalar, sentences::MAX_REPORTED, violations::in_order,
    },
};
use contract::{
    Detail, ErrorCode,
    detail::{MISSING, MORE},
};
use instance::Part;
use serde_json::Value;
use std::sync::Arc;

/// A parameter, compiled.
#[derive(Debug)]
pub(super) struct ParameterRule {
    pub(super) place: In,
    pub(super) name: String,
    /// As [`Headers`](super::Headers) are asked for it.
    pub(super) lower_name: String,
    pub(super) required: bool,
    allow_empty: bool,
    /// Which value of the path template it is.
    pub(super) position: Option<usize>,
    form: Form,
    shape: Arc<Shape>,
    unit: Option<UnitId>,
    /// What a raw text can be checked against.
    pub(super) scalar: Option<Scalar>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Styled { style: Style, explode: bool },
    Json,
    Urlencoded,
    Text,
}

/// What was sent for a parameter.
pub(super) enum Was<'s> {
    /// Texts: a path value, or header lines.
    Texts(&'s [&'s str]),
    /// Pairs of a query or of cookies, and the names that other parameters have.
    Pairs(&'s Pairs<'s>, &'s dyn Fn(&str) -> bool),
    /// The query as a whole.
    Whole(&'s str),
}

impl ParameterRule {
    /// Compiles a parameter.
    pub(super) fn compile(
        schemas: &mut SchemaCompiler<'_>,
        shapes: &mut Shapes,
        parameter: &Parameter,
        path_names: &[&str],
    ) -> Self {
        let (form, schema) = match &parameter.form {
            ParameterForm::Styled { style, explode, schema, .. } => {
                (Form::Styled { style: *style, explode: *explode }, schema.as_ref())
            }
            ParameterForm::Content { media_type, schema } => {
                let form = if crate::media::is_json(media_type) {
                    Form::Json
                } else if media_type == "application/x-www-form-urlencoded" {
                    Form::Urlencoded
                } else {
                    Form::Text
                };
                (form, schema.as_ref())
            }
        };
        let unit = schema.map(|place| schemas.unit(place)).filter(|unit| !schemas.takes_anything(*unit));
        let shape = schema.map(|place| shapes.of(schemas, place)).unwrap_or_default();
        let is_plain = match form {
            Form::Styled { style, .. } => {
                !matches!(style, Style::Label | Style::Matrix | Style::DeepObject)
                    || parameter.place == In::Query
            }
            Form::Json | Form::Urlencoded => false,
            Form::Text => true,
        };
        let rule = Self {
            place: parameter.place,
            name: parameter.name.clone(),
            lower_name: parameter.name.to_ascii_lowercase(),
            required: parameter.required || parameter.place == In::Path,
            allow_empty: parameter.allow_empty,
            position: (parameter.place == In::Path)
                .then(|| {
                    let is = |name: &&str| *name == parameter.name || parameter_name(name) == parameter.name;
                    path_names.iter().position(is)
                })
                .flatten(),
            form,
            shape,
            scalar: unit.filter(|_| is_plain).and_then(|unit| schemas.scalar(unit)),
            unit,
        };
        if rule.is_deep() && rule.shape.types == Types::ARRAY {
            let name = &rule.name;
            let message = format!(
                "The style deepObject is not defined for arrays: items that are sent as {name}[0] or {name}[] are not \
                 validated, only repeated ones ({name}=1&{name}=2)."
            );
            schemas.warn(&parameter.at, message);
        }
        let is_rest = |name: &&str| name.starts_with('*') && parameter_name(name) == rule.name;
        if rule.place == In::Path && !path_names.iter().any(is_rest) {
            slashes::warn(schemas, schema, &rule.name);
        }
        rule
    }

    /// Whether it is written into a path behind semicolons: `/;name=value`.
    pub(super) fn has_semicolons(&self) -> bool {
        self.place == In::Path && matches!(self.form, Form::Styled { style: Style::Matrix, .. })
    }

    /// How its text is decoded.
    pub(super) fn coding(&self) -> Coding {
        let plain = matches!(self.form, Form::Styled { style: Style::Cookie, .. });
        match self.place {
            In::Query | In::QueryString => Coding::Form,
            In::Header => Coding::Plain,
            In::Cookie if plain => Coding::Plain,
            In::Path | In::Cookie => Coding::Percent,
        }
    }

    /// Whether a name of the query belongs to it.
    pub(super) fn takes_name(&self, name: &str) -> bool {
        match self.place {
            In::QueryString => true,
            In::Path | In::Header | In::Cookie => false,
            In::Query => match self.form {
                // What may be something else as well may be sent under its own name.
                Form::Styled { .. } if self.may_be_whole() && name == self.name => true,
                Form::Styled { style: Style::DeepObject, .. } if self.shape.types.has(Types::OBJECT) => {
                    self.is_base_of(name)
                }
                Form::Styled { explode: true, .. } if self.is_spread() => {
                    self.shape.is_open() || self.shape.names(name)
                }
                Form::Styled { .. } | Form::Json | Form::Urlencoded | Form::Text => name == self.name,
            },
        }
    }

    /// Names that it has in the query, for hints.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let spread = matches!(self.form, Form::Styled { explode: true, .. }) && self.is_spread();
        let has_own = !spread || self.may_be_whole();
        let members = self.shape.members.iter().filter(move |_| spread).map(|(name, _)| name.as_str());
        std::iter::once(self.name.as_str()).filter(move |_| has_own).chain(members)
    }

    /// Whether a name is its own, so that it is no member of another parameter that takes any name.
    pub(super) fn owns(&self, name: &str) -> bool {
        self.names().any(|known| known == name) || (self.is_deep() && self.is_base_of(name))
    }

    /// Whether a name is its own with brackets behind it.
    fn is_base_of(&self, name: &str) -> bool {
        name.strip_prefix(self.name.as_str()).is_some_and(|rest| rest.starts_with('['))
    }

    /// Whether it may be anything but an object.
    fn may_be_whole(&self) -> bool {
        self.shape.types.has_scalar() || self.shape.types.has(Types::ARRAY)
    }

    fn is_spread(&self) -> bool {
        self.shape.types.has(Types::OBJECT) && !self.is_deep()
    }

    fn is_deep(&self) -> bool {
        matches!(self.form, Form::Styled { style: Style::DeepObject, .. })
    }

    fn places(&self) -> (&'static str, ErrorCode, ErrorCode) {
        use ErrorCode::{HeaderMissing, HeaderNotValid, ParameterMissing, ParameterNotValid};
        match self.place {
            In::Path => ("path", ParameterMissing, ParameterNotValid),
            In::Query | In::QueryString => ("query", ParameterMissing, ParameterNotValid),
            In::Cookie => ("cookie", ParameterMissing, ParameterNotValid),
            In::Header => ("header", HeaderMissing, HeaderNotValid),
        }
    }

    /// The violation that it is not there.
    pub(super) fn missing(&self) -> Violation {
        let (place, missing, _) = self.places();
        let message = MISSING.to_owned();
        Violation { code: missing, detail: Detail { place, name: self.name.clone(), pointer: None, message } }
    }

    pub(super) fn wrong(&self, pointer: &str, message: String) -> Violation {
        let (place, _, not_valid) = self.places();
        let pointer = (!pointer.is_empty()).then(|| pointer.to_owned());
        Violation { code: not_valid, detail: Detail { place, name: self.name.clone(), pointer, message } }
    }

    /// Notes what is wrong with what was sent.
    pub(super) fn check(&self, was: &Was<'_>, units: &Arc<Units>, violations: &mut Vec<Violation>) {
        let mut first: Option<Vec<Violation>> = None;
        let mut there = false;
        for reading in self.readings() {
            let raw = match self.read(was, reading) {
                Ok(None) => continue,
                Ok(Some(raw)) => raw,
                Err(message) => {
                    there = true;
                    first.get_or_insert_with(|| vec![self.wrong("", message)]);
                    continue;
                }
            };
            there = true;
            if self.allow_empty && raw == Raw::Text(String::new()) {
                return;
            }
            let wrong = self.judge(raw, units);
            if wrong.is_empty() {
                return;
            }
            first.get_or_insert(wrong);
        }
        if !there && self.required && !self.may_be_nothing(units) {
            violations.push(self.missing());
        }
        violations.extend(first.into_iter().flatten());
    }

    /// Whether an object that is spread over pairs may be sent by no pair at all: an empty one is (RFC 6570, section 3.2.1),
    /// and its schema may allow that.
    fn may_be_nothing(&self, units: &Arc<Units>) -> bool {
        let is_spread = self.is_deep() || matches!(self.form, Form::Styled { explode: true, .. });
        matches!(self.place, In::Query | In::Cookie)
            && is_spread
            && self.shape.types.has(Types::OBJECT)
            && self.judge(Raw::Members(Vec::new()), units).is_empty()
    }

    /// As what its text may be read, the likeliest first.
    fn readings(&self) -> impl Iterator<Item = Reading> {
        let types = self.shape.types;
        let styled = matches!(self.form, Form::Styled { .. });
        let scalar = types.has_scalar() || !styled || types == Types::NULL;
        [
            (Reading::Scalar, scalar),
            (Reading::List, styled && types.has(Types::ARRAY)),
            (Reading::Members, styled && types.has(Types::OBJECT)),
        ]
        .into_iter()
        .filter_map(|(reading, may)| may.then_some(reading))
    }

    fn read(&self, was: &Was<'_>, reading: Reading) -> Result<Option<Raw>, String> {
        let coding = self.coding();
        let (style, explode) = match self.form {
            Form::Styled { style, explode } => (style, explode),
            Form::Json | Form::Urlencoded | Form::Text => (Style::Form, false),
        };
        let raw = match was {
            Was::Pairs(pairs, others) => {
                styles::paired(pairs, &self.name, style, explode, reading, &self.shape, *others)?
            }
            Was::Whole(text) => Some(Raw::Text(if self.form == Form::Urlencoded {
                (*text).to_owned()
            } else {
                coding.decode(text)?.into_owned()
            })),
            Was::Texts([]) => None,
            Was::Texts([only]) => {
                if reading == Reading::List && only.is_empty() && self.place == In::Header {
                    Some(Raw::List(Vec::new()))
                } else {
                    Some(styles::single(only, &self.name, (style, explode), reading, &self.shape, coding)?)
                }
            }
            Was::Texts(several) if reading == Reading::Scalar => {
                return Err(format!("Sent {} times; send it once.", several.len()));
            }
            // Lines of a list are one list (RFC 9110, section 5.2).
            Was::Texts(several) => Some(styles::single(
                &several.join(","),
                &self.name,
                (style, explode),
                reading,
                &self.shape,
                coding,
            )?),
        };
        match (&self.form, raw) {
            (Form::Json, Some(Raw::Text(text))) => {
                let value = json::read(text.as_bytes())
                    .map_err(|error| format!("Must be JSON, but is not: {error}."))?;
                Ok(Some(Raw::Ready(value)))
            }
            (Form::Urlencoded, Some(Raw::Text(text))) => super::form::read(&text, &self.shape, &[]).map(Some),
            (_, raw) => Ok(raw),
        }
    }

    fn judge(&self, raw: Raw, units: &Arc<Units>) -> Vec<Violation> {
        let Some(unit) = self.unit else { return Vec::new() };
        judge(&raw, &self.shape, unit, units)
            .into_iter()
            .map(|found| self.wrong(&found.pointer, found.message))
            .collect()
    }
}

/// What is wrong with a raw value: as numbers and flags first, then as strings where it may be either.
pub(super) fn judge(raw: &Raw, shape: &Shape, unit: UnitId, units: &Arc<Units>) -> Vec<Found> {
    let mut wrong = Vec::new();
    let value = raw.typed(shape, true, "", &mut wrong);
    if wrong.is_empty() {
        wrong = units.violations(unit, Part::Made(&value));
        if wrong.is_empty() {
            return wrong;
        }
        let mut as_text_wrong = Vec::new();
        let as_text = raw.typed(shape, false, "", &mut as_text_wrong);
        if as_text_wrong.is_empty() && as_text != value && units.is_valid(unit, Part::Made(&as_text)) {
            return Vec::new();
        }
        return wrong;
    }
    // What could not be typed is null in the value; what the schema reports for those places is not reported twice.
    let untyped: Vec<String> = wrong.iter().map(|found| found.pointer.clone()).collect();
    if value != Value::Null {
        let others = units.violations(unit, Part::Made(&value)).into_iter();
        wrong.extend(others.filter(|found| !untyped.contains(&found.pointer) && !found.pointer.is_empty()));
    }
    in_order(&mut wrong, Part::Made(&value));
    let more = wrong.len().saturating_sub(MAX_REPORTED);
    if more > 0 {
        wrong.truncate(MAX_REPORTED);
        let message = format!("{MORE}at least {more} more violations; these are the first {MAX_REPORTED}.");
        wrong.push(Found { pointer: String::new(), message });
    }
    wrong
}
