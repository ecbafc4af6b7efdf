//! Carries out operations on the store and brings what has changed to the running gateway.
//!
//! The store comes first, the gateway second: what a client may rely on has reached the disk. Operations that write wait for
//! one another, so that what one has checked holds until it is done, and changes reach the gateway in their order.

mod exporting;
mod import;
mod incidents;
mod keys;
mod maintenance;
mod process;
mod terms;

use super::{
    actor::Actor,
    changes::Applier,
    error::OperationError,
    live::{Live, Process, Rules, Unsaved},
    sockets::Sockets,
};
use exporting::Exporting;
use import::Staged;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};
use store::{Change, Embedded, Records, Secret, StoreError, UsageStore};
use tokio::sync::Mutex;

/// Most keys in one page, so that an answer stays small.
const LONGEST_PAGE: usize = 10_000;

/// Something that can be asked for.
pub trait Operation: Serialize + DeserializeOwned {
    /// What it is called on the socket.
    const NAME: &'static str;
    /// Whether it is refused while the store's folder is gone: in a restart it would be forgotten, and must not seem
    /// done. What protects the API, revoking and maintenance, is done all the same, and so is what only reads.
    const NEEDS_STORE: bool;
    /// What it is answered with.
    type Response: Serialize + DeserializeOwned;

    /// Does it, wholly or not at all.
    fn carry_out(
        self,
        control: &Control,
        actor: Actor,
    ) -> impl Future<Output = Result<Self::Response, OperationError>>;
}

/// Where all that is remembered lives.
#[derive(Clone)]
pub struct Stores {
    /// Keys, maintenance, incidents.
    pub records: Rc<dyn Records>,
    /// Usage.
    pub usage: Rc<dyn UsageStore>,
}

/// A gateway that runs in this process.
pub struct Running {
    /// Brings changes to it.
    pub applier: Applier,
    /// The process around it.
    pub process: Box<dyn Process>,
}

/// Carries out operations.
pub struct Control {
    stores: Stores,
    secret: Secret,
    rules: RefCell<Rc<Rules>>,
    /// None: no gateway runs, and nobody else has the store.
    running: Option<Running>,
    staged: RefCell<Option<Staged>>,
    exporting: RefCell<Option<Exporting>>,
    /// Held by an operation that writes, from its first check until its change has reached the gateway.
    writing: Mutex<()>,
    /// Held while the configuration is read again.
    reloading: Mutex<()>,
    clock: fn() -> u64,
}

/// Seconds since the Unix epoch.
pub fn system_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Microseconds since the Unix epoch.
pub fn system_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

// === impl Stores ===

impl From<Embedded> for Stores {
    fn from(store: Embedded) -> Self {
        let store = Rc::new(store);
        Self { records: Rc::<Embedded>::clone(&store), usage: store }
    }
}

// === impl Control ===

impl Control {
    /// A control plane over these stores. `clock` gives seconds since the Unix epoch.
    pub fn new(
        stores: Stores,
        secret: Secret,
        rules: Rules,
        running: Option<Running>,
        clock: fn() -> u64,
    ) -> Self {
        let (writing, reloading) = (Mutex::default(), Mutex::default());
        let rules = RefCell::new(Rc::new(rules));
        let (staged, exporting) = (RefCell::default(), RefCell::default());
        Self { stores, secret, rules, running, staged, exporting, writing, reloading, clock }
    }

    /// Carries out one operation, wholly or not at all.
    pub async fn execute<O: Operation>(
        &self,
        actor: Actor,
        operation: O,
    ) -> Result<O::Response, OperationError> {
        self.give_up_import_if_left_alone();
        self.give_up_export_if_left_alone();
        if O::NEEDS_STORE {
            self.records().check_place().await?;
        }
        operation.carry_out(self, actor).await
    }

    /// The listening sockets, for the gateway that takes the place of this one and will listen at `addresses`.
    pub(super) async fn hand_over(&self, addresses: &[SocketAddr]) -> Result<Sockets, OperationError> {
        // Without its folder the next gateway would begin with an empty store.
        self.records().check_place().await?;
        self.process().ok_or(OperationError::NothingRuns)?.hand_over(addresses)
    }

    /// Writes down what waits in memory.
    pub(crate) async fn save(&self, what: Unsaved) -> Result<(), StoreError> {
        match self.process() {
            Some(process) => process.save(what).await,
            None => Ok(()),
        }
    }

    /// Brings what others have changed to the gateway.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        let _turn = self.writing.lock().await;
        match &self.running {
            Some(running) => running.applier.catch_up().await,
            None => Ok(()),
        }
    }

    /// The number of the last change that the gateway has.
    pub(crate) fn applied(&self) -> Option<u64> {
        self.running.as_ref().and_then(|running| running.applier.applied())
    }

    /// Brings a change that was just made to the gateway.
    async fn apply(&self, change: &Change) -> Result<(), StoreError> {
        match &self.running {
            Some(running) => running.applier.apply(change).await,
            // The next gateway reads everything.
            None => Ok(()),
        }
    }

    fn records(&self) -> &dyn Records {
        self.stores.records.as_ref()
    }

    fn gateway(&self) -> Option<&dyn Live> {
        self.running.as_ref().map(|running| running.applier.gateway())
    }

    fn process(&self) -> Option<&dyn Process> {
        self.running.as_ref().map(|running| running.process.as_ref())
    }

    fn rules(&self) -> Rc<Rules> {
        Rc::clone(&self.rules.borrow())
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }
}
