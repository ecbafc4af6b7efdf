//! What of a head depends on the configuration: names that carry keys, and how strictly it is read.

/// What happens to a header that may mean something else to the upstream than it does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Treatment {
    /// The request is refused.
    Refuse,
    /// The upstream does not see it.
    #[default]
    Drop,
    /// The upstream sees it.
    Pass,
}

/// What several slashes in a row in a path are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slashes {
    /// What they are. A server that merges them is another view of the path (`AmbiguousPaths`).
    #[default]
    Keep,
    /// One slash, for whoever matches the path and for the upstream.
    Merge,
    /// A fault.
    Refuse,
}

/// How requests are read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The headers that may hold a key, in lower case.
    pub keys: Vec<String>,
    /// Names beyond letters, digits and hyphens that an endpoint asks for, in lower case: they are no surprise.
    pub asked_for: Vec<String>,
    /// The header that tells the upstream the subject of the client's certificate: said by us alone.
    pub subject: Option<String>,
    /// What happens to headers whose names are not made of letters, digits and hyphens.
    pub odd_names: Treatment,
    /// What happens to headers by which some servers take another path or method than the request line's.
    pub overrides: Treatment,
    /// What several slashes in a row are.
    pub slashes: Slashes,
}
