//! Alternatives: `oneOf`, `anyOf`, and the one that a discriminator names.

use crate::schema::unit::UnitId;
use instance::{Part, Seen};
use std::collections::HashMap;

/// Alternatives of which a value must be one.
#[derive(Debug)]
pub(crate) struct Choice {
    /// How many may fit.
    pub(crate) rule: Rule,
    pub(crate) branches: Vec<UnitId>,
    pub(crate) discriminator: Option<Discriminator>,
}

/// How many of the branches must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// At least one.
    Any,
    /// Exactly one.
    One,
}

/// A member whose value names the branch.
#[derive(Debug)]
pub(crate) struct Discriminator {
    /// The member.
    pub(crate) property: String,
    /// Its values.
    pub(crate) targets: HashMap<String, UnitId>,
    /// The values in the order of the document, for sentences.
    pub(crate) values: Vec<String>,
    /// For an object without the member, or with a value that is not known.
    pub(crate) otherwise: Otherwise,
}

/// What an object that names no branch is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// Nothing: it is wrong.
    Wrong,
    /// This one, whether the member is missing or not known (`defaultMapping`).
    Always(UnitId),
    /// This one if the member is missing: the parent, which knows whether it requires it.
    Missing(UnitId),
    /// All branches: some of them have no name.
    Branches,
}

/// The result of a discriminator for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// Only this branch counts.
    Branch(UnitId),
    /// All branches count.
    Branches,
    /// The member is missing.
    Missing,
    /// The member has this value, which is not known.
    Unknown,
}

impl Discriminator {
    /// The branch that a value names.
    pub(crate) fn named(&self, value: Part<'_>) -> Named {
        let Seen::Object(members) = value.seen() else {
            return match self.otherwise {
                Otherwise::Missing(parent) => Named::Branch(parent),
                Otherwise::Wrong | Otherwise::Always(_) | Otherwise::Branches => Named::Branches,
            };
        };
        // The keys of a mapping are text even where the member is a number.
        let target = members.get(&self.property).map(|value| match value.seen() {
            Seen::Text(text) => self.targets.get(text),
            Seen::Null => self.targets.get("null"),
            Seen::Bool(flag) => self.targets.get(if flag { "true" } else { "false" }),
            Seen::Number(number) => self.targets.get(number.to_string().as_str()),
            Seen::Array(_) | Seen::Object(_) => None,
        });
        match (target, self.otherwise) {
            (Some(Some(&branch)), _) => Named::Branch(branch),
            (_, Otherwise::Always(branch)) | (None, Otherwise::Missing(branch)) => Named::Branch(branch),
            (_, Otherwise::Branches) => Named::Branches,
            (None, Otherwise::Wrong) => Named::Missing,
            (Some(None), Otherwise::Wrong | Otherwise::Missing(_)) => Named::Unknown,
        }
    }
}
