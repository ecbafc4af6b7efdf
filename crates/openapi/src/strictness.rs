//! How strict rules are where the specification leaves it open.

/// What holds for query parameters that the document does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownQuery {
    /// They pass.
    #[default]
    Ignored,
    /// `PARAMETER_NOT_VALID`, with the nearest known name.
    Refused,
}

/// What holds for members that are `readOnly` when a request sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadOnly {
    /// They pass, checked by their schema: clients send back what they were given.
    #[default]
    Ignored,
    /// A violation.
    Refused,
}

/// How formats are validated that many frameworks write in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Formats {
    /// As the standards have it: in RFC 3339 a time has seconds and a zone.
    #[default]
    Strict,
    /// Also as frameworks write it: a time without seconds and zone, a duration with fractions and signs, a URI or an e-mail
    /// address with characters beyond ASCII, base64 of either alphabet without padding.
    Lenient,
}

/// How strict rules are where the specification leaves it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strictness {
    /// Query parameters that the document does not name.
    pub unknown_query: UnknownQuery,
    /// Members that are `readOnly`.
    pub read_only: ReadOnly,
    /// Formats.
    pub formats: Formats,
}
