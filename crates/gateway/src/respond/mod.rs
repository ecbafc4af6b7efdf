//! The only place where an error becomes HTTP.
//!
//! Whatever refuses a request, and whoever caused the error (the client's bytes, a policy, the
//! upstream, the network), the response is written here, from a [`Refusal`].

pub(crate) mod rate_headers;

use crate::{
    client::compression,
    context::{RequestContext, refusal::Refusal},
    pages::Page,
    policies::{cors, guard, key},
    state::thread::Thread,
};
use ::limits::Denial;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use contract::{
    ErrorCode, Limit, Specification, grpc,
    redirect::Redirect,
    specification::{Form, MAX_RETRY_AFTER},
    status::{Status, Statuses, reason_phrase},
};
use http1::{
    field::{self, RequestField},
    target::Scheme,
};
use std::{borrow::Cow, fmt::Write as _, io::Write};

/// `Retry-After` in seconds of a 503 with an unknown end.
const RETRY_AFTER_UNAVAILABLE: u64 = 10;

/// Appends the whole response to `out`, and returns its status. `keep_alive`: the connection is
/// kept after it.
pub(crate) fn write_refusal(
    thread: &Thread,
    context: &mut RequestContext<'_>,
    refusal: &Refusal,
    keep_alive: bool,
    out: &mut Vec<u8>,
) -> u16 {
    // For a known key the response states the limits, whatever the error is, even one found before
    // the key was checked.
    key::recognise(context);
    guard::count(context, refusal.code);
    let redirect = context.config.settings.redirects.status.of(context.head.method());
    let row = number(context, refusal, redirect);
    let accept = context.head.accept();
    let grpc = grpc::Client::of(context.head.value(RequestField::ContentType), accept.as_deref());
    let form = accept.as_deref().map_or(Form::Specification, Form::accepted);
    // A denial is stated as of its own time: later the window may be another one.
    let now = if refusal.denial.is_some() { context.now.millis } else { context.millis() };
    // A gRPC body contains messages of the API's own types, which an error is not. And with any
    // status other than 200, gRPC clients would not read the fields.
    let mut body = thread.head_memory();
    let (status, content_type) = match grpc {
        Some(client) => (200, client.content_type()),
        None => match &refusal.kept_body {
            Some(kept) => {
                body.extend_from_slice(&kept.body);
                (kept.status.unwrap_or(row), kept.media_type.as_str())
            }
            None => {
                write_body(thread, context, refusal, row, form, &mut body);
                (row, form.content_type())
            }
        },
    };
    let (coding, compressed) =
        compression::of_own(context, content_type, body.len(), || Cow::Borrowed(body.as_slice()));
    let body = compressed.unwrap_or(body);

    start(status, reason_phrase(status).as_bytes(), out);
    line("Content-Type", content_type, out);
    if grpc.is_some() {
        write_grpc(context, refusal, row, out);
    }
    field::write_number(b"Content-Length", body.len() as u64, out);
    compression::write(coding, out);
    line("Cache-Control", "no-store", out);
    field::write(b"X-Request-Id", context.id.as_bytes(), out);
    // gRPC clients do not follow redirects; others do only if the method is preserved.
    if let Some(location) = refusal.location.as_ref().filter(|_| grpc.is_none() && redirect.has_location) {
        line("Location", location, out);
    }
    if let Some(allow) = &refusal.allow {
        line("Allow", allow, out);
    }
    if let Some(seconds) = retry_after(refusal).filter(|_| !refusal.keeps_retry_after) {
        field::write_number(b"Retry-After", seconds, out);
    }
    if status == 401 && refusal.code.status() == Status::KeyRefused {
        // RFC 9110 section 15.5.2 requires a challenge with its 401.
        let realm: String = context
            .config
            .settings
            .api
            .name
            .chars()
            .filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\') || *c == ' ')
            .collect();
        let scheme = context.config.settings.keys.challenge.name();
        let _ = write!(out, "WWW-Authenticate: {scheme} realm=\"{realm}\"\r\n");
    }
    out.extend_from_slice(&refusal.kept_headers);
    write_deprecation(context, out);
    // A page must be able to read every error.
    cors::write(context, out);
    rate_headers::write(context, now, refusal.denial.as_ref(), out);
    finish(thread, context, now, keep_alive, out);
    if context.head.method() != "HEAD" {
        out.extend_from_slice(&body);
    }
    thread.give_head_memory(body);
    status
}

/// Appends the error specification as gRPC: a "Trailers-Only" response, whose trailers are the
/// header fields of a 200 without a body. Clients see them as status and metadata of the call.
fn write_grpc(context: &RequestContext<'_>, refusal: &Refusal, row: u16, out: &mut Vec<u8>) {
    let mut message = refusal.message.to_string();
    for detail in &refusal.details {
        let _ = write!(message, " {} {}: {}", detail.place, detail.name, detail.message);
    }
    let code = refusal.foreign_code.as_deref().unwrap_or(refusal.code.name());
    let status = refusal.code.grpc_status();
    field::write_number(b"grpc-status", status.number().into(), out);
    line("grpc-message", &grpc::message(&message), out);
    if let Some(seconds) = retry_after(refusal) {
        // The first is read by gRPC libraries, the second by OpenTelemetry's exporter for Python.
        let details = grpc::status_details(status, &message, seconds);
        line("grpc-status-details-bin", &STANDARD_NO_PAD.encode(details), out);
        line("google.rpc.retryinfo-bin", &STANDARD_NO_PAD.encode(grpc::retry_info(seconds)), out);
    }
    line("X-Error-Code", code, out);
    field::write_number(b"X-Error-Http-Code", row.into(), out);
    let mut check = String::with_capacity(128);
    write_check(context, refusal, &mut check);
    line("X-Error-Check", &check, out);
}

/// Appends the URL of the page that explains the error.
fn write_check(context: &RequestContext<'_>, refusal: &Refusal, out: &mut String) {
    write_base(context, out);
    for part in [&context.config.docs_path, "/errors/", refusal.code.name()] {
        out.push_str(part);
    }
}

/// Appends the head of the gateway's own success: a page, or the state of limits.
pub(crate) fn write_own(
    thread: &Thread,
    context: &RequestContext<'_>,
    page: &Page,
    keep_alive: bool,
    out: &mut Vec<u8>,
) {
    start(200, reason_phrase(200).as_bytes(), out);
    line("Content-Type", page.content_type, out);
    field::write_number(b"Content-Length", page.body.len() as u64, out);
    compression::write(page.coding, out);
    field::write(b"X-Request-Id", context.id.as_bytes(), out);
    line("Cache-Control", page.caching, out);
    if page.is_negotiated {
        line("Vary", "Accept", out);
    }
    line("X-Content-Type-Options", "nosniff", out);
    let _ = write!(
        out,
        "Content-Security-Policy: default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'\r\n",
        reference::style_hash()
    );
    cors::write(context, out);
    let now = context.millis();
    rate_headers::write(context, now, None, out);
    finish(thread, context, now, keep_alive, out);
}

/// Appends the whole response to a preflight.
pub(crate) fn write_preflight(
    thread: &Thread,
    context: &RequestContext<'_>,
    keep_alive: bool,
    out: &mut Vec<u8>,
) {
    start(204, reason_phrase(204).as_bytes(), out);
    field::write(b"X-Request-Id", context.id.as_bytes(), out);
    cors::write_preflight(context, out);
    finish(thread, context, context.millis(), keep_alive, out);
}

/// Appends the deprecation fields (RFC 9745), if the endpoint is deprecated.
pub(crate) fn write_deprecation(context: &RequestContext<'_>, out: &mut Vec<u8>) {
    if let Some(deprecated) = context.deprecated {
        let (since, base, docs) = (deprecated.since, &context.config.public_path, &context.config.docs_path);
        let _ = write!(
            out,
            "Deprecation: @{since}\r\nLink: <{base}{docs}/moved>; rel=\"deprecation\"; type=\"text/html\"\r\n"
        );
    }
}

/// Whether the deprecation fields are ours.
pub(crate) fn is_deprecated(context: &RequestContext<'_>) -> bool {
    context.deprecated.is_some()
}

/// Appends a status line.
pub(crate) fn start(status: u16, reason: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

/// Appends a header line. The value is ours or was checked when it was parsed; characters that
/// could still break the line (from a decoded path in a Location, for example) are dropped.
pub(crate) fn line(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let is_allowed = |byte: &u8| *byte >= b' ' && *byte != 0x7f;
    // Nearly always all are allowed: checked without a branch for each, and copied at once.
    if value.as_bytes().iter().fold(true, |all, byte| all & is_allowed(byte)) {
        out.extend_from_slice(value.as_bytes());
    } else {
        out.extend(value.bytes().filter(is_allowed));
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends `Strict-Transport-Security` (RFC 6797), if the request used TLS.
pub(crate) fn write_strict(context: &RequestContext<'_>, out: &mut Vec<u8>) {
    if let Some(strict) = strict(context) {
        line("Strict-Transport-Security", strict, out);
    }
}

/// The value of `Strict-Transport-Security` for this client. None: not sent, because clients ignore
/// it without TLS, or it is not configured.
pub(crate) fn strict<'v>(context: &'v RequestContext<'_>) -> Option<&'v str> {
    match context.peer.scheme {
        Scheme::Http => None,
        Scheme::Https => context.config.settings.tls.as_ref()?.strict.as_deref(),
    }
}

/// Appends the end of every head that we generate: date, connection, empty line.
fn finish(thread: &Thread, context: &RequestContext<'_>, now: u64, keep_alive: bool, out: &mut Vec<u8>) {
    write_strict(context, out);
    thread.write_date(now / 1000, out);
    write_connection(context, keep_alive, out);
    out.extend_from_slice(b"\r\n");
}

/// Appends `Connection`, where the client's version requires it.
pub(crate) fn write_connection(context: &RequestContext<'_>, keep_alive: bool, out: &mut Vec<u8>) {
    if !keep_alive {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if !context.head.is_http11 {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
}

fn number(context: &RequestContext<'_>, refusal: &Refusal, redirect: Redirect) -> u16 {
    let row = refusal.code.status();
    match row {
        Status::Moved => redirect.number,
        // Only the challenge of a 401 gets a response (RFC 9110 section 15.5.2).
        Status::NoPermission if refusal.is_challenge => row.on_the_wire(Statuses::Fairgate),
        Status::NoPermission
        | Status::NotValid
        | Status::KeyRefused
        | Status::NotFound
        | Status::Unprocessable
        | Status::LimitExceeded
        | Status::Unexpected
        | Status::Unavailable
        | Status::Extra(_) => row.on_the_wire(context.config.settings.statuses),
    }
}

/// Seconds until a retry makes sense.
fn retry_after(refusal: &Refusal) -> Option<u64> {
    match refusal.code.status() {
        Status::LimitExceeded if refusal.never_resets => None,
        Status::LimitExceeded | Status::Unavailable => {
            Some(refusal.retry_after.unwrap_or(RETRY_AFTER_UNAVAILABLE).clamp(1, MAX_RETRY_AFTER))
        }
        Status::Moved
        | Status::NotValid
        | Status::NoPermission
        | Status::KeyRefused
        | Status::NotFound
        | Status::Unprocessable
        | Status::Unexpected
        | Status::Extra(_) => None,
    }
}

fn write_body(
    thread: &Thread,
    context: &RequestContext<'_>,
    refusal: &Refusal,
    status: u16,
    form: Form,
    out: &mut Vec<u8>,
) {
    let settings = &context.config.settings;
    let mut check = String::from_utf8(thread.head_memory()).unwrap_or_default(); // it is empty
    write_check(context, refusal, &mut check);
    let mut specification =
        Specification::new(refusal.code, status, &refusal.message, &check, context.id.as_str());
    specification.details = &refusal.details;
    specification.location = refusal.location.as_deref();
    let limit = refusal.denial.as_ref().and_then(Denial::limit).filter(|_| form == Form::Problem);
    let policy = limit.map(Limit::policy_name);
    specification.violated_policy = policy.as_deref();
    if let Some(code) = &refusal.foreign_code {
        specification.code = Cow::Borrowed(code);
    }
    if refusal.code == ErrorCode::UnexpectedError {
        specification.contact = settings.api.support_email.as_deref();
    }
    specification.write(form, out);
    thread.give_head_memory(check.into_bytes());
}

/// Appends the public base of links: as configured, otherwise as the client addressed us.
fn write_base(context: &RequestContext<'_>, out: &mut String) {
    if let Some(base) = &context.config.settings.api.public_url {
        out.push_str(base);
        return;
    }
    // Where TLS is spoken, nothing is served without it, so there is no page either.
    let scheme = if context.peer.is_at_https { Scheme::Https } else { context.scheme() };
    out.push_str(scheme.name());
    out.push_str("://");
    match context.head.host() {
        "" => {
            let _ = write!(out, "{}", context.shared.address); // into memory: cannot fail
        }
        host => out.push_str(host),
    }
}
