//! CORS: whether browsers let a page of another origin read a response (Fetch standard).
//!
//! It refuses nothing: the missing headers make the browser withhold a response from the page. It
//! does not decide who may use the API; keys do.

use crate::{
    context::RequestContext,
    settings::{Cors, Origins},
};
use http1::field;
use std::io::Write;

/// Whether the request is a preflight. It carries no key, so it gets its response before keys are
/// checked, and costs nothing.
pub(crate) fn is_preflight(context: &RequestContext<'_>) -> bool {
    context.config.settings.cors.is_some()
        && context.head.method() == "OPTIONS"
        && context.head.named("origin").next().is_some()
        && context.head.named("access-control-request-method").next().is_some()
}

/// Appends the headers of the response to a preflight.
pub(crate) fn write_preflight(context: &RequestContext<'_>, out: &mut Vec<u8>) {
    let Some(cors) = &context.config.settings.cors else { return };
    out.extend_from_slice(b"Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n");
    if !write_origin(context, cors, out) {
        return;
    }
    write_list(context, b"Access-Control-Allow-Methods", &cors.methods, "access-control-request-method", out);
    write_list(
        context,
        b"Access-Control-Allow-Headers",
        &cors.headers,
        "access-control-request-headers",
        out,
    );
    // Writing into a Vec cannot fail.
    let _ = write!(out, "Access-Control-Max-Age: {}\r\n", cors.max_age.as_secs());
}

/// Appends the headers that let a page of the request's origin read the response.
pub(crate) fn write(context: &RequestContext<'_>, out: &mut Vec<u8>) {
    let Some(cors) = &context.config.settings.cors else { return };
    match cors.origins {
        // The response is the same for every origin.
        Origins::Any => {}
        Origins::These(_) => out.extend_from_slice(b"Vary: Origin\r\n"),
    }
    if write_origin(context, cors, out) {
        field::write(b"Access-Control-Expose-Headers", cors.exposed.as_bytes(), out);
    }
}

/// Appends the origin, if it is allowed. False: it is not.
fn write_origin(context: &RequestContext<'_>, cors: &Cors, out: &mut Vec<u8>) -> bool {
    let Some(origin) = context.head.named("origin").next() else { return false };
    match &cors.origins {
        Origins::Any => field::write(b"Access-Control-Allow-Origin", b"*", out),
        Origins::These(these) if these.iter().any(|one| one.is(origin)) => {
            field::write(b"Access-Control-Allow-Origin", origin, out);
            // Never with `*`: the configuration does not allow that.
            if cors.credentials {
                field::write(b"Access-Control-Allow-Credentials", b"true", out);
            }
        }
        Origins::These(_) => return false,
    }
    true
}

/// Appends a list: the configured one, or the requested one if it is a valid list of names.
fn write_list(
    context: &RequestContext<'_>,
    name: &[u8],
    configured: &[String],
    asked: &str,
    out: &mut Vec<u8>,
) {
    if !configured.is_empty() {
        field::write(name, configured.join(", ").as_bytes(), out);
        return;
    }
    let mut names = Vec::new();
    for value in context.head.named(asked) {
        for one in field::list(value).filter(|one| one.iter().all(|&b| field::is_token(b))) {
            if !names.is_empty() {
                names.extend_from_slice(b", ");
            }
            names.extend_from_slice(one);
        }
    }
    if !names.is_empty() {
        field::write(name, &names, out);
    }
}
