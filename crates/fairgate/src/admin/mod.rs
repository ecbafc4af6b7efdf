//! The control plane: what an operator can do, one code path whether a gateway runs or not.
//!
//! [`Control`] carries out an [`Operation`] on the store. A running gateway holds one and serves it
//! on a Unix socket; a command that finds no gateway opens the store and holds one itself. Nothing
//! here knows the command line or the configuration file.

mod address;
mod client;
mod control;
mod handing;
mod operation;
mod own_limits;
mod place;
mod socket;

pub(crate) use client::{AskError, ask};
pub(crate) use control::{Control, Live, Offline, Preparing, Rules, carry_out, system_clock, system_micros};
pub(crate) use handing::{Handover, Old, Sockets, ask_for_sockets};
pub(crate) use operation::{
    AddressView, Expiry, ImportFault, ImportFaultKind, KeyChange, KeyView, NewKey, NewMaintenance, Operation,
    OperationError, Outcome, Reloaded, Status, ThreadStatus,
};
pub(crate) use place::{FoundBy, Place};
#[allow(unused_imports, reason = "the binary only shows the error; the tests of the socket name it")]
pub(crate) use socket::{AdminSocket, Names, SocketError, serve};
