//! The reference page of the configuration: made from the registry.

use super::registry::{Absent, Form, Key, Table};
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# Configuration

<!-- Made from the registry of keys (crates/config/src/registry). After a change there run:
     UPDATE=1 cargo test -p fairgate-config -->

Fairgate reads one TOML file, `fairgate.toml`. [examples/minimal.toml](../examples/minimal.toml) is enough to begin
with, [examples/full.toml](../examples/full.toml) shows every key. `fairgate config check` reads the file and says
everything that is wrong with it at once: file, line, the words underlined, and what to do. Nothing is ignored in
silence: an unknown key is a fault. `fairgate config schema` prints a JSON Schema, with which an editor completes and
checks the file while it is written.
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
        Form::Named => " It may stand any number of times, with another name each.",
        Form::Many => " It may stand any number of times.",
    };
    if !repeated.is_empty() {
        let _ = writeln!(page, "{}", repeated.trim_start());
    }
    let _ = writeln!(page, "\n| key | value | default | meaning |\n|---|---|---|---|");
    for key in table.own_keys() {
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
    for key in table.own_keys() {
        let _ = writeln!(page, "{} = {}", key.name, key.example);
    }
    let _ = writeln!(page, "```");
}

fn default(key: &Key) -> String {
    match key.absent {
        Absent::Required => "must be set".to_owned(),
        Absent::Default(text) => format!("`{text}`"),
        Absent::Means(meaning) => meaning.to_owned(),
    }
}
