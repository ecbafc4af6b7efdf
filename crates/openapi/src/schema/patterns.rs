//! Patterns: which of them can be matched in linear time.

use instance::Options;
use jsonschema::PatternOptions;
use serde_json::json;
use std::collections::HashMap;

/// What becomes of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// It is enforced.
    Linear,
    /// It needs look-around or back-references, which take exponential time.
    Backtracking,
    /// It is no regular expression, or one that takes too much memory.
    Broken,
}

/// A pattern that is larger when compiled could fill the memory with a few of its like.
pub(crate) const LARGEST: usize = 2 << 20;

/// Judges each pattern once.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    judged: HashMap<String, Pattern>,
}

impl Patterns {
    /// What becomes of this pattern under the options that it will be compiled with.
    pub(crate) fn judge(&mut self, options: &Options, pattern: &str) -> Pattern {
        if let Some(&known) = self.judged.get(pattern) {
            return known;
        }
        let schema = json!({ "pattern": pattern });
        let judged = if instance::compile(options, &schema).is_ok() {
            Pattern::Linear
        } else {
            let backtracking =
                instance::options().with_pattern_options(PatternOptions::fancy_regex().size_limit(LARGEST));
            if instance::compile(&backtracking, &schema).is_ok() {
                Pattern::Backtracking
            } else {
                Pattern::Broken
            }
        };
        self.judged.insert(pattern.to_owned(), judged);
        judged
    }
}

/// The expression within a pattern that looks like a literal of another language, such as `/^[a-z]+$/i`. A slash before
/// the beginning of the text, or behind its end, matches nothing.
pub fn literal(pattern: &str) -> Option<&str> {
    let delimiter = pattern.chars().next().filter(|first| "/#~@!%".contains(*first))?;
    let (inner, flags) = pattern.strip_prefix(delimiter)?.rsplit_once(delimiter)?;
    let is_flags = flags.len() <= 8 && flags.bytes().all(|flag| b"dgimsuvxyADUX".contains(&flag));
    let is_anchored = inner.starts_with('^') || (inner.ends_with('$') && !inner.ends_with("\\$"));
    // Slashes are common in texts: without an anchor, only flags after an expression mark a literal.
    let is_flagged = delimiter == '/'
        && !flags.is_empty()
        && inner.contains(['[', '(', '\\', '*', '+'])
        && !inner.contains('/');
    (is_flags && !inner.is_empty() && (is_anchored || is_flagged)).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn literals_of_other_languages_are_recognized() {
        for (pattern, inner) in [
            ("/^[a-z]+$/i", "^[a-z]+$"),
            ("/^[a-z]+$/", "^[a-z]+$"),
            ("/^a/", "^a"),
            ("/a$/gi", "a$"),
            ("/[a-z]+/i", "[a-z]+"),
            ("#^[a-z]+$#iD", "^[a-z]+$"),
            (r"/^\/v1\//", r"^\/v1\/"),
        ] {
            assert_eq!(literal(pattern), Some(inner), "{pattern}");
        }
        for pattern in [
            "",
            "/",
            "//",
            "^/a/$",
            "/a/",
            "/api/v",
            "^[a-z]+$",
            "/a/^b/c",
            r"/[a-z]+/",
            r"/\$/",
            "/items/[0-9]+/g",
            "#[a-f]#",
        ] {
            assert_eq!(literal(pattern), None, "{pattern}");
        }
    }
}
