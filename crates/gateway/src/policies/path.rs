//! Paths that lead to one endpoint here and possibly to another at the upstream: 400, before any
//! other lookup by path.
//!
//! The path is already in normal form (`http1::path`). What remains are characters that only some
//! servers interpret: `%2F`, `%5C` and other escapes, nested escapes, semicolons. They are refused
//! only where that makes a difference, unless configured otherwise.

use crate::{
    config::routes::{Route, Routes},
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    settings::AmbiguousPaths,
};
use http1::{
    Fault,
    path::{merged, other_views},
    target::Scheme,
};

/// Refuses a request whose path or scheme could be interpreted differently elsewhere.
pub(crate) fn check(context: &RequestContext<'_>) -> Result<(), Refused> {
    let head = &context.head;
    // RFC 9110 section 7.4: a request for a secure origin must not be served on an insecure
    // connection. A proxy in front of us that terminates TLS may have left the scheme in the
    // target.
    let is_secure = context.peer.scheme == Scheme::Https;
    if head.scheme() == Some(Scheme::Https) && !is_secure && !context.is_peer_trusted {
        return Err(Refusal::of_fault(Fault::malformed(
            "The request target is an https URL, but this connection is not encrypted.",
        )));
    }
    if !head.has_other_views() {
        return Ok(());
    }
    let is_refused = match context.config.settings.strictness.ambiguous_paths {
        // That setting does not allow consecutive slashes.
        AmbiguousPaths::Pass if head.path().contains("//") => {
            leads_elsewhere(context, &[merged(head.path())])
        }
        AmbiguousPaths::Pass => false,
        AmbiguousPaths::Refuse => true,
        AmbiguousPaths::Check if takes_semicolons(context) => {
            // Semicolons are where the document has them; anything else in the path is checked as usual.
            leads_elsewhere(context, &other_views(&head.path().replace(';', "_")))
        }
        AmbiguousPaths::Check => leads_elsewhere(context, &other_views(head.path())),
    };
    if is_refused {
        return Err(malformed(
            "The path contains an encoded slash, backslash or percent sign, a semicolon, or another character that servers interpret differently, so it could lead to another endpoint. Send the exact path of the endpoint.",
        ));
    }
    Ok(())
}

/// Whether the document of the endpoint has a parameter that begins with a semicolon.
fn takes_semicolons(context: &RequestContext<'_>) -> bool {
    match context.config.routes.find(context.head.method(), context.head.path()) {
        Route::Endpoint(endpoint, _) => endpoint.rules.as_ref().is_some_and(|rules| rules.has_semicolons()),
        Route::Open | Route::OtherMethods(_) | Route::Nothing => false,
    }
}

fn leads_elsewhere(context: &RequestContext<'_>, views: &[String]) -> bool {
    leads(&context.config.routes, context.head.method(), context.head.path(), views)
}

/// Whether a server that reads the path as one of the others would find another endpoint.
fn leads(routes: &Routes, method: &str, path: &str, views: &[String]) -> bool {
    // A moved path only gets a redirect, so nothing can be reached by it.
    if routes.moved_to(path).is_some() {
        return false;
    }
    let here = place(routes.find(method, path));
    // A path without an endpoint gets a 404: it explains more, and goes no further either.
    if here == Place::Nothing {
        return false;
    }
    views.iter().any(|view| {
        // Many servers take `/a/` for `/a`, and an encoded slash is no slash that our own rule removes.
        let bare = view.trim_end_matches('/');
        let leads_on = |bare| match place(routes.find(method, bare)) {
            Place::Nothing => false,
            found @ (Place::Anywhere | Place::Endpoint(_)) => found != here,
        };
        routes.moved_to(view).is_some()
            || place(routes.find(method, view)) != here
            || bare.len() < view.len() && leads_on(bare)
    })
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    Endpoint(u32),
    Nothing,
}

fn place(route: Route<'_>) -> Place {
    match route {
        Route::Open => Place::Anywhere,
        Route::Endpoint(_, position) => Place::Endpoint(position),
        Route::OtherMethods(_) | Route::Nothing => Place::Nothing,
    }
}

fn malformed(message: &'static str) -> Refused {
    let mut refused = Refusal::of_fault(Fault::malformed(message));
    // The request was parsed, so the connection can be kept.
    refused.closes = false;
    refused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::endpoint_ids::EndpointIds,
        settings::{Endpoint, Endpoints, Moved},
    };

    fn routes() -> Routes {
        let endpoint = |path: &str| Endpoint {
            method: "GET".into(),
            path: path.into(),
            permissions: vec![],
            public: false,
            cost: 1,
            cost_header: None,
            group: None,
            service: None,
            max_body: None,
            access: Default::default(),
            rules: None,
            moved_to: None,
            deprecated: None,
            operation: None,
            summary: String::new(),
            tag: String::new(),
            takes: Default::default(),
        };
        let moved = Moved { from: "/old/{id}".into(), to: "/items/{id}".into() };
        let paths = ["/admin", "/items/{id}", "/files/{*rest}", "/files/secret", "/items:search", "/{name}"];
        let endpoints = Endpoints::Declared(paths.into_iter().map(endpoint).collect());
        Routes::new(endpoints, &[moved], &EndpointIds::default()).unwrap()
    }

    #[test]
    fn a_path_is_refused_where_it_makes_a_difference_and_nowhere_else() {
        for (path, elsewhere) in [
            ("/admin;x", true),
            ("//admin", false),
            ("//files/a", false),
            ("/;x/admin", false), // no endpoint here
            ("/items/7;v=1", false),
            ("/items/7%3Bv", false),
            ("/items/a%2Fb", true),
            ("/files/a%2Fb", false),
            ("/files/a%5Cb;c", false),
            ("/files%2F..", true),
            ("/files/secret%2F", true),
            ("/files/secret%5C", true),
            ("/files/secret%252F", true),
            ("/files/secret;/", true),
            ("/files/other%2F", false),
            ("/items/secret%2F", true),
            ("/items%3Asearch", true),
            ("/%2561dmin", true),
            ("/admin%3Fx", true),
            ("/admin%23x", true),
            ("/admin%253Fx", true),
            ("/other%3Fx", false),
            ("/old/a%2Fb", false),
            ("/old%2F7", true),
            ("/nowhere/at/all%2F", false),
        ] {
            assert_eq!(leads(&routes(), "GET", path, &other_views(path)), elsewhere, "{path}");
        }
        let open = Routes::new(Endpoints::AnyPath, &[], &EndpointIds::default()).unwrap();
        assert!(!leads(&open, "GET", "/a%2Fb;c", &other_views("/a%2Fb;c")));
    }
}
