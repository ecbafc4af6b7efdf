//! The table `[strictness]`: how requests are read where the standards leave it open.

use crate::{
    raw::Section,
    registry::{
        STRICT_AMBIGUOUS_PATHS, STRICT_GET_BODY, STRICT_HEADER_NAMES, STRICT_OVERRIDE_HEADERS,
        STRICT_REPEATED_SLASHES,
    },
};
use gateway::settings::{AmbiguousPaths, Slashes, Strictness, Treatment};

const TREATMENTS: [(&str, Treatment); 3] =
    [("reject", Treatment::Refuse), ("drop", Treatment::Drop), ("pass", Treatment::Pass)];

pub(super) fn strictness(section: &Section<'_>) -> Option<Strictness> {
    let header_names = section.word(&STRICT_HEADER_NAMES, &TREATMENTS);
    let override_headers = section.word(&STRICT_OVERRIDE_HEADERS, &TREATMENTS);
    let bodies_of_get = section.word(&STRICT_GET_BODY, &[("reject", false), ("pass", true)]);
    let slashes = section.word(
        &STRICT_REPEATED_SLASHES,
        &[("keep", Slashes::Keep), ("merge", Slashes::Merge), ("reject", Slashes::Refuse)],
    );
    let ambiguous_paths = section.word(
        &STRICT_AMBIGUOUS_PATHS,
        &[
            ("check", AmbiguousPaths::Check),
            ("reject", AmbiguousPaths::Refuse),
            ("pass", AmbiguousPaths::Pass),
        ],
    );
    Some(Strictness {
        header_names: header_names?.value,
        override_headers: override_headers?.value,
        bodies_of_get: bodies_of_get?.value,
        slashes: slashes?.value,
        ambiguous_paths: ambiguous_paths?.value,
    })
}
