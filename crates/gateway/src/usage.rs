//! What data threads tally of requests: by key, endpoint and minute, until it is handed over.

use crate::keyring::KnownKey;
use foldhash::fast::FixedState;
use std::{collections::HashMap, sync::Arc};
use usage::Tally;

/// Tallies that one data thread holds between two hand-overs.
pub(crate) const MOST_TALLIES: usize = 4096;
/// Hand-overs that wait for the control plane.
pub(crate) const MOST_WAITING: usize = 64;

/// What a request is counted under in place of a path, which any client can make up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// No endpoint: an unknown path, one that has moved, a page of the gateway's own.
    #[default]
    None,
    /// No endpoints are declared, so every path counts as this one.
    AnyPath,
    /// The endpoint at this position of the settings.
    Endpoint(u32),
}

impl Place {
    /// What [`Place::AnyPath`] is called.
    pub const ANY_PATH: &str = "any path";
}

/// The tally of requests of one key and place that arrived within one minute.
#[derive(Debug)]
pub struct Entry {
    /// The key. None: no key that is known.
    pub key: Option<Arc<KnownKey>>,
    /// Where the requests went.
    pub place: Place,
    /// Minutes since the Unix epoch.
    pub minute: u32,
    /// What was counted.
    pub tally: Tally,
}

/// Tallies, found by what they are counted under.
#[derive(Debug, Default)]
pub struct Sheet {
    // A key is found by its address: its entry holds it, so that no other key can get that address
    // meanwhile. Addresses, positions and minutes are not chosen by clients: a fast hash will do.
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

    /// Adds an entry of another sheet, or gives it back if it would be a new one and there are `most`.
    ///
    /// # Errors
    /// The entry, as it was.
    pub fn merge(&mut self, entry: Entry, most: usize) -> Result<(), Entry> {
        match self.tally(entry.key.as_ref(), entry.place, entry.minute, most) {
            Some(tally) if tally.is_empty() => *tally = entry.tally,
            Some(tally) => tally.merge(&entry.tally),
            None => return Err(entry),
        }
        Ok(())
    }

    /// Tallies that it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes everything. Room for as much again stays.
    pub fn take(&mut self) -> Vec<Entry> {
        self.positions.clear();
        let room = self.entries.len();
        std::mem::replace(&mut self.entries, Vec::with_capacity(room))
    }
}
