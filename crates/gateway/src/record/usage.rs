//! Usage tallies of the data threads: by key, endpoint and minute, until they are handed over.

use crate::keyring::KnownKey;
use foldhash::fast::FixedState;
use std::{collections::HashMap, sync::Arc};
use usage::Tally;

/// Maximum number of tallies that a data thread holds between two hand-overs.
pub(crate) const MAX_TALLIES: usize = 4096;
/// Maximum number of hand-overs waiting for the control plane.
pub(crate) const MAX_WAITING: usize = 64;

/// What a request is counted under instead of its path, which clients can make up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// No endpoint: an unknown path, a moved one, or a page of the gateway itself.
    #[default]
    None,
    /// No endpoints are declared, so every path counts as this one.
    AnyPath,
    /// The endpoint with this number, which is the same in every configuration that has it.
    Endpoint(u32),
}

impl Place {
    /// The name of [`Place::AnyPath`].
    pub const ANY_PATH: &str = "any path";
}

/// The tally of requests of one key and place that arrived within one minute.
#[derive(Debug)]
pub struct Entry {
    /// The key. None: no known key.
    pub key: Option<Arc<KnownKey>>,
    /// Where the requests went.
    pub place: Place,
    /// Minutes since the Unix epoch.
    pub minute: u32,
    /// The counts.
    pub tally: Tally,
}

/// Tallies, indexed by what they are counted under.
#[derive(Debug, Default)]
pub struct Sheet {
    // A key is identified by its memory address: its entry holds it, so no other key can get that
    // address meanwhile. Clients do not choose addresses, positions and minutes, so a fast hash
    // suffices.
    positions: HashMap<(usize, Place, u32), usize, FixedState>,
    entries: Vec<Entry>,
}

impl Sheet {
    /// The tally of these requests. None: it would be a new one, and there are `most` already.
    pub fn tally(
        &mut self,
        key: Option<&Arc<KnownKey>>,
        place: Place,
        minute: u32,
        most: usize,
    ) -> Option<&mut Tally> {
        let address = key.map_or(0, |key| Arc::as_ptr(key).addr());
        let found = (address, place, minute);
        let position = match self.positions.get(&found) {
            Some(position) => *position,
            None if self.entries.len() >= most => return None,
            None => {
                self.positions.insert(found, self.entries.len());
                self.entries.push(Entry { key: key.cloned(), place, minute, tally: Tally::default() });
                self.entries.len() - 1
            }
        };
        self.entries.get_mut(position).map(|entry| &mut entry.tally)
    }

    /// Adds an entry of another sheet. Returns how many requests were dropped, because it would be
    /// a new entry and there are `most`.
    pub fn merge(&mut self, entry: Entry, most: usize) -> u64 {
        match self.tally(entry.key.as_ref(), entry.place, entry.minute, most) {
            Some(tally) if tally.is_empty() => *tally = entry.tally,
            Some(tally) => tally.merge(&entry.tally),
            None => return entry.tally.requests(),
        }
        0
    }

    /// The number of tallies.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes everything. The capacity is kept.
    pub fn take(&mut self) -> Vec<Entry> {
        self.positions.clear();
        let room = self.entries.len();
        std::mem::replace(&mut self.entries, Vec::with_capacity(room))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usage::Sample;

    const SAMPLE: Sample<'_> = Sample { code: None, charged: 1, bytes_in: 0, bytes_out: 9, micros: 5 };

    #[test]
    fn a_full_sheet_counts_what_it_knows_and_nothing_new() {
        let mut sheet = Sheet::default();
        for minute in [1, 2, 1] {
            sheet.tally(None, Place::Endpoint(0), minute, 2).unwrap().add(&SAMPLE);
        }
        assert!(sheet.tally(None, Place::AnyPath, 1, 2).is_none());
        let mut gathered = Sheet::default();
        let lost: u64 = sheet.take().into_iter().map(|entry| gathered.merge(entry, 1)).sum();
        assert!(sheet.is_empty());
        assert_eq!((gathered.len(), lost), (1, 1));
        assert_eq!(gathered.take()[0].tally.requests(), 2);
        // Taken tallies are gone: the same place starts a new one.
        assert!(sheet.tally(None, Place::Endpoint(0), 1, 2).unwrap().is_empty());
    }
}
