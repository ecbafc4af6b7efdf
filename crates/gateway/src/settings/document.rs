//! The API's document, as served to clients.

use memchr::memmem::Finder;
use std::fmt;

/// A serialized document.
pub struct ServedDocument {
    /// As JSON.
    pub json: DocumentText,
    /// As YAML.
    pub yaml: DocumentText,
    /// The paths, below its base paths, that it documents as the limits endpoint.
    pub limits_paths: Vec<String>,
}

/// A document in one format. It may have many megabytes, and its requests may name any host, so it
/// is never rendered for a client: the pieces between its placeholders are sent, with the client's
/// base URL in between.
pub struct DocumentText {
    text: Vec<u8>,
    /// The offsets of placeholders, in order.
    placeholders: Vec<(usize, Placeholder)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    Scheme,
    Host,
}

impl Placeholder {
    const fn text(self) -> &'static str {
        match self {
            Self::Scheme => "fairgate-scheme",
            Self::Host => "[fairgate-host]",
        }
    }
}

/// The base URL that a client used.
#[derive(Debug)]
pub(crate) struct BaseUrl {
    pub(crate) scheme: &'static str,
    pub(crate) host: String,
}

impl BaseUrl {
    fn of(&self, placeholder: Placeholder) -> &str {
        match placeholder {
            Placeholder::Scheme => self.scheme,
            Placeholder::Host => &self.host,
        }
    }
}

impl ServedDocument {
    /// The placeholder in a document for the base URL that a client used. Its host has a form that
    /// YAML quotes wherever a real one would need it.
    pub const BASE: &str = "fairgate-scheme://[fairgate-host]";

    /// A document with absolute URLs of its own, or with [`Self::BASE`] in their place.
    pub fn new(json: Vec<u8>, yaml: Vec<u8>, limits_paths: Vec<String>, has_base: bool) -> Self {
        let text = |text| DocumentText::new(text, has_base);
        Self { json: text(json), yaml: text(yaml), limits_paths }
    }
}

impl DocumentText {
    fn new(text: Vec<u8>, has_base: bool) -> Self {
        let mut placeholders = Vec::new();
        if has_base {
            for placeholder in [Placeholder::Scheme, Placeholder::Host] {
                let finder = Finder::new(placeholder.text());
                placeholders.extend(finder.find_iter(&text).map(|at| (at, placeholder)));
            }
            placeholders.sort_unstable_by_key(|(at, _)| *at);
        }
        Self { text, placeholders }
    }

    /// The raw text, with placeholders if it has any.
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Its length for clients that used this base URL.
    pub(crate) fn len(&self, base: &BaseUrl) -> usize {
        self.placeholders.iter().fold(self.text.len(), |length, (_, placeholder)| {
            length - placeholder.text().len() + base.of(*placeholder).len()
        })
    }

    /// Its content for clients that used this base URL, in pieces.
    pub(crate) fn pieces<'t>(&'t self, base: &'t BaseUrl) -> impl Iterator<Item = &'t [u8]> {
        let between = move |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let mut from = 0;
        let before = self.placeholders.iter().flat_map(move |&(at, placeholder)| {
            let start = std::mem::replace(&mut from, at + placeholder.text().len());
            [between(start, at), base.of(placeholder).as_bytes()]
        });
        let last = self.placeholders.last().map_or(0, |(at, placeholder)| at + placeholder.text().len());
        before.chain(std::iter::once_with(move || between(last, self.text.len())))
    }
}

impl fmt::Debug for ServedDocument {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ServedDocument({} bytes)", self.json.text.len())
    }
}

impl fmt::Debug for DocumentText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "DocumentText({} bytes)", self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, has_base: bool, host: &str) -> String {
        let text = DocumentText::new(text.into(), has_base);
        let base = BaseUrl { scheme: "https", host: host.to_owned() };
        let pieces: Vec<&[u8]> = text.pieces(&base).collect();
        let whole = pieces.concat();
        assert_eq!(text.len(&base), whole.len());
        String::from_utf8(whole).unwrap()
    }

    #[test]
    fn the_base_url_of_the_client_replaces_the_placeholders() {
        let base = ServedDocument::BASE;
        for text in [
            String::new(),
            "{}".to_owned(),
            format!("{{\"url\":\"{base}/v1\",\"docs\":\"{base}/_docs\"}}"),
            format!("{base}{base}"),
            "host: '[fairgate-host]'\nschemes: [fairgate-scheme]\n".to_owned(),
        ] {
            for host in ["a", "shop.example.org:8443", "[::1]:9000"] {
                let expected = text.replace("fairgate-scheme", "https").replace("[fairgate-host]", host);
                assert_eq!(written(&text, true, host), expected);
                assert_eq!(written(&text, false, host), text);
            }
        }
    }
}
