//! Path templates such as `/items/{id}`: their syntax, and which of two takes the other's paths.

use std::ops::Range;

/// A path template that is well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) text: String,
    /// The names between braces, in their order, without the stars of one that takes the rest.
    pub(super) names: Vec<String>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// `{name}` and nothing else: any text.
    Any,
    /// `{name}.{ext}`, as `{}.{}`.
    Mixed(String),
    /// `{*name}`: all that follows, slashes included.
    Rest,
}

/// Why a text is not a path template: which part of it, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoTemplate {
    pub(super) part: Range<usize>,
    pub(super) label: String,
    pub(super) help: String,
}

impl Template {
    /// Parses a template, or returns its fault.
    pub(super) fn parse(text: &str) -> Result<Self, NoTemplate> {
        if !text.starts_with('/') {
            return Err(NoTemplate {
                part: 0..text.len(),
                label: "a path starts with `/`".to_owned(),
                help: whole_url(text).unwrap_or_else(|| format!("write \"/{text}\"")),
            });
        }
        let mut template = Self { text: text.to_owned(), names: Vec::new(), segments: Vec::new() };
        let mut start = 1;
        let rest = text.get(1..).unwrap_or_default();
        let count = rest.split('/').count();
        for (index, segment) in rest.split('/').enumerate() {
            let is_last = index + 1 == count;
            if segment.is_empty() && !is_last {
                return Err(refuse(start - 1..start + 1, "two slashes in a row", "remove one of them"));
            }
            let parsed = match rest_name(segment) {
                Some(name) => template.rest(name, start..start + segment.len(), is_last)?,
                None => template.segment(segment, start)?,
            };
            template.segments.push(parsed);
            start += segment.len() + 1;
        }
        Ok(template)
    }

    /// The template without its names: two with the same shape take exactly the same paths.
    pub(super) fn shape(&self) -> String {
        let shapes: Vec<&str> = self.segments.iter().map(Segment::shape).collect();
        format!("/{}", shapes.join("/"))
    }

    /// How many segments it has; templates of different counts never take the same path, unless one takes the rest of
    /// it.
    pub(super) fn count(&self) -> usize {
        self.segments.len()
    }

    /// Whether its last name takes the rest of the path.
    pub(super) fn takes_rest(&self) -> bool {
        self.segments.last() == Some(&Segment::Rest)
    }

    /// Whether it has no names, so that it takes one path only.
    pub(super) fn is_literal(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether it ends in a slash (other than the root's).
    pub(super) fn ends_in_slash(&self) -> bool {
        self.text.len() > 1 && self.text.ends_with('/')
    }

    /// The same template without the slash at its end.
    pub(super) fn without_slash(&self) -> Self {
        let mut template = self.clone();
        if self.ends_in_slash() {
            template.segments.pop();
            template.text.pop();
        }
        template
    }

    /// Whether every path of `other` is also a path of this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let has_room = if self.takes_rest() {
            // It never matches nothing.
            other.count() >= self.count() && (other.count() > self.count() || !other.ends_in_slash())
        } else {
            self.count() == other.count() && !other.takes_rest()
        };
        has_room && self.before_rest().zip(&other.segments).all(|(one, two)| one.covers(two))
    }

    /// Whether some path is taken by both, while neither is the more special one.
    pub(super) fn collides(&self, other: &Self) -> bool {
        let has_room = match (self.takes_rest(), other.takes_rest()) {
            (true, true) => true,
            (true, false) => other.count() >= self.count(),
            (false, true) => self.count() >= other.count(),
            (false, false) => self.count() == other.count(),
        };
        let meets = has_room && self.before_rest().zip(other.before_rest()).all(|(one, two)| one.meets(two));
        meets && !self.covers(other) && !other.covers(self)
    }

    /// The segments that match one segment of a path each.
    fn before_rest(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().take_while(|segment| **segment != Segment::Rest)
    }

    /// Reads a segment that takes the rest of the path.
    fn rest(&mut self, name: &str, place: Range<usize>, is_last: bool) -> Result<Segment, NoTemplate> {
        if !is_last {
            return Err(refuse(
                place,
                "matches the rest of the path, but more follows",
                "make it the last segment, or write a name without `*` for one segment",
            ));
        }
        self.name(name, place)?;
        Ok(Segment::Rest)
    }

    /// Reads the text between two slashes; `start` is its place in the whole text.
    fn segment(&mut self, text: &str, start: usize) -> Result<Segment, NoTemplate> {
        let whole = start..start + text.len();
        if is_dots(text) {
            return Err(refuse(
                whole,
                "a dot segment",
                "clients resolve it before they send a request; write the path that is meant",
            ));
        }
        check_foreign(text, start)?;
        let (mut shape, mut at, mut after_name) = (String::new(), 0, false);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(inside) = rest.strip_prefix('{') {
                let Some(length) = inside.find('}') else {
                    return Err(refuse(
                        start + at..whole.end,
                        "this `{` is never closed",
                        "add the `}` before the next slash",
                    ));
                };
                if after_name {
                    return Err(refuse(
                        start + at..start + at + length + 2,
                        "nothing separates this name from the one before it",
                        "put a character between them, or make them one name",
                    ));
                }
                self.name(inside.get(..length).unwrap_or_default(), start + at..start + at + length + 2)?;
                shape.push_str("{}");
                at += length + 2;
                after_name = true;
            } else {
                let length = rest.find('{').unwrap_or(rest.len());
                let literal = rest.get(..length).unwrap_or_default();
                check_literal(literal, start + at)?;
                shape.push_str(literal);
                at += length;
                after_name = false;
            }
        }
        Ok(match shape.as_str() {
            "{}" => Segment::Any,
            _ if shape.contains("{}") => Segment::Mixed(shape),
            _ => Segment::Literal(shape),
        })
    }

    /// Reads the text in braces; `place` includes them.
    fn name(&mut self, name: &str, place: Range<usize>) -> Result<(), NoTemplate> {
        if name.is_empty() {
            return Err(refuse(
                place,
                "a name is missing between the braces",
                "give it a name, such as {id}",
            ));
        }
        let is_good = |(index, c): (usize, char)| {
            c.is_ascii_alphabetic() || c == '_' || (index > 0 && (c.is_ascii_digit() || c == '-'))
        };
        if !name.chars().enumerate().all(is_good) {
            let help = if name.contains('*') || name.ends_with(":path") || name.ends_with("...") {
                "to match the rest of the path, write {*name} as the whole last segment"
            } else {
                "a name starts with a letter or `_`; letters, digits, `_` and `-` may follow"
            };
            return Err(refuse(place, "not a name", help));
        }
        if self.names.iter().any(|known| known == name) {
            return Err(refuse(
                place,
                "this name is used twice in the path",
                "give each part of the path its own name",
            ));
        }
        self.names.push(name.to_owned());
        Ok(())
    }
}

impl Segment {
    fn shape(&self) -> &str {
        match self {
            Self::Literal(text) | Self::Mixed(text) => text,
            Self::Any => "{}",
            Self::Rest => "{*}",
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            // A name never matches nothing, so it does not match a trailing slash.
            (Self::Any, Self::Literal(text)) => !text.is_empty(),
            (Self::Any, Self::Any | Self::Mixed(_)) => true,
            // Where it matches one segment, it may still match more.
            (Self::Rest, Self::Literal(_) | Self::Any | Self::Mixed(_) | Self::Rest) => true,
            (Self::Literal(_) | Self::Any | Self::Mixed(_), Self::Rest) => false,
            (Self::Literal(one), Self::Literal(two)) | (Self::Mixed(one), Self::Mixed(two)) => one == two,
            (Self::Literal(_), Self::Any | Self::Mixed(_)) => false,
            (Self::Mixed(_), Self::Any | Self::Literal(_)) => false,
        }
    }

    /// Whether some text is taken by both. Of two mixed segments only equal ones are taken to meet.
    fn meets(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }
}

/// The name of a segment that takes the rest of the path: `{*name}`, or `{**name}` as .NET writes it.
fn rest_name(segment: &str) -> Option<&str> {
    let inner = segment.strip_prefix("{*")?.strip_suffix('}')?;
    Some(inner.strip_prefix('*').unwrap_or(inner))
}

fn refuse(part: Range<usize>, label: &str, help: &str) -> NoTemplate {
    NoTemplate { part, label: label.to_owned(), help: help.to_owned() }
}

fn whole_url(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("://")?;
    let path = rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/");
    Some(format!("write only the path: \"{path}\""))
}

/// `.` and `..`, also percent-encoded.
fn is_dots(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Refuses a segment that is a parameter in the notation of another framework: it would only take requests that have
/// these very characters.
fn check_foreign(segment: &str, start: usize) -> Result<(), NoTemplate> {
    if matches!(segment, "*" | "**") {
        return Err(refuse(
            start..start + segment.len(),
            "would be taken literally, not as a wildcard",
            "to match the rest of the path, write {*rest} as its last segment",
        ));
    }
    if ["(.*)", "(.+)", "(.*?)", "(.+?)"].iter().any(|pattern| segment.contains(pattern)) {
        return Err(refuse(
            start..start + segment.len(),
            "would be taken literally, not as a pattern",
            "write {name} for one segment, or {*rest} as the last one for the rest of the path",
        ));
    }
    let Some(name) = openapi::api::foreign_name(segment) else { return Ok(()) };
    Err(refuse(
        start..start + segment.len(),
        "would be taken literally, not as a parameter",
        &format!("write a parameter as a name in braces: {{{name}}}"),
    ))
}

/// Rejects what a path of a request cannot contain.
fn check_literal(text: &str, start: usize) -> Result<(), NoTemplate> {
    let bytes = text.as_bytes();
    for (index, c) in text.char_indices() {
        let place = start + index..start + index + c.len_utf8();
        let is_good = c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c);
        match c {
            '%' => {
                let digits = bytes.get(index + 1..index + 3).unwrap_or_default();
                if digits.len() != 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(refuse(
                        place,
                        "two hexadecimal digits must follow",
                        "write %25 for a percent sign",
                    ));
                }
            }
            '?' => {
                return Err(refuse(
                    place,
                    "the query string begins here",
                    "end the path before it; declare parameters in [[endpoints.parameters]] with in = \"query\"",
                ));
            }
            '#' => {
                return Err(refuse(
                    place,
                    "a fragment begins here",
                    "end the path before it: clients never send a fragment",
                ));
            }
            '}' => {
                return Err(refuse(
                    place,
                    "this `}` closes nothing",
                    "remove it, or put a `{` and a name before it",
                ));
            }
            _ if is_good => {}
            _ => {
                let mut buffer = [0; 4];
                let encoded: String =
                    c.encode_utf8(&mut buffer).bytes().map(|byte| format!("%{byte:02X}")).collect();
                return Err(refuse(
                    place,
                    "this character is not allowed in a path",
                    &format!("write it percent-encoded: {encoded}"),
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn templates_with_other_names_have_the_same_shape() {
        assert_eq!(template("/items/{id}").shape(), template("/items/{name}").shape());
        assert_ne!(template("/items/{id}").shape(), template("/items/{id}/").shape());
        assert_eq!(template("/").shape(), "/");
        assert_eq!(template("/f/{name}.{ext}").names, ["name", "ext"]);
    }

    #[test]
    fn a_name_covers_a_literal_and_not_the_other_way_round() {
        assert!(template("/items/{id}").covers(&template("/items/best")));
        assert!(!template("/items/best").covers(&template("/items/{id}")));
        assert!(!template("/items/{id}").covers(&template("/items/")));
        assert!(!template("/items/{id}").covers(&template("/items/1/parts")));
    }

    #[test]
    fn two_templates_collide_when_neither_is_the_more_special_one() {
        assert!(template("/a/{x}/c").collides(&template("/a/b/{y}")));
        assert!(!template("/a/{x}").collides(&template("/a/b")));
        assert!(!template("/a/{x}/c").collides(&template("/b/{y}/c")));
    }

    #[test]
    fn what_takes_the_rest_covers_every_depth() {
        let rest = template("/a/{*rest}");
        assert_eq!((rest.names.as_slice(), rest.shape().as_str()), (&["rest".to_owned()][..], "/a/{*}"));
        assert_eq!(rest.shape(), template("/a/{**other}").shape());
        for covered in ["/a/b", "/a/{x}", "/a/b/c", "/a/{x}.json", "/a/b/", "/a/b/{*more}", "/a/{*same}"] {
            assert!(rest.covers(&template(covered)), "{covered}");
        }
        for other in ["/a", "/a/", "/b/c", "/{x}/b", "/{*all}"] {
            assert!(!rest.covers(&template(other)), "{other}");
        }
        assert!(!template("/a/{x}").covers(&rest));
        assert!(rest.collides(&template("/{x}/b")) && template("/{x}/b").collides(&rest));
        assert!(template("/{x}/b/{*more}").collides(&rest));
        assert!(!rest.collides(&template("/b/{*rest}")) && !rest.collides(&template("/a/b")));
        assert!(!rest.collides(&template("/{x}")));
        for (text, part) in [("/a/{*}", 3..6), ("/a/{*b}/c", 3..7), ("/a/{*b}.c", 3..7), ("/a/{*1}", 3..7)] {
            assert_eq!(Template::parse(text).map_err(|wrong| wrong.part), Err(part), "{text}");
        }
    }

    #[test]
    fn the_faulty_part_of_a_template_is_named() {
        for (text, part) in [
            ("items", 0..5),
            ("/a//b", 2..4),
            ("/a/{id", 3..6),
            ("/a/{}", 3..5),
            ("/a/{id}/{id}", 8..12),
            ("/a/{1}", 3..6),
            ("/a?b", 2..3),
            ("/a#b", 2..3),
            ("/a/../b", 3..5),
            ("/a/*", 3..4),
            ("/a/**/b", 3..5),
            ("/a/%2E", 3..6),
            ("/{a}{b}", 4..7),
            ("/a}", 2..3),
            ("/ä", 1..3),
            ("/%zz", 1..2),
            ("", 0..0),
        ] {
            assert_eq!(Template::parse(text).map_err(|wrong| wrong.part), Err(part), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics(text in "[/{}a.%é?*]{0,20}") {
            if let Ok(template) = Template::parse(&text) {
                prop_assert!(template.covers(&template));
                prop_assert!(!template.collides(&template));
            }
        }
    }
}
