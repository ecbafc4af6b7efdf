//! A document as Markdown (CommonMark with tables).

use crate::{
    document::{Block, Document, Inline, Table, Target, Text},
    format::Format,
    links::Links,
};

/// Writes a document. It ends in a line break.
pub(crate) fn write(document: &Document, links: &Links) -> String {
    let writer = Writer { document, links };
    let mut parts = vec![format!("# {}", writer.text(&document.title))];
    parts.extend(document.blocks.iter().map(|block| writer.block(block)));
    let mut page = parts.join("\n\n");
    page.push('\n');
    page
}

struct Writer<'d> {
    document: &'d Document,
    links: &'d Links,
}

impl Writer<'_> {
    fn block(&self, block: &Block) -> String {
        match block {
            Block::Lead(text) | Block::Paragraph(text) => self.text(text),
            Block::Heading { text, .. } => format!("## {}", self.text(text)),
            Block::List(items) => {
                let items: Vec<_> = items.iter().map(|item| format!("- {}", self.text(item))).collect();
                items.join("\n")
            }
            Block::Table(table) => self.table(table),
            Block::Sample { language, text, .. } => {
                let fence = fence(text, 3);
                format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
            }
            Block::Notice(text) => format!("> {}", self.text(text)),
        }
    }

    fn table(&self, table: &Table) -> String {
        let mut lines = vec![format!("| {} |", table.head.join(" | "))];
        lines.push(format!("|{}", "---|".repeat(table.head.len())));
        lines.extend(table.rows.iter().map(|row| {
            let cells: Vec<_> = row.iter().map(|cell| self.cell(cell)).collect();
            format!("| {} |", cells.join(" | "))
        }));
        lines.join("\n")
    }

    /// A cell ends at a bar, also within code: there it must be escaped once more.
    fn cell(&self, text: &Text) -> String {
        let inline = |inline: &Inline| match inline {
            Inline::Code(exact) => in_code(exact).replace('|', "\\|"),
            Inline::Plain(_) | Inline::Strong(_) | Inline::Badge(_) | Inline::Break | Inline::Link { .. } => {
                self.inline(inline)
            }
        };
        text.0.iter().map(inline).collect()
    }

    fn text(&self, text: &Text) -> String {
        text.0.iter().map(|inline| self.inline(inline)).collect()
    }

    fn inline(&self, inline: &Inline) -> String {
        match inline {
            Inline::Plain(text) => escape(text),
            Inline::Strong(text) => format!("**{}**", escape(text)),
            Inline::Code(exact) => in_code(exact),
            Inline::Badge(badge) => badge.number.to_string(),
            Inline::Break => " ".to_owned(),
            Inline::Link { to, text, is_code } => {
                let shown = if *is_code { in_code(text) } else { escape(text) };
                match self.address(to) {
                    Some(address) => format!("[{shown}](<{address}>)"),
                    None => shown,
                }
            }
        }
    }

    /// None: Markdown has no agreed names for headings, so nothing links to them.
    fn address(&self, to: &Target) -> Option<String> {
        let from = &self.document.address;
        match to {
            Target::Page(page) | Target::Within(page, _) => Some(self.links.to(from, page, Format::Markdown)),
            Target::Heading(_) => None,
            Target::File(name) => Some(self.links.to_file(from, name)),
            Target::Mail(address) => {
                Some(format!("mailto:{}", address.replace(['<', '>', '\\', '\n', '\r'], "")))
            }
        }
    }
}

/// Text in which nothing is markup. A line break would end a cell or begin a list, so it becomes a space.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (position, character) in text.char_indices() {
        let marks = matches!(
            character,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '#' | '!' | '$'
        );
        let begins = position == 0 && matches!(character, '-' | '+' | '=');
        if marks || begins {
            escaped.push('\\');
        }
        escaped.push(if character.is_control() { ' ' } else { character });
    }
    escaped
}

/// A span of code that holds any text: its fence is longer than any run of backticks in it.
fn in_code(exact: &str) -> String {
    let exact: String =
        exact.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let fence = fence(&exact, 1);
    let needs_room = exact.starts_with('`') || exact.ends_with('`') || exact.trim().is_empty();
    let room = if needs_room { " " } else { "" };
    format!("{fence}{room}{exact}{room}{fence}")
}

fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    "`".repeat((longest + 1).max(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_operator_is_never_markup() {
        assert_eq!(
            escape("<b>\"A\" & [B](c)\n# d | e*f_g"),
            "\\<b\\>\"A\" \\& \\[B\\](c) \\# d \\| e\\*f\\_g"
        );
        assert_eq!(escape("- a"), "\\- a");
        assert_eq!(in_code("a`b``c"), "```a`b``c```");
        assert_eq!(in_code("`a"), "`` `a ``");
    }
}
