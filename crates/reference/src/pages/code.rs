//! The page of an error code: where every `check` link leads.

use super::{Source, registry};
use crate::{
    document::{Address, Badge, Block, Document, Text, text},
    example::Example,
};
use contract::{ErrorCode, Status, registry::Owner, specification::Form};
use serde_json::json;

const LIMITS: &str = "None. An error never changes the remaining units of your limits or their reset.";

pub(super) fn document(source: &Source<'_>, code: ErrorCode) -> Document {
    let facts = source.facts;
    let number = facts.number(code);
    let badge = Badge::of(code.status(), number);
    let example = registry::example(facts, code, source.live);
    let when = registry::when(facts, code, source.live);
    let json = json!({
        "code": code.name(),
        "http_code": number,
        "title": code.title(),
        "meaning": code.meaning(),
        "what_to_do": code.what_to_do(),
        "when": super::json_of(&when),
        "example": {
            "note": example.not_now,
            "curl": example.curl(),
            "headers": example.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>(),
            "body": example.body(Form::Specification),
            "problem": example.body(Form::Problem),
        },
        "who_acts": who(code.owner()),
        "effect_on_limits": LIMITS,
    });
    let mut blocks = vec![Block::Lead(format!("{}. {}", code.title(), code.meaning()).into())];
    blocks.extend([Block::heading("what-to-do", "What to do"), Block::paragraph(advice(code.what_to_do()))]);
    if matches!(code.status(), Status::NoPermission | Status::KeyRefused) {
        blocks.extend(super::index::the_other_way_round(facts).map(Block::Notice));
    }
    blocks.push(Block::heading("when", "When it occurs"));
    blocks.extend(when);
    blocks.extend(example_blocks(&example));
    blocks.extend([
        Block::heading("who", "Who can fix it"),
        Block::paragraph(who(code.owner())),
        Block::heading("limits", "Effect on your limits"),
        Block::Paragraph(text().strong("Nothing.").plain(LIMITS.strip_prefix("Nothing.").unwrap_or(LIMITS))),
    ]);
    let position = facts.codes.iter().position(|known| *known == code);
    let neighbour = |position: Option<usize>| {
        let code = facts.codes.get(position?)?;
        Some((Address::Code(*code), code.name().to_owned()))
    };
    Document {
        address: Address::Code(code),
        title: text().badge(badge).plain(" ").code(code.name()),
        plain_title: format!("{number} {}", code.name()),
        blocks,
        before: neighbour(position.and_then(|position| position.checked_sub(1))),
        behind: neighbour(position.map(|position| position + 1)),
        json,
    }
}

fn example_blocks(example: &Example) -> Vec<Block> {
    let mut blocks = vec![Block::heading("example", "Example")];
    if !example.not_now.is_empty() {
        blocks.push(Block::Notice(text().plain(example.not_now)));
    }
    blocks.push(Block::sample("Request", "sh", example.curl()));
    blocks.push(Block::sample("Response", "http", answer(example, Form::Specification)));
    blocks.push(Block::Paragraph(
        text()
            .plain("With ")
            .code("Accept: application/problem+json")
            .plain(", as RFC 9457 problem details:"),
    ));
    blocks.push(Block::sample("Response as problem details", "http", answer(example, Form::Problem)));
    blocks
}

fn answer(example: &Example, form: Form) -> String {
    let body = serde_json::to_string_pretty(&example.body(form)).unwrap_or_default();
    format!("{}\n\n{body}", example.head(form))
}

/// The registry marks names of members with backticks.
fn advice(sentence: &str) -> Text {
    let mut marked = text();
    for (position, part) in sentence.split('`').enumerate() {
        marked = if position % 2 == 1 { marked.code(part) } else { marked.plain(part) };
    }
    marked
}

const fn who(owner: Owner) -> &'static str {
    match owner {
        Owner::Client => "You, by changing the request.",
        Owner::Operator => "The operator of the API, who issues keys and plans.",
        Owner::Upstream => "The team behind the API.",
    }
}
