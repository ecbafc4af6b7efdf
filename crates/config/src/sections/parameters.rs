//! The tables `[[endpoints.parameters]]`.

use super::{pattern, syntax::check_header_name};
use crate::{
    fault::Fault,
    nearest,
    raw::{At, Refusal, Section},
    registry::{
        Absent::{Default, Means, Required},
        Key, Shape, Table,
    },
    template::Template,
};
use regex::Regex;

rows! {
    PARAMETER_IN = Parameter "in", Shape::Words(&["path", "query", "header", "body"]), Required, "\"query\"",
    also "place", "location";
    "Where the parameter is: a `{name}` in the path, the query string, a header, or a property of the JSON object in the \
     body. A violation is 400, in the body 422."

    PARAMETER_NAME = Parameter "name", Shape::Text, Required, "\"limit\"";
    "The name. Header names are case-insensitive."

    PARAMETER_TYPE = Parameter "type", Shape::Words(&["string", "integer", "number", "boolean"]), Default("\"string\""),
    "\"integer\"", also "kind";
    "The type of the value."

    PARAMETER_REQUIRED = Parameter "required", Shape::Boolean, Default("false"), "true";
    "Whether the parameter must be present. Path parameters always are."

    PARAMETER_PATTERN = Parameter "pattern", Shape::Text, Means("any text"), "\"[a-z]+\"", also "regex";
    "A regular expression that must match the whole string."

    PARAMETER_MINIMUM = Parameter "minimum", Shape::Number, Means("no minimum"), "1", also "min";
    "The smallest number, or the shortest string in characters."

    PARAMETER_MAXIMUM = Parameter "maximum", Shape::Number, Means("no maximum"), "100", also "max";
    "The largest number, or the longest string in characters."

    PARAMETER_ENUM = Parameter "enum", Shape::Scalars, Means("any value"), "[10, 20, 50]", also "one_of";
    "The allowed values."
}

/// A parameter, a header or a member of the JSON body that is declared without a document.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) place: Place,
    /// Of a header in lower case.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) required: bool,
    /// What the whole of a string value matches.
    pub(super) pattern: Option<Regex>,
    /// Smallest number, or fewest characters of a string.
    pub(super) minimum: Option<f64>,
    /// Largest number, or most characters of a string.
    pub(super) maximum: Option<f64>,
    /// The only values that are allowed. Empty: any.
    pub(super) one_of: Vec<String>,
}

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Body,
}

/// What a parameter's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Integer,
    Number,
    Boolean,
}

const PLACES: [(&str, Place); 4] =
    [("path", Place::Path), ("query", Place::Query), ("header", Place::Header), ("body", Place::Body)];

const KINDS: [(&str, Kind); 4] = [
    ("string", Kind::String),
    ("integer", Kind::Integer),
    ("number", Kind::Number),
    ("boolean", Kind::Boolean),
];

/// Reads the parameters of one endpoint, whose path and method are None if they have a fault.
pub(super) fn parameters(
    endpoint: &Section<'_>,
    path: Option<&At<Template>>,
    method: Option<&At<String>>,
) -> Vec<Parameter> {
    let mut read: Vec<At<Parameter>> = Vec::new();
    for section in endpoint.many(Table::Parameter) {
        let Some(parameter) = parameter(&section, path, method) else { continue };
        let same = |known: &&At<Parameter>| {
            known.value.place == parameter.value.place && known.value.is_named(&parameter.value.name)
        };
        match read.iter().find(same) {
            Some(known) => section.reader.fault(
                Fault::at(
                    parameter.span,
                    format!("the parameter `{}` is declared twice", parameter.value.name),
                )
                .label("the second time")
                .also(known.span.clone(), "the first time")
                .help("merge them"),
            ),
            None => read.push(parameter),
        }
    }
    read.into_iter().map(|parameter| parameter.value).collect()
}

impl Parameter {
    fn is_named(&self, name: &str) -> bool {
        match self.place {
            Place::Header => self.name.eq_ignore_ascii_case(name),
            Place::Path | Place::Query | Place::Body => self.name == name,
        }
    }
}

/// One parameter, with the place of its name.
fn parameter(
    section: &Section<'_>,
    path: Option<&At<Template>>,
    method: Option<&At<String>>,
) -> Option<At<Parameter>> {
    let place = section.word(&PARAMETER_IN, &PLACES);
    let name = section.text(&PARAMETER_NAME).and_then(|name| check_name(section, name, place.as_ref(), path));
    let kind = section.word(&PARAMETER_TYPE, &KINDS);
    let required = section.boolean(&PARAMETER_REQUIRED);
    let pattern = pattern::whole(section, &PARAMETER_PATTERN);
    let minimum = section.number(&PARAMETER_MINIMUM);
    let maximum = section.number(&PARAMETER_MAXIMUM);
    let one_of = section.scalars(&PARAMETER_ENUM);

    if let Some(place) = &place {
        check_place(section, place, required.as_ref(), method);
    }
    if let Some(kind) = &kind {
        check_kind(section, kind.value);
        check_bounds(section, kind.value, minimum.as_ref(), maximum.as_ref());
        check_one_of(section, kind.value, one_of.as_ref());
    }
    let (place, name) = (place?.value, name?);
    // What was refused is not refused a second time where it is compiled.
    let maximum = maximum.filter(|most| minimum.as_ref().is_none_or(|minimum| minimum.value <= most.value));
    let parameter = Parameter {
        place,
        name: name.value,
        kind: kind?.value,
        required: required?.value || place == Place::Path,
        pattern,
        minimum: minimum.map(|minimum| minimum.value),
        maximum: maximum.map(|maximum| maximum.value),
        one_of: one_of
            .map(|list| list.value.into_iter().map(|item| item.value).collect())
            .unwrap_or_default(),
    };
    Some(At { value: parameter, span: name.span })
}

fn check_name(
    section: &Section<'_>,
    name: At<String>,
    place: Option<&At<Place>>,
    path: Option<&At<Template>>,
) -> Option<At<String>> {
    let span = name.span.clone();
    if name.value.is_empty() {
        section.reader.fault(
            Fault::at(span, "a parameter needs a name")
                .label("the name is empty")
                .help("write it like this: name = \"limit\""),
        );
        return None;
    }
    match place?.value {
        Place::Header => {
            // As it is written: messages and the document show it so.
            let written = name.value.clone();
            section.keep(name, check_header_name).map(|_| At { value: written, span })
        }
        Place::Path => {
            if let Some(path) = path.filter(|path| !path.value.names.contains(&name.value)) {
                let names: Vec<&str> = path.value.names.iter().map(String::as_str).collect();
                let help = match nearest(&name.value, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if names.is_empty() => {
                        "the path has no names: write {name} in it where the value is".to_owned()
                    }
                    None => format!("the names in the path are {}", names.join(", ")),
                };
                section.reader.fault(
                    Fault::at(span.clone(), format!("the path has no `{{{}}}`", name.value))
                        .label("no such name in the path")
                        .also(path.span.clone(), "the path")
                        .help(help),
                );
            }
            Some(name)
        }
        Place::Query | Place::Body => Some(name),
    }
}

fn check_place(
    section: &Section<'_>,
    place: &At<Place>,
    required: Option<&At<bool>>,
    method: Option<&At<String>>,
) {
    if let Some(method) = method.filter(|method| matches!(method.value.as_str(), "GET" | "HEAD"))
        && place.value == Place::Body
    {
        section.reader.fault(
            Fault::at(place.span.clone(), format!("{} has no body", method.value))
                .label("a property of the body")
                .also(method.span.clone(), "the method")
                .help("declare it with in = \"query\", or use another method"),
        );
    }
    if let Some(required) = required.filter(|required| !required.value)
        && place.value == Place::Path
        && section.has(&PARAMETER_REQUIRED)
    {
        section.reader.fault(
            Fault::at(required.span.clone(), "a path parameter is always present")
                .label("cannot be false")
                .also(place.span.clone(), "in the path")
                .help("remove this line"),
        );
    }
}

fn check_kind(section: &Section<'_>, kind: Kind) {
    let refuse = |key: &Key, help: &str| {
        if section.has(key) {
            section.reader.fault(
                Fault::at(section.key_place(key), format!("`{}` does not apply to this type", key.name))
                    .label(format!("the type is {}", kind_word(kind)))
                    .help(help),
            );
        }
    };
    match kind {
        Kind::String => {}
        Kind::Integer | Kind::Number => refuse(
            &PARAMETER_PATTERN,
            "restrict numbers with `minimum` and `maximum`, or list them in `enum`",
        ),
        Kind::Boolean => {
            refuse(&PARAMETER_PATTERN, "a boolean is `true` or `false`: remove this line");
            refuse(&PARAMETER_MINIMUM, "a boolean is `true` or `false`: remove this line");
            refuse(&PARAMETER_MAXIMUM, "a boolean is `true` or `false`: remove this line");
        }
    }
}

fn check_bounds(section: &Section<'_>, kind: Kind, minimum: Option<&At<f64>>, maximum: Option<&At<f64>>) {
    for bound in [minimum, maximum].into_iter().flatten() {
        let is_whole = bound.value.fract() == 0.0;
        let wrong = match kind {
            Kind::String if !is_whole || bound.value < 0.0 => Some("a length is a whole number from 0"),
            Kind::Integer if !is_whole => Some("the bound of an integer is a whole number"),
            Kind::String | Kind::Integer | Kind::Number | Kind::Boolean => None,
        };
        if let Some(wrong) = wrong {
            section.reader.fault(
                Fault::at(bound.span.clone(), "this bound can never be met exactly")
                    .label(wrong)
                    .help("write a whole number, or type = \"number\""),
            );
        }
    }
    if let (Some(minimum), Some(maximum)) = (minimum, maximum)
        && minimum.value > maximum.value
    {
        section.reader.fault(
            Fault::at(minimum.span.clone(), "no value could be valid")
                .label("the minimum")
                .also(maximum.span.clone(), "is larger than the maximum")
                .help("swap the two"),
        );
    }
}

fn check_one_of(section: &Section<'_>, kind: Kind, one_of: Option<&At<Vec<At<String>>>>) {
    let Some(list) = one_of else { return };
    if section.is_empty_list(&PARAMETER_ENUM) {
        section.reader.fault(
            Fault::at(list.span.clone(), "no value could be valid")
                .label("the list is empty")
                .help("list the allowed values, or remove this line"),
        );
    }
    for item in &list.value {
        let fits = match kind {
            Kind::String => true,
            Kind::Integer => item.value.parse::<i64>().is_ok(),
            Kind::Number => item.value.parse::<f64>().is_ok_and(f64::is_finite),
            Kind::Boolean => matches!(item.value.as_str(), "true" | "false"),
        };
        if !fits {
            let refusal = Refusal::new(
                format!("`{}` is not of type {}", item.value, kind_word(kind)),
                "does not match the `type` of the parameter",
                "correct this value, or `type`",
            );
            section.reader.fault(refusal.into_fault(item.span.clone()));
        }
    }
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
    }
}
