//! Single values with a syntax of their own: e-mail, public URL, header name, prefix, permission.

use crate::{
    fault::Fault,
    raw::{At, Refusal, Section},
    template::Template,
};
use contract::Limit;
use std::{net::SocketAddr, sync::Arc};

/// Whether this is a host name or an IPv4 address.
pub(super) fn is_host_name(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        })
}

/// Whether this is a token (RFC 9110, 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// An address that a client can write to. Only what is surely none is refused.
pub(super) fn check_email(text: &str) -> Result<String, Refusal> {
    let is_good = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && local.chars().all(|c| c.is_ascii_graphic() && !"\"(),:;<>[\\]".contains(c))
            && domain.contains('.')
            && is_host_name(domain)
    });
    if is_good {
        return Ok(text.to_owned());
    }
    let help = match text.strip_prefix("mailto:") {
        Some(address) => format!("remove the scheme: \"{address}\""),
        None => "write it like this: \"help@example.com\"".to_owned(),
    };
    Err(Refusal::new(format!("`{text}` is not an email address"), "expected name@domain", help))
}

/// The public base; the slash at its end is taken off.
pub(super) fn check_public_url(text: &str) -> Result<String, Refusal> {
    let refuse =
        |label: &str, help: String| Err(Refusal::new(format!("`{text}` is not a public URL"), label, help));
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        let help = match text.split_once("://") {
            Some(_) => "write it like this: public_url = \"https://api.example.com\"".to_owned(),
            None => format!("write it with its scheme: \"https://{text}\""),
        };
        return refuse("expected https:// or http://", help);
    };
    if rest.contains(['?', '#', '@']) {
        return refuse(
            "a user, a query or a fragment is not allowed here",
            "write only scheme, host and path".to_owned(),
        );
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    if !(is_host_name(host) || is_address) || !is_port {
        return refuse(
            "the host or the port is not valid",
            "write it like this: public_url = \"https://api.example.com\"".to_owned(),
        );
    }
    if !is_plain_path(path) {
        return refuse(
            "the path is not valid",
            "write a path without dot segments and repeated slashes".to_owned(),
        );
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// An address to listen on.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, Refusal> {
    text.parse().map_err(|_| {
        let digits = text.trim_start_matches(':');
        let is_port = digits.parse::<u16>().is_ok();
        let guess = match text.split_once(':') {
            _ if is_port => Some(format!("0.0.0.0:{digits}")),
            Some(("localhost", port)) if port.parse::<u16>().is_ok() => Some(format!("127.0.0.1:{port}")),
            Some(("*", port)) if port.parse::<u16>().is_ok() => Some(format!("0.0.0.0:{port}")),
            _ if text == "localhost" => Some("127.0.0.1:8080".to_owned()),
            _ => text.parse().ok().map(|address| SocketAddr::new(address, 8080).to_string()),
        };
        let help = guess.map_or_else(
            || "write an IP address and a port: address = \"127.0.0.1:8080\"".to_owned(),
            |guess| format!("did you mean address = \"{guess}\"?"),
        );
        Refusal::new(
            format!("`{text}` is not an address to listen on"),
            "expected an IP address and a port",
            help,
        )
    })
}

/// The path of a URL of ours: empty, or segments of plain characters, a slash at its end allowed.
pub(super) fn is_plain_path(path: &str) -> bool {
    let inner = path.strip_suffix('/').unwrap_or(path);
    inner.is_empty()
        || inner.strip_prefix('/').is_some_and(|inner| {
            inner.split('/').all(|segment| {
                !segment.is_empty()
                    && segment != "."
                    && segment != ".."
                    && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c))
            })
        })
}

/// What the gateway's own paths begin with.
pub(super) fn check_prefix(text: &str) -> Result<String, Refusal> {
    let is_good = text.len() > 1
        && text.len() <= 100
        && text.starts_with('/')
        && !text.contains("//")
        && !text.split('/').any(|segment| segment == "." || segment == "..")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/-._~".contains(c));
    is_good.then(|| text.to_owned()).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not a path prefix"),
            "expected `/` and at least one more character",
            "write it like this: reserved_prefix = \"/_\"; it may contain letters, digits and / - . _ ~",
        )
    })
}

/// The name of a header, in lower case.
pub(super) fn check_header_name(text: &str) -> Result<String, Refusal> {
    if is_token(text) && text.len() <= 100 {
        return Ok(text.to_ascii_lowercase());
    }
    let bare = text.split(':').next().unwrap_or_default().trim();
    let help = if is_token(bare) && bare != text {
        format!("write only the name: \"{bare}\"")
    } else {
        "a header name may contain only letters, digits and ! # $ % & ' * + - . ^ _ ` | ~".to_owned()
    };
    Err(Refusal::new(format!("`{text}` is not a header name"), "expected the name of a header", help))
}

/// Whether a request header has a meaning of its own, so that it cannot hold anything else.
pub(super) fn is_of_requests(name: &str) -> bool {
    const NAMES: [&str; 28] = [
        "host",
        "connection",
        "content-length",
        "content-type",
        "content-encoding",
        "content-range",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept",
        "accept-encoding",
        "authorization",
        "cookie",
        "forwarded",
        "http2-settings",
        "keep-alive",
        "origin",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "via",
        "x-consumer-id",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-request-id",
    ];
    NAMES.contains(&name) || name.starts_with("if-")
}

/// Whether a response header has a meaning of its own, so that it cannot report anything else.
pub(super) fn is_of_responses(name: &str) -> bool {
    const NAMES: [&str; 32] = [
        "accept-ranges",
        "age",
        "allow",
        "alt-svc",
        "cache-control",
        "connection",
        "date",
        "deprecation",
        "etag",
        "expires",
        "keep-alive",
        "last-modified",
        "link",
        "location",
        "pragma",
        "proxy-authenticate",
        "proxy-connection",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "server",
        "set-cookie",
        "strict-transport-security",
        "sunset",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "vary",
        "via",
        "www-authenticate",
        "x-request-id",
    ];
    const FAMILIES: [&str; 4] = ["access-control-", "content-", "grpc-", "x-rate-limit-"];
    NAMES.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// The name of a permission: what can be written on a command line without quotes.
pub(super) fn check_permission(text: &str) -> Result<String, Refusal> {
    let is_good = !text.is_empty()
        && text.len() <= 128
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ":._/-".contains(c));
    is_good.then(|| text.to_owned()).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not a permission"),
            "expected 1 to 128 letters, digits and : . _ / -",
            "write it like this: permission = \"items:read\"; remove this line to allow any key",
        )
    })
}

/// The name of a group of endpoints.
pub(super) fn check_group(text: &str) -> Result<Arc<str>, Refusal> {
    Limit::is_group(text).then(|| Arc::from(text)).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not a group name"),
            "expected 1 to 64 letters, digits, `-` and `_`",
            "write it like this: group = \"search\"; limits refer to it like this: \"100 per hour for search\"",
        )
    })
}

/// A media type without parameters, in lower case.
pub(super) fn check_media_type(text: &str) -> Result<String, Refusal> {
    let parts = text.split_once('/');
    let is_good = parts.is_some_and(|(kind, sub)| is_token(kind) && is_token(sub) && !text.contains('*'));
    if is_good && text.len() <= 255 {
        return Ok(text.to_ascii_lowercase());
    }
    let help = match text.split_once(';') {
        Some((bare, _)) => format!("remove the parameters: \"{}\"", bare.trim()),
        None => "write it like this: \"application/json\"".to_owned(),
    };
    Err(Refusal::new(format!("`{text}` is not a media type"), "expected type/subtype", help))
}

/// Reads a path template, or notes the fault at the very part that is wrong.
pub(super) fn template(section: &Section<'_>, path: &At<String>) -> Option<At<Template>> {
    match Template::parse(&path.value) {
        Ok(value) => Some(At { value, span: path.span.clone() }),
        Err(wrong) => {
            section.reader.fault(
                Fault::at(section.reader.part(path, wrong.part), format!("`{}` is not a path", path.value))
                    .label(wrong.label)
                    .help(wrong.help),
            );
            None
        }
    }
}
