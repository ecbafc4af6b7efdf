//! The registry of configuration keys: what a row says. The rows are in `rows`, the tables in `table`.
//!
//! From here come the check for unknown keys, the defaults, the JSON Schema and the reference page,
//! so that none of them can say something else than the others.

mod rows;
mod table;

pub(crate) use rows::*;
pub(crate) use table::{Form, Table};

/// One key: a row of the registry.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) table: Table,
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) absent: Absent,
    /// A value as it could stand in a file, in TOML.
    pub(super) example: &'static str,
    /// What it does, in whole sentences.
    pub(super) meaning: &'static str,
    /// Names that people try in its place, former ones among them, for suggestions.
    pub(super) also_called: &'static [&'static str],
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text,
    Words(&'static [&'static str]),
    Whole {
        least: i64,
        most: i64,
    },
    /// A whole number out of a short list.
    WholeOf(&'static [i64]),
    Number,
    Boolean,
    /// A string such as `"10s"`; bounds in milliseconds.
    Duration {
        least: u64,
        most: u64,
    },
    /// Bytes as an integer, or a string such as `"10MiB"`.
    Size {
        least: u64,
        most: u64,
    },
    Texts,
    /// A list of whole numbers.
    Numbers {
        least: i64,
        most: i64,
    },
    /// A list of extra statuses.
    Statuses,
    /// A list of strings, numbers or booleans.
    Scalars,
    /// A whole number from 1, or `"off"`.
    CountOrOff,
}

/// What holds when a key is not set.
#[derive(Debug, Clone, Copy)]
pub(super) enum Absent {
    /// It must be set.
    Required,
    /// This TOML value holds.
    Default(&'static str),
    /// There is no value, and that means this.
    Means(&'static str),
}

// === impl Table ===

impl Table {
    /// The keys that it may hold.
    pub(super) fn keys(self) -> impl Iterator<Item = &'static Key> {
        rows().filter(move |key| key.table == self || self.borrows() == Some(key.table))
    }

    /// The keys that are its own.
    #[cfg(test)]
    pub(super) fn own_keys(self) -> impl Iterator<Item = &'static Key> {
        rows().filter(move |key| key.table == self)
    }
}

// === impl Shape ===

impl Shape {
    /// The bounds of a duration in milliseconds or of a size in bytes.
    pub(super) const fn bounds(self) -> Option<(u64, u64)> {
        if let Self::Duration { least, most } | Self::Size { least, most } = self {
            Some((least, most))
        } else {
            None
        }
    }

    /// The bounds of a whole number.
    pub(super) const fn whole_bounds(self) -> Option<(i64, i64)> {
        if let Self::Whole { least, most } | Self::Numbers { least, most } = self {
            Some((least, most))
        } else {
            None
        }
    }

    /// The type in words, for messages and the reference page.
    pub(super) fn words(self) -> String {
        match self {
            Self::Text => "string".to_owned(),
            Self::Words(words) => quoted(words),
            Self::Whole { .. } => "whole number".to_owned(),
            Self::WholeOf(numbers) => numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" or "),
            Self::Number => "number".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Duration { .. } => "duration such as `\"10s\"`".to_owned(),
            Self::Size { .. } => "size such as `\"10MiB\"`".to_owned(),
            Self::Texts => "list of strings".to_owned(),
            Self::Statuses => "list of statuses".to_owned(),
            Self::Numbers { .. } => "list of whole numbers".to_owned(),
            Self::Scalars => "list of strings, numbers or booleans".to_owned(),
            Self::CountOrOff => "whole number or `\"off\"`".to_owned(),
        }
    }
}

/// `"a"`, `"b"` or `"c"`, as they are written in the file.
pub(super) fn quoted(words: &[&str]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push_str(if index + 1 == words.len() { " or " } else { ", " });
        }
        text.push_str(&format!("`\"{word}\"`"));
    }
    text
}
