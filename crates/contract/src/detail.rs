//! The violations of an invalid request: each one, and a summary of all.

use crate::pointer::unescape;
use serde::Serialize;

/// The message for a required value that was not sent.
pub const MISSING: &str = "Required but missing.";
/// The beginning of the message for a property that the schema does not have.
pub const UNKNOWN_PROPERTY: &str = "Unknown property.";
/// The beginning of the message for a parameter that the document does not have.
pub const UNKNOWN_PARAMETER: &str = "Unknown parameter.";
/// The beginning of the message with the number of omitted violations of a body.
pub const MORE: &str = "There are ";

/// One violation of a validation error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// Where the value was sent: `path`, `query`, `header`, `cookie` or `body`.
    #[serde(rename = "in")]
    pub place: &'static str,
    /// The name of the parameter, header or property. Empty for the body as a whole.
    pub name: String,
    /// JSON pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// The message of an error with these violations: the text of a single one, otherwise their number.
pub fn summary(details: &[Detail]) -> String {
    match details {
        [only] => only.sentence(),
        [listed @ .., last] if last.name.is_empty() && last.message.starts_with(MORE) => {
            format!(
                "More than {} properties in the request body are invalid; `details` lists the first of them.",
                listed.len()
            )
        }
        all => {
            let mut seen: Vec<_> = all.iter().map(Detail::identity).collect();
            seen.sort_unstable();
            seen.dedup();
            match (seen.len(), all.first()) {
                (1, Some(first)) => first.in_ways(all.len()),
                (count, _) if all.iter().all(|detail| detail.place == "body") => {
                    format!("{count} properties in the request body are invalid; `details` lists them.")
                }
                (count, _) => format!("{count} parameters or headers are invalid; `details` lists them."),
            }
        }
    }
}

impl Detail {
    /// Violations with the same are about one thing.
    fn identity(&self) -> (&str, &str, Option<&str>) {
        (self.place, &self.name, self.pointer.as_deref().filter(|_| self.place == "body"))
    }

    /// That there are several violations of one thing.
    fn in_ways(&self, count: usize) -> String {
        let mut sentence = String::new();
        self.subject(true, &mut sentence);
        if let Some(first) = sentence.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        sentence.push_str(&format!(" is invalid in {count} ways; `details` lists them."));
        sentence
    }

    /// The violation as a complete sentence that names its subject. Without `format!`: most
    /// validation errors need it.
    fn sentence(&self) -> String {
        let message = self.message.as_str();
        let begun =
            [(MISSING, "Missing required "), (UNKNOWN_PROPERTY, "Unknown "), (UNKNOWN_PARAMETER, "Unknown ")];
        let begun = begun.into_iter().find_map(|(begin, verb)| Some((verb, message.strip_prefix(begin)?)));
        let (verb, separator, rest) = match begun {
            Some((verb, rest)) => (verb, ".", rest),
            None => ("Invalid ", ": ", message),
        };
        let mut sentence = String::with_capacity(message.len() + self.name.len() + 96);
        sentence.push_str(verb);
        self.subject(begun.is_none(), &mut sentence);
        sentence.push_str(separator);
        let from = sentence.len();
        sentence.push_str(rest);
        if begun.is_none() {
            continue_sentence(&mut sentence, from);
        }
        sentence
    }
}

impl Detail {
    /// The subject of a violation: a parameter or the body, or a part of it. An unknown or missing
    /// value is never an item.
    fn subject(&self, may_be_item: bool, sentence: &mut String) {
        let pointer = self.pointer.as_deref().unwrap_or_default();
        let is_body = self.place == "body";
        let before = match self.place {
            "body" => "the request body",
            "header" => "header \"",
            "cookie" => "cookie \"",
            "query" => "query parameter \"",
            "path" => "path parameter \"",
            _ => "parameter \"",
        };
        if !pointer.is_empty() {
            let last = unescape(pointer.rsplit('/').next().unwrap_or_default());
            // The name of an item is its index, which is meaningless without the list.
            if may_be_item && !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) {
                sentence.push_str("value at ");
                sentence.push_str(pointer);
            } else {
                sentence.push_str("property \"");
                sentence.push_str(&last);
                sentence.push('"');
            }
            sentence.push_str(" in ");
        } else if is_body && !self.name.is_empty() {
            for part in ["property \"", self.name.as_str(), "\" in "] {
                sentence.push_str(part);
            }
        } else if is_body {
            return sentence.push_str("request body");
        }
        sentence.push_str(before);
        if !is_body {
            sentence.push_str(&self.name);
            sentence.push('"');
        }
    }
}

/// Continues a sentence after a colon: the first letter becomes lower-case, unless the word is in capitals.
fn continue_sentence(text: &mut str, from: usize) {
    let Some(rest) = text.get_mut(from..) else { return };
    let mut letters = rest.chars();
    if letters.next().is_some_and(|first| first.is_ascii_uppercase())
        && letters.next().is_some_and(char::is_lowercase)
        && let Some(first) = rest.get_mut(..1)
    {
        first.make_ascii_lowercase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(place: &'static str, name: &str, message: &str) -> Detail {
        Detail { place, name: name.to_owned(), pointer: None, message: message.to_owned() }
    }

    #[test]
    fn a_single_violation_is_the_message() {
        for (place, name, message, expected) in [
            ("query", "limit", MISSING, "Missing required query parameter \"limit\"."),
            (
                "body",
                "name",
                "Required but missing. Is \"nmae\" a typo?",
                "Missing required property \"name\" in the request body. Is \"nmae\" a typo?",
            ),
            (
                "body",
                "prise",
                "Unknown property. Did you mean \"price\"?",
                "Unknown property \"prise\" in the request body. Did you mean \"price\"?",
            ),
            ("query", "limt", UNKNOWN_PARAMETER, "Unknown query parameter \"limt\"."),
            (
                "header",
                "X-Tenant",
                "Must be at most 5, but is 7.",
                "Invalid header \"X-Tenant\": must be at most 5, but is 7.",
            ),
            ("cookie", "session", "URL expected.", "Invalid cookie \"session\": URL expected."),
            (
                "body",
                "",
                "Must be an object, but is 1.",
                "Invalid request body: must be an object, but is 1.",
            ),
        ] {
            assert_eq!(summary(&[detail(place, name, message)]), expected);
        }
    }

    #[test]
    fn a_pointer_names_the_invalid_part() {
        for (place, name, pointer, message, expected) in [
            ("body", "0", "/l/0", "Must be 1.", "Invalid value at /l/0 in the request body: must be 1."),
            ("body", "", "/", UNKNOWN_PROPERTY, "Unknown property \"\" in the request body."),
            ("body", "", "", "Must be 1.", "Invalid request body: must be 1."),
            ("body", "a/b", "/x/a~1b", MISSING, "Missing required property \"a/b\" in the request body."),
            (
                "query",
                "deep",
                "/colour",
                "Unknown property. Did you mean \"color\"?",
                "Unknown property \"colour\" in query parameter \"deep\". Did you mean \"color\"?",
            ),
            ("query", "deep", "/a", MISSING, "Missing required property \"a\" in query parameter \"deep\"."),
            ("header", "ids", "/1", "Must be 1.", "Invalid value at /1 in header \"ids\": must be 1."),
            ("body", "200", "/200", MISSING, "Missing required property \"200\" in the request body."),
            ("query", "q", "", "Must be 1.", "Invalid query parameter \"q\": must be 1."),
        ] {
            let found = Detail { pointer: Some(pointer.to_owned()), ..detail(place, name, message) };
            assert_eq!(summary(&[found]), expected);
        }
    }

    #[test]
    fn several_violations_of_one_value_are_not_counted_as_several_values() {
        let of = |place, name| [detail(place, name, "Must be 1."), detail(place, name, "Must be 2.")];
        for (found, expected) in [
            (of("query", "q"), "Query parameter \"q\" is invalid in 2 ways; `details` lists them."),
            (of("header", "X-A"), "Header \"X-A\" is invalid in 2 ways; `details` lists them."),
            (
                of("body", "a"),
                "Property \"a\" in the request body is invalid in 2 ways; `details` lists them.",
            ),
            (of("body", ""), "Request body is invalid in 2 ways; `details` lists them."),
        ] {
            assert_eq!(summary(&found), expected);
        }
        let [first, second] = of("query", "q");
        assert_eq!(
            summary(&[first, second, detail("query", "r", "Must be 1.")]),
            "2 parameters or headers are invalid; `details` lists them."
        );
    }

    #[test]
    fn several_violations_are_counted() {
        let (query, other) = (detail("query", "limit", MISSING), detail("query", "page", MISSING));
        let (body, next) = (detail("body", "name", MISSING), detail("body", "price", MISSING));
        let more = detail("body", "", "There are 3 more violations; these are the first 50.");
        assert_eq!(
            summary(&[query.clone(), other]),
            "2 parameters or headers are invalid; `details` lists them."
        );
        assert_eq!(
            summary(&[body.clone(), next.clone()]),
            "2 properties in the request body are invalid; `details` lists them."
        );
        assert_eq!(
            summary(&[body.clone(), next, more]),
            "More than 2 properties in the request body are invalid; `details` lists the first of them."
        );
    }
}
