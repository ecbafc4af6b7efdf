//! The admin socket: one JSON line asks, one answers. How it is found, served and asked, and how a gateway hands its listening
//! sockets to the next one over it.

mod address;
mod client;
mod handing;
mod place;
mod socket;

pub use client::{AskError, ask};
pub(crate) use handing::{Handover, Old, ask_for_sockets};
pub use place::{FoundBy, Place};
pub use socket::{AdminSocket, Names, SocketError, serve};
