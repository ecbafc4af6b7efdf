//! Message bodies: framing, decoding while they arrive, encoding while they are sent.

use super::reading::Treatment;
use super::{
    Fault, field,
    locate::{is_token, quoted},
    reading::Reading,
};
use buffer::Buffer;
use std::{io::Write, sync::Arc};

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Content-Length. 0: no body.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Until the connection closes: responses only.
    UntilClose,
}

/// Decodes a body.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// Bytes of the body decoded so far.
    taken: u64,
    /// Trailer fields to forward, as lines.
    trailers: Vec<u8>,
    /// Bytes of chunk extensions dropped so far.
    extensions: usize,
    /// How the trailers of a request are checked. From a response, trailers that may not be
    /// forwarded are only dropped.
    reading: Option<Arc<Reading>>,
    /// A trailer of a response that is for the gateway and not for the client.
    cost_trailer: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    UntilClose,
    End,
}

/// What the next bytes of a body are.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'b> {
    /// Bytes of the body, taken from the buffer.
    Data(&'b [u8]),
    /// More bytes must be read first.
    More,
    /// The body is complete.
    End,
}

/// Limit of a chunk's size line, extensions included.
const LONGEST_SIZE_LINE: usize = 1024;
/// Limit of all chunk extensions of a body together: they have no use, and would bypass the limit
/// of the body.
const MAX_EXTENSIONS: usize = 8 * 1024;
/// Limit of all trailer fields.
const LONGEST_TRAILERS: usize = 8 * 1024;

const BAD_CHUNK: Fault =
    Fault::malformed("The body has a malformed chunk: its size line or its end does not follow RFC 9112.");
const BAD_TRAILERS: Fault = Fault::malformed("The trailer fields after the body are malformed or too large.");

impl Default for Framing {
    fn default() -> Self {
        Self::Length(0)
    }
}

// === impl Decoder ===

impl Decoder {
    /// For a body whose trailers are not kept.
    pub const fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Length(0) => State::End,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, taken: 0, trailers: Vec::new(), extensions: 0, reading: None, cost_trailer: None }
    }

    /// For the body of a request.
    pub fn of_request(framing: Framing, reading: &Arc<Reading>) -> Self {
        // Only a chunked body has trailers.
        let reading = (framing == Framing::Chunked).then(|| Arc::clone(reading));
        Self { reading, ..Self::new(framing) }
    }

    /// For the body of an upstream's response. `cost_trailer`: the field with the cost of the
    /// request, which the client must not see.
    pub fn of_response(framing: Framing, cost_trailer: Option<&str>) -> Self {
        let cost_trailer = cost_trailer.filter(|_| framing == Framing::Chunked).map(Into::into);
        Self { cost_trailer, ..Self::new(framing) }
    }

    /// Whether the body was decoded to its end.
    #[inline]
    pub fn is_complete(&self) -> bool {
        self.state == State::End
    }

    /// Bytes of the body decoded so far, without chunk framing.
    #[inline]
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes that are still to come, if the body has a Content-Length.
    #[inline]
    pub const fn left(&self) -> Option<u64> {
        match self.state {
            State::Length(left) => Some(left),
            State::End => Some(0),
            State::ChunkSize | State::Chunk(_) | State::ChunkEnd | State::Trailers | State::UntilClose => {
                None
            }
        }
    }

    /// Whether the body ends when the connection closes.
    #[inline]
    pub fn ends_with_stream(&self) -> bool {
        self.state == State::UntilClose
    }

    /// Trailer fields to forward, as lines that each end in CR LF.
    #[inline]
    pub fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Decodes the next part of `input`.
    pub fn next<'b>(&mut self, input: &'b mut Buffer) -> Result<Step<'b>, Fault> {
        loop {
            match self.state {
                State::End => return Ok(Step::End),
                State::UntilClose if input.is_empty() => return Ok(Step::More),
                State::UntilClose => {
                    self.taken = self.taken.saturating_add(input.len() as u64);
                    return Ok(Step::Data(input.take(usize::MAX)));
                }
                State::Length(left) | State::Chunk(left) => {
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    if count == 0 {
                        return Ok(Step::More);
                    }
                    let rest = left - count as u64;
                    let is_chunk = matches!(self.state, State::Chunk(_));
                    self.state = match (is_chunk, rest) {
                        (true, 0) => State::ChunkEnd,
                        (true, rest) => State::Chunk(rest),
                        (false, 0) => State::End,
                        (false, rest) => State::Length(rest),
                    };
                    self.taken = self.taken.saturating_add(count as u64);
                    return Ok(Step::Data(input.take(count)));
                }
                State::ChunkSize => {
                    let Some((size, extension)) = size_line(input)? else { return Ok(Step::More) };
                    self.extensions += extension;
                    if self.extensions > MAX_EXTENSIONS {
                        return Err(Fault::malformed(
                            "The chunk extensions of the body exceed 8 KiB in total.",
                        ));
                    }
                    self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
                }
                State::ChunkEnd => match input.filled() {
                    [b'\r', b'\n', ..] => {
                        input.consume(2);
                        self.state = State::ChunkSize;
                    }
                    [] | [b'\r'] => return Ok(Step::More),
                    [_, ..] => return Err(BAD_CHUNK),
                },
                State::Trailers => {
                    if !self.read_trailers(input)? {
                        return Ok(Step::More);
                    }
                    self.state = State::End;
                }
            }
        }
    }

    fn read_trailers(&mut self, input: &mut Buffer) -> Result<bool, Fault> {
        let bytes = input.filled();
        let length = match bytes {
            [b'\r', b'\n', ..] => 2,
            [] | [b'\r'] => return Ok(false),
            [..] => match memchr::memmem::find(bytes, b"\r\n\r\n") {
                Some(at) => at + 4,
                None if bytes.len() > LONGEST_TRAILERS || has_bare_line_feed(bytes) => {
                    return Err(BAD_TRAILERS);
                }
                None => return Ok(false),
            },
        };
        let mut storage = [httparse::EMPTY_HEADER; 32];
        let section = input.take(length);
        let bare = has_bare_line_feed(section);
        let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(section, &mut storage)
        else {
            return Err(BAD_TRAILERS);
        };
        if bare || length > LONGEST_TRAILERS {
            return Err(BAD_TRAILERS);
        }
        for header in fields.iter() {
            let name = header.name.as_bytes();
            let treatment = match &self.reading {
                // As in headers, a key of ours is never forwarded to the upstream.
                Some(_) if contract::key::position(header.value).is_some() => Treatment::Drop,
                Some(reading) => field::of_request_trailer(name, reading),
                None if field::may_trail(name) && !is_named(name, self.cost_trailer.as_deref()) => {
                    Treatment::Pass
                }
                None => Treatment::Drop,
            };
            match treatment {
                Treatment::Pass => field::write(name, header.value, &mut self.trailers),
                Treatment::Drop => {}
                Treatment::Refuse => return Err(refused_trailer(name)),
            }
        }
        Ok(true)
    }
}

fn is_named(name: &[u8], wanted: Option<&str>) -> bool {
    wanted.is_some_and(|wanted| name.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn refused_trailer(name: &[u8]) -> Fault {
    let quoted = quoted(name);
    Fault::at(if field::is_plain_name(name) {
        format!(
            "The field {quoted} is not allowed in trailers (RFC 9110, section 6.5.1); send it as a header."
        )
    } else {
        format!("The trailer name {quoted} may contain only letters, digits and hyphens.")
    })
}

fn has_bare_line_feed(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes).any(|at| bytes.get(at.wrapping_sub(1)) != Some(&b'\r'))
}

/// The size of the next chunk and the length of its extensions, once its line is complete.
/// Extensions are dropped.
fn size_line(input: &mut Buffer) -> Result<Option<(u64, usize)>, Fault> {
    let bytes = input.filled();
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        // Reject an incomplete line as soon as it is invalid, instead of waiting for an end that
        // may never come.
        return if bytes.len() > LONGEST_SIZE_LINE || bytes.first().is_some_and(|b| !b.is_ascii_hexdigit()) {
            Err(BAD_CHUNK)
        } else {
            Ok(None)
        };
    };
    let line = bytes.get(..end).and_then(|line| line.strip_suffix(b"\r")).ok_or(BAD_CHUNK)?;
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let (size, extension) = line.split_at(digits);
    // 15 digits are larger than any disk, and cannot overflow.
    if digits == 0 || digits > 15 || !are_extensions(extension) || line.len() > LONGEST_SIZE_LINE {
        return Err(BAD_CHUNK);
    }
    let size =
        std::str::from_utf8(size).ok().and_then(|hex| u64::from_str_radix(hex, 16).ok()).ok_or(BAD_CHUNK)?;
    let extension = extension.len();
    input.consume(end + 1);
    Ok(Some((size, extension)))
}

/// RFC 9112 section 7.1.1, strictly: `;name`, `;name=token`, `;name="quoted"`, with white space
/// only around the semicolon and the equals sign. Another parser might end the line elsewhere if we
/// were lenient.
fn are_extensions(mut rest: &[u8]) -> bool {
    let blank = |bytes: &mut &[u8]| {
        while let [b' ' | b'\t', behind @ ..] = *bytes {
            *bytes = behind;
        }
    };
    let token = |bytes: &mut &[u8]| {
        let length = bytes.iter().take_while(|&&b| is_token(b)).count();
        *bytes = bytes.get(length..).unwrap_or_default();
        length > 0
    };
    while !rest.is_empty() {
        blank(&mut rest);
        let [b';', behind @ ..] = rest else { return false };
        rest = behind;
        blank(&mut rest);
        if !token(&mut rest) {
            return false;
        }
        let mut behind_blank = rest;
        blank(&mut behind_blank);
        if let [b'=', behind @ ..] = behind_blank {
            rest = behind;
            blank(&mut rest);
            if !token(&mut rest) && !quoted_string(&mut rest) {
                return false;
            }
        }
    }
    true
}

fn quoted_string(bytes: &mut &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(b"\"") else { return false };
    loop {
        match rest {
            [b'"', behind @ ..] => {
                *bytes = behind;
                return true;
            }
            [b'\\', byte, behind @ ..] | [byte, behind @ ..] => {
                if byte.is_ascii_control() && *byte != b'\t' {
                    return false;
                }
                rest = behind;
            }
            [] => return false,
        }
    }
}

/// Appends a part of a body to `out`, framed by `framing`.
#[inline]
pub fn encode(framing: Framing, data: &[u8], out: &mut Vec<u8>) {
    match framing {
        Framing::Length(_) | Framing::UntilClose => out.extend_from_slice(data),
        Framing::Chunked => {
            // An empty chunk would end the body. Writing into a Vec cannot fail.
            if !data.is_empty() {
                let _ = write!(out, "{:x}\r\n", data.len());
                out.extend_from_slice(data);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

/// Appends the end of a body to `out`, framed by `framing`.
#[inline]
pub fn encode_end(framing: Framing, trailers: &[u8], out: &mut Vec<u8>) {
    match framing {
        Framing::Length(_) | Framing::UntilClose => {}
        Framing::Chunked => {
            out.extend_from_slice(b"0\r\n");
            out.extend_from_slice(trailers);
            out.extend_from_slice(b"\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Decodes `bytes` in pieces of `piece` and returns the result.
    fn decode(
        framing: Framing,
        bytes: &[u8],
        piece: usize,
    ) -> Result<(Vec<u8>, bool, Vec<u8>, usize), Fault> {
        let (mut decoder, mut input, mut body) = (Decoder::new(framing), Buffer::default(), Vec::new());
        let mut pieces = bytes.chunks(piece.max(1));
        loop {
            match decoder.next(&mut input)? {
                Step::Data(data) => body.extend_from_slice(data),
                Step::End => {
                    let unread: usize = pieces.map(<[u8]>::len).sum();
                    return Ok((body, true, decoder.trailers().to_vec(), input.len() + unread));
                }
                Step::More => match pieces.next() {
                    Some(piece) => {
                        input.space()[..piece.len()].copy_from_slice(piece);
                        input.advance(piece.len());
                    }
                    None => return Ok((body, false, Vec::new(), 0)),
                },
            }
        }
    }

    #[test]
    fn chunks_are_decoded_however_they_arrive() {
        let wire = b"4\r\nWiki\r\n5;a=\"b\"\r\npedia\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\nnext";
        for piece in 1..=wire.len() {
            let (body, complete, trailers, rest) = decode(Framing::Chunked, wire, piece).unwrap();
            assert_eq!(
                (body.as_slice(), complete, trailers.as_slice(), rest),
                (&b"Wikipedia0123456789"[..], true, &b"X-Sum: 1\r\n"[..], 4)
            );
        }
    }

    #[test]
    fn a_bad_chunk_is_refused_and_a_cut_one_is_incomplete() {
        for wire in [
            "x\r\n",
            "5\nhello\r\n",
            "5\r\nhelloX",
            "5\r\nhello\rX",
            "-1\r\n",
            "1 \r\na\r\n",
            "0x1\r\na",
            "\r\n",
            " 1\r\n",
            "1000000000000000\r\n",
            "5;\u{1}\r\n",
            "0\r\nA\r\n\r\n",
            "0\r\n A: b\r\n\r\n",
            "0\r\nA: b\n\r\n\r\n",
            "5 ; a\x00\r\n",
        ] {
            assert!(decode(Framing::Chunked, wire.as_bytes(), 3).is_err(), "{wire:?}");
        }
        for wire in [
            "",
            "5",
            "5\r",
            "5\r\n",
            "5\r\nhel",
            "5\r\nhello",
            "5\r\nhello\r\n",
            "5\r\nhello\r\n0\r\n",
            "0\r\nA: b\r\n",
        ] {
            assert_eq!(decode(Framing::Chunked, wire.as_bytes(), 2).map(|d| d.1), Ok(false), "{wire:?}");
        }
        let many = format!("1;a={}\r\nx\r\n", "b".repeat(1000)).repeat(9);
        assert!(decode(Framing::Chunked, many.as_bytes(), 100).is_err());
        for (line, is_fine) in [
            ("1", true),
            ("1;a", true),
            ("1 ; a = b;c=\"d\\\"e\"", true),
            ("1\t;a", true),
            ("1;", false),
            ("1;;a", false),
            ("1;a=", false),
            ("1;=b", false),
            ("1;a ", false),
            ("1 a", false),
            ("1;a=\"b", false),
            ("1;a\rb", false),
            ("1;a=\"\r\"", false),
            ("1\u{b};a", false),
        ] {
            let wire = format!("{line}\r\nx\r\n0\r\n\r\n");
            assert_eq!(decode(Framing::Chunked, wire.as_bytes(), 100).is_ok(), is_fine, "{line:?}");
        }
        let endless = "1;".to_owned() + &"a".repeat(LONGEST_SIZE_LINE);
        assert!(decode(Framing::Chunked, endless.as_bytes(), 100).is_err());
        let endless = "0\r\n".to_owned() + &"A: b\r\n".repeat(LONGEST_TRAILERS);
        assert!(decode(Framing::Chunked, endless.as_bytes(), 1000).is_err());
    }

    #[test]
    fn a_length_takes_no_byte_too_many() {
        assert_eq!(decode(Framing::Length(3), b"abcdef", 2), Ok((b"abc".to_vec(), true, vec![], 3)));
        assert_eq!(decode(Framing::Length(3), b"ab", 9).map(|d| d.1), Ok(false));
        assert_eq!(decode(Framing::Length(0), b"ab", 9).map(|d| d.3), Ok(2));
    }

    proptest! {
        #[test]
        fn encoding_round_trips(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6), piece in 1usize..400) {
            let mut wire = Vec::new();
            for part in &parts {
                encode(Framing::Chunked, part, &mut wire);
            }
            encode_end(Framing::Chunked, b"", &mut wire);
            let (body, complete, _, rest) = decode(Framing::Chunked, &wire, piece).unwrap();
            prop_assert_eq!((body, complete, rest), (parts.concat(), true, 0));
        }

        #[test]
        fn any_bytes_are_decoded_without_panic(wire: Vec<u8>, piece in 1usize..9) {
            let _ = decode(Framing::Chunked, &wire, piece);
        }
    }
}
