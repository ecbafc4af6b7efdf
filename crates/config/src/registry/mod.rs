//! The registry of configuration keys: what a row contains, and how rows are written. A row is in the file of
//! `sections` that reads its key; the tables are in `table`.
//!
//! From the rows come the check for unknown keys, the defaults, the JSON Schema and the reference page, so that none of
//! them can differ from the others.

mod table;

pub(crate) use table::{Form, Table};

/// Durations, in milliseconds.
pub(crate) const HOUR: u64 = 3_600_000;
/// No phase of a request takes longer.
pub(crate) const DAY: u64 = 24 * HOUR;
pub(crate) const CENTURY: u64 = 36_525 * DAY;
/// Sizes, in bytes.
pub(crate) const KIB: u64 = 1_024;
pub(crate) const MIB: u64 = KIB * KIB;
pub(crate) const TIB: u64 = MIB * MIB;

/// Writes rows: `ID = Table "name", shape, absent, "example", also "names", "tried"; "What it does."`
macro_rules! rows {
    ($($id:ident = $table:ident $name:literal, $shape:expr, $absent:expr, $example:literal $(, also $($also:literal),+)?;
       $meaning:literal)*) => {
        $(pub(crate) const $id: $crate::registry::Key = $crate::registry::Key {
            table: $crate::registry::Table::$table,
            name: $name,
            shape: $shape,
            absent: $absent,
            example: $example,
            meaning: $meaning,
            also_called: &[$($($also),+)?],
        };)*

        /// The rows of this file.
        pub(crate) const ROWS: &[&$crate::registry::Key] = &[$(&$id),*];
    };
}

/// All rows, in the order in which the reference page shows them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows(pub(crate) &'static [&'static [&'static Key]]);

/// One key: a row of the registry.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) table: Table,
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) absent: Absent,
    /// An example of a value, in TOML.
    pub(crate) example: &'static str,
    /// What it does, in whole sentences.
    pub(crate) meaning: &'static str,
    /// Names that people try in its place, former ones among them, for suggestions.
    pub(crate) also_called: &'static [&'static str],
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
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

/// What applies when a key is not set.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Absent {
    /// It must be set.
    Required,
    /// This TOML value applies.
    Default(&'static str),
    /// Absence, and its meaning.
    Means(&'static str),
}

// === impl Rows ===

impl Rows {
    /// Every key.
    pub(crate) fn all(self) -> impl Iterator<Item = &'static Key> {
        self.0.iter().copied().flatten().copied()
    }

    /// The keys that a table may have.
    pub(crate) fn of(self, table: Table) -> impl Iterator<Item = &'static Key> {
        self.all().filter(move |key| key.table == table || table.borrows() == Some(key.table))
    }

    /// The keys that are a table's own.
    #[cfg(test)]
    pub(crate) fn own(self, table: Table) -> impl Iterator<Item = &'static Key> {
        self.all().filter(move |key| key.table == table)
    }
}

// === impl Shape ===

impl Shape {
    /// The bounds of a duration in milliseconds or of a size in bytes.
    pub(crate) const fn bounds(self) -> Option<(u64, u64)> {
        if let Self::Duration { least, most } | Self::Size { least, most } = self {
            Some((least, most))
        } else {
            None
        }
    }

    /// The bounds of a whole number.
    pub(crate) const fn whole_bounds(self) -> Option<(i64, i64)> {
        if let Self::Whole { least, most } | Self::Numbers { least, most } = self {
            Some((least, most))
        } else {
            None
        }
    }

    /// The type in words, for messages and the reference page.
    pub(crate) fn words(self) -> String {
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
pub(crate) fn quoted(words: &[&str]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push_str(if index + 1 == words.len() { " or " } else { ", " });
        }
        text.push_str(&format!("`\"{word}\"`"));
    }
    text
}
