//! The keys at the top of the file: slashes, statuses, extra codes, upgrades, trusted proxies.

use super::access::network;
use crate::{
    fault::Fault,
    raw::{At, Refusal, Section, wrong_type},
    registry::{EXTRA_CODES, REDIRECT_STATUS, RELOAD, STATUSES, TRAILING_SLASH, TRUSTED_PROXIES, UPGRADES},
    typed::integer,
};
use contract::{RedirectStatus, Statuses, status::ExtraStatus};
use gateway::settings::{Redirects, TrailingSlash};
use ipnet::IpNet;
use toml::de::DeValue;

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
            Some(known) => {
                top.reader.fault(twice("status", &code.value.number().to_string(), &code.span, &known.span))
            }
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
                Some(known) => top.reader.fault(twice("protocol", &protocol, &name.span, &known.span)),
                None => protocols.push(At { value: protocol, span: name.span }),
            },
            Err(refusal) => top.reader.fault(refusal.into_fault(name.span)),
        }
    }
    protocols.into_iter().map(|protocol| protocol.value).collect()
}

/// A protocol that Fairgate may be blind to. HTTP is none, nor is TLS, in which there could be HTTP: requests without
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

/// A fault for what stands twice in a list.
pub(super) fn twice(
    what: &str,
    name: &str,
    second: &std::ops::Range<usize>,
    first: &std::ops::Range<usize>,
) -> Fault {
    Fault::at(second.clone(), format!("the {what} `{name}` is listed twice"))
        .label("the second time")
        .also(first.clone(), "the first time")
        .help("keep one of them")
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
