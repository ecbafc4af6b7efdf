//! Patterns: which of them can be matched in linear time.

use instance::Options;
use jsonschema::PatternOptions;
use serde_json::json;
use std::collections::HashMap;

/// How a pattern is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// It is enforced.
    Linear,
    /// It needs look-around or back-references, which take exponential time.
    Backtracking,
    /// It is not a regular expression, or takes too much memory.
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
    /// How this pattern is handled under the options that it will be compiled with.
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

/// Why hardly any value matches a pattern, as it is matched, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doubt<'p> {
    /// It is written with its delimiters; the expression within.
    Literal(&'p str),
    /// Its backslashes are doubled; what it would be without.
    Doubled(String),
    /// It has a class such as `[:alpha:]`.
    Posix,
}

/// What is doubtful about a pattern.
pub(crate) fn doubt(pattern: &str) -> Option<Doubt<'_>> {
    if let Some(inner) = literal(pattern).or_else(|| quoted(pattern)).or_else(|| half(pattern)) {
        return Some(Doubt::Literal(inner));
    }
    if has_posix_class(pattern) {
        return Some(Doubt::Posix);
    }
    is_doubled(pattern).then(|| Doubt::Doubled(pattern.replace("\\\\", "\\")))
}

/// The text between quotes, if it is about a text as a whole.
fn quoted(pattern: &str) -> Option<&str> {
    let quote = pattern.chars().next().filter(|first| "\"'`".contains(*first))?;
    let inner = pattern.strip_prefix(quote)?.strip_suffix(quote)?;
    (inner.starts_with('^') && inner.ends_with('$')).then_some(inner)
}

/// The text before `/i`, where only the end of a literal is left.
fn half(pattern: &str) -> Option<&str> {
    let (inner, flags) = pattern.rsplit_once('/')?;
    let is_flags = flags.len() <= 8 && flags.bytes().all(|flag| b"dgimsuvxy".contains(&flag));
    (is_flags && inner.ends_with('$') && !inner.ends_with("\\$")).then_some(inner)
}

fn has_posix_class(pattern: &str) -> bool {
    const NAMES: [&str; 12] = [
        "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
        "xdigit",
    ];
    pattern.match_indices("[:").any(|(at, _)| {
        let rest = pattern.get(at + 2..).unwrap_or_default();
        let rest = rest.strip_prefix('^').unwrap_or(rest);
        NAMES.iter().any(|name| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(":]")))
    })
}

/// Whether a backslash is escaped where a class of characters was meant: `\\\\d+`.
fn is_doubled(pattern: &str) -> bool {
    pattern.match_indices("\\\\").any(|(at, _)| {
        let mut behind = pattern.get(at + 2..).unwrap_or_default().chars();
        behind.next().is_some_and(|class| "dDwWsS".contains(class))
            && behind.next().is_none_or(|next| "+*?{$])".contains(next))
            && !pattern.get(..at).unwrap_or_default().ends_with('\\')
    })
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
    use super::{Doubt, doubt, literal};

    #[test]
    fn what_hardly_matches_is_doubtful() {
        let literal = |inner| Some(Doubt::Literal(inner));
        let doubled = |inner: &str| Some(Doubt::Doubled(inner.to_owned()));
        for (pattern, expected) in [
            ("/^a$/i", literal("^a$")),
            ("\"^a$\"", literal("^a$")),
            ("'^a$'", literal("^a$")),
            ("^a$/i", literal("^a$")),
            ("^a$/", literal("^a$")),
            ("^[[:alpha:]]+$", Some(Doubt::Posix)),
            ("[^[:^digit:]]", Some(Doubt::Posix)),
            (r"^\\d+$", doubled(r"^\d+$")),
            (r"^[\\w]+\\s$", doubled(r"^[\w]+\s$")),
        ] {
            assert_eq!(doubt(pattern), expected, "{pattern}");
        }
        for pattern in [
            r"^\d+$",
            r"^C:\\data$",
            r"^\\\d$",
            r"a\$/i",
            "^a/b$",
            "^\"a\"$",
            "'a'",
            "[:a]",
            "^[a-z:]+$",
            "a/b",
        ] {
            assert_eq!(doubt(pattern), None, "{pattern}");
        }
    }

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
