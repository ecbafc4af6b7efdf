//! The gateway's own pages: one for each error code, so that every `check` link leads somewhere,
//! and the standing of a key's limits.

use crate::{
    http1::field::RequestField,
    keyring::KnownKey,
    refusal::{Refusal, Refused},
    visit::Visit,
};
use ::limits::HasAccount;
use contract::{ErrorCode, Status, registry::Owner};
use serde_json::json;

/// A page that was found.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

#[derive(Clone, Copy)]
enum Format {
    Html,
    Markdown,
    Json,
}

const STYLE: &str = include_str!("pages.css");

/// The page of a path under the docs' prefix. None: the path is not ours.
pub(crate) fn find(visit: &Visit<'_>) -> Result<Option<Page>, Refused> {
    let Some(rest) = visit.head.path().strip_prefix(visit.shared.docs_path.as_str()) else { return Ok(None) };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Ok(None);
    }
    if !matches!(visit.head.method(), "GET" | "HEAD") {
        let mut refused = Refusal::new(
            ErrorCode::MethodNotAvailable,
            "The documentation can only be read: use GET or HEAD.",
        );
        refused.allow = Some("GET, HEAD".to_owned());
        return Err(refused);
    }
    let rest = rest.trim_matches('/');
    let (name, format) = format(visit, rest);
    if name.is_empty() || name == "errors" {
        return Ok(Some(index(visit, format)));
    }
    match name.strip_prefix("errors/").and_then(ErrorCode::from_name) {
        Some(code) => Ok(Some(of_code(visit, code, format))),
        None => Err(Refusal::new(
            ErrorCode::EndpointNotFound,
            "There is no such page in the documentation; the list of error codes is at its beginning.",
        )),
    }
}

/// How the limits of a key stand.
pub(crate) fn limits(key: &KnownKey, now: u64) -> Page {
    let limits: Vec<_> = key
        .account()
        .standings(now)
        .map(|standing| {
            json!({
                "limit": standing.limit.to_string(),
                "amount": standing.limit.amount,
                "used": standing.limit.amount.saturating_sub(standing.remaining),
                "remaining": standing.remaining,
                "reset": standing.reset,
            })
        })
        .collect();
    let body = json!({ "success": true, "plan": key.plan(), "limits": limits });
    Page { content_type: "application/json", body: format!("{body}\n") }
}

fn format<'n>(visit: &Visit<'_>, name: &'n str) -> (&'n str, Format) {
    if let Some(name) = name.strip_suffix(".json") {
        return (name, Format::Json);
    }
    if let Some(name) = name.strip_suffix(".md") {
        return (name, Format::Markdown);
    }
    let accept = visit.head.value(RequestField::Accept).unwrap_or_default().to_ascii_lowercase();
    let names = |media_type: &str| memchr::memmem::find(&accept, media_type.as_bytes()).is_some();
    let format = match (names("text/html"), names("json"), names("text/markdown")) {
        (true, _, _) | (false, false, false) => Format::Html,
        (false, true, _) => Format::Json,
        (false, false, true) => Format::Markdown,
    };
    (name, format)
}

fn of_code(visit: &Visit<'_>, code: ErrorCode, format: Format) -> Page {
    let status = code.status().on_the_wire(visit.shared.settings.statuses);
    let limits = "Nothing. An error never changes what remains of your limits, nor when they reset.";
    match format {
        Format::Json => page_json(&json!({
            "code": code.name(), "http_code": status, "title": code.title(), "meaning": code.meaning(),
            "what_to_do": code.what_to_do(), "who_acts": who(code.owner()), "effect_on_limits": limits,
        })),
        Format::Markdown => Page {
            content_type: "text/markdown; charset=utf-8",
            body: format!(
                "# {status} {}\n\n{}\n\n## What to do\n\n{}\n\n## What it does to your limits\n\n{limits}\n",
                code.name(),
                code.meaning(),
                code.what_to_do()
            ),
        },
        Format::Html => html(
            visit,
            code.name(),
            &format!(
                "<p class=\"status\">{status}</p><h1>{}</h1><p class=\"lead\">{}</p>\
             <h2>What to do</h2><p>{}</p><h2>Who can act</h2><p>{}</p><h2>What it does to your limits</h2><p>{limits}</p>\
             <p><a href=\"{}/\">All error codes</a></p>",
                breakable(code.name()),
                escape(code.meaning()),
                escape(code.what_to_do()),
                who(code.owner()),
                escape(&visit.shared.docs_path)
            ),
        ),
    }
}

fn index(visit: &Visit<'_>, format: Format) -> Page {
    let statuses = visit.shared.settings.statuses;
    match format {
        Format::Json => {
            let codes: Vec<_> = codes(visit).map(|code| {
                json!({ "code": code.name(), "http_code": code.status().on_the_wire(statuses), "meaning": code.meaning() })
            }).collect();
            page_json(&json!({ "codes": codes }))
        }
        Format::Markdown => {
            let rows: String = codes(visit)
                .map(|code| {
                    format!(
                        "| {} | {} | {} |\n",
                        code.status().on_the_wire(statuses),
                        code.name(),
                        code.meaning()
                    )
                })
                .collect();
            Page {
                content_type: "text/markdown; charset=utf-8",
                body: format!("# Error codes\n\n| HTTP | code | meaning |\n|---|---|---|\n{rows}"),
            }
        }
        Format::Html => {
            let docs = escape(&visit.shared.docs_path);
            let rows: String = codes(visit).map(|code| {
                let (status, name) = (code.status().on_the_wire(statuses), code.name());
                format!("<tr><td>{status}</td><td><a href=\"{docs}/errors/{name}\">{}</a></td><td>{}</td></tr>", breakable(name), escape(code.meaning()))
            }).collect();
            html(
                visit,
                "Error codes",
                &format!(
                    "<h1>Error codes</h1><p class=\"lead\">Every answer that is not a success carries one of these codes. No error ever costs you anything.</p>\
                 <table><thead><tr><th scope=\"col\">HTTP</th><th scope=\"col\">Code</th><th scope=\"col\">Meaning</th></tr></thead><tbody>{rows}</tbody></table>"
                ),
            )
        }
    }
}

/// The codes that this API can answer with: of the extra ones, those that the operator added.
fn codes(visit: &Visit<'_>) -> impl Iterator<Item = ErrorCode> {
    let added = &visit.shared.settings.extra_codes;
    ErrorCode::ALL.into_iter().filter(move |code| match code.status() {
        Status::Extra(extra) => added.contains(&extra),
        Status::Moved
        | Status::NotValid
        | Status::NoPermission
        | Status::KeyRefused
        | Status::NotFound
        | Status::Unprocessable
        | Status::LimitExceeded
        | Status::Unexpected
        | Status::Unavailable => true,
    })
}

fn page_json(value: &serde_json::Value) -> Page {
    Page { content_type: "application/json", body: format!("{value}\n") }
}

fn html(visit: &Visit<'_>, title: &str, main: &str) -> Page {
    let api = escape(&visit.shared.settings.api.name);
    Page {
        content_type: "text/html; charset=utf-8",
        body: format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{} – {api}</title><style>{STYLE}</style></head>\
             <body><header>{api} API</header><main>{main}</main></body></html>\n",
            escape(title)
        ),
    }
}

const fn who(owner: Owner) -> &'static str {
    match owner {
        Owner::Client => "You, with another request.",
        Owner::Operator => "The operator of the API, who gives out keys and plans.",
        Owner::Upstream => "The team behind the API.",
    }
}

/// A code that may be broken over two lines, between its words only.
fn breakable(code: &str) -> String {
    code.replace('_', "_<wbr>")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
