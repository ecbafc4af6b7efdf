//! The relations of endpoints, moved paths and the reserved prefix: none may hide another.

use super::{api::Prefix, endpoints::EndpointRead, moved::MovedRead};
use crate::{
    fault::Fault,
    raw::{At, Section},
    template::Template,
};
use gateway::settings::{Redirects, TrailingSlash};
use std::collections::{BTreeMap, HashMap, HashSet};

/// More endpoints or moved paths than this are refused: some checks compare each with each.
const MOST: usize = 10_000;

pub(super) fn check(
    top: &Section<'_>,
    prefix: Option<&Prefix>,
    endpoints: &[EndpointRead],
    moved: &[MovedRead],
    redirects: Option<&Redirects>,
) {
    if endpoints.len() > MOST || moved.len() > MOST {
        top.reader.fault(
            Fault::nowhere(format!("more than {MOST} endpoints or moved paths"))
                .help("combine them with templates: a name in braces matches any text"),
        );
        return;
    }
    check_duplicates(top, endpoints);
    if let Some(prefix) = prefix {
        check_prefix(top, prefix, endpoints, moved);
    }
    check_moved_twice(top, moved);
    check_hidden(top, endpoints, moved);
    let slashes_go = redirects.is_some_and(|rule| rule.trailing_slash == TrailingSlash::Redirect);
    check_loops(top, endpoints, moved, slashes_go);
}

fn check_duplicates(top: &Section<'_>, endpoints: &[EndpointRead]) {
    let mut seen: HashMap<(&str, String), &At<Template>> = HashMap::new();
    for endpoint in endpoints {
        let (Some(method), Some(path)) = (&endpoint.method, &endpoint.path) else { continue };
        let Some(first) = seen.insert((&method.value, path.value.shape()), path) else { continue };
        let help = if first.value.text == path.value.text {
            "remove one of the two"
        } else {
            "names in braces do not distinguish paths; remove one of the two"
        };
        top.reader.fault(
            Fault::at(
                path.span.clone(),
                format!("the endpoint {} {} is declared twice", method.value, path.value.text),
            )
            .label("matches the same requests")
            .also(first.span.clone(), "the first one")
            .help(help),
        );
        seen.insert((&method.value, path.value.shape()), first);
    }
}

fn check_prefix(top: &Section<'_>, prefix: &Prefix, endpoints: &[EndpointRead], moved: &[MovedRead]) {
    let paths = endpoints.iter().filter_map(|endpoint| endpoint.path.as_ref());
    for path in paths.chain(moved.iter().map(|moved| &moved.from)) {
        if path.value.text.starts_with(&prefix.text) {
            let title = format!("paths that start with `{}` are reserved for Fairgate", prefix.text);
            let mut fault = Fault::at(path.span.clone(), title).label("would never be reached");
            if let Some(place) = &prefix.place {
                fault = fault.also(place.clone(), "the reserved prefix");
            }
            top.reader.fault(fault.help(
                "rename this path, or set `[api] reserved_prefix` to a prefix that the API does not use",
            ));
        }
    }
}

fn check_moved_twice(top: &Section<'_>, moved: &[MovedRead]) {
    let mut seen: HashMap<String, &At<Template>> = HashMap::new();
    let mut templates: BTreeMap<usize, Vec<&At<Template>>> = BTreeMap::new();
    for from in moved.iter().map(|moved| &moved.from) {
        if let Some(first) = seen.get(&from.value.shape()) {
            top.reader.fault(
                Fault::at(from.span.clone(), format!("`{}` is moved twice", from.value.text))
                    .label("matches the same paths")
                    .also(first.span.clone(), "the first one")
                    .help("a path can move to one place only; remove one of the two"),
            );
            continue;
        }
        seen.insert(from.value.shape(), from);
        if from.value.is_literal() {
            continue;
        }
        let length = length(&from.value);
        let others = |length| templates.get(&length).into_iter().flatten();
        let near = others(length).chain(others(0).filter(|_| length != 0));
        // What takes the rest of a path meets templates of any length.
        let all = templates.values().flatten().filter(|_| length == 0);
        if let Some(other) = near.chain(all).find(|other| other.value.collides(&from.value)) {
            top.reader.fault(
                Fault::at(
                    from.span.clone(),
                    format!("`{}` and `{}` overlap", other.value.text, from.value.text),
                )
                .label("some paths match both, and neither is more specific")
                .also(other.span.clone(), "the other one")
                .help("add a `[[moved]]` for the paths that match both, or narrow one of the two"),
            );
        }
        templates.entry(length).or_default().push(from);
    }
}

/// The length by which templates are grouped: a template matches no path of another length. 0: it matches every length.
fn length(template: &Template) -> usize {
    if template.takes_rest() { 0 } else { template.count() }
}

/// A moved path is decided before endpoints are, so it may not take all of an endpoint's paths.
fn check_hidden(top: &Section<'_>, endpoints: &[EndpointRead], moved: &[MovedRead]) {
    let mut by_shape: HashMap<String, &MovedRead> = HashMap::new();
    let mut open: BTreeMap<usize, Vec<&MovedRead>> = BTreeMap::new();
    for moved in moved {
        by_shape.entry(moved.from.value.shape()).or_insert(moved);
        if !moved.from.value.is_literal() {
            open.entry(length(&moved.from.value)).or_default().push(moved);
        }
    }
    for endpoint in endpoints {
        let Some(path) = &endpoint.path else { continue };
        let exact = by_shape.get(&path.value.shape()).copied();
        let hiding = exact.or_else(|| {
            let mut candidates =
                [path.value.count(), 0].into_iter().filter_map(|length| open.get(&length)).flatten();
            candidates.find(|moved| moved.from.value.covers(&path.value)).copied()
        });
        if let Some(moved) = hiding {
            top.reader.fault(
                Fault::at(
                    moved.from.span.clone(),
                    format!("`{}` is both a moved path and an endpoint", path.value.text),
                )
                .label("every request is redirected from here")
                .also(path.span.clone(), "so this endpoint would never be reached")
                .help("remove the endpoint if the path has moved, or the `[[moved]]` if it has not"),
            );
        }
    }
}

/// Follows every moved path until it rests: a circle is a fault, two hops are a warning.
fn check_loops(top: &Section<'_>, endpoints: &[EndpointRead], moved: &[MovedRead], slashes_go: bool) {
    let shapes: HashSet<String> =
        endpoints.iter().filter_map(|endpoint| Some(endpoint.path.as_ref()?.value.shape())).collect();
    let next: Vec<Option<usize>> = moved
        .iter()
        .map(|one| {
            let to = &one.to.value;
            let slash_goes = slashes_go && to.ends_in_slash() && !shapes.contains(&to.shape());
            follow(moved, to).or_else(|| slash_goes.then(|| follow(moved, &to.without_slash())).flatten())
        })
        .collect();
    let mut settled: HashSet<usize> = HashSet::new();
    for start in 0..moved.len() {
        let mut way = Vec::new();
        let mut here = Some(start);
        while let Some(index) = here.filter(|index| !settled.contains(index)) {
            if let Some(begin) = way.iter().position(|known| *known == index) {
                let circle: Vec<&MovedRead> =
                    way.iter().skip(begin).filter_map(|index| moved.get(*index)).collect();
                fault_of_circle(top, &circle);
                break;
            }
            way.push(index);
            here = next.get(index).copied().flatten();
        }
        settled.extend(way);
    }
    for (one, next) in moved.iter().zip(&next) {
        if let Some(second) = next.and_then(|index| moved.get(index)) {
            top.reader.warn(format!(
                "line {}: `{}` moves to `{}`, which has moved too: set `to` to the final path",
                top.reader.line(&one.to.span),
                one.from.value.text,
                second.from.value.text
            ));
        } else if !endpoints.is_empty() && !leads_to_endpoint(&one.to.value, endpoints) {
            top.reader.warn(format!(
                "line {}: `{}` moves to `{}`, which is not an endpoint",
                top.reader.line(&one.to.span),
                one.from.value.text,
                one.to.value.text
            ));
        }
    }
}

fn leads_to_endpoint(to: &Template, endpoints: &[EndpointRead]) -> bool {
    let bare = to.without_slash();
    let mut paths = endpoints.iter().filter_map(|endpoint| endpoint.path.as_ref());
    paths.any(|path| path.value.covers(to) || path.value.covers(&bare))
}

/// The moved path that takes every path of this template, the most special one first.
fn follow(moved: &[MovedRead], to: &Template) -> Option<usize> {
    let covering = moved.iter().enumerate().filter(|(_, one)| one.from.value.covers(to));
    covering.min_by_key(|(_, one)| one.from.value.names.len()).map(|(index, _)| index)
}

fn fault_of_circle(top: &Section<'_>, circle: &[&MovedRead]) {
    let Some(first) = circle.first() else { return };
    let way: Vec<&str> =
        circle.iter().chain([first]).map(|moved| moved.from.value.text.as_str()).take(10).collect();
    let mut fault =
        Fault::at(first.to.span.clone(), format!("moved paths form a loop: {}", way.join(" -> ")))
            .label(if circle.len() == 1 { "leads back to itself" } else { "leads on" });
    for (index, moved) in circle.iter().enumerate().skip(1).take(8) {
        let label = if index + 1 == circle.len() { "leads back" } else { "leads on" };
        fault = fault.also(moved.to.span.clone(), label);
    }
    if circle.iter().any(|moved| moved.to.value.ends_in_slash()) {
        fault = fault.help(
            "a redirect removes a trailing slash, unless an endpoint keeps it or you set trailing_slash = \"keep\"",
        );
    }
    top.reader
        .fault(fault.help("clients would follow it until they give up; point the last one at an endpoint"));
}
