//! The table `[cors]`: which pages of other origins may read answers.

use super::syntax::{check_header_name, is_host_name, is_token};
use crate::{
    fault::Fault,
    raw::{Refusal, Section},
    registry::{
        Absent::{Default, Means},
        DAY, Shape,
    },
};
use gateway::settings::{Cors, Origin, Origins, exposed_to_pages};

rows! {
    CORS_ORIGINS = Cors "origins", Shape::Texts, Means("no page of another origin may read responses"),
    "[\"https://app.example.com\", \"https://*.example.org\"]", also "allowed_origins", "allow_origins";
    "Origins whose pages may read responses, as browsers send them; `*.` before a host matches every subdomain. `[\"*\"]` \
     allows every origin, but cannot be combined with `credentials`."

    CORS_METHODS = Cors "methods", Shape::Texts, Means("the methods that the page asks for"), "[\"GET\", \"POST\"]",
    also "allowed_methods", "allow_methods";
    "Methods that these pages may use."

    CORS_HEADERS = Cors "headers", Shape::Texts, Means("the headers that the page asks for"), "[\"X-API-Key\", \"Content-Type\"]",
    also "allowed_headers", "allow_headers";
    "Request headers that these pages may send."

    CORS_EXPOSED_HEADERS = Cors "exposed_headers", Shape::Texts, Default("[]"), "[\"ETag\"]", also "expose", "expose_headers";
    "Response headers that these pages may read, in addition to those that Fairgate sets: the limits, the request id, \
     `Retry-After` and others."

    CORS_CREDENTIALS = Cors "credentials", Shape::Boolean, Default("false"), "true", also "allow_credentials";
    "Whether these pages may send cookies and read the responses. Keys in headers need no credentials."

    CORS_MAX_AGE = Cors "max_age", Shape::Duration { least: 0, most: DAY }, Default("\"10m\""), "\"1h\"";
    "How long browsers may cache the result of a preflight."
}

/// None: no page of another origin may.
pub(super) fn cors(section: &Section<'_>) -> Option<Cors> {
    let texts = section.texts(&CORS_ORIGINS);
    let max_age = section.duration(&CORS_MAX_AGE);
    let credentials = section.boolean(&CORS_CREDENTIALS);
    let methods: Vec<String> = section
        .texts(&CORS_METHODS)
        .into_iter()
        .filter_map(|text| section.keep(text, check_method))
        .collect();
    let headers: Vec<String> = section
        .texts(&CORS_HEADERS)
        .into_iter()
        .filter_map(|text| section.keep(text, check_header_name))
        .collect();
    let exposed: Vec<String> = section
        .texts(&CORS_EXPOSED_HEADERS)
        .into_iter()
        .filter_map(|text| section.keep(text, check_header_name))
        .collect();
    if !section.has(&CORS_ORIGINS) {
        let others = [&CORS_METHODS, &CORS_HEADERS, &CORS_EXPOSED_HEADERS, &CORS_CREDENTIALS, &CORS_MAX_AGE];
        if others.iter().any(|key| section.has(key)) {
            section.reader.fault(
                Fault::at(section.place.clone(), "`[cors]` has no `origins`")
                    .label("without them, no page may read responses")
                    .help("write it like this: origins = [\"https://app.example.com\"]"),
            );
        }
        return None;
    }
    let any = texts.iter().find(|text| text.value == "*").cloned();
    let origins = match any {
        Some(any) => {
            if texts.len() > 1 {
                section.reader.fault(
                    Fault::at(any.span.clone(), "`*` cannot be combined with other origins")
                        .label("every origin")
                        .help("keep only `*`, or list the origins"),
                );
            }
            if credentials.as_ref().is_some_and(|credentials| credentials.value) {
                section.reader.fault(
                    Fault::at(any.span, "`*` cannot be combined with `credentials`")
                        .label("every origin")
                        .also(section.key_place(&CORS_CREDENTIALS), "credentials")
                        .help("list the origins whose pages may send cookies"),
                );
            }
            Origins::Any
        }
        None => Origins::These(texts.into_iter().filter_map(|text| section.keep(text, origin)).collect()),
    };
    Some(Cors {
        origins,
        methods,
        headers,
        credentials: credentials?.value,
        max_age: max_age?.value,
        exposed: exposed_to_pages(&exposed),
    })
}

fn check_method(text: &str) -> Result<String, Refusal> {
    if is_token(text) && text.chars().all(|c| !c.is_ascii_lowercase()) {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(
        format!("`{text}` is not an HTTP method"),
        "expected a method in upper case",
        "write it like this: methods = [\"GET\", \"POST\"]",
    ))
}

/// An origin as browsers write it: scheme, host and port, in small letters.
fn origin(text: &str) -> Result<Origin, Refusal> {
    let refuse =
        |label: &str, help: &str| Err(Refusal::new(format!("`{text}` is not an origin"), label, help));
    if text == "null" {
        return Ok(Origin::Exact(text.to_owned()));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return refuse("expected a scheme and a host", "write it like this: \"https://app.example.com\"");
    };
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port));
    let name = host.strip_prefix("*.").unwrap_or(host);
    let is_scheme = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_lowercase() || "+-.".contains(c));
    if !is_scheme || !is_host_name(name) || !is_port || name.chars().any(|c| c.is_ascii_uppercase()) {
        return refuse(
            "expected scheme, host and optional port in lower case, and nothing else",
            "write it as the browser sends it: \"https://app.example.com\", or \"https://*.example.com\" for all of its subdomains",
        );
    }
    Ok(if name.len() == host.len() {
        Origin::Exact(text.to_owned())
    } else {
        let tail = port.map_or_else(|| format!(".{name}"), |port| format!(".{name}:{port}"));
        Origin::Below { scheme: format!("{scheme}://"), tail }
    })
}
