//! What an error of the upstream's says if its body is compressed: a client that takes gzip gets errors in gzip, and the
//! sentence for people is in there.

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http1::response::ResponseHead;
use std::{borrow::Cow, io::Read};

/// Bytes that are decoded at most: a small error may pretend to be an enormous one.
const MAX_DECODED: u64 = 64 * 1024;

/// The body without its content coding. None: the coding is not known here, or broken, so that
/// nothing in it is for people. `head` is the buffer that the answer's head was read from.
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
