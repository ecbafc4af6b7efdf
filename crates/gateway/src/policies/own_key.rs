//! Keys of this API in wrong places: with other schemes of `Authorization`, in other headers, in
//! the target. They admit nobody, but no upstream may learn one, and nobody may go on sending one
//! without TLS.

use crate::{
    context::RequestContext,
    keyring::{Format, KnownKey},
};
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use contract::key;
use http1::field::{self, RequestField};
use std::sync::Arc;

/// As lenient as upstream servers: with or without padding.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const ENGINES: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&STANDARD, LENIENT), GeneralPurpose::new(&URL_SAFE, LENIENT)];

/// Words of a text that are looked up without having the format of our own keys: each costs a digest.
const MAX_LOOK_UPS: usize = 64;

/// A key of this API in a text.
pub(crate) enum OwnKey {
    /// A known key.
    Known(Arc<KnownKey>),
    /// It only has the format of a key.
    Unknown,
}

/// The key of this API in a field value: bare, with any scheme, as a parameter, or in base64 credentials.
pub(crate) fn in_value(context: &RequestContext<'_>, value: &[u8]) -> Option<OwnKey> {
    in_text(context, value).or_else(|| {
        let scheme = value.iter().position(|byte| matches!(byte, b' ' | b'\t'))?;
        let encoded = value.get(scheme..)?.trim_ascii();
        ENGINES.iter().find_map(|engine| in_text(context, &engine.decode(encoded).ok()?))
    })
}

/// The key of this API in the query.
pub(crate) fn in_query(context: &RequestContext<'_>) -> Option<OwnKey> {
    let query = context.head.query()?.as_bytes();
    in_text(context, query).or_else(|| well_formed(context, query))
}

/// The key of this API in other headers, if it has the format of our own keys. In those that are meant for keys, any key:
/// also in one that is only spelled like a header for keys (`X_API_Key`).
pub(crate) fn in_other_headers(context: &RequestContext<'_>) -> Option<OwnKey> {
    let kinds = [RequestField::Authorization, RequestField::ApiKey];
    let known = kinds.iter().flat_map(|kind| context.head.values(*kind));
    let keys = &context.config.reading.keys;
    let is_spelling = |name: &[u8]| keys.iter().any(|key| field::is_same_variable(key.as_bytes(), name));
    let spelled = context
        .head
        .fields()
        .filter(|(name, _, kind)| *kind == RequestField::HopByHop && is_spelling(name))
        .map(|(_, value, _)| value);
    known
        .chain(spelled)
        .find_map(|value| in_value(context, value))
        .or_else(|| context.head.fields().find_map(|(_, value, _)| well_formed(context, value)))
}

/// The key in a text that has the format of our own keys, whatever surrounds it, also percent-encoded.
pub(crate) fn well_formed(context: &RequestContext<'_>, text: &[u8]) -> Option<OwnKey> {
    let found = key::find(text)?;
    Some(context.shared.keyring.find(&found).map_or(OwnKey::Unknown, OwnKey::Known))
}

fn in_text(context: &RequestContext<'_>, text: &[u8]) -> Option<OwnKey> {
    let mut look_ups = MAX_LOOK_UPS;
    // An imported key may itself contain separators of the second kind, also at its end.
    let words = text.split(|b| matches!(b, b' ' | b'\t' | b',' | b'"' | b'\''));
    words.filter(|word| !word.is_empty()).find_map(|word| {
        let is_inner = |b: &u8| matches!(b, b'=' | b':' | b';' | b'&');
        let behind_first = word.iter().position(is_inner).and_then(|at| word.get(at + 1..));
        std::iter::once(word).chain(behind_first).chain(word.split(is_inner)).find_map(|part| {
            let key = own(context, part, look_ups > 0);
            look_ups = look_ups.saturating_sub(1);
            key
        })
    })
}

fn own(context: &RequestContext<'_>, candidate: &[u8], may_look_up: bool) -> Option<OwnKey> {
    let keyring = &context.shared.keyring;
    let is_well_formed = key::is_well_formed(candidate);
    if (is_well_formed || may_look_up)
        && !candidate.is_empty()
        && keyring.format(candidate, context.config.key_pattern.as_ref()) == Format::Possible
        && let Some(key) = keyring.find(candidate)
    {
        return Some(OwnKey::Known(key));
    }
    is_well_formed.then_some(OwnKey::Unknown)
}
