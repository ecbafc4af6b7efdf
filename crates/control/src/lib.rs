//! The control plane: what an operator can do, one code path whether a gateway runs or not.
//!
//! [`Control`] carries out each [`Operation`] on the store, and has what was changed applied to the gateway. A running gateway
//! holds one and serves it on a Unix socket; a command that finds no gateway opens the store and holds one itself. [`serve`]
//! starts, runs and ends a gateway around it. Nothing here knows the command line.

mod actor;
mod changes;
pub mod cluster;
mod cluster_health;
mod control;
mod dispatch;
mod error;
pub mod export;
mod failure;
mod lifecycle;
mod live;
mod nearest;
mod operations;
mod own_limits;
pub mod serve;
mod sockets;
mod transport;

pub use actor::Actor;
pub use changes::Applier;
pub use control::{Control, Operation, Running, Stores, system_clock, system_micros};
pub use error::{OperationError, Refused};
pub use failure::Failure;
pub use live::{Counting, Live, Load, Preparing, Process, Rules, Saving, TakenOver, Unsaved};
pub use operations::{
    AddToImport, AddressView, BeginExport, BeginImport, BeginMaintenance, ChangeKey, ClusterStatus,
    CommitImport, CreateKey, EndMaintenance, Expiry, ExportBegun, ExportCounters, ExportKeys, ExportUsage,
    GroupIncidents, ImportFault, ImportFaultKind, KeyChange, KeyCreated, KeyView, KeysRevoked, LedgerServer,
    LedgerStatus, ListIncidents, ListKeys, ListMaintenance, ListUpstreams, NewKey, NewMaintenance, Reload,
    Reloaded, RevokeKeys, ShowIncident, ShowStatus, ShowUsage, Status, ThreadStatus,
};
pub use own_limits::{Cost, ReadLimit};
pub use sockets::Sockets;
pub use transport::unix::{
    AdminSocket, AskError, FoundBy, Names, Place, SocketError, ask, serve as serve_admin,
};
