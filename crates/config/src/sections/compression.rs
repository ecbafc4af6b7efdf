//! The table `[compression]`: which answers are packed.

use super::server::keep;
use crate::{
    raw::{Refusal, Section},
    registry::{COMPRESSION_ENABLED, COMPRESSION_MIN_SIZE, COMPRESSION_TYPES},
};
use gateway::settings::Compression;

/// What is packed where the file names no types: text in all its forms.
const TYPES: [&str; 9] = [
    "text/*",
    "application/json",
    "application/*+json",
    "application/xml",
    "application/*+xml",
    "application/javascript",
    "application/yaml",
    "application/x-ndjson",
    "image/svg+xml",
];

/// None: nothing is packed.
pub(super) fn compression(section: &Section<'_>) -> Option<Compression> {
    let minimum = section.size(&COMPRESSION_MIN_SIZE);
    let mut types: Vec<String> = section
        .texts(&COMPRESSION_TYPES)
        .into_iter()
        .filter_map(|text| keep(section, text, media_range))
        .collect();
    if !section.has(&COMPRESSION_TYPES) {
        types = TYPES.map(str::to_owned).to_vec();
    }
    let enabled = section.boolean(&COMPRESSION_ENABLED)?.value;
    Some(Compression { types, minimum: minimum?.value }).filter(|_| enabled)
}

/// A media type with at most one star, in small letters.
fn media_range(text: &str) -> Result<String, Refusal> {
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "*+-._".contains(c))
    };
    let is_good = text.matches('*').count() <= 1
        && text
            .split_once('/')
            .is_some_and(|(kind, name)| is_part(kind) && is_part(name) && !kind.contains('*'));
    is_good.then(|| text.to_ascii_lowercase()).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not a media type"),
            "expected a type such as `application/json` or `text/*`",
            "write it without parameters, with at most one `*`: \"application/*+json\"",
        )
    })
}
