//! What commands print: tables for people, JSON for programs, nothing that could harm a terminal.

use crate::{
    failure::Failure,
    times::{rfc3339, rfc3339_millis},
};
use control::KeyView;
use serde_json::{Value, json};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};
use store::{IncidentGroup, IncidentRecord, MaintenanceWindow};
use tabled::{
    builder::Builder,
    settings::{Alignment, Padding, Style, object::Columns},
};

/// A table without lines: columns apart by two spaces, so that it can be cut and searched.
pub(crate) fn table(out: &mut impl Write, head: &[&str], rows: Vec<Vec<String>>) -> Result<(), Failure> {
    let mut builder = Builder::with_capacity(rows.len() + 1, head.len());
    builder.push_record(head.iter().copied());
    for row in rows {
        builder.push_record(row.iter().map(|cell| plain(cell)));
    }
    let mut table = builder.build();
    table.with(Style::empty()).modify(Columns::new(..), Padding::new(0, 2, 0, 0));
    for line in table.to_string().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A table whose columns after the first are figures: they are right-aligned.
pub(crate) fn figures(out: &mut impl Write, head: &[&str], rows: Vec<Vec<String>>) -> Result<(), Failure> {
    let mut builder = Builder::with_capacity(rows.len() + 1, head.len());
    builder.push_record(head.iter().copied());
    for row in rows {
        builder.push_record(row.iter().map(|cell| plain(cell)));
    }
    let mut table = builder.build();
    table.with(Style::empty()).modify(Columns::new(..), Padding::new(0, 2, 0, 0));
    table.modify(Columns::new(1..), Alignment::right());
    for line in table.to_string().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Lines of a name and a value.
pub(crate) fn pairs(out: &mut impl Write, pairs: &[(&str, String)]) -> Result<(), Failure> {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in pairs {
        writeln!(out, "{name:width$}  {}", plain(value))?;
    }
    Ok(())
}

/// Writes a new file. An existing one is removed, never written through: it may be a
/// link that somebody else has laid there.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}

/// One JSON value on lines of its own.
pub(crate) fn json_value(out: &mut impl Write, value: &Value) -> Result<(), Failure> {
    writeln!(out, "{value:#}")?;
    Ok(())
}

/// Text without control characters: paths and messages come from strangers, and a terminal obeys.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_invisible(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// Characters that take no place, or turn the direction of writing, make a line look like another. They are those that
/// Unicode calls default ignorable, and its separators of lines.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// What a key can be used for at this time.
pub(crate) fn state(key: &KeyView, now: u64) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if key.expires_at.is_some_and(|expires| expires <= now) {
        "expired"
    } else {
        "active"
    }
}

/// A key for programs.
pub(crate) fn key_json(key: &KeyView, now: u64) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "plan": key.plan,
        "permissions": key.permissions,
        "limits": key.limits,
        "preview": key.preview,
        "created_at": rfc3339(key.created_at),
        "expires_at": key.expires_at.map(rfc3339),
        "revoked_at": key.revoked_at.map(rfc3339),
        "imported": key.imported,
        "state": state(key, now),
    })
}

/// Whether a window of maintenance holds now, later, or no more.
pub(crate) fn window_state(window: &MaintenanceWindow, now: u64) -> &'static str {
    if window.holds_at(now) {
        "on"
    } else if now < window.from {
        "planned"
    } else {
        "over"
    }
}

/// A window of maintenance for programs.
pub(crate) fn window_json(window: &MaintenanceWindow, now: u64) -> Value {
    json!({
        "id": window.id,
        "message": window.message,
        "from": rfc3339(window.from),
        "until": window.until.map(rfc3339),
        "pass": window.pass,
        "endpoints": window.endpoints,
        "created_at": rfc3339(window.created_at),
        "state": window_state(window, now),
    })
}

/// An incident for programs.
pub(crate) fn incident_json(incident: &IncidentRecord) -> Value {
    json!({
        "request_id": incident.request_id,
        "at": rfc3339_millis(incident.at_millis),
        "method": incident.method,
        "path": incident.path,
        "endpoint": incident.endpoint,
        "key_id": incident.key_id,
        "address": incident.address,
        "cause": incident.cause,
        "detail": incident.detail,
    })
}

/// A cause of incidents for programs.
pub(crate) fn incident_group_json(group: &IncidentGroup) -> Value {
    json!({
        "cause": group.cause,
        "count": group.count,
        "first": rfc3339_millis(group.first_millis),
        "last": rfc3339_millis(group.last_millis),
        "kept": group.kept,
        "latest": group.latest.as_ref().map(incident_json),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_printed() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n\u{9b}c\u{202e}d ✓"), "a\\u{1b}[2Jb\\r\\n\\u{9b}c\\u{202e}d ✓");
    }

    #[test]
    fn two_names_that_differ_look_different() {
        for hidden in
            ['\u{200b}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}', '\u{2028}', '\u{e0041}', '\u{3164}']
        {
            assert_eq!(plain(&format!("ad{hidden}min")), format!("ad\\u{{{:x}}}min", u32::from(hidden)));
        }
        assert_eq!(plain("Zoë, 東京, नमस्ते"), "Zoë, 東京, नमस्ते");
    }
}
