//! The control plane: what an operator can do, one code path whether a gateway runs or not.
//!
//! [`Control`] carries out each [`Operation`] on the store, and has what was changed applied to the gateway. A running gateway
//! holds one and serves it on a Unix socket; a command that finds no gateway opens the store and holds one itself. Nothing
//! here knows the command line or the configuration file.

mod actor;
mod address;
mod changes;
mod client;
mod control;
mod dispatch;
mod error;
mod handing;
mod live;
mod operations;
mod own_limits;
mod place;
mod socket;
mod sockets;

pub(crate) use actor::Actor;
pub(crate) use changes::Applier;
pub(crate) use client::{AskError, ask};
pub(crate) use control::{Control, Operation, Running, Stores, system_clock, system_micros};
pub(crate) use error::OperationError;
pub(crate) use handing::{Handover, Old, ask_for_sockets};
pub(crate) use live::{Live, Load, Preparing, Process, Rules, Saving, TakenOver, Unsaved};
pub(crate) use operations::{
    AddToImport, AddressView, BeginImport, BeginMaintenance, ChangeKey, CommitImport, CreateKey,
    EndMaintenance, Expiry, GroupIncidents, ImportFault, ImportFaultKind, KeyChange, KeyCreated, KeyView,
    KeysRevoked, ListIncidents, ListKeys, ListMaintenance, ListUpstreams, NewKey, NewMaintenance, Reload,
    Reloaded, RevokeKeys, ShowIncident, ShowStatus, ShowUsage, Status, ThreadStatus,
};
pub(crate) use place::{FoundBy, Place};
#[allow(unused_imports, reason = "the binary only shows the error; the tests of the socket name it")]
pub(crate) use socket::{AdminSocket, Names, SocketError, serve};
pub(crate) use sockets::Sockets;
