//! The page of limits: plans and their windows, what is charged and when, headers, costs.

use super::Source;
use crate::{
    document::{Address, Block, Document, Text, code as exact, text},
    facts::Facts,
    quantity,
    request::{KEY, Request},
    when::name,
};
use contract::{ErrorCode, Limit, Period};
use serde_json::{Value, json};

/// Rows of the table of costs.
const MOST_COSTS: usize = 100;
const TITLE: &str = "Limits";
const LEAD: &str = "A key belongs to a plan, and a plan grants so many units within each of its windows. Only \
                    successes are charged.";
const CHARGED: [&str; 4] = [
    "A success that was delivered is charged, after it was delivered. It costs 1 unit, unless its endpoint costs more.",
    "An error is never charged, whoever made it, nor is the 301 of a path that has moved or ends in a slash.",
    "A success that breaks off on our side is an error, so it is free. If you hang up on a success, it is charged.",
    "Units are reserved while a request runs, so that requests at the same time cannot use more than the limit, and are given back if it fails.",
];
/// Name, meaning.
const HEADERS: [(&str, &str); 6] = [
    (
        "X-Rate-Limit-Limit",
        "Units that one window of the tightest limit grants; of the limit that refused, on a 429.",
    ),
    ("X-Rate-Limit-Remaining", "Units of it that are left."),
    ("X-Rate-Limit-Reset", "Whole seconds until its window ends, at least 1."),
    ("RateLimit-Policy", "All limits of the key: q is the amount, w the length of the window in seconds."),
    ("RateLimit", "How they stand: r is what is left, t the seconds until the reset."),
    ("Retry-After", "On 429 and 503: seconds after which another request makes sense."),
];

pub(super) fn document(source: &Source<'_>) -> Document {
    let facts = source.facts;
    let mut blocks = vec![Block::Lead(LEAD.into()), Block::heading("plans", "Plans")];
    blocks.push(Block::table("Plans and their limits", &["Plan", "Limit", "Window"], plan_rows(facts)));
    blocks.push(Block::paragraph(
        "Every limit of a plan counts at the same time: a request has to fit into all of them. All windows follow the calendar in UTC.",
    ));
    blocks.push(Block::heading("charged", "What is charged, and when"));
    blocks.push(Block::List(CHARGED.into_iter().map(Text::from).collect()));
    blocks.push(Block::heading("costs", "What endpoints cost"));
    blocks.extend(cost_blocks(facts));
    blocks.push(Block::heading("headers", "Headers"));
    blocks.push(Block::paragraph("Every answer to a known key has them, errors included."));
    let rows = HEADERS.into_iter().map(|(name, meaning)| vec![exact(name), meaning.into()]);
    blocks.push(Block::table("Headers about limits", &["Header", "Meaning"], rows.collect()));
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

fn plan_rows(facts: &Facts) -> Vec<Vec<Text>> {
    let mut rows = Vec::new();
    for plan in &facts.reference.plans {
        for limit in &plan.limits {
            rows.push(vec![exact(&plan.name), quantity::limit(limit).into(), window(limit.period).into()]);
        }
    }
    rows
}

const fn window(period: Period) -> &'static str {
    match period {
        Period::Second => "each second",
        Period::Minute => "from second 0 of each minute",
        Period::Hour => "from minute 0 of each hour",
        Period::Day => "from 00:00 UTC of each day",
        Period::Month => "from 00:00 UTC of the first day of each month",
    }
}

fn cost_blocks(facts: &Facts) -> Vec<Block> {
    let costly =
        || facts.reference.endpoints.iter().filter(|endpoint| !endpoint.public && endpoint.cost != 1);
    let rows: Vec<_> = costly()
        .take(MOST_COSTS)
        .map(|endpoint| vec![name(endpoint), quantity::grouped(u64::from(endpoint.cost)).into()])
        .collect();
    let mut blocks = Vec::new();
    if rows.is_empty() {
        blocks.push(Block::paragraph("Every success costs 1 unit."));
    } else {
        blocks.push(Block::paragraph("Every success costs 1 unit, but these:"));
        blocks.push(Block::table("Endpoints with another cost", &["Endpoint", "Units"], rows));
    }
    if let Some(more) = costly().count().checked_sub(MOST_COSTS).filter(|more| *more > 0) {
        let more = format!("And {} more: see ", quantity::grouped(more as u64));
        blocks.push(Block::Paragraph(
            text().plain(more).page(Address::Endpoints(1), "all endpoints").plain("."),
        ));
    }
    if facts.reference.endpoints.iter().any(|endpoint| endpoint.public) {
        blocks.push(Block::paragraph("Public endpoints need no key and cost nothing."));
    }
    blocks
}

fn standing_blocks(facts: &Facts) -> Vec<Block> {
    let reference = &facts.reference;
    let request = Request::bare("GET", &reference.limits_path).with_key(reference, KEY);
    vec![
        Block::heading("standing", "How your limits stand"),
        Block::Paragraph(
            text()
                .code(format!("GET {}", reference.limits_path))
                .plain(" tells all limits of a key: amount, used, remaining, and the seconds until the reset. It is itself free."),
        ),
        Block::sample("How the limits of a key stand", "sh", request.curl(reference.base())),
    ]
}

fn exceeded(facts: &Facts) -> Vec<Text> {
    let ceilings = facts.reference.ceilings;
    let mut list = vec![
        text().error(ErrorCode::RateExceeded).plain(": a limit per second is used up. Slow down."),
        text()
            .error(ErrorCode::ApiLimitExceeded)
            .plain(": a longer limit is used up. Wait for its reset, or move to a larger plan."),
    ];
    if ceilings.per_key.is_some() || ceilings.per_address.is_some() {
        list.push(text().error(ErrorCode::TooManyErrors).plain(
            ": too many of your requests failed within this minute. That is a ceiling of its own; the limits of the plan stay as they are.",
        ));
    }
    list
}

fn json_of(facts: &Facts) -> Value {
    let limit = |limit: &Limit| json!({ "limit": limit.to_string(), "amount": limit.amount, "period": limit.period.word(), "window": window(limit.period) });
    let plans: Vec<_> = facts
        .reference
        .plans
        .iter()
        .map(|plan| json!({ "plan": plan.name, "limits": plan.limits.iter().map(limit).collect::<Vec<_>>() }))
        .collect();
    let costly = facts.reference.endpoints.iter().filter(|endpoint| !endpoint.public && endpoint.cost != 1);
    let costs: Vec<_> = costly
        .take(MOST_COSTS)
        .map(|endpoint| json!({ "method": endpoint.method, "path": endpoint.path, "cost": endpoint.cost }))
        .collect();
    let headers: Vec<_> =
        HEADERS.into_iter().map(|(name, meaning)| json!({ "header": name, "meaning": meaning })).collect();
    json!({
        "title": TITLE,
        "about": LEAD,
        "plans": plans,
        "charged": CHARGED,
        "costs": costs,
        "headers": headers,
        "standing": facts.reference.limits_path,
        "exceeded": exceeded(facts).iter().map(super::plain).collect::<Vec<_>>(),
    })
}
