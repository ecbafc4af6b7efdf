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
    /// The places of many, by their names.
    by_name: Vec<usize>,
    /// How values are decoded.
    pub(super) coding: Coding,
}

/// Pairs that are looked through one by one.
const FEW: usize = 32;

/// How text is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Coding {
    /// Percent-encoded, a plus is a space.
    #[default]
    Form,
    /// Percent-encoded.
    Percent,
    /// Raw.
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
        // A name that cannot be decoded is not a known name; it can still be reported raw.
        let pairs =
            split(text).map(|(name, value)| (decoded(name, true).unwrap_or(Cow::Borrowed(name)), value));
        Self::of(pairs.collect(), Coding::Form)
    }

    fn of(pairs: Vec<(Cow<'t, str>, &'t str)>, coding: Coding) -> Self {
        let mut by_name = Vec::new();
        if pairs.len() > FEW {
            by_name = (0..pairs.len()).collect();
            // Those of one name in the order in which they were sent.
            by_name.sort_by_key(|&place| pairs.get(place).map(|(name, _)| name.as_ref()));
        }
        Self { pairs, by_name, coding }
    }

    /// Of the values of `Cookie` headers.
    pub(super) fn of_cookies(headers: &[&'t str], coding: Coding) -> Self {
        let pairs = headers.iter().flat_map(|header| header.split(';'));
        let pairs = pairs.map(|pair| pair.trim_matches([' ', '\t'])).filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self::of(pairs.map(|(name, value)| (Cow::Borrowed(name), value)).collect(), coding)
    }

    /// The values of a name, still encoded.
    pub(super) fn values<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'t str> + 'p {
        let named = |place: &usize| self.pairs.get(*place).map_or("", |(name, _)| name.as_ref());
        let from = self.by_name.partition_point(|place| named(place) < name);
        let many =
            self.by_name.get(from..).unwrap_or_default().iter().take_while(move |place| named(place) == name);
        let few = self.pairs.iter().filter(move |(known, _)| self.by_name.is_empty() && known == name);
        few.chain(many.filter_map(|&place| self.pairs.get(place))).map(|(_, value)| *value)
    }
}
