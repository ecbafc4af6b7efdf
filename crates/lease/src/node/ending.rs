//! The end of a node in order: nothing that it does not need is left behind.

use super::{Micros, Node};
use crate::counter::Kind;

impl Node {
    /// Asks the ledger to take back all that is not spent, because this node ends. Nothing is taken after it. To be called
    /// again after each reply, until it tells true: the ledger has it all.
    pub fn give_all_back(&mut self, now: Micros) -> bool {
        if !self.queue.is_empty() {
            return false;
        }
        let latest = self.time.map_or(0, |time| time.latest(now));
        let (mut has_all, mut asked) = (true, Vec::new());
        for handle in self.leases.handles() {
            let Some(lease) = self.leases.get(handle).filter(|lease| lease.free() > 0) else { continue };
            // The lease of a window ends with it.
            if matches!(lease.rule.kind, Kind::Window { .. }) && lease.is_over(latest) {
                continue;
            }
            has_all = false;
            if !lease.is_pending() {
                asked.push(handle);
            }
        }
        for handle in asked {
            if let Some(lease) = self.leases.get_mut(handle) {
                lease.single_until = Micros::MAX;
            }
            self.ask(handle);
        }
        has_all && !self.has_pending()
    }

    /// Whether the answer to a question may still raise a lease.
    fn has_pending(&self) -> bool {
        self.sent.iter().any(|handle| self.leases.get(*handle).is_some_and(super::lease::Lease::is_pending))
    }
}
