//! The only place where an error becomes HTTP.
//!
//! Whatever refuses a request, and whoever made the error (the client's bytes, a policy, the
//! upstream, the network), the answer is written here, from a [`Refusal`].

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

/// `Retry-After` of a 503 whose end nobody knows.
const RETRY_AFTER_UNAVAILABLE: u64 = 10;

/// Appends the whole answer to `out`, and tells its status. `keep_alive`: the connection goes on after it.
pub(crate) fn write_refusal(
    thread: &Thread,
    context: &mut RequestContext<'_>,
    refusal: &Refusal,
    keep_alive: bool,
    out: &mut Vec<u8>,
) -> u16 {
    // A known key is told how its limits stand, whatever the error is, also one that was found
    // before its key was looked at.
    key::recognise(context);
    guard::count(context, refusal.code);
    let redirect = context.config.settings.redirects.status.of(context.head.method());
    let row = number(context, refusal, redirect);
    let accept = context.head.accept();
    let grpc = grpc::Client::of(context.head.value(RequestField::ContentType), accept.as_deref());
    let form = accept.as_deref().map_or(Form::Specification, Form::accepted);
    // A limit denied at its own moment: at a later one the window may be another.
    let now = if refusal.denial.is_some() { context.now.millis } else { context.millis() };
    // A body of gRPC holds messages of the API's own types, and an error is none of them. And any other status is to
    // its clients no answer of their protocol, so that what stands beside it goes unread.
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
    // A client of gRPC follows nothing; others only where their request stays what it is.
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
        // RFC 9110 section 15.5.2 wants a challenge on what it calls a 401.
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
    // A page has to be able to read what went wrong, whatever it was.
    cors::write(context, out);
    rate_headers::write(context, now, refusal.denial.as_ref(), out);
    finish(thread, context, now, keep_alive, out);
    if context.head.method() != "HEAD" {
        out.extend_from_slice(&body);
    }
    thread.give_head_memory(body);
    status
}

/// Appends what the error specification says, as gRPC tells it: an answer of "trailers only", whose trailers are the
/// header fields of a 200 without a body. Clients see them as the call's status and metadata.
fn write_grpc(context: &RequestContext<'_>, refusal: &Refusal, row: u16, out: &mut Vec<u8>) {
    let mut message = refusal.message.to_string();
    for detail in &refusal.details {
        let _ = write!(message, " {} {}: {}", detail.place, detail.name, detail.message);
    }
    let code = refusal.foreign.as_ref().map_or_else(|| refusal.code.name(), |(code, _)| code);
    let status = refusal.code.grpc_status();
    field::write_number(b"grpc-status", status.number().into(), out);
    line("grpc-message", &grpc::message(&message), out);
    if let Some(seconds) = retry_after(refusal) {
        // The first is what libraries of gRPC read, the second what OpenTelemetry's exporter for Python does.
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

/// Appends the address of the page that explains the error.
fn write_check(context: &RequestContext<'_>, refusal: &Refusal, out: &mut String) {
    write_base(context, out);
    for part in [&context.config.docs_path, "/errors/", refusal.code.name()] {
        out.push_str(part);
    }
}

/// Appends the head of an answer of the gateway's own that is a success: a page, or how limits stand.
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

/// Appends the whole answer to a preflight.
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

/// Appends what tells the clients of an endpoint to leave it (RFC 9745), if it is one of those.
pub(crate) fn write_deprecation(context: &RequestContext<'_>, out: &mut Vec<u8>) {
    if let Some(deprecated) = context.deprecated {
        let (since, docs) = (deprecated.since, &context.config.docs_path);
        let _ = write!(
            out,
            "Deprecation: @{since}\r\nLink: <{docs}/moved>; rel=\"deprecation\"; type=\"text/html\"\r\n"
        );
    }
}

/// Appends a status line.
pub(crate) fn start(status: u16, reason: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

/// Appends a header line. The value is made by us, or was checked when it was parsed; what could
/// still break a line (a decoded path in a Location, say) is dropped.
pub(crate) fn line(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let may_stand = |byte: &u8| *byte >= b' ' && *byte != 0x7f;
    // Nearly always all may: looked at without a branch for each, and copied at once.
    if value.as_bytes().iter().fold(true, |all, byte| all & may_stand(byte)) {
        out.extend_from_slice(value.as_bytes());
    } else {
        out.extend(value.bytes().filter(may_stand));
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends what keeps a client from ever coming without TLS again (RFC 6797), if it came with it.
pub(crate) fn write_strict(context: &RequestContext<'_>, out: &mut Vec<u8>) {
    if let Some(strict) = strict(context) {
        line("Strict-Transport-Security", strict, out);
    }
}

/// What `Strict-Transport-Security` says in answers to this client. None: nothing, because it would not be believed
/// without TLS, or is not set.
pub(crate) fn strict<'v>(context: &'v RequestContext<'_>) -> Option<&'v str> {
    match context.peer.scheme {
        Scheme::Http => None,
        Scheme::Https => context.config.settings.tls.as_ref()?.strict.as_deref(),
    }
}

/// Appends what ends every head that we make: date, connection, empty line.
fn finish(thread: &Thread, context: &RequestContext<'_>, now: u64, keep_alive: bool, out: &mut Vec<u8>) {
    write_strict(context, out);
    thread.write_date(now / 1000, out);
    write_connection(context, keep_alive, out);
    out.extend_from_slice(b"\r\n");
}

/// Appends `Connection`, where the client's version needs it said.
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
        // Nobody answers a challenge but that of a 401 (RFC 9110 section 15.5.2).
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

/// In how many seconds it makes sense to try again.
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
    if let Some((code, details)) = &refusal.foreign {
        specification.code = Cow::Borrowed(code);
        specification.foreign_details = details.as_ref();
    }
    if refusal.code == ErrorCode::UnexpectedError {
        specification.contact = settings.api.support_email.as_deref();
    }
    specification.write(form, out);
    thread.give_head_memory(check.into_bytes());
}

/// Appends the public base of links: as configured, else as the client itself addressed us.
fn write_base(context: &RequestContext<'_>, out: &mut String) {
    if let Some(base) = &context.config.settings.api.public_url {
        out.push_str(base);
        return;
    }
    // Without TLS nothing is served where TLS is spoken, so that there is no page either.
    let scheme = if context.peer.is_at_https { Scheme::Https } else { context.scheme() };
    out.push_str(scheme.name());
    out.push_str("://");
    match context.head.host() {
        "" => {
            let _ = write!(out, "{}", context.shared.address); // into memory, which takes all
        }
        host => out.push_str(host),
    }
}
