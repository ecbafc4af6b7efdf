//! The page of what has moved permanently, and of what should no longer be used.

use super::Source;
use crate::{
    document::{Address, Block, Document, Text, code as exact, text},
    facts::Facts,
    model::{Deprecation, Endpoint},
    quantity::{grouped, readable_time, time},
    wording::name,
};
use contract::ErrorCode;
use serde_json::{Value, json};

/// Rows of each table. What is left out is counted.
const MAX_ROWS: usize = 1000;
const TITLE: &str = "Moved and deprecated";
const LEAD: &str =
    "Paths that have moved permanently redirect to their new address; deprecated endpoints still work.";

pub(super) fn document(source: &Source<'_>) -> Document {
    let facts = source.facts;
    let mut blocks = vec![Block::Lead(LEAD.into())];
    blocks.extend(moved(facts));
    blocks.extend(deprecated(facts));
    Document {
        address: Address::Moved,
        title: TITLE.into(),
        plain_title: TITLE.to_owned(),
        blocks,
        before: None,
        behind: None,
        json: json_of(facts),
    }
}

fn moved(facts: &Facts) -> Vec<Block> {
    let mut blocks = vec![Block::heading("moved", "Moved")];
    let all = facts.moved();
    if all.is_empty() {
        blocks.push(Block::paragraph("Nothing has moved."));
        return blocks;
    }
    blocks.push(Block::Paragraph(
        text()
            .plain("A request to the old path gets ")
            .error(ErrorCode::EndpointMoved)
            .plain(". Parameters in braces and the query are kept."),
    ));
    let rows = all.iter().take(MAX_ROWS).map(|(from, to)| vec![exact(from), exact(*to)]);
    blocks.push(Block::table("Moved paths", &["Old path", "New path"], rows.collect()));
    blocks.extend(left_out(all.len()));
    blocks
}

fn deprecated(facts: &Facts) -> Vec<Block> {
    let mut blocks = vec![Block::heading("deprecated", "Deprecated")];
    let all: Vec<(&Endpoint, &Deprecation)> = in_order(facts).collect();
    if all.is_empty() {
        blocks.push(Block::paragraph("No endpoint is deprecated."));
        return blocks;
    }
    blocks.push(Block::Paragraph(
        text()
            .plain("Their responses have the header ")
            .code("Deprecation")
            .plain(". Do not use them in new code."),
    ));
    let rows = all.iter().take(MAX_ROWS).map(|(endpoint, deprecation)| {
        vec![
            name(endpoint),
            deprecation.since.map_or_else(|| "unknown".to_owned(), readable_time).into(),
            endpoint.moved_to.as_ref().map_or_else(|| Text::from("none"), exact),
        ]
    });
    blocks.push(Block::table("Deprecated endpoints", &["Endpoint", "Since", "Replacement"], rows.collect()));
    blocks.extend(left_out(all.len()));
    blocks
}

fn in_order(facts: &Facts) -> impl Iterator<Item = (&Endpoint, &Deprecation)> {
    facts.reference.endpoints.iter().filter_map(|endpoint| Some((endpoint, endpoint.deprecated.as_ref()?)))
}

fn left_out(count: usize) -> Option<Block> {
    let more = count.checked_sub(MAX_ROWS).filter(|more| *more > 0)?;
    Some(Block::paragraph(format!("And {} more.", grouped(more as u64))))
}

fn json_of(facts: &Facts) -> Value {
    let moved = facts.moved();
    let moved: Vec<_> =
        moved.iter().take(MAX_ROWS).map(|(from, to)| json!({ "from": from, "to": to })).collect();
    let deprecated: Vec<_> = in_order(facts)
        .take(MAX_ROWS)
        .map(|(endpoint, deprecation)| {
            json!({
                "method": endpoint.method,
                "path": endpoint.path,
                "since": deprecation.since.map(time),
                "use": endpoint.moved_to,
            })
        })
        .collect();
    json!({ "title": TITLE, "about": LEAD, "moved": moved, "deprecated": deprecated })
}
