//! Path templates: `/items/{id}`.

/// A path template, taken apart.
pub(super) struct Template {
    /// Its names, in order.
    pub(super) names: Vec<String>,
    /// Its text with each name taken out: templates of the same shape match the same paths.
    pub(super) shape: String,
}

impl Template {
    /// Takes a path apart.
    ///
    /// # Errors
    /// A sentence with its fault.
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let mut names: Vec<String> = Vec::new();
        let mut shape = String::with_capacity(path.len());
        let mut rest = path;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            shape.push_str(before);
            let Some(inner) = from.strip_prefix('{') else {
                return Err("The path has a } without a matching {.".to_owned());
            };
            let Some((name, behind)) = inner.split_once('}') else {
                return Err("The path has a { without a matching }.".to_owned());
            };
            if name.contains(['{', '/']) {
                return Err("The path has a { without a matching }.".to_owned());
            }
            if name.is_empty() {
                return Err("The path has a {} without a name.".to_owned());
            }
            // What takes the rest of the path matches more than what takes one segment.
            shape.push_str(if name.starts_with('*') { "{*}" } else { "{}" });
            names.push(name.to_owned());
            rest = behind;
        }
        shape.push_str(rest);
        Ok(Self { names, shape })
    }

    /// Whether nothing is between two names, so that nothing says where the first one ends.
    pub(super) fn has_neighbours(&self) -> bool {
        self.shape.contains("}{")
    }

    /// A duplicate name.
    pub(super) fn duplicate(&self) -> Option<&str> {
        let mut seen = std::collections::HashSet::new();
        self.names.iter().map(String::as_str).find(|name| !seen.insert(*name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_taken_apart() {
        for (path, names, shape) in [
            ("/", vec![], "/"),
            ("/items", vec![], "/items"),
            ("/items/{id}", vec!["id"], "/items/{}"),
            ("/{name}.{ext}", vec!["name", "ext"], "/{}.{}"),
            ("/a/{b}/c/{d}:act", vec!["b", "d"], "/a/{}/c/{}:act"),
            ("/a/{*b}", vec!["*b"], "/a/{*}"),
            // As Fastify writes its wildcard.
            ("/a/{*}", vec!["*"], "/a/{*}"),
        ] {
            let template = Template::parse(path).unwrap();
            assert_eq!(
                (template.names, template.shape.as_str()),
                (names.into_iter().map(Into::into).collect(), shape)
            );
        }
        for path in ["/{", "/}", "/{a", "/a}", "/{}", "/{a/b}", "/{a{b}}"] {
            assert!(Template::parse(path).is_err(), "{path}");
        }
        assert_eq!(Template::parse("/{a}/{b}/{a}").unwrap().duplicate(), Some("a"));
    }
}
