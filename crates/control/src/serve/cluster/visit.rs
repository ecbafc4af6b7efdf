//! A member for as long as a command works on what is this node's, while its gateway does not run.

use super::node_file::NodeFile;
use crate::failure::Failure;
use config::ClusterSettings;
use lease::NodeId;
use records::{Shared, Standing};
use std::path::Path;
use store::random;

/// This node, known to the records.
pub(in crate::serve) struct Visit {
    /// The node's number.
    pub(in crate::serve) number: NodeId,
    /// Which start of the node this counts as.
    pub(in crate::serve) start: u32,
    /// Of this process alone.
    pub(in crate::serve) run: String,
}

/// Makes this node a member. It counts as a start: the ledger tells messages by that.
///
/// # Errors
/// Its gateway runs, another node has its name, or its file cannot be read or written.
pub(in crate::serve) fn visit(
    store: &Path,
    settings: &ClusterSettings,
    shared: &Shared,
) -> Result<Visit, Failure> {
    let mut file = NodeFile::read(store, settings.node.as_deref())?;
    let (version, run) = (env!("CARGO_PKG_VERSION").to_owned(), random::id("run_", 16)?);
    let (number, name) = (file.kept().number, file.kept().name.clone());
    let number = store::wait(shared.join(Standing { number, name, version, run: run.clone() }))?;
    file.change(|kept| {
        kept.number = Some(number);
        kept.starts = kept.starts.saturating_add(1);
    })?;
    let number = NodeId::try_from(number)
        .map_err(|_| Failure::new(format!("this node has the number {number}, which no ledger takes")))?;
    Ok(Visit { number, start: file.kept().starts, run })
}
