//! Wordings that several pages share.

use crate::{
    document::{Text, code as exact, text},
    facts::Facts,
    model::Endpoint,
};

/// Method and path.
pub(crate) fn name(endpoint: &Endpoint) -> Text {
    exact(format!("{} {}", endpoint.method, endpoint.path))
}

/// What a key needs: `items:read`, or `items:read and items:write, or admin`.
pub(crate) fn requirement_text(sets: &[Vec<String>]) -> Text {
    let set = |set: &Vec<String>| Text::joined(set.iter().map(exact), " and ");
    Text::joined(sets.iter().map(set), ", or ")
}

/// The headers that may hold a key, in the order in which they are looked at.
pub(crate) fn key_places(facts: &Facts) -> Vec<Text> {
    let own = facts.reference.key_headers.iter().map(|header| exact(format!("{header}: YOUR_KEY")));
    let always = [
        exact("Authorization: Bearer YOUR_KEY"),
        text().code("Authorization: Basic …").plain(" with the key as the user name or the password"),
    ];
    own.chain(always).collect()
}
