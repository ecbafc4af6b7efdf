//! When this API responds with a code, where its configuration decides: in sentences and tables.

use super::limits::ONE_ADDRESS;
use crate::{
    document::{Address, Block, Target, Text, code as exact, text},
    example::concerns,
    facts::Facts,
    model::{Check, Endpoint, Place},
    quantity,
    wording::{key_places, name, requirement_text},
};
use contract::{ErrorCode, Limit, RedirectStatus};

/// Rows of a table on such a page. What is left out is counted, and is on the pages of endpoints.
const MAX_ROWS: usize = 40;
/// Endpoints that a permission names before they are counted.
const MAX_NAMED: usize = 3;

/// A paragraph for each sentence.
pub(super) fn sentences<const N: usize>(sentences: [&str; N]) -> Vec<Block> {
    sentences.into_iter().map(Block::paragraph).collect()
}

pub(super) fn endpoint_moved(facts: &Facts) -> Vec<Block> {
    let moved = facts.moved();
    let mut blocks = Vec::new();
    if moved.is_empty() {
        blocks.push(Block::paragraph("Nothing has moved."));
    } else {
        blocks.push(Block::paragraph(
            "These paths have moved permanently. Parameters in braces and the query are kept.",
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

pub(super) fn trailing_slash(facts: &Facts) -> Vec<Block> {
    if !facts.reference.redirects_slashes {
        return sentences(["This API uses paths as they are, so a trailing slash alone causes no redirect."]);
    }
    let mut blocks = vec![Block::paragraph(
        "Every path that ends in a slash, whatever the method, except the root / and endpoints that are declared with a trailing slash.",
    )];
    let with_slash = facts.reference.endpoints.iter().filter(|endpoint| endpoint.path.ends_with('/'));
    let kept: Vec<Text> = with_slash.take(MAX_ROWS).map(|e| exact(&e.path)).collect();
    if !kept.is_empty() {
        blocks.push(Block::Paragraph(
            text()
                .plain("These endpoints keep their trailing slash: ")
                .then(Text::joined(kept, ", "))
                .plain("."),
        ));
    }
    blocks.push(Block::Paragraph(redirect_status(facts)));
    blocks
}

fn redirect_status(facts: &Facts) -> Text {
    match facts.reference.redirect_status {
        RedirectStatus::PermanentRedirect => text().plain("GET and HEAD get 301, other methods 308, so that clients repeat the same method and body."),
        RedirectStatus::MovedPermanently => text()
            .plain("The response is a 301. Only GET and HEAD get a ")
            .then(exact("Location"))
            .plain(" header: many clients follow a 301 after a POST with a GET and lose the body. For other methods, read the address in ")
            .then(exact("error.location"))
            .plain(" and correct it in your program."),
    }
}

pub(super) fn headers_too_large(facts: &Facts) -> Vec<Block> {
    let size = quantity::bytes(facts.reference.sizes.head);
    vec![Block::Paragraph(
        text()
            .plain("The maximum size of the request line and all headers together is ")
            .strong(size)
            .plain(", with at most 100 headers."),
    )]
}

pub(super) fn body_too_large(facts: &Facts) -> Vec<Block> {
    let size = quantity::bytes(facts.reference.sizes.body);
    let mut blocks = vec![Block::Paragraph(
        text()
            .plain("The maximum size of a body is ")
            .strong(size)
            .plain(", unless its endpoint sets another."),
    )];
    let own = |endpoint: &Endpoint| endpoint.max_body.is_some();
    blocks.extend(endpoint_table(
        facts,
        "Endpoints with their own maximum size",
        "Maximum body size",
        own,
        |endpoint| quantity::bytes(endpoint.max_body.unwrap_or_default()).into(),
    ));
    blocks
}

pub(super) fn request_timeout(facts: &Facts) -> Vec<Block> {
    let times = facts.reference.times;
    vec![Block::List(vec![
        text()
            .plain("The headers of a request must arrive within ")
            .strong(quantity::span(times.head))
            .plain("."),
        text()
            .plain("The pause between two parts of its body must be at most ")
            .strong(quantity::span(times.body))
            .plain("."),
    ])]
}

/// Parameters or headers that a code is about.
pub(super) fn checked(facts: &Facts, code: ErrorCode, fits: impl Fn(&Check) -> bool) -> Vec<Block> {
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
            "The gateway does not validate this for any endpoint; the API itself may still reject a request.",
        ]);
    }
    let mut blocks = vec![Block::paragraph(
        "These are validated before a request reaches the API. The response lists every violation, not just the first.",
    )];
    blocks.push(Block::table("Validated values", &["Endpoint", "Name", "Rule"], rows));
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

pub(super) fn body_not_valid(facts: &Facts) -> Vec<Block> {
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
                "as described by the API's OpenAPI document".into(),
            ]);
        }
        for check in members {
            count += 1;
            rows.push(vec![name(endpoint), exact(&check.name), rule(check)]);
        }
        rows.truncate(MAX_ROWS);
    }
    if rows.is_empty() {
        return sentences(["The gateway does not validate bodies; the API itself may still reject one."]);
    }
    let mut blocks = vec![Block::paragraph(
        "These are validated before a request reaches the API. The response lists every violation with its location in the body.",
    )];
    blocks.push(Block::table("Validated bodies", &["Endpoint", "Property", "Rule"], rows));
    blocks.extend(left_out(count, Address::Endpoints(1), "all endpoints"));
    blocks
}

pub(super) fn body_malformed(facts: &Facts) -> Vec<Block> {
    let reads = |endpoint: &Endpoint| endpoint.takes.checks_body;
    let table =
        endpoint_table(facts, "Endpoints with validated bodies", "Media types", reads, media_type_list);
    if table.is_empty() {
        return sentences(["The gateway does not read bodies; the API itself may still reject one."]);
    }
    let mut blocks = vec![Block::paragraph(
        "The body does not match its Content-Type: for example JSON that is incomplete or contains a duplicate property.",
    )];
    blocks.extend(table);
    blocks
}

pub(super) fn media_types(facts: &Facts) -> Vec<Block> {
    let picky = |endpoint: &Endpoint| endpoint.takes.checks_body || !endpoint.takes.media_types.is_empty();
    let table = endpoint_table(facts, "Media types that endpoints accept", "Takes", picky, media_type_list);
    if table.is_empty() {
        return sentences(["Every endpoint accepts any media type; the API itself may still reject one."]);
    }
    let mut blocks = vec![Block::paragraph("The endpoint does not accept the Content-Type of the body.")];
    blocks.extend(table);
    blocks
}

fn media_type_list(endpoint: &Endpoint) -> Text {
    if endpoint.takes.media_types.is_empty() {
        return text().code("application/json").plain(" and types ending in ").code("+json");
    }
    Text::joined(endpoint.takes.media_types.iter().map(exact), ", ")
}

pub(super) fn key_format(facts: &Facts) -> Vec<Block> {
    let made = text()
        .plain("A key of this API begins with ")
        .code(contract::key::PREFIX)
        .plain(format!(" and has {} characters, the last of which are a checksum, so a truncated or mistyped key is detected at once.", contract::key::LENGTH));
    let mut blocks = vec![Block::Paragraph(made)];
    if let Some(pattern) = &facts.reference.key_pattern {
        let imported = text().plain("Older keys, made elsewhere, match ").code(pattern).plain(".");
        blocks.push(Block::Paragraph(imported));
    }
    blocks.push(Block::paragraph("Two headers with a key are rejected too: send one."));
    blocks
}

pub(super) fn https_required(facts: &Facts) -> Vec<Block> {
    if facts.reference.redirects_to_https {
        sentences([
            "A request with an API key arrived without TLS. A request without a key is redirected to HTTPS instead.",
            "The key is ignored, whether it is valid or not, and nothing is charged.",
        ])
    } else {
        sentences(["This API does not redirect requests to HTTPS, so this error does not occur."])
    }
}

pub(super) fn permissions(facts: &Facts) -> Vec<Block> {
    if facts.permissions.is_empty() {
        return sentences([
            "No endpoint requires a permission. The API behind the gateway may still deny a request.",
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
    let mut blocks = vec![Block::paragraph("A key needs the permissions of the endpoint:")];
    blocks.push(Block::table("Permissions", &["Permission", "Endpoints"], rows.collect()));
    blocks.extend(left_out(facts.permissions.len(), Address::Endpoints(1), "all endpoints"));
    blocks.push(Block::paragraph("The API behind the gateway may also deny a request."));
    blocks
}

pub(super) fn key_not_set(facts: &Facts) -> Vec<Block> {
    let public = facts.reference.endpoints.iter().filter(|endpoint| endpoint.public);
    let open: Vec<Text> = public.take(MAX_ROWS).map(name).collect();
    let mut blocks =
        vec![Block::paragraph("None of these headers contains a key:"), Block::List(key_places(facts))];
    blocks.push(if open.is_empty() {
        Block::paragraph("Every endpoint needs a key.")
    } else {
        let text =
            text().plain("Every endpoint needs a key except: ").then(Text::joined(open, ", ")).plain(".");
        Block::Paragraph(text)
    });
    blocks
}

pub(super) fn endpoint_not_found(facts: &Facts) -> Vec<Block> {
    let count = facts.reference.endpoints.len();
    if facts.has_no_endpoint() {
        return sentences(["This API has no endpoints: every path gets this response."]);
    }
    if count == 0 {
        return sentences([
            "This API declares no endpoints, so every path is one; only pages of this reference can be missing.",
        ]);
    }
    let noun = if count == 1 { "endpoint" } else { "endpoints" };
    vec![Block::Paragraph(
        text()
            .plain("The path is not one of ")
            .page(Address::Endpoints(1), format!("the {} {noun}", quantity::grouped(count as u64)))
            .plain(" of this API. Paths are case-sensitive."),
    )]
}

pub(super) fn limits(facts: &Facts, code: ErrorCode) -> Vec<Block> {
    let listed = |limits: &[Limit]| {
        let fit = limits.iter().filter(|limit| limit.error_code() == code).map(quantity::limit);
        fit.collect::<Vec<_>>().join("; ")
    };
    let plans = facts.reference.plans.iter().map(|plan| (exact(&plan.name), listed(&plan.limits)));
    let address = (ONE_ADDRESS.into(), listed(&facts.reference.address_limits));
    let rows: Vec<Vec<Text>> = plans
        .chain([address])
        .filter(|(_, limits)| !limits.is_empty())
        .map(|(whose, limits)| vec![whose, limits.into()])
        .collect();
    let also =
        text().plain("When they reset, costs and headers: see ").page(Address::Limits, "limits").plain(".");
    if rows.is_empty() {
        return vec![Block::paragraph("No plan has such a limit."), Block::Paragraph(also)];
    }
    vec![
        Block::paragraph("One of these limits is exceeded:"),
        Block::table("Limits with this response", &["Plan", "Limits"], rows),
        Block::Paragraph(also),
    ]
}

pub(super) fn too_many_errors(facts: &Facts) -> Vec<Block> {
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
        return sentences(["This API has no ceiling on errors."]);
    }
    vec![
        Block::paragraph(
            "Errors are free, so this ceiling stops clients that fail in a loop from flooding the API:",
        ),
        Block::List(all),
        Block::paragraph(
            "Redirects, exceeded limits, maintenance and unexpected errors do not count. The limits of the plan are not affected.",
        ),
    ]
}

pub(super) fn unexpected(facts: &Facts) -> Vec<Block> {
    let wait = quantity::span(facts.reference.times.first_byte);
    let mut blocks = vec![Block::paragraph(format!(
        "The API behind the gateway failed, could not be reached, or did not start to respond within {wait}."
    ))];
    blocks.push(match &facts.reference.support_email {
        Some(address) => Block::Paragraph(
            text()
                .plain("Each one is recorded with its request id. E-mail the request id to ")
                .link(Target::Mail(address.clone()), address)
                .plain(", and we will check as soon as possible."),
        ),
        None => {
            Block::paragraph("Each one is recorded with its request id, so that the operator can look it up.")
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

/// Writes how many rows a table leaves out.
fn left_out(count: usize, at: Address, whole: &str) -> Option<Block> {
    let more = count.checked_sub(MAX_ROWS).filter(|more| *more > 0)?;
    let more = quantity::grouped(more as u64);
    Some(Block::Paragraph(text().plain(format!("And {more} more: see ")).page(at, whole).plain(".")))
}
