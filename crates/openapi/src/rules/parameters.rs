//! All parameters of an operation, checked against the head of a request.

use crate::{
    api::{In, Parameter},
    rules::{
        KeyNames, Sent, UnknownQuery, Violation,
        pairs::{self, Pairs},
        parameter::{ParameterRule, Was},
        shape::Shapes,
    },
    schema::{SchemaCompiler, Units, nearest, sentences::quoted},
};
use contract::{Detail, ErrorCode, detail::UNKNOWN_PARAMETER};
use std::sync::Arc;

/// The rules of all parameters.
#[derive(Debug)]
pub(super) struct ParameterRules {
    rules: Vec<ParameterRule>,
    unknown: UnknownQuery,
    /// Names that the document gives to keys.
    keys: Arc<KeyNames>,
    /// Whether the text alone decides each, so that a valid request needs no memory.
    has_fast: bool,
}

/// Query names that are reported as unknown.
const MAX_UNKNOWN: usize = 20;
/// Bytes of a query that is looked through anew for each rule.
const SHORT: usize = 4 << 10;

impl ParameterRules {
    pub(super) fn has_semicolons(&self) -> bool {
        self.rules.iter().any(ParameterRule::has_semicolons)
    }

    /// Headers that are looked at, each once.
    pub(super) fn header_names(&self) -> Vec<&str> {
        let names = self.rules.iter().filter_map(|rule| match rule.place {
            In::Header => Some(rule.lower_name.as_str()),
            In::Cookie => Some("cookie"),
            In::Path | In::Query | In::QueryString => None,
        });
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Compiles the rules.
    pub(super) fn compile(
        schemas: &mut SchemaCompiler<'_>,
        shapes: &mut Shapes,
        path_names: &[&str],
        parameters: &[Parameter],
        unknown: UnknownQuery,
        keys: Arc<KeyNames>,
    ) -> Self {
        let rules: Vec<ParameterRule> = parameters
            .iter()
            .filter(|parameter| !is_elsewhere(parameter))
            .map(|parameter| ParameterRule::compile(schemas, shapes, parameter, path_names))
            .collect();
        let has_fast = unknown == UnknownQuery::Ignored && rules.iter().all(|rule| rule.scalar.is_some());
        Self { rules, unknown, keys, has_fast }
    }

    pub(super) fn check_anything(&self) -> bool {
        !self.rules.is_empty() || self.unknown == UnknownQuery::Refused
    }

    /// Whether all is as it should be, decided without making a value. False also where it needs a closer look.
    pub(super) fn fit(&self, sent: &Sent<'_>) -> bool {
        let is_short = sent.query.is_none_or(|query| query.len() <= SHORT);
        self.has_fast && is_short && self.rules.iter().all(|rule| fits(rule, sent))
    }

    /// Every violation, in the order of the document.
    pub(super) fn check(&self, sent: &Sent<'_>, units: &Arc<Units>) -> Vec<Violation> {
        if self.fit(sent) { Vec::new() } else { self.violations(sent, units) }
    }

    /// The same of what does not seem to [fit](Self::fit).
    pub(super) fn violations(&self, sent: &Sent<'_>, units: &Arc<Units>) -> Vec<Violation> {
        let mut violations = Vec::new();
        let query = Pairs::of_form(sent.query.unwrap_or_default());
        for rule in &self.rules {
            let others = |name: &str| {
                let is_its = |other: &ParameterRule| {
                    other.place == rule.place && !std::ptr::eq(other, rule) && other.owns(name)
                };
                self.rules.iter().any(is_its) || self.keys.has(rule.place, name)
            };
            match rule.place {
                In::Path => {
                    let value = rule.position.and_then(|position| sent.path.get(position));
                    let texts: Vec<&str> = value.copied().into_iter().collect();
                    rule.check(&Was::Texts(&texts), units, &mut violations);
                }
                In::Query => rule.check(&Was::Pairs(&query, &others), units, &mut violations),
                In::QueryString => match sent.query {
                    Some(query) => rule.check(&Was::Whole(query), units, &mut violations),
                    None => rule.check(&Was::Texts(&[]), units, &mut violations),
                },
                In::Header => match lines(sent, &rule.lower_name) {
                    Ok(lines) => rule.check(&Was::Texts(&lines), units, &mut violations),
                    Err(message) => violations.push(rule.wrong("", message)),
                },
                In::Cookie => match lines(sent, "cookie") {
                    Ok(lines) => {
                        let cookies = Pairs::of_cookies(&lines, rule.coding());
                        rule.check(&Was::Pairs(&cookies, &others), units, &mut violations);
                    }
                    Err(message) => violations.push(rule.wrong("", message)),
                },
            }
        }
        if self.unknown == UnknownQuery::Refused {
            self.unknown_names(&query, &mut violations);
        }
        violations
    }

    fn unknown_names(&self, query: &Pairs<'_>, violations: &mut Vec<Violation>) {
        let mut reported: Vec<&str> = Vec::new();
        for (name, _) in &query.pairs {
            let is_known =
                self.rules.iter().any(|rule| rule.takes_name(name)) || self.keys.has(In::Query, name);
            if is_known || reported.contains(&name.as_ref()) {
                continue;
            }
            if reported.len() == MAX_UNKNOWN {
                break;
            }
            reported.push(name);
            let known =
                self.rules.iter().filter(|rule| rule.place == In::Query).flat_map(ParameterRule::names);
            let message = match nearest(name, known) {
                Some(near) => format!("{UNKNOWN_PARAMETER} Did you mean {}?", quoted(near)),
                None => UNKNOWN_PARAMETER.to_owned(),
            };
            let name = name.chars().take(100).collect();
            violations.push(Violation {
                code: ErrorCode::ParameterNotValid,
                detail: Detail { place: "query", name, pointer: None, message },
            });
        }
    }
}

/// Headers that the specification leaves to other parts of the document.
fn is_elsewhere(parameter: &Parameter) -> bool {
    parameter.place == In::Header
        && ["accept", "content-type", "authorization"]
            .iter()
            .any(|name| parameter.name.eq_ignore_ascii_case(name))
}

/// The values of a header.
fn lines<'s>(sent: &Sent<'s>, name: &str) -> Result<Vec<&'s str>, String> {
    let mut lines = Vec::new();
    let mut is_text = true;
    sent.headers.each(name, &mut |value| match std::str::from_utf8(value) {
        Ok(line) => lines.push(line.trim_matches([' ', '\t'])),
        Err(_) => is_text = false,
    });
    if is_text { Ok(lines) } else { Err("Must be UTF-8, but is not.".to_owned()) }
}

/// Whether a scalar is there once and as it should be, decided without making a value. False also where it
/// needs a closer look.
fn fits(rule: &ParameterRule, sent: &Sent<'_>) -> bool {
    let Some(scalar) = &rule.scalar else { return false };
    let mut count = 0_usize;
    let mut fine = true;
    let coding = rule.coding();
    let mut look = |text: Option<&str>| {
        count += 1;
        fine &= text.is_some_and(|text| coding.decode(text).is_ok_and(|text| scalar.fits(&text)));
    };
    match rule.place {
        In::Path => {
            if let Some(text) = rule.position.and_then(|position| sent.path.get(position)) {
                look(Some(text));
            }
        }
        In::Query => {
            let pairs = pairs::split(sent.query.unwrap_or_default());
            pairs
                .filter(|(name, _)| pairs::is_named(name, &rule.name))
                .for_each(|(_, value)| look(Some(value)));
        }
        In::Header => sent.headers.each(&rule.lower_name, &mut |value| {
            look(std::str::from_utf8(value).ok().map(|text| text.trim_matches([' ', '\t'])));
        }),
        In::Cookie | In::QueryString => return false,
    }
    fine && (count == 1 || (count == 0 && !rule.required))
}
