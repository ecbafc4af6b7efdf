//! What is kept of a refused head: how to respond to its sender.

use super::RequestHead;
use crate::{
    MAX_FIELDS, Span,
    field::{self, Field, ForwardedKind, RequestField},
    host,
    reading::Reading,
};

impl RequestHead {
    /// What can be read of a refused head.
    pub fn of_refused(head: &[u8], reading: &Reading) -> Self {
        let mut lines = head.split(|&b| b == b'\n');
        let is_head = lines.next().is_some_and(|line| line.starts_with(b"HEAD "));
        let mut kept = Self::of_remains(
            lines.filter_map(|line| {
                let colon = memchr::memchr(b':', line)?;
                let (name, value) = line.split_at_checked(colon)?;
                Some((name, value.get(1..)?))
            }),
            reading,
        );
        if is_head {
            // The response has no body, whatever is wrong with the rest.
            kept.text.insert_str(0, "HEAD");
            let end = "HEAD".len();
            (kept.method_end, kept.path_end, kept.query_end) = (end, end, end);
        }
        kept
    }

    /// What is kept of the fields of a refused head: its request ID, the fields that select the
    /// format of errors, the origin of the page that sent it, so that the page can read the error,
    /// the host and scheme of links, and the key, whose limits the response states. A field that is
    /// not a list and appears twice is ignored.
    pub fn of_remains<'h>(fields: impl Iterator<Item = (&'h [u8], &'h [u8])>, reading: &Reading) -> Self {
        let origin = field::of_request(b"origin", &[]);
        let mut found: Vec<(RequestField, &[u8], &[u8])> = Vec::new();
        let (mut hosts, mut authority) = (Vec::new(), None);
        for (name, value) in fields {
            let kind = field::of_request(name, &reading.keys);
            let value = value.trim_ascii();
            if kind == RequestField::Host {
                hosts.push(value);
            } else if name == b":authority" {
                authority = Some(value);
            }
            let is_kept = match kind {
                RequestField::Accept
                | RequestField::ContentType
                | RequestField::RequestId
                | RequestField::Authorization
                | RequestField::Key(_) => true,
                // Not the addresses: in a malformed head the client may have written them.
                RequestField::Forwarded(forwarded) => forwarded == ForwardedKind::Proto,
                RequestField::Single(_) => kind == origin,
                RequestField::EndToEnd
                | RequestField::HopByHop
                | RequestField::Host
                | RequestField::ContentLength
                | RequestField::TransferEncoding
                | RequestField::Connection
                | RequestField::Te
                | RequestField::Expect
                | RequestField::ApiKey
                | RequestField::Via
                | RequestField::ConsumerId
                | RequestField::Override => false,
            };
            if is_kept && found.len() < MAX_FIELDS {
                found.push((kind, name, value));
            }
        }
        let is_single = |kind| {
            kind == RequestField::Accept || found.iter().filter(|(other, ..)| *other == kind).count() == 1
        };
        let mut head = Self::default();
        let host = match hosts.as_slice() {
            [only] => authority.or(Some(*only)),
            [] | [_, _, ..] => authority,
        };
        let host = host.filter(|host| host::is_host(host)).and_then(|host| std::str::from_utf8(host).ok());
        head.text.push_str(host.unwrap_or_default());
        for &(kind, name, value) in &found {
            let is_plain = value.iter().all(|&b| b.is_ascii_graphic() || b == b' ');
            if is_single(kind) && !value.is_empty() && is_plain {
                let start = head.bytes.len();
                head.bytes.extend_from_slice(name);
                let middle = head.bytes.len();
                head.bytes.extend_from_slice(value);
                let (name, value) = (Span::between(start, middle), Span::between(middle, head.bytes.len()));
                head.fields.push(Field { name, value, kind });
            }
        }
        head
    }
}
