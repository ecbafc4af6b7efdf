//! The contract that every client of an API behind Fairgate can rely on.
//!
//! This crate is pure: it has no runtime, sockets or files, and time is a parameter. All other
//! crates follow it: the closed table of statuses ([`Status`]), the registry of error codes
//! ([`ErrorCode`]), the error specification ([`Specification`]), the mapping of an upstream's
//! response to ours ([`upstream`], [`upstream_body`]), the same errors in gRPC ([`grpc`]), the
//! kinds of limits and the arithmetic of their windows ([`Limit`], [`Period`], [`Zone`]), redirects
//! ([`redirect`]) and the format of keys ([`key`]).

pub mod calendar;
pub mod detail;
pub mod grpc;
mod grpc_status;
pub mod key;
pub mod limit;
mod percent;
pub mod permission;
pub mod pointer;
pub mod redirect;
pub mod registry;
pub mod specification;
pub mod status;
pub mod upstream;
pub mod upstream_body;
pub mod window;

pub use calendar::{Calendar, Zone};
pub use detail::Detail;
pub use limit::{Class, Kind, Limit, LimitError, Tag};
pub use redirect::RedirectStatus;
pub use registry::ErrorCode;
pub use specification::Specification;
pub use status::{Status, Statuses};
pub use window::Period;
