//! The pages: each a function from what is known of the API to a document.

mod code;
mod endpoints;
mod index;
pub(crate) mod limits;
pub(crate) mod maintenance;
mod moved;
mod registry;
mod when;

use crate::{
    document::{Address, Block, Document, Inline, Target, Text},
    facts::Facts,
    format::Format,
    links::Links,
    model::Live,
};
use serde_json::{Map, Value, json};

/// What a page is made of.
pub(crate) struct Source<'s> {
    pub(crate) facts: &'s Facts,
    pub(crate) live: &'s Live,
    pub(crate) links: &'s Links,
}

/// Makes the document of a page.
pub(crate) fn document(source: &Source<'_>, address: Address) -> Document {
    match address {
        Address::Index => index::document(source),
        Address::Code(code) => code::document(source, code),
        Address::Limits => limits::document(source),
        Address::Endpoints(number) => endpoints::document(source, number),
        Address::Maintenance => maintenance::document(source),
        Address::Moved => moved::document(source),
    }
}

/// The name of a page in navigation.
pub(crate) fn name(address: Address) -> &'static str {
    match address {
        Address::Index => "Overview",
        Address::Code(code) => code.name(),
        Address::Limits => "Limits",
        Address::Endpoints(_) => "Endpoints",
        Address::Maintenance => "Maintenance",
        Address::Moved => "Moved and deprecated",
    }
}

impl Source<'_> {
    /// The link from one page's JSON to another page.
    fn json_link(&self, from: Address, to: Address) -> String {
        self.links.to(&from, &to, Format::Json)
    }
}

/// Blocks for programs: sentences as texts, tables as lists of objects.
fn json_of(blocks: &[Block]) -> Value {
    let mut all = Vec::new();
    for block in blocks {
        match block {
            Block::Lead(text) | Block::Paragraph(text) | Block::Notice(text) => all.push(plain(text).into()),
            Block::Heading { text, .. } => all.push(plain(text).into()),
            Block::List(items) => all.extend(items.iter().map(|item| Value::from(plain(item)))),
            Block::Table(table) => all.extend(table.rows.iter().map(|row| {
                let names = table.head.iter().map(|name| name.to_lowercase().replace(' ', "_"));
                Value::Object(names.zip(row.iter().map(|cell| plain(cell).into())).collect::<Map<_, _>>())
            })),
            Block::Sample { text, .. } => all.push(json!({ "sample": text })),
        }
    }
    Value::Array(all)
}

/// A text without its marks.
pub(crate) fn plain(text: &Text) -> String {
    let one = |inline: &Inline| match inline {
        Inline::Plain(text) | Inline::Strong(text) | Inline::Code(text) => text.clone(),
        Inline::Badge(badge) => badge.number.to_string(),
        Inline::Break => " ".to_owned(),
        Inline::Link { text, to: Target::Mail(address), .. } if text != address => {
            format!("{text} <{address}>")
        }
        Inline::Link { text, .. } => text.clone(),
    };
    text.0.iter().map(one).collect()
}
