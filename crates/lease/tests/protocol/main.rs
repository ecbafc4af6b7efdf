//! The rules of the protocol one by one, between one ledger and nodes whose messages the test carries itself.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod asking;
mod cluster;
mod kinds;
mod losses;
mod messages;
