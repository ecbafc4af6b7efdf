//! The 301 row: paths that have moved, and slashes at the end of a path.

use crate::{
    refusal::{Refusal, Refused},
    settings::{Endpoint, TrailingSlash},
    visit::Visit,
};
use contract::ErrorCode;

/// Refuses a path that has moved. A slash at its end does not matter: one redirect is enough for both.
pub(crate) fn check_moved(visit: &Visit<'_>) -> Result<(), Refused> {
    let path = visit.head.path();
    let routes = &visit.config.routes;
    let to = routes.moved_to(path).or_else(|| match visit.config.settings.redirects.trailing_slash {
        TrailingSlash::Redirect => routes.moved_to(path.trim_end_matches('/')),
        TrailingSlash::Keep => None,
    });
    to.map_or(Ok(()), |to| Err(moved(visit, &to)))
}

/// Refuses an endpoint that has moved.
pub(crate) fn check_endpoint(visit: &Visit<'_>, endpoint: Option<&Endpoint>) -> Result<(), Refused> {
    let Some((endpoint, to)) = endpoint.and_then(|one| Some((one, one.moved_to.as_deref()?))) else {
        return Ok(());
    };
    Err(moved(visit, &visit.config.routes.filled(endpoint, to, visit.head.path())))
}

fn moved(visit: &Visit<'_>, to: &str) -> Refused {
    let location = location(to, visit.head.query());
    refusal(
        ErrorCode::EndpointMoved,
        format!("This endpoint has moved to {location}. Use that address from now on."),
        location,
    )
}

/// Refuses a path that ends in a slash, unless an endpoint is declared so.
pub(crate) fn check_slash(visit: &Visit<'_>) -> Result<(), Refused> {
    let path = visit.head.path();
    let redirects = match visit.config.settings.redirects.trailing_slash {
        TrailingSlash::Redirect => path.len() > 1 && path.ends_with('/'),
        TrailingSlash::Keep => false,
    };
    // A path of slashes alone is the root, written oddly; there is nothing to cut off.
    let cut = path.trim_end_matches('/');
    if !redirects || cut.is_empty() || visit.config.routes.keeps_slash(path) {
        return Ok(());
    }
    let location = location(cut, visit.head.query());
    let message = format!("The path ends in a slash. Send the request to {location}, without it.");
    Err(refusal(ErrorCode::TrailingSlash, message, location))
}

fn refusal(code: ErrorCode, message: String, location: String) -> Refused {
    let mut refused = Refusal::new(code, message);
    refused.location = Some(location);
    refused
}

/// A location on this host. Two slashes at its beginning would name another host, so they become one.
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
    fn a_location_never_names_another_host() {
        assert_eq!(location("//evil.example", None), "/evil.example");
        assert_eq!(location("///evil.example/a//b", Some("c=//d")), "/evil.example/a//b?c=//d");
        assert_eq!(location("/items/7", Some("a=b")), "/items/7?a=b");
    }
}
