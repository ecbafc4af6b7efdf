//! The contract that every client behind Fairgate may rely on.
//!
//! This crate is pure: it knows no runtime, no socket, no file, and takes the time as an argument.
//! What stands here is law for every other crate: the closed table of codes ([`Status`]), the
//! registry of error codes ([`ErrorCode`]), the error specification ([`Specification`]), the map
//! from an upstream's answer to ours ([`upstream`], [`upstream_body`]), the same errors in gRPC ([`grpc`]), the kinds of limits and the
//! arithmetic of their windows ([`Limit`], [`Period`], [`Zone`]), how redirects are sent ([`redirect`]) and the format of keys ([`key`]).

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
