//! What the counters of a limit are kept under.

use super::{Kind, Limit};

/// A stable fingerprint of what a limit counts, so that a limit that is raised or lowered keeps its
/// count. The two lowest bits are its [`Class`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(
    /// The 32 bits, as they are kept on disk.
    pub u32,
);

/// How long a count is worth keeping, and how the rows of one tag add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// For ever.
    Lifetime = 0,
    /// Until its calendar window is over. Limits of requests in flight are of this class as well, but
    /// nobody keeps them.
    Calendar = 1,
    /// As long as the span reaches back.
    Rolling = 2,
    /// Until the bucket is full again.
    Rate = 3,
}

impl Tag {
    /// The class that the lowest two bits say.
    pub fn class(self) -> Class {
        match self.0 & 0b11 {
            0 => Class::Lifetime,
            1 => Class::Calendar,
            2 => Class::Rolling,
            _ => Class::Rate,
        }
    }
}

impl Limit {
    /// The tag of this limit: of its kind, period, time zone's name, span and group, without its amount
    /// and burst. The tag of a rate holds its amount as well: a rate of another speed is another limit,
    /// whose bucket begins full.
    pub fn tag(&self) -> Tag {
        let class = match self.kind {
            Kind::Lifetime => Class::Lifetime,
            Kind::Calendar { .. } | Kind::Concurrent => Class::Calendar,
            Kind::Rolling { .. } => Class::Rolling,
            Kind::Rate { .. } => Class::Rate,
        };
        // Tags are on disk: this text never changes, whatever becomes of the text that people write.
        let mut text = self.kind.to_string();
        if let Kind::Rate { .. } = self.kind {
            text = format!("{} {text}", self.amount);
        }
        if let Some(group) = &self.group {
            text.push_str(" for ");
            text.push_str(group);
        }
        Tag(crc32fast::hash(text.as_bytes()) << 2 | class as u32)
    }
}
