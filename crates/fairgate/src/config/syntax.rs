//! Faults of the TOML itself, and which other faults can be believed beside them.

use super::fault::Fault;
use toml::{
    Spanned,
    de::{DeTable, Error},
};

/// What the TOML parser complained about.
#[derive(Debug)]
pub(super) struct Syntax {
    faults: Vec<Fault>,
    /// Where the parser lost its way: what it read from here on cannot be believed.
    lost_at: Option<usize>,
}

/// Reads as much of the file as can be read.
pub(super) fn read(source: &str) -> (Spanned<DeTable<'_>>, Syntax) {
    let (document, errors) = DeTable::parse_recoverable(source);
    let mut syntax = Syntax { faults: Vec::new(), lost_at: None };
    let mut last_line = None;
    for error in errors {
        let span = error.span().unwrap_or(source.len()..source.len());
        let is_duplicate = error.message() == "duplicate key";
        if !is_duplicate {
            syntax.lost_at = Some(syntax.lost_at.map_or(span.start, |lost| lost.min(span.start)));
        }
        let before = source.get(..source.floor_char_boundary(span.start)).unwrap_or_default();
        let line = before.rfind('\n');
        // What follows on the same line is only an echo of its first fault.
        if last_line != Some(line) {
            syntax.faults.push(explain(&error, span, source));
        }
        last_line = Some(line);
    }
    (document, syntax)
}

impl Syntax {
    /// All faults of the file. After a fault of the TOML only those are kept that stand before it
    /// and do not come of something that seems to be missing.
    pub(super) fn merge(self, found: Vec<Fault>) -> Vec<Fault> {
        let mut faults = self.faults;
        let believed = found.into_iter().filter(|fault| match self.lost_at {
            Some(lost) => fault.start() < lost && !fault.is_of_absence(),
            None => true,
        });
        faults.extend(believed);
        faults
    }
}

fn explain(error: &Error, span: std::ops::Range<usize>, source: &str) -> Fault {
    let (what, expected) = match error.message().split_once(", expected ") {
        Some((what, expected)) => (what, Some(expected)),
        None => (error.message(), None),
    };
    if what == "duplicate key" {
        let key = source.get(span.clone()).unwrap_or_default();
        return Fault::at(span.clone(), format!("`{key}` is set twice"))
            .label("set before in the same table")
            .help("keep one of them");
    }
    let label = expected.map_or_else(|| what.to_owned(), |expected| format!("expected {expected}"));
    let fault = Fault::at(span.clone(), format!("this is not TOML: {what}")).label(label);
    match hint(what, source.get(span).unwrap_or_default()) {
        Some(hint) => fault.help(hint),
        None => fault,
    }
}

fn hint(what: &str, words: &str) -> Option<String> {
    let hint = match what {
        "string values must be quoted" | "invalid value" => {
            return Some(format!("put quotes around it: \"{words}\""));
        }
        "key with no value" | "missing value for key" | "missing value" => {
            "write a value after it: key = \"value\""
        }
        "missing assignment between key-value pairs" => {
            "write `=` between a key and its value, or put brackets around the name of a table"
        }
        "unclosed table" => "close the bracket: [table]",
        "unclosed array table" => "close both brackets: [[table]]",
        "unclosed array" => "close the list with `]`",
        "unclosed inline table" => "close the table with `}`",
        "missing comma between array elements" => "write a comma between the items of a list",
        "missing comma between key-value pairs" => "write a comma between the keys of a table in braces",
        "unexpected leading zero" => "leave out the zero at the beginning",
        "invalid unquoted key" => "a key without quotes has only letters, digits, `_` and `-`",
        "unexpected key or value" | "unexpected content" => "begin a new line before it",
        _ => return None,
    };
    Some(hint.to_owned())
}
