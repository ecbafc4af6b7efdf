//! Pairs of names and values: of a query, a form, or cookies.

use crate::rules::text::decoded;
use std::borrow::Cow;

/// Pairs, still encoded: what `&` parts, and in each what the first `=` parts.
pub(super) fn split(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Whether a name that is still encoded is this one.
pub(super) fn is_named(encoded: &str, name: &str) -> bool {
    encoded == name
        || (encoded.bytes().any(|byte| matches!(byte, b'%' | b'+'))
            && decoded(encoded, true).is_ok_and(|decoded| decoded == name))
}

/// Pairs with their names decoded; the values are left as they are, because styles split them first.
#[derive(Debug, Default)]
pub(super) struct Pairs<'t> {
    pub(super) pairs: Vec<(Cow<'t, str>, &'t str)>,
    /// How values are decoded.
    pub(super) coding: Coding,
}

/// How text is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Coding {
    /// Percent-encoded, a plus is a space.
    #[default]
    Form,
    /// Percent-encoded.
    Percent,
    /// As it stands.
    Plain,
}

impl Coding {
    /// The text itself.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn decode(self, text: &str) -> Result<Cow<'_, str>, String> {
        match self {
            Self::Form => decoded(text, true),
            Self::Percent => decoded(text, false),
            Self::Plain => Ok(Cow::Borrowed(text)),
        }
    }
}

impl<'t> Pairs<'t> {
    /// Of a query or a form.
    pub(super) fn of_form(text: &'t str) -> Self {
        // A name that cannot be decoded is no name that is known; as it stands it can still be told.
        let pairs =
            split(text).map(|(name, value)| (decoded(name, true).unwrap_or(Cow::Borrowed(name)), value));
        Self { pairs: pairs.collect(), coding: Coding::Form }
    }

    /// Of the values of `Cookie` headers.
    pub(super) fn of_cookies(headers: &[&'t str], coding: Coding) -> Self {
        let pairs = headers.iter().flat_map(|header| header.split(';'));
        let pairs = pairs.map(|pair| pair.trim_matches([' ', '\t'])).filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self { pairs: pairs.map(|(name, value)| (Cow::Borrowed(name), value)).collect(), coding }
    }

    /// The values of a name, still encoded.
    pub(super) fn values<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'t str> + 'p {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| *value)
    }
}
