//! Regular expressions that the whole of a value must match.

use crate::config::{
    raw::{Refusal, Section},
    registry::Key,
};
use regex::Regex;

/// Reads a pattern and anchors it to the whole of the value.
pub(super) fn whole(section: &Section<'_>, key: &Key) -> Option<Regex> {
    let text = section.text(key)?;
    match anchored(&text.value) {
        Ok(regex) => Some(regex),
        Err(refusal) => {
            section.reader.fault(refusal.into_fault(text.span));
            None
        }
    }
}

/// The pattern is compiled alone first: `a)|(?:b` is no pattern, though it becomes one in a group.
fn anchored(text: &str) -> Result<Regex, Refusal> {
    Regex::new(text).map_err(|error| refuse(&error))?;
    Regex::new(&format!("^(?:{text})$")).map_err(|error| refuse(&error))
}

fn refuse(error: &regex::Error) -> Refusal {
    let (label, help) = match error {
        regex::Error::CompiledTooBig(_) => {
            ("too large when compiled".to_owned(), "make the counts in braces smaller".to_owned())
        }
        other => {
            // The crate draws a picture of many lines; its last line is the reason.
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let help = if reason.contains("look-around") || reason.contains("backreference") {
                "these have no place here: a pattern is matched in linear time".to_owned()
            } else {
                "in TOML, a pattern with backslashes is easiest in single quotes: '\\d{4}'".to_owned()
            };
            (reason, help)
        }
    };
    Refusal::new("this pattern is no regular expression", label, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_value_must_match() {
        let regex = anchored("a|b").unwrap();
        assert!(regex.is_match("a") && regex.is_match("b"));
        assert!(!regex.is_match("ab") && !regex.is_match("a\n"));
        assert!(!anchored("(?m)a").unwrap().is_match("b\na"));
    }

    #[test]
    fn what_becomes_a_pattern_only_in_a_group_is_refused() {
        assert!(anchored("a)|(?:b").is_err());
    }
}
