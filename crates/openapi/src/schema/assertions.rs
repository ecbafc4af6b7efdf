//! Keywords that constrain a value itself: types, values, bounds, lengths, patterns, formats.

use crate::schema::{
    SchemaCompiler,
    dialect::Dialect,
    formats::{self, Format},
    keywords::MULTIPLE_OF,
    patterns::{Doubt, Pattern, doubt},
    rewrite::Standpoint,
};
use crate::strictness::Formats;
use serde_json::{Map, Number, Value};
use std::cmp::Ordering;

const TYPES: &[&str] = &["null", "boolean", "integer", "number", "string", "array", "object"];

impl SchemaCompiler<'_> {
    /// Rewrites these keywords.
    pub(super) fn assertions(
        &mut self,
        map: &Map<String, Value>,
        dialect: Dialect,
        at: &Standpoint,
        out: &mut Map<String, Value>,
    ) {
        self.types(map, at, out);
        self.values(map, dialect, at, out);
        self.bounds(map, at, out);
        for keyword in ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"] {
            self.count(keyword, map, at, out);
        }
        if dialect == Dialect::Draft2020 {
            self.count("minContains", map, at, out);
            self.count("maxContains", map, at, out);
        }
        match map.get("uniqueItems") {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) => {
                out.insert("uniqueItems".to_owned(), Value::Bool(true));
            }
            Some(other) => self.wrong_kind("uniqueItems", "a boolean", other, at),
        }
        match map.get("pattern") {
            Some(Value::String(pattern)) if self.enforced_pattern(pattern, at) => {
                out.insert("pattern".to_owned(), Value::String(pattern.clone()));
            }
            None | Some(Value::String(_)) => {}
            Some(other) => self.wrong_kind("pattern", "a string", other, at),
        }
        self.format(map, at, out);
        self.crossed(out, at);
        self.flags(map, at);
    }

    /// Warns of bounds that no value is within.
    fn crossed(&mut self, out: &Map<String, Value>, at: &Standpoint) {
        for (least, most) in [
            ("minimum", "maximum"),
            ("minLength", "maxLength"),
            ("minItems", "maxItems"),
            ("minProperties", "maxProperties"),
        ] {
            let number = |keyword: &str| out.get(keyword).and_then(Value::as_number);
            if let (Some(low), Some(high)) = (number(least), number(most))
                && compared(low, high).is_some_and(Ordering::is_gt)
            {
                let message = format!("`{least}` is {low} and `{most}` is {high}, so no value is valid.");
                self.warn(&at.place, message);
            }
        }
    }

    fn flags(&mut self, map: &Map<String, Value>, at: &Standpoint) {
        for flag in ["readOnly", "writeOnly", "nullable", "x-nullable"] {
            if let Some(other) = map.get(flag).filter(|value| !value.is_boolean()) {
                self.wrong_kind(flag, "a boolean", other, at);
            }
        }
    }

    pub(super) fn wrong_kind(&mut self, keyword: &str, wanted: &str, found: &Value, at: &Standpoint) {
        let found = crate::schema::sentences::shown(instance::Part::Made(found));
        self.warn(&at.place, format!("`{keyword}` must be {wanted}, but is {found}; it is not enforced."));
    }

    fn types(&mut self, map: &Map<String, Value>, at: &Standpoint, out: &mut Map<String, Value>) {
        let listed = match map.get("type") {
            None => return,
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) if names.is_empty() => {
                return self.warn(&at.place, "`type` is empty; it is not enforced.".to_owned());
            }
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(other) => return self.wrong_kind("type", "the name of a type", other, at),
        };
        let mut known: Vec<Value> = Vec::new();
        for name in listed {
            if name == "file" {
                return; // what a file holds is never looked at
            }
            if !TYPES.contains(&name) {
                let name: String = name.chars().take(60).collect();
                self.warn(&at.place, format!("Unknown type \"{name}\"; no type is enforced."));
                return;
            }
            if !known.iter().any(|other| other == name) {
                known.push(name.into());
            }
        }
        match <[Value; 1]>::try_from(known) {
            Ok([only]) => {
                out.insert("type".to_owned(), only);
            }
            Err(several) if several.is_empty() => {}
            Err(several) => {
                out.insert("type".to_owned(), Value::Array(several));
            }
        }
    }

    /// `enum` and `const`. Authors write values of a list without the quotes that their type asks for, or
    /// the list of an array's items beside the array: read literally, no value could ever pass.
    fn values(
        &mut self,
        map: &Map<String, Value>,
        dialect: Dialect,
        at: &Standpoint,
        out: &mut Map<String, Value>,
    ) {
        if let Some(value) =
            map.get("const").filter(|_| matches!(dialect, Dialect::Draft7 | Dialect::Draft2020))
        {
            let only = out.get("type").and_then(Value::as_str).map(str::to_owned);
            let read = only.filter(|only| !is_of(value, only)).and_then(|only| {
                let read = read_as(value, &only)?;
                let message = format!("The value of `const` is not of type {only}; it is converted.");
                self.warn(&at.place, message);
                Some(read)
            });
            out.insert("const".to_owned(), read.unwrap_or_else(|| value.clone()));
        }
        let values = match map.get("enum") {
            None => return,
            Some(Value::Array(values)) => values,
            Some(other) => return self.wrong_kind("enum", "an array", other, at),
        };
        if values.is_empty() {
            return self.warn(&at.place, "`enum` is empty; it is not enforced.".to_owned());
        }
        let only = out.get("type").and_then(Value::as_str).map(str::to_owned);
        let Some(only) = only.filter(|only| !values.iter().all(|value| is_of(value, only))) else {
            out.insert("enum".to_owned(), Value::Array(values.clone()));
            return;
        };
        if values.iter().any(|value| is_of(value, &only)) {
            // One that cannot be converted is kept: no value is equal to it.
            let converted = |value: &Value| read_as(value, &only).filter(|_| !is_of(value, &only));
            if values.iter().any(|value| converted(value).is_some()) {
                let message = format!("`enum` has values that are not of type {only}; they are converted.");
                self.warn(&at.place, message);
            }
            let values = values.iter().map(|value| converted(value).unwrap_or_else(|| value.clone()));
            out.insert("enum".to_owned(), Value::Array(values.collect()));
            return;
        }
        let read: Option<Vec<Value>> = values.iter().map(|value| read_as(value, &only)).collect();
        match read {
            Some(read) => {
                let message = format!("The values of `enum` are not of type {only}; they are converted.");
                self.warn(&at.place, message);
                out.insert("enum".to_owned(), Value::Array(read));
            }
            None => {
                let message = format!("No value of `enum` is of type {only}; it is not enforced.");
                self.warn(&at.place, message);
            }
        }
    }

    fn number(&mut self, keyword: &str, map: &Map<String, Value>, at: &Standpoint) -> Option<Number> {
        match map.get(keyword)? {
            Value::Number(number) => Some(number.clone()),
            Value::String(text) if text.parse::<Number>().is_ok() => {
                self.warn(&at.place, format!("`{keyword}` is a string; it is read as a number."));
                text.parse().ok()
            }
            other
            @ (Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                self.wrong_kind(keyword, "a number", other, at);
                None
            }
        }
    }

    fn bounds(&mut self, map: &Map<String, Value>, at: &Standpoint, out: &mut Map<String, Value>) {
        for (keyword, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            let bound = self.number(keyword, map, at);
            match (map.get(exclusive), bound) {
                // Until draft 4, and so in 2.0 and 3.0, it is a flag of the bound beside it.
                (Some(Value::Bool(true)), Some(bound)) => {
                    out.insert(exclusive.to_owned(), Value::Number(bound));
                }
                (None | Some(Value::Bool(_)), bound) => {
                    out.extend(bound.map(|bound| (keyword.to_owned(), Value::Number(bound))));
                }
                (Some(_), bound) => {
                    out.extend(bound.map(|bound| (keyword.to_owned(), Value::Number(bound))));
                    let bound = self.number(exclusive, map, at);
                    out.extend(bound.map(|bound| (exclusive.to_owned(), Value::Number(bound))));
                }
            }
        }
        if let Some(number) = self.number("multipleOf", map, at) {
            if instance::Divisor::of(&number).is_some() {
                out.insert(MULTIPLE_OF.to_owned(), Value::Number(number));
            } else {
                self.warn(&at.place, "`multipleOf` must be greater than 0; it is not enforced.".to_owned());
            }
        }
    }

    fn count(
        &mut self,
        keyword: &str,
        map: &Map<String, Value>,
        at: &Standpoint,
        out: &mut Map<String, Value>,
    ) {
        if !map.contains_key(keyword) {
            return;
        }
        let Some(number) = self.number(keyword, map, at) else { return };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let count = number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && (0.0..1e15).contains(&float)).then_some(float as u64)
        });
        match count {
            Some(count) => {
                out.insert(keyword.to_owned(), count.into());
            }
            // So many that nothing reaches it.
            None if number.as_f64().is_some_and(|number| number >= 1e15) && keyword.starts_with("max") => {}
            None => {
                let message = format!(
                    "`{keyword}` must be a non-negative integer, but is {number}; it is not enforced."
                );
                self.warn(&at.place, message);
            }
        }
    }

    /// Whether a pattern is enforced. If not, a warning names it.
    pub(super) fn enforced_pattern(&mut self, pattern: &str, at: &Standpoint) -> bool {
        let why = match self.patterns.judge(&self.options, pattern) {
            Pattern::Linear => {
                if let Some(doubt) = doubt(pattern) {
                    self.warn(&at.place, doubtful(pattern, &doubt));
                }
                return true;
            }
            Pattern::Backtracking => {
                "uses look-around or backreferences, which cannot be matched in linear time"
            }
            Pattern::Broken => "is not a regular expression, or is too large",
        };
        let shown: String = pattern.chars().take(80).collect();
        self.warn(&at.place, format!("The pattern \"{shown}\" {why}; it is not enforced."));
        false
    }

    fn format(&mut self, map: &Map<String, Value>, at: &Standpoint, out: &mut Map<String, Value>) {
        let format = match map.get("format") {
            None => return,
            Some(Value::String(format)) => format,
            Some(other) => return self.wrong_kind("format", "a string", other, at),
        };
        let is = |name: &str| match out.get("type") {
            Some(Value::String(only)) => only == name,
            Some(Value::Array(list)) => list.iter().any(|other| other == name),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
        };
        match formats::meaning(format) {
            Format::Annotation => {}
            Format::Checked => {
                let checked = match self.formats {
                    Formats::Lenient => formats::lenient(format),
                    Formats::Strict => format,
                };
                out.insert("format".to_owned(), checked.into());
            }
            Format::Bounded(bounds) => {
                let (numbers, digits) =
                    (is("integer") || is("number") || !out.contains_key("type"), is("string"));
                if numbers && let Some((least, most)) = bounds.numbers() {
                    narrow(out, "minimum", least, Ordering::is_lt);
                    narrow(out, "maximum", most, Ordering::is_gt);
                }
                if digits && matches!(bounds, formats::Bounds::Whole(..)) {
                    out.insert("format".to_owned(), Value::String(format.clone()));
                }
            }
            Format::Unknown => {
                let shown: String = format.chars().take(60).collect();
                self.warn(&at.place, format!("Unknown format \"{shown}\"; it is not enforced."));
            }
        }
    }
}

/// The warning about a pattern that hardly any value matches.
fn doubtful(pattern: &str, doubt: &Doubt<'_>) -> String {
    let shown = |text: &str| text.chars().take(80).collect::<String>();
    let why = match doubt {
        Doubt::Literal(inner) => format!(
            "looks like a JavaScript literal: its delimiters and flags are matched as text, so hardly any value \
             matches. Write \"{}\"",
            shown(inner)
        ),
        Doubt::Doubled(inner) => format!(
            "matches a backslash: it is escaped twice, so hardly any value matches. Write \"{}\"",
            shown(inner)
        ),
        Doubt::Posix => {
            "has a POSIX class, which JSON Schema does not know: its characters are matched literally. \
                         Write a range such as [A-Za-z]"
                .to_owned()
        }
    };
    format!("The pattern \"{}\" {why}.", shown(pattern))
}

/// Sets a bound unless the schema's own is at least as tight.
fn narrow(out: &mut Map<String, Value>, keyword: &str, bound: Number, looser: fn(Ordering) -> bool) {
    let exclusive = if keyword == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" };
    let own = out.get(keyword).and_then(Value::as_number);
    let own = own.or_else(|| out.get(exclusive).and_then(Value::as_number));
    if own.is_none_or(|own| compared(own, &bound).is_some_and(looser)) {
        out.insert(keyword.to_owned(), Value::Number(bound));
    }
}

/// Whole numbers by all of their digits.
fn compared(one: &Number, other: &Number) -> Option<Ordering> {
    let whole = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn is_of(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => true, // beside a type other than null authors mean `nullable`
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => {
            name == "number" || (name == "integer" && number.as_f64().is_some_and(|n| n.fract() == 0.0))
        }
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}

fn read_as(value: &Value, name: &str) -> Option<Value> {
    match (name, value) {
        ("string", Value::Bool(_) | Value::Number(_)) => Some(Value::String(value.to_string())),
        ("integer" | "number", Value::String(text)) => text.parse().ok().map(Value::Number),
        ("boolean", Value::String(text)) => text.parse().ok().map(Value::Bool),
        (
            _,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
        ) => None,
    }
}
