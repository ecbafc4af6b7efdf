//! The bytes of a file become a value and its lines, whether they are JSON or YAML.

use super::{
    json, lines,
    problem::{Parsed, Problem},
    yaml,
};

/// Parses a file that may have so many values. Its file extension only decides whose error is reported.
///
/// # Errors
/// Everything that makes it no file of values; of syntax, the first fault.
pub(super) fn parse(location: &str, bytes: &[u8], room: usize) -> Result<Parsed, Vec<Problem>> {
    values(location, bytes, room).map_err(|mut problems| {
        problems.sort_by_key(|problem| problem.line);
        problems
    })
}

fn values(location: &str, bytes: &[u8], room: usize) -> Result<Parsed, Vec<Problem>> {
    let text = text(bytes).map_err(|problem| vec![problem])?;
    let begin = text.bytes().find(|byte| !byte.is_ascii_whitespace());
    match begin {
        None => Err(vec![Problem::at(None, "The file is empty.")]),
        Some(b'<') => Err(vec![
            Problem::at(None, "This is neither JSON nor YAML, but looks like HTML or XML.")
                .with_help("If it was downloaded, the server may have sent a page instead of the document."),
        ]),
        Some(b'{' | b'[') => match json(text, room) {
            // Flow style of YAML begins like JSON.
            Err(faults) if !named(location, &["json"]) => yaml::parse(text, room)
                .map_err(|others| if named(location, &["yaml", "yml"]) { others } else { faults }),
            other => other,
        },
        Some(_) => yaml::parse(text, room),
    }
}

fn json(text: &str, room: usize) -> Result<Parsed, Vec<Problem>> {
    let (root, duplicates) = json::parse(text, room).map_err(|problem| vec![problem])?;
    let lines = lines::of_json(text);
    if duplicates.is_empty() {
        return Ok(Parsed { root, lines });
    }
    let problems = duplicates.into_iter().map(|found| {
        let line = lines.find_ordinals(&found.ordinals);
        Problem::duplicate(line, found.pointer)
    });
    Err(problems.collect())
}

fn named(location: &str, endings: &[&str]) -> bool {
    location
        .rsplit_once('.')
        .is_some_and(|(_, ending)| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// The text of a file, without the mark at its begin that some editors write.
fn text(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]) {
        return Err(Problem::at(None, "The file is UTF-16, but must be UTF-8."));
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        Problem::at(Some(line), "The file must be UTF-8, but this byte is not.")
    })
}
