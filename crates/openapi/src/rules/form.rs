//! Forms: pairs of names and values become the members of an object, each by its encoding.

use crate::{
    api::{Encoding, Style},
    media::{essence, is_json},
    rules::{
        json,
        pairs::Pairs,
        raw::Raw,
        shape::{Shape, Types},
        styles::{self, Reading},
    },
    schema::sentences::quoted,
};
use std::collections::{HashMap, HashSet};

/// Reads a form. The values are not typed yet.
///
/// # Errors
/// A sentence: it is not a form.
pub(super) fn read(text: &str, shape: &Shape, encodings: &[Encoding]) -> Result<Raw, String> {
    let pairs = Pairs::of_form(text);
    let mut members: Vec<(String, Raw)> = Vec::new();
    let mut places = HashMap::new();
    let mut spread: HashSet<&str> = HashSet::new();
    for (name, member) in &shape.members {
        let encoding = encodings.iter().find(|encoding| encoding.name == *name);
        if let Some(raw) = structured(&pairs, name, member, encoding)? {
            spread.insert(name);
            members.push((name.clone(), raw));
        }
    }
    for (name, value) in &pairs.pairs {
        let is_spread = spread.contains(name.as_ref())
            || name
                .match_indices('[')
                .any(|(at, _)| name.get(..at).is_some_and(|base| spread.contains(base)));
        if !is_spread {
            let value = pairs.coding.decode(value).map_err(|why| format!("field {}: {why}", quoted(name)))?;
            styles::gather(&mut members, &mut places, name, Raw::Text(value.into_owned()));
        }
    }
    // In the order in which they were sent, as violations are reported.
    let mut order: HashMap<&str, usize> = HashMap::new();
    for (at, (name, _)) in pairs.pairs.iter().enumerate() {
        order.entry(name.split('[').next().unwrap_or_default()).or_insert(at);
    }
    members.sort_by_cached_key(|(name, _)| order.get(name.split('[').next().unwrap_or_default()).copied());
    Ok(Raw::Members(members))
}

/// As many as there are pairs, or one less.
pub(super) fn separators(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte == b'&').count()
}

/// A member that is more than one text, or that several pairs make.
fn structured(
    pairs: &Pairs<'_>,
    name: &str,
    shape: &Shape,
    encoding: Option<&Encoding>,
) -> Result<Option<Raw>, String> {
    let types = shape.types;
    let reading = if types.has(Types::OBJECT) && !types.has(Types::STRING) {
        Reading::Members
    } else if types == Types::ARRAY || types == Types::ARRAY | Types::NULL {
        Reading::List
    } else {
        return Ok(None);
    };
    let is_json_by_encoding = |encoding: &Encoding| {
        encoding.content_types.iter().any(|content| is_json(&essence(content.as_bytes())))
    };
    let style = encoding.and_then(|encoding| encoding.style);
    let explode = encoding.and_then(|encoding| encoding.explode);
    if style.is_none() && explode.is_none() {
        let mut values = pairs.values(name);
        // Without a style an object is JSON; a list is, if its encoding declares it.
        if (reading == Reading::Members || encoding.is_some_and(is_json_by_encoding))
            && let (Some(only), None) = (values.next(), values.next())
        {
            let text = pairs.coding.decode(only).map_err(|why| format!("field {}: {why}", quoted(name)))?;
            let value = json::read(text.as_bytes())
                .map_err(|error| format!("field {} must be JSON, but is not: {error}.", quoted(name)))?;
            return Ok(Some(Raw::Ready(value)));
        }
        if reading == Reading::Members {
            return styles::paired(pairs, name, Style::DeepObject, true, reading, shape, &|_| false);
        }
    }
    let style = style.unwrap_or(Style::Form);
    let explode = explode.unwrap_or(style == Style::Form);
    if style == Style::Form && explode && reading == Reading::Members {
        return Ok(None); // its members are pairs of the form itself
    }
    styles::paired(pairs, name, style, explode, reading, shape, &|_| false)
        .map_err(|why| format!("field {}: {why}", quoted(name)))
}
