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
    "How to validate formats that many frameworks write in another form than the standards. `strict`: as in the standards, \
     for example `date-time` and `time` with seconds and offset. `lenient`: seconds and offset are optional, a `duration` may \
     have fractions and a sign (`PT0.5S`), `uri` and `email` may have characters beyond ASCII, `byte` may have no padding. \
     Other formats are the same in both."
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
