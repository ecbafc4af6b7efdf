//! A document as an HTML page: no script, nothing loaded, readable by everyone.

use crate::{
    document::{Address, Badge, Block, Document, Inline, Table, Target, Text, Tone},
    facts::Facts,
    format::Format,
    links::Links,
    pages,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::{ErrorCode, Status};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("style.css");

/// What a Content-Security-Policy names the one style of the pages by: `sha256-…`.
pub fn style_hash() -> &'static str {
    static HASH: LazyLock<String> =
        LazyLock::new(|| format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE.as_bytes()))));
    &HASH
}

/// Writes a document.
pub(crate) fn write(document: &Document, facts: &Facts, links: &Links) -> String {
    let writer = Writer { document, facts, links };
    writer.page().into_string()
}

struct Writer<'d> {
    document: &'d Document,
    facts: &'d Facts,
    links: &'d Links,
}

impl Writer<'_> {
    fn page(&self) -> Markup {
        let name = &self.facts.reference.name;
        let is_index = self.document.address == Address::Index;
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.document.plain_title) @if !is_index { " – " (name) } }
                    @for (format, _) in self.other_forms() {
                        link rel="alternate" type=(format.content_type()) href=(self.links.to_form(&self.document.address, format));
                    }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#content" { "Skip to content" }
                    header { p { a href=(self.to(Address::Index)) { (name) } " " span { "Reference" } } }
                    div.frame {
                        (self.navigation())
                        main #content tabindex="-1" {
                            h1 { (self.text(&self.document.title)) }
                            @for block in &self.document.blocks { (self.block(block)) }
                            (self.neighbours())
                        }
                    }
                    (self.footer())
                }
            }
        }
    }

    fn to(&self, page: Address) -> String {
        self.links.to(&self.document.address, &page, Format::Html)
    }

    fn other_forms(&self) -> [(Format, &'static str); 2] {
        [(Format::Markdown, "Markdown"), (Format::Json, "JSON")]
    }

    fn navigation(&self) -> Markup {
        let pages =
            [Address::Index, Address::Limits, Address::Endpoints(1), Address::Maintenance, Address::Moved];
        let here = self.document.address;
        let is_here = |page: Address| match (page, here) {
            (Address::Endpoints(_), Address::Endpoints(_)) => true,
            (page, here) => page == here,
        };
        html! {
            nav aria-label="Reference" {
                ul.pages {
                    @for page in pages {
                        li { a href=(self.to(page)) aria-current=[is_here(page).then_some("page")] { (pages::name(page)) } }
                    }
                    @if self.facts.reference.has_openapi {
                        li { a href=(self.links.to_file(&here, "openapi.json")) { "OpenAPI" } }
                    }
                }
                div.codes {
                    @for (badge, codes) in self.groups() {
                        p { (shown_badge(badge)) }
                        ul {
                            @for code in codes {
                                li {
                                    a href=(self.to(Address::Code(code))) aria-current=[is_here(Address::Code(code)).then_some("page")] {
                                        (breakable(code.name()))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The codes by their number.
    fn groups(&self) -> Vec<(Badge, Vec<ErrorCode>)> {
        let mut groups: Vec<(Status, Badge, Vec<ErrorCode>)> = Vec::new();
        for code in &self.facts.codes {
            let status = code.status();
            match groups.iter_mut().find(|(known, ..)| *known == status) {
                Some((_, _, codes)) => codes.push(*code),
                None => groups.push((status, Badge::of(status, self.facts.number(*code)), vec![*code])),
            }
        }
        groups.sort_by_key(|(_, badge, _)| badge.number);
        groups.into_iter().map(|(_, badge, codes)| (badge, codes)).collect()
    }

    fn block(&self, block: &Block) -> Markup {
        html! {
            @match block {
                Block::Lead(text) => p.lead { (self.text(text)) },
                Block::Heading { id, text } => h2 id=(id) { (self.text(text)) },
                Block::Paragraph(text) => p { (self.text(text)) },
                Block::Notice(text) => p.notice { (self.text(text)) },
                Block::List(items) => ul { @for item in items { li { (self.text(item)) } } },
                Block::Table(table) => (self.table(table)),
                Block::Sample { label, text, .. } => figure {
                    figcaption { (label) }
                    pre { code { (text) } }
                },
            }
        }
    }

    /// A wide table scrolls by itself, also by keyboard, so that the page never does.
    fn table(&self, table: &Table) -> Markup {
        html! {
            div.wide role="region" aria-label=(table.label) tabindex="0" {
                table.many[table.head.len() > 2] {
                    thead { tr { @for name in &table.head { th scope="col" { (name) } } } }
                    tbody {
                        @for row in &table.rows {
                            tr {
                                @for (position, cell) in row.iter().enumerate() {
                                    @if position == 0 { th scope="row" { (self.text(cell)) } }
                                    @else { td { (self.text(cell)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn text(&self, text: &Text) -> Markup {
        html! { @for inline in &text.0 { (self.inline(inline)) } }
    }

    fn inline(&self, inline: &Inline) -> Markup {
        html! {
            @match inline {
                Inline::Plain(text) => (text),
                Inline::Strong(text) => strong { (text) },
                Inline::Code(exact) => code { (breakable(exact)) },
                Inline::Badge(badge) => (shown_badge(*badge)),
                Inline::Break => br;,
                Inline::Link { to, text, is_code } => a href=(self.address(to)) {
                    @if *is_code { code { (breakable(text)) } } @else { (text) }
                },
            }
        }
    }

    fn address(&self, to: &Target) -> String {
        match to {
            Target::Page(page) => self.to(*page),
            Target::Heading(id) => format!("#{id}"),
            Target::Within(page, id) => format!("{}#{id}", self.to(*page)),
            Target::File(name) => self.links.to_file(&self.document.address, name),
            Target::Mail(address) => format!("mailto:{address}"),
        }
    }

    fn neighbours(&self) -> Markup {
        let Document { before, behind, .. } = self.document;
        html! {
            @if before.is_some() || behind.is_some() {
                nav.neighbours aria-label="Neighbouring pages" {
                    @if let Some((page, name)) = before {
                        a rel="prev" href=(self.to(*page)) { span { "Before" } (breakable(name)) }
                    }
                    @if let Some((page, name)) = behind {
                        a.behind rel="next" href=(self.to(*page)) { span { "Next" } (breakable(name)) }
                    }
                }
            }
        }
    }

    fn footer(&self) -> Markup {
        let here = self.document.address;
        html! {
            footer {
                p {
                    "This page as "
                    @for (position, (format, name)) in self.other_forms().into_iter().enumerate() {
                        @if position > 0 { " or " }
                        a href=(self.links.to_form(&here, format)) { (name) }
                    }
                    ". Errors of this API are free."
                }
            }
        }
    }
}

fn shown_badge(badge: Badge) -> Markup {
    let tone = match badge.tone {
        Tone::Fine => "badge fine",
        Tone::Elsewhere => "badge elsewhere",
        Tone::Wrong => "badge wrong",
        Tone::Wait => "badge wait",
        Tone::Ours => "badge ours",
    };
    html! { span class=(tone) { (badge.number) } }
}

/// Exact text that may go on in the next line behind an underscore or a slash, and nowhere else.
fn breakable(exact: &str) -> Markup {
    html! {
        @for part in exact.split_inclusive(['_', '/']) {
            (part) @if part.ends_with(['_', '/']) && part.len() > 1 { wbr; }
        }
    }
}
