//! The table `[compression]`: which responses are compressed.

use crate::{
    raw::{Refusal, Section},
    registry::{
        Absent::{Default, Means},
        Shape, TIB,
    },
};
use gateway::settings::Compression;

rows! {
    COMPRESSION_ENABLED = Compression "enabled", Shape::Boolean, Default("false"), "true", also "gzip";
    "Whether to compress responses. Consider BREACH first: if a response contains a secret and, in the same body, text that \
     an attacker controls, its compressed size leaks the secret bit by bit. Leave compression off for such responses, or \
     limit `types` to those without secrets."

    COMPRESSION_TYPES = Compression "types", Shape::Texts, Means("text, JSON, XML, YAML, JavaScript and SVG"),
    "[\"application/json\", \"text/*\"]", also "mime_types", "content_types";
    "Media types to compress, without parameters; `*` matches any characters."

    COMPRESSION_MIN_SIZE = Compression "min_size", Shape::Size { least: 1, most: TIB }, Default("\"1KiB\""), "\"4KiB\"",
    also "minimum", "min_length";
    "Responses known to be smaller are not compressed."
}

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
        .filter_map(|text| section.keep(text, media_range))
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
