//! The API's document as clients get it.

use memchr::memmem::Finder;
use std::fmt;

/// A document, written.
pub struct ServedDocument {
    /// As JSON.
    pub json: DocumentText,
    /// As YAML.
    pub yaml: DocumentText,
    /// The paths below its base paths that it documents as the limits endpoint.
    pub limits_paths: Vec<String>,
}

/// A document in one language. It may have many megabytes, and whoever asks for it may name any host, so that it is
/// never written for a client: what is sent are the pieces between its placeholders, and the client's address in their place.
pub struct DocumentText {
    text: Vec<u8>,
    /// Where placeholders begin, in order.
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

/// The address that a client came by.
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
    /// What stands in a document for the address that a client came by. The host has the form of one that YAML quotes
    /// wherever it would have to.
    pub const BASE: &str = "fairgate-scheme://[fairgate-host]";

    /// A document with addresses of its own, or with [`Self::BASE`] in their place.
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

    /// As it was written, with placeholders if it has any.
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// How many bytes it has for clients that came by this address.
    pub(crate) fn len(&self, base: &BaseUrl) -> usize {
        self.placeholders.iter().fold(self.text.len(), |length, (_, placeholder)| {
            length - placeholder.text().len() + base.of(*placeholder).len()
        })
    }

    /// What it is for clients that came by this address, piece by piece.
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
    fn the_address_of_the_client_stands_in_place_of_the_placeholders() {
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
