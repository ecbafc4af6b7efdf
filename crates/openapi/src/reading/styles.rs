//! Styles of parameters: their names, their defaults by place, and which go together.

use super::{Reader, objects::Object};
use crate::{
    api::{In, Style},
    documents::Version,
    text::quoted,
};

/// The style of a name in OpenAPI 3.
fn named(name: &str, version: Version) -> Option<Style> {
    Some(match name {
        "simple" => Style::Simple,
        "label" => Style::Label,
        "matrix" => Style::Matrix,
        "form" => Style::Form,
        "spaceDelimited" => Style::SpaceDelimited,
        "pipeDelimited" => Style::PipeDelimited,
        "deepObject" => Style::DeepObject,
        "cookie" if version >= Version::V32 => Style::Cookie,
        _ => return None,
    })
}

/// The default style.
pub(super) fn default(place: In) -> Style {
    match place {
        In::Path | In::Header => Style::Simple,
        In::Query | In::QueryString | In::Cookie => Style::Form,
    }
}

fn fits(style: Style, place: In) -> bool {
    match style {
        Style::Simple => matches!(place, In::Path | In::Header),
        Style::Label | Style::Matrix => place == In::Path,
        Style::Form => matches!(place, In::Query | In::Cookie),
        Style::SpaceDelimited | Style::PipeDelimited | Style::TabDelimited | Style::DeepObject => {
            place == In::Query
        }
        Style::Cookie => place == In::Cookie,
    }
}

/// The default of `explode` for arrays and objects.
pub(super) fn spreads(style: Style) -> bool {
    matches!(style, Style::Form | Style::Cookie)
}

impl<'d> Reader<'d> {
    /// The style that an object declares. A wrong one is a warning.
    pub(super) fn style(&mut self, object: &Object<'d>, place: In) -> Option<Style> {
        let name = self.text(object, "style")?;
        let at = object.place.child("style");
        match named(name, self.version) {
            Some(style) if fits(style, place) => Some(style),
            Some(_) => {
                let message = format!(
                    "The style {} is not defined for the {}; the default is used.",
                    quoted(name),
                    place_name(place)
                );
                self.notes.warn(&at, message);
                None
            }
            None => {
                self.notes.warn(&at, format!("Unknown style {}; the default is used.", quoted(name)));
                None
            }
        }
    }
}

/// A place, in a sentence.
pub(super) fn place_name(place: In) -> &'static str {
    match place {
        In::Path => "path",
        In::Query => "query",
        In::QueryString => "query string",
        In::Header => "header",
        In::Cookie => "cookie",
    }
}
