//! Records and usage that several gateways share, in PostgreSQL: the same behaviour as the embedded store's.
//!
//! Every write is a transaction that numbers its change behind an advisory lock, so that numbers become visible in their
//! order. Two threads have a connection each, so that usage holds up no key; all keys are read over a third one.

mod changes;
mod clustered;
mod fault;
mod incidents;
mod keys;
mod maintenance;
mod members;
mod schema;
mod usage;
mod visiting;
mod worker;

pub use clustered::Clustered;
pub use members::{Beat, Heard, Member, Report, Standing};
pub use postgres::{BadUrl, Target};
pub use schema::{OLDEST, SCHEMA, State};

use ::usage::Retention;
use postgres::{Link, Timing};
use std::{path::Path, sync::Arc, time::Duration};
use store::{
    Change, Changed, IncidentGroup, IncidentRecord, KeyBatch, KeyRecord, KeyVisitor, MaintenanceWindow,
    Pending, Records, Secret, Since, StoreError, UsageCell, UsageEntry, UsagePage, UsagePlace, UsageQuery,
    UsageStore,
};
use tokio::sync::Notify;
use worker::Worker;

const TIMING: Timing = Timing {
    connecting: Duration::from_secs(2),
    answer: Duration::from_secs(5),
    first_pause: Duration::from_millis(50),
    longest_pause: Duration::from_secs(1),
};

/// Records that several gateways share.
pub struct Shared {
    target: Target,
    records: Worker,
    usage: Worker,
    told: Arc<Notify>,
}

impl Shared {
    /// Nothing is connected before something is asked.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(target: Target) -> Result<Self, StoreError> {
        let records = Link::new(target.clone(), TIMING).listening(changes::CHANNEL);
        let told = records.told();
        let usage = Link::new(target.clone(), TIMING);
        let (records, usage) = (Worker::start("records", records)?, Worker::start("shared usage", usage)?);
        Ok(Self { target, records, usage, told })
    }

    /// Where the server is, for messages.
    pub fn place(&self) -> &str {
        self.target.place()
    }

    /// Is woken when another gateway may have changed something. A hint: some changes come without.
    pub fn told(&self) -> Arc<Notify> {
        Arc::clone(&self.told)
    }

    /// Makes the tables, if there are none. Tells whether it did.
    ///
    /// # Errors
    /// They are of a newer Fairgate, of another secret, or cannot be made.
    pub fn init(&self, secret: &Secret, file: &Path) -> Pending<'_, bool> {
        let (secret, file) = (schema::Fitting::new(secret, file), true);
        self.records.ask(async move |session| schema::prepare(session, &secret, file).await)
    }

    /// Brings the tables up to date, and looks whether the secret is theirs. Gives the id of these records.
    ///
    /// # Errors
    /// There are no tables, they are of a newer Fairgate, or of another secret.
    pub fn prepare(&self, secret: &Secret, file: &Path) -> Pending<'_, String> {
        let secret = schema::Fitting::new(secret, file);
        self.records.ask(async move |session| {
            schema::prepare(session, &secret, false).await?;
            schema::id(session).await
        })
    }

    /// Has the records take keys of this secret from now on. False: there are keys of the one that they have.
    pub fn adopt(&self, secret: &Secret) -> Pending<'_, bool> {
        let fingerprint = secret.fingerprint().to_vec();
        self.records.ask(async move |session| schema::adopt(session, &fingerprint).await)
    }

    /// What these records are called, whatever the server.
    pub fn id(&self) -> Pending<'_, String> {
        self.records.ask(async |session| schema::id(session).await)
    }

    /// Whether the server answers.
    pub fn reach(&self) -> Pending<'_, ()> {
        self.records.ask(async |session| Ok(session.batch("SELECT 1").await?))
    }

    /// Makes this node a member, or the member again that it was. Gives its number, which it keeps.
    ///
    /// # Errors
    /// Another node has its name, or another process is this member.
    pub fn join(&self, standing: Standing) -> Pending<'_, i64> {
        self.records.ask(async move |session| members::join(session, &standing).await)
    }

    /// Says that this member lives.
    ///
    /// # Errors
    /// It is a member no more, or another process has taken its place.
    pub fn beat(&self, beat: Beat) -> Pending<'_, Heard> {
        self.records.ask(async move |session| members::beat(session, &beat).await)
    }

    /// Says that this member ends, so that it may begin again at once.
    pub fn leave(&self, number: i64, session: &str) -> Pending<'_, ()> {
        let run = session.to_owned();
        self.records.ask(async move |session| members::leave(session, number, &run).await)
    }

    /// All members, those that were removed left out.
    pub fn members(&self) -> Pending<'_, Vec<Member>> {
        self.records.ask(async |session| members::all(session).await)
    }

    /// The numbers of all that are or were members, and whether they were removed.
    pub fn numbers(&self) -> Pending<'_, Vec<(i64, bool)>> {
        self.records.ask(async |session| members::numbers(session).await)
    }

    /// Removes a member for good. None: there is none of this name.
    pub fn remove(&self, name: &str) -> Pending<'_, Option<Member>> {
        let name = name.to_owned();
        self.records.ask(async move |session| members::remove(session, &name).await)
    }

    /// The schema of the tables, the version of the server, and the number of the last change.
    pub fn state(&self) -> Pending<'_, State> {
        self.records.ask(async |session| schema::state(session).await)
    }
}

// === impl Records ===

impl Records for Shared {
    fn check_place(&self) -> Pending<'_, ()> {
        self.reach()
    }

    fn changes_since(&self, after: Option<u64>) -> Pending<'_, Since> {
        self.records.ask(async move |session| changes::since(session, after).await)
    }

    fn visit_keys(&self, visitors: Vec<KeyVisitor>) -> Pending<'_, u64> {
        visiting::begin(Link::new(self.target.clone(), TIMING), visitors)
    }

    fn page_of_keys(&self, after: Option<String>, limit: usize) -> Pending<'_, Vec<KeyRecord>> {
        self.records.ask(async move |session| keys::page(session, after.as_deref(), limit).await)
    }

    fn keys_after(&self, after: Option<[u8; 32]>, limit: usize) -> Pending<'_, Vec<KeyRecord>> {
        self.records.ask(async move |session| keys::after(session, after.as_ref(), limit).await)
    }

    fn count_keys(&self) -> Pending<'_, u64> {
        self.records.ask(async |session| keys::count_all(session).await)
    }

    fn key_by_id(&self, id: &str) -> Pending<'_, Option<KeyRecord>> {
        let id = id.to_owned();
        self.records.ask(async move |session| keys::by_id(session, &id).await)
    }

    fn keys_by_digests(&self, digests: Vec<[u8; 32]>) -> Pending<'_, Vec<Option<KeyRecord>>> {
        self.records.ask(async move |session| keys::by_digests(session, &digests).await)
    }

    fn add_key(&self, key: KeyRecord, by: &str) -> Pending<'_, Change> {
        let by = by.to_owned();
        self.records.ask(async move |session| {
            let transaction = session.begin().await?;
            keys::insert(&transaction, std::iter::once(key.clone())).await?;
            changes::commit(transaction, &by, Changed::KeyAdded(key.clone())).await
        })
    }

    fn import_keys(&self, keys: KeyBatch, by: &str) -> Pending<'_, Change> {
        let by = by.to_owned();
        self.records.ask(async move |session| {
            let transaction = session.begin().await?;
            keys::insert(&transaction, keys.records()).await?;
            changes::commit(transaction, &by, Changed::KeysImported(keys.clone())).await
        })
    }

    fn put_keys(&self, keys: Vec<KeyRecord>) -> Pending<'_, ()> {
        self.records.ask(async move |session| {
            let transaction = session.begin().await?;
            keys::take_in(&transaction, keys.clone()).await?;
            changes::finish(transaction).await
        })
    }

    fn replace_key(&self, key: KeyRecord, by: &str) -> Pending<'_, Option<Change>> {
        let by = by.to_owned();
        self.records.ask(async move |session| {
            let transaction = session.begin().await?;
            if !keys::replace(&transaction, &key).await? {
                return Ok(None);
            }
            changes::commit(transaction, &by, Changed::KeyChanged(key.clone())).await.map(Some)
        })
    }

    fn revoke_key(&self, id: &str, at: u64, by: &str) -> Pending<'_, Option<Change>> {
        let (id, by) = (id.to_owned(), by.to_owned());
        self.records.ask(async move |session| {
            let transaction = session.begin().await?;
            let Some(key) = keys::revoke(&transaction, &id, at).await? else { return Ok(None) };
            changes::commit(transaction, &by, Changed::KeyRevoked(key)).await.map(Some)
        })
    }

    fn add_incidents(&self, incidents: Arc<[IncidentRecord]>) -> Pending<'_, ()> {
        self.records.ask(async move |session| incidents::add(session, &incidents).await)
    }

    fn incidents(&self, limit: usize, cause: Option<String>) -> Pending<'_, Vec<IncidentRecord>> {
        self.records.ask(async move |session| incidents::newest(session, limit, cause.as_deref()).await)
    }

    fn incident_groups(&self) -> Pending<'_, Vec<IncidentGroup>> {
        self.records.ask(async |session| incidents::groups(session).await)
    }

    fn incidents_of(&self, request_id: &str) -> Pending<'_, Vec<IncidentRecord>> {
        let request_id = request_id.to_owned();
        self.records.ask(async move |session| incidents::by_request_id(session, &request_id).await)
    }

    fn put_maintenance(&self, window: MaintenanceWindow, by: &str) -> Pending<'_, Change> {
        let by = by.to_owned();
        self.records.ask(async move |session| {
            let transaction = session.begin().await?;
            maintenance::put(&transaction, &window).await?;
            changes::commit(transaction, &by, Changed::MaintenancePut(window.clone())).await
        })
    }

    fn remove_maintenance(&self, id: &str, by: &str) -> Pending<'_, Option<Change>> {
        let (id, by) = (id.to_owned(), by.to_owned());
        self.records.ask(async move |session| {
            let transaction = session.begin().await?;
            if !maintenance::remove(&transaction, &id).await? {
                return Ok(None);
            }
            changes::commit(transaction, &by, Changed::MaintenanceRemoved(id.clone())).await.map(Some)
        })
    }

    fn maintenance(&self) -> Pending<'_, Vec<MaintenanceWindow>> {
        self.records.ask(async |session| maintenance::all(session).await)
    }
}

// === impl UsageStore ===

impl UsageStore for Shared {
    fn add_usage(&self, entries: Arc<[UsageEntry]>, keep: Retention) -> Pending<'_, ()> {
        self.usage.ask(async move |session| usage::add(session, &entries, keep).await)
    }

    fn usage(&self, query: &UsageQuery, limit: usize) -> Pending<'_, UsagePage> {
        let query = query.clone();
        self.usage.ask(async move |session| usage::find(session, &query, limit).await)
    }

    fn usage_after(&self, after: Option<UsagePlace>, limit: usize) -> Pending<'_, Vec<UsageCell>> {
        self.usage.ask(async move |session| usage::after(session, after.as_ref(), limit).await)
    }

    fn put_usage(&self, cells: Vec<UsageCell>) -> Pending<'_, ()> {
        self.usage.ask(async move |session| usage::put(session, &cells).await)
    }
}
