//! A request as an example shows it, and the curl line that sends it.

use crate::model::{Endpoint, Place, Reference};
use std::fmt::Write;

/// The placeholder of a key in examples.
pub(crate) const KEY: &str = "YOUR_KEY";

/// A request of an example.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// As it is sent, with the query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    /// Shell words before `curl`, such as a pipe that makes a large body.
    pub(crate) before: String,
    /// Further words for curl, written as a shell takes them.
    pub(crate) options: Vec<String>,
}

impl Request {
    /// A request without a key.
    pub(crate) fn bare(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
            before: String::new(),
            options: Vec::new(),
        }
    }

    /// A request that passes the checks of this endpoint, as far as values that pass are known.
    /// `skip` names what is left out, `wrong` what has another value.
    pub(crate) fn to(
        reference: &Reference,
        endpoint: &Endpoint,
        skip: Option<(Place, &str)>,
        wrong: Option<(Place, &str, &str)>,
    ) -> Self {
        let value = |place: Place, name: &str| -> Option<String> {
            if let Some((_, _, wrong)) = wrong.filter(|(p, n, _)| (*p, *n) == (place, name)) {
                return Some(wrong.to_owned());
            }
            let check =
                endpoint.takes.checks.iter().find(|check| check.place == place && check.name == name)?;
            let is_sent = check.required && skip != Some((place, name));
            is_sent.then(|| if check.example.is_empty() { "7".to_owned() } else { check.example.clone() })
        };
        let named = |place: Place| {
            let checks = endpoint.takes.checks.iter().filter(move |check| check.place == place);
            let value = &value;
            checks.filter_map(move |check| Some((check.name.clone(), value(place, &check.name)?)))
        };
        let mut request =
            Self::bare(&endpoint.method, &fill(&endpoint.path, |name| value(Place::Path, name)));
        for (position, (name, value)) in named(Place::Query).enumerate() {
            let mark = if position == 0 { '?' } else { '&' };
            let _ = write!(request.target, "{mark}{}={}", encoded(&name), encoded(&value));
        }
        if !endpoint.public {
            request = request.with_key(reference, KEY);
        }
        request.headers.extend(named(Place::Header));
        let cookies: Vec<_> = named(Place::Cookie).map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        if matches!(endpoint.method.as_str(), "POST" | "PUT" | "PATCH") {
            let media_type = endpoint.takes.media_types.iter().find(|m| !m.contains('*')).map(String::as_str);
            request
                .headers
                .push(("Content-Type".to_owned(), media_type.unwrap_or("application/json").to_owned()));
            let body = if endpoint.takes.body.is_empty() { "{}" } else { &endpoint.takes.body };
            request.body = Some(body.to_owned());
        }
        request
    }

    /// The same with this key, in the first header that may hold one.
    pub(crate) fn with_key(mut self, reference: &Reference, key: &str) -> Self {
        let header = match reference.key_headers.first() {
            Some(name) => (name.clone(), key.to_owned()),
            None => ("Authorization".to_owned(), format!("Bearer {key}")),
        };
        self.headers.retain(|(name, _)| *name != header.0);
        self.headers.insert(0, header);
        self
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The line that sends it, over several lines of a shell.
    pub(crate) fn curl(&self, base: &str) -> String {
        let mut words =
            vec![format!("{}curl --include {}", self.before, quoted(&format!("{base}{}", self.target)))];
        if self.method == "HEAD" {
            words.push("--head".to_owned());
        } else if self.method != "GET" && !(self.method == "POST" && self.body.is_some()) {
            words.push(format!("--request {}", self.method));
        }
        words.extend(
            self.headers
                .iter()
                .map(|(name, value)| format!("--header {}", quoted(&format!("{name}: {value}")))),
        );
        words.extend(self.options.iter().cloned());
        words.extend(self.body.iter().map(|body| format!("--data {}", quoted(body))));
        words.join(" \\\n  ")
    }
}

/// A path template with its names replaced.
pub(crate) fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut path = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        path.push_str(before);
        let name = name.trim_start_matches('*');
        path.push_str(&encoded(&value(name).unwrap_or_else(|| "7".to_owned())));
        rest = after;
    }
    path.push_str(rest);
    path
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// One word of a POSIX shell, whatever it holds.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word_in_a_shell() {
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
    }

    #[test]
    fn templates_are_filled() {
        let seven = |name: &str| (name == "id").then(|| "a b".to_owned());
        assert_eq!(fill("/items/{id}/{*rest}", seven), "/items/a%20b/7");
        assert_eq!(fill("/odd{", seven), "/odd{");
    }
}
