//! Compression of responses for clients that accept it.
//!
//! Off by default: an attacker who controls part of a response and sees its size can guess a secret
//! next to it (BREACH), and upstreams often compress already.

use crate::{context::RequestContext, settings::Compression};
use contract::specification::weight;
use flate2::write::GzEncoder;
use http1::{
    field,
    response::{Coding, ResponseHead},
};
use std::{borrow::Cow, io::Write};

/// A compromise between speed and size; above it, CPU time grows faster than responses shrink.
const LEVEL: u32 = 4;
/// Our own pages above this size are sent uncompressed: compressing them would delay all other
/// requests of the thread.
const MAX_OWN_SIZE: usize = 1 << 20;

/// A body being compressed.
pub(crate) struct Compressor {
    encoder: GzEncoder<Vec<u8>>,
    /// Some input may not have been output yet.
    holds_back: bool,
}

impl Compressor {
    pub(crate) fn new() -> Box<Self> {
        let level = flate2::Compression::new(LEVEL);
        Box::new(Self { encoder: GzEncoder::new(Vec::new(), level), holds_back: false })
    }

    /// Compresses a part of the body and returns the output so far.
    pub(crate) fn compress(&mut self, part: &[u8]) -> Vec<u8> {
        self.holds_back = true;
        // Writing into a Vec cannot fail.
        let _ = self.encoder.write_all(part);
        std::mem::take(self.encoder.get_mut())
    }

    /// The output that is held back, so that the client does not wait for it. Empty: none.
    pub(crate) fn flush(&mut self) -> Vec<u8> {
        if std::mem::take(&mut self.holds_back) {
            let _ = self.encoder.flush();
        }
        std::mem::take(self.encoder.get_mut())
    }

    /// The rest of the output.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let _ = self.encoder.try_finish();
        std::mem::take(self.encoder.get_mut())
    }
}

/// How to compress a successful response of the upstream. `bytes`: the buffer that its head was parsed from.
pub(crate) fn of_response(context: &RequestContext<'_>, answer: &ResponseHead, bytes: &[u8]) -> Coding {
    let Some(settings) = &context.config.settings.compression else { return Coding::Identity };
    // No content, partial content, or another protocol.
    let is_unchanged = answer.status == 304;
    if !is_unchanged && (!(200..300).contains(&answer.status) || matches!(answer.status, 204..=206)) {
        return Coding::Identity;
    }
    let value = |wanted: &str| {
        let is = |field: &&field::Field<_>| field.name.get(bytes).eq_ignore_ascii_case(wanted.as_bytes());
        answer.fields.iter().find(is).map(|field| field.value.get(bytes))
    };
    let mut directives = answer
        .fields
        .iter()
        .filter(|field| field.name.get(bytes).eq_ignore_ascii_case(b"cache-control"))
        .flat_map(|field| field::list(field.value.get(bytes)));
    // Already compressed, must not be transformed, or has a digest of its bytes.
    let is_fixed =
        ["content-encoding", "content-range", "content-md5", "content-digest", "digest", "repr-digest"]
            .iter()
            .any(|name| value(name).is_some())
            || directives.any(|one| one.eq_ignore_ascii_case(b"no-transform"));
    // A 304 has the `Vary` of the 200 that it stands for, whose length and often type are unknown.
    if is_unchanged {
        let may_be_listed = value("content-type").is_none_or(|media_type| is_listed(settings, media_type));
        return if may_be_listed && !is_fixed { Coding::Varies } else { Coding::Identity };
    }
    let is_small = answer.content_length.is_some_and(|length| length < settings.minimum);
    if is_fixed || is_small || !is_listed(settings, value("content-type").unwrap_or_default()) {
        return Coding::Identity;
    }
    if takes_gzip(context) { Coding::Gzip } else { Coding::Varies }
}

/// Compresses a body of our own, if allowed. Returns how.
pub(crate) fn of_own<'b>(
    context: &RequestContext<'_>,
    content_type: &str,
    length: usize,
    body: impl FnOnce() -> Cow<'b, [u8]>,
) -> (Coding, Option<Vec<u8>>) {
    let Some(settings) = &context.config.settings.compression else { return (Coding::Identity, None) };
    let is_small = (length as u64) < settings.minimum;
    if is_small || length > MAX_OWN_SIZE || !is_listed(settings, content_type.as_bytes()) {
        return (Coding::Identity, None);
    }
    if !takes_gzip(context) {
        return (Coding::Varies, None);
    }
    let mut compressor = Compressor::new();
    let mut compressed = compressor.compress(&body());
    compressed.extend_from_slice(&compressor.finish());
    (Coding::Gzip, Some(compressed))
}

/// Appends the headers about compression.
pub(crate) fn write(coding: Coding, out: &mut Vec<u8>) {
    match coding {
        Coding::Identity => {}
        Coding::Varies => out.extend_from_slice(b"Vary: Accept-Encoding\r\n"),
        Coding::Gzip => out.extend_from_slice(b"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"),
    }
}

/// Whether a header of the upstream does not apply to the compressed response, and how to rewrite it.
pub(crate) fn of_field<'v>(
    context: &RequestContext<'_>,
    answer: &ResponseHead,
    name: &[u8],
    value: &'v [u8],
) -> Rewrite<'v> {
    let is_strong_tag = || name.eq_ignore_ascii_case(b"etag") && !value.starts_with(b"W/");
    match answer.coding {
        // The bytes differ and only the meaning is the same: a weak validator.
        Coding::Gzip if is_strong_tag() => Rewrite::Weaken(value),
        Coding::Gzip if name.eq_ignore_ascii_case(b"accept-ranges") => Rewrite::Drop,
        // The tag that a 200 had (RFC 9110 section 15.4.5): the client got it with a compressed body.
        Coding::Varies if answer.status == 304 && is_strong_tag() && has_weak(context, value) => {
            Rewrite::Weaken(value)
        }
        Coding::Identity | Coding::Varies | Coding::Gzip => Rewrite::Keep,
    }
}

/// Whether the client's condition names the weak form of a tag.
fn has_weak(context: &RequestContext<'_>, tag: &[u8]) -> bool {
    let is_weak = |member: &[u8]| member.strip_prefix(b"W/") == Some(tag);
    context.head.named("if-none-match").any(|value| field::list(value).any(is_weak))
}

/// How to rewrite a header.
pub(crate) enum Rewrite<'v> {
    Keep,
    /// As a weak entity tag.
    Weaken(&'v [u8]),
    Drop,
}

fn is_listed(settings: &Compression, content_type: &[u8]) -> bool {
    let media_type = content_type.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
    settings.types.iter().any(|listed| match listed.split_once('*') {
        None => media_type.eq_ignore_ascii_case(listed.as_bytes()),
        Some((start, end)) => {
            media_type.len() >= start.len() + end.len()
                && media_type
                    .get(..start.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
                && media_type
                    .get(media_type.len() - end.len()..)
                    .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
        }
    })
}

/// RFC 9110 section 12.5.3: the coding by its name, otherwise by `*`; a weight of 0 means not acceptable. An uncompressed
/// response that the client prefers by name is sent as such.
fn takes_gzip(context: &RequestContext<'_>) -> bool {
    let (mut named, mut others, mut identity) = (None, 0.0, 0.0);
    for value in context.head.named("accept-encoding") {
        for member in field::list(value) {
            let coding = member.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
            let weight = weight(member);
            if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") {
                named = named.or(Some(weight));
            } else if coding.eq_ignore_ascii_case(b"identity") {
                identity = weight;
            } else if coding == b"*" {
                others = weight;
            }
        }
    }
    let gzip = named.unwrap_or(others);
    gzip > 0.0 && gzip >= identity
}
