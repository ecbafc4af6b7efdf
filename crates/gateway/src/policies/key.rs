//! The key: 403 if it is missing or incorrect, 400 if it cannot be a key.

use crate::{
    config::Config,
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    keyring::{Format, KnownKey, LastKey, Validity},
    state::shared::Shared,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::ErrorCode;
use http1::{field::RequestField, request::RequestHead};
use std::sync::Arc;

/// A place for a key, and its content.
struct Presented<'h> {
    /// The whole header value, by which the last key is recognized.
    value: &'h [u8],
    place: Place<'h>,
}

#[derive(Clone, Copy)]
enum Place<'h> {
    Header,
    /// The credentials after the scheme.
    Bearer(&'h [u8]),
    /// The same.
    Basic(&'h [u8]),
}

enum Search<'h> {
    Nothing,
    Twice(usize),
    Found(Presented<'h>),
}

/// The credentials after this scheme in a value of `Authorization`, without surrounding spaces.
/// None: another scheme, or empty.
fn credentials<'v>(value: &'v [u8], scheme: &[u8]) -> Option<&'v [u8]> {
    let (name, rest) = value.split_at_checked(scheme.len())?;
    let rest = rest.strip_prefix(b" ")?.trim_ascii();
    (name.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest)
}

/// Requires a valid key. Stores it, or that there is none.
pub(crate) fn check(context: &mut RequestContext<'_>) -> Result<Arc<KnownKey>, Refused> {
    let found = valid(context);
    context.key = found.as_ref().ok().cloned();
    context.has_no_key = found.is_err();
    found
}

fn valid(context: &mut RequestContext<'_>) -> Result<Arc<KnownKey>, Refused> {
    let key = match context.key.take() {
        Some(key) => key,
        None => look_up(context.shared, context.config, &context.head, &mut context.last_key)?,
    };
    let (code, message) = match key.validity(context.now.seconds()) {
        Validity::Valid => return Ok(key),
        Validity::Revoked => {
            (ErrorCode::KeyRevoked, "This API key has been revoked. Use another key, or ask for a new one.")
        }
        Validity::Expired => {
            (ErrorCode::KeyExpired, "This API key has expired. Use another key, or ask for a new one.")
        }
    };
    Err(Refusal::new(code, message))
}

/// The valid key of a request that gets its response for another reason, so that the response can
/// state the limits. A missing key is not an error here.
pub(crate) fn recognise(context: &mut RequestContext<'_>) -> Option<Arc<KnownKey>> {
    if context.key.is_none() && !context.has_no_key {
        return check(context).ok();
    }
    context.key.clone()
}

/// Whether any place for a key has a value.
pub(crate) fn is_presented(context: &RequestContext<'_>) -> bool {
    match search(context.config, &context.head) {
        Search::Nothing => false,
        Search::Twice(_) | Search::Found(_) => true,
    }
}

/// Whether this header value contains a key, so that the upstream must not see it.
pub(crate) fn is_credential(authorization: &[u8]) -> bool {
    scheme(authorization).is_some()
}

fn look_up(
    shared: &Shared,
    config: &Config,
    head: &RequestHead,
    last: &mut LastKey,
) -> Result<Arc<KnownKey>, Refused> {
    let presented = match search(config, head) {
        Search::Nothing => return Err(not_set(config)),
        Search::Twice(position) => {
            let name = config.key_headers.get(position).map_or("Authorization", String::as_str);
            return Err(wrong_format(format!("The header {name} was sent twice; send one API key.")));
        }
        Search::Found(presented) => presented,
    };
    if let Some(key) = last.find(presented.value) {
        return Ok(key);
    }
    let found = match presented.place {
        Place::Header => find(shared, config, &[presented.value])?,
        Place::Bearer(key) => find(shared, config, &[key])?,
        Place::Basic(pair) => {
            let pair = STANDARD.decode(pair).map_err(|_| {
                wrong_format("The value after `Basic` in the Authorization header is not base64.")
            })?;
            let (user, password) = match memchr::memchr(b':', &pair) {
                Some(colon) => (pair.get(..colon), pair.get(colon + 1..)),
                None => (Some(pair.as_slice()), None),
            };
            find(shared, config, &[user.unwrap_or_default(), password.unwrap_or_default()])?
        }
    };
    last.replace(presented.value, &found);
    Ok(found)
}

/// Searches the configured headers in order, then `Authorization`. An empty header counts as absent.
fn search<'h>(config: &Config, head: &'h RequestHead) -> Search<'h> {
    for position in 0..config.key_headers.len() {
        let kind = RequestField::Key(u8::try_from(position).unwrap_or(u8::MAX));
        let mut values = head.values(kind).filter(|value| !value.is_empty());
        match (values.next(), values.next()) {
            (None, _) => {}
            (Some(value), None) => return Search::Found(Presented { value, place: Place::Header }),
            (Some(_), Some(_)) => return Search::Twice(position),
        }
    }
    let mut values =
        head.values(RequestField::Authorization).filter_map(|value| Some((value, scheme(value)?)));
    match (values.next(), values.next()) {
        (None, _) => Search::Nothing,
        (Some((value, place)), None) => Search::Found(Presented { value, place }),
        (Some(_), Some(_)) => Search::Twice(usize::MAX),
    }
}

/// The credentials in an Authorization header that may contain a key. None: another scheme, or empty.
fn scheme(value: &[u8]) -> Option<Place<'_>> {
    let bearer = credentials(value, b"Bearer").map(Place::Bearer);
    bearer.or_else(|| credentials(value, b"Basic").map(Place::Basic))
}

/// The first known key among the candidates.
fn find(shared: &Shared, config: &Config, candidates: &[&[u8]]) -> Result<Arc<KnownKey>, Refused> {
    let mut possible = false;
    for candidate in candidates.iter().filter(|candidate| !candidate.is_empty()) {
        if shared.keyring.format(candidate, config.key_pattern.as_ref()) == Format::Wrong {
            continue;
        }
        possible = true;
        if let Some(key) = shared.keyring.find(candidate) {
            return Ok(key);
        }
    }
    if possible {
        Err(Refusal::new(
            ErrorCode::KeyNotValid,
            "Unknown API key. Check that it is complete and belongs to this API.",
        ))
    } else if candidates.iter().all(|candidate| candidate.is_empty()) {
        Err(not_set(config))
    } else {
        Err(wrong_format(
            "The value sent as the API key does not have the format of a key. Copy the whole key, without spaces or quotes.",
        ))
    }
}

fn wrong_format(message: impl Into<std::borrow::Cow<'static, str>>) -> Refused {
    Refusal::new(ErrorCode::KeyFormatIncorrect, message)
}

fn not_set(config: &Config) -> Refused {
    Refusal::new(ErrorCode::KeyNotSet, config.key_not_set.clone())
}
