//! What compiling schemas reports: warnings, each merged with its like, and faults.

use crate::{
    documents::{Documents, Place},
    fault::{Fault, Warning},
};
use std::collections::HashMap;

/// Warnings and faults in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    warnings: Vec<Warning>,
    by_message: HashMap<String, usize>,
    faults: Vec<Fault>,
}

/// A hostile document must not fill the memory with faults, nor a person's screen.
const MAX_FAULTS: usize = 1_000;

impl Notes {
    /// Notes what is not enforced. The same sentence is kept once, with a count.
    pub(crate) fn warn(&mut self, documents: &Documents, place: &Place, message: String) {
        if let Some(warning) = self.by_message.get(&message).and_then(|&at| self.warnings.get_mut(at)) {
            warning.more += 1;
            return;
        }
        self.by_message.insert(message.clone(), self.warnings.len());
        self.warnings.push(Warning { spot: documents.spot(place), message, more: 0 });
    }

    /// Notes why the document cannot be used.
    pub(crate) fn fault(&mut self, documents: &Documents, place: &Place, message: String, help: &str) {
        let fault = Fault { spot: documents.spot(place), message, help: help.to_owned() };
        if self.faults.len() < MAX_FAULTS && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Warnings, or faults if there are any.
    pub(crate) fn into_parts(self) -> (Vec<Warning>, Vec<Fault>) {
        (self.warnings, self.faults)
    }
}
