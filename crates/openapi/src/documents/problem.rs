//! The result of parsing the bytes of a file: values and their lines, or their faults.

use super::{DEPTH, VALUES, lines::Lines};
use crate::text::quoted;
use contract::pointer::last_name;
use serde_json::Value;

/// A file that could be parsed.
pub(super) struct Parsed {
    pub(super) root: Value,
    pub(super) lines: Lines,
}

/// What is wrong with a file.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) line: Option<usize>,
    pub(super) pointer: String,
    pub(super) message: String,
    pub(super) help: String,
}

impl Problem {
    pub(super) fn at(line: Option<usize>, message: impl Into<String>) -> Self {
        Self { line, pointer: String::new(), message: message.into(), help: String::new() }
    }

    pub(super) fn too_deep(line: Option<usize>) -> Self {
        Self::at(line, format!("This is nested more than {DEPTH} levels deep."))
    }

    pub(super) fn too_many(line: Option<usize>) -> Self {
        Self::at(line, format!("The document has more than {VALUES} values."))
    }

    pub(super) fn duplicate(line: Option<usize>, pointer: String) -> Self {
        let name = last_name(&pointer).into_owned();
        Self {
            line,
            pointer,
            message: format!("Duplicate field {}.", quoted(&name)),
            help: "Keep only one of them.".to_owned(),
        }
    }

    pub(super) fn with_help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }
}
