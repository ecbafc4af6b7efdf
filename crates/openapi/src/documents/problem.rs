//! What comes of the bytes of a file: values and their lines, or what is wrong with them.

use super::{DEPTH, VALUES, lines::Lines, pointer::unescape};
use crate::text::quoted;
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
        let name = pointer.rsplit('/').next().map(unescape).unwrap_or_default().into_owned();
        Self {
            line,
            pointer,
            message: format!("The member {} stands here for the second time.", quoted(&name)),
            help: "Which of them holds would be a guess; leave one.".to_owned(),
        }
    }

    pub(super) fn with_help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }
}
