//! What is kept of a head that is refused: how to answer whoever sent it.

use super::RequestHead;
use crate::{
    Span,
    field::{self, Field},
};

impl RequestHead {
    /// What is kept of a head that is refused, as far as it can be read.
    pub fn of_refused(head: &[u8]) -> Self {
        Self::of_remains(head.split(|&b| b == b'\n').skip(1).filter_map(|line| {
            let colon = memchr::memchr(b':', line)?;
            let (name, value) = line.split_at_checked(colon)?;
            Some((name, value.get(1..)?))
        }))
    }

    /// What is kept of the fields of a head that is refused: its id, what tells in which form its sender reads errors,
    /// and the origin of the page that sent it, so that the page can read why. What stands there twice is nothing.
    pub fn of_remains<'h>(fields: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> Self {
        const KEPT: [&[u8]; 4] = [b"origin", b"accept", b"content-type", b"x-request-id"];
        let mut found: [(u8, &[u8]); KEPT.len()] = [(0, b""); KEPT.len()];
        for (name, value) in fields {
            let place = KEPT.iter().zip(&mut found).find(|(kept, _)| name.eq_ignore_ascii_case(kept));
            if let Some((_, (count, first))) = place {
                *count = count.saturating_add(1);
                *first = value.trim_ascii();
            }
        }
        let mut head = Self::default();
        for (name, (count, value)) in KEPT.into_iter().zip(found) {
            let is_plain = value.iter().all(|&b| b.is_ascii_graphic() || b == b' ');
            if count == 1 && !value.is_empty() && is_plain {
                let start = head.bytes.len();
                head.bytes.extend_from_slice(name);
                let middle = head.bytes.len();
                head.bytes.extend_from_slice(value);
                let (name_at, value_at) =
                    (Span::between(start, middle), Span::between(middle, head.bytes.len()));
                head.fields.push(Field {
                    name: name_at,
                    value: value_at,
                    kind: field::of_request(name, &[]),
                });
            }
        }
        head
    }
}
