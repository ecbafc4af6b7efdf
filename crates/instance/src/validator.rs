//! Validators for instances.

use crate::{
    part::{Instance, Part},
    work,
};
use jsonschema::{Retrieve, ValidationError, ValidationOptions};
use serde_json::Value;
use std::sync::Arc;

/// The options of a compiler.
pub type Options = ValidationOptions<'static, Arc<dyn Retrieve>, Instance>;

/// A compiled schema.
#[derive(Debug)]
pub struct Validator(jsonschema::Validator<Instance>);

/// Default options.
#[must_use]
pub fn options() -> Options {
    jsonschema::options_for::<Instance>()
}

/// Compiles a schema.
///
/// # Errors
/// Why it is not a valid schema, or not allowed by these options.
pub fn compile<'s>(options: &Options, schema: &'s Value) -> Result<Validator, ValidationError<'s>> {
    options.build(schema).map(Validator)
}

impl Validator {
    /// Whether a part is valid.
    #[must_use]
    pub fn is_valid(&self, part: Part<'_>) -> bool {
        self.0.is_valid(part)
    }

    /// The validation errors of a part: at most this many and a few more, and whether there may be others.
    ///
    /// Of the part, an error contains only the text of a name.
    #[must_use]
    pub fn errors<'p>(&'p self, part: Part<'p>, most: u32) -> (Vec<ValidationError<'p>>, bool) {
        work::gathering(most, || self.0.iter_errors(part).collect())
    }
}
