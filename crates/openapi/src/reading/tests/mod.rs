//! APIs, from documents of every version.

mod access;
mod faults;
mod parameters;
mod paths;
mod swagger;

use crate::{
    api::Api,
    documents::{Documents, tests::read},
    fault::{Faults, Warning},
};

/// The API of a document, or all that is wrong with it; the file is called `a`.
fn api(text: &str) -> Result<(Documents, Api, Vec<Warning>), Faults> {
    let mut documents = read(&[("a", text)])?;
    let (api, warnings) = super::read(&mut documents)?;
    Ok((documents, api, warnings))
}

fn fine(text: &str) -> (Documents, Api, Vec<Warning>) {
    api(text).unwrap_or_else(|faults| panic!("{text}\n{faults}"))
}

/// Every fault or warning as a line of text.
fn findings(text: &str) -> Vec<String> {
    match api(text) {
        Ok((_, _, warnings)) => warnings.iter().map(ToString::to_string).collect(),
        Err(faults) => {
            faults.0.iter().map(|fault| format!("fault {}: {}", fault.spot, fault.message)).collect()
        }
    }
}

/// Methods and paths.
fn endpoints(api: &Api) -> Vec<String> {
    api.operations.iter().map(|operation| format!("{} {}", operation.method, operation.path)).collect()
}
