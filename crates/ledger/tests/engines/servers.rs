//! The servers of Valkey and Redis, and Sentinels beside them.

pub use crate::valkey_server::{Program, Sentinel, Server, free_port};
