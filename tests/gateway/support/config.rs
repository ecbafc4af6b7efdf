//! The configuration of a test's gateway, as text: exactly what an operator would write.

use super::upstream::Upstream;
use std::path::Path;

#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The table `[upstream]` without its further lines. Empty: there is none.
    upstream: String,
    upstream_more: String,
    store_more: String,
    top: String,
    reload: String,
    listen: String,
    plans: Vec<(String, String)>,
    sections: String,
    abuse: String,
    document: Option<String>,
    public_url: Option<String>,
    /// The tests' clients use HTTPS.
    over_tls: bool,
}

impl Config {
    /// A gateway before this upstream: any path, any key, plan `free` with limits that are never reached.
    pub(crate) fn of(upstream: &Upstream) -> Self {
        Self::of_url(&upstream.url())
    }

    pub(crate) fn of_url(url: &str) -> Self {
        Self {
            upstream: format!("[upstream]\nurl = \"{url}\"\n"),
            upstream_more: String::new(),
            store_more: String::new(),
            top: String::new(),
            // Tests reload explicitly: a watched file may be read before they do.
            reload: "on_signal".into(),
            listen: "address = \"127.0.0.1:0\"\nthreads = 2\n".into(),
            plans: vec![("free".into(), "\"1000000 per day\", \"9000000 per month\"".into())],
            sections: String::new(),
            document: None,
            public_url: Some("https://api.example.com".to_owned()),
            over_tls: std::env::var_os("FAIRGATE_TEST_TLS").is_some(),
            // Tests cause many errors on purpose; those of the guard itself turn it on.
            abuse: "errors_per_key = \"off\"\nerrors_per_address = \"off\"\n".into(),
        }
    }

    /// A gateway before several addresses, each with its weight.
    pub(crate) fn of_addresses(addresses: &[(String, u32)]) -> Self {
        let list: Vec<String> = addresses
            .iter()
            .map(|(url, weight)| format!("{{ url = \"{url}\", weight = {weight} }}"))
            .collect();
        Self { upstream: format!("[upstream]\naddresses = [{}]\n", list.join(", ")), ..Self::of_url("") }
    }

    /// A gateway before services alone.
    pub(crate) fn of_services(services: &str) -> Self {
        Self { upstream: String::new(), ..Self::of_url("") }.section(services)
    }

    /// A line at the top of the file.
    pub(crate) fn top(mut self, line: &str) -> Self {
        self.top.push_str(line);
        self.top.push('\n');
        self
    }

    /// The files are watched.
    pub(crate) fn watched(self) -> Self {
        Self { reload: "on_change".into(), ..self }
    }

    /// The API's OpenAPI document, in the folder of the file.
    pub(crate) fn document(self, text: &str) -> Self {
        Self { document: Some(text.to_owned()), ..self }.top("openapi = \"openapi.yaml\"")
    }

    pub(crate) fn document_text(&self) -> Option<&str> {
        self.document.as_deref()
    }

    pub(crate) fn public_url(self, url: Option<&str>) -> Self {
        Self { public_url: url.map(str::to_owned), ..self }
    }

    /// Makes the tests' clients use HTTPS. `FAIRGATE_TEST_TLS=1` does so for all tests.
    pub(crate) fn over_tls(self) -> Self {
        Self { over_tls: true, ..self }
    }

    pub(crate) const fn is_over_tls(&self) -> bool {
        self.over_tls
    }

    /// The only limits of a plan.
    pub(crate) fn plan(mut self, name: &str, limits: &[&str]) -> Self {
        let limits: Vec<String> = limits.iter().map(|limit| format!("{limit:?}")).collect();
        self.plans.retain(|(known, _)| known != name);
        self.plans.push((name.to_owned(), limits.join(", ")));
        self
    }

    pub(crate) fn listen(mut self, lines: &str) -> Self {
        self.listen = format!("{lines}\n");
        self
    }

    /// A further line of `[upstream]`.
    pub(crate) fn upstream(mut self, line: &str) -> Self {
        self.upstream_more.push_str(&format!("{line}\n"));
        self
    }

    /// A further line of `[store]`.
    pub(crate) fn store(mut self, line: &str) -> Self {
        self.store_more = format!("{line}\n");
        self
    }

    pub(crate) fn abuse(mut self, lines: &str) -> Self {
        self.abuse = format!("{lines}\n");
        self
    }

    /// Whole tables, at the end of the file.
    pub(crate) fn section(mut self, text: &str) -> Self {
        self.sections.push_str(text);
        self.sections.push('\n');
        self
    }

    pub(crate) fn endpoint(self, method: &str, path: &str, more: &str) -> Self {
        self.section(&format!("[[endpoints]]\nmethod = \"{method}\"\npath = \"{path}\"\n{more}"))
    }

    /// A parameter of the endpoint before it.
    pub(crate) fn parameter(self, place: &str, name: &str, more: &str) -> Self {
        self.section(&format!("[[endpoints.parameters]]\nin = \"{place}\"\nname = \"{name}\"\n{more}"))
    }

    /// The file, with the folders of the store and of the shared memory.
    pub(crate) fn text(&self, store: &Path, memory: &Path) -> String {
        let plans: String = self
            .plans
            .iter()
            .map(|(name, limits)| format!("[plans.{name}]\nlimits = [{limits}]\n"))
            .collect();
        let memory = if self.store_more.contains("shared_memory =") {
            String::new()
        } else {
            format!("shared_memory = {memory:?}\n")
        };
        let tls = if self.over_tls && !self.sections.contains("[tls]") {
            "[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\n"
        } else {
            ""
        };
        format!(
            "{top}\nreload = {reload:?}\n[api]\nname = \"Items\"\nsupport_email = \"help@example.com\"\n\
             {public_url}[listen]\n{listen}{upstream}{more}\
             [store]\npath = {store:?}\n{memory}{store_more}[log]\nrequests = \"all\"\n[abuse]\n{abuse}{plans}{tls}{sections}",
            top = self.top,
            public_url =
                self.public_url.iter().map(|url| format!("public_url = {url:?}\n")).collect::<String>(),
            reload = self.reload,
            listen = self.listen,
            upstream = self.upstream,
            more = self.upstream_more,
            store_more = self.store_more,
            abuse = self.abuse,
            sections = self.sections,
        )
    }
}
