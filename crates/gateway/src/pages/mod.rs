//! The gateway's own pages: the reference of the API, so that every `check` link works, and the
//! state of a key's limits.

use crate::{
    client::compression,
    config::described,
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
        standings,
    },
    keyring::KnownKey,
    settings::{BaseUrl, DocumentText, ServedDocument},
};
use ::limits::Account;
use ::reference::Format;
use contract::{ErrorCode, Limit};
use http1::response::Coding;
use serde::{Serialize, Serializer};
use std::{borrow::Cow, sync::Arc};

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) content_type: &'static str,
    pub(crate) body: Body,
    /// Its `Cache-Control`.
    pub(crate) caching: &'static str,
    /// Its content is negotiated: the same path has several representations.
    pub(crate) is_negotiated: bool,
    /// The compression of the body.
    pub(crate) coding: Coding,
}

impl Page {
    /// Compresses the body, if allowed.
    pub(crate) fn compress(&mut self, context: &RequestContext<'_>) {
        let (coding, compressed) =
            compression::of_own(context, self.content_type, self.body.len(), || self.body.whole());
        self.coding = coding;
        if let Some(compressed) = compressed {
            self.body = Body::Bytes(compressed);
        }
    }
}

/// The content of a page.
#[derive(Debug)]
pub(crate) enum Body {
    /// Generated for this request.
    Made(String),
    /// The document as JSON, for the base URL that the client used. It may have many megabytes, so
    /// it is never copied.
    Json(Arc<ServedDocument>, BaseUrl),
    /// The document as YAML.
    Yaml(Arc<ServedDocument>, BaseUrl),
    /// Bytes generated for this request, or a compressed form of one of the others.
    Bytes(Vec<u8>),
}

impl Body {
    pub(crate) fn len(&self) -> usize {
        match self.parts() {
            Parts::One(bytes) => bytes.len(),
            Parts::Several(text, base) => text.len(base),
        }
    }

    /// The complete body. A document is copied for that.
    pub(crate) fn whole(&self) -> Cow<'_, [u8]> {
        match self.parts() {
            Parts::One(bytes) => Cow::Borrowed(bytes),
            Parts::Several(text, base) => Cow::Owned(text.pieces(base).collect::<Vec<_>>().concat()),
        }
    }

    /// Its parts, in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let (one, several) = match self.parts() {
            Parts::One(bytes) => (Some(bytes), None),
            Parts::Several(text, base) => (None, Some(text.pieces(base))),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }

    fn parts(&self) -> Parts<'_> {
        match self {
            Self::Made(text) => Parts::One(text.as_bytes()),
            Self::Json(document, base) => Parts::Several(&document.json, base),
            Self::Yaml(document, base) => Parts::Several(&document.yaml, base),
            Self::Bytes(bytes) => Parts::One(bytes),
        }
    }
}

enum Parts<'b> {
    One(&'b [u8]),
    Several(&'b DocumentText, &'b BaseUrl),
}

/// The page at a path below the docs prefix. None: the path is not ours.
pub(crate) fn find(context: &RequestContext<'_>) -> Result<Option<Page>, Refused> {
    let shared = context.shared;
    let Some(path) = context.head.path().strip_prefix(context.config.docs_path.as_str()) else {
        return Ok(None);
    };
    if !path.is_empty() && !path.starts_with('/') {
        return Ok(None);
    }
    if !matches!(context.head.method(), "GET" | "HEAD") {
        let mut refused =
            Refusal::new(ErrorCode::MethodNotAvailable, "The documentation is read-only: use GET or HEAD.");
        refused.allow = Some("GET, HEAD".to_owned());
        return Err(refused);
    }
    if let Some(page) = document(context, path) {
        return Ok(Some(page));
    }
    let published = &context.config.published;
    let Some(found) = published.site.find(path) else {
        return Err(Refusal::new(
            ErrorCode::EndpointNotFound,
            "The documentation has no such page; its first page lists all error codes.",
        ));
    };
    let accepted = || Format::accepted(context.head.accept().as_deref().unwrap_or_default());
    let format = found.format.unwrap_or_else(accepted);
    let live = described::live(&shared.maintenance.load(), context.now.seconds());
    Ok(Some(Page {
        content_type: format.content_type(),
        body: Body::Made(published.site.page(found.address, format, &live)),
        // Maintenance and the configuration change: a stored copy must be revalidated.
        caching: "no-cache",
        is_negotiated: found.format.is_none(),
        coding: Coding::Identity,
    }))
}

/// The response to an ACME challenge, which proves control of this host (RFC 8555 section 8.3).
pub(crate) fn challenge(context: &RequestContext<'_>) -> Option<Page> {
    let text = context.shared.challenges.text(context.head.path())?;
    Some(Page {
        content_type: "application/octet-stream",
        body: Body::Made(text),
        caching: "no-store",
        is_negotiated: false,
        coding: Coding::Identity,
    })
}

/// The API's document, if the path is its path and there is one.
fn document(context: &RequestContext<'_>, path: &str) -> Option<Page> {
    let document = context.config.published.document.as_ref()?;
    let base = || {
        let host = context.head.host();
        // Other characters allowed in a host would have to be escaped, differently in JSON and YAML.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte);
        let is_believed = !host.is_empty() && host.bytes().all(is_plain);
        let host = if is_believed { host.to_owned() } else { context.shared.address.to_string() };
        BaseUrl { scheme: context.scheme().name(), host }
    };
    let (content_type, body) = match path {
        "/openapi.json" => ("application/json", Body::Json(Arc::clone(document), base())),
        "/openapi.yaml" => ("application/yaml", Body::Yaml(Arc::clone(document), base())),
        _ => return None,
    };
    Some(Page { content_type, body, caching: "no-cache", is_negotiated: false, coding: Coding::Identity })
}

/// The state of the limits of a key at `now` (Unix milliseconds).
pub(crate) fn limits(context: &RequestContext<'_>, key: &KnownKey) -> Page {
    let now = context.now.millis;
    let (account, grant) = (key.account(now), key.grant());
    let page = LimitsPage { success: true, plan: grant.plan(), limits: Rows { context, account: &account } };
    let mut body = Vec::with_capacity(1024);
    // Writing into a Vec cannot fail, and numbers and texts are always valid JSON.
    let _ = serde_json::to_writer(&mut body, &page);
    body.push(b'\n');
    Page {
        content_type: "application/json",
        body: Body::Bytes(body),
        caching: "no-store",
        is_negotiated: false,
        coding: Coding::Identity,
    }
}

/// The body of `/_limits`, written directly from the account: clients poll it, so it must be cheap.
#[derive(Serialize)]
struct LimitsPage<'a> {
    success: bool,
    plan: &'a str,
    limits: Rows<'a>,
}

struct Rows<'a> {
    context: &'a RequestContext<'a>,
    account: &'a Account,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let all = self.account.limits().all();
        let standings = standings::of(self.context, self.account, all, self.context.now.millis);
        out.collect_seq(standings.iter().map(|(_, standing)| Row {
            limit: standing.limit,
            policy: standing.name,
            amount: standing.limit.amount,
            quota: standing.quota,
            used: standing.used,
            remaining: standing.remaining,
            reset: standing.reset,
            group: standing.limit.group.as_deref(),
        }))
    }
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(serialize_with = "as_text")]
    limit: &'a Limit,
    policy: &'a str,
    amount: u32,
    quota: u32,
    used: u32,
    remaining: u32,
    reset: Option<u64>,
    group: Option<&'a str>,
}

fn as_text<S: Serializer>(limit: &&Limit, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(limit)
}
