//! The data plane of Fairgate.

pub mod settings;
