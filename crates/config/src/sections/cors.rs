//! The table `[cors]`: which pages of other origins may read answers.

use super::{
    server::keep,
    syntax::{check_header_name, is_host_name, is_token},
};
use crate::{
    fault::Fault,
    raw::{Refusal, Section},
    registry::{
        CORS_CREDENTIALS, CORS_EXPOSED_HEADERS, CORS_HEADERS, CORS_MAX_AGE, CORS_METHODS, CORS_ORIGINS,
    },
};
use gateway::settings::{Cors, Origin, Origins, exposed_to_pages};

/// None: no page of another origin may.
pub(super) fn cors(section: &Section<'_>) -> Option<Cors> {
    let texts = section.texts(&CORS_ORIGINS);
    let max_age = section.duration(&CORS_MAX_AGE);
    let credentials = section.boolean(&CORS_CREDENTIALS);
    let methods: Vec<String> = section
        .texts(&CORS_METHODS)
        .into_iter()
        .filter_map(|text| keep(section, text, check_method))
        .collect();
    let headers: Vec<String> = section
        .texts(&CORS_HEADERS)
        .into_iter()
        .filter_map(|text| keep(section, text, check_header_name))
        .collect();
    let exposed: Vec<String> = section
        .texts(&CORS_EXPOSED_HEADERS)
        .into_iter()
        .filter_map(|text| keep(section, text, check_header_name))
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
        None => Origins::These(texts.into_iter().filter_map(|text| keep(section, text, origin)).collect()),
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
