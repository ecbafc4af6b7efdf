//! The body of an operation's requests in OpenAPI 3.

use super::{Reader, known::Kind, media, objects::Object, styles};
use crate::{
    api::{Body, Encoding, In, Media},
    documents::{Place, Version},
    text::quoted,
};

impl<'d> Reader<'d> {
    /// The body that an operation's `requestBody` describes.
    pub(super) fn request_body(&mut self, operation: &Object<'d>) -> Option<Body> {
        operation.get("requestBody")?;
        let place = operation.place.child("requestBody");
        if let Some(own) = self.object_at(&place).filter(|own| own.get("$ref").is_some()) {
            self.beside(&own, "request body");
        }
        let object = self.followed(&place)?;
        self.known(&object, Kind::RequestBody);
        let required = self.flag(&object, "required");
        let mut content: Vec<Media> = Vec::new();
        if let Some(entries) = self.object(&object, "content") {
            for name in entries.members.keys().filter(|name| !name.starts_with("x-")) {
                let place = entries.place.child(name);
                let media_type = self.media_type(name, &place);
                if content.iter().any(|known| known.media_type == media_type) {
                    let message = "The media type is listed twice, in different case; the first one is used.";
                    self.notes.warn(&place, message);
                    continue;
                }
                if let Some(entry) = self.followed(&place) {
                    content.push(self.media(&entry, media_type));
                }
            }
        }
        if content.is_empty() {
            self.notes.warn(&object.place, "The request body has no media type; any body is accepted.");
            content.push(anything());
        }
        Some(Body { required, content, at: object.place })
    }

    /// A media type as it is compared.
    pub(super) fn media_type(&mut self, name: &str, place: &Place) -> String {
        let media_type = media::canonical(name);
        if !media::is_media_type(&media::essence(name)) {
            self.notes
                .warn(place, format!("{} is not a media type, so no request can match it.", quoted(name)));
        }
        media_type
    }

    fn media(&mut self, entry: &Object<'d>, media_type: String) -> Media {
        self.known(entry, Kind::MediaType);
        let schema = self.schema(entry, "schema");
        let mut encodings = Vec::new();
        if let Some(entries) = self.object(entry, "encoding") {
            for name in entries.members.keys() {
                if let Some(encoding) = self.followed(&entries.place.child(name)) {
                    encodings.push(self.encoding(&encoding, name, &media_type));
                }
            }
        }
        Media { media_type, schema, encodings }
    }

    fn encoding(&mut self, object: &Object<'d>, name: &str, media_type: &str) -> Encoding {
        self.known(object, Kind::Encoding);
        let style = self.style(object, In::Query);
        let explode = self.choice(object, "explode").or_else(|| {
            let style = object.get("style").is_some().then(|| styles::default(In::Query));
            style.map(styles::spreads)
        });
        // Until 3.1 both are about one media type only.
        let counts = self.version >= Version::V31 || media_type == "application/x-www-form-urlencoded";
        if !counts && (style.is_some() || explode.is_some()) {
            let message = "In OpenAPI 3.0, `style` and `explode` of an encoding apply only to \
                           application/x-www-form-urlencoded; they are ignored.";
            self.notes.warn(&object.place, message);
        }
        Encoding {
            name: name.to_owned(),
            content_types: self.text(object, "contentType").map(media::list).unwrap_or_default(),
            style: style.filter(|_| counts),
            explode: explode.filter(|_| counts),
            allow_reserved: self.flag(object, "allowReserved"),
        }
    }
}

/// A body without a declaration.
pub(super) fn anything() -> Media {
    Media { media_type: "*/*".to_owned(), schema: None, encodings: Vec::new() }
}
