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
