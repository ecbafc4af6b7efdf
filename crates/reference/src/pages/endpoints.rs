//! The pages of endpoints: grouped by tag, with permission and cost, so many on a page.

use super::Source;
use crate::{
    document::{Address, Block, Document, Target, Text, text},
    facts::{EndpointPage, Facts, Tag},
    model::Endpoint,
    quantity,
    wording::{name, requirement_text},
};
use serde_json::{Value, json};

/// Tags of which more than this many are not listed: the list would be longer than a page of endpoints.
const MAX_TAGS: usize = 300;
const UNTAGGED: &str = "Other endpoints";

pub(super) fn document(source: &Source<'_>, number: usize) -> Document {
    let facts = source.facts;
    let all = facts.endpoint_pages.len();
    let nothing = EndpointPage::default();
    let page = facts.endpoint_pages.get(number.saturating_sub(1)).unwrap_or(&nothing);
    let title =
        if number > 1 { format!("Endpoints, page {number} of {all}") } else { "Endpoints".to_owned() };
    let mut blocks = vec![Block::Lead(lead(facts).into())];
    if number <= 1 {
        blocks.extend(tag_list(facts));
    }
    for group in &page.groups {
        let Some(tag) = facts.tags.get(group.tag) else { continue };
        let shown = shown(facts, tag);
        blocks.push(Block::heading(&id(group.tag), shown.as_str()));
        let endpoints = || group.endpoints.iter().filter_map(|at| facts.reference.endpoints.get(*at));
        // An empty column only takes room from the others.
        let has_about = endpoints().any(|endpoint| !about(endpoint).0.is_empty());
        let head: &[_] = if has_about {
            &["Endpoint", "About", "Permission", "Cost"]
        } else {
            &["Endpoint", "Permission", "Cost"]
        };
        blocks.push(Block::table(&shown, head, endpoints().map(|one| row(one, has_about)).collect()));
    }
    let neighbour = |number: usize| {
        (1..=all).contains(&number).then(|| (Address::Endpoints(number), format!("Endpoints, page {number}")))
    };
    Document {
        address: Address::Endpoints(number),
        title: title.as_str().into(),
        plain_title: title,
        blocks,
        before: neighbour(number.saturating_sub(1)),
        behind: neighbour(number + 1),
        json: json_of(source, page, number),
    }
}

fn lead(facts: &Facts) -> String {
    let count = facts.reference.endpoints.len();
    match (count, facts.endpoint_pages.len()) {
        (0, _) if facts.has_no_endpoint() => {
            "This API has no endpoints: every path gets a 404 ENDPOINT_NOT_FOUND.".to_owned()
        }
        (0, _) => "This API declares no endpoints: every path is one, and needs only a key.".to_owned(),
        (1, _) => "This API has 1 endpoint.".to_owned(),
        (_, 1) => format!("This API has {} endpoints.", quantity::grouped(count as u64)),
        (_, pages) => {
            format!("This API has {} endpoints, on {pages} pages.", quantity::grouped(count as u64))
        }
    }
}

/// Where each tag begins. One tag alone needs no list.
fn tag_list(facts: &Facts) -> Option<Block> {
    if !(2..=MAX_TAGS).contains(&facts.tags.len()) {
        return None;
    }
    let items = facts.tags.iter().enumerate().map(|(position, tag)| {
        let to = if tag.first_page <= 1 {
            Target::Heading(id(position))
        } else {
            Target::Within(Address::Endpoints(tag.first_page), id(position))
        };
        text().link(to, shown(facts, tag)).plain(format!(" ({})", quantity::grouped(tag.count as u64)))
    });
    Some(Block::List(items.collect()))
}

fn shown(facts: &Facts, tag: &Tag) -> String {
    match (tag.name.as_str(), facts.tags.len()) {
        ("", 1) => "All endpoints".to_owned(),
        ("", _) => UNTAGGED.to_owned(),
        (name, _) => name.to_owned(),
    }
}

fn id(tag: usize) -> String {
    format!("tag-{}", tag + 1)
}

fn row(endpoint: &Endpoint, has_about: bool) -> Vec<Text> {
    let cost = if endpoint.public { "free".to_owned() } else { cost(endpoint) };
    let mut row = vec![name(endpoint)];
    if has_about {
        row.push(about(endpoint));
    }
    row.extend([permission(endpoint), cost.into()]);
    row
}

fn about(endpoint: &Endpoint) -> Text {
    let mut parts = Vec::new();
    if !endpoint.summary.is_empty() {
        parts.push(text().plain(endpoint.summary.clone()));
    }
    if let Some(to) = &endpoint.moved_to {
        parts.push(text().strong("Moved").plain(" to ").code(to));
    }
    if let Some(group) = &endpoint.group {
        parts.push(text().plain("Group ").code(&**group).plain("."));
    }
    if endpoint.deprecated.is_some() {
        parts.push(text().strong("Deprecated.").plain(" ").page(Address::Moved, "More"));
    }
    Text::joined(parts, " ")
}

fn cost(endpoint: &Endpoint) -> String {
    let units = quantity::grouped(u64::from(endpoint.cost));
    if endpoint.reports_cost { format!("at most {units}") } else { units }
}

fn permission(endpoint: &Endpoint) -> Text {
    if endpoint.public {
        "public, no key".into()
    } else if endpoint.takes_any_key() {
        "any key".into()
    } else {
        requirement_text(&endpoint.permissions)
    }
}

fn json_of(source: &Source<'_>, page: &EndpointPage, number: usize) -> Value {
    let facts = source.facts;
    let endpoint = |endpoint: &Endpoint| {
        json!({
            "method": endpoint.method,
            "path": endpoint.path,
            "summary": endpoint.summary,
            "public": endpoint.public,
            "permissions": endpoint.permissions,
            "cost": if endpoint.public { 0 } else { endpoint.cost },
            "cost_is_told": endpoint.reports_cost,
            "group": endpoint.group.as_deref(),
            "deprecated": endpoint.deprecated.is_some(),
            "moved_to": endpoint.moved_to,
        })
    };
    let groups: Vec<_> = page
        .groups
        .iter()
        .filter_map(|group| Some((facts.tags.get(group.tag)?, group)))
        .map(|(tag, group)| {
            let members = group.endpoints.iter().filter_map(|at| facts.reference.endpoints.get(*at));
            json!({ "tag": tag.name, "endpoints": members.map(endpoint).collect::<Vec<_>>() })
        })
        .collect();
    let all = facts.endpoint_pages.len();
    let next = (number.max(1) < all)
        .then(|| source.json_link(Address::Endpoints(number), Address::Endpoints(number.max(1) + 1)));
    json!({
        "title": "Endpoints",
        "count": facts.reference.endpoints.len(),
        "page": number.max(1),
        "pages": all,
        "next": next,
        "groups": groups,
    })
}
