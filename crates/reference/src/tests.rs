//! What holds for all pages: every code has every part, no link is dead, all forms have the same content, and text of
//! the operator is never markup.

use crate::*;
use contract::{Calendar, ErrorCode, Limit, RedirectStatus, Statuses, status::ExtraStatus};
use serde_json::Value;
use std::{collections::HashSet, sync::Arc, time::Duration};

const NAME: &str = "<b>\"Items\" & Söhne</b> | *x* `y`";
const MESSAGE: &str = "We <i>move</i> | [x](javascript:y) & more";

fn endpoint(method: &str, path: &str) -> Endpoint {
    Endpoint { method: method.into(), path: path.into(), cost: 1, ..Endpoint::default() }
}

fn limits(texts: &[&str]) -> Vec<Limit> {
    let mut zone = |name: &str| Some(Arc::new(Calendar::new(name, Vec::new())));
    texts.iter().map(|text| Limit::parse(text, &mut zone).unwrap()).collect()
}

fn check(place: Place, name: &str, example: &str, wrong: Option<(&str, &str)>) -> Check {
    let wrong = wrong.map(|(value, message)| Wrong { value: value.into(), message: message.into() });
    Check { place, name: name.into(), required: true, rule: "a rule".into(), example: example.into(), wrong }
}

fn reference() -> Reference {
    let checks = vec![
        check(Place::Query, "limit", "5", Some(("0", "Must be at least 1, but is 0."))),
        check(Place::Header, "X-Store", "north", Some(("?", "It must match."))),
    ];
    let body = Takes { media_types: vec!["application/json".into()], checks_body: true, ..Takes::default() };
    let sets = vec![vec!["items:read".into(), "audit".into()], vec!["admin".into()]];
    Reference {
        name: NAME.into(),
        support_email: Some("help@example.com".into()),
        public_url: "https://api.example.com/v1".into(),
        local_url: "http://127.0.0.1:1".into(),
        docs_path: "/_docs".into(),
        limits_path: "/_limits".into(),
        statuses: Statuses::Fairgate,
        extra_codes: ExtraStatus::ALL.to_vec(),
        redirects_slashes: true,
        redirects_to_https: true,
        redirect_status: RedirectStatus::PermanentRedirect,
        key_headers: vec!["X-API-Key".into()],
        key_pattern: Some("[a-z]{9}".into()),
        plans: vec![Plan {
            name: "free".into(),
            limits: limits(&[
                "1000 per day in Europe/Berlin",
                "20 per second",
                "9000 per rolling 15 minutes",
                "10 per second, burst 5000 for search",
                "20 at once",
                "10000 in all",
                "70000 per month",
            ]),
        }],
        address_limits: limits(&["60 per minute", "600 per rolling hour"]),
        endpoints: vec![
            Endpoint {
                permissions: sets,
                summary: MESSAGE.into(),
                tag: "Items".into(),
                ..endpoint("GET", "/items/{id}")
            },
            Endpoint {
                takes: Takes { checks, ..body }.into(),
                max_body: Some(7),
                cost: 50,
                reports_cost: true,
                group: Some("search".into()),
                ..endpoint("POST", "/items")
            },
            Endpoint { public: true, ..endpoint("GET", "/health") },
            Endpoint {
                deprecated: Some(Deprecation { since: Some(1_795_392_000) }),
                ..endpoint("GET", "/old")
            },
            Endpoint { moved_to: Some("/archive/{id}".into()), ..endpoint("DELETE", "/items/{id}") },
        ],
        any_path: false,
        moved: vec![Moved { from: "/was/{id}".into(), to: "/items/{id}".into() }],
        ceilings: Ceilings { per_key: Some(6000), per_address: None },
        sizes: Sizes { head: 32 << 10, body: 10 << 20 },
        times: Times {
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            first_byte: Duration::from_secs(30),
        },
        has_openapi: true,
    }
}

fn live() -> Live {
    let window = Window { message: MESSAGE.into(), from: 2_000, until: Some(3_000), endpoints: vec![] };
    let over = Window { message: "This one is over.".into(), from: 10, until: Some(20), endpoints: vec![] };
    Live { windows: vec![window, over], now: 1_000 }
}

fn all(site: &Site) -> Vec<(Address, [String; 3])> {
    site.addresses().map(|at| (at, Format::ALL.map(|format| site.page(at, format, &live())))).collect()
}

/// Every text and number of a JSON value but for links, which each form writes in its own way.
fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => found.push(number.to_string()),
        Value::String(text) => found.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|one| leaves(one, found)),
        Value::Object(all) => {
            let texts = all.iter().filter(|(name, _)| *name != "page" && *name != "next");
            texts.for_each(|(_, one)| leaves(one, found));
        }
    }
}

/// Markdown without the targets of its links.
fn without_links(markdown: &str) -> String {
    let parts = markdown.split("](<").enumerate();
    parts.map(|(at, part)| if at == 0 { part } else { part.split_once(">)").unwrap().1 }).collect()
}

#[test]
fn every_code_has_every_part_in_every_form() {
    let site = Site::new(reference());
    for code in ErrorCode::ALL {
        let [html, markdown, json] =
            Format::ALL.map(|format| site.page(Address::Code(code), format, &live()));
        for part in ["What to do", "When it occurs", "Example", "Who can fix it", "Effect on your limits"] {
            assert!(html.contains(&format!("{part}</h2>")), "{}: {part}", code.name());
            assert!(markdown.contains(&format!("## {part}\n\n")), "{}: {part}", code.name());
        }
        assert!(html.contains("curl --include") && markdown.contains("curl --include"), "{}", code.name());
        let json: Value = serde_json::from_str(&json).unwrap();
        assert!(!json["when"].as_array().unwrap().is_empty(), "{}", code.name());
        assert_eq!(json["example"]["body"]["error"]["code"], code.name());
        assert_eq!(json["example"]["problem"]["status"], json["example"]["body"]["error"]["http_code"]);
        let check = json["example"]["body"]["error"]["check"].as_str().unwrap();
        let path = check.strip_prefix("https://api.example.com/v1/_docs").unwrap();
        assert_eq!(site.find(path), Some(Found { address: Address::Code(code), format: None }));
    }
}

#[test]
fn the_example_of_a_rate_has_the_headers_that_a_denial_has() {
    let plans = vec![Plan { name: "free".into(), limits: limits(&["30 per minute, burst 10"]) }];
    let site = Site::new(Reference { plans, ..reference() });
    let page = site.page(Address::Code(ErrorCode::RateExceeded), Format::Markdown, &live());
    for header in [
        "Retry-After: 2",
        "X-Rate-Limit-Limit: 10",
        "X-Rate-Limit-Reset: 20",
        "RateLimit-Policy: \"minute-burst\";q=10;w=20",
    ] {
        assert!(page.contains(header), "{header}: {page}");
    }
}

#[test]
fn markdown_and_json_have_the_same_content() {
    let site = Site::new(reference());
    let bare = |text: &str| text.replace(['\\', '`', '*', '[', ']'], "").replace(char::is_whitespace, "");
    for (address, [_, markdown, json]) in all(&site) {
        let markdown = bare(&without_links(&markdown));
        let mut found = Vec::new();
        leaves(&serde_json::from_str(&json).unwrap(), &mut found);
        let numbers_alone = markdown.replace(',', "");
        for leaf in found.iter().filter(|leaf| !leaf.starts_with("/_docs") && !leaf.starts_with("/v1/_docs"))
        {
            // Markdown shows times and links in words, and marks what JSON has plainly.
            let is_shown = markdown.contains(&bare(leaf)) || numbers_alone.contains(&bare(leaf));
            let is_time = leaf.ends_with('Z') && leaf.contains('T');
            let is_page = [Address::Endpoints(1), Address::Limits].contains(&address) && leaf.len() < 8;
            assert!(is_shown || is_time || is_page, "{address:?} does not show {leaf:?}");
        }
    }
}

#[test]
fn text_of_the_operator_is_never_markup() {
    for (address, [html, markdown, json]) in all(&Site::new(reference())) {
        assert!(!html.contains("<b>") && !html.contains("<i>move"), "{address:?}");
        // Within fences nothing is markup.
        let markdown: String = markdown.split("```").step_by(2).collect();
        assert!(!markdown.contains("# <b>") && !markdown.contains(" <i>"), "{address:?}");
        assert!(!markdown.contains(" [x]("), "{address:?}");
        assert!(serde_json::from_str::<Value>(&json).is_ok());
    }
}

#[test]
fn no_link_of_an_export_is_dead_and_all_are_relative() {
    let site = Site::new(Reference { has_openapi: false, ..reference() });
    let live = live();
    let files: Vec<File> = site.export(&live).collect();
    let known: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(known, site.file_names().collect::<Vec<_>>().iter().map(String::as_str).collect());
    for file in files.iter().filter(|file| file.path.ends_with(".html")) {
        for link in file.text.split("href=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0) {
            if link.starts_with('#') || link.starts_with("mailto:") {
                continue;
            }
            let depth = file.path.matches('/').count();
            let target =
                link.strip_prefix(&"../".repeat(depth)).unwrap_or_else(|| panic!("{}: {link}", file.path));
            assert!(known.contains(target.split('#').next().unwrap()), "{}: {link}", file.path);
        }
    }
}

#[test]
fn many_endpoints_are_dealt_out_to_pages_and_none_is_lost() {
    let endpoints = (0..20_000).map(|number| Endpoint {
        tag: format!("Group {}", number % 7),
        ..endpoint("GET", &format!("/things/{number}/parts"))
    });
    let site = Site::new(Reference { endpoints: endpoints.collect(), ..reference() });
    let mut seen = HashSet::new();
    let mut next = Some("/v1/_docs/endpoints".to_owned());
    while let Some(path) = next {
        let found = site.find(path.strip_prefix("/v1/_docs").unwrap()).unwrap();
        let page: Value = serde_json::from_str(&site.page(found.address, Format::Json, &live())).unwrap();
        for group in page["groups"].as_array().unwrap() {
            for endpoint in group["endpoints"].as_array().unwrap() {
                assert!(seen.insert(endpoint["path"].as_str().unwrap().to_owned()));
            }
        }
        assert!(site.page(found.address, Format::Html, &live()).len() < 200_000);
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen.len(), 20_000);
    assert_eq!(site.find("/endpoints/101"), None);
    assert_eq!(site.find("/endpoints/1"), None);
    assert_eq!(site.find("/endpoints/002"), None);
}

#[test]
fn paths_are_found_with_and_without_slashes_and_suffixes() {
    let site = Site::new(reference());
    let at = |path: &str| site.find(path).map(|found| (found.address, found.format));
    for index in ["", "/", "/index", "/errors", "/errors/"] {
        assert_eq!(at(index), Some((Address::Index, None)), "{index}");
    }
    assert_eq!(at("/index.md"), Some((Address::Index, Some(Format::Markdown))));
    assert_eq!(at("/limits.json/"), Some((Address::Limits, Some(Format::Json))));
    for nothing in ["/nothing", "/errors/NO_SUCH", "/errors/key_not_set", "/endpoints/", "/limits.txt"] {
        assert_eq!(at(nothing).filter(|_| nothing != "/endpoints/"), None, "{nothing}");
    }
}

#[test]
fn a_window_that_is_over_is_not_listed() {
    let site = Site::new(reference());
    for address in [Address::Index, Address::Maintenance, Address::Code(ErrorCode::Maintenance)] {
        for format in Format::ALL {
            let page = site.page(address, format, &live());
            assert!(
                page.contains("1970-01-01") && !page.contains("This one is over."),
                "{address:?} {format:?}"
            );
        }
        let calm = site.page(address, Format::Markdown, &Live::default());
        assert!(!calm.contains("1970-01-01"), "{calm}");
    }
}
