//! From documents to the API that they describe, whatever their version.

use crate::{
    api::Api,
    documents::Documents,
    fault::{Faults, Warning},
};

/// Reads the API out of its documents. What is said and cannot be enforced is a warning.
///
/// # Errors
/// Every fault of the document's structure.
pub fn read(_documents: &mut Documents) -> Result<(Api, Vec<Warning>), Faults> {
    Err(Faults(Vec::new()))
}
