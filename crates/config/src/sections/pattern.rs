//! Regular expressions that the whole of a value must match.

use crate::{
    raw::{Refusal, Section},
    registry::Key,
};
use regex::Regex;

/// Reads a pattern and anchors it to the whole of the value.
pub(super) fn whole(section: &Section<'_>, key: &Key) -> Option<Regex> {
    let text = section.text(key)?;
    match anchored(&text.value) {
        Ok(regex) => {
            if let Some(inner) = openapi::literal(&text.value) {
                section.reader.warn(format!(
                    "line {}: the pattern `{}` looks like a JavaScript literal: its delimiters and flags are matched as text, \
                     so hardly any value matches; write `{inner}`",
                    section.reader.line(&text.span),
                    text.value
                ));
            }
            Some(regex)
        }
        Err(refusal) => {
            section.reader.fault(refusal.into_fault(text.span));
            None
        }
    }
}

/// The pattern is compiled alone first: `a)|(?:b` is not a pattern, though it becomes one in a group.
fn anchored(text: &str) -> Result<Regex, Refusal> {
    Regex::new(text).map_err(|error| refuse(&error))?;
    Regex::new(&format!("^(?:{text})$")).map_err(|error| refuse(&error))
}

fn refuse(error: &regex::Error) -> Refusal {
    let title = "invalid regular expression";
    if let regex::Error::CompiledTooBig(_) = error {
        return Refusal::new(title, "too large when compiled", "reduce the counts in braces");
    }
    // The crate draws a picture of many lines; its last line is the reason.
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let help = if reason.contains("look-around") || reason.contains("backreference") {
        "rewrite it without: a pattern is matched in time linear in the length of the value"
    } else {
        "the syntax is that of Rust's regex crate; in TOML, single quotes avoid doubled backslashes: '\\d{4}'"
    };
    Refusal::new(title, reason, help)
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
