//! Routing: from a path to the endpoint, and from an old path to the new one.

use crate::{
    config::{endpoint_ids::EndpointIds, maintenance::Pattern},
    settings::{Endpoint, Endpoints, Moved, NamedEndpoint},
};
use std::collections::BTreeMap;
use wayfind::{Router, RouterBuilder};

/// The endpoints and moved paths, prepared for matching.
pub(crate) struct Routes {
    paths: Router<PathEntry>,
    /// None if no path has moved: every request would search it, and few APIs have any.
    moved: Option<Router<MovedEntry>>,
    endpoints: Vec<Endpoint>,
    /// The usage ID of each endpoint.
    endpoint_ids: Vec<u32>,
    /// No endpoints are declared: every path is one.
    open: bool,
}

/// All endpoints of a path template.
struct PathEntry {
    template: String,
    /// Method and position of each endpoint.
    methods: Vec<(String, usize)>,
}

struct MovedEntry {
    names: Vec<String>,
    to: String,
}

/// A template that cannot be routed.
#[derive(Debug, thiserror::Error)]
#[error("the path `{template}` cannot be routed: {reason}")]
pub struct BadTemplate {
    /// The template.
    pub template: String,
    /// The router's reason.
    pub reason: String,
}

/// The result of routing.
pub(crate) enum Route<'r> {
    /// No endpoints are declared, so every path is one.
    Open,
    /// An endpoint, and its usage ID.
    Endpoint(&'r Endpoint, u32),
    /// The path exists, but only with these methods.
    OtherMethods(String),
    Nothing,
}

impl Routes {
    pub(crate) fn new(
        endpoints: Endpoints,
        moved: &[Moved],
        endpoint_ids: &EndpointIds,
    ) -> Result<Self, BadTemplate> {
        let (open, endpoints) = match endpoints {
            Endpoints::AnyPath => (true, Vec::new()),
            Endpoints::Declared(endpoints) => (false, endpoints),
        };
        let mut entries: BTreeMap<String, PathEntry> = BTreeMap::new();
        for (position, endpoint) in endpoints.iter().enumerate() {
            let (pattern, _) = translate(&endpoint.path);
            let new = || PathEntry { template: endpoint.path.clone(), methods: Vec::new() };
            let entry = entries.entry(pattern).or_insert_with(new);
            entry.methods.push((endpoint.method.clone(), position));
        }
        let paths =
            build(entries.into_iter().map(|(pattern, entry)| (entry.template.clone(), pattern, entry)))?;
        let moved_paths = moved.iter().map(|moved| {
            let (pattern, names) = translate(&moved.from);
            (moved.from.clone(), pattern, MovedEntry { names, to: moved.to.clone() })
        });
        let moved = if moved.is_empty() { None } else { Some(build(moved_paths)?) };
        let endpoint_ids = endpoints.iter().map(|one| endpoint_ids.number(&one.method, &one.path)).collect();
        Ok(Self { paths, moved, open, endpoints, endpoint_ids })
    }

    /// Routes `method` and `path`. GET includes HEAD.
    pub(crate) fn find(&self, method: &str, path: &str) -> Route<'_> {
        if self.open {
            return Route::Open;
        }
        let Some(found) = self.paths.search(path) else { return Route::Nothing };
        let entry = found.data();
        let with = |wanted: &str| entry.methods.iter().find(|(known, _)| known == wanted);
        let position = with(method).or_else(|| if method == "HEAD" { with("GET") } else { None });
        let found = position.and_then(|(_, position)| {
            Some((self.endpoints.get(*position)?, *self.endpoint_ids.get(*position)?))
        });
        match found {
            Some((endpoint, place)) => Route::Endpoint(endpoint, place),
            None => Route::OtherMethods(allowed(entry)),
        }
    }

    /// The template that matches a path.
    pub(crate) fn template_of(&self, path: &str) -> Option<&str> {
        Some(self.paths.search(path)?.data().template.as_str())
    }

    /// Whether a pattern matches any endpoint. If none are declared, it does.
    pub(crate) fn has_any_of(&self, pattern: &Pattern) -> bool {
        let fits = |path: &str| pattern.is(path) || pattern.fits(path);
        self.open || self.endpoints.iter().any(|one| pattern.takes(&one.method) && fits(&one.path))
    }

    /// The endpoints that are named operations.
    pub(crate) fn operations(&self) -> Vec<NamedEndpoint> {
        let named = |endpoint: &Endpoint| {
            let operation = endpoint.operation.clone()?;
            Some(NamedEndpoint { operation, method: endpoint.method.clone(), path: endpoint.path.clone() })
        };
        self.endpoints.iter().filter_map(named).collect()
    }

    /// The values of the template's parameters in this path, still percent-encoded.
    pub(crate) fn parameters<'p>(&self, path: &'p str) -> Vec<&'p str> {
        self.paths
            .search(path)
            .map(|found| found.parameters().iter().map(|(_, value)| *value).collect())
            .unwrap_or_default()
    }

    /// Whether an endpoint is declared with the slash that this path ends in.
    pub(crate) fn keeps_slash(&self, path: &str) -> bool {
        !self.open && self.paths.search(path).is_some_and(|found| found.data().template.ends_with('/'))
    }

    /// The new location of a path that has moved.
    pub(crate) fn moved_to(&self, path: &str) -> Option<String> {
        let found = self.moved.as_ref()?.search(path)?;
        let entry = found.data();
        Some(fill(&entry.to, &entry.names, found.parameters().iter().map(|(_, value)| *value)))
    }

    /// The new location of an endpoint that has moved, for this path.
    pub(crate) fn filled(&self, endpoint: &Endpoint, to: &str, path: &str) -> String {
        fill(to, &translate(&endpoint.path).1, self.parameters(path).into_iter())
    }
}

/// A template with its parameters replaced by values.
fn fill<'v>(template: &str, names: &[String], values: impl Iterator<Item = &'v str>) -> String {
    let mut filled = template.to_owned();
    for (name, value) in names.iter().zip(values) {
        for stars in ["", "*", "**"] {
            filled = filled.replace(&format!("{{{stars}{name}}}"), value);
        }
    }
    filled
}

fn allowed(entry: &PathEntry) -> String {
    let mut methods: Vec<&str> = entry.methods.iter().map(|(method, _)| method.as_str()).collect();
    if methods.contains(&"GET") && !methods.contains(&"HEAD") {
        methods.push("HEAD");
    }
    methods.join(", ")
}

/// A template in the router's own syntax, with parameters replaced by their position (the router
/// allows fewer characters in names than OpenAPI), and the names.
fn translate(template: &str) -> (String, Vec<String>) {
    let (mut pattern, mut names) = (String::new(), Vec::new());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        pattern.push_str(before);
        match name.strip_prefix('*') {
            Some(_) => pattern.push_str(&format!("<*p{}>", names.len())),
            None => pattern.push_str(&format!("<p{}>", names.len())),
        }
        names.push(name.trim_start_matches('*').to_owned());
        rest = after;
    }
    pattern.push_str(rest);
    (pattern, names)
}

fn build<T>(rows: impl Iterator<Item = (String, String, T)>) -> Result<Router<T>, BadTemplate> {
    let mut builder = RouterBuilder::new();
    for (template, pattern, data) in rows {
        let inserted = builder.insert(&pattern, data);
        inserted.map_err(|error| BadTemplate { template, reason: error.to_string() })?;
    }
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(method: &str, path: &str) -> Endpoint {
        Endpoint {
            method: method.into(),
            path: path.into(),
            permissions: vec![],
            public: false,
            cost: 1,
            cost_header: None,
            group: None,
            max_body: None,
            access: Default::default(),
            rules: None,
            moved_to: None,
            deprecated: None,
            operation: None,
            service: None,
            summary: String::new(),
            tag: String::new(),
            takes: Default::default(),
        }
    }

    fn template<'r>(routes: &'r Routes, method: &str, path: &str) -> &'r str {
        match routes.find(method, path) {
            Route::Endpoint(endpoint, _) => &endpoint.path,
            Route::OtherMethods(_) => "other methods",
            Route::Open => "open",
            Route::Nothing => "nothing",
        }
    }

    #[test]
    fn concrete_paths_win_over_templates_and_extensions_are_matched() {
        let routes = Routes::new(
            Endpoints::Declared(vec![
                endpoint("GET", "/items/{item-id}"),
                endpoint("GET", "/items/new"),
                endpoint("GET", "/items/{id}/parts/{part}"),
                endpoint("GET", "/files/{name}.{ext}"),
                endpoint("POST", "/items"),
                endpoint("GET", "/simple/"),
                endpoint("GET", "/raw/{*rest}"),
            ]),
            &[],
            &EndpointIds::default(),
        )
        .unwrap();
        for (method, path, expected) in [
            ("GET", "/items/new", "/items/new"),
            ("GET", "/items/newer", "/items/{item-id}"),
            ("HEAD", "/items/7", "/items/{item-id}"),
            ("GET", "/items/new/parts/2", "/items/{id}/parts/{part}"),
            ("GET", "/files/a.b.txt", "/files/{name}.{ext}"),
            ("GET", "/raw/a/b/c", "/raw/{*rest}"),
            ("GET", "/items", "other methods"),
            ("GET", "/items/", "nothing"),
            ("GET", "/items/7/x", "nothing"),
            ("GET", "/", "nothing"),
        ] {
            assert_eq!(template(&routes, method, path), expected, "{method} {path}");
        }
        assert_eq!(routes.parameters("/items/7/parts/8"), ["7", "8"]);
        assert!(
            routes.keeps_slash("/simple/")
                && !routes.keeps_slash("/raw/a/")
                && !routes.keeps_slash("/items/7/")
        );
        assert!(
            matches!(routes.find("DELETE", "/items/7"), Route::OtherMethods(allow) if allow == "GET, HEAD")
        );
    }

    #[test]
    fn only_where_nothing_declares_endpoints_every_path_is_one() {
        let open = Routes::new(Endpoints::AnyPath, &[], &EndpointIds::default()).unwrap();
        let closed = Routes::new(Endpoints::Declared(vec![]), &[], &EndpointIds::default()).unwrap();
        for (method, path) in [("GET", "/"), ("GET", "/a"), ("DELETE", "/a/b/"), ("PURGE", "/%20")] {
            assert_eq!(template(&open, method, path), "open", "{method} {path}");
            assert_eq!(template(&closed, method, path), "nothing", "{method} {path}");
        }
        assert!(!closed.keeps_slash("/a/"));
    }

    #[test]
    fn an_old_path_leads_to_the_new_one_with_its_values() {
        let moved = Moved { from: "/old/{a}/{b}".into(), to: "/new/{b}/{a}".into() };
        let routes = Routes::new(Endpoints::default(), &[moved], &EndpointIds::default()).unwrap();
        assert_eq!(routes.moved_to("/old/1/2%2F"), Some("/new/2%2F/1".into()));
        assert_eq!(routes.moved_to("/new/1/2"), None);
    }

    #[test]
    fn a_template_that_cannot_be_routed_is_reported() {
        let routes = |endpoints| Routes::new(Endpoints::Declared(endpoints), &[], &EndpointIds::default());
        assert!(routes(vec![endpoint("GET", "/{a}{b}")]).is_err());
        assert!(routes(vec![endpoint("GET", "/{a}"), endpoint("POST", "/{b}")]).is_ok());
    }
}
