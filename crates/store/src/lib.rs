//! What Fairgate remembers: keys, incidents, maintenance and usage, behind one trait.
//!
//! Calls block and are made by one control thread; no data thread ever waits for the store. The
//! crate knows no runtime and no clock: whoever needs a time passes it in.

pub mod embedded;
mod encoding;
mod error;
mod fields;
mod folder;
mod footprint;
mod holder;
pub mod random;
mod records;
mod row;
mod secret;
mod usage;

pub use embedded::Embedded;
pub use error::StoreError;
pub use folder::{DATABASE_FILE, SECRET_FILE, USAGE_FILE, open_to_others};
pub use footprint::Footprint;
pub use holder::Holder;
pub use records::{IncidentGroup, IncidentRecord, KeyRecord, MaintenanceWindow};
pub use row::{KeyRow, KeyVisitor, Texts};
pub use secret::Secret;
pub use usage::{UsageEntry, UsagePage, UsageQuery, UsageRow, Whose};

use ::usage::Retention;

/// Incidents that are kept in all, shared out among the causes. The oldest of a cause make room.
pub const INCIDENTS_KEPT: u64 = 10_000;
/// Incidents that are kept of one cause and client.
pub const INCIDENTS_OF_CLIENT: usize = 100;

/// Where keys, incidents and windows of maintenance live.
///
/// Every call that changes something has reached the disk when it returns `Ok`, and has changed
/// nothing when it returns an error.
pub trait Store {
    /// Whether the store lies where it was opened.
    ///
    /// # Errors
    /// [`StoreError::Gone`]: its folder was removed, moved, unmounted or replaced. What is written now reaches a
    /// file that nobody can open again.
    fn check_place(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Hands every key to one of the visitors, in no particular order, and tells how many there were.
    ///
    /// Each visitor is called on a thread of its own. If a record cannot be read, or one is missing,
    /// that is an error after some keys were handed over: nothing may be done with them then.
    fn visit_keys(&self, visitors: &mut [KeyVisitor<'_>]) -> Result<u64, StoreError>;

    /// At most `limit` keys in the order of their ids, beginning behind the id `after`.
    fn page_of_keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<KeyRecord>, StoreError>;

    /// How many keys there are, revoked and expired ones included.
    fn count_keys(&self) -> Result<u64, StoreError>;

    /// The key with this id.
    fn key_by_id(&self, id: &str) -> Result<Option<KeyRecord>, StoreError>;

    /// The keys with these digests, each in the place of its digest.
    fn keys_by_digests(&self, digests: &[[u8; 32]]) -> Result<Vec<Option<KeyRecord>>, StoreError>;

    /// Adds all these keys or none of them, and tells how many there were.
    ///
    /// A digest that is there already is [`StoreError::KeysExist`], which names every such key.
    /// A million sorted by digest go in much faster than a million in any other order.
    fn insert_keys(&self, records: &mut dyn Iterator<Item = KeyRecord>) -> Result<u64, StoreError>;

    /// Puts this record in the place of the one with the same id and digest. False: there is none.
    fn replace_key(&self, record: &KeyRecord) -> Result<bool, StoreError>;

    /// Revokes a key. None: there is no such key. A key that was revoked before keeps its time.
    fn revoke_key(&self, id: &str, at: u64) -> Result<Option<KeyRecord>, StoreError>;

    /// Adds incidents, the oldest first. The newest [`INCIDENTS_OF_CLIENT`] of each cause and client stay, and
    /// [`INCIDENTS_KEPT`] in all; the others are counted.
    fn add_incidents(&self, incidents: &[IncidentRecord]) -> Result<(), StoreError>;

    /// At most `limit` incidents, the newest first; with `cause` only those of that cause.
    fn incidents(&self, limit: usize, cause: Option<&str>) -> Result<Vec<IncidentRecord>, StoreError>;

    /// The causes of all incidents, the one that happened last coming first.
    fn incident_groups(&self) -> Result<Vec<IncidentGroup>, StoreError>;

    /// The incidents with this request id, the newest first: clients may use one id several times.
    fn incidents_of(&self, request_id: &str) -> Result<Vec<IncidentRecord>, StoreError>;

    /// Adds a window of maintenance or replaces the one with the same id.
    fn put_maintenance(&self, window: &MaintenanceWindow) -> Result<(), StoreError>;

    /// Removes a window of maintenance. False: there was none with this id.
    fn remove_maintenance(&self, id: &str) -> Result<bool, StoreError>;

    /// All windows of maintenance, the one that begins first coming first.
    fn maintenance(&self) -> Result<Vec<MaintenanceWindow>, StoreError>;

    /// Adds usage to the minutes, hours and days that it belongs to, and forgets what is older than
    /// `keep` has it, seen from the newest of these entries.
    ///
    /// Usage is kept in a file of its own. If that is damaged, only the two calls for usage fail.
    fn add_usage(&self, entries: &[UsageEntry], keep: Retention) -> Result<(), StoreError>;

    /// Usage by bucket, then by endpoint: about `limit` rows, and all of each bucket that is begun.
    fn usage(&self, query: &UsageQuery, limit: usize) -> Result<UsagePage, StoreError>;
}
