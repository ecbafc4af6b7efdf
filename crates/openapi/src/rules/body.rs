//! The body: which media types it may have, and what it has to be in each of them.

use crate::{
    api::{Body, Encoding, Media},
    documents::Place,
    rules::{
        BodyFault, form, json,
        media::{self, Kind},
        multipart,
        parameter::judge,
        raw::Raw,
        shape::{Shape, Types, shape},
    },
    schema::{Found, SchemaCompiler, UnitId, Units, sentences::quoted, violations::unescaped},
};
use contract::Detail;
use instance::{Part, Tree};
use std::sync::Arc;

/// The rules of a body.
#[derive(Debug)]
pub(super) struct BodyRules {
    required: bool,
    content: Vec<MediaRule>,
}

#[derive(Debug)]
struct MediaRule {
    range: String,
    /// None: nothing can be checked.
    unit: Option<UnitId>,
    shape: Shape,
    encodings: Vec<Encoding>,
}

impl BodyRules {
    /// Compiles the rules of a body.
    pub(super) fn compile(schemas: &mut SchemaCompiler<'_>, body: &Body) -> Self {
        let content = body.content.iter().map(|media| MediaRule::compile(schemas, media, &body.at)).collect();
        Self { required: body.required, content }
    }

    fn rule(&self, content_type: Option<&[u8]>) -> Option<(&MediaRule, Kind)> {
        let essence = media::essence(content_type.unwrap_or_default());
        if essence.is_empty() {
            // Without a name, only what takes every name takes it, and nothing tells how to read it.
            let any = self.content.iter().find(|rule| rule.range == "*/*")?;
            return Some((any, Kind::Other));
        }
        let exactness = |rule: &&MediaRule| media::taken(&rule.range, &essence).unwrap_or(0);
        let rule = self.content.iter().rev().max_by_key(exactness).filter(|rule| exactness(rule) > 0)?;
        Some((rule, media::kind(&essence)))
    }

    /// Whether the body has to be read to be checked.
    pub(super) fn reads(&self, content_type: Option<&[u8]>) -> bool {
        self.rule(content_type).is_some_and(|(rule, kind)| rule.is_checked(kind))
    }

    /// What the head tells.
    pub(super) fn check_media_type(
        &self,
        content_type: Option<&[u8]>,
        has_body: bool,
    ) -> Result<(), BodyFault> {
        if !has_body {
            return if self.required { Err(missing()) } else { Ok(()) };
        }
        let Some((rule, kind)) = self.rule(content_type) else {
            return Err(BodyFault::MediaType(self.not_taken(content_type)));
        };
        let charset = content_type.and_then(|content_type| media::parameter(content_type, "charset"));
        let is_text = matches!(kind, Kind::Json | Kind::Urlencoded | Kind::Text);
        match charset {
            Some(charset) if is_text && rule.is_checked(kind) && !is_utf8(&charset) => {
                let charset = quoted(&String::from_utf8_lossy(&charset));
                let message = format!("The body has to be in UTF-8, but its Content-Type says {charset}.");
                Err(BodyFault::MediaType(message))
            }
            _ => Ok(()),
        }
    }

    fn not_taken(&self, content_type: Option<&[u8]>) -> String {
        let names = crate::schema::sentences::list(self.content.iter().map(|rule| rule.range.as_str()));
        let sent = media::essence(content_type.unwrap_or_default());
        let sent = if sent.is_empty() {
            "no Content-Type was sent".to_owned()
        } else {
            format!("{} was sent", quoted(&sent))
        };
        format!("This endpoint takes a body of the type {names}, but {sent}.")
    }

    /// Checks a body.
    pub(super) fn check(
        &self,
        content_type: Option<&[u8]>,
        body: &[u8],
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
        match kind {
            Kind::Json => {
                // Most bodies are right, and need no more than a tree.
                let value = match Tree::read(body) {
                    Some(tree) if units.is_valid(unit, Part::Read(&tree)) => return Ok(()),
                    Some(tree) => tree.to_value(),
                    // Read again, to say where it breaks.
                    None => json::read(body)
                        .map_err(|error| malformed(format!("The body is not valid JSON: {error}.")))?,
                };
                found = units.violations_of_wrong(unit, &value);
            }
            Kind::Urlencoded => {
                let text = utf8(body)?;
                let raw = form::read(text, &rule.shape, &rule.encodings)
                    .map_err(|why| malformed(format!("The body is not a valid form. {why}")))?;
                found = judge(raw, &rule.shape, unit, units);
            }
            Kind::Multipart => {
                let content_type = content_type.unwrap_or_default();
                let raw = multipart::read(content_type, body, &rule.shape, &rule.encodings, &mut found)
                    .map_err(|why| malformed(format!("The body is not valid multipart/form-data. {why}")))?;
                found.extend(judge(raw, &rule.shape, unit, units));
            }
            Kind::Text => {
                let raw = Raw::Text(utf8(body)?.to_owned());
                found = judge(raw, &rule.shape, unit, units);
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
    fn compile(schemas: &mut SchemaCompiler<'_>, media: &Media, at: &Place) -> Self {
        let unit = media.schema.as_ref().map(|place| schemas.unit(place));
        let unit = unit.filter(|unit| !schemas.takes_anything(*unit));
        // JSON has its types already; only text needs to be told what it may become.
        let text = media.schema.as_ref().filter(|_| media::kind(&media.media_type) != Kind::Json);
        let shape = text.map(|place| shape(schemas, place)).unwrap_or_default();
        let rule = Self { range: media.media_type.clone(), unit, shape, encodings: media.encodings.clone() };
        let is_range = rule.range.ends_with('*');
        if rule.unit.is_some()
            && !is_range
            && !rule.shape.binary
            && !rule.is_checked(media::kind(&rule.range))
        {
            let at = media.schema.as_ref().unwrap_or(at);
            let message = format!("Bodies of the type {} are not checked against their schema.", rule.range);
            if rule.shape.types != Types::STRING {
                schemas.warn(at, message);
            }
        }
        rule
    }

    fn is_checked(&self, kind: Kind) -> bool {
        self.unit.is_some()
            && match kind {
                Kind::Json | Kind::Urlencoded | Kind::Multipart => true,
                // What is text as a whole is no array and no object.
                Kind::Text => !self.shape.binary && self.shape.types.has_scalar(),
                Kind::Other => false,
            }
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
        BodyFault::Malformed(format!("The body is not UTF-8 from byte {} on.", error.valid_up_to()))
    })
}

fn detail(found: Found) -> Detail {
    let name = found.pointer.rsplit_once('/').map(|(_, name)| unescaped(name)).unwrap_or_default();
    Detail { place: "body", name, pointer: Some(found.pointer), message: found.message }
}
