//! What the compiler does not hold the architecture to: modules form no circles, and the crates that compute know no runtime.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod circles;
mod modules;
mod runtimes;
