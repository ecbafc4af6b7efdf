//! The tables `[[endpoints]]`: each alone. Their relations are checked in `paths`.

use super::{
    access::access,
    declared,
    moved::check_names,
    parameters,
    syntax::{check_group, check_header_name, check_media_type, check_permission, is_of_responses, template},
};
use crate::{
    fault::Fault,
    moment, nearest,
    raw::{At, Refusal, Section},
    registry::{
        Absent::{Default, Means},
        Key, Shape, TIB, Table,
    },
    template::Template,
};
use gateway::settings::{Access, Deprecated, Endpoint};
use openapi::rules::Strictness;
use std::{ops::Range, sync::Arc};

rows! {
    ENDPOINT_OPERATION = Endpoint "operation", Shape::Text, Means("`method` and `path` identify the endpoint"),
    "\"createItem\"", also "operation_id";
    "The `operationId` of the document's operation that this table adds to, instead of `method` and `path`."

    ENDPOINT_METHOD = Endpoint "method", Shape::Text, Means("`operation` identifies the endpoint; required without it"),
    "\"GET\"", also "methods";
    "The HTTP method, in upper case."

    ENDPOINT_PATH = Endpoint "path", Shape::Text, Means("`operation` identifies the endpoint; required without it"),
    "\"/items/{id}\"", also "url";
    "The path. `{name}` matches any text without a slash; `{*name}` as the last segment matches the rest of the path, \
     including slashes. A trailing slash is kept."

    ENDPOINT_CATCH_ALL = Endpoint "catch_all", Shape::Text, Means("each name in the document's path matches one segment"), "\"path\"",
    also "rest";
    "The parameter in an operation's path that matches the rest of the path, including slashes: its last segment. OpenAPI \
     cannot express it; many frameworks write `/files/{path}` for it. Without a document, write `{*name}` in `path`."

    ENDPOINT_PERMISSION = Endpoint "permission", Shape::Text, Means("any key is allowed"), "\"items:read\"", also "scope";
    "The permission that a key needs. Without it the response is 401 `PERMISSION_DENIED`."

    ENDPOINT_PUBLIC = Endpoint "public", Shape::Boolean, Default("false"), "false", also "open";
    "Open to everyone: keys are ignored, and only the limits of `[address]` count its requests."

    ENDPOINT_ALLOW = Endpoint "allow", Shape::Texts, Means("as `[address]` says"), "[\"10.0.0.0/8\"]";
    "The only addresses and networks that may use this endpoint. Any other gets 401 `PERMISSION_DENIED`. Addresses denied in \
     `[address]` stay denied."

    ENDPOINT_DENY = Endpoint "deny", Shape::Texts, Default("[]"), "[\"198.51.100.0/24\"]", also "block";
    "Addresses and networks that may not use this endpoint. It takes precedence over `allow`."

    ENDPOINT_COST = Endpoint "cost", Shape::Whole { least: 1, most: 0x7fff_ffff }, Default("1"), "5", also "weight";
    "Units that a success is charged, in every limit that counts it except `at once`. With `cost_header`, the maximum."

    ENDPOINT_COST_HEADER = Endpoint "cost_header", Shape::Text, Means("a success costs `cost`"), "\"X-Cost\"",
    also "cost_from";
    "The response header in which the upstream reports what a success cost: a whole number up to `cost`, which is reserved \
     until then. If the header is missing or invalid, `cost` is charged."

    ENDPOINT_GROUP = Endpoint "group", Shape::Text, Means("only limits of all endpoints count it"), "\"search\"",
    also "limit_group";
    "The group of the endpoint, for limits that end in ` for GROUP`: 1 to 64 letters, digits, `-` and `_`."

    ENDPOINT_SERVICE = Endpoint "service", Shape::Text, Means("the service selected by host and path"), "\"shop\"";
    "The service that its requests go to, whatever their host. Without it, the endpoint belongs to all services."

    ENDPOINT_MOVED_TO = Endpoint "moved_to", Shape::Text, Means("the endpoint has not moved"), "\"/items/{id}\"", also "moved";
    "The path that the endpoint has moved to for good, with this method: it answers 301 `ENDPOINT_MOVED`. It may use the \
     names in the endpoint's path."

    ENDPOINT_DEPRECATED = Endpoint "deprecated", Shape::Text, Means("as in the document; not deprecated without one"),
    "\"2026-06-01\"", also "deprecated_since";
    "Since when the endpoint is deprecated: a date, or a time in RFC 3339. It still works, and all its responses have the \
     headers `Deprecation` and `Link`. For an operation that only the document marks as deprecated, it is the date of the \
     document's file."

    ENDPOINT_MAX_BODY_SIZE = Endpoint "max_body_size", Shape::Size { least: 0, most: TIB }, Means("as `[sizes] max_body_size`"),
    "\"1MiB\"", also "max_body", "body";
    "The largest request body of this endpoint."

    ENDPOINT_MEDIA_TYPES = Endpoint "media_types", Shape::Texts, Default("[]"), "[\"application/json\"]",
    also "content_types";
    "Media types that a request body may have, without parameters. Any other is 400 `MEDIA_TYPE_NOT_SUPPORTED`. Empty: any."
}

/// The methods that people mean when they write nearly one of them.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];

/// A table `[[endpoints]]`, what of it could be read, and where. Without a document it declares an
/// endpoint; with one it adds to an operation.
#[derive(Debug)]
pub(super) struct EndpointRead {
    /// The table itself.
    pub(super) place: Range<usize>,
    pub(super) operation: Option<At<String>>,
    pub(super) method: Option<At<String>>,
    pub(super) path: Option<At<Template>>,
    /// The parameter of the operation's path that takes the rest of it.
    pub(super) rest: Option<At<String>>,
    pub(super) permission: Option<String>,
    /// None if the file does not set it.
    pub(super) public: Option<bool>,
    /// None if the file does not set it.
    pub(super) cost: Option<At<u32>>,
    /// In lower case.
    pub(super) cost_header: Option<String>,
    pub(super) group: Option<At<Arc<str>>>,
    pub(super) service: Option<At<String>>,
    pub(super) max_body: Option<u64>,
    /// None if the file does not set it.
    pub(super) access: Option<Access>,
    pub(super) moved_to: Option<At<Template>>,
    pub(super) deprecated: Option<Deprecated>,
    /// The endpoint that it declares. None: there is a document, or a fault was noted.
    pub(super) declared: Option<Endpoint>,
}

impl EndpointRead {
    pub(super) fn is_public(&self) -> bool {
        self.public.unwrap_or(false)
    }
}

/// Reads all tables. `has_document`: they add to operations in place of declaring endpoints.
pub(super) fn endpoints(
    top: &Section<'_>,
    has_document: bool,
    counts_addresses: bool,
    strictness: Option<Strictness>,
) -> Vec<EndpointRead> {
    let read = |section: &Section<'_>| {
        let mut read = endpoint(section, has_document, counts_addresses);
        if has_document {
            refuse_rules(section);
        } else {
            read.declared = declare(section, &read, strictness);
        }
        read
    };
    top.many(Table::Endpoint).iter().map(read).collect()
}

fn endpoint(section: &Section<'_>, has_document: bool, counts_addresses: bool) -> EndpointRead {
    let operation = section.text(&ENDPOINT_OPERATION);
    let method = section.text(&ENDPOINT_METHOD).and_then(|method| {
        let span = method.span.clone();
        section.keep(method, check_method).map(|value| At { value, span })
    });
    if let Some(method) = &method {
        warn_of_slip(section, method);
    }
    let path = section.text(&ENDPOINT_PATH).and_then(|path| template(section, &path));
    check_name(section, operation.as_ref(), has_document);
    let rest = section.text(&ENDPOINT_CATCH_ALL);
    if let Some(rest) = rest.as_ref().filter(|_| !has_document) {
        section.reader.fault(
            Fault::at(rest.span.clone(), "an operation needs an OpenAPI document")
                .label("names a parameter of an operation")
                .help(format!("write {{*{}}} in the path of this endpoint instead", rest.value)),
        );
    }
    let permission = section.text(&ENDPOINT_PERMISSION).and_then(|text| section.keep(text, check_permission));
    let public = section.boolean(&ENDPOINT_PUBLIC).filter(|_| section.has(&ENDPOINT_PUBLIC));
    let cost = section.whole(&ENDPOINT_COST).and_then(|cost| {
        let value = u32::try_from(cost.value).ok()?;
        section.has(&ENDPOINT_COST).then_some(At { value, span: cost.span })
    });
    let cost_header = cost_header(section, cost.as_ref());
    let group = section.text(&ENDPOINT_GROUP).and_then(|group| {
        let span = group.span.clone();
        section.keep(group, check_group).map(|value| At { value, span })
    });
    if public.as_ref().is_some_and(|public| public.value) {
        check_public(section, cost.as_ref().filter(|_| !counts_addresses));
    }
    let moved_to = section.text(&ENDPOINT_MOVED_TO).and_then(|text| {
        let to = template(section, &text)?;
        // With a document, the names are those of the document's path.
        if let Some(path) = path.as_ref().filter(|_| !has_document) {
            check_names(section, path, &to, &text);
        }
        Some(to)
    });
    let deprecated = section.text(&ENDPOINT_DEPRECATED).and_then(|text| {
        section.keep(text, |text| {
            let refuse = |why| {
                Refusal::new(
                    format!("`{text}` is not a date or time"),
                    why,
                    "write it like this: deprecated = \"2026-06-01\"",
                )
            };
            moment::read(text).map(|since| Deprecated { since }).map_err(refuse)
        })
    });
    EndpointRead {
        place: section.place.clone(),
        operation,
        method,
        path,
        rest,
        permission,
        public: public.map(|public| public.value),
        cost,
        cost_header,
        group,
        service: section.text(&ENDPOINT_SERVICE),
        max_body: section.size(&ENDPOINT_MAX_BODY_SIZE).map(|size| size.value),
        access: access(section, &ENDPOINT_ALLOW, &ENDPOINT_DENY),
        moved_to,
        deprecated,
        declared: None,
    }
}

/// The header that reports the cost. Without a `cost` above 1 it could only make requests free.
fn cost_header(section: &Section<'_>, cost: Option<&At<u32>>) -> Option<String> {
    let name = section.text(&ENDPOINT_COST_HEADER)?;
    let line = section.reader.line(&name.span);
    let name = section.keep(name, |name| {
        let name = check_header_name(name)?;
        if is_of_responses(&name) {
            return Err(Refusal::new(
                format!("`{name}` cannot report a cost"),
                "this header has a meaning of its own, and the header of the cost is removed from responses",
                format!("use a header of your own, such as {}", ENDPOINT_COST_HEADER.example),
            ));
        }
        Ok(name)
    })?;
    if cost.is_none_or(|cost| cost.value == 1) {
        section.reader.warn(format!(
            "line {line}: `cost_header` can report at most `cost`, which is 1: set `cost` to the highest cost of a request"
        ));
    }
    Some(name)
}

/// An operation is named by its id, or by method and path; an endpoint only by method and path.
fn check_name(section: &Section<'_>, operation: Option<&At<String>>, has_document: bool) {
    let Some(operation) = operation else {
        section.need(&ENDPOINT_METHOD);
        section.need(&ENDPOINT_PATH);
        return;
    };
    if !has_document {
        section.reader.fault(
            Fault::at(operation.span.clone(), "an operation needs an OpenAPI document")
                .label("names an operation")
                .help("set `openapi = \"FILE\"` at the top of the file, or identify the endpoint by `method` and `path`"),
        );
    }
    for key in [&ENDPOINT_METHOD, &ENDPOINT_PATH] {
        if section.has(key) {
            section.reader.fault(
                Fault::at(section.key_place(key), "this endpoint is identified twice")
                    .label("by method and path")
                    .also(operation.span.clone(), "by operation")
                    .help("remove one of the two"),
            );
        }
    }
}

/// Only the document defines the rules for requests.
fn refuse_rules(section: &Section<'_>) {
    let refuse = |place: Range<usize>, what: &str| {
        section.reader.fault(
            Fault::at(place, format!("{what} are defined in the document"))
                .label("cannot be set here as well")
                .help("change the document: it is what clients read"),
        );
    };
    if section.has(&ENDPOINT_MEDIA_TYPES) {
        refuse(section.key_place(&ENDPOINT_MEDIA_TYPES), "the media types of this operation");
    }
    if let Some(place) = section.table_place(Table::Parameter) {
        refuse(place, "the parameters of this operation");
    }
}

/// The endpoint of a file that has no document.
fn declare(section: &Section<'_>, read: &EndpointRead, strictness: Option<Strictness>) -> Option<Endpoint> {
    let media_types = media_types(section);
    let parameters = parameters::parameters(section, read.path.as_ref(), read.method.as_ref());
    let (method, path) = (read.method.as_ref()?, read.path.as_ref()?);
    let (rules, takes) = declared::rules(section, &path.value, &parameters, &media_types, strictness?)?;
    Some(Endpoint {
        method: method.value.clone(),
        path: path.value.text.clone(),
        permissions: read.permission.iter().map(|permission| vec![permission.clone()]).collect(),
        public: read.is_public(),
        cost: read.cost.as_ref().map_or(1, |cost| cost.value),
        cost_header: read.cost_header.clone(),
        group: read.group.as_ref().map(|group| Arc::clone(&group.value)),
        service: read.service.as_ref().map(|service| Arc::from(service.value.as_str())),
        max_body: read.max_body,
        access: read.access.clone().unwrap_or_default(),
        rules: rules.map(Arc::new),
        moved_to: read.moved_to.as_ref().map(|to| to.value.text.clone()),
        deprecated: read.deprecated,
        operation: None,
        summary: String::new(),
        tag: String::new(),
        takes: Arc::new(takes),
    })
}

fn check_method(text: &str) -> Result<String, Refusal> {
    let is_good = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.len() <= 32
        && text.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    if text == "CONNECT" {
        return Err(Refusal::new(
            "CONNECT cannot be an endpoint",
            "asks for a tunnel, not for a path",
            "remove this endpoint",
        ));
    }
    // What other frameworks call every method.
    let is_any = matches!(text.to_ascii_uppercase().as_str(), "ANY" | "ALL");
    if is_good && !is_any {
        return Ok(text.to_owned());
    }
    let upper = text.to_ascii_uppercase();
    let help = if is_any {
        "write one endpoint for each method".to_owned()
    } else if upper != text && upper.chars().all(|c| c.is_ascii_uppercase() || c == '-') {
        format!("did you mean method = \"{upper}\"?")
    } else if text == "*" || text.contains([',', ' ', '|']) {
        "write one endpoint for each method".to_owned()
    } else {
        "write it like this: method = \"GET\"".to_owned()
    };
    Err(Refusal::new(format!("`{text}` is not an HTTP method"), "expected a method in upper case", help))
}

fn warn_of_slip(section: &Section<'_>, method: &At<String>) {
    if METHODS.contains(&method.value.as_str()) {
        return;
    }
    if let Some(near) = nearest(&method.value, METHODS) {
        section.reader.warn(format!(
            "line {}: `{}` is not a common HTTP method; did you mean {near}?",
            section.reader.line(&method.span),
            method.value
        ));
    }
}

fn media_types(section: &Section<'_>) -> Vec<String> {
    let mut types: Vec<At<String>> = Vec::new();
    for text in section.texts(&ENDPOINT_MEDIA_TYPES) {
        let span = text.span.clone();
        let Some(value) = section.keep(text, check_media_type) else { continue };
        match types.iter().find(|known| known.value == value) {
            Some(known) => section.reader.fault(Fault::twice("media type", &value, &span, &known.span)),
            None => types.push(At { value, span }),
        }
    }
    types.into_iter().map(|known| known.value).collect()
}

/// A public endpoint ignores keys, so nothing that needs one is allowed there.
fn check_public(section: &Section<'_>, cost: Option<&At<u32>>) {
    let public = section.key_place(&ENDPOINT_PUBLIC);
    let key: &Key = &ENDPOINT_PERMISSION;
    if section.has(key) {
        section.reader.fault(
            Fault::at(section.key_place(key), "a public endpoint cannot require a permission")
                .label("needs a key")
                .also(public.clone(), "keys are ignored")
                .help("remove one of the two"),
        );
    }
    if let Some(cost) = cost.filter(|cost| cost.value != 1) {
        section.reader.fault(
            Fault::at(cost.span.clone(), "a public endpoint cannot have a cost")
                .label("nothing can be charged")
                .also(public, "keys are ignored, so nothing is counted")
                .help(
                    "remove one of the two, or set limits by address: [address] limits = [\"60 per minute\"]",
                ),
        );
    }
}
