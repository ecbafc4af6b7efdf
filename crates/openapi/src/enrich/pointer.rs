//! JSON pointers (RFC 6901).

/// A name as a token of a JSON pointer.
pub(super) fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
