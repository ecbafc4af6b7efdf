//! Parameters: of a path and of its operations, read and merged.

use super::{Reader, known::Kind, media, objects::Object, styles, swagger::Part};
use crate::{
    api::{In, Parameter, ParameterForm},
    documents::{Place, Version},
    text::quoted,
};

/// What an entry of a list of parameters is.
#[derive(Clone)]
pub(super) enum Read {
    /// A parameter.
    Parameter(Parameter),
    /// Swagger 2.0: the body, or a member of a form.
    Part(Part),
    /// A header that the specification itself takes out.
    Ignored,
}

impl Read {
    /// What makes two entries the same, so that one of them overrides the other or is one too many.
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Parameter(one), Self::Parameter(other)) => {
                one.place == other.place
                    && (one.name == other.name
                        || (one.place == In::Header && one.name.eq_ignore_ascii_case(&other.name)))
            }
            (Self::Part(one), Self::Part(other)) => one.same(other),
            (Self::Parameter(_) | Self::Part(_) | Self::Ignored, _) => false,
        }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Parameter(parameter) => Some(&parameter.at),
            Self::Part(part) => Some(part.at()),
            Self::Ignored => None,
        }
    }
}

impl<'d> Reader<'d> {
    /// The entries of an object's `parameters`.
    pub(super) fn parameters(&mut self, object: &Object<'d>) -> Vec<Read> {
        let Some(list) = self.list(object, "parameters") else { return Vec::new() };
        let place = object.place.child("parameters");
        if list.len() > MOST {
            self.notes.fault(&place, format!("There are more than {MOST} parameters."), "");
            return Vec::new();
        }
        let mut all: Vec<Read> = Vec::new();
        for (at, entry) in list.iter().enumerate() {
            let place = place.child(&at.to_string());
            let read = if entry.get("$ref").is_some() {
                if let Some(own) = self.object_at(&place) {
                    self.beside(&own, "parameter");
                }
                self.shared(&place)
            } else {
                self.entry(&place)
            };
            let Some(read) = read else { continue };
            if all.iter().any(|other| other.same(&read)) {
                self.twice(&place, &read, &all);
                continue;
            }
            all.push(read);
        }
        all
    }

    fn twice(&mut self, place: &Place, read: &Read, all: &[Read]) {
        let first = all.iter().find(|other| other.same(read)).and_then(Read::place);
        if first == read.place() {
            // The very same parameter, referred to twice: nothing is unclear.
            self.notes.warn(place, "The parameter is referenced twice.");
            return;
        }
        match read {
            Read::Parameter(parameter) => {
                let message = format!(
                    "Duplicate {} parameter {} in this list.",
                    styles::place_name(parameter.place),
                    quoted(&parameter.name)
                );
                self.notes.fault(place, message, "Keep only one of them.");
            }
            Read::Part(part) => self.notes.fault(place, part.twice(), ""),
            Read::Ignored => {}
        }
    }

    /// What a reference leads to, read once however many lead there.
    fn shared(&mut self, place: &Place) -> Option<Read> {
        let target = match self.documents.follow(place) {
            Ok(target) => target,
            Err(bad) => {
                self.notes.fault(place, bad.0, "");
                return None;
            }
        };
        if let Some(read) = self.shared.get(&target) {
            return read.clone();
        }
        let read = self.entry(&target);
        self.shared.insert(target, read.clone());
        read
    }

    fn entry(&mut self, place: &Place) -> Option<Read> {
        let object = self.object_at(place)?;
        self.known(&object, Kind::Parameter);
        let mut need = |name: &str| {
            if object.get(name).is_none() {
                self.notes.fault(place, format!("The parameter needs a `{name}`."), "");
                return None;
            }
            self.text(&object, name)
        };
        let (name, within) = (need("name"), need("in"));
        let (name, within) = (name?, within?);
        let place_of_value = match (within, self.version) {
            ("path", _) => In::Path,
            ("query", _) => In::Query,
            ("header", _) => In::Header,
            ("cookie", Version::V30 | Version::V31 | Version::V32) => In::Cookie,
            ("querystring", Version::V32) => In::QueryString,
            ("body" | "formData", Version::V2) => return self.part(&object, name, within).map(Read::Part),
            _ => {
                self.notes.fault(&place.child("in"), self.places(within), "");
                return None;
            }
        };
        let ignored = ["accept", "content-type", "authorization"];
        if place_of_value == In::Header && ignored.iter().any(|ignored| name.eq_ignore_ascii_case(ignored)) {
            return Some(Read::Ignored);
        }
        let form = match self.version {
            Version::V2 => self.swagger_form(&object, place_of_value),
            Version::V30 | Version::V31 | Version::V32 => self.form(&object, place_of_value)?,
        };
        let required = self.flag(&object, "required");
        if place_of_value == In::Path && !required {
            self.notes.warn(place, "A path parameter is always required, so `required` must be true.");
        }
        let allow_empty = self.flag(&object, "allowEmptyValue");
        Some(Read::Parameter(Parameter {
            place: place_of_value,
            name: name.to_owned(),
            required: required || place_of_value == In::Path,
            allow_empty: allow_empty && place_of_value == In::Query,
            form,
            at: place.clone(),
        }))
    }

    fn places(&self, found: &str) -> String {
        let known = match self.version {
            Version::V2 => "path, query, header, body, formData",
            Version::V30 | Version::V31 => "path, query, header, cookie",
            Version::V32 => "path, query, querystring, header, cookie",
        };
        format!("Must be one of {known}, but is {}.", quoted(found))
    }

    /// How the value of a parameter of OpenAPI 3 is written.
    fn form(&mut self, object: &Object<'d>, place: In) -> Option<ParameterForm> {
        if let Some(content) = self.object(object, "content") {
            if object.get("schema").is_some() {
                self.notes
                    .warn(&object.place, "The parameter has both `schema` and `content`; `content` is used.");
            }
            return self.content_form(&content);
        }
        if place == In::QueryString {
            self.notes.fault(&object.place, "A parameter in `querystring` needs `content`.", "");
            return None;
        }
        let style = self.style(object, place).unwrap_or_else(|| styles::default(place));
        let explode = self.choice(object, "explode").unwrap_or_else(|| styles::spreads(style));
        let allow_reserved = self.flag(object, "allowReserved");
        let schema = self.schema(object, "schema");
        if schema.is_none() && object.get("schema").is_none() {
            self.notes.warn(&object.place, "The parameter has no schema; any value is accepted.");
        }
        Some(ParameterForm::Styled { style, explode, allow_reserved, schema })
    }

    fn content_form(&mut self, content: &Object<'d>) -> Option<ParameterForm> {
        let mut entries = content.members.keys();
        let (Some(name), None) = (entries.next(), entries.next()) else {
            self.notes.fault(&content.place, "The content of a parameter needs exactly one media type.", "");
            return None;
        };
        let entry = self.followed(&content.place.child(name))?;
        self.known(&entry, Kind::MediaType);
        Some(ParameterForm::Content {
            media_type: media::essence(name),
            schema: self.schema(&entry, "schema"),
        })
    }

    /// The place of a schema. It may be a reference.
    pub(super) fn schema(&mut self, object: &Object<'d>, name: &str) -> Option<Place> {
        let value = object.get(name)?;
        let place = object.place.child(name);
        // Whether true and false are schemas is asked of the rules, which know the version's keywords.
        if !value.is_object() && !value.is_boolean() {
            self.wrong(&place, "an object", value);
            return None;
        }
        Some(place)
    }
}

/// How many parameters one list may have: each is compared with those before it.
const MOST: usize = 1000;

/// An operation's entries over those of its path.
pub(super) fn merged(path: &[Read], own: Vec<Read>) -> Vec<Read> {
    let mut all: Vec<Read> =
        path.iter().filter(|inherited| !own.iter().any(|own| own.same(inherited))).cloned().collect();
    all.extend(own);
    all
}

/// What an operation's entries are: parameters, and the parts of its body.
pub(super) fn apart(all: Vec<Read>) -> (Vec<crate::api::Parameter>, Vec<Part>) {
    let (mut parameters, mut parts) = (Vec::new(), Vec::new());
    for read in all {
        match read {
            Read::Parameter(parameter) => parameters.push(parameter),
            Read::Part(part) => parts.push(part),
            Read::Ignored => {}
        }
    }
    (parameters, parts)
}
