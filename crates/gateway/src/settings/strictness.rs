//! Access by address, and how strictly requests are parsed.

pub use http1::reading::{Slashes, Treatment};
use ipnet::IpNet;
use std::net::IpAddr;

/// Which addresses have access.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Only these. Empty: all.
    pub allow: Vec<IpNet>,
    /// Not these, even if `allow` lists them.
    pub deny: Vec<IpNet>,
}

impl Access {
    /// Whether this address has access.
    pub fn admits(&self, address: IpAddr) -> bool {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        (self.allow.is_empty() || is_in(&self.allow)) && !is_in(&self.deny)
    }
}

/// How strictly requests are parsed where the standards leave it open. What they define as
/// malformed is always refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strictness {
    /// Headers whose names have other characters than letters, digits and hyphens.
    pub header_names: Treatment,
    /// Headers from which some servers take the path or method instead of the request line.
    pub override_headers: Treatment,
    /// Whether GET and HEAD may have a body at endpoints that declare none.
    pub bodies_of_get: bool,
    /// How to treat consecutive slashes.
    pub slashes: Slashes,
    /// Paths that some servers would read as another path.
    pub ambiguous_paths: AmbiguousPaths,
}

/// How to treat a path that some servers would read as another one, for example because they decode
/// `%2F` before routing, or cut off what follows a semicolon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AmbiguousPaths {
    /// Refuse it if the other path leads to another endpoint.
    #[default]
    Check,
    /// Refuse it.
    Refuse,
    /// Pass it on.
    Pass,
}
