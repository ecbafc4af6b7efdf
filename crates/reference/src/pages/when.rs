//! When a code is answered by this API: from its configuration, in sentences and tables.

use super::{limits::ONE_ADDRESS, maintenance};
use crate::{
    document::{Address, Block, Target, Text, code as exact, text},
    example::concerns,
    facts::Facts,
    model::{Check, Endpoint, Live, Place},
    quantity,
    wording::{key_places, name, requirement_text},
};
use contract::{ErrorCode, Limit, RedirectStatus};

/// Rows of a table on such a page. What is left out is counted, and stands on the pages of endpoints.
const MAX_ROWS: usize = 40;
/// Endpoints that a permission names before they are counted.
const MAX_NAMED: usize = 3;

/// The sentences and tables of a code.
pub(crate) fn blocks(facts: &Facts, code: ErrorCode, live: &Live) -> Vec<Block> {
    match code {
        ErrorCode::EndpointMoved => endpoint_moved(facts),
        ErrorCode::TrailingSlash => trailing_slash(facts),
        ErrorCode::RequestMalformed => sentences([
            "The request has no or two Host headers, a Content-Length beside a Transfer-Encoding, a header \
             with a line break in it, or is not HTTP/1.1 at all.",
            "The API behind the gateway may say it, too, of a request that it cannot make sense of.",
        ]),
        ErrorCode::HeadersTooLarge => headers_too_large(facts),
        ErrorCode::BodyTooLarge => body_too_large(facts),
        ErrorCode::RequestTimeout => request_timeout(facts),
        ErrorCode::ParameterMissing | ErrorCode::HeaderMissing => {
            checked(facts, code, |check| check.required && check.place != Place::Path)
        }
        ErrorCode::ParameterNotValid | ErrorCode::HeaderNotValid => {
            checked(facts, code, |check| !check.rule.is_empty())
        }
        ErrorCode::BodyNotValid => body_not_valid(facts),
        ErrorCode::BodyMalformed => body_malformed(facts),
        ErrorCode::MediaTypeNotSupported => media_types(facts),
        ErrorCode::KeyFormatIncorrect => key_format(facts),
        ErrorCode::HttpsRequired => https_required(facts),
        ErrorCode::PermissionDenied => permissions(facts),
        ErrorCode::KeyNotSet => key_not_set(facts),
        ErrorCode::KeyNotValid => sentences([
            "The key looks like one, but belongs to nobody: a character was changed, or it is a key of another API.",
        ]),
        ErrorCode::KeyRevoked => sentences([
            "The operator revoked the key. From that moment on every request with it gets this answer, also on \
             connections that are open.",
        ]),
        ErrorCode::KeyExpired => sentences(["The key was given out until a date, and that date is past."]),
        ErrorCode::EndpointNotFound => endpoint_not_found(facts),
        ErrorCode::MethodNotAvailable => sentences([
            "The path is there, but not with this method. The header Allow of the answer names those that are.",
            "HEAD can be used wherever GET can.",
        ]),
        ErrorCode::ResourceNotFound => sentences([
            "The endpoint was reached, and the API behind it says that there is nothing at this address. The \
             message is the API's own, if it sends one.",
        ]),
        ErrorCode::Unprocessable => sentences([
            "The request was well formed, and the API behind the gateway says that it cannot carry it out. The \
             message is the API's own, if it sends one.",
        ]),
        ErrorCode::ApiLimitExceeded | ErrorCode::RateExceeded => limits(facts, code),
        ErrorCode::TooManyErrors => too_many_errors(facts),
        ErrorCode::UnexpectedError => unexpected(facts),
        ErrorCode::Maintenance => maintenance::now_and_next(live),
        ErrorCode::Unavailable => unavailable(),
        ErrorCode::PaymentRequired
        | ErrorCode::MethodNotAllowed
        | ErrorCode::NotAcceptable
        | ErrorCode::Conflict
        | ErrorCode::Gone
        | ErrorCode::PreconditionFailed
        | ErrorCode::ContentTooLarge
        | ErrorCode::UnsupportedMediaType
        | ErrorCode::RangeNotSatisfiable
        | ErrorCode::Locked
        | ErrorCode::FailedDependency
        | ErrorCode::PreconditionRequired
        | ErrorCode::UnavailableForLegalReasons => sentences([
            "The API behind the gateway answers with this status. It stands outside of the common table, and \
             was added for this API.",
        ]),
    }
}

fn unavailable() -> Vec<Block> {
    sentences([
        "The API behind the gateway says that it is overloaded or not ready. Its own Retry-After is passed on; without \
         one the answer says 10 seconds.",
        "No connection to the API can be made. Nothing was sent, so the same request can be sent again.",
        "The gateway itself has more to do, or more bodies to check, than it has room for at present.",
    ])
}

fn sentences<const N: usize>(sentences: [&str; N]) -> Vec<Block> {
    sentences.into_iter().map(Block::paragraph).collect()
}

fn endpoint_moved(facts: &Facts) -> Vec<Block> {
    let moved = facts.moved();
    let mut blocks = Vec::new();
    if moved.is_empty() {
        blocks.push(Block::paragraph("Nothing has moved at present."));
    } else {
        blocks.push(Block::paragraph(
            "These paths have moved for good. What stands in braces is taken over, and so is the query.",
        ));
        let rows = moved.iter().take(MAX_ROWS).map(|(from, to)| vec![exact(from), exact(*to)]);
        blocks.push(Block::table("Moved paths", &["Old path", "New path"], rows.collect()));
        blocks.extend(left_out(moved.len(), Address::Moved, "all moved paths"));
    }
    blocks.push(Block::Paragraph(redirect_status(facts)));
    blocks.push(Block::Paragraph(
        text().plain("See also ").page(Address::Moved, "what has moved and what is deprecated").plain("."),
    ));
    blocks
}

fn trailing_slash(facts: &Facts) -> Vec<Block> {
    if !facts.reference.redirects_slashes {
        return sentences([
            "This API takes paths as they are, so a slash at the end leads to no redirect by itself.",
        ]);
    }
    let mut blocks = vec![Block::paragraph(
        "Every path that ends in a slash, whatever the method. The root / is no such path, and an endpoint \
         that is declared with a slash keeps it.",
    )];
    let with_slash = facts.reference.endpoints.iter().filter(|endpoint| endpoint.path.ends_with('/'));
    let kept: Vec<Text> = with_slash.take(MAX_ROWS).map(|e| exact(&e.path)).collect();
    if !kept.is_empty() {
        blocks.push(Block::Paragraph(
            text().plain("These keep their slash: ").then(Text::joined(kept, ", ")).plain("."),
        ));
    }
    blocks.push(Block::Paragraph(redirect_status(facts)));
    blocks
}

fn redirect_status(facts: &Facts) -> Text {
    match facts.reference.redirect_status {
        RedirectStatus::PermanentRedirect => text().plain("GET and HEAD are answered with 301, other methods with 308, so that clients send the same method and body again."),
        RedirectStatus::MovedPermanently => text()
            .plain("The answer is a 301. Only GET and HEAD get a ")
            .then(exact("Location"))
            .plain(" header: many clients follow a 301 after a POST with a GET and lose the body. With other methods, read the address in ")
            .then(exact("error.location"))
            .plain(" and correct it in your program."),
    }
}

fn headers_too_large(facts: &Facts) -> Vec<Block> {
    let size = quantity::bytes(facts.reference.sizes.head);
    vec![Block::Paragraph(
        text()
            .plain("The request line and all headers together may have ")
            .strong(size)
            .plain(", and a request at most 100 headers."),
    )]
}

fn body_too_large(facts: &Facts) -> Vec<Block> {
    let size = quantity::bytes(facts.reference.sizes.body);
    let mut blocks = vec![Block::Paragraph(
        text().plain("A body may have ").strong(size).plain(", unless its endpoint says otherwise."),
    )];
    let own = |endpoint: &Endpoint| endpoint.max_body.is_some();
    blocks.extend(endpoint_table(
        facts,
        "Endpoints with a size of their own",
        "Largest body",
        own,
        |endpoint| quantity::bytes(endpoint.max_body.unwrap_or_default()).into(),
    ));
    blocks
}

fn request_timeout(facts: &Facts) -> Vec<Block> {
    let times = facts.reference.times;
    vec![Block::List(vec![
        text()
            .plain("The head of a request has to arrive within ")
            .strong(quantity::span(times.head))
            .plain("."),
        text()
            .plain("Between two pieces of its body at most ")
            .strong(quantity::span(times.body))
            .plain(" may pass."),
    ])]
}

/// Parameters or headers that a code is about.
fn checked(facts: &Facts, code: ErrorCode, fits: impl Fn(&Check) -> bool) -> Vec<Block> {
    let mut rows = Vec::new();
    let mut count = 0;
    for endpoint in &facts.reference.endpoints {
        for check in endpoint.takes.checks.iter().filter(|check| concerns(code, check.place) && fits(check)) {
            count += 1;
            if rows.len() < MAX_ROWS {
                let mut row = vec![
                    name(endpoint),
                    text().code(&check.name).plain(format!(" ({})", check.place.noun())),
                ];
                row.push(rule(check));
                rows.push(row);
            }
        }
    }
    if rows.is_empty() {
        return sentences([
            "No endpoint is checked for this before its request reaches the API; the API itself may still refuse it.",
        ]);
    }
    let mut blocks = vec![Block::paragraph(
        "These are checked before a request reaches the API. The answer names every violation, not just the first.",
    )];
    blocks.push(Block::table("What is checked", &["Endpoint", "Name", "What it has to be"], rows));
    blocks.extend(left_out(count, Address::Endpoints(1), "all endpoints"));
    blocks
}

fn rule(check: &Check) -> Text {
    match (check.required, check.rule.as_str()) {
        (true, "") => "required".into(),
        (true, rule) => format!("required; {rule}").into(),
        (false, "") => "anything".into(),
        (false, rule) => rule.into(),
    }
}

fn body_not_valid(facts: &Facts) -> Vec<Block> {
    let of_body = |check: &&Check| check.place == Place::Body;
    let mut rows = Vec::new();
    let mut count = 0;
    for endpoint in facts.reference.endpoints.iter().filter(|endpoint| endpoint.takes.checks_body) {
        let mut members = endpoint.takes.checks.iter().filter(of_body).peekable();
        if members.peek().is_none() {
            count += 1;
            rows.push(vec![
                name(endpoint),
                "the whole body".into(),
                "as the API's document describes it".into(),
            ]);
        }
        for check in members {
            count += 1;
            rows.push(vec![name(endpoint), exact(&check.name), rule(check)]);
        }
        rows.truncate(MAX_ROWS);
    }
    if rows.is_empty() {
        return sentences([
            "No body is checked before its request reaches the API; the API itself may still refuse it.",
        ]);
    }
    let mut blocks = vec![Block::paragraph(
        "These are checked before a request reaches the API. The answer names every violation with its place in the body.",
    )];
    blocks.push(Block::table("Bodies that are checked", &["Endpoint", "Member", "What it has to be"], rows));
    blocks.extend(left_out(count, Address::Endpoints(1), "all endpoints"));
    blocks
}

fn body_malformed(facts: &Facts) -> Vec<Block> {
    let reads = |endpoint: &Endpoint| endpoint.takes.checks_body;
    let table =
        endpoint_table(facts, "Endpoints whose bodies are read", "Media types", reads, media_type_list);
    if table.is_empty() {
        return sentences([
            "No body is read before its request reaches the API; the API itself may still refuse it.",
        ]);
    }
    let mut blocks = vec![Block::paragraph(
        "The body is not what its Content-Type says: JSON that breaks off, for one, or that names a member twice.",
    )];
    blocks.extend(table);
    blocks
}

fn media_types(facts: &Facts) -> Vec<Block> {
    let picky = |endpoint: &Endpoint| endpoint.takes.checks_body || !endpoint.takes.media_types.is_empty();
    let table = endpoint_table(facts, "Media types that endpoints take", "Takes", picky, media_type_list);
    if table.is_empty() {
        return sentences(["Every endpoint takes any media type here; the API itself may still refuse one."]);
    }
    let mut blocks =
        vec![Block::paragraph("The Content-Type of a body is none of those that its endpoint takes.")];
    blocks.extend(table);
    blocks
}

fn media_type_list(endpoint: &Endpoint) -> Text {
    if endpoint.takes.media_types.is_empty() {
        return text().code("application/json").plain(" and types that end in ").code("+json");
    }
    Text::joined(endpoint.takes.media_types.iter().map(exact), ", ")
}

fn key_format(facts: &Facts) -> Vec<Block> {
    let made = text()
        .plain("A key of this API begins with ")
        .code(contract::key::PREFIX)
        .plain(format!(" and has {} characters, the last of which are a checksum, so that one that was cut short or mistyped is told at once.", contract::key::LENGTH));
    let mut blocks = vec![Block::Paragraph(made)];
    if let Some(pattern) = &facts.reference.key_pattern {
        let imported = text().plain("Older keys, made elsewhere, match ").code(pattern).plain(".");
        blocks.push(Block::Paragraph(imported));
    }
    blocks.push(Block::paragraph("Two headers with a key are wrong as well: send one."));
    blocks
}

fn https_required(facts: &Facts) -> Vec<Block> {
    if facts.reference.redirects_to_https {
        sentences([
            "A request with an API key arrived without TLS. A request without a key is redirected to HTTPS instead.",
            "The key is not used, whether it is valid or not, and nothing is charged.",
        ])
    } else {
        sentences([
            "This API does not redirect requests to HTTPS, so this error does not occur here at present.",
        ])
    }
}

fn permissions(facts: &Facts) -> Vec<Block> {
    if facts.permissions.is_empty() {
        return sentences([
            "No endpoint asks for a permission here. The API behind the gateway may deny one by itself.",
        ]);
    }
    let rows = facts.permissions.iter().take(MAX_ROWS).map(|(sets, members)| {
        let named =
            members.iter().take(MAX_NAMED).filter_map(|at| facts.reference.endpoints.get(*at)).map(name);
        let mut endpoints = Text::joined(named, ", ");
        if let Some(more) = members.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
            endpoints = endpoints.plain(format!(" and {} more", quantity::grouped(more as u64)));
        }
        vec![requirement_text(sets), endpoints]
    });
    let mut blocks = vec![Block::paragraph("A key needs what its endpoint asks for:")];
    blocks.push(Block::table("Permissions", &["Permission", "Endpoints"], rows.collect()));
    blocks.extend(left_out(facts.permissions.len(), Address::Endpoints(1), "all endpoints"));
    blocks.push(Block::paragraph("The API behind the gateway may deny a permission by itself, too."));
    blocks
}

fn key_not_set(facts: &Facts) -> Vec<Block> {
    let public = facts.reference.endpoints.iter().filter(|endpoint| endpoint.public);
    let open: Vec<Text> = public.take(MAX_ROWS).map(name).collect();
    let mut blocks =
        vec![Block::paragraph("None of these headers holds a key:"), Block::List(key_places(facts))];
    blocks.push(if open.is_empty() {
        Block::paragraph("Every endpoint needs a key.")
    } else {
        let text =
            text().plain("Every endpoint needs a key but these: ").then(Text::joined(open, ", ")).plain(".");
        Block::Paragraph(text)
    });
    blocks
}

fn endpoint_not_found(facts: &Facts) -> Vec<Block> {
    let count = facts.reference.endpoints.len();
    if facts.has_no_endpoint() {
        return sentences(["This API has no endpoints: every path is answered so."]);
    }
    if count == 0 {
        return sentences([
            "This API declares no endpoints, so that every path is one; only pages of this reference can be missing.",
        ]);
    }
    let noun = if count == 1 { "endpoint" } else { "endpoints" };
    vec![Block::Paragraph(
        text()
            .plain("The path is none of ")
            .page(Address::Endpoints(1), format!("the {} {noun}", quantity::grouped(count as u64)))
            .plain(" of this API. Large and small letters differ."),
    )]
}

fn limits(facts: &Facts, code: ErrorCode) -> Vec<Block> {
    let told = |limits: &[Limit]| {
        let fit = limits.iter().filter(|limit| limit.error_code() == code).map(quantity::limit);
        fit.collect::<Vec<_>>().join("; ")
    };
    let plans = facts.reference.plans.iter().map(|plan| (exact(&plan.name), told(&plan.limits)));
    let address = (ONE_ADDRESS.into(), told(&facts.reference.address_limits));
    let rows: Vec<Vec<Text>> = plans
        .chain([address])
        .filter(|(_, limits)| !limits.is_empty())
        .map(|(whose, limits)| vec![whose, limits.into()])
        .collect();
    let also =
        text().plain("When they reset, costs and headers: see ").page(Address::Limits, "limits").plain(".");
    if rows.is_empty() {
        return vec![Block::paragraph("There is no such limit at present."), Block::Paragraph(also)];
    }
    vec![
        Block::paragraph("All that one of these limits grants at present is used:"),
        Block::table("Limits that answer so", &["Plan", "Limits"], rows),
        Block::Paragraph(also),
    ]
}

fn too_many_errors(facts: &Facts) -> Vec<Block> {
    let ceilings = facts.reference.ceilings;
    let per = |ceiling: Option<u32>, whose: &str| {
        let ceiling = quantity::grouped(u64::from(ceiling?));
        Some(text().strong(ceiling).plain(format!(" errors within one minute, of {whose}")))
    };
    let all: Vec<Text> = [per(ceilings.per_key, "one key"), per(ceilings.per_address, "one address")]
        .into_iter()
        .flatten()
        .collect();
    if all.is_empty() {
        return sentences(["This API sets no ceiling on errors at present."]);
    }
    vec![
        Block::paragraph(
            "Errors cost nothing, so this ceiling keeps a client that fails in a loop from hammering the API:",
        ),
        Block::List(all),
        Block::paragraph(
            "Redirects, exceeded limits, maintenance and unexpected errors do not count. The limits of the plan are untouched.",
        ),
    ]
}

fn unexpected(facts: &Facts) -> Vec<Block> {
    let wait = quantity::span(facts.reference.times.first_byte);
    let mut blocks = vec![Block::paragraph(format!(
        "The API behind the gateway failed, could not be reached, or did not begin to answer within {wait}."
    ))];
    blocks.push(match &facts.reference.support_email {
        Some(address) => Block::Paragraph(
            text()
                .plain("Each one is kept with its request id. Write to ")
                .link(Target::Mail(address.clone()), address)
                .plain(" and name it."),
        ),
        None => {
            Block::paragraph("Each one is kept with its request id, so that the operator can look it up.")
        }
    });
    blocks
}

/// A table of the endpoints that fit. Empty: there are none.
fn endpoint_table(
    facts: &Facts,
    label: &str,
    head: &'static str,
    fits: impl Fn(&Endpoint) -> bool + Copy,
    value: impl Fn(&Endpoint) -> Text,
) -> Vec<Block> {
    let all = || facts.reference.endpoints.iter().filter(|endpoint| fits(endpoint));
    let rows: Vec<_> = all().take(MAX_ROWS).map(|endpoint| vec![name(endpoint), value(endpoint)]).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::table(label, &["Endpoint", head], rows)];
    blocks.extend(left_out(all().count(), Address::Endpoints(1), "all endpoints"));
    blocks
}

/// Says how many rows a table leaves out.
fn left_out(count: usize, at: Address, whole: &str) -> Option<Block> {
    let more = count.checked_sub(MAX_ROWS).filter(|more| *more > 0)?;
    let more = quantity::grouped(more as u64);
    Some(Block::Paragraph(text().plain(format!("And {more} more: see ")).page(at, whole).plain(".")))
}
