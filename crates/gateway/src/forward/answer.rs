//! The upstream's response as sent to the client: a success passed on, or what is kept of an error.

use super::{lists::prolong, request::via as own_via, retry_after::RetryAfter};
use crate::{
    client::compression::{self, Rewrite},
    context::{
        RequestContext,
        refusal::{KeptBody, Refusal, Refused},
    },
    policies::cors,
    respond::{self, rate_headers},
    settings::TrailingSlash,
    state::thread::Thread,
};
use contract::{
    ErrorCode,
    specification::MAX_RETRY_AFTER,
    status::Status,
    upstream::{default_message, may_keep_message, survives_replacement},
    upstream_body::{self, Found, ResponseContext},
};
use http1::{
    body::Framing,
    field::{self, ResponseField},
    response::{Coding, ResponseHead},
};
use std::borrow::Cow;
use upstream::{location, public_cookie};

/// Characters of an error's body that are kept in its incident.
const KEPT_OF_A_BODY: usize = 4000;

/// The framing of a success for this client: that of the upstream, as far as the client's version allows.
pub(crate) fn framing(context: &RequestContext<'_>, answer: &ResponseHead) -> Framing {
    // The length after compression is unknown. A response without a body stays without.
    let framing = match answer.framing {
        Framing::Length(1..) if answer.coding == Coding::Gzip => Framing::Chunked,
        framing @ (Framing::Length(_) | Framing::Chunked | Framing::UntilClose) => framing,
    };
    match framing {
        Framing::Chunked | Framing::UntilClose if context.head.is_http11 => Framing::Chunked,
        Framing::Chunked | Framing::UntilClose => Framing::UntilClose,
        Framing::Length(length) => Framing::Length(length),
    }
}

/// Appends the head of a success. `bytes`: the buffer that the response's head was parsed from.
pub(crate) fn write_head(
    thread: &Thread,
    context: &RequestContext<'_>,
    answer: &ResponseHead,
    bytes: &[u8],
    cost_header: Option<&str>,
    keep_alive: bool,
    out: &mut Vec<u8>,
) {
    respond::start(answer.status, answer.reason.get(bytes), out);
    let now = context.millis();
    let kept_back = [
        // The cost is for the gateway only.
        cost_header,
        // A client honors the first of two (RFC 6797 section 8.1), so only the configured one is sent.
        respond::strict(context).map(|_| "strict-transport-security"),
        // Two are no valid value (RFC 9745 section 2).
        respond::is_deprecated(context).then_some("deprecation"),
    ];
    let mut via = None;
    let drops_limiter = || {
        let keeps = context.service.is_some_and(|service| service.settings.upstream.keeps_limiter);
        !keeps && rate_headers::has_limits(context, now)
    };
    for field in &answer.fields {
        let (name, value) = (field.name.get(bytes), field.value.get(bytes));
        match field.kind {
            // The connection switches protocols: from here on it is no longer HTTP.
            ResponseField::HopByHop if answer.status == 101 && name.eq_ignore_ascii_case(b"upgrade") => {
                field::write(name, value, out);
                out.extend_from_slice(b"Connection: Upgrade\r\n");
            }
            ResponseField::EndToEnd if kept_back.iter().any(|own| is_named(name, *own)) => {}
            ResponseField::EndToEnd => write_end_to_end(context, answer, (name, value), cost_header, out),
            // A client that reads two different states of its limits may follow the wrong one.
            ResponseField::Limiter if drops_limiter() => {}
            // On these statuses it states when to ask for a result that is not ready.
            ResponseField::RetryAfter if !matches!(answer.status, 202 | 300..=399) && drops_limiter() => {}
            ResponseField::Limiter => field::write(name, value, out),
            ResponseField::RetryAfter => match RetryAfter::read(value, now / 1000) {
                Some(RetryAfter::Seconds(MAX_RETRY_AFTER)) => field::write_number(name, MAX_RETRY_AFTER, out),
                Some(RetryAfter::Seconds(_) | RetryAfter::Date(..)) | None => field::write(name, value, out),
            },
            // Two CORS policies would contradict each other: browsers reject duplicates.
            ResponseField::Cors if context.config.settings.cors.is_some() => {}
            ResponseField::Cors => field::write(name, value, out),
            ResponseField::Location => field::write(name, location(context, value).as_bytes(), out),
            ResponseField::Via => {
                if let Some(earlier) = via.replace(value) {
                    field::write(b"Via", earlier, out);
                }
            }
            // Hop-by-hop fields belong to the connection; IDs and limits are sent only by us.
            ResponseField::HopByHop
            | ResponseField::Connection
            | ResponseField::ContentLength
            | ResponseField::TransferEncoding
            | ResponseField::GatewayOnly => {}
        }
    }
    prolong(b"Via", via, own_via(answer.is_http11, answer.is_http2), out);
    write_framing(context, answer, out);
    field::write(b"X-Request-Id", context.id.as_bytes(), out);
    respond::write_strict(context, out);
    respond::write_deprecation(context, out);
    compression::write(answer.coding, out);
    cors::write(context, out);
    rate_headers::write(context, now, None, out);
    if !answer.has_date {
        thread.write_date(now / 1000, out);
    }
    respond::write_connection(context, keep_alive, out);
    out.extend_from_slice(b"\r\n");
}

#[inline]
fn write_framing(context: &RequestContext<'_>, answer: &ResponseHead, out: &mut Vec<u8>) {
    match (framing(context, answer), answer.content_length) {
        (Framing::Chunked, _) => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        // Response to HEAD: the length is not that of the compressed body.
        (Framing::Length(0), Some(_)) if answer.coding == Coding::Gzip => {}
        (Framing::Length(_), Some(length)) => {
            field::write_number(b"Content-Length", length, out);
        }
        (Framing::Length(_), None) | (Framing::UntilClose, _) => {}
    }
}

/// Appends a field of the upstream as the client gets it.
fn write_end_to_end(
    context: &RequestContext<'_>,
    answer: &ResponseHead,
    (name, value): (&[u8], &[u8]),
    cost_header: Option<&str>,
    out: &mut Vec<u8>,
) {
    if name.eq_ignore_ascii_case(b"trailer") {
        return write_trailer(name, value, cost_header, out);
    }
    if name.eq_ignore_ascii_case(b"set-cookie") {
        let changed =
            context.service.and_then(|service| public_cookie(service, value, &context.config.public_path));
        return field::write(name, changed.as_deref().unwrap_or(value), out);
    }
    // Of a list in pages, the next page.
    if name.eq_ignore_ascii_case(b"link") {
        return field::write(name, &links(context, value), out);
    }
    match compression::of_field(context, answer, name, value) {
        Rewrite::Keep => field::write(name, value, out),
        Rewrite::Weaken(tag) => field::write(name, &[b"W/", tag].concat(), out),
        Rewrite::Drop => {}
    }
}

/// Appends `Trailer` without the names of trailers that are not passed on.
fn write_trailer(name: &[u8], value: &[u8], cost_header: Option<&str>, out: &mut Vec<u8>) {
    let passes = |member: &&[u8]| field::may_trail(member) && !is_named(member, cost_header);
    let passed: Vec<&[u8]> = field::list(value).filter(passes).collect();
    if !passed.is_empty() {
        field::write(name, &passed.join(&b", "[..]), out);
    }
}

/// Whether a 101 switches to exactly this protocol.
pub(crate) fn switches_to(protocol: &str, answer: &ResponseHead, bytes: &[u8]) -> bool {
    let mut upgrades = answer.fields.iter().filter(|field| is_named(field.name.get(bytes), Some("upgrade")));
    let (first, second) = (upgrades.next(), upgrades.next());
    first.is_some_and(|field| is_named(field.value.get(bytes).trim_ascii(), Some(protocol)))
        && second.is_none()
}

/// The cost that the upstream reports for its response. None: there is no valid number.
pub(crate) fn reported_cost(answer: &ResponseHead, bytes: &[u8], name: &str) -> Option<u32> {
    let mut costs = answer.fields.iter().filter(|field| is_named(field.name.get(bytes), Some(name)));
    // Two values are not a number either.
    let (Some(field), None) = (costs.next(), costs.next()) else { return None };
    let digits = field.value.get(bytes).trim_ascii();
    // Not only `parse`: that would accept a plus sign.
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = is_number.then(|| std::str::from_utf8(digits).ok())??;
    Some(number.parse().unwrap_or(u32::MAX))
}

pub(super) fn is_named(name: &[u8], wanted: Option<&str>) -> bool {
    wanted.is_some_and(|wanted| name.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// The refusal for an error of the upstream. `body` is None if it could not be read.
pub(crate) fn replace(
    context: &RequestContext<'_>,
    code: ErrorCode,
    answer: &ResponseHead,
    bytes: &[u8],
    body: Option<&[u8]>,
) -> Refused {
    let mut refused = if code == ErrorCode::UnexpectedError {
        let detail = detail(answer.status, body.unwrap_or_default());
        Refusal::unexpected("the upstream answered with an error", detail)
    } else {
        Refusal::new(code, default_message(answer.status, code))
    };
    // For an error that becomes ours, nothing of the body is passed on, whatever its format.
    let text = body.filter(|_| may_keep_message(code.status()));
    match text.map_or(Found::Nothing, |body| read_body(context, code, answer, bytes, body)) {
        Found::Specification { code: named, message, details } => {
            refused.message = message.into();
            refused.details = details;
            take_code(&mut refused, named);
        }
        Found::Message { message, details } => {
            refused.message = message.into();
            refused.details = details;
        }
        Found::Nothing => {}
    }
    refused.kept_body = body.and_then(|body| kept_body(context, code, answer, bytes, body));
    refused.answered = Some(answer.status);
    refused.is_challenge = answer.status == 401 && has_challenge(answer, bytes);
    for field in &answer.fields {
        let (name, value) = (field.name.get(bytes), field.value.get(bytes));
        match field.kind {
            ResponseField::Location
                if code.status() == Status::Moved
                    && name.eq_ignore_ascii_case(b"location")
                    && !value.trim_ascii().is_empty() =>
            {
                let to = location(context, value);
                refused.message =
                    format!("This endpoint has moved to {to}. Use that address from now on.").into();
                refused.location = Some(to);
            }
            ResponseField::RetryAfter => keep_retry_after(context, value, &mut refused),
            ResponseField::EndToEnd if name.eq_ignore_ascii_case(b"link") => {
                let value = links(context, value);
                field::write(name, &quoted(context, &value), &mut refused.kept_headers)
            }
            ResponseField::EndToEnd if name.eq_ignore_ascii_case(b"www-authenticate") => {
                field::write(name, &quoted(context, value), &mut refused.kept_headers)
            }
            ResponseField::EndToEnd if survives_replacement(name) => {
                field::write(name, value, &mut refused.kept_headers)
            }
            ResponseField::Cors if context.config.settings.cors.is_none() => {
                field::write(name, value, &mut refused.kept_headers)
            }
            ResponseField::EndToEnd
            | ResponseField::HopByHop
            | ResponseField::Connection
            | ResponseField::ContentLength
            | ResponseField::TransferEncoding
            | ResponseField::Via
            | ResponseField::Location
            | ResponseField::Cors
            | ResponseField::Limiter
            | ResponseField::GatewayOnly => {}
        }
    }
    if code.status() == Status::Moved && refused.location.is_none() {
        // A 301 without a location is useless to any client.
        return Refusal::unexpected(
            "the upstream's redirect has no Location",
            "The upstream answered 301 without a Location.",
        );
    }
    refused
}

/// Takes over the code of the upstream's own specification.
fn take_code(refused: &mut Refusal, named: String) {
    match ErrorCode::from_name(&named) {
        None => refused.foreign_code = Some(named),
        Some(known) if known.status() == refused.code.status() => refused.code = known,
        // A code of another row would contradict the status.
        Some(_) => {}
    }
}

/// The detail of the incident for an upstream's error.
fn detail(status: u16, body: &[u8]) -> String {
    // A character has at most four bytes, so bytes beyond these would not be kept anyway.
    let body = body.get(..KEPT_OF_A_BODY * 4).unwrap_or(body);
    // Nearly all bodies are valid UTF-8, and the lossy conversion would check each character.
    let text = std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
    // Only a text with more bytes can have more characters, so characters are hardly ever counted.
    let is_long = text.len() > KEPT_OF_A_BODY;
    let end = is_long.then(|| text.char_indices().nth(KEPT_OF_A_BODY)).flatten();
    let text = end.and_then(|(end, _)| text.get(..end)).unwrap_or(&text);
    let mut detail = String::with_capacity(text.len() + 48);
    let body = if text.is_empty() { ", without a body." } else { ".\nIts body:\n" };
    for part in ["The upstream answered ", itoa::Buffer::new().format(status), body, text] {
        detail.push_str(part);
    }
    detail
}

/// Whether it has an authentication challenge.
fn has_challenge(answer: &ResponseHead, bytes: &[u8]) -> bool {
    answer.fields.iter().any(|field| is_named(field.name.get(bytes), Some("www-authenticate")))
}

/// The first valid `Retry-After`.
fn keep_retry_after(context: &RequestContext<'_>, value: &[u8], refused: &mut Refusal) {
    if refused.retry_after.is_some() {
        return;
    }
    match RetryAfter::read(value, context.millis() / 1000) {
        None => {}
        Some(RetryAfter::Date(date, seconds)) => {
            refused.retry_after = Some(seconds);
            refused.keeps_retry_after = true;
            field::write(b"Retry-After", date.as_bytes(), &mut refused.kept_headers);
        }
        Some(RetryAfter::Seconds(seconds)) => {
            refused.retry_after = Some(seconds);
            refused.keeps_retry_after = true;
            field::write_number(b"Retry-After", seconds, &mut refused.kept_headers);
        }
    }
}

/// The body of an error whose format belongs to the upstream's protocol, if configured.
fn kept_body(
    context: &RequestContext<'_>,
    code: ErrorCode,
    answer: &ResponseHead,
    bytes: &[u8],
    body: &[u8],
) -> Option<KeptBody> {
    let keeps = context.service.is_some_and(|service| service.settings.upstream.keeps_xml_errors);
    // A 429 becomes a 503 of ours: it is not this client's limit.
    let is_ours = code.status() == Status::Unavailable;
    if !keeps || is_ours || !(400..500).contains(&answer.status) || body.is_empty() {
        return None;
    }
    let field = answer.fields.iter().find(|field| is_named(field.name.get(bytes), Some("content-type")))?;
    let media_type = std::str::from_utf8(field.value.get(bytes)).ok()?;
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_xml = matches!(essence.as_str(), "application/xml" | "text/xml") || essence.ends_with("+xml");
    // XHTML is a page for people.
    (is_xml && essence != "application/xhtml+xml").then(|| KeptBody {
        status: (answer.status == 403).then_some(403),
        media_type: media_type.to_owned(),
        body: body.to_vec(),
    })
}

/// The part of an error's body that the client may read.
fn read_body(
    context: &RequestContext<'_>,
    code: ErrorCode,
    answer: &ResponseHead,
    bytes: &[u8],
    body: &[u8],
) -> Found {
    let names_fields = match code.status() {
        Status::NotValid | Status::Unprocessable | Status::Extra(_) => true,
        Status::Moved => return Found::Nothing, // the client gets only the location
        Status::NoPermission
        | Status::KeyRefused
        | Status::NotFound
        | Status::LimitExceeded
        | Status::Unexpected
        | Status::Unavailable => false,
    };
    let media_type = answer.fields.iter().find(|field| is_named(field.name.get(bytes), Some("content-type")));
    let about = ResponseContext {
        media_type: media_type.map(|field| field.value.get(bytes)),
        names_fields,
        place: if context.head.framing == Framing::Length(0) { "query" } else { "body" },
    };
    upstream_body::read(body, about)
}

/// The target of an upstream's redirect as clients see it: its own origin and base path are hidden.
pub(crate) fn location(context: &RequestContext<'_>, value: &[u8]) -> String {
    let mut value = String::from_utf8_lossy(value);
    if value.contains('\t') {
        value = Cow::Owned(value.replace('\t', "")); // browsers ignore tabs
    }
    match context.service {
        Some(service) => location::public(service, &value, context.public()),
        None => value.into_owned(),
    }
}

/// Whether a URL leads to the upstream itself.
fn is_own(context: &RequestContext<'_>, url: &[u8]) -> bool {
    let url = std::str::from_utf8(url).unwrap_or_default();
    context.service.is_some_and(|service| location::is_own(service, url))
}

/// The quoted parameters of a field; URLs of the upstream itself are mapped by [`location`].
fn quoted<'v>(context: &RequestContext<'_>, value: &'v [u8]) -> Cow<'v, [u8]> {
    // Every second part is inside quotes. A part with an escape is not a URL.
    if !value.split(|&byte| byte == b'"').skip(1).step_by(2).any(|text| is_own(context, text)) {
        return Cow::Borrowed(value);
    }
    let parts = value.split(|&byte| byte == b'"').enumerate().map(|(turn, text)| {
        if turn % 2 == 1 && is_own(context, text) {
            location(context, text).into_bytes()
        } else {
            text.to_vec()
        }
    });
    Cow::Owned(parts.collect::<Vec<_>>().join(&b'"'))
}

/// The targets of a `Link` field, each mapped by [`location`].
pub(super) fn links(context: &RequestContext<'_>, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 32);
    let mut rest = value;
    while let Some(open) = memchr::memchr(b'<', rest)
        && let Some(length) = rest.get(open + 1..).and_then(|target| memchr::memchr(b'>', target))
    {
        let (before, behind) = rest.split_at(open + 1);
        let (target, behind) = behind.split_at(length);
        out.extend_from_slice(before);
        // Unlike a redirect, a link may lead to any host, with the scheme of the page.
        if target.starts_with(b"//") && !is_own(context, target) {
            out.extend_from_slice(target);
        } else {
            out.extend_from_slice(location(context, target).as_bytes());
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    out
}

/// Whether this redirect only adds the slash that our own rule removes. Passing it on would create
/// a redirect loop.
pub(crate) fn only_adds_slash(context: &RequestContext<'_>, answer: &ResponseHead, bytes: &[u8]) -> bool {
    match context.config.settings.redirects.trailing_slash {
        TrailingSlash::Keep => return false,
        TrailingSlash::Redirect => {}
    }
    if !matches!(answer.status, 301 | 302 | 307 | 308) || context.head.path().ends_with('/') {
        return false;
    }
    let Some(field) =
        answer.fields.iter().find(|field| field.name.get(bytes).eq_ignore_ascii_case(b"location"))
    else {
        return false;
    };
    let to = location(context, field.value.get(bytes));
    // The upstream may have built an absolute URL from the client's own Host.
    let to = to.split_once("://").and_then(|(_, rest)| rest.strip_prefix(context.head.host())).unwrap_or(&to);
    let to = to.split(['?', '#']).next().unwrap_or_default();
    let to = to.strip_prefix(context.config.public_path.as_str()).unwrap_or(to);
    to.strip_suffix('/') == Some(context.head.path())
}
