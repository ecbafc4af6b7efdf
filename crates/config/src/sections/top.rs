//! The keys at the top of the file: slashes, statuses, extra codes, upgrades, trusted proxies.

use super::access::network;
use crate::{
    fault::Fault,
    raw::{At, Refusal, Section, wrong_type},
    registry::{
        Absent::{Default, Means},
        Shape,
    },
    typed::integer,
};
use contract::{RedirectStatus, Statuses, status::ExtraStatus};
use gateway::settings::{Redirects, TrailingSlash};
use ipnet::IpNet;
use toml::de::DeValue;

rows! {
    TRAILING_SLASH = Top "trailing_slash", Shape::Words(&["redirect", "keep"]), Default("\"redirect\""), "\"keep\"";
    "How to treat a slash at the end of a path. `redirect`: answer 301 to the same path without it. `keep`: take the path \
     as it is. An endpoint declared with a trailing slash always keeps it."

    REDIRECT_STATUS = Top "redirect_status", Shape::WholeOf(&[301, 308]), Default("301"), "308", also "keep_method";
    "The status of redirects for methods other than GET and HEAD. `301`: no `Location`; the new address is in the body \
     only, because many clients follow a 301 with a GET and lose the body. `308`: with `Location`; clients keep method \
     and body."

    STATUSES = Top "statuses", Shape::Words(&["fairgate", "rfc9110"]), Default("\"fairgate\""), "\"rfc9110\"";
    "What 401 and 403 mean. `fairgate`: 401 for a key without the required permission, 403 for a key that is missing or \
     incorrect. `rfc9110`: 401 for a missing or incorrect key, 403 for a missing permission, as in RFC 9110 and most APIs."

    EXTRA_CODES = Top "extra_codes", Shape::Statuses, Default("[]"), "[409, 412]";
    "Statuses outside the closed table that the upstream may send for this API. Each gets an error code of its own."

    UPGRADES = Top "upgrades", Shape::Texts, Default("[\"websocket\"]"), "[\"websocket\"]", also "upgrade_types";
    "Protocols that clients may switch to with an HTTP/1.1 `Upgrade`, by the name they use there. Other upgrades are not \
     passed on, because Fairgate does not see what goes through an upgraded connection. `h2c` and other versions of HTTP \
     are not allowed: whole requests would pass unseen."

    TRUSTED_PROXIES = Top "trusted_proxies", Shape::Texts, Default("[]"), "[\"10.0.0.0/8\", \"127.0.0.1\"]";
    "Addresses and networks of the proxies in front of Fairgate. Their `X-Forwarded-*` and `Forwarded` headers are trusted \
     and extended; those of everyone else are replaced."

    TRUSTED_HOPS = Top "trusted_hops", Shape::Whole { least: 1, most: 16 }, Means("only `trusted_proxies` are trusted"), "2",
    also "num_trusted_hops", "xff_num_trusted_hops";
    "The number of proxies in front of Fairgate, if their addresses are not known. The client's address is then that many \
     entries from the right in `X-Forwarded-For`, or in `Forwarded` if there is no `X-Forwarded-For`. A client that can reach \
     Fairgate without passing the proxies can forge its address."

    OPENAPI = Top "openapi", Shape::Text, Means("endpoints are those of this file"), "\"openapi.yaml\"",
    also "document";
    "The API's OpenAPI document (3.0, 3.1, 3.2 or Swagger 2.0; JSON or YAML), relative to the folder of this file. It \
     defines endpoints, permissions, key headers and the validation of requests; `[[endpoints]]` then adds to its operations."

    ALLOW_NO_ENDPOINTS = Top "allow_no_endpoints", Shape::Boolean, Default("false"), "true";
    "`true`: the API has no endpoints on purpose, so an empty document or configuration gives no warning, and a reload may \
     remove the last endpoint. `false`: such a reload is rejected, and the running configuration stays."

    RELOAD = Top "reload", Shape::Words(&["on_change", "on_signal"]), Default("\"on_change\""), "\"on_signal\"",
    also "watch";
    "When the running gateway reloads this file and the document. `on_change`: once they have changed and then stayed \
     unchanged for a second. `on_signal`: only at SIGHUP and `fairgate config reload`, which always work."
}

pub(super) fn redirects(top: &Section<'_>) -> Option<Redirects> {
    let slash =
        top.word(&TRAILING_SLASH, &[("redirect", TrailingSlash::Redirect), ("keep", TrailingSlash::Keep)]);
    let status = top.whole_of(&REDIRECT_STATUS, &[301, 308]);
    let status = match status?.value {
        308 => RedirectStatus::PermanentRedirect,
        _ => RedirectStatus::MovedPermanently, // 301: nothing else is taken
    };
    Some(Redirects { trailing_slash: slash?.value, status })
}

/// Whether the file is looked after while the gateway runs.
pub(super) fn is_watched(top: &Section<'_>) -> Option<bool> {
    top.word(&RELOAD, &[("on_change", true), ("on_signal", false)]).map(|word| word.value)
}

pub(super) fn statuses(top: &Section<'_>) -> Option<Statuses> {
    let words = [("fairgate", Statuses::Fairgate), ("rfc9110", Statuses::Rfc9110)];
    top.word(&STATUSES, &words).map(|word| word.value)
}

pub(super) fn extra_codes(top: &Section<'_>) -> Vec<ExtraStatus> {
    let list = top.list(&EXTRA_CODES, |value| {
        let DeValue::Integer(number) = value else { return Err(wrong_type(&EXTRA_CODES, value)) };
        let code =
            integer(number).and_then(|number| u16::try_from(number).ok()).and_then(ExtraStatus::from_number);
        code.ok_or_else(|| no_extra(number.as_str()))
    });
    let mut codes: Vec<At<ExtraStatus>> = Vec::new();
    for code in list.map(|list| list.value).unwrap_or_default() {
        match codes.iter().find(|known| known.value == code.value) {
            Some(known) => top.reader.fault(Fault::twice(
                "status",
                &code.value.number().to_string(),
                &code.span,
                &known.span,
            )),
            None => codes.push(code),
        }
    }
    codes.into_iter().map(|code| code.value).collect()
}

/// The protocols that a connection may be switched to, in lower case.
pub(super) fn upgrades(top: &Section<'_>) -> Vec<String> {
    let mut protocols: Vec<At<String>> = Vec::new();
    for name in top.texts(&UPGRADES) {
        match protocol(&name.value) {
            Ok(protocol) => match protocols.iter().find(|known| known.value == protocol) {
                Some(known) => top.reader.fault(Fault::twice("protocol", &protocol, &name.span, &known.span)),
                None => protocols.push(At { value: protocol, span: name.span }),
            },
            Err(refusal) => top.reader.fault(refusal.into_fault(name.span)),
        }
    }
    protocols.into_iter().map(|protocol| protocol.value).collect()
}

/// A protocol that Fairgate may be blind to. Not HTTP, and not TLS, which could carry HTTP: requests without
/// a key and without limits would pass in it.
fn protocol(text: &str) -> Result<String, Refusal> {
    let name = text.to_ascii_lowercase();
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    if !name.splitn(2, '/').all(is_token) {
        return Err(Refusal::new(
            format!("`{text}` is not a protocol name"),
            "expected the name of a protocol",
            "write the name from the `Upgrade` header, such as \"websocket\"",
        ));
    }
    let before_version = name.split('/').next().unwrap_or_default();
    if matches!(before_version, "http" | "h2c" | "h2" | "h3" | "tls") {
        return Err(Refusal::new(
            format!("connections cannot be switched to `{text}`"),
            "whole requests would pass unseen",
            "remove it from the list: such upgrades are then ignored, and their requests are answered as usual",
        ));
    }
    Ok(name)
}

fn no_extra(number: &str) -> Refusal {
    let allowed: Vec<String> = ExtraStatus::ALL.iter().map(|extra| extra.number().to_string()).collect();
    let label = match number {
        "200" | "301" | "400" | "401" | "403" | "404" | "422" | "429" | "500" | "503" => {
            "already in the closed table"
        }
        _ => "not a status that an API may add",
    };
    Refusal::new(
        format!("{number} cannot be an extra code"),
        label,
        format!("you can add {}", allowed.join(", ")),
    )
}

pub(super) fn trusted_proxies(top: &Section<'_>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in top.texts(&TRUSTED_PROXIES) {
        match network(&text.value) {
            Ok(network) => {
                if network.prefix_len() == 0 {
                    top.reader.warn(format!(
                        "line {}: `trusted_proxies` contains {network}, so every client can forge its address",
                        top.reader.line(&text.span)
                    ));
                }
                networks.push(network);
            }
            Err(refusal) => top.reader.fault(refusal.into_fault(text.span)),
        }
    }
    networks
}

/// The number of proxies in front of Fairgate, if it is configured.
pub(super) fn trusted_hops(top: &Section<'_>) -> Option<usize> {
    let hops = top.whole(&TRUSTED_HOPS)?;
    if top.has(&TRUSTED_PROXIES) {
        top.reader.fault(
            Fault::at(hops.span.clone(), "trusted proxies are configured in two ways")
                .label("by their number")
                .also(top.key_place(&TRUSTED_PROXIES), "by their addresses")
                .help("keep one of the two: the addresses, if you know them"),
        );
    }
    usize::try_from(hops.value).ok()
}
