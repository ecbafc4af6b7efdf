//! The configuration of head parsing: the names of key headers, and how strict to be.

/// How to treat a header that may mean something else to the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Treatment {
    /// The request is refused.
    Refuse,
    /// The header is not forwarded.
    #[default]
    Drop,
    /// The header is forwarded.
    Pass,
}

/// How to treat consecutive slashes in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slashes {
    /// Unchanged. A server that merges them is another view of the path (`AmbiguousPaths`).
    #[default]
    Keep,
    /// Merged into one, for routing and for the upstream.
    Merge,
    /// The request is refused.
    Refuse,
}

/// How requests are parsed.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The headers that may contain a key, in lower case.
    pub keys: Vec<String>,
    /// Names with other characters than letters, digits and hyphens that an endpoint expects, in lower case.
    pub asked_for: Vec<String>,
    /// The header with the subject of the client's certificate, which only the gateway may send to
    /// the upstream.
    pub subject: Option<String>,
    /// How to treat headers whose names have other characters than letters, digits and hyphens.
    pub odd_names: Treatment,
    /// How to treat headers from which some servers take the path or method instead of the request line.
    pub overrides: Treatment,
    /// How to treat consecutive slashes.
    pub slashes: Slashes,
}
