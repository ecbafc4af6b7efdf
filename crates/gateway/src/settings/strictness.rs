//! Who may use the API, and how strictly requests are read.

pub use http1::reading::{Slashes, Treatment};
use ipnet::IpNet;
use std::net::IpAddr;

/// Which addresses may use something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Only these. Empty: all.
    pub allow: Vec<IpNet>,
    /// None of these, also if `allow` names them.
    pub deny: Vec<IpNet>,
}

impl Access {
    /// Whether this address may.
    pub fn admits(&self, address: IpAddr) -> bool {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        (self.allow.is_empty() || is_in(&self.allow)) && !is_in(&self.deny)
    }
}

/// How strictly requests are read where the standards leave it open. What they call malformed is always refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strictness {
    /// Headers whose names hold more than letters, digits and hyphens.
    pub header_names: Treatment,
    /// Headers by which some servers take another path or method than the request line's.
    pub override_headers: Treatment,
    /// Whether GET and HEAD may have a body at endpoints that declare none.
    pub bodies_of_get: bool,
    /// What several slashes in a row are.
    pub slashes: Slashes,
    /// Paths that some servers would read as another path.
    pub ambiguous_paths: AmbiguousPaths,
}

/// What happens to a path that some servers would read as another one, because they undo `%2F` before they look for
/// the endpoint, say, or cut off what follows a semicolon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AmbiguousPaths {
    /// Refused if the other path leads to another endpoint.
    #[default]
    Check,
    /// Refused.
    Refuse,
    /// Sent on.
    Pass,
}
