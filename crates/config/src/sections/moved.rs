//! The tables `[[moved]]`: each alone. Their relations are checked in `paths`.

use super::syntax::template;
use crate::{
    fault::Fault,
    nearest,
    raw::{At, Section},
    registry::{Absent::Required, Shape, Table},
    template::Template,
};
use gateway::settings::Moved;

rows! {
    MOVED_FROM = Moved "from", Shape::Text, Required, "\"/old-items/{id}\"";
    "The old path. It takes precedence over endpoints, so it must not hide one."

    MOVED_TO = Moved "to", Shape::Text, Required, "\"/items/{id}\"";
    "The new path. It may use the names in `from`."
}

/// A moved path, and the places of its two ends.
#[derive(Debug)]
pub(super) struct MovedRead {
    pub(super) moved: Moved,
    pub(super) from: At<Template>,
    pub(super) to: At<Template>,
}

pub(super) fn moved(top: &Section<'_>) -> Vec<MovedRead> {
    top.many(Table::Moved).iter().filter_map(one).collect()
}

fn one(section: &Section<'_>) -> Option<MovedRead> {
    let from = section.text(&MOVED_FROM).and_then(|path| template(section, &path));
    let to_text = section.text(&MOVED_TO);
    let to = to_text.as_ref().and_then(|path| template(section, path));
    let (from, to) = (from?, to?);
    if let Some(text) = &to_text {
        check_names(section, &from, &to, text);
    }
    let moved = Moved { from: from.value.text.clone(), to: to.value.text.clone() };
    Some(MovedRead { moved, from, to })
}

/// The new path may use only names of the old one. `text` is the new one as in the file.
pub(super) fn check_names(section: &Section<'_>, from: &At<Template>, to: &At<Template>, text: &At<String>) {
    let known: Vec<&str> = from.value.names.iter().map(String::as_str).collect();
    for name in to.value.names.iter().filter(|name| !from.value.names.contains(name)) {
        let braces = format!("{{{name}}}");
        let place = match text.value.find(&braces) {
            Some(at) => section.reader.part(text, at..at + braces.len()),
            None => to.span.clone(),
        };
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean {{{near}}}?"),
            None if known.is_empty() => {
                "the old path has no names, so the new one cannot have any".to_owned()
            }
            None => format!("the names of the old path are {}", known.join(", ")),
        };
        section.reader.fault(
            Fault::at(place, format!("the old path has no `{braces}`"))
                .label("would have no value")
                .also(from.span.clone(), "the old path")
                .help(help),
        );
    }
}
