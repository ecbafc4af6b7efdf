//! Maintenance windows, as the data plane sees them.

use std::fmt;

/// A maintenance window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The message for clients. Empty: a default one.
    pub message: String,
    /// Its first Unix second.
    pub from: u64,
    /// Its end as a Unix second, if known.
    pub until: Option<u64>,
    /// IDs of keys that are let through, so that operators can test.
    pub pass: Vec<String>,
    /// The endpoints that it applies to. Empty: all.
    pub endpoints: Vec<Pattern>,
}

/// Endpoints of a window: a method, or all methods, and a path in which `{name}` matches one
/// segment and `*` at the end matches the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    method: Option<String>,
    path: String,
}

// === impl Window ===

impl Window {
    /// Whether it is in force.
    pub fn holds(&self, now: u64) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    pub(crate) fn lets_through(&self, key_id: &str) -> bool {
        self.pass.iter().any(|id| id == key_id)
    }
}

// === impl Pattern ===

impl Pattern {
    /// Parses patterns such as `GET /items/{id}` and `/items/*`.
    ///
    /// # Errors
    /// What is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (method, path) = match text.trim().split_once(' ') {
            Some((method, path)) => (Some(method), path.trim()),
            None => (None, text.trim()),
        };
        let is_method =
            |method: &str| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if method.is_some_and(|method| !is_method(method)) {
            return Err("write the method in upper case, as in `GET /items/{id}`".into());
        }
        if !path.starts_with('/') || path.contains(char::is_whitespace) || path.contains(['?', '#']) {
            return Err(
                "a path begins with a slash and has no query, as in `GET /items/{id}` or `/items/*`".into()
            );
        }
        let is_at_the_end = |place: usize| place + 1 == path.len() && path.ends_with("/*");
        if path.find('*').is_some_and(|place| !is_at_the_end(place) && !path.contains("{*")) {
            return Err("`*` is allowed only at the end, after a slash, as in `/items/*`".into());
        }
        Ok(Self { method: method.map(str::to_owned), path: path.to_owned() })
    }

    /// Whether it applies to this method. GET includes HEAD.
    pub(crate) fn takes(&self, method: &str) -> bool {
        let wanted = self.method.as_deref().unwrap_or(method);
        wanted == method || (wanted == "GET" && method == "HEAD")
    }

    /// Whether it is this template, whatever the names in it.
    pub(crate) fn is(&self, template: &str) -> bool {
        let plain = |segment: &str| if is_name(segment) { "{}".to_owned() } else { segment.to_owned() };
        self.path.split('/').map(plain).eq(template.split('/').map(plain))
    }

    /// Whether a path matches, segment by segment.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        for wanted in self.path.split('/') {
            let Some(segment) = segments.next() else { return false };
            if wanted == "*" || wanted.starts_with("{*") {
                return !segment.is_empty() || segments.next().is_some();
            }
            let fits = wanted == segment || (is_name(wanted) && !segment.is_empty());
            if !fits {
                return false;
            }
        }
        segments.next().is_none()
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

fn is_name(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}') && !segment.starts_with("{*")
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.method {
            Some(method) => write!(out, "{method} {}", self.path),
            None => out.write_str(&self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_with_its_first_second_and_is_over_with_the_second_of_its_end() {
        let window =
            |until| Window { message: String::new(), from: 100, until, pass: vec![], endpoints: vec![] };
        for (now, holds) in [(99, false), (100, true), (159, true), (160, false), (161, false)] {
            assert_eq!(window(Some(160)).holds(now), holds, "{now}");
        }
        assert!(window(None).holds(u64::MAX) && !window(None).holds(99));
        assert!(!window(Some(100)).holds(100), "a window of no length is never in force");
    }

    #[test]
    fn a_pattern_takes_its_method_and_the_paths_that_fit() {
        let fits = |pattern: &str, method: &str, path: &str| {
            let pattern = Pattern::parse(pattern).unwrap();
            pattern.takes(method) && pattern.fits(path)
        };
        for (pattern, method, path, expected) in [
            ("GET /items/{id}", "GET", "/items/7", true),
            ("GET /items/{id}", "HEAD", "/items/7", true),
            ("GET /items/{id}", "POST", "/items/7", false),
            ("HEAD /items/{id}", "GET", "/items/7", false),
            ("/items/{id}", "DELETE", "/items/7", true),
            ("/items/{id}", "GET", "/items", false),
            ("/items/{id}", "GET", "/items/", false),
            ("/items/{id}", "GET", "/items/7/parts", false),
            ("/items/*", "GET", "/items/7/parts", true),
            ("/items/*", "GET", "/items/7", true),
            ("/items/*", "GET", "/items", false),
            ("/items/*", "GET", "/itemsets/7", false),
            ("/{shop}/items/*", "GET", "/a/items/7", true),
            ("/*", "GET", "/anything", true),
            ("/items", "GET", "/items", true),
            ("/items", "GET", "/items/7", false),
        ] {
            assert_eq!(fits(pattern, method, path), expected, "{pattern} and {method} {path}");
        }
        assert!(Pattern::parse("/items/{id}").unwrap().is("/items/{number}"));
        assert!(!Pattern::parse("/items/{id}").unwrap().is("/items/special"));
        for wrong in ["", "items", "get /items", "GET", "/a?b=c", "/a*/b", "/a/*/b", "GET /a b"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
