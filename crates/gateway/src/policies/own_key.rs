//! Keys of this API where no key belongs: behind other schemes of `Authorization`, in other headers, in the query. They let
//! nobody in, but no upstream may learn one, and nobody may go on sending one in the clear.

use crate::{
    context::RequestContext,
    keyring::{Format, KnownKey},
    policies::key,
};
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http1::field::RequestField;
use std::sync::Arc;

/// As lenient as the servers behind us are: with padding or without it.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const ENGINES: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&STANDARD, LENIENT), GeneralPurpose::new(&URL_SAFE, LENIENT)];

/// Words of one text that are looked up without having the form of our own keys: each costs a digest.
const MAX_LOOK_UPS: usize = 64;

/// A key of this API in a text.
pub(crate) enum OwnKey {
    /// It is known.
    Known(Arc<KnownKey>),
    /// It has the form of one.
    Unknown,
}

/// The key of this API in a field value: bare, behind whichever scheme, as a parameter, in the credentials of `Basic`.
pub(crate) fn in_value(context: &RequestContext<'_>, value: &[u8]) -> Option<OwnKey> {
    in_text(context, value).or_else(|| {
        let encoded = key::credentials(value, b"Basic")?;
        ENGINES.iter().find_map(|engine| in_text(context, &engine.decode(encoded).ok()?))
    })
}

/// The key of this API in the query.
pub(crate) fn in_query(context: &RequestContext<'_>) -> Option<OwnKey> {
    in_text(context, context.head.query()?.as_bytes())
}

/// The key of this API in the headers that are not made for one.
pub(crate) fn in_other_headers(context: &RequestContext<'_>) -> Option<OwnKey> {
    let kinds = [RequestField::Authorization, RequestField::ApiKey];
    kinds.iter().flat_map(|kind| context.head.values(*kind)).find_map(|value| in_value(context, value))
}

fn in_text(context: &RequestContext<'_>, text: &[u8]) -> Option<OwnKey> {
    let mut look_ups = MAX_LOOK_UPS;
    // An imported key may hold any of the second kind of separators itself, at its end as well.
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
    let is_well_formed = contract::key::is_well_formed(candidate);
    if (is_well_formed || may_look_up)
        && !candidate.is_empty()
        && keyring.format(candidate, context.config.key_pattern.as_ref()) == Format::Possible
        && let Some(key) = keyring.find(candidate)
    {
        return Some(OwnKey::Known(key));
    }
    is_well_formed.then_some(OwnKey::Unknown)
}
