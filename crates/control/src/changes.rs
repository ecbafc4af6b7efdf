//! The one path of every change to the gateway: in the order of their numbers, whoever made them.

use super::live::{Live, Load};
use std::{cell::Cell, rc::Rc};
use store::{Change, Records, Since, StoreError};

/// Brings what is stored to a gateway.
pub struct Applier {
    records: Rc<dyn Records>,
    gateway: Box<dyn Live>,
    /// The number of the last change that the gateway has. None: it has nothing yet.
    applied: Cell<Option<u64>>,
}

impl Applier {
    /// For a gateway that has nothing yet.
    pub fn new(records: Rc<dyn Records>, gateway: Box<dyn Live>) -> Self {
        Self { records, gateway, applied: Cell::new(None) }
    }

    /// The gateway that changes are brought to.
    pub fn gateway(&self) -> &dyn Live {
        self.gateway.as_ref()
    }

    /// The number of the last change that the gateway has. None: it has nothing yet.
    pub(super) fn applied(&self) -> Option<u64> {
        self.applied.get()
    }

    /// Brings a change to the gateway that was just made, behind all before it. To be called by one at a time.
    ///
    /// # Errors
    /// The change is stored, but one before it cannot be read.
    pub(super) async fn apply(&self, change: &Change) -> Result<(), StoreError> {
        if self.applied.get().is_some_and(|applied| applied + 1 == change.number) {
            self.take(change);
            return Ok(());
        }
        self.catch_up().await
    }

    /// Brings all changes to the gateway that it does not have yet. To be called by one at a time.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        match self.records.changes_since(self.applied.get()).await? {
            Since::Changes(changes) => changes.iter().for_each(|change| self.take(change)),
            Since::Everything(number) => {
                self.load().await?;
                self.applied.set(Some(number));
            }
        }
        Ok(())
    }

    /// Brings everything to the gateway, also keys that it could not let in before.
    pub(super) async fn load(&self) -> Result<(), StoreError> {
        let Load { keys, rest } = self.gateway.load(self.records.count_keys().await?);
        self.records.visit_keys(keys).await?;
        rest(self.records.maintenance().await?);
        Ok(())
    }

    fn take(&self, change: &Change) {
        self.gateway.apply(change);
        self.applied.set(Some(change.number));
    }
}
