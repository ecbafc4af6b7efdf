//! `multipart/form-data` (RFC 7578), parsed strictly from a complete body.

use crate::{
    api::{Encoding, Style},
    media,
    rules::{
        json, marked,
        pairs::Coding,
        raw::Raw,
        shape::{Shape, Types},
        styles::{self, Reading},
    },
    schema::Found,
    schema::sentences::quoted,
};
use contract::pointer::child;
use memchr::memmem;
use std::collections::HashMap;

/// Parts that a body may have.
const MAX_PARTS: usize = 1_000;
/// Bytes that the headers of a part may have.
const LONGEST_HEAD: usize = 8 << 10;
/// RFC 2046, section 5.1.1.
const LONGEST_BOUNDARY: usize = 70;

struct Part<'b> {
    name: String,
    is_file: bool,
    content_type: Option<String>,
    /// With its parameters.
    whole_type: Option<&'b [u8]>,
    body: &'b [u8],
}

/// Why a body cannot be checked.
pub(super) enum Unusable {
    /// It does not conform to its media type. A sentence.
    Malformed(String),
    /// It has too many values.
    TooMany,
}

/// What was noted of the parts of a body.
#[derive(Default)]
pub(super) struct Noted {
    /// Parts whose type their encodings do not name.
    pub(super) wrong: Vec<Found>,
    /// Pointers to parts that are files or bytes as their schema has them, and so no text that could be checked.
    pub(super) files: Vec<String>,
}

/// Reads a body: its parts as the members of an object, not typed yet.
///
/// # Errors
/// It does not conform to its media type, or has more values in all than `most`.
pub(super) fn read(
    content_type: &[u8],
    body: &[u8],
    shape: &Shape,
    encodings: &[Encoding],
    mut most: usize,
    noted: &mut Noted,
) -> Result<Raw, Unusable> {
    let mut members: Vec<(String, Raw)> = Vec::new();
    let mut places = HashMap::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut files: Vec<(String, usize)> = Vec::new();
    for part in parts(content_type, body).map_err(Unusable::Malformed)? {
        let encoding = encodings.iter().find(|encoding| encoding.name == part.name);
        let taken = encoding.map_or(&[][..], |encoding| &encoding.content_types);
        let sent = part.whole_type.unwrap_or(b"text/plain");
        let explicit = part.content_type.is_some() || part.is_file;
        if explicit && !taken.is_empty() && !taken.iter().any(|range| media::takes(range, sent)) {
            let message = format!(
                "Must be of type {}, but is {}.",
                crate::schema::sentences::list(taken.iter().map(String::as_str)),
                quoted(&String::from_utf8_lossy(sent))
            );
            noted.wrong.push(Found { pointer: child("", &part.name), message });
        }
        if json::has_more_values(part.body, most) && is_read_as_json(&part, shape) {
            return Err(Unusable::TooMany);
        }
        most = most.saturating_sub(json::separators(part.body).saturating_add(1));
        let mut raw = value(&part, shape).map_err(Unusable::Malformed)?;
        let count = counts.entry(part.name.clone()).or_default();
        if let Some(style) = encoding.and_then(|encoding| delimits(encoding, shape)) {
            if *count > 0 {
                let message = format!("part {} is there more than once.", quoted(&part.name));
                return Err(Unusable::Malformed(message));
            }
            raw = split(raw, style, &part.name, shape).map_err(Unusable::Malformed)?;
            if let Raw::List(items) = &raw {
                most = most.checked_sub(items.len()).ok_or(Unusable::TooMany)?;
            }
        }
        if is_unread(&part, shape) {
            files.push((part.name.clone(), *count));
        }
        *count += 1;
        styles::gather(&mut members, &mut places, &part.name, raw);
    }
    for (name, raw) in &mut members {
        // One part of its kind is a list of one, as one text is.
        if is_list(name, shape) && matches!(raw, Raw::Ready(value) if !value.is_array()) {
            *raw = Raw::List(vec![std::mem::replace(raw, Raw::List(Vec::new()))]);
        }
    }
    // What is asked of a list as a whole, such as how many items it has, is asked of files as well.
    noted.files.extend(files.into_iter().filter_map(|(name, index)| {
        let pointer = child("", &name);
        if is_list(&name, shape) {
            Some(format!("{pointer}/{index}"))
        } else {
            (counts.get(&name) == Some(&1)).then_some(pointer)
        }
    }));
    Ok(Raw::Members(members))
}

/// Whether nothing but the presence of a part is checked: it is bytes, or a file in the place of a link. A filename
/// alone makes no part a file: otherwise the client would choose what is checked.
fn is_unread(part: &Part<'_>, shape: &Shape) -> bool {
    let Some(member) = member(part, shape) else { return false };
    let is_text = std::str::from_utf8(part.body).is_ok();
    (member.takes_bytes() && (part.is_file || !is_text)) || (member.is_link() && part.is_file)
}

fn is_list(name: &str, shape: &Shape) -> bool {
    shape.part(name).is_some_and(|member| member.types == Types::ARRAY)
}

/// The style in which one part has all items of a list, as by `collectionFormat` of Swagger 2.0.
fn delimits(encoding: &Encoding, shape: &Shape) -> Option<Style> {
    // Files are separate parts: no delimiter could separate two of them.
    let are_files = shape.part(&encoding.name)?.items.as_ref().is_some_and(|item| item.takes_bytes());
    let is_split = encoding.explode == Some(false) && is_list(&encoding.name, shape) && !are_files;
    is_split.then(|| encoding.style.unwrap_or(Style::Form))
}

fn split(raw: Raw, style: Style, name: &str, shape: &Shape) -> Result<Raw, String> {
    let (Raw::Text(text), Some(list)) = (&raw, shape.part(name)) else { return Ok(raw) };
    styles::single(text, name, (style, false), Reading::List, list, Coding::Plain)
        .map_err(|why| format!("part {}: {why}", quoted(name)))
}

/// The shape of what a part is.
fn member<'s>(part: &Part<'_>, shape: &'s Shape) -> Option<&'s Shape> {
    let member = shape.part(&part.name);
    match member {
        Some(list) if list.types == Types::ARRAY => list.items.as_deref(),
        Some(_) | None => member,
    }
}

/// A part is JSON if its type says so, or if only an object can be meant.
fn is_read_as_json(part: &Part<'_>, shape: &Shape) -> bool {
    let member = member(part, shape);
    let is_binary = member.is_some_and(|member| member.binary || (part.is_file && member.is_link()));
    let is_object = member.is_some_and(|member| member.types == Types::OBJECT);
    let has_json_type = part.content_type.as_deref().is_some_and(media::is_json);
    !is_binary && (has_json_type || is_object)
}

/// What a part is: JSON, or its text.
fn value(part: &Part<'_>, shape: &Shape) -> Result<Raw, String> {
    let is_binary = member(part, shape).is_some_and(|member| member.binary);
    if is_read_as_json(part, shape) {
        return json::read(part.body)
            .map(Raw::Ready)
            .map_err(|error| format!("part {} must be JSON, but is not: {error}.", quoted(&part.name)));
    }
    match std::str::from_utf8(part.body) {
        Ok(text) => Ok(Raw::Text(text.to_owned())),
        Err(_) if is_binary || part.is_file || part.content_type.is_some() => {
            // Its placeholder has a character for each byte, and differs for other bytes.
            Ok(Raw::Ready(part.body.iter().map(|&byte| char::from(byte)).collect::<String>().into()))
        }
        Err(_) => Err(format!("part {} must be UTF-8, but is not.", quoted(&part.name))),
    }
}

fn parts<'b>(content_type: &[u8], body: &'b [u8]) -> Result<Vec<Part<'b>>, String> {
    let boundary = media::parameter(content_type, "boundary").unwrap_or_default();
    if boundary.is_empty() || boundary.len() > LONGEST_BOUNDARY {
        return Err("its Content-Type must have a `boundary` of 1 to 70 characters.".to_owned());
    }
    if let Some(mark) = marked(body) {
        // The parts before the first delimiter that is found would not be checked.
        return Err(format!("It begins with {mark}."));
    }
    let delimiter = [b"\r\n--", boundary.as_slice()].concat();
    let finder = memmem::Finder::new(&delimiter);
    // The first delimiter may be at the very start, without a line break before it.
    let opening = delimiter.get(2..).unwrap_or_default();
    let mut rest = match body.strip_prefix(opening) {
        Some(rest) => rest,
        None => {
            let at =
                finder.find(body).ok_or("it does not contain the boundary given in its Content-Type.")?;
            body.get(at + delimiter.len()..).unwrap_or_default()
        }
    };
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            // Some servers, PHP among them, would read on there.
            return match memmem::find(rest, opening) {
                Some(_) => Err("it goes on after its closing boundary.".to_owned()),
                None => Ok(parts),
            };
        }
        // Blanks may follow a boundary on its line.
        let line_end = memmem::find(rest, b"\r\n").filter(|&end| {
            rest.get(..end).is_some_and(|blank| blank.iter().all(|byte| matches!(byte, b' ' | b'\t')))
        });
        let start = line_end.ok_or("a boundary is not followed by a line break.")?;
        // The line break before the part's end may be the one after its boundary.
        let from = rest.get(start..).unwrap_or_default();
        let end = finder.find(from).ok_or("it ends before its closing boundary.")?;
        if parts.len() == MAX_PARTS {
            return Err(format!("it has more than {MAX_PARTS} parts."));
        }
        parts.push(part(from.get(..end).unwrap_or_default())?);
        rest = from.get(end + delimiter.len()..).unwrap_or_default();
    }
}

/// A part, from the line break before its headers.
fn part(text: &[u8]) -> Result<Part<'_>, String> {
    let end = memmem::find(text, b"\r\n\r\n").ok_or("a part has no empty line after its headers.")?;
    if end > LONGEST_HEAD {
        return Err(format!("the headers of a part must have at most {LONGEST_HEAD} bytes."));
    }
    let body = text.get(end + 4..).unwrap_or_default();
    let mut disposition: Option<&[u8]> = None;
    let (mut content_type, mut whole_type): (_, Option<&[u8]>) = (None, None);
    let head = text.get(..end).unwrap_or_default();
    // One of them alone ends a line, or all headers, for some servers.
    if memchr::memchr_iter(b'\n', head).count() != memmem::find_iter(head, b"\r\n").count()
        || memchr::memchr_iter(b'\r', head).count() != memmem::find_iter(head, b"\r\n").count()
    {
        return Err("a part has a header with a line end that is not CR LF.".to_owned());
    }
    for line in head.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let colon = memchr::memchr(b':', line).ok_or("a part has a header without a colon.")?;
        let (name, value) =
            (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
        // A line that continues the one before it, and a name with a space behind it: some servers take them for a
        // header.
        if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_graphic()) {
            return Err("a part has a header whose name is not one.".to_owned());
        }
        if name.eq_ignore_ascii_case(b"content-disposition") {
            if disposition.replace(value.trim_ascii()).is_some() {
                return Err("a part has two Content-Disposition headers.".to_owned());
            }
        } else if name.eq_ignore_ascii_case(b"content-type") {
            if whole_type.replace(value.trim_ascii()).is_some() {
                return Err("a part has two Content-Type headers.".to_owned());
            }
            content_type = Some(media::essence(value).into_owned());
        } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") && !is_as_it_is(value) {
            // Some servers would decode what was checked undecoded.
            return Err(
                "a part has a Content-Transfer-Encoding; send its content as it is (RFC 7578, section 4.7)."
                    .to_owned(),
            );
        }
    }
    for (header, value) in [("Content-Disposition", disposition), ("Content-Type", whole_type)] {
        if let Some(why) = value.and_then(media::ambiguity) {
            return Err(format!("the {header} of a part {why}."));
        }
    }
    let disposition = disposition
        .filter(|value| media::essence(value) == "form-data")
        .ok_or("a part has no `Content-Disposition: form-data`.")?;
    let name = media::parameter(disposition, "name").ok_or("a part has no name.")?;
    let name = String::from_utf8(name).map_err(|_| "the name of a part is not UTF-8.")?;
    let is_file = media::parameter(disposition, "filename").is_some()
        || media::parameter(disposition, "filename*").is_some();
    Ok(Part { name, is_file, content_type, whole_type, body })
}

/// Whether an encoding leaves content unchanged.
fn is_as_it_is(encoding: &[u8]) -> bool {
    ["7bit", "8bit", "binary"].iter().any(|name| encoding.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}
