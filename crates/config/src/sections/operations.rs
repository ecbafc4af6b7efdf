//! Endpoints from the operations of a document, and what the file adds to them.

use super::{api::Prefix, endpoints::EndpointRead, takes};
use crate::{
    document::Document,
    fault::Fault,
    nearest,
    raw::{At, Section},
};
use gateway::settings::{self, Deprecated, Endpoint, OperationName};
use openapi::{
    api::{self, Access, Operation, parameter_name},
    enrich,
    fault::{Faults, Warning},
    rules::{RuleCompiler, Strictness},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Makes endpoints of all operations, in their order. The file's settings of an operation win.
pub(super) fn endpoints(
    top: &Section<'_>,
    document: &Document,
    tables: &[EndpointRead],
    prefix: Option<&Prefix>,
    strictness: Strictness,
    paths: Option<settings::Strictness>,
) -> Vec<Endpoint> {
    let added = match_tables(top, document, tables);
    let limits_path = prefix.map(|prefix| format!("{}limits", prefix.text));
    let limits_paths = limits_path.map_or_else(Vec::new, |path| enrich::limits_paths(&document.api, &path));
    let mut compiler = RuleCompiler::new(&document.documents, strictness);
    let mut endpoints = Vec::with_capacity(document.api.operations.len());
    for (index, operation) in document.api.operations.iter().enumerate() {
        let path = routable(&operation.path);
        if let Some(prefix) = prefix.filter(|prefix| path.starts_with(&prefix.text)) {
            note_reserved(top, document, operation, prefix);
        } else if limits_paths.contains(&path) {
            note_limits_path(top, document, operation);
        }
        let rest = added.get(&index).and_then(|table| table.rest.as_ref());
        let path = rest.and_then(|rest| with_rest(&operation.path, &rest.value));
        let path = path.as_deref().unwrap_or(&operation.path);
        let names = api::path_names(path);
        let rules = compiler.operation(&names, &operation.parameters, operation.body.as_ref());
        let mut endpoint = endpoint(document, operation, path);
        if let Some(why) =
            paths.and_then(|paths| paths.refusal(&sample(&endpoint.path), rules.has_semicolons()))
        {
            note_refused(top, document, operation, &why);
        }
        endpoint.rules = Some(Arc::new(rules));
        let takes = takes::takes(&document.documents, &operation.parameters, operation.body.as_ref());
        endpoint.takes = Arc::new(takes);
        if let Some(table) = added.get(&index) {
            add(&mut endpoint, table);
        }
        endpoints.push(endpoint);
    }
    check_rests_apart(top, &added, &endpoints);
    match compiler.finish() {
        Ok(warnings) => note_warnings(top, warnings),
        Err(faults) => note_faults(top, faults),
    }
    endpoints
}

/// Notes every fault of a document.
pub(super) fn note_faults(top: &Section<'_>, faults: Faults) {
    for fault in faults.0 {
        let noted = Fault::nowhere(format!("{}: {}", fault.spot, fault.message));
        top.reader.fault(if fault.help.is_empty() { noted } else { noted.help(fault.help) });
    }
}

/// Notes what of a document is not enforced.
pub(super) fn note_warnings(top: &Section<'_>, warnings: Vec<Warning>) {
    for warning in warnings {
        top.reader.warn(warning.to_string());
    }
}

fn endpoint(document: &Document, operation: &Operation, path: &str) -> Endpoint {
    let (public, permissions) = match &operation.access {
        Access::Public => (true, Vec::new()),
        // An empty set among the alternatives asks for no more than a key.
        Access::Keys(sets) if sets.iter().any(Vec::is_empty) => (false, Vec::new()),
        Access::Keys(sets) => (false, sets.clone()),
    };
    Endpoint {
        method: operation.method.clone(),
        path: routable(path),
        permissions,
        public,
        cost: 1,
        cost_header: None,
        group: None,
        service: None,
        max_body: None,
        access: Default::default(),
        rules: None,
        moved_to: None,
        deprecated: operation.deprecated.then_some(Deprecated { since: document.source.modified }),
        operation: operation.id.clone().map(|id| OperationName { id, path: operation.own_path.clone() }),
        summary: operation.summary.clone(),
        tag: operation.tag.clone(),
        takes: Arc::default(),
    }
}

fn add(endpoint: &mut Endpoint, table: &EndpointRead) {
    match table.public {
        Some(true) => {
            endpoint.public = true;
            endpoint.permissions.clear();
        }
        Some(false) => endpoint.public = false,
        None => {}
    }
    if let Some(permission) = &table.permission {
        endpoint.public = false;
        endpoint.permissions = vec![vec![permission.clone()]];
    }
    if let Some(cost) = &table.cost {
        endpoint.cost = cost.value;
    }
    endpoint.cost_header.clone_from(&table.cost_header);
    endpoint.service = table.service.as_ref().map(|service| Arc::from(service.value.as_str()));
    endpoint.group = table.group.as_ref().map(|group| Arc::clone(&group.value));
    endpoint.max_body = table.max_body.or(endpoint.max_body);
    endpoint.access = table.access.clone().unwrap_or_default();
    endpoint.deprecated = table.deprecated.or(endpoint.deprecated);
    if let Some(to) = &table.moved_to {
        endpoint.moved_to = Some(to.value.text.clone());
    }
}

/// Which table adds to which operation, by the operation's position. One that matches nothing is a fault.
fn match_tables<'t>(
    top: &Section<'_>,
    document: &Document,
    tables: &'t [EndpointRead],
) -> HashMap<usize, &'t EndpointRead> {
    let operations = &document.api.operations;
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut by_path: HashMap<(&str, String), Vec<usize>> = HashMap::new();
    for (index, operation) in operations.iter().enumerate() {
        if let Some(id) = &operation.id {
            by_id.entry(id).or_default().push(index);
        }
        // With the base path as clients write it, and without as the document does.
        for path in HashSet::from([shape(&operation.path), shape(&operation.own_path)]) {
            by_path.entry((&operation.method, path)).or_default().push(index);
        }
    }
    let mut added: HashMap<usize, &EndpointRead> = HashMap::new();
    for table in tables {
        let found = match (&table.operation, &table.method, &table.path) {
            (Some(id), _, _) => by_id.get(id.value.as_str()),
            (None, Some(method), Some(path)) => by_path.get(&(&method.value, shape(&path.value.text))),
            (None, _, _) => continue, // its own fault was noted
        };
        let Some(found) = found else {
            note_unmatched(top, table, &by_id, operations);
            continue;
        };
        if let Some(id) = &table.operation
            && note_ambiguous(top, document, id, found)
        {
            continue;
        }
        for index in found {
            if let Some(first) = added.insert(*index, table) {
                top.reader.fault(
                    Fault::at(table.place.clone(), "two tables add to the same operation")
                        .label("the second one")
                        .also(first.place.clone(), "the first one")
                        .help("merge them"),
                );
                break;
            }
            check_moved_names(top, table, operations.get(*index));
            check_rest(top, table, operations.get(*index));
        }
    }
    added
}

/// An id that the document gives to several operations is ambiguous.
fn note_ambiguous(top: &Section<'_>, document: &Document, id: &At<String>, found: &[usize]) -> bool {
    let mut places: Vec<&Operation> = Vec::new();
    for operation in found.iter().filter_map(|index| document.api.operations.get(*index)) {
        if places.iter().all(|known| known.at != operation.at) {
            places.push(operation);
        }
    }
    if places.len() < 2 {
        return false;
    }
    let named: Vec<String> = places
        .iter()
        .map(|one| {
            format!(
                "{} {} ({})",
                one.method,
                one.own_path,
                document.documents.spot(&one.at.child("operationId"))
            )
        })
        .collect();
    top.reader.fault(
        Fault::at(id.span.clone(), format!("the document has several operations `{}`", id.value))
            .label("ambiguous")
            .help(format!("identify one by `method` and `path`: {}", named.join(", "))),
    );
    true
}

fn note_unmatched(
    top: &Section<'_>,
    table: &EndpointRead,
    by_id: &HashMap<&str, Vec<usize>>,
    operations: &[Operation],
) {
    let fault = match (&table.operation, &table.method, &table.path) {
        (Some(id), _, _) => {
            let help = match nearest(&id.value, by_id.keys().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "write an `operationId` of the document, or use `method` and `path`".to_owned(),
            };
            Fault::at(id.span.clone(), format!("the document has no operation `{}`", id.value))
                .label("matches nothing")
                .help(help)
        }
        (None, Some(method), Some(path)) => {
            let text = &path.value.text;
            let methods: Vec<&str> = operations
                .iter()
                .filter(|one| shape(&one.path) == shape(text) || shape(&one.own_path) == shape(text))
                .map(|one| one.method.as_str())
                .collect();
            let help = match nearest(text, operations.iter().map(|one| one.path.as_str())) {
                _ if !methods.is_empty() => format!("the document has this path with {}", methods.join(", ")),
                Some(near) => format!("did you mean \"{near}\"?"),
                None => {
                    "write a path of the document, with or without the base path of its servers".to_owned()
                }
            };
            Fault::at(path.span.clone(), format!("the document has no operation {} {text}", method.value))
                .label("matches nothing")
                .help(help)
        }
        (None, _, _) => return,
    };
    top.reader.fault(fault);
}

/// A moved operation that is named by its id: only here its path is known.
fn check_moved_names(top: &Section<'_>, table: &EndpointRead, operation: Option<&Operation>) {
    let (Some(to), Some(operation)) = (&table.moved_to, operation) else { return };
    let known: Vec<&str> = operation.path_names().into_iter().map(parameter_name).collect();
    for name in to.value.names.iter().filter(|name| !known.contains(&name.as_str())) {
        top.reader.fault(
            Fault::at(to.span.clone(), format!("the operation's path has no `{{{name}}}`"))
                .label("would have no value")
                .help(format!("its path is {}", operation.path)),
        );
    }
}

/// What takes the rest of the path is a name of the operation's path, and the whole of its last segment.
fn check_rest(top: &Section<'_>, table: &EndpointRead, operation: Option<&Operation>) {
    let (Some(rest), Some(operation)) = (&table.rest, operation) else { return };
    if with_rest(&operation.path, &rest.value).is_some() {
        return;
    }
    let known: Vec<&str> = operation.path_names().into_iter().map(parameter_name).collect();
    let fault = if known.contains(&rest.value.as_str()) {
        Fault::at(rest.span.clone(), format!("`{}` is not the last segment of the path", rest.value))
            .label("cannot match the rest of the path")
            .help(format!("the operation's path is {}", operation.path))
    } else {
        let help = match nearest(&rest.value, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"? The operation's path is {}", operation.path),
            None => format!("the operation's path is {}", operation.path),
        };
        Fault::at(rest.span.clone(), format!("the operation's path has no `{{{}}}`", rest.value))
            .label("no such name in the path")
            .help(help)
    };
    top.reader.fault(fault);
}

/// An operation whose last name takes the rest of the path may not take the requests of another one that does.
fn check_rests_apart(top: &Section<'_>, added: &HashMap<usize, &EndpointRead>, endpoints: &[Endpoint]) {
    let mut with_rests: Vec<(usize, &At<String>)> =
        added.iter().filter_map(|(index, table)| Some((*index, table.rest.as_ref()?))).collect();
    if with_rests.is_empty() {
        return;
    }
    with_rests.sort_by_key(|(index, _)| *index);
    let mut taken: HashMap<(&str, String), Vec<usize>> = HashMap::new();
    for (index, endpoint) in endpoints.iter().enumerate() {
        taken.entry((&endpoint.method, shape(&endpoint.path))).or_default().push(index);
    }
    for (index, rest) in with_rests {
        let Some(endpoint) = endpoints.get(index) else { continue };
        let all = taken.get(&(&endpoint.method, shape(&endpoint.path)));
        let other = all.and_then(|all| all.iter().find(|other| **other != index));
        if let Some(other) = other.and_then(|other| endpoints.get(*other)) {
            let title = format!("{} {} matches the same requests", other.method, other.path);
            top.reader.fault(
                Fault::at(rest.span.clone(), title)
                    .label("matches the rest of the path")
                    .help("only one operation per method can match the rest of a path"),
            );
        }
    }
}

/// A path whose last segment is a name takes the rest by it: `/files/{p}` becomes `/files/{*p}`.
fn with_rest(path: &str, name: &str) -> Option<String> {
    let (before, last) = path.rsplit_once('/')?;
    let inner = last.strip_prefix('{')?.strip_suffix('}')?;
    (!inner.contains(['{', '}']) && parameter_name(inner) == name).then(|| format!("{before}/{{*{name}}}"))
}

/// A path as a request to this template may have it.
fn sample(template: &str) -> String {
    let mut path = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, (_, behind))) =
        rest.split_once('{').and_then(|(before, inner)| Some((before, inner.split_once('}')?)))
    {
        path.push_str(before);
        path.push('x');
        rest = behind;
    }
    path.push_str(rest);
    path
}

/// A path that is answered 400 before it is looked up. The document is right, but other servers may read it otherwise.
fn note_refused(top: &Section<'_>, document: &Document, operation: &Operation, why: &str) {
    let spot = document.documents.spot(&operation.at);
    top.reader.warn(format!("{spot}: Every request to {} gets a 400: {why}", operation.path));
}

fn note_reserved(top: &Section<'_>, document: &Document, operation: &Operation, prefix: &Prefix) {
    let spot = document.documents.spot(&operation.at);
    let title = format!("{spot}: paths that start with `{}` are reserved for Fairgate", prefix.text);
    top.reader.fault(
        Fault::nowhere(title).help("set `[api] reserved_prefix` to a prefix that the API does not use"),
    );
}

/// Generated clients put the base path before every path, so limits are served under it as well.
fn note_limits_path(top: &Section<'_>, document: &Document, operation: &Operation) {
    let spot = document.documents.spot(&operation.at);
    let title = format!(
        "{spot}: at `{}` Fairgate itself serves the state of a key's limits, so the operation would never be reached",
        operation.path
    );
    top.reader.fault(
        Fault::nowhere(title).help("set `[api] reserved_prefix` to a prefix that the API does not use"),
    );
}

/// A template without its names: two with the same shape take the same paths.
fn shape(template: &str) -> String {
    let mut shape = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        shape.push_str(before);
        // What takes the rest of the path matches more than what takes one segment.
        shape.push_str(if name.starts_with('*') { "{*}" } else { "{}" });
        rest = after;
    }
    shape.push_str(rest);
    shape
}

/// A document's path as requests have it: what is not allowed in a URL is percent-encoded, what need not be encoded is not,
/// and escapes are in upper case (RFC 3986 section 6.2.2), because requests are matched in that form.
fn routable(template: &str) -> String {
    let mut path = String::with_capacity(template.len());
    let mut in_name = false;
    let mut chars = template.char_indices();
    while let Some((at, c)) = chars.next() {
        in_name = c == '{' || (in_name && c != '}');
        let digits =
            template.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(byte) =
            digits.filter(|_| c == '%' && !in_name).and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            let decoded = char::from(byte);
            if decoded.is_ascii_alphanumeric() || "-._~".contains(decoded) {
                path.push(decoded);
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
            chars.next();
            chars.next();
            continue;
        }
        let is_plain =
            in_name || c == '}' || c == '%' || c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@".contains(c);
        if is_plain {
            path.push(c);
        } else {
            let mut bytes = [0; 4];
            path.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    path
}

/// What of the upstream's own base path is put before every path: if its URL ends in the base path that all
/// operations begin with, it is the address of that very server, and the path is not put there twice.
pub(super) fn without_base<'u>(upstream: &'u str, document: &Document) -> &'u str {
    match document.api.base_paths.as_slice() {
        [base] if !base.is_empty() => upstream.strip_suffix(base.as_str()).unwrap_or(upstream),
        _ => upstream,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_matched_in_the_form_that_requests_have() {
        assert_eq!(routable("/a b/{x y}/ü('{id}')"), "/a%20b/{x y}/%C3%BC('{id}')");
        assert_eq!(routable("/a/<b>|c"), "/a/%3Cb%3E%7Cc");
        assert_eq!(routable("/caf%c3%a9/a%41%2d/%2f/{a%41}/%4/%é"), "/caf%C3%A9/aA-/%2F/{a%41}/%4/%%C3%A9");
        assert_eq!(shape("/a/{id}.{ext}/b"), "/a/{}.{}/b");
        assert_eq!(shape("/a/{*rest}"), "/a/{*}");
    }

    #[test]
    fn the_last_name_of_a_path_can_take_the_rest() {
        for (path, name, expected) in [
            ("/f/{p}", "p", Some("/f/{*p}")),
            ("/f/{p:path}", "p", Some("/f/{*p}")),
            ("/f/{*p}", "p", Some("/f/{*p}")),
            ("/{q}/{p}", "q", None),
            ("/f/{p}.txt", "p", None),
            ("/f/{p}{q}", "p", None),
            ("/f/{p}/", "p", None),
        ] {
            assert_eq!(with_rest(path, name).as_deref(), expected, "{path}");
        }
    }
}
