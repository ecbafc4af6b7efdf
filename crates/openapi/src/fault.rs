//! What is wrong with a document, and what of it is not enforced: file, line, JSON pointer, sentence.

use std::fmt;

/// A place in a document that a person can go to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The file, as the operator named it or as a `$ref` did.
    pub file: String,
    /// Line, from 1. None: the place has no text of its own.
    pub line: Option<usize>,
    /// JSON pointer into the file (RFC 6901); empty for the whole of it.
    pub pointer: String,
}

/// Why a document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where.
    pub spot: Spot,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The remedy. Empty: the message contains it.
    pub help: String,
}

/// All that is wrong with a document, in the order of files and lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

/// What the document declares and the gateway does not enforce, or leaves out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Its first location.
    pub spot: Spot,
    /// What is not enforced, and why, in one sentence.
    pub message: String,
    /// In how many further places the same holds.
    pub more: usize,
}

impl fmt::Display for Spot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(out, ":{line}")?;
        }
        if self.pointer.is_empty() { Ok(()) } else { write!(out, " at {}", self.pointer) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.spot, self.message)?;
        if self.help.is_empty() { Ok(()) } else { write!(out, "\n  help: {}", self.help) }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.spot, self.message)?;
        match self.more {
            0 => Ok(()),
            1 => out.write_str(" (and in 1 other place)"),
            more => write!(out, " (and in {more} other places)"),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.0 {
            writeln!(out, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
