//! The body: which media types it may have, and the rules for each of them.

use crate::{
    api::{Body, Encoding, Media},
    documents::Place,
    media::{self, Kind},
    rules::{
        BodyFault, form, json, marked,
        multipart::{self, Noted, Unusable},
        parameter::judge,
        raw::Raw,
        shape::{Shape, Shapes, Types},
        unenforced,
    },
    schema::{Found, SchemaCompiler, UnitId, Units, sentences::quoted},
};
use contract::{Detail, pointer::last_name};
use instance::Part;
use std::sync::Arc;

/// A body of no more bytes is checked where it was read, without a further look.
const SMALL: usize = 16 << 10;
/// A body of more bytes is checked elsewhere.
const LARGE: usize = 256 << 10;
/// A body of more values is checked elsewhere.
const MANY_VALUES: usize = 10_000;

/// Types whose bodies are validated, where a document names only a family of types: `text/json` stands for JSON in `text/*`.
const READABLE: [&str; 5] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/json",
    "text/plain",
];

/// The rules of a body.
#[derive(Debug)]
pub(super) struct BodyRules {
    required: bool,
    content: Vec<MediaRule>,
}

#[derive(Debug)]
struct MediaRule {
    /// As the document writes it.
    name: String,
    /// The type, without parameters.
    range: String,
    /// Parameters that distinguish it from others of the same type.
    parameters: Vec<(String, Vec<u8>)>,
    /// None: nothing can be checked.
    unit: Option<UnitId>,
    shape: Arc<Shape>,
    encodings: Vec<Encoding>,
}

impl BodyRules {
    /// Compiles the rules of a body.
    pub(super) fn compile(schemas: &mut SchemaCompiler<'_>, shapes: &mut Shapes, body: &Body) -> Self {
        let rule = |media| MediaRule::compile(schemas, shapes, media, &body.at);
        let content = body.content.iter().map(rule).collect();
        Self { required: body.required, content }
    }

    fn rule(&self, content_type: Option<&[u8]>) -> Option<(&MediaRule, Kind)> {
        let sent = content_type.unwrap_or_default();
        let essence = media::essence(sent);
        if essence.is_empty() {
            // Without a name, only a rule for all types accepts it, and nothing declares how to parse it.
            let any = self.content.iter().find(|rule| rule.range == "*/*")?;
            return Some((any, Kind::Other));
        }
        let taken =
            self.content.iter().rev().filter_map(|rule| Some((rule.exactness(&essence, sent)?, rule)));
        let (_, rule) = taken.max_by_key(|(exactness, _)| *exactness)?;
        Some((rule, media::kind(&essence)))
    }

    /// Whether the body must be read to be checked.
    pub(super) fn reads(&self, content_type: Option<&[u8]>) -> bool {
        self.rule(content_type).is_some_and(|(rule, kind)| rule.is_checked(kind))
    }

    /// What is known from the head.
    pub(super) fn check_media_type(
        &self,
        content_type: Option<&[u8]>,
        has_body: bool,
    ) -> Result<(), BodyFault> {
        if !has_body {
            return if self.required { Err(missing()) } else { Ok(()) };
        }
        if let Some(why) = content_type.and_then(media::ambiguity) {
            return Err(BodyFault::Malformed(format!("The Content-Type {why}.")));
        }
        let Some((rule, kind)) = self.rule(content_type) else {
            return Err(BodyFault::MediaType(self.not_taken(content_type)));
        };
        if !rule.may_be_sent_as(kind) {
            return Err(BodyFault::MediaType(rule.not_readable(content_type)));
        }
        let charset = content_type.and_then(|content_type| media::parameter(content_type, "charset"));
        let is_text = matches!(kind, Kind::Json | Kind::Urlencoded | Kind::Text);
        match charset {
            Some(charset) if is_text && rule.is_checked(kind) && !is_utf8(&charset) => {
                let charset = quoted(&String::from_utf8_lossy(&charset));
                let message = format!("The body must be UTF-8, but its Content-Type says {charset}.");
                Err(BodyFault::MediaType(message))
            }
            _ => Ok(()),
        }
    }

    fn not_taken(&self, content_type: Option<&[u8]>) -> String {
        let names = crate::schema::sentences::list(self.content.iter().map(|rule| rule.name.as_str()));
        let content_type = content_type.unwrap_or_default();
        let mut sent = media::essence(content_type);
        // Where parameters distinguish types, they are a part of what was sent.
        if self.content.iter().any(|rule| !rule.parameters.is_empty()) && !sent.is_empty() {
            sent = String::from_utf8_lossy(content_type).trim().to_owned().into();
        }
        let sent = shown(&sent);
        format!("This endpoint accepts a body of type {names}, but {sent}.")
    }

    /// Whether checking a body may take longer than the request that comes next on this thread can wait: then it is
    /// done elsewhere. Nearly no body is.
    pub(super) fn is_large(&self, content_type: Option<&[u8]>, body: &[u8], units: &Units) -> bool {
        if body.len() <= SMALL {
            return false;
        }
        if body.len() > LARGE || units.matches_names {
            return true;
        }
        match self.rule(content_type) {
            Some((_, Kind::Json | Kind::Multipart)) => json::separators(body) > MANY_VALUES,
            Some((_, Kind::Urlencoded)) => form::separators(body) > MANY_VALUES,
            Some((_, Kind::Text | Kind::Other)) | None => false,
        }
    }

    /// Checks a body of at most so many values.
    pub(super) fn check(
        &self,
        content_type: Option<&[u8]>,
        body: &[u8],
        most: usize,
        units: &Arc<Units>,
    ) -> Result<(), BodyFault> {
        if body.is_empty() && (content_type.is_none() || !self.required) {
            return if self.required { Err(missing()) } else { Ok(()) };
        }
        self.check_media_type(content_type, true)?;
        let Some((rule, kind)) = self.rule(content_type) else {
            return Err(BodyFault::MediaType(self.not_taken(content_type)));
        };
        let Some(unit) = rule.unit.filter(|_| rule.is_checked(kind)) else { return Ok(()) };
        if body.is_empty() {
            return Err(missing());
        }
        let mut found: Vec<Found> = Vec::new();
        let malformed = BodyFault::Malformed;
        let too_many = || BodyFault::TooManyValues { most };
        match kind {
            Kind::Json => {
                if json::has_more_values(body, most) {
                    return Err(too_many());
                }
                let tree = json::read_tree(body)
                    .map_err(|why| malformed(format!("The body is not valid JSON: {why}.")))?;
                // Most bodies are right.
                if units.is_valid(unit, Part::Read(&tree)) {
                    return Ok(());
                }
                found = units.violations_of_wrong(unit, Part::Read(&tree));
            }
            Kind::Urlencoded => {
                if let Some(mark) = marked(body) {
                    // It would be a part of the first name, and the value of that name would not be checked.
                    return Err(malformed(format!("The body is not a valid form: it begins with {mark}.")));
                }
                let text = utf8(body)?;
                if form::separators(body) >= most {
                    return Err(too_many());
                }
                let raw = form::read(text, &rule.shape, &rule.encodings)
                    .map_err(|why| malformed(format!("The body is not a valid form: {why}")))?;
                found = judge(&raw, &rule.shape, unit, units);
            }
            Kind::Multipart => {
                let content_type = content_type.unwrap_or_default();
                let mut noted = Noted::default();
                let raw = multipart::read(content_type, body, &rule.shape, &rule.encodings, most, &mut noted)
                    .map_err(|why| match why {
                        Unusable::TooMany => too_many(),
                        Unusable::Malformed(why) => {
                            malformed(format!("The body is not valid multipart/form-data: {why}"))
                        }
                    })?;
                found = noted.wrong;
                let about_texts = judge(&raw, &rule.shape, unit, units).into_iter();
                found.extend(about_texts.filter(|found| !noted.files.contains(&found.pointer)));
            }
            Kind::Text => {
                let raw = Raw::Text(utf8(body)?.to_owned());
                found = judge(&raw, &rule.shape, unit, units);
                // Text may have one (RFC 3629, section 6), but servers differ in whether they take it off.
                if let Some(mark) = marked(body) {
                    for found in &mut found {
                        found
                            .message
                            .push_str(&format!(" The body begins with {mark}, which counts as a character."));
                    }
                }
            }
            Kind::Other => {}
        }
        if found.is_empty() {
            Ok(())
        } else {
            Err(BodyFault::NotValid(found.into_iter().map(detail).collect()))
        }
    }
}

impl MediaRule {
    fn compile(schemas: &mut SchemaCompiler<'_>, shapes: &mut Shapes, media: &Media, at: &Place) -> Self {
        let unit = media.schema.as_ref().map(|place| schemas.unit(place));
        let unit = unit.filter(|unit| !schemas.takes_anything(*unit));
        // JSON has its types already; only text must be converted.
        let range = media::essence(media.media_type.as_bytes()).into_owned();
        let text = media.schema.as_ref().filter(|_| media::kind(&range) != Kind::Json);
        let shape = text.map(|place| shapes.of(schemas, place)).unwrap_or_default();
        let rule = Self {
            name: media.media_type.clone(),
            range,
            parameters: media::parameters(&media.media_type),
            unit,
            shape,
            encodings: media.encodings.clone(),
        };
        if let Some(place) = media.schema.as_ref().filter(|_| media::kind(&rule.range) == Kind::Multipart) {
            unenforced::warn_of_parts(schemas, place, &rule.shape);
        }
        if rule.unit.is_some()
            && !rule.is_range()
            && !rule.shape.binary
            && !rule.is_checked(media::kind(&rule.range))
        {
            let at = media.schema.as_ref().unwrap_or(at);
            let message = format!("Bodies of type {} are not validated against their schema.", rule.range);
            if rule.shape.types != Types::STRING {
                schemas.warn(at, message);
            }
        }
        let is_bytes = rule.shape.binary || rule.shape.types == Types::STRING;
        if let Some(place) = media.schema.as_ref()
            && is_bytes
            && !rule.is_checked(media::kind(&rule.range))
        {
            unenforced::warn_of_bytes(schemas, place, &format!("a body of type {}", rule.range));
        }
        rule
    }

    /// How exactly it names a media type. None: it does not.
    fn exactness(&self, essence: &str, sent: &[u8]) -> Option<(u8, usize)> {
        let exactness = media::taken(&self.range, essence)?;
        media::has_all(&self.parameters, sent).then_some((exactness, self.parameters.len()))
    }

    /// Whether it names a family of types of which some are validated.
    fn is_range(&self) -> bool {
        READABLE.iter().any(|name| self.range != *name && media::taken(&self.range, name).is_some())
    }

    /// Whether a body that is read in this way may be sent. The client chooses its type where the document leaves it open, and
    /// may not switch off validation by one that is not read. Bytes and text may have any type.
    fn may_be_sent_as(&self, kind: Kind) -> bool {
        let is_bytes = self.shape.binary || self.shape.types.are_text();
        self.unit.is_none() || is_bytes || self.is_checked(kind) || !self.is_range()
    }

    fn not_readable(&self, content_type: Option<&[u8]>) -> String {
        let sent = media::essence(content_type.unwrap_or_default());
        let readable = READABLE
            .iter()
            .filter(|name| media::taken(&self.range, name).is_some() && self.is_checked(media::kind(name)));
        let names = crate::schema::sentences::list(readable.copied());
        format!("This endpoint validates its body and can read one of type {names}, but {}.", shown(&sent))
    }

    fn is_checked(&self, kind: Kind) -> bool {
        self.unit.is_some()
            && match kind {
                Kind::Json | Kind::Urlencoded | Kind::Multipart => true,
                // A text as a whole is neither an array nor an object.
                Kind::Text => !self.shape.binary && self.shape.types.has_scalar(),
                Kind::Other => false,
            }
    }
}

/// The type that was sent, in a sentence.
fn shown(essence: &str) -> String {
    if essence.is_empty() {
        "no Content-Type was sent".to_owned()
    } else {
        format!("{} was sent", quoted(essence))
    }
}

fn missing() -> BodyFault {
    BodyFault::Malformed("This endpoint requires a body, but none was sent.".to_owned())
}

fn is_utf8(charset: &[u8]) -> bool {
    [&b"utf-8"[..], b"utf8", b"us-ascii"].iter().any(|name| charset.eq_ignore_ascii_case(name))
}

fn utf8(body: &[u8]) -> Result<&str, BodyFault> {
    std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        BodyFault::Malformed(match marked(body) {
            Some(mark) if at == 0 => format!("The body is not valid UTF-8: it begins with {mark}."),
            Some(_) | None => format!("The body is not valid UTF-8 at byte {at}."),
        })
    })
}

fn detail(found: Found) -> Detail {
    let name = last_name(&found.pointer).into_owned();
    Detail { place: "body", name, pointer: Some(found.pointer), message: found.message }
}
