//! Access by address, and how strictly requests are parsed.

use http1::path::{normal, other_views};
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

impl Strictness {
    /// Why requests to a path are always refused, as a sentence. None: they are not. `semicolons`: parameters of the path are
    /// written behind some.
    ///
    /// That is so if its characters are not allowed, or if another server would take it for a path that is no endpoint.
    pub fn refusal(&self, path: &str, semicolons: bool) -> Option<String> {
        let normal = match normal(path, self.slashes) {
            Ok(normal) => normal,
            Err(fault) => return Some(fault.message.into_owned()),
        };
        if normal.text.is_some_and(|text| text != path) {
            return Some("its slashes are merged before it is looked up.".to_owned());
        }
        let path = if semicolons { path.replace(';', "_") } else { path.to_owned() };
        let is_read_otherwise = match self.ambiguous_paths {
            AmbiguousPaths::Check | AmbiguousPaths::Refuse => !other_views(&path).is_empty(),
            AmbiguousPaths::Pass => path.contains("//"),
        };
        is_read_otherwise.then(|| {
            "it has characters that servers interpret differently. Rename it, or set `[strictness] ambiguous_paths = \"pass\"`."
                .to_owned()
        })
    }
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
