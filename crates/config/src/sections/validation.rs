//! The table `[validation]`: how strict the validation of requests is.

use crate::{
    raw::Section,
    registry::{Absent::Default, Shape},
};
use openapi::rules::{Formats, ReadOnly, Strictness, UnknownQuery};

rows! {
    VALIDATION_UNKNOWN_QUERY = Validation "unknown_query", Shape::Words(&["ignore", "reject"]), Default("\"ignore\""),
    "\"reject\"";
    "How to treat query parameters that the endpoint does not declare. `ignore`: pass them on. `reject`: answer 400 \
     `PARAMETER_NOT_VALID` and suggest the nearest known one. It applies to endpoints that have any rules."

    VALIDATION_READ_ONLY = Validation "read_only", Shape::Words(&["ignore", "reject"]), Default("\"ignore\""),
    "\"reject\"";
    "How to treat properties of a body that the document declares `readOnly`. `ignore`: pass them on, because clients send \
     back what they received. `reject`: answer 422 `BODY_NOT_VALID`."

    VALIDATION_FORMATS = Validation "formats", Shape::Words(&["strict", "lenient"]), Default("\"strict\""), "\"lenient\"";
    "How to validate `format: date-time` and `format: time`. `strict`: as in RFC 3339, with seconds and offset. `lenient`: \
     seconds and offset are optional, as in `12:30:00` and `2026-01-31T12:30:00`, which many frameworks write. Other formats \
     are the same in both."
}

/// How strict the validation of requests is.
pub(super) fn validation(section: &Section<'_>) -> Option<Strictness> {
    let unknown_query = section.word(
        &VALIDATION_UNKNOWN_QUERY,
        &[("ignore", UnknownQuery::Ignored), ("reject", UnknownQuery::Refused)],
    );
    let read_only =
        section.word(&VALIDATION_READ_ONLY, &[("ignore", ReadOnly::Ignored), ("reject", ReadOnly::Refused)]);
    let formats =
        section.word(&VALIDATION_FORMATS, &[("strict", Formats::Strict), ("lenient", Formats::Lenient)]);
    Some(Strictness {
        unknown_query: unknown_query?.value,
        read_only: read_only?.value,
        formats: formats?.value,
    })
}
