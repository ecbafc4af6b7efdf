//! The keywords that rewritten schemas have beside those of JSON Schema.

use crate::schema::{
    formats::{
        ANY_BASE64, ANY_DURATION, LOCAL_DATE_TIME, LOCAL_TIME, is_any_base64, is_any_duration, is_base64,
        is_base64url, is_local_date_time, is_local_time, is_whole,
    },
    patterns::LARGEST,
    unit::UnitId,
    walk,
};
use instance::{Divisor, Instance, Options, Part, Seen};
use jsonschema::{Draft, Keyword, PatternCache, PatternOptions, ValidationError};

/// A reference to a unit, by its number.
pub(crate) const UNIT: &str = "fairgate:unit";
/// Alternatives, by the number of their choice.
pub(crate) const CHOICE: &str = "fairgate:choice";
/// What a number must be a multiple of. The validator's own keyword takes a time that grows with the exponent.
pub(crate) const MULTIPLE_OF: &str = "fairgate:multipleOf";
/// A member that requests may not send.
pub(crate) const READ_ONLY: &str = "fairgate:readOnly";

struct Unit(UnitId);
struct Alternatives(usize);
struct ReadOnly;
struct MultipleOf {
    divisor: Divisor,
    shown: String,
}

// What a keyword reports is only its own number: the sentences are made later by asking the unit itself,
// for the one branch that counts.

impl<'i> Keyword<'i, Instance> for Unit {
    fn validate(&self, value: Part<'i>) -> Result<(), ValidationError<'i>> {
        if walk::is_valid(self.0, value) {
            Ok(())
        } else {
            Err(ValidationError::custom(self.0.0.to_string()))
        }
    }

    fn is_valid(&self, value: Part<'i>) -> bool {
        walk::is_valid(self.0, value)
    }
}

impl<'i> Keyword<'i, Instance> for Alternatives {
    fn validate(&self, value: Part<'i>) -> Result<(), ValidationError<'i>> {
        if walk::choice_is_valid(self.0, value) {
            Ok(())
        } else {
            Err(ValidationError::custom(self.0.to_string()))
        }
    }

    fn is_valid(&self, value: Part<'i>) -> bool {
        walk::choice_is_valid(self.0, value)
    }
}

impl<'i> Keyword<'i, Instance> for ReadOnly {
    fn validate(&self, _value: Part<'i>) -> Result<(), ValidationError<'i>> {
        Err(ValidationError::custom(""))
    }

    fn is_valid(&self, _value: Part<'i>) -> bool {
        false
    }
}

impl<'i> Keyword<'i, Instance> for MultipleOf {
    fn validate(&self, value: Part<'i>) -> Result<(), ValidationError<'i>> {
        if Keyword::<Instance>::is_valid(self, value) {
            Ok(())
        } else {
            Err(ValidationError::custom(self.shown.clone()))
        }
    }

    fn is_valid(&self, value: Part<'i>) -> bool {
        match value.seen() {
            Seen::Number(number) => self.divisor.divides(number),
            Seen::Null | Seen::Bool(_) | Seen::Text(_) | Seen::Array(_) | Seen::Object(_) => true,
        }
    }
}

/// How every rewritten schema is compiled. It cannot reach the network or the disk: the crate's features
/// for them are off, and no reference that it sees leaves its schema.
pub(crate) fn options() -> Options {
    let mut options = instance::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex().size_limit(LARGEST))
        .with_pattern_cache(PatternCache::new())
        .with_format("byte", is_base64)
        .with_format("base64url", is_base64url)
        .with_format(LOCAL_DATE_TIME, is_local_date_time)
        .with_format(LOCAL_TIME, is_local_time)
        .with_format(ANY_DURATION, is_any_duration)
        .with_format(ANY_BASE64, is_any_base64)
        .with_keyword(UNIT, |_, value, _| {
            let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
            let id = id.ok_or_else(|| ValidationError::schema("not the number of a unit"))?;
            Ok(Box::new(Unit(UnitId(id))))
        })
        .with_keyword(CHOICE, |_, value, _| {
            let index = value.as_u64().and_then(|index| usize::try_from(index).ok());
            let index = index.ok_or_else(|| ValidationError::schema("not the number of a choice"))?;
            Ok(Box::new(Alternatives(index)))
        })
        .with_keyword(MULTIPLE_OF, |_, value, _| {
            let divisor = value.as_number().and_then(Divisor::of);
            let divisor = divisor.ok_or_else(|| ValidationError::schema("not a number greater than 0"))?;
            Ok(Box::new(MultipleOf { divisor, shown: value.to_string() }))
        })
        .with_keyword(READ_ONLY, |_, _, _| Ok(Box::new(ReadOnly)));
    for name in ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"] {
        if let crate::schema::formats::Format::Bounded(crate::schema::formats::Bounds::Whole(least, most)) =
            crate::schema::formats::meaning(name)
        {
            options = options.with_format(name, move |text: &str| is_whole(text, least, most));
        }
    }
    options
}
