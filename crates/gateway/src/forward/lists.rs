//! Fields to which each gateway on the way appends an entry of its own.

/// Lists to which the gateway appends: the last line of each. Earlier lines are passed on unchanged.
#[derive(Default)]
pub(super) struct Lists<'h> {
    pub(super) via: Option<&'h [u8]>,
    pub(super) forwarded: Option<&'h [u8]>,
    pub(super) forwarded_for: Option<&'h [u8]>,
}

/// Appends a list with one more entry.
pub(super) fn prolong(name: &[u8], before: Option<&[u8]>, value: &[u8], out: &mut Vec<u8>) {
    begin_prolonged(name, before, out);
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends a list up to where the next entry begins.
#[inline]
pub(super) fn begin_prolonged(name: &[u8], before: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    if let Some(before) = before {
        out.extend_from_slice(before);
        out.extend_from_slice(b", ");
    }
}
