//! Keys and tables that the registry does not know: what was meant, and where it belongs.

use super::{
    fault::Fault,
    registry::{Form, Key, Rows, Table},
};
use crate::nearest::nearest;
use toml::de::DeTable;

/// A fault for every key of this table that the registry does not know.
pub(super) fn faults<'t>(rows: Rows, table: Table, map: &'t DeTable<'_>) -> impl Iterator<Item = Fault> + 't {
    map.iter().filter_map(move |(key, value)| {
        let name = key.get_ref().as_ref();
        let known =
            rows.of(table).any(|key| key.name == name) || table.children().any(|child| child.name() == name);
        if known {
            return None;
        }
        let is_list_of_tables = value
            .get_ref()
            .as_array()
            .and_then(|list| list.first())
            .is_some_and(|item| item.get_ref().is_table());
        let is_table = value.get_ref().is_table() || is_list_of_tables;
        Some(explain(rows, table, name, is_table, key.span()))
    })
}

fn explain(rows: Rows, table: Table, name: &str, is_table: bool, span: std::ops::Range<usize>) -> Fault {
    let what = if is_table { "table" } else { "key" };
    let place = table.place();
    let fault = Fault::at(span, format!("unknown {what} `{name}`"));
    if let Some(help) = meant(rows, table, name, is_table) {
        return fault.label(format!("no such {what} {place}")).help(help);
    }
    let keys: Vec<String> = rows.of(table).map(|key| format!("`{}`", key.name)).collect();
    let tables: Vec<String> = table.children().map(|child| format!("`{}`", child.header())).collect();
    let mut fault = fault.label(format!("no such {what} {place}"));
    let names_tables = table == Table::Top && is_table;
    if !(keys.is_empty() || names_tables) {
        fault = fault.help(format!("the keys {place} are {}", keys.join(", ")));
    }
    if !tables.is_empty() && (table != Table::Top || is_table) {
        fault = fault.help(format!("the tables {place} are {}", tables.join(", ")));
    }
    fault
}

/// What was probably meant, from the likeliest to the least likely.
fn meant(rows: Rows, table: Table, name: &str, is_table: bool) -> Option<String> {
    if is_table {
        return meant_table(rows, table, name);
    }
    if let Some(key) = rows.of(table).find(|key| key.also_called.contains(&name)) {
        return Some(format!("did you mean `{}`, as in {} = {}?", key.name, key.name, key.example));
    }
    if let Some(near) = nearest(name, rows.of(table).map(|key| key.name)) {
        return Some(format!("did you mean `{near}`?"));
    }
    let elsewhere: Vec<&Key> = rows.all().filter(|key| key.name == name).collect();
    if let [key] = elsewhere.as_slice() {
        return Some(belongs(key));
    }
    if let [first, ..] = elsewhere.as_slice() {
        let headers: Vec<String> = elsewhere.iter().map(|key| format!("`{}`", key.table.header())).collect();
        return Some(format!("`{}` belongs to one of the tables {}", first.name, headers.join(", ")));
    }
    if let Some(child) = table.children().find(|child| nearest(name, [child.name()]).is_some()) {
        return Some(format!("did you mean the table `{}`?", child.header()));
    }
    if let Some(near) = nearest(name, rows.all().map(|key| key.name)) {
        return rows
            .all()
            .find(|key| key.name == near)
            .map(|key| format!("did you mean `{near}`? {}", belongs(key)));
    }
    let key = rows.all().find(|key| key.also_called.contains(&name))?;
    Some(format!("did you mean `{}`? {}", key.name, belongs(key)))
}

fn belongs(key: &Key) -> String {
    if key.table == Table::Top {
        format!("`{}` belongs at the top of the file, before the first table", key.name)
    } else {
        format!("`{}` belongs to the table `{}`", key.name, key.table.header())
    }
}

fn meant_table(rows: Rows, table: Table, name: &str) -> Option<String> {
    if let Some(child) = table.children().find(|child| child.also_called().contains(&name)) {
        let as_in_service = (table == Table::Service).then(|| format!("[services.{}]", child.name()));
        return Some(format!("did you mean `{}`?", as_in_service.as_deref().unwrap_or(child.header())));
    }
    if let Some(near) = nearest(name, table.children().map(Table::name)) {
        return table
            .children()
            .find(|child| child.name() == near)
            .map(|child| format!("did you mean `{}`?", child.header()));
    }
    if let Some(known) = Table::ALL.into_iter().find(|known| known.name() == name) {
        return Some(match (known.parent(), known.form()) {
            (Some(Table::Top), Form::Once | Form::Named | Form::Many) | (None, _) => {
                format!("write it as a table of its own: `{}`", known.header())
            }
            (Some(_), _) => format!("write it as `{}`, after the table that it belongs to", known.header()),
        });
    }
    let key = rows.of(table).chain(rows.all()).find(|key| key.name == name)?;
    Some(format!("`{name}` is a key, not a table: write {name} = {} {}", key.example, key.table.place()))
}
