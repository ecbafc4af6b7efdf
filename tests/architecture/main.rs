//! What the compiler does not hold the architecture to: modules form no circles, those of the gateway are layers, and the
//! crates that compute know no runtime.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]
#![allow(clippy::wildcard_enum_match_arm, reason = "syn's own kinds, of which few matter here")]

mod circles;
mod crates;
mod layers;
mod modules;
mod runtimes;
