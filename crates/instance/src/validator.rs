//! Validators for instances.

use crate::part::{Instance, Part};
use jsonschema::{Retrieve, ValidationError, ValidationOptions};
use serde_json::Value;
use std::sync::Arc;

/// How schemas are compiled.
pub type Options = ValidationOptions<'static, Arc<dyn Retrieve>, Instance>;

/// A compiled schema.
#[derive(Debug)]
pub struct Validator(jsonschema::Validator<Instance>);

/// Options of which nothing is chosen yet.
#[must_use]
pub fn options() -> Options {
    jsonschema::options_for::<Instance>()
}

/// Compiles a schema.
///
/// # Errors
/// Why it is none, or none that these options take.
pub fn compile<'s>(options: &Options, schema: &'s Value) -> Result<Validator, ValidationError<'s>> {
    options.build(schema).map(Validator)
}

impl Validator {
    /// Whether a part is what the schema says.
    #[must_use]
    pub fn is_valid(&self, part: Part<'_>) -> bool {
        self.0.is_valid(part)
    }

    /// What is wrong with a value, one after the other.
    pub fn errors<'v>(&'v self, value: &'v Value) -> impl Iterator<Item = ValidationError<'v>> {
        self.0.iter_errors(Part::Made(value))
    }
}
