//! The page of limits: plans and what their limits mean, what is charged and when, headers, costs.

use super::Source;
use crate::{
    document::{Address, Block, Document, Text, code as exact, text},
    facts::Facts,
    kinds,
    model::Endpoint,
    quantity,
    request::{KEY, Request},
    wording::name,
};
use contract::{ErrorCode, Limit};
use serde_json::{Value, json};

/// Rows of a table of endpoints.
const MAX_COSTS: usize = 100;
const TITLE: &str = "Limits";
const LEAD: &str =
    "Every key belongs to a plan, and every plan has limits. Only successful responses are charged.";
/// Whose limits those of public endpoints are.
pub(crate) const ONE_ADDRESS: &str = "one address, for all public endpoints";
const CHARGED: [&str; 4] = [
    "A successful response is charged once it has been delivered. It costs 1 unit, unless its endpoint costs more.",
    "An error is never charged, whatever its cause. The 301 of a path that has moved or ends in a slash is not charged either.",
    "A successful response that breaks off on our side is an error, so it is free. If you disconnect during one, it is charged.",
    "Units are reserved while a request is in flight, so concurrent requests cannot exceed the limit, and are returned if it fails.",
];
/// Name, meaning.
const HEADERS: [(&str, &str); 6] = [
    ("X-Rate-Limit-Limit", "The size of the tightest limit; on a 429, of the limit that denied the request."),
    ("X-Rate-Limit-Remaining", "Remaining units of that limit."),
    ("X-Rate-Limit-Reset", "Seconds until it resets or its next units are available, at least 1."),
    (
        "RateLimit-Policy",
        "All limits of the key by their header names: q is the quota, w the length of the window in seconds.",
    ),
    ("RateLimit", "Their state: r is the remaining units, t the seconds until the reset."),
    (
        "Retry-After",
        "On 429 and 503: seconds to wait before the next request, at most 2147483 (24.8 days); the other headers report longer waits.",
    ),
];

pub(super) fn document(source: &Source<'_>) -> Document {
    let facts = source.facts;
    let mut blocks = vec![Block::Lead(LEAD.into()), Block::heading("plans", "Plans")];
    let head = ["Plan", "Limit", "Meaning", "Header name"];
    let plans = facts.reference.plans.iter();
    let rows = plans.flat_map(|plan| plan.limits.iter().map(|limit| limit_row(exact(&plan.name), limit)));
    blocks.push(Block::table("Plans and their limits", &head, rows.collect()));
    blocks.push(Block::paragraph(
        "All limits of a plan apply at the same time: a request needs units of every limit that counts its endpoint.",
    ));
    blocks.extend(group_blocks(facts));
    blocks.extend(address_blocks(facts));
    blocks.push(Block::heading("charged", "What is charged"));
    blocks.push(Block::List(CHARGED.into_iter().map(Text::from).collect()));
    blocks.push(Block::heading("costs", "Cost of endpoints"));
    blocks.extend(cost_blocks(facts));
    blocks.push(Block::heading("headers", "Headers"));
    blocks.push(Block::paragraph("Every response to a known key has them, errors included."));
    let rows = HEADERS.into_iter().map(|(name, meaning)| vec![exact(name), meaning.into()]);
    blocks.push(Block::table("Limit headers", &["Header", "Meaning"], rows.collect()));
    blocks.extend(standing_blocks(facts));
    blocks.push(Block::heading("exceeded", "When a limit is exceeded"));
    blocks.push(Block::List(exceeded(facts)));
    Document {
        address: Address::Limits,
        title: TITLE.into(),
        plain_title: TITLE.to_owned(),
        blocks,
        before: None,
        behind: None,
        json: json_of(facts),
    }
}

fn limit_row(whose: Text, limit: &Limit) -> Vec<Text> {
    vec![whose, quantity::limit(limit).into(), kinds::meaning(limit).into(), exact(limit.policy_name())]
}

fn limit_json(limit: &Limit) -> Value {
    json!({
        "limit": limit.to_string(),
        "amount": limit.amount,
        "group": limit.group.as_deref(),
        "meaning": kinds::meaning(limit),
        "name": limit.policy_name(),
    })
}

/// Which endpoints the limits of groups count.
fn group_blocks(facts: &Facts) -> Vec<Block> {
    let all =
        || groups(facts).flat_map(|(group, endpoints)| endpoints.into_iter().map(move |one| (group, one)));
    let rows: Vec<_> =
        all().take(MAX_COSTS).map(|(group, endpoint)| vec![exact(group), name(endpoint)]).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![
        Block::heading("groups", "Groups of endpoints"),
        Block::paragraph("A limit with a group counts only requests to the endpoints of that group:"),
        Block::table("Groups and their endpoints", &["Group", "Endpoint"], rows),
    ];
    blocks.extend(left_out(all().count()));
    blocks
}

/// Groups that a limit names, in the order of the plans, with their endpoints.
fn groups(facts: &Facts) -> impl Iterator<Item = (&str, Vec<&Endpoint>)> {
    let mut named: Vec<&str> = Vec::new();
    for group in
        facts.reference.plans.iter().flat_map(|plan| &plan.limits).filter_map(|one| one.group.as_deref())
    {
        if !named.contains(&group) {
            named.push(group);
        }
    }
    named.into_iter().map(|group| {
        let members = facts.reference.endpoints.iter().filter(|one| one.group.as_deref() == Some(group));
        (group, members.collect())
    })
}

fn address_blocks(facts: &Facts) -> Vec<Block> {
    let limits = &facts.reference.address_limits;
    if limits.is_empty() {
        return Vec::new();
    }
    let rows = limits.iter().map(|limit| limit_row(ONE_ADDRESS.into(), limit));
    vec![
        Block::heading("address", "Limits by address"),
        Block::paragraph(
            "Public endpoints need no key, so their requests are counted by client address (IPv6: by /64):",
        ),
        Block::table("Limits by address", &["Whose", "Limit", "Meaning", "Header name"], rows.collect()),
    ]
}

fn has_cost(endpoint: &Endpoint) -> bool {
    !endpoint.public && (endpoint.cost != 1 || endpoint.reports_cost)
}

fn cost(endpoint: &Endpoint) -> String {
    let units = quantity::grouped(u64::from(endpoint.cost));
    if endpoint.reports_cost { format!("at most {units}, as the response says") } else { units }
}

/// Writes how many rows a table leaves out.
fn left_out(count: usize) -> Option<Block> {
    let more = count.checked_sub(MAX_COSTS).filter(|more| *more > 0)?;
    let more = format!("And {} more: see ", quantity::grouped(more as u64));
    Some(Block::Paragraph(text().plain(more).page(Address::Endpoints(1), "all endpoints").plain(".")))
}

fn cost_blocks(facts: &Facts) -> Vec<Block> {
    let costly = || facts.reference.endpoints.iter().filter(|endpoint| has_cost(endpoint));
    let rows: Vec<_> =
        costly().take(MAX_COSTS).map(|endpoint| vec![name(endpoint), cost(endpoint).into()]).collect();
    let mut blocks = Vec::new();
    if rows.is_empty() {
        blocks.push(Block::paragraph("Every successful response costs 1 unit."));
    } else {
        blocks.push(Block::paragraph("Every successful response costs 1 unit, except:"));
        blocks.push(Block::table("Endpoints with another cost", &["Endpoint", "Units"], rows));
    }
    blocks.extend(left_out(costly().count()));
    if facts.reference.endpoints.iter().any(|endpoint| endpoint.public) {
        let text = if facts.reference.address_limits.is_empty() {
            "Public endpoints need no key and cost nothing."
        } else {
            "Public endpoints need no key and cost a key nothing."
        };
        blocks.push(Block::paragraph(text));
    }
    blocks
}

fn standing_blocks(facts: &Facts) -> Vec<Block> {
    let reference = &facts.reference;
    let request = Request::bare("GET", &reference.limits_path).with_key(reference, KEY);
    vec![
        Block::heading("standing", "Your current limits"),
        Block::Paragraph(
            text()
                .code(format!("GET {}", reference.limits_path))
                .plain(" lists all limits of a key: quota, used, remaining, and the seconds until the reset. It is free."),
        ),
        Block::sample("The current limits of a key", "sh", request.curl(reference.base())),
    ]
}

fn exceeded(facts: &Facts) -> Vec<Text> {
    let ceilings = facts.reference.ceilings;
    let mut list = vec![
        text()
            .error(ErrorCode::RateExceeded)
            .plain(": a limit per second, a rate or a limit of concurrent requests is exceeded. Slow down."),
        text()
            .error(ErrorCode::ApiLimitExceeded)
            .plain(": another limit is exceeded. Wait for its reset, or move to a larger plan."),
    ];
    if ceilings.per_key.is_some() || ceilings.per_address.is_some() {
        list.push(text().error(ErrorCode::TooManyErrors).plain(
            ": too many of your requests failed within this minute. This ceiling is separate; the limits of the plan are not affected.",
        ));
    }
    list
}

fn json_of(facts: &Facts) -> Value {
    let limits = |limits: &[Limit]| limits.iter().map(limit_json).collect::<Vec<_>>();
    let plans: Vec<_> = facts
        .reference
        .plans
        .iter()
        .map(|plan| json!({ "plan": plan.name, "limits": limits(&plan.limits) }))
        .collect();
    let group_list: Vec<_> = groups(facts)
        .map(|(group, endpoints)| {
            let endpoints = endpoints.into_iter().take(MAX_COSTS);
            let endpoints = endpoints.map(|one| json!({ "method": one.method, "path": one.path }));
            json!({ "group": group, "endpoints": endpoints.collect::<Vec<_>>() })
        })
        .collect();
    let costly = facts.reference.endpoints.iter().filter(|endpoint| has_cost(endpoint));
    let costs: Vec<_> = costly
        .take(MAX_COSTS)
        .map(|endpoint| json!({ "method": endpoint.method, "path": endpoint.path, "cost": endpoint.cost, "is_told": endpoint.reports_cost }))
        .collect();
    let headers: Vec<_> =
        HEADERS.into_iter().map(|(name, meaning)| json!({ "header": name, "meaning": meaning })).collect();
    json!({
        "title": TITLE,
        "about": LEAD,
        "plans": plans,
        "groups": group_list,
        "address": limits(&facts.reference.address_limits),
        "charged": CHARGED,
        "costs": costs,
        "headers": headers,
        "standing": facts.reference.limits_path,
        "exceeded": exceeded(facts).iter().map(super::plain).collect::<Vec<_>>(),
    })
}
