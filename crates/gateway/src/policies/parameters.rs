//! Parameters and headers of an endpoint: 400 with every violation, not just the first.

use crate::{
    http1::target::decode,
    refusal::{Refusal, Refused},
    settings::{Endpoint, Kind, Parameter, Place},
    visit::Visit,
};
use contract::{Detail, ErrorCode};

/// A violation: the code that the answer has if this is the first one, and what the client reads of it.
struct Violation {
    code: ErrorCode,
    detail: Detail,
}

/// Checks path, query and header parameters.
pub(crate) fn check(visit: &Visit<'_>, endpoint: &Endpoint, names: &[String]) -> Result<(), Refused> {
    if endpoint.parameters.is_empty() {
        return Ok(());
    }
    let mut violations = Vec::new();
    let in_path = visit.shared.routes.parameters(visit.head.path());
    for parameter in &endpoint.parameters {
        match parameter.place {
            Place::Path => {
                let position = names.iter().position(|name| *name == parameter.name);
                let value =
                    position.and_then(|position| in_path.get(position)).map(|value| decode(value, false));
                judge(parameter, value.into_iter(), &mut violations);
            }
            Place::Query => judge(
                parameter,
                in_query(visit.head.query().unwrap_or_default(), &parameter.name),
                &mut violations,
            ),
            Place::Header => {
                let values = visit
                    .head
                    .named(&parameter.name)
                    .map(|value| String::from_utf8_lossy(value).into_owned());
                judge(parameter, values, &mut violations);
            }
            Place::Body => {} // looked at once the body is there
        }
    }
    let Some(first) = violations.first() else { return Ok(()) };
    let code = first.code;
    let message = match violations.as_slice() {
        [only] if matches!(code, ErrorCode::ParameterMissing | ErrorCode::HeaderMissing) => {
            format!("The {} \"{}\" is required, but not there.", noun(&only.detail), only.detail.name)
        }
        [only] => {
            format!(
                "The {} \"{}\" is not right: {}",
                noun(&only.detail),
                only.detail.name,
                only.detail.message
            )
        }
        all => format!("{} parameters or headers are not right; `details` names each.", all.len()),
    };
    let mut refused = Refusal::new(code, message);
    refused.details = violations.into_iter().map(|violation| violation.detail).collect();
    Err(refused)
}

fn noun(detail: &Detail) -> String {
    if detail.place == "header" { "header".to_owned() } else { format!("{} parameter", detail.place) }
}

/// Every value of a name in a query string.
fn in_query<'q>(query: &'q str, name: &'q str) -> impl Iterator<Item = String> + 'q {
    query.split('&').filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key, true) == name).then(|| decode(value, true))
    })
}

fn judge(parameter: &Parameter, values: impl Iterator<Item = String>, violations: &mut Vec<Violation>) {
    let (place, missing, not_valid) = match parameter.place {
        Place::Path => ("path", ErrorCode::ParameterMissing, ErrorCode::ParameterNotValid),
        Place::Query => ("query", ErrorCode::ParameterMissing, ErrorCode::ParameterNotValid),
        Place::Header => ("header", ErrorCode::HeaderMissing, ErrorCode::HeaderNotValid),
        Place::Body => return,
    };
    let mut add = |code, message| {
        let detail = Detail { place, name: parameter.name.clone(), pointer: None, message };
        violations.push(Violation { code, detail });
    };
    let mut found = false;
    for value in values {
        found = true;
        if let Some(message) = wrong_text(parameter, &value) {
            add(not_valid, message);
        }
    }
    if !found && parameter.required {
        add(missing, "It is required, but not there.".to_owned());
    }
}

/// What is wrong with a value that was sent as text.
fn wrong_text(parameter: &Parameter, value: &str) -> Option<String> {
    match parameter.kind {
        Kind::String => wrong_string(parameter, value),
        Kind::Boolean if matches!(value, "true" | "false") => wrong_choice(parameter, value),
        Kind::Boolean => Some(format!("It has to be true or false, but is {}.", quoted(value))),
        Kind::Integer => match value.parse::<i64>() {
            Ok(number) => wrong_number(parameter, number as f64).or_else(|| wrong_choice(parameter, value)),
            Err(_) => Some(format!("It has to be a whole number, but is {}.", quoted(value))),
        },
        Kind::Number => match value.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                wrong_number(parameter, number).or_else(|| wrong_choice(parameter, value))
            }
            Ok(_) | Err(_) => Some(format!("It has to be a number, but is {}.", quoted(value))),
        },
    }
}

/// What is wrong with a string.
pub(crate) fn wrong_string(parameter: &Parameter, value: &str) -> Option<String> {
    let length = value.chars().count() as f64;
    if let Some(fewest) = parameter.minimum.filter(|&fewest| length < fewest) {
        return Some(format!("It needs at least {}, but has {length}.", characters(fewest)));
    }
    if let Some(most) = parameter.maximum.filter(|&most| length > most) {
        return Some(format!("It may have at most {}, but has {length}.", characters(most)));
    }
    if let Some(pattern) = parameter.pattern.as_ref().filter(|pattern| !pattern.is_match(value)) {
        return Some(format!(
            "It has to match the pattern {}, but is {}.",
            plain(pattern.as_str()),
            quoted(value)
        ));
    }
    wrong_choice(parameter, value)
}

fn characters(count: f64) -> String {
    if count == 1.0 { "1 character".to_owned() } else { format!("{count} characters") }
}

/// What is wrong with a number.
pub(crate) fn wrong_number(parameter: &Parameter, number: f64) -> Option<String> {
    if let Some(least) = parameter.minimum.filter(|&least| number < least) {
        return Some(format!("It has to be at least {least}, but is {number}."));
    }
    parameter
        .maximum
        .filter(|&most| number > most)
        .map(|most| format!("It has to be at most {most}, but is {number}."))
}

/// What is wrong with a value that is none of those allowed.
pub(crate) fn wrong_choice(parameter: &Parameter, value: &str) -> Option<String> {
    if parameter.one_of.is_empty() || parameter.one_of.iter().any(|allowed| allowed == value) {
        return None;
    }
    Some(format!("It has to be one of {}, but is {}.", parameter.one_of.join(", "), quoted(value)))
}

/// The pattern as the configuration has it, without the anchors around it.
fn plain(pattern: &str) -> &str {
    pattern.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$")).unwrap_or(pattern)
}

/// A value in quotes, cut so that a message stays readable.
pub(crate) fn quoted(value: &str) -> String {
    let mut shown: String = value.chars().take(60).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn parameter(kind: Kind) -> Parameter {
        Parameter {
            place: Place::Query,
            name: "p".into(),
            kind,
            required: true,
            pattern: None,
            minimum: None,
            maximum: None,
            one_of: vec![],
        }
    }

    #[test]
    fn each_type_takes_what_it_should() {
        for (kind, fine, wrong) in [
            (
                Kind::Integer,
                vec!["0", "-7", "9223372036854775807"],
                vec!["", "1.5", "x", "9223372036854775808", " 1"],
            ),
            (Kind::Number, vec!["0", "-1.5", "1e3"], vec!["", "x", "NaN", "inf"]),
            (Kind::Boolean, vec!["true", "false"], vec!["", "1", "True"]),
            (Kind::String, vec!["", "anything"], vec![]),
        ] {
            for value in fine {
                assert_eq!(wrong_text(&parameter(kind), value), None, "{value}");
            }
            for value in wrong {
                assert!(wrong_text(&parameter(kind), value).is_some(), "{value}");
            }
        }
    }

    #[test]
    fn ranges_patterns_and_choices_say_what_was_found_and_what_is_allowed() {
        let range = Parameter { minimum: Some(1.0), maximum: Some(100.0), ..parameter(Kind::Integer) };
        assert_eq!(wrong_text(&range, "0").unwrap(), "It has to be at least 1, but is 0.");
        assert_eq!(wrong_text(&range, "101").unwrap(), "It has to be at most 100, but is 101.");
        let length = Parameter { minimum: Some(2.0), ..parameter(Kind::String) };
        assert_eq!(wrong_text(&length, "é").unwrap(), "It needs at least 2 characters, but has 1.");
        let pattern =
            Parameter { pattern: Some(Regex::new("^(?:[a-z]+)$").unwrap()), ..parameter(Kind::String) };
        assert_eq!(wrong_text(&pattern, "A").unwrap(), "It has to match the pattern [a-z]+, but is \"A\".");
        let choice = Parameter { one_of: vec!["asc".into(), "desc".into()], ..parameter(Kind::String) };
        assert_eq!(wrong_text(&choice, "up").unwrap(), "It has to be one of asc, desc, but is \"up\".");
    }

    #[test]
    fn every_value_of_a_query_name_is_found() {
        assert_eq!(in_query("a=1&b=2&%61=x+y&a", "a").collect::<Vec<_>>(), ["1", "x y", ""]);
    }
}
