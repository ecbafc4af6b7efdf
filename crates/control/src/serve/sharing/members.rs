//! Who belongs to the cluster, as the records say: asked for whenever an epoch of the ledger begins.

use lease::NodeId;
use ledger::{LedgerError, MemberList, Members, Pending};
use records::Shared;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The members that the records have.
pub(in crate::serve) struct MembersOfRecords {
    records: Arc<Shared>,
    node: NodeId,
    /// This node never had a ledger: it starts for the first time, and nobody asked yet.
    is_new: AtomicBool,
}

impl MembersOfRecords {
    pub(in crate::serve) const fn new(records: Arc<Shared>, node: NodeId, is_new: bool) -> Self {
        Self { records, node, is_new: AtomicBool::new(is_new) }
    }
}

impl MemberList for MembersOfRecords {
    fn members(&self) -> Pending<'_, Members> {
        Box::pin(async {
            let numbers = self.records.numbers().await;
            let numbers = numbers.map_err(|error| LedgerError::Members(error.to_string()))?;
            let of = |is_removed: bool| {
                let those = numbers.iter().filter(move |(_, removed)| *removed == is_removed);
                those.filter_map(|(number, _)| NodeId::try_from(*number).ok()).collect::<Vec<_>>()
            };
            let (present, removed) = (of(false), of(true));
            // Asked a second time, there may have been a ledger in between.
            let was_new = self.is_new.swap(false, Ordering::Relaxed);
            let is_first = was_new && removed.is_empty() && present == [self.node];
            Ok(Members { present, removed, is_first })
        })
    }
}
