//! What is noted while documents are read: faults, and warnings with those that are equal counted.

use crate::{
    documents::{Documents, Place},
    fault::{Fault, Faults, Warning},
};
use std::collections::{HashMap, HashSet};

/// How many faults, and how many different warnings, are reported: nobody reads more, and a hostile document
/// could make as many as it has bytes.
const MOST: usize = 1000;

#[derive(Default)]
pub(super) struct Notes {
    faults: Vec<(Place, String, &'static str)>,
    reported: HashSet<(Place, String)>,
    warnings: Vec<Warned>,
    by_message: HashMap<String, usize>,
    untold: usize,
}

struct Warned {
    place: Place,
    message: String,
    more: usize,
}

impl Notes {
    /// Notes a fault, once for its place.
    pub(super) fn fault(&mut self, place: &Place, message: impl Into<String>, help: &'static str) {
        let message = message.into();
        if self.faults.len() < MOST && self.reported.insert((place.clone(), message.clone())) {
            self.faults.push((place.clone(), message, help));
        }
    }

    /// Notes a warning, or that an equal one holds here, too.
    pub(super) fn warn(&mut self, place: &Place, message: impl Into<String>) {
        let message = message.into();
        match self.by_message.get(&message) {
            Some(&index) => {
                if let Some(warned) = self.warnings.get_mut(index) {
                    warned.more += 1;
                }
            }
            None if self.warnings.len() < MOST => {
                self.by_message.insert(message.clone(), self.warnings.len());
                self.warnings.push(Warned { place: place.clone(), message, more: 0 });
            }
            None => self.untold += 1,
        }
    }

    /// The warnings, in the order of files and lines.
    ///
    /// # Errors
    /// The faults, in the same order, if there are any.
    pub(super) fn close(self, documents: &Documents) -> Result<Vec<Warning>, Faults> {
        if self.faults.is_empty() {
            return Ok(self.warnings(documents));
        }
        let mut faults: Vec<_> = self
            .faults
            .into_iter()
            .map(|(place, message, help)| {
                (place.file, Fault { spot: documents.spot(&place), message, help: help.to_owned() })
            })
            .collect();
        faults.sort_by(|one, other| {
            (one.0, one.1.spot.line, &one.1).cmp(&(other.0, other.1.spot.line, &other.1))
        });
        Err(Faults(faults.into_iter().map(|(_, fault)| fault).collect()))
    }

    fn warnings(self, documents: &Documents) -> Vec<Warning> {
        let mut warnings: Vec<_> = self
            .warnings
            .into_iter()
            .map(|Warned { place, message, more }| {
                (place.file, Warning { spot: documents.spot(&place), message, more })
            })
            .collect();
        warnings.sort_by(|one, other| {
            (one.0, one.1.spot.line, &one.1).cmp(&(other.0, other.1.spot.line, &other.1))
        });
        let mut warnings: Vec<_> = warnings.into_iter().map(|(_, warning)| warning).collect();
        if self.untold > 0 {
            let root = Place { file: documents.root(), pointer: String::new() };
            let message = "There are more warnings that are not shown.".to_owned();
            warnings.push(Warning { spot: documents.spot(&root), message, more: self.untold - 1 });
        }
        warnings
    }
}
