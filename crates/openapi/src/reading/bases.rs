//! Base paths: of `servers`, and of Swagger's `basePath`.

use super::{Reader, known::Kind, objects::Object};
use crate::{documents::Place, text::quoted};
use serde_json::Value;
use std::borrow::Cow;

/// How many base paths an operation may be served on: each makes an operation of its own.
const MOST: usize = 50;

/// The maximum length of a URL: it may contain a variable any number of times.
const LONGEST: usize = 8 * 1024;

/// Without servers, the API is at the root.
pub(super) fn own() -> Vec<String> {
    vec![String::new()]
}

impl<'d> Reader<'d> {
    /// The base paths of an object's `servers`, each once. None: it has none of its own.
    pub(super) fn servers(&mut self, object: &Object<'d>) -> Option<Vec<String>> {
        let servers = self.list(object, "servers")?;
        let place = object.place.child("servers");
        let mut bases: Vec<String> = Vec::new();
        for at in 0..servers.len() {
            let Some(server) = self.object_at(&place.child(&at.to_string())) else { continue };
            self.known(&server, Kind::Server);
            let Some(url) = self.url(&server) else { continue };
            if looks_like_a_host(&url) {
                let message = format!(
                    "{0} has no scheme and is read as the path {1}, but looks like a host: write {2}.",
                    quoted(&url),
                    quoted(&base_path(&url)),
                    quoted(&format!("https://{}", url.trim())),
                );
                self.notes.warn(&server.place.child("url"), message);
            }
            let base = base_path(&url);
            if bases.contains(&base) {
                continue;
            }
            if bases.len() == MOST {
                self.notes.fault(
                    &place,
                    format!("The servers have more than {MOST} different base paths."),
                    "",
                );
                break;
            }
            bases.push(base);
        }
        if servers.is_empty() { None } else { Some(if bases.is_empty() { own() } else { bases }) }
    }

    /// The URL of a server, with its variables filled in.
    fn url(&mut self, server: &Object<'d>) -> Option<String> {
        if server.get("url").is_none() {
            self.notes.fault(&server.place, "The server needs a `url`.", "");
            return None;
        }
        let url = self.text(server, "url")?;
        let variables = self.object(server, "variables");
        let path = base_path(url);
        if let Some(variables) = &variables {
            self.other_values(variables, &path);
        }
        let mut filled = String::with_capacity(url.len());
        let mut rest = url;
        while let Some((before, (name, behind))) =
            rest.split_once('{').and_then(|(before, inner)| Some((before, inner.split_once('}')?)))
        {
            filled.push_str(before);
            match variables.as_ref().and_then(|variables| self.variable(variables, name)) {
                Some(value) => filled.push_str(&value),
                None => {
                    filled.push('{');
                    filled.push_str(name);
                    filled.push('}');
                }
            }
            rest = behind;
            if filled.len() > LONGEST {
                self.notes.fault(
                    &server.place.child("url"),
                    "The URL is too long once its variables are filled in.",
                    "",
                );
                return None;
            }
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// Warns of base paths that a variable could make with other values than its default.
    fn other_values(&mut self, variables: &Object<'d>, path: &str) {
        for name in variables.members.keys().filter(|name| path.contains(&format!("{{{name}}}"))) {
            let values =
                variables.get(name).and_then(|variable| variable.get("enum")).and_then(Value::as_array);
            if values.is_some_and(|values| values.len() > 1) {
                let message = format!("Only the default value of the variable {} is served.", quoted(name));
                self.notes.warn(&variables.place.child(name), message);
            }
        }
    }

    /// The default value of a server's variable.
    fn variable(&mut self, variables: &Object<'d>, name: &str) -> Option<Cow<'d, str>> {
        variables.get(name)?;
        let variable = self.object(variables, name)?;
        match variable.get("default") {
            Some(Value::String(text)) => Some(Cow::Borrowed(text)),
            Some(Value::Number(number)) => Some(Cow::Owned(number.to_string())),
            Some(other) => {
                self.wrong(&variable.place.child("default"), "a string", other);
                None
            }
            None => {
                let message = format!("The variable {} needs a `default`.", quoted(name));
                self.notes.fault(&variable.place, message, "");
                None
            }
        }
    }

    /// The base path of Swagger 2.0.
    pub(super) fn swagger_base(&mut self, root: &Object<'d>) -> Vec<String> {
        self.text(root, "basePath").map_or_else(own, |base| vec![base_path(base)])
    }

    /// Warns of base paths that no request can have.
    pub(super) fn usable_bases(&mut self, place: &Place, bases: &[String]) {
        for base in bases.iter().filter(|base| base.contains(['{', '}'])) {
            let message =
                format!("The base path {} has an undefined variable; it matches any text.", quoted(base));
            self.notes.warn(place, message);
        }
    }
}

/// Whether a relative URL begins like the name of a host: `localhost`, `api.example.com`, or with a port.
fn looks_like_a_host(url: &str) -> bool {
    let url = url.trim();
    let first = url.split(['/', '?', '#']).next().unwrap_or_default();
    if url.contains("://") || first.contains(['{', '}']) {
        return false;
    }
    let (name, port) = first.split_once(':').map_or((first, None), |(name, port)| (name, Some(port)));
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let has_domain = name
        .rsplit_once('.')
        .is_some_and(|(_, last)| last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic()));
    name.split('.').all(is_label) && (port.is_some_and(is_port) || name == "localhost" || has_domain)
}

/// The path of a URL, absolute or relative: empty, or beginning with a slash and ending in none.
fn base_path(url: &str) -> String {
    let url = url.trim();
    let url = url.find(['?', '#']).and_then(|end| url.get(..end)).unwrap_or(url);
    let authority = url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//"));
    let path = match authority {
        Some(rest) => rest.find('/').and_then(|begin| rest.get(begin..)).unwrap_or_default(),
        None => url,
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.into_iter().fold(String::new(), |base, part| base + "/" + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_without_a_scheme_look_like_hosts() {
        for host in ["localhost:3000", "localhost", "api.example.com/v1", "127.0.0.1:80/v1", "api:8080"] {
            assert!(looks_like_a_host(host), "{host}");
        }
        for path in [
            "",
            "/",
            "/api.example.com",
            "v1",
            "v1.0",
            "./a.b",
            "../x",
            "https://a.example",
            "//a.example",
            "{host}:1",
        ] {
            assert!(!looks_like_a_host(path), "{path}");
        }
    }

    #[test]
    fn urls_have_base_paths() {
        for (url, base) in [
            ("https://api.example.com", ""),
            ("https://api.example.com/", ""),
            ("https://api.example.com/v1", "/v1"),
            ("https://api.example.com:8443/v1/", "/v1"),
            ("//api.example.com/v1/x//", "/v1/x"),
            ("/v1", "/v1"),
            ("/", ""),
            ("", ""),
            ("v1", "/v1"),
            ("./v1/../v2", "/v2"),
            ("../../v1", "/v1"),
            ("https://api.example.com/v1?a=/b#/c", "/v1"),
            ("https://{host}/{base}", "/{base}"),
            (" /v1 ", "/v1"),
        ] {
            assert_eq!(base_path(url), base, "{url}");
        }
    }
}
