//! Redirects, status 301: moved paths, trailing slashes, requests without TLS.

use super::{
    key,
    own_key::{self, OwnKey},
};
use crate::{
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    record::Level,
    settings::{Endpoint, Plain, TrailingSlash},
};
use contract::ErrorCode;
use http1::target::Scheme;
use std::net::SocketAddr;

/// Redirects a request without TLS to https, if so configured. One with a key is refused instead: a
/// client that follows the redirect would go on sending the key in the clear, and nobody would
/// learn that it must be replaced.
pub(crate) fn check_scheme(context: &mut RequestContext<'_>) -> Result<(), Refused> {
    let Some(tls) = &context.config.settings.tls else { return Ok(()) };
    match tls.plain {
        Plain::Serve | Plain::Off => return Ok(()),
        Plain::Redirect => {}
    }
    // If certificates are required, only the connection itself can have proved one.
    match if tls.requires_certificate { context.peer.scheme } else { context.scheme() } {
        Scheme::Https => return Ok(()),
        Scheme::Http => {}
    }
    let public = context.config.settings.api.public_url.as_deref().filter(|url| url.starts_with("https://"));
    let base = match (public, context.shared.tls_address) {
        (Some(public), _) => public.to_owned(),
        (None, Some(address)) => {
            format!("{}{}", https(context.head.host(), address), context.config.public_path)
        }
        (None, None) => return Ok(()), // it listens there, otherwise it would not have started
    };
    let (path, query) = (context.head.path(), context.head.query());
    let (in_path, in_query) = (own_key::well_formed(context, path.as_bytes()), own_key::in_query(context));
    // A key is not repeated.
    let (path, query) = match (&in_path, &in_query) {
        (None, None) => (path, query),
        (None, Some(_)) => (path, None),
        (Some(_), _) => ("/", None),
    };
    // `*` is not a location that can be redirected to.
    let names_nothing = path == "*";
    let location = format!("{base}{}", location(if names_nothing { "/" } else { path }, query));
    let elsewhere = in_path.or(in_query).or_else(|| own_key::in_other_headers(context));
    if elsewhere.is_some() || key::is_presented(context) {
        return Err(key_in_the_clear(context, elsewhere, &location));
    }
    if names_nothing {
        return Ok(()); // 404, as usual
    }
    let message = format!("This API requires HTTPS. Send the request to {location}.");
    Err(refusal(ErrorCode::EndpointMoved, message, location))
}

/// Logs a valid key once an hour.
fn key_in_the_clear(context: &mut RequestContext<'_>, elsewhere: Option<OwnKey>, location: &str) -> Refused {
    let elsewhere = match elsewhere {
        Some(OwnKey::Known(key)) => Some(key),
        Some(OwnKey::Unknown) | None => None,
    };
    if let Some(key) = elsewhere.or_else(|| key::recognise(context))
        && context.shared.exposed_keys.is_new(key.id(), context.now.seconds())
    {
        let (id, address) = (key.id(), context.address.to_string());
        let members = [("key", id.as_str()), ("address", address.as_str())];
        context.shared.log.event(Level::Warn, "an API key was sent without TLS", &members);
    }
    Refusal::new(
        ErrorCode::HttpsRequired,
        format!(
            "This API requires HTTPS, but the API key was sent without it, so others may have read the key. Have it replaced, and send requests to {location}."
        ),
    )
}

/// The https origin of the requested host; our own address if the request names none.
fn https(host: &str, address: SocketAddr) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        Some(_) | None => host,
    };
    match (name, address.port()) {
        ("", _) => format!("https://{address}"),
        (name, 443) => format!("https://{name}"),
        (name, port) => format!("https://{name}:{port}"),
    }
}

/// Redirects a path that has moved. A trailing slash does not matter: one redirect suffices for both.
pub(crate) fn check_moved(context: &RequestContext<'_>) -> Result<(), Refused> {
    let path = context.head.path();
    let routes = &context.config.routes;
    let to = routes.moved_to(path).or_else(|| match context.config.settings.redirects.trailing_slash {
        TrailingSlash::Redirect => routes.moved_to(path.trim_end_matches('/')),
        TrailingSlash::Keep => None,
    });
    to.map_or(Ok(()), |to| Err(moved(context, &to)))
}

/// Redirects an endpoint that has moved.
pub(crate) fn check_endpoint(
    context: &RequestContext<'_>,
    endpoint: Option<&Endpoint>,
) -> Result<(), Refused> {
    let Some((endpoint, to)) = endpoint.and_then(|one| Some((one, one.moved_to.as_deref()?))) else {
        return Ok(());
    };
    Err(moved(context, &context.config.routes.filled(endpoint, to, context.head.path())))
}

fn moved(context: &RequestContext<'_>, to: &str) -> Refused {
    let location = public(context, to);
    refusal(
        ErrorCode::EndpointMoved,
        format!("This endpoint has moved to {location}. Use that address from now on."),
        location,
    )
}

/// Redirects a path with a trailing slash, unless an endpoint is declared with it.
pub(crate) fn check_slash(context: &RequestContext<'_>) -> Result<(), Refused> {
    let path = context.head.path();
    let redirects = match context.config.settings.redirects.trailing_slash {
        TrailingSlash::Redirect => path.len() > 1 && path.ends_with('/'),
        TrailingSlash::Keep => false,
    };
    // A path of slashes only is the root; there is nothing to cut off.
    let cut = path.trim_end_matches('/');
    if !redirects || cut.is_empty() || context.config.routes.keeps_slash(path) {
        return Ok(());
    }
    let location = public(context, cut);
    let message = format!("The path ends in a slash. Send the request to {location}, without the slash.");
    Err(refusal(ErrorCode::TrailingSlash, message, location))
}

fn refusal(code: ErrorCode, message: String, location: String) -> Refused {
    let mut refused = Refusal::new(code, message);
    refused.location = Some(location);
    refused
}

/// A path as clients address it, with the query of the request.
fn public(context: &RequestContext<'_>, path: &str) -> String {
    format!("{}{}", context.config.public_path, location(path, context.head.query()))
}

/// A location on this host. Two leading slashes would name another host, so they are merged.
fn location(path: &str, query: Option<&str>) -> String {
    let path = path.trim_start_matches('/');
    match query {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_that_of_tls() {
        let address = |port| SocketAddr::from(([192, 0, 2, 1], port));
        for (host, port, expected) in [
            ("api.example.com", 443, "https://api.example.com"),
            ("api.example.com:80", 443, "https://api.example.com"),
            ("api.example.com:8080", 8443, "https://api.example.com:8443"),
            ("[::1]", 8443, "https://[::1]:8443"),
            ("[::1]:8080", 443, "https://[::1]"),
            ("", 8443, "https://192.0.2.1:8443"),
        ] {
            assert_eq!(https(host, address(port)), expected, "{host} {port}");
        }
    }

    #[test]
    fn a_location_never_names_another_host() {
        assert_eq!(location("//evil.example", None), "/evil.example");
        assert_eq!(location("///evil.example/a//b", Some("c=//d")), "/evil.example/a//b?c=//d");
        assert_eq!(location("/items/7", Some("a=b")), "/items/7?a=b");
    }
}
