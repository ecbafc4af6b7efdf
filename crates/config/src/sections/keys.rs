//! The table `[keys]`.

use super::{
    pattern,
    syntax::{check_header_name, is_of_requests},
};
use crate::{
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{
        Absent::{Default, Means},
        Shape,
    },
};
use gateway::settings::{Challenge, Keys};

rows! {
    KEYS_HEADERS = Keys "headers", Shape::Texts, Default("[\"X-API-Key\"]"), "[\"X-API-Key\"]", also "header";
    "Headers that may hold the key, in the order in which they are read. `Authorization` (Bearer and Basic) is always read \
     after them."

    KEYS_PATTERN = Keys "pattern", Shape::Text, Means("an imported key may have any format"), "\"[A-Za-z0-9]{36}\"",
    also "format";
    "A regular expression that must match the whole of an imported key. A key that neither matches it nor is well formed as \
     Fairgate's own is 400 `KEY_FORMAT_INCORRECT`."

    KEYS_CHALLENGE = Keys "challenge", Shape::Words(&["bearer", "basic"]), Default("\"bearer\""), "\"basic\"";
    "With `statuses = \"rfc9110\"`: the scheme in the `WWW-Authenticate` header of a 401 for a missing or incorrect key. `basic` \
     is for clients that send credentials only after a challenge, such as those of WebDAV; browsers then show a login \
     dialog. Keys are accepted in both schemes either way."
}

///
/// `of_document` are the headers of the document's security schemes; they apply if the file names none.
pub(super) fn keys(section: &Section<'_>, of_document: &[String]) -> Option<Keys> {
    let mut headers: Vec<At<String>> = Vec::new();
    for name in section.texts(&KEYS_HEADERS) {
        let span = name.span.clone();
        let Some(name) = section.keep(name, key_header) else { continue };
        match headers.iter().find(|known| known.value == name) {
            Some(known) => section.reader.fault(Fault::twice("header", &name, &span, &known.span)),
            None => headers.push(At { value: name, span }),
        }
    }
    let pattern = pattern::whole(section, &KEYS_PATTERN);
    if let (Some(empty), Some(_)) =
        (section.text(&KEYS_PATTERN).filter(|text| text.value.is_empty()), &pattern)
    {
        section.reader.fault(
            Fault::at(empty.span, "no key matches an empty pattern")
                .label("matches only the empty text")
                .help("write the pattern of your keys, or remove this line to allow any format"),
        );
    }
    let mut headers: Vec<String> = headers.into_iter().map(|name| name.value).collect();
    if !section.has(&KEYS_HEADERS) && !of_document.is_empty() {
        let (named, unfit): (Vec<_>, Vec<_>) = of_document.iter().partition(|name| key_header(name).is_ok());
        for name in unfit {
            section.reader.warn(format!(
                "the document uses the header `{name}` for keys, which Fairgate does not read as a whole; \
                 keys are read from `Authorization` as Bearer or Basic, and from `[keys] headers`"
            ));
        }
        if !named.is_empty() {
            headers = named.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        }
    }
    let words = [("bearer", Challenge::Bearer), ("basic", Challenge::Basic)];
    let challenge = section.word(&KEYS_CHALLENGE, &words)?.value;
    Some(Keys { headers, pattern, challenge })
}

/// The name of a header that may hold a key; not one that already has a meaning in HTTP.
fn key_header(name: &str) -> Result<String, Refusal> {
    let name = check_header_name(name)?;
    match name.as_str() {
        "authorization" => Err(Refusal::new(
            "`Authorization` is always read",
            "not needed here",
            "remove it from the list: Authorization with Bearer and Basic is read after the others",
        )),
        own if is_of_requests(own) => Err(Refusal::new(
            format!("`{name}` cannot hold a key"),
            "this header has a meaning of its own",
            "use a header of your own, such as \"X-API-Key\"",
        )),
        _ => Ok(name),
    }
}
