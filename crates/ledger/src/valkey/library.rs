//! The functions that the server runs, and what their library is called.

use crate::encoding::fnv;

/// The name is that of this very text: nodes of two versions each have their own while they work beside each other.
pub(crate) struct Library {
    /// What the server is to load.
    pub(crate) source: String,
    pub(crate) name: String,
    pub(crate) exchange: String,
    pub(crate) begin: String,
    pub(crate) member: String,
}

const TEXT: &str = include_str!("library.lua");

impl Library {
    pub(crate) fn new() -> Self {
        let name = format!("fairgate_{:016x}", fnv(TEXT.as_bytes()));
        Self {
            source: format!("#!lua name={name}\n{}", TEXT.replace("@NAME@", &name)),
            exchange: format!("{name}_exchange"),
            begin: format!("{name}_begin"),
            member: format!("{name}_member"),
            name,
        }
    }
}
