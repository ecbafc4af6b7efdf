//! What Fairgate remembers: keys, incidents and maintenance behind one trait, usage behind another.
//!
//! What is asked for comes later ([`Pending`]), so that the control thread has time for other work while the disk works; no
//! data thread ever waits for the store. The crate needs no runtime and no clock: whoever needs a time passes it in.

mod change;
pub mod embedded;
pub mod encoding;
mod error;
mod fields;
mod folder;
mod footprint;
mod holder;
mod pending;
pub mod random;
mod records;
mod row;
mod secret;
mod share;
mod usage;

pub use change::{Change, Changed, KeyBatch, Since};
pub use embedded::{Embedded, Portion, Position};
pub use error::StoreError;
pub use folder::{DATABASE_FILE, SECRET_FILE, USAGE_FILE, open_to_others, write_whole as write_private};
pub use footprint::Footprint;
pub use holder::Holder;
pub use pending::{Pending, wait};
pub use records::{IncidentGroup, IncidentRecord, KeyRecord, MaintenanceWindow};
pub use row::{KeyRow, KeyVisitor, Texts};
pub use secret::Secret;
pub use share::share;
pub use usage::{UsageCell, UsageEntry, UsagePage, UsagePlace, UsageQuery, UsageRow, Whose};

use ::usage::Retention;
use std::sync::Arc;

/// Incidents that are kept in all, shared out among the causes. The oldest of a cause make room.
pub const INCIDENTS_KEPT: u64 = 10_000;
/// Incidents that are kept of one cause and client.
pub const INCIDENTS_OF_CLIENT: usize = 100;

/// Where keys, incidents and windows of maintenance live.
///
/// A write has reached the disk when it is done, and has changed nothing if that is an error. What the gateway has to know of
/// is a [`Change`], which is written and numbered in the same transaction. `by` is who makes it, in a few words.
pub trait Records {
    /// Whether the store lies where it was opened.
    ///
    /// # Errors
    /// [`StoreError::Gone`]: its folder was removed, moved, unmounted or replaced. What is written now reaches a
    /// file that nobody can open again.
    fn check_place(&self) -> Pending<'_, ()>;

    /// What was changed after the change with this number, whoever made it. None: nothing is known yet.
    fn changes_since(&self, after: Option<u64>) -> Pending<'_, Since>;

    /// Hands every key to one of the visitors, in no particular order, and tells how many there were.
    ///
    /// Each visitor is called on a thread of its own. If a record cannot be read, or one is missing,
    /// that is an error after some keys were handed over: nothing may be done with them then.
    fn visit_keys(&self, visitors: Vec<KeyVisitor>) -> Pending<'_, u64>;

    /// At most `limit` keys in the order of their ids, beginning behind the id `after`.
    fn page_of_keys(&self, after: Option<String>, limit: usize) -> Pending<'_, Vec<KeyRecord>>;

    /// At most `limit` keys in the order of their digests, beginning behind the digest `after`.
    fn keys_after(&self, after: Option<[u8; 32]>, limit: usize) -> Pending<'_, Vec<KeyRecord>>;

    /// How many keys there are, revoked and expired ones included.
    fn count_keys(&self) -> Pending<'_, u64>;

    /// The key with this id.
    fn key_by_id(&self, id: &str) -> Pending<'_, Option<KeyRecord>>;

    /// The keys with these digests, each in the place of its digest.
    fn keys_by_digests(&self, digests: Vec<[u8; 32]>) -> Pending<'_, Vec<Option<KeyRecord>>>;

    /// Adds a key. A digest or an id that is there already is [`StoreError::KeysExist`].
    fn add_key(&self, key: KeyRecord, by: &str) -> Pending<'_, Change>;

    /// Adds all these keys or none of them.
    ///
    /// A digest that is there already is [`StoreError::KeysExist`], which names every such key.
    /// A million sorted by digest go in much faster than a million in any other order.
    fn import_keys(&self, keys: KeyBatch, by: &str) -> Pending<'_, Change>;

    /// Adds these keys, or puts them in the place of those with their digests; all or none. One that was revoked before stays
    /// revoked. Nobody is told of it: whoever ends with [`Records::import_keys`], of no key at all, has everybody read all keys.
    ///
    /// An id that another digest has is [`StoreError::KeysExist`].
    fn put_keys(&self, keys: Vec<KeyRecord>) -> Pending<'_, ()>;

    /// Puts this record in the place of the one with the same id and digest. None: there is none.
    fn replace_key(&self, key: KeyRecord, by: &str) -> Pending<'_, Option<Change>>;

    /// Revokes a key. None: there is no such key. A key that was revoked before keeps its time.
    fn revoke_key(&self, id: &str, at: u64, by: &str) -> Pending<'_, Option<Change>>;

    /// Adds incidents, the oldest first. The newest [`INCIDENTS_OF_CLIENT`] of each cause and client stay, and
    /// [`INCIDENTS_KEPT`] in all; the others are counted.
    fn add_incidents(&self, incidents: Arc<[IncidentRecord]>) -> Pending<'_, ()>;

    /// At most `limit` incidents, the newest first; with `cause` only those of that cause.
    fn incidents(&self, limit: usize, cause: Option<String>) -> Pending<'_, Vec<IncidentRecord>>;

    /// The causes of all incidents, the one that happened last coming first.
    fn incident_groups(&self) -> Pending<'_, Vec<IncidentGroup>>;

    /// The incidents with this request id, the newest first: clients may use one id several times.
    fn incidents_of(&self, request_id: &str) -> Pending<'_, Vec<IncidentRecord>>;

    /// Adds a window of maintenance or replaces the one with the same id.
    fn put_maintenance(&self, window: MaintenanceWindow, by: &str) -> Pending<'_, Change>;

    /// Removes a window of maintenance. None: there was none with this id.
    fn remove_maintenance(&self, id: &str, by: &str) -> Pending<'_, Option<Change>>;

    /// All windows of maintenance, the one that begins first coming first.
    fn maintenance(&self) -> Pending<'_, Vec<MaintenanceWindow>>;
}

/// Where usage lives: beside the records, so that neither waits for the other and damage to one does not touch the other.
pub trait UsageStore {
    /// Adds usage to the minutes, hours and days that it belongs to, and forgets what is older than
    /// `keep` has it, seen from the newest of these entries.
    fn add_usage(&self, entries: Arc<[UsageEntry]>, keep: Retention) -> Pending<'_, ()>;

    /// Usage by bucket, then by endpoint: about `limit` rows, and all of each bucket that is begun.
    fn usage(&self, query: &UsageQuery, limit: usize) -> Pending<'_, UsagePage>;

    /// At most `limit` of all tallies that are kept, in an order of the store's own, beginning behind this place.
    fn usage_after(&self, after: Option<UsagePlace>, limit: usize) -> Pending<'_, Vec<UsageCell>>;

    /// Puts tallies in their places. Where there is one already, the one of more requests stays: to put the same ones twice
    /// changes nothing.
    fn put_usage(&self, cells: Vec<UsageCell>) -> Pending<'_, ()>;
}
