//! What the control plane needs of a running gateway, and of the process around it.

use super::{
    actor::Actor,
    error::OperationError,
    operations::{AddressView, Reloaded, Status},
    own_limits::{Cost, ReadLimit},
    sockets::Sockets,
};
use gateway::{
    maintenance::Pattern,
    settings::{NamedEndpoint, Plan},
};
use journal::Counters;
use regex::Regex;
use std::{future::Future, net::SocketAddr, pin::Pin};
use store::{Change, KeyVisitor, MaintenanceWindow, StoreError};

/// A running gateway: where changes go, and what can be asked. Called on the control thread.
pub trait Live {
    /// Takes a change over, whoever made it. All before it were taken over.
    fn apply(&self, change: &Change);
    /// What takes over all that is stored. There are so many keys.
    fn load(&self, keys: u64) -> Load<'_>;
    /// How the gateway stands.
    fn status(&self) -> Status;
    /// The addresses of all upstreams.
    fn upstreams(&self) -> Vec<AddressView>;
    /// Whether there are endpoints that maintenance can be of.
    fn has_endpoints(&self, pattern: &Pattern) -> bool;
    /// The endpoints that are operations with a name.
    fn operations(&self) -> Vec<NamedEndpoint>;
}

/// What takes over all that is stored: the keys on threads of their own, and behind them the windows of maintenance.
pub struct Load<'g> {
    /// Each takes a part of the keys.
    pub keys: Vec<KeyVisitor>,
    /// Takes all windows of maintenance.
    pub rest: Box<dyn FnOnce(Vec<MaintenanceWindow>) + 'g>,
}

/// The process around a running gateway. Called on the control thread.
pub trait Process {
    /// Writes down what waits in memory, before somebody reads it.
    fn save(&self, what: Unsaved) -> Saving<'_>;
    /// All counters as they are now, to be read while requests go on. None: there are none that outlive the process.
    fn counters(&self) -> Counting<'_> {
        Box::pin(async { Ok(None) })
    }
    /// What reads the configuration again. It may take seconds, and is for another thread.
    fn prepare(&self) -> Preparing;
    /// Takes over what was prepared.
    ///
    /// # Errors
    /// A sentence about what is wrong; then nothing was changed.
    fn take_over(&self) -> Result<TakenOver, OperationError>;
    /// Notes what came of reading the configuration again.
    fn reloaded(&self, actor: Actor, done: Result<&Reloaded, &OperationError>);
    /// The listening sockets, for the gateway that takes the place of this one, which drains and ends from
    /// now on.
    ///
    /// # Errors
    /// It starts or drains already.
    fn hand_over(&self, addresses: &[SocketAddr]) -> Result<Sockets, OperationError>;
}

/// Is done once what waited is written.
pub type Saving<'p> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + 'p>>;

/// Is done once the counters can be read.
pub type Counting<'p> = Pin<Box<dyn Future<Output = Result<Option<Counters>, OperationError>> + 'p>>;

/// Reads and compiles, and lays what came of it ready. An error says what is wrong.
pub type Preparing = Box<dyn FnOnce() -> Result<(), OperationError> + Send>;

/// What happened and waits in memory to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsaved {
    /// Incidents, and a part of the usage if its time has come.
    Incidents,
    /// All usage until now.
    Usage,
}

/// A configuration that holds from now on.
pub struct TakenOver {
    /// What it says about keys.
    pub rules: Rules,
    /// What is different.
    pub reloaded: Reloaded,
}

/// What the configuration says about keys.
pub struct Rules {
    /// The plans.
    pub plans: Vec<Plan>,
    /// Reads limits of keys' own.
    pub read_limit: ReadLimit,
    /// The whole of an imported key matches this. None: any format.
    pub pattern: Option<Regex>,
    /// What requests cost that need a key: of each group of endpoints the dearest.
    pub costs: Vec<Cost>,
}
