//! The reference page of the configuration: made from the registry.

use super::{
    registry::{Absent, Form, Key, Table},
    sections::ROWS,
};
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# Configuration

<!-- Made from the registry of keys (crates/config/src/sections). After a change there run:
     UPDATE=1 cargo test -p fairgate-config -->

Fairgate reads one TOML file, `fairgate.toml`. [examples/minimal.toml](../examples/minimal.toml) is enough to start
with; [examples/full.toml](../examples/full.toml) shows every key. `fairgate config check` reports all errors in the file
at once: file, line, the text in question, and how to fix it. Nothing is ignored silently: an unknown key is an error.
`fairgate config schema` prints a JSON Schema that editors complete and check the file with.
";

/// The page as Markdown.
pub(crate) fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    for table in Table::ALL {
        section(&mut page, table);
    }
    page
}

fn section(page: &mut String, table: Table) {
    let title =
        if table == Table::Top { "The top of the file".to_owned() } else { format!("`{}`", table.header()) };
    // Writing to a String cannot fail.
    let _ = writeln!(page, "\n## {title}\n\n{}", table.meaning());
    let repeated = match table.form() {
        Form::Once => "",
        Form::Named => " It can be repeated, each time with another name.",
        Form::Many => " It can be repeated.",
    };
    if !repeated.is_empty() {
        let _ = writeln!(page, "{}", repeated.trim_start());
    }
    let _ = writeln!(page, "\n| key | value | default | description |\n|---|---|---|---|");
    for key in ROWS.own(table) {
        let cells = [format!("`{}`", key.name), key.shape.words(), default(key), key.meaning.to_owned()];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    let _ = writeln!(page, "\n```toml");
    if table == Table::Plan {
        let _ = writeln!(page, "[plans.free]");
    } else if table != Table::Top {
        let _ = writeln!(page, "{}", table.header());
    }
    for key in ROWS.own(table) {
        let _ = writeln!(page, "{} = {}", key.name, key.example);
    }
    let _ = writeln!(page, "```");
}

fn default(key: &Key) -> String {
    match key.absent {
        Absent::Required => "required".to_owned(),
        Absent::Default(text) => format!("`{text}`"),
        Absent::Means(meaning) => meaning.to_owned(),
    }
}
