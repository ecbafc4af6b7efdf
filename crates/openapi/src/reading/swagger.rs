//! What Swagger 2.0 writes in its own way: schemas spread over parameters, bodies and forms among them.

use super::{Reader, objects::Object};
use crate::{
    api::{Body, Encoding, In, Media, ParameterForm, Style},
    documents::Place,
    text::quoted,
};
use serde_json::{Map, Value, json};

/// The keywords of a schema that a parameter of Swagger 2.0 may have itself.
const KEYWORDS: [&str; 19] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "description",
    "x-nullable",
    "title",
];

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// A parameter that is the body, or a member of a form.
#[derive(Clone)]
pub(super) enum Part {
    /// `in: body`
    Body {
        /// Its absence is an error.
        required: bool,
        /// What it may be.
        schema: Option<Place>,
        /// The parameter.
        at: Place,
    },
    /// `in: formData`
    Field(Box<Field>),
}

/// A member of a form.
#[derive(Clone)]
pub(super) struct Field {
    name: String,
    required: bool,
    file: bool,
    schema: Value,
    encoding: Option<Encoding>,
    at: Place,
}

impl Part {
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Body { .. }, Self::Body { .. }) => true,
            (Self::Field(one), Self::Field(other)) => one.name == other.name,
            (Self::Body { .. }, Self::Field(_)) | (Self::Field(_), Self::Body { .. }) => false,
        }
    }

    pub(super) fn at(&self) -> &Place {
        match self {
            Self::Body { at, .. } => at,
            Self::Field(field) => &field.at,
        }
    }

    pub(super) fn twice(&self) -> String {
        match self {
            Self::Body { .. } => {
                "An operation can have only one body, but this list has a second.".to_owned()
            }
            Self::Field(field) => {
                format!("Duplicate form parameter {} in this list.", quoted(&field.name))
            }
        }
    }
}

impl<'d> Reader<'d> {
    /// Reads a parameter `in: body` or `in: formData`.
    pub(super) fn part(&mut self, object: &Object<'d>, name: &str, within: &str) -> Option<Part> {
        let required = self.flag(object, "required");
        let at = object.place.clone();
        if within == "body" {
            let schema = self.schema(object, "schema");
            return Some(Part::Body { required, schema, at });
        }
        let file = self.text(object, "type") == Some("file");
        let mut schema = keywords(object);
        if file {
            schema.insert("type".to_owned(), "string".into());
            schema.insert("format".to_owned(), "binary".into());
        }
        let encoding = (self.text(object, "type") == Some("array")).then(|| {
            let (style, explode) = self.collection(object, In::Query);
            Encoding {
                name: name.to_owned(),
                content_types: Vec::new(),
                style: Some(style),
                explode: Some(explode),
                allow_reserved: false,
            }
        });
        let (name, schema) = (name.to_owned(), Value::Object(schema));
        Some(Part::Field(Box::new(Field { name, required, file, schema, encoding, at })))
    }

    /// How a parameter in path, query or header is written.
    pub(super) fn swagger_form(&mut self, object: &Object<'d>, place: In) -> ParameterForm {
        let (style, explode) = self.collection(object, place);
        if object.get("type").is_none() {
            self.notes.warn(&object.place, "The parameter has no type; any value is accepted.");
        }
        let schema = self.add(Value::Object(keywords(object)), vec![(String::new(), object.place.clone())]);
        ParameterForm::Styled { style, explode, allow_reserved: false, schema: Some(schema) }
    }

    /// The style that `collectionFormat` means.
    fn collection(&mut self, object: &Object<'d>, place: In) -> (Style, bool) {
        self.nested_collections(object);
        let plain = match place {
            In::Path | In::Header => Style::Simple,
            In::Query | In::QueryString | In::Cookie => Style::Form,
        };
        match self.text(object, "collectionFormat") {
            None | Some("csv") => (plain, false),
            Some("ssv") => (Style::SpaceDelimited, false),
            Some("tsv") => (Style::TabDelimited, false),
            Some("pipes") => (Style::PipeDelimited, false),
            Some("multi") if place == In::Query => (Style::Form, true),
            Some(other) => {
                let message =
                    format!("The collectionFormat {} is not defined here; csv is used.", quoted(other));
                self.notes.warn(&object.place.child("collectionFormat"), message);
                (plain, false)
            }
        }
    }

    /// Lists in lists are not taken apart.
    fn nested_collections(&mut self, object: &Object<'d>) {
        let nested = object.get("items").and_then(|items| items.get("type")).and_then(Value::as_str);
        if nested == Some("array") {
            let message =
                "Nested lists are not split: each inner list is validated as a list of one item, or as JSON.";
            self.notes.warn(&object.place.child("items"), message);
        }
    }

    /// The body that an operation's parts make together. `consumes` are media types of the operation or the root.
    pub(super) fn swagger_body(
        &mut self,
        operation: &Object<'d>,
        root: &Object<'d>,
        parts: Vec<Part>,
    ) -> Option<Body> {
        let consumes = match self.consumes(operation) {
            Some(consumes) => consumes,
            None => self.consumes(root).unwrap_or_default(),
        };
        let mut fields = Vec::new();
        let mut body = None;
        for part in parts {
            match part {
                Part::Body { required, schema, at } => body = Some((required, schema, at)),
                Part::Field(field) => fields.push(*field),
            }
        }
        match (body, fields.first()) {
            (None, None) => None,
            (Some((required, schema, at)), None) => {
                let types = if consumes.is_empty() { vec!["application/json".to_owned()] } else { consumes };
                let content = types
                    .into_iter()
                    .map(|media_type| Media { media_type, schema: schema.clone(), encodings: Vec::new() })
                    .collect();
                Some(Body { required, content, at })
            }
            (None, Some(_)) => Some(self.form_body(operation, &consumes, fields)),
            (Some(_), Some(field)) => {
                self.notes.fault(
                    &field.at,
                    "An operation can have a body or a form, but this one has both.",
                    "",
                );
                None
            }
        }
    }

    fn form_body(&mut self, operation: &Object<'d>, consumes: &[String], fields: Vec<Field>) -> Body {
        let file = fields.iter().any(|field| field.file);
        let mut types: Vec<String> =
            consumes.iter().filter(|each| [FORM, MULTIPART].contains(&each.as_str())).cloned().collect();
        if types.is_empty() {
            types.push(if file { MULTIPART } else { FORM }.to_owned());
        }
        let required: Vec<&str> =
            fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
        let body_required = !required.is_empty();
        let mut schema = json!({ "type": "object" });
        if let Some(members) = schema.as_object_mut() {
            if body_required {
                members.insert("required".to_owned(), required.into());
            }
            let properties = fields.iter().map(|field| (field.name.clone(), field.schema.clone())).collect();
            members.insert("properties".to_owned(), Value::Object(properties));
        }
        let at = operation.place.child("parameters");
        let properties = Place { file: at.file, pointer: "/properties".to_owned() };
        let mut origins = vec![(String::new(), at.clone())];
        origins.extend(fields.iter().map(|field| (properties.child(&field.name).pointer, field.at.clone())));
        let schema = self.add(schema, origins);
        let encodings: Vec<Encoding> = fields.into_iter().filter_map(|field| field.encoding).collect();
        let content = types
            .into_iter()
            .map(|media_type| Media {
                media_type,
                schema: Some(schema.clone()),
                encodings: encodings.clone(),
            })
            .collect();
        Body { required: body_required, content, at }
    }

    fn consumes(&mut self, object: &Object<'d>) -> Option<Vec<String>> {
        let list = self.list(object, "consumes")?;
        let place = object.place.child("consumes");
        let mut types: Vec<String> = Vec::new();
        for (at, entry) in list.iter().enumerate() {
            let place = place.child(&at.to_string());
            let Value::String(name) = entry else {
                self.wrong(&place, "a string", entry);
                continue;
            };
            let media_type = self.media_type(name, &place);
            if !types.contains(&media_type) {
                types.push(media_type);
            }
        }
        Some(types)
    }
}

/// The keywords of a parameter that make its schema.
fn keywords(object: &Object<'_>) -> Map<String, Value> {
    let mut schema = Map::new();
    for (name, value) in object.members {
        if KEYWORDS.contains(&name.as_str()) {
            schema.insert(name.clone(), value.clone());
        }
    }
    schema
}
