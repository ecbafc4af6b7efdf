//! Faults of the TOML itself, and which other faults can be believed beside them.

use super::fault::{Fault, MAX_KEPT};
use std::ops::Range;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Error},
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
    let begin = source.len() - source.trim_start().len();
    if source.get(begin..).is_some_and(|rest| rest.starts_with('{')) {
        let fault = Fault::at(begin..begin + 1, "invalid TOML")
            .label("looks like JSON")
            .help("write TOML, as in `examples/minimal.toml`");
        return (document, Syntax { faults: vec![fault], lost_at: Some(0) });
    }
    let mut last: Option<Range<usize>> = None;
    let mut table_twice: Option<usize> = None;
    for error in errors {
        let span = error.span().unwrap_or(source.len()..source.len());
        let is_echo = if error.message() == "duplicate key" {
            // The keys of a table that is defined twice are duplicates as well; the first fault is enough.
            table_twice.is_some_and(|at| !between(source, at, span.start).contains("\n["))
        } else {
            syntax.lost_at = Some(syntax.lost_at.map_or(span.start, |lost| lost.min(span.start)));
            // What follows on the same line comes of its first fault.
            last.is_some_and(|last| {
                last.start <= span.start && !between(source, last.start, span.start).contains('\n')
            })
        };
        if !is_echo && syntax.faults.len() < MAX_KEPT {
            if error.message() == "duplicate key" {
                if is_header(source, &span) {
                    table_twice = Some(span.end);
                }
                syntax.faults.push(duplicate(source, span.clone(), document.get_ref()));
            } else {
                syntax.faults.push(explain(&error, span.clone(), source));
            }
        }
        last = Some(span);
    }
    (document, syntax)
}

impl Syntax {
    /// All faults of the file. After a fault of the TOML only those are kept that come before it
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

fn between(source: &str, start: usize, end: usize) -> &str {
    source.get(source.floor_char_boundary(start)..source.floor_char_boundary(end)).unwrap_or_default()
}

/// The line of this place, and where it begins.
fn line_at<'a>(source: &'a str, span: &Range<usize>) -> (&'a str, usize) {
    let before = between(source, 0, span.start);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    (line, start)
}

/// Whether this place is in the header of a table.
fn is_header(source: &str, span: &Range<usize>) -> bool {
    line_at(source, span).0.trim_start().starts_with('[')
}

fn duplicate(source: &str, span: Range<usize>, document: &DeTable<'_>) -> Fault {
    let (line, start) = line_at(source, &span);
    if is_header(source, &span) {
        let header = line.split('#').next().unwrap_or_default().trim();
        let fault = Fault::at(span, format!("the table `{header}` is defined twice"))
            .label("the second time")
            .help("merge them");
        // The parser keeps only the place of the second one, so the first is looked for in the text.
        let before = between(source, 0, start);
        let first = if before.starts_with(header) {
            Some(0)
        } else {
            before.find(&format!("\n{header}")).map(|at| at + 1)
        };
        return match first {
            Some(first) => fault.also(first..first + header.len(), "the first time"),
            None => fault,
        };
    }
    let key = source.get(span.clone()).unwrap_or_default();
    let mut places = Vec::new();
    find_key(document, key, span.start, &mut places);
    let fault =
        Fault::at(span, format!("`{key}` is set twice")).label("the second time").help("keep one of them");
    // The parser does not report the first place. A name that occurs once before it must be the one.
    match places.as_slice() {
        [first] => fault.also(first.clone(), "the first time"),
        _ => fault,
    }
}

/// The places of all keys of this name before `end`.
fn find_key(table: &DeTable<'_>, name: &str, end: usize, places: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        if key.get_ref() == name && key.span().start < end {
            places.push(key.span());
        }
        match value.get_ref() {
            DeValue::Table(inner) => find_key(inner, name, end, places),
            DeValue::Array(items) => {
                for inner in items.iter().filter_map(|item| item.get_ref().as_table()) {
                    find_key(inner, name, end, places);
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }
}

fn explain(error: &Error, span: Range<usize>, source: &str) -> Fault {
    let (what, expected) = match error.message().split_once(", expected ") {
        Some((what, expected)) => (what, Some(expected)),
        None => (error.message(), None),
    };
    if let Some(value) = bare_value(source, &span) {
        return without_quotes(source, value);
    }
    if what == "string values must be quoted" {
        return without_quotes(source, span);
    }
    let label = expected.map_or_else(|| what.to_owned(), |expected| format!("expected {expected}"));
    let fault = Fault::at(span, format!("invalid TOML: {what}")).label(label);
    match hint(what, expected.unwrap_or_default()) {
        Some(hint) => fault.help(hint),
        None => fault,
    }
}

/// The whole value after `=` on this line, if the fault is in it and it begins like a bare word or number.
fn bare_value(source: &str, span: &Range<usize>) -> Option<Range<usize>> {
    let (text, line) = line_at(source, span);
    let (key, value) = text.split_once('=')?;
    let is_key = key.trim().chars().all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c));
    let start = line + key.len() + 1 + (value.len() - value.trim_start().len());
    let value = value.split(" #").next()?.trim();
    let is_bare = value
        .starts_with(|c: char| c.is_alphanumeric() || "/.+-:*".contains(c) || TYPOGRAPHIC.contains(&c))
        && !value.contains(['"', '\'']);
    (is_key && is_bare && span.start >= start).then(|| start..start + value.len())
}

/// Quotation marks that a word processor writes in place of `"`.
const TYPOGRAPHIC: [char; 7] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}'];

fn without_quotes(source: &str, value: Range<usize>) -> Fault {
    let text = source.get(value.clone()).unwrap_or_default();
    let text = text.trim_matches(TYPOGRAPHIC);
    let lower = text.to_ascii_lowercase();
    let fault = Fault::at(value, "invalid TOML: a value without quotes");
    match lower.as_str() {
        "true" | "false" => fault.label("not a TOML value").help(format!("write it in lower case: {lower}")),
        "yes" | "on" => fault.label("not a TOML value").help("write true"),
        "no" => fault.label("not a TOML value").help("write false"),
        _ => fault.label("text needs quotes").help(format!("write \"{text}\"")),
    }
}

fn hint(what: &str, expected: &str) -> Option<&'static str> {
    let hint = match what {
        "key with no value" if expected == "`=`" => {
            "write `=` between a key and its value, or brackets around the name of a table"
        }
        "missing assignment between key-value pairs" => "write `=` between a key and its value",
        "key with no value" | "missing value for key" | "missing value" => {
            "write a value after it: key = \"value\""
        }
        "unclosed table" => "close the bracket: [table]",
        "unclosed array table" => "close both brackets: [[table]]",
        "unclosed array" => "close the list with `]`",
        "unclosed inline table" => "close the table with `}`",
        "missing comma between array elements" => "write a comma between the items of a list",
        "missing comma between key-value pairs" => "write a comma between the keys of a table in braces",
        "unexpected leading zero" => "remove the leading zero",
        "invalid key-value pair" => "a line is either key = \"value\" or the [header] of a table",
        "invalid unquoted key" => "a key without quotes has only letters, digits, `_` and `-`",
        "unexpected key or value" | "unexpected content" => "start a new line before it",
        "invalid basic string" if expected == "`\"`" => {
            "close the string with a quotation mark before the end of the line"
        }
        "invalid literal string" => "close the string with a single quote before the end of the line",
        what if what.contains("escape") => "write two backslashes, or put the text in single quotes: '\\d'",
        _ => return None,
    };
    Some(hint)
}
