//! Decompresses an error body of the upstream: a client that accepts gzip gets errors in gzip, and
//! the message is inside.

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http1::response::ResponseHead;
use std::{borrow::Cow, io::Read};

/// Maximum decompressed size: a small body may decompress to an enormous one.
const MAX_DECODED: u64 = 64 * 1024;

/// The body without its content coding. None: the coding is unknown or the data is corrupt, so the
/// body is not used. `head`: the buffer that the response's head was parsed from.
pub(super) fn decoded<'b>(answer: &ResponseHead, head: &[u8], body: &'b [u8]) -> Option<Cow<'b, [u8]>> {
    let codings =
        answer.fields.iter().filter(|field| field.name.get(head).eq_ignore_ascii_case(b"content-encoding"));
    let mut codings = codings.map(|field| field.value.get(head).trim_ascii());
    let (coding, further) = (codings.next(), codings.next());
    match (coding, further) {
        (None, _) => Some(Cow::Borrowed(body)),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"identity") => Some(Cow::Borrowed(body)),
        (Some(coding), None)
            if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") =>
        {
            read(MultiGzDecoder::new(body))
        }
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"deflate") => read(ZlibDecoder::new(body)),
        (Some(_), _) => None,
    }
}

fn read(decoder: impl Read) -> Option<Cow<'static, [u8]>> {
    let mut out = Vec::new();
    decoder.take(MAX_DECODED).read_to_end(&mut out).ok()?;
    Some(Cow::Owned(out))
}
