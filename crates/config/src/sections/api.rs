//! The table `[api]`.

use super::syntax::{check_email, check_prefix, check_public_url};
use crate::{
    raw::{Refusal, Section},
    registry::{
        Absent::{Default, Means},
        Shape,
    },
};
use gateway::settings::Api;
use std::ops::Range;

rows! {
    API_NAME = Api "name", Shape::Text, Means("`info.title` of the `openapi` document; required without one"),
    "\"Items\"", also "title";
    "The API's name, shown on pages and in messages."

    API_SUPPORT_EMAIL = Api "support_email", Shape::Text, Means("a 500 response includes no contact address"),
    "\"help@example.com\"", also "email";
    "The address to write to after a 500; the `contact` of the error specification."

    API_PUBLIC_URL = Api "public_url", Shape::Text, Means("taken from the `Host` of the request"),
    "\"https://api.example.com\"", also "base_url";
    "The base URL under which clients reach the API, for links and redirects. If it has a path, a proxy in front removes that \
     from requests; redirects, links and cookies begin with it."

    API_RESERVED_PREFIX = Api "reserved_prefix", Shape::Text, Default("\"/_\""), "\"/_\"";
    "The prefix of Fairgate's own paths: `/_` gives `/_docs/` and `/_limits`. No endpoint may start with it."
}

/// The reserved prefix, and its place if the file sets it.
#[derive(Debug)]
pub(super) struct Prefix {
    pub(super) text: String,
    pub(super) place: Option<Range<usize>>,
}

/// The table `[api]`. The prefix is returned separately, because paths are checked against it whatever else is wrong.
///
/// `title` is that of the document, the default of the name.
pub(super) fn api(section: &Section<'_>, title: Option<&str>) -> (Option<Api>, Option<Prefix>) {
    if title.is_none() {
        section.need(&API_NAME);
    }
    let title = title.filter(|_| !section.has(&API_NAME)).map(shown);
    let name = section.text(&API_NAME).and_then(|name| {
        section.keep(name, |name| {
            let is_good =
                !name.trim().is_empty() && name.chars().count() <= 200 && !name.contains(char::is_control);
            is_good.then(|| name.trim().to_owned()).ok_or_else(|| {
                Refusal::new(
                    "invalid API name",
                    "expected 1 to 200 characters on one line",
                    "write the name that the API's users know",
                )
            })
        })
    });
    let name = name.or(title);
    let email = section.text(&API_SUPPORT_EMAIL).and_then(|email| section.keep(email, check_email));
    if !section.has(&API_SUPPORT_EMAIL) {
        section.reader.warn(
            "`[api] support_email` is not set, so a 500 response includes no contact address".to_owned(),
        );
    }
    let url = section.text(&API_PUBLIC_URL).and_then(|url| section.keep(url, check_public_url));
    let prefix = section.text(&API_RESERVED_PREFIX).and_then(|prefix| {
        let place = section.has(&API_RESERVED_PREFIX).then(|| prefix.span.clone());
        section.keep(prefix, check_prefix).map(|text| Prefix { text, place })
    });
    let reserved_prefix = prefix.as_ref().map(|prefix| prefix.text.clone());
    let api = name.zip(reserved_prefix).map(|(name, reserved_prefix)| Api {
        name,
        support_email: email,
        public_url: url,
        reserved_prefix,
    });
    (api, prefix)
}

/// A document's title as a name: in one line, and not too long for a page.
fn shown(title: &str) -> String {
    let line: Vec<&str> = title.split_whitespace().collect();
    let name: String = line.join(" ").chars().filter(|c| !c.is_control()).take(200).collect();
    if name.is_empty() { "API".to_owned() } else { name }
}
