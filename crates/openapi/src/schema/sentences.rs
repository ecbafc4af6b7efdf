//! What is wrong with a value, as sentences: what was found, and what is allowed.

use crate::schema::{
    formats,
    nearest::{nearest, nearest_where},
};
use contract::{
    detail::{MISSING, UNKNOWN_PROPERTY},
    pointer::{child, unescape},
};
use instance::{Part, Seen};
use jsonschema::{
    JsonType, JsonTypeSet,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

/// Violations that one response lists.
pub(crate) const MAX_REPORTED: usize = 50;

/// Characters of a value that are shown.
const LONGEST: usize = 60;
/// Members among which one that was misspelt is looked for.
const MAX_SENT: usize = 500;
/// Names of a list that are shown.
const MAX_NAMED: usize = 12;

/// A text in quotes, cut so that a message stays readable. Control characters are shown escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown = String::with_capacity(LONGEST + 8);
    shown.push('"');
    for (count, letter) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown.push('"');
    shown
}

/// A value as a message shows it: scalars themselves, of others only what they are.
pub(crate) fn shown(value: Part<'_>) -> String {
    match value.seen() {
        Seen::Null => "null".to_owned(),
        Seen::Bool(flag) => flag.to_string(),
        Seen::Number(number) => number.to_string(),
        Seen::Text(text) => quoted(text),
        Seen::Array(_) => "an array".to_owned(),
        Seen::Object(_) => "an object".to_owned(),
    }
}

/// A value of the document, whole if it is short.
fn wanted(value: &Value) -> String {
    let text = match value {
        Value::String(text) => return quoted(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let mut cut: String = text.chars().take(LONGEST).collect();
    cut.push('…');
    cut
}

/// Names with commas; of a long list only the first.
pub(crate) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut shown = String::new();
    let mut count = 0;
    for name in names {
        count += 1;
        if count <= MAX_NAMED {
            if count > 1 {
                shown.push_str(", ");
            }
            let cut: String = name.chars().take(LONGEST).collect();
            shown.push_str(&cut);
            if cut.len() < name.len() {
                shown.push('…');
            }
        }
    }
    if count > MAX_NAMED {
        shown.push_str(&format!(" and {} more", count - MAX_NAMED));
    }
    shown
}

/// "Must be one of …", with the nearest if a hint is wanted.
pub(crate) fn none_of<'n>(
    known: impl Iterator<Item = &'n str> + Clone,
    found: Part<'_>,
    has_hint: bool,
) -> String {
    let mut message = format!("Must be one of {}, but is {}.", list(known.clone()), shown(found));
    if let Some(near) = found.text().filter(|_| has_hint).and_then(|found| nearest(found, known)) {
        message.push_str(&format!(" Did you mean {}?", quoted(near)));
    }
    message
}

fn noun(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "null",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "an integer",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    }
}

/// "Must be a string or null, but is 5."
pub(crate) fn wrong_type(types: impl Iterator<Item = JsonType>, found: Part<'_>) -> String {
    let mut nouns: Vec<&str> = Vec::new();
    for kind in types {
        if !nouns.contains(&noun(kind)) {
            nouns.push(noun(kind));
        }
    }
    // Null is the least likely to be expected.
    nouns.sort_by_key(|noun| *noun == "null");
    let wanted = match nouns.as_slice() {
        [] => "something else".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    };
    format!("Must be {wanted}, but is {}.", shown(found))
}

fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

fn size(value: Part<'_>) -> usize {
    match value.seen() {
        Seen::Text(text) => text.chars().count(),
        Seen::Array(items) => items.len(),
        Seen::Object(members) => members.len(),
        Seen::Null | Seen::Bool(_) | Seen::Number(_) => 0,
    }
}

/// What a sentence is about.
pub(super) struct About<'a> {
    pub(super) value: Part<'a>,
    /// Its location.
    pub(super) at: &'a str,
    /// The names of its members.
    pub(super) known: Option<&'a [String]>,
    /// Whether what was probably meant is looked for.
    pub(super) has_hint: bool,
}

impl<'a> About<'a> {
    /// The known names to compare with the name at this position of many: what is not shown needs no hint.
    fn known_at(&self, position: usize) -> Option<&'a [String]> {
        self.known.filter(|_| position < MAX_REPORTED)
    }
}

/// The violations of a validator error for a value at a place. `add` returns whether more are wanted.
#[expect(clippy::wildcard_enum_match_arm, reason = "the validator's own kinds; the last arm asks again")]
pub(super) fn describe(
    kind: &ValidationErrorKind,
    about: &About<'_>,
    schema: &str,
    add: &mut dyn FnMut(String, String) -> bool,
) {
    let (value, at) = (about.value, about.at);
    let message = match kind {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            for (position, name) in unexpected.iter().enumerate() {
                if !add(child(at, name), unknown_member(name, value, about.known_at(position))) {
                    return;
                }
            }
            return;
        }
        // An object without other members than those that it names reports its first one.
        ValidationErrorKind::FalseSchema
            if is_of_others(schema) && matches!(value.seen(), Seen::Object(_)) =>
        {
            let names = match value.seen() {
                Seen::Object(members) => Some(members.iter().map(|(name, _)| name)),
                Seen::Null | Seen::Bool(_) | Seen::Number(_) | Seen::Text(_) | Seen::Array(_) => None,
            };
            for (position, name) in names.into_iter().flatten().enumerate() {
                if !add(child(at, name), unknown_member(name, value, about.known_at(position))) {
                    return;
                }
            }
            return;
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            // The validator takes one for missing that is required and not named, where others are not allowed.
            if value.child(name).is_some() {
                return;
            }
            add(child(at, name), missing_member(name, schema, about));
            return;
        }
        ValidationErrorKind::FalseSchema => "Must not be present.".to_owned(),
        ValidationErrorKind::UniqueItems => not_unique(value),
        ValidationErrorKind::Enum { options } => no_choice(options, value, about.has_hint),
        ValidationErrorKind::Contains => not_contained(schema),
        ValidationErrorKind::Not { schema } => ruled_out(schema, value),
        ValidationErrorKind::Format { format } => no_format(format, value),
        kind => bounds(kind, value),
    };
    add(at.to_owned(), message);
}

/// Whether a path in a schema is that of `additionalProperties`, the keyword.
fn is_of_others(schema: &str) -> bool {
    schema.strip_suffix("/additionalProperties").is_some_and(|rest| !rest.ends_with("/properties"))
}

/// Of a number that is not a multiple of another one.
pub(super) fn no_multiple(of: &str, value: Part<'_>) -> String {
    format!("Must be a multiple of {of}, but is {}.", shown(value))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the validator's own kinds; the last arm is a sentence, too"
)]
fn bounds(kind: &ValidationErrorKind, value: Part<'_>) -> String {
    let has = size(value);
    let is = shown(value);
    match kind {
        ValidationErrorKind::Type { kind: TypeKind::Single(one) } => wrong_type(std::iter::once(*one), value),
        ValidationErrorKind::Type { kind: TypeKind::Multiple(several) } => {
            wrong_type(types_of(*several).into_iter(), value)
        }
        ValidationErrorKind::Constant { expected_value } => {
            format!("Must be {}, but is {is}.", wanted(expected_value))
        }
        ValidationErrorKind::Minimum { limit } => format!("Must be at least {limit}, but is {is}."),
        ValidationErrorKind::Maximum { limit } => format!("Must be at most {limit}, but is {is}."),
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("Must be greater than {limit}, but is {is}.")
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            format!("Must be less than {limit}, but is {is}.")
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("Must have at least {}, but has {has}.", counted(*limit, "character", "characters"))
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("Must have at most {}, but has {has}.", counted(*limit, "character", "characters"))
        }
        ValidationErrorKind::MinItems { limit } => {
            format!("Must have at least {}, but has {has}.", counted(*limit, "item", "items"))
        }
        ValidationErrorKind::MaxItems { limit } => {
            format!("Must have at most {}, but has {has}.", counted(*limit, "item", "items"))
        }
        ValidationErrorKind::AdditionalItems { limit } => {
            format!("Must have at most {}, but has {has}.", counted(*limit as u64, "item", "items"))
        }
        ValidationErrorKind::UnevaluatedItems { unexpected } => {
            let more = counted(unexpected.len() as u64, "item", "items");
            format!("Has {more} not allowed by the schema.")
        }
        ValidationErrorKind::MinProperties { limit } => {
            format!("Must have at least {}, but has {has}.", counted(*limit, "member", "members"))
        }
        ValidationErrorKind::MaxProperties { limit } => {
            format!("Must have at most {}, but has {has}.", counted(*limit, "member", "members"))
        }
        ValidationErrorKind::Pattern { pattern } => {
            // A pattern that must match the whole value is easier to read without its anchors.
            let whole = pattern.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$"));
            let shown: String = whole.unwrap_or(pattern).chars().take(100).collect();
            format!("Must match the pattern {shown}, but is {is}.")
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            "Must match exactly one of the alternatives, but matches several.".to_owned()
        }
        _ => "Does not match the schema.".to_owned(),
    }
}

fn unknown_member(name: &str, value: Part<'_>, known: Option<&[String]>) -> String {
    let known = known.into_iter().flatten().map(String::as_str);
    match nearest_where(name, known, |known| value.child(known).is_none()) {
        Some(near) => format!("{UNKNOWN_PROPERTY} Did you mean {}?", quoted(near)),
        None => UNKNOWN_PROPERTY.to_owned(),
    }
}

fn missing_member(name: &str, schema: &str, about: &About<'_>) -> String {
    let last: Vec<&str> = schema.rsplit('/').take(3).collect();
    let message = match last.as_slice() {
        ["required", name, "dependentSchemas"] => {
            format!("Required if {} is present, but missing.", quoted(&unescape(name)))
        }
        _ => MISSING.to_owned(),
    };
    let is_unknown = |sent: &str| !about.known.is_some_and(|known| known.iter().any(|known| known == sent));
    let sent = match about.value.seen() {
        Seen::Object(members) if about.has_hint => Some(members),
        Seen::Null | Seen::Bool(_) | Seen::Number(_) | Seen::Text(_) | Seen::Array(_) | Seen::Object(_) => {
            None
        }
    };
    let sent = sent.into_iter().flat_map(instance::Members::iter).map(|(name, _)| name).take(MAX_SENT);
    match nearest_where(name, sent, is_unknown) {
        Some(near) => format!("{message} Is {} a typo?", quoted(near)),
        None => message,
    }
}

fn not_unique(value: Part<'_>) -> String {
    // Comparing all with all is for a list that a person reads; in a longer one the sentence is enough.
    let items = match value.seen() {
        Seen::Array(items) if items.len() <= 200 => items.iter().collect(),
        Seen::Null | Seen::Bool(_) | Seen::Number(_) | Seen::Text(_) | Seen::Array(_) | Seen::Object(_) => {
            Vec::new()
        }
    };
    for (second, item) in items.iter().enumerate() {
        if let Some(first) = items.iter().take(second).position(|other| other.is_same(*item)) {
            let both = match item.seen() {
                Seen::Array(_) | Seen::Object(_) => "the same".to_owned(),
                Seen::Null | Seen::Bool(_) | Seen::Number(_) | Seen::Text(_) => {
                    format!("both {}", shown(*item))
                }
            };
            return format!("Items must be unique, but items {first} and {second} are {both}.");
        }
    }
    "Items must be unique, but some are the same.".to_owned()
}

fn not_contained(schema: &str) -> String {
    let sentence = match schema.rsplit('/').next() {
        Some("minContains") => "Too few items match the schema of `contains`.",
        Some("maxContains") => "Too many items match the schema of `contains`.",
        Some(_) | None => "At least one item must match the schema of `contains`, but none does.",
    };
    sentence.to_owned()
}

fn no_choice(options: &Value, value: Part<'_>, has_hint: bool) -> String {
    let empty = Vec::new();
    let options = options.as_array().unwrap_or(&empty);
    if let [only] = options.as_slice() {
        return format!("Must be {}, but is {}.", wanted(only), shown(value));
    }
    let names: Vec<String> =
        options.iter().map(|option| option.as_str().map_or_else(|| wanted(option), str::to_owned)).collect();
    none_of(names.iter().map(String::as_str), value, has_hint)
}

fn ruled_out(schema: &Value, value: Part<'_>) -> String {
    let keyword =
        |name: &str| schema.get(name).filter(|_| schema.as_object().is_some_and(|map| map.len() == 1));
    if let Some(required) = keyword("required").and_then(Value::as_array) {
        let names: Vec<&str> = required.iter().filter_map(Value::as_str).collect();
        return match names.as_slice() {
            [only] => format!("Property {} must not be present.", quoted(only)),
            several => format!("Properties {} must not be present together.", several.join(", ")),
        };
    }
    if keyword("enum").is_some() || keyword("const").is_some() {
        return format!("Must not be {}.", shown(value));
    }
    if let Some(kind) = keyword("type").and_then(Value::as_str)
        && let Ok(kind) = kind.parse()
    {
        return if matches!(value.seen(), Seen::Null) {
            "Must not be null.".to_owned()
        } else {
            format!("Must not be {}, but is {}.", noun(kind), shown(value))
        };
    }
    if let Some(pattern) = keyword("pattern").and_then(Value::as_str) {
        return format!("Must not match the pattern {pattern}, but is {}.", shown(value));
    }
    format!("Must not match the schema of `not`, but is {}.", shown(value))
}

fn no_format(format: &str, value: Part<'_>) -> String {
    match formats::described(format) {
        Some((noun, example)) => format!("Must be {noun}, such as {example}, but is {}.", shown(value)),
        None => format!("Must have the format {format}, but is {}.", shown(value)),
    }
}

/// The types of a set, in the order of the validator.
pub(super) fn types_of(set: JsonTypeSet) -> Vec<JsonType> {
    set.iter().collect()
}
