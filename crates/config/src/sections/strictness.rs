//! The table `[strictness]`: how requests are read where the standards leave a choice.

use crate::{
    raw::Section,
    registry::{Absent::Default, Shape},
};
use gateway::settings::{AmbiguousPaths, Slashes, Strictness, Treatment};

rows! {
    STRICT_HEADER_NAMES = Strictness "header_names", Shape::Words(&["drop", "reject", "pass"]), Default("\"drop\""), "\"reject\"",
    also "underscores";
    "How to treat headers whose names contain more than letters, digits and hyphens, such as `X_Forwarded_For`, which many \
     servers cannot distinguish from the same name with hyphens. `drop`: hide them from the upstream. `reject`: answer 400 \
     `REQUEST_MALFORMED`. `pass`: pass them on. Headers in `[keys] headers` and headers that an endpoint declares are passed \
     on. A name that such servers could take for a key header, or for a header that Fairgate sets, never is."

    STRICT_OVERRIDE_HEADERS = Strictness "override_headers", Shape::Words(&["reject", "drop", "pass"]), Default("\"reject\""),
    "\"drop\"";
    "How to treat headers with which some servers override path, method or host of a request: `X-HTTP-Method-Override`, \
     `X-HTTP-Method`, `X-Method-Override`, `X-Original-Method`, `X-Original-URL`, `X-Original-URI`, `X-Original-Path`, \
     `X-Rewrite-URL`, `X-Rewrite-URI`, `X-HTTP-Path-Override`, `X-Path-Override`, `X-Override-Path`, `X-HTTP-Host-Override`, \
     `X-Host-Override`."

    STRICT_GET_BODY = Strictness "get_body", Shape::Words(&["reject", "pass"]), Default("\"reject\""), "\"pass\"",
    also "body_of_get";
    "How to treat the body of a GET or HEAD at an endpoint that declares none. `reject`: answer 400 `REQUEST_MALFORMED`. \
     `pass`: pass it on."

    STRICT_REPEATED_SLASHES = Strictness "repeated_slashes", Shape::Words(&["keep", "merge", "reject"]), Default("\"keep\""),
    "\"merge\"", also "merge_slashes";
    "How to treat consecutive slashes in a path. `keep`: leave them; a path that would reach another endpoint on a server \
     that merges them is 400. `merge`: make them one, also for the upstream. `reject`: answer 400 `REQUEST_MALFORMED`."

    STRICT_AMBIGUOUS_PATHS = Strictness "ambiguous_paths", Shape::Words(&["check", "reject", "pass"]), Default("\"check\""),
    "\"pass\"", also "encoded_slashes";
    "How to treat paths with `%2F`, `%5C`, `;`, `%25` and other characters that servers interpret differently. `check`: answer \
     400 `REQUEST_MALFORMED` if a server with another interpretation would find another endpoint. `reject`: always answer \
     400. `pass`: pass them on, for an API whose path parameters contain encoded slashes and whose server routes before it \
     decodes."
}

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
