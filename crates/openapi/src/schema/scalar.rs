//! Scalars with the usual bounds, checked without a validator and, as text, without a value being made.

use instance::{Part, Seen};
use serde_json::{Map, Number, Value};

/// A scalar schema of nothing but `type`, `enum` of strings, bounds that are whole numbers, and lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    kind: Kind,
    least: i128,
    most: i128,
    shortest: usize,
    longest: usize,
    choices: Vec<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Whole,
    Flag,
}

impl Scalar {
    /// Of a rewritten schema. None: it has more than scalar rules.
    pub(crate) fn of(schema: &Map<String, Value>) -> Option<Self> {
        let kind = match schema.get("type")?.as_str()? {
            "string" => Kind::Text,
            "integer" => Kind::Whole,
            "boolean" => Kind::Flag,
            _ => return None,
        };
        let mut scalar = Self {
            kind,
            least: i128::MIN,
            most: i128::MAX,
            shortest: 0,
            longest: usize::MAX,
            choices: Vec::new(),
        };
        for (keyword, value) in schema {
            match keyword.as_str() {
                "type" => {}
                "minimum" => scalar.least = scalar.least.max(whole(value)?),
                "maximum" => scalar.most = scalar.most.min(whole(value)?),
                "exclusiveMinimum" => scalar.least = scalar.least.max(whole(value)? + 1),
                "exclusiveMaximum" => scalar.most = scalar.most.min(whole(value)? - 1),
                "minLength" => scalar.shortest = usize::try_from(value.as_u64()?).ok()?,
                "maxLength" => scalar.longest = usize::try_from(value.as_u64()?).ok()?,
                "enum" if kind == Kind::Text => {
                    for choice in value.as_array()? {
                        // A value other than a string can never equal one.
                        scalar.choices.extend(choice.as_str().map(Box::from));
                    }
                    if scalar.choices.is_empty() {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        Some(scalar)
    }

    /// Whether a value fits. None: only a validator can decide.
    pub(crate) fn judge(&self, value: Part<'_>) -> Option<bool> {
        match (self.kind, value.seen()) {
            (Kind::Text, Seen::Text(text)) => Some(self.fits_text(text)),
            (Kind::Flag, Seen::Bool(_)) => Some(true),
            // 1.0 is a whole number to JSON Schema; how such numbers compare is its own business.
            (Kind::Whole, Seen::Number(number)) if number.is_f64() => None,
            (Kind::Whole, Seen::Number(number)) => {
                Some(of_number(number).is_some_and(|number| self.fits_whole(number)))
            }
            (
                Kind::Text | Kind::Flag | Kind::Whole,
                Seen::Null
                | Seen::Bool(_)
                | Seen::Number(_)
                | Seen::Text(_)
                | Seen::Array(_)
                | Seen::Object(_),
            ) => Some(false),
        }
    }

    /// Whether a text of a parameter matches this, with its type. False also where it
    /// needs a closer look.
    pub(crate) fn fits(&self, text: &str) -> bool {
        match self.kind {
            Kind::Text => self.fits_text(text),
            Kind::Flag => matches!(text, "true" | "false"),
            Kind::Whole => integer(text).is_some_and(|number| self.fits_whole(number)),
        }
    }

    fn fits_text(&self, text: &str) -> bool {
        if self.shortest > 0 || self.longest < text.len() {
            let length = text.chars().count();
            if length < self.shortest || length > self.longest {
                return false;
            }
        }
        self.choices.is_empty() || self.choices.iter().any(|choice| **choice == *text)
    }

    fn fits_whole(&self, number: i128) -> bool {
        number >= self.least && number <= self.most
    }
}

fn whole(value: &Value) -> Option<i128> {
    value.as_number().and_then(of_number)
}

fn of_number(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// Whether a text is written as an integer, of whatever size.
pub(crate) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// An integer of at most 64 bits.
pub(crate) fn integer(text: &str) -> Option<i128> {
    if !is_integer(text) {
        return None;
    }
    let number: i128 = text.parse().ok()?;
    (number >= i128::from(i64::MIN) && number <= i128::from(u64::MAX)).then_some(number)
}
