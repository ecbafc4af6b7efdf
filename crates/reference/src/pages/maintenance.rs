//! The page of maintenance: what is running, what is planned. Rendered for each request, because it changes.

use super::Source;
use crate::{
    document::{Address, Block, Document, Text, text},
    model::{Live, Window},
    quantity::{readable_time, time},
};
use contract::ErrorCode;
use serde_json::{Value, json};

/// Windows that a page lists.
const MAX_WINDOWS: usize = 100;
const NOTHING: &str = "No maintenance is active or planned.";
const TITLE: &str = "Maintenance";
const LEAD: &str = "During a maintenance period the affected endpoints return 503. You can keep making requests until they are available; nothing is charged, and no client is locked out for trying. This reference stays available.";

pub(super) fn document(source: &Source<'_>) -> Document {
    let live = source.live;
    let mut blocks = vec![Block::Lead(LEAD.into()), Block::heading("windows", "Active and planned")];
    blocks.extend(now_and_next(live));
    blocks.push(Block::heading("answer", "Response"));
    blocks.push(Block::Paragraph(text().plain("The code is ").error(ErrorCode::Maintenance).plain(
        ", and the Retry-After header counts down to the end; if no end is known, it says 120 seconds.",
    )));
    Document {
        address: Address::Maintenance,
        title: TITLE.into(),
        plain_title: TITLE.to_owned(),
        blocks,
        before: None,
        behind: None,
        json: json!({
            "title": TITLE,
            "about": LEAD,
            "windows": windows(live).into_iter().map(|window| json_of_window(window, live.now)).collect::<Vec<_>>(),
        }),
    }
}

/// The windows as a table, or that there are none.
pub(crate) fn now_and_next(live: &Live) -> Vec<Block> {
    let windows = windows(live);
    if windows.is_empty() {
        return vec![Block::paragraph(NOTHING)];
    }
    let rows = windows.into_iter().map(|window| {
        vec![
            Text::from(state(window, live.now)),
            readable_time(window.from).into(),
            window.until.map_or_else(|| "not known yet".to_owned(), readable_time).into(),
            endpoints(window).into(),
            message(window).into(),
        ]
    });
    let head = ["State", "From", "Until", "Endpoints", "Message"];
    vec![Block::table("Maintenance windows", &head, rows.collect())]
}

/// The first page's note on the window that is in force or comes next.
pub(super) fn notice(live: &Live) -> Option<Block> {
    let window = windows(live).into_iter().next()?;
    let until = window
        .until
        .map_or_else(|| "until further notice".to_owned(), |until| format!("until {}", readable_time(until)));
    let of = if window.endpoints.is_empty() { String::new() } else { format!(" of {}", endpoints(window)) };
    let when = if window.holds(live.now) {
        format!("Maintenance{of} is active, {until}.")
    } else {
        format!("Maintenance{of} is planned, from {} {until}.", readable_time(window.from))
    };
    Some(Block::Notice(
        text()
            .strong(when)
            .plain(format!(" {} ", message(window)))
            .page(Address::Maintenance, "More about it"),
    ))
}

/// Those that are not over, the first to begin coming first.
fn windows(live: &Live) -> Vec<&Window> {
    let mut windows: Vec<&Window> = live.windows.iter().filter(|window| !window.is_over(live.now)).collect();
    windows.sort_by_key(|window| (window.from, window.until));
    windows.truncate(MAX_WINDOWS);
    windows
}

fn state(window: &Window, now: u64) -> &'static str {
    if window.holds(now) { "running" } else { "planned" }
}

fn endpoints(window: &Window) -> String {
    if window.endpoints.is_empty() { "all".to_owned() } else { window.endpoints.join(", ") }
}

fn message(window: &Window) -> &str {
    if window.message.is_empty() { "The API is under maintenance." } else { &window.message }
}

fn json_of_window(window: &Window, now: u64) -> Value {
    json!({
        "state": state(window, now),
        "from": time(window.from),
        "until": window.until.map(time),
        "endpoints": window.endpoints,
        "message": message(window),
    })
}
