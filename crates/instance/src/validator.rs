//! Validators for instances.

use crate::{
    part::{Instance, Part},
    work,
};
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

    /// What is wrong with a part: at most so many errors and a few more, and whether there may be others.
    ///
    /// What an error holds of the part is only the text of a name.
    #[must_use]
    pub fn errors<'p>(&'p self, part: Part<'p>, most: u32) -> (Vec<ValidationError<'p>>, bool) {
        work::gathering(most, || self.0.iter_errors(part).collect())
    }
}
