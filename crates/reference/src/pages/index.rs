//! The first page: what the API is, how to send a key, every status with its codes.

use super::{Source, registry};
use crate::{
    document::{Address, Badge, Block, Document, Target, Text, Tone, text},
    facts::Facts,
    quantity,
    wording::key_places,
};
use contract::{ErrorCode, Status, specification::Form};
use serde_json::{Value, json};

const FINE: &str =
    "Everything seems ok! Other successful responses of the API (2xx, 304) are forwarded unchanged.";
const FREE: &str =
    "Errors are free. An error response never changes the remaining units of your limits or their reset.";

pub(super) fn document(source: &Source<'_>) -> Document {
    let facts = source.facts;
    let name = &facts.reference.name;
    let lead =
        "What each response of this API means, what its limits are, and what to do when a request fails.";
    let mut blocks = vec![Block::Lead(lead.into())];
    blocks.extend(super::maintenance::notice(source.live));
    blocks.push(Block::Paragraph(
        text().strong("Errors are free.").plain(FREE.strip_prefix("Errors are free.").unwrap_or(FREE)),
    ));
    blocks.extend(key_blocks(facts, source));
    blocks.extend(table_blocks(facts));
    blocks.extend(body_blocks(source));
    blocks.push(Block::heading("pages", "Pages"));
    blocks.push(Block::List(page_list(facts)));
    blocks.extend(support(facts));
    Document {
        address: Address::Index,
        title: format!("{name}: errors and limits").into(),
        plain_title: format!("{name}: errors and limits"),
        blocks,
        before: None,
        behind: None,
        json: json_of(source, lead),
    }
}

fn key_blocks(facts: &Facts, source: &Source<'_>) -> Vec<Block> {
    let example = registry::example(facts, ErrorCode::KeyRevoked, source.live);
    let is_imaginary = facts.reference.endpoints.is_empty();
    let label =
        if is_imaginary { "A request with a key, to a path of your choice" } else { "A request with a key" };
    vec![
        Block::heading("key", "Send your key"),
        Block::paragraph("Send the API key in one of these headers. They are read in this order."),
        Block::List(key_places(facts)),
        Block::sample(label, "sh", example.curl()),
    ]
}

fn table_blocks(facts: &Facts) -> Vec<Block> {
    let mut rows = vec![vec![text().badge(Badge { number: 200, tone: Tone::Fine }), FINE.into()]];
    for (status, number, codes) in statuses(facts) {
        let links = codes.iter().map(|code| text().error(*code));
        rows.push(vec![
            text().badge(Badge::of(status, number)),
            text().plain(meaning(status, &codes)).line_break().then(Text::joined(links, " ")),
        ]);
    }
    let mut blocks = vec![
        Block::heading("statuses", "Status codes"),
        Block::paragraph(
            "This API uses these status codes and no others. The error code says exactly what is wrong and never changes.",
        ),
        Block::table("Statuses and error codes", &["Status", "Meaning and codes"], rows),
    ];
    blocks.extend(the_other_way_round(facts).map(Block::Notice));
    blocks
}

/// The rows below 200: status, number, codes; by number.
fn statuses(facts: &Facts) -> Vec<(Status, u16, Vec<ErrorCode>)> {
    let mut rows: Vec<(Status, u16, Vec<ErrorCode>)> = Vec::new();
    for code in &facts.codes {
        match rows.iter_mut().find(|(status, ..)| *status == code.status()) {
            Some((_, _, codes)) => codes.push(*code),
            None => rows.push((code.status(), facts.number(*code), vec![*code])),
        }
    }
    rows.sort_by_key(|(_, number, _)| *number);
    rows
}

/// What a row means. A status that the operator added means what its one code does.
fn meaning(status: Status, codes: &[ErrorCode]) -> &'static str {
    match (status, codes) {
        (Status::Extra(_), [only]) => only.meaning(),
        (status, _) => status.meaning(),
    }
}

/// Emphasised, because most APIs do it differently.
pub(super) fn the_other_way_round(facts: &Facts) -> Option<Text> {
    (facts.reference.statuses == contract::Statuses::Fairgate).then(|| {
        text()
            .strong("401 and 403 are swapped compared with most APIs:")
            .plain(" 401 means that the key is correct but lacks the permission, 403 that the key is missing or incorrect.")
    })
}

fn body_blocks(source: &Source<'_>) -> Vec<Block> {
    let example = registry::example(source.facts, ErrorCode::KeyNotSet, source.live);
    let body = serde_json::to_string_pretty(&example.body(Form::Specification)).unwrap_or_default();
    vec![
        Block::heading("body", "Error format"),
        Block::Paragraph(
            text()
                .code("message")
                .plain(" says what is wrong with this request, ")
                .code("check")
                .plain(" links to the page of its code, and ")
                .code("request_id")
                .plain(" is in the X-Request-Id header of every response. Send ")
                .code("Accept: application/problem+json")
                .plain(" for RFC 9457 problem details."),
        ),
        Block::sample("Error body", "json", body),
    ]
}

fn page_list(facts: &Facts) -> Vec<Text> {
    let reference = &facts.reference;
    let count = match reference.endpoints.len() {
        0 if facts.has_no_endpoint() => "there are none".to_owned(),
        0 => "every path is one".to_owned(),
        1 => "1 endpoint, with its permission and cost".to_owned(),
        count => format!("{} endpoints, with their permissions and costs", quantity::grouped(count as u64)),
    };
    let mut list = vec![
        text().page(Address::Limits, "Limits").plain(": plans, windows, charges and headers"),
        text().page(Address::Endpoints(1), "Endpoints").plain(format!(": {count}")),
        text().page(Address::Maintenance, "Maintenance").plain(": planned and active windows"),
        text().page(Address::Moved, "Moved and deprecated").plain(": old paths and their new addresses"),
    ];
    if reference.has_openapi {
        list.push(
            text()
                .link(Target::File("openapi.json"), "openapi.json")
                .plain(" and ")
                .link(Target::File("openapi.yaml"), "openapi.yaml")
                .plain(": the OpenAPI document of this API with all of these responses"),
        );
    }
    list.push(
        text()
            .plain("Every page is available as HTML, Markdown and JSON: add ")
            .code(".html")
            .plain(", ")
            .code(".md")
            .plain(" or ")
            .code(".json")
            .plain(" to its address, or send ")
            .code("Accept")
            .plain("."),
    );
    list
}

fn support(facts: &Facts) -> Vec<Block> {
    let Some(address) = &facts.reference.support_email else { return Vec::new() };
    vec![
        Block::heading("support", "Support"),
        Block::Paragraph(
            text()
                .plain("Write to ")
                .link(Target::Mail(address.clone()), address)
                .plain(", and include the request id of the response in question."),
        ),
    ]
}

fn json_of(source: &Source<'_>, lead: &str) -> Value {
    let facts = source.facts;
    let from = Address::Index;
    let codes: Vec<_> = facts
        .codes
        .iter()
        .map(|code| json!({ "code": code.name(), "http_code": facts.number(*code), "page": source.json_link(from, Address::Code(*code)) }))
        .collect();
    let mut rows = vec![json!({ "http_code": 200, "meaning": FINE, "codes": [] })];
    rows.extend(statuses(facts).into_iter().map(|(status, number, codes)| {
        let meaning = meaning(status, &codes);
        let codes: Vec<_> = codes.into_iter().map(ErrorCode::name).collect();
        json!({ "http_code": number, "meaning": meaning, "codes": codes })
    }));
    let pages = [Address::Limits, Address::Endpoints(1), Address::Maintenance, Address::Moved];
    let pages: Vec<_> = pages
        .into_iter()
        .map(|page| json!({ "title": super::name(page), "page": source.json_link(from, page) }))
        .collect();
    let example = registry::example(facts, ErrorCode::KeyNotSet, source.live);
    let openapi = ["openapi.json", "openapi.yaml"].map(|name| source.links.to_file(&from, name));
    json!({
        "api": facts.reference.name,
        "about": lead,
        "errors_cost": FREE,
        "maintenance": super::maintenance::notice(source.live).map(|notice| super::json_of(&[notice])),
        "support": facts.reference.support_email,
        "key": key_places(facts).iter().map(super::plain).collect::<Vec<_>>(),
        "statuses": rows,
        "codes": codes,
        "example": example.body(Form::Specification),
        "pages": pages,
        "openapi": facts.reference.has_openapi.then_some(openapi),
    })
}
