//! The tables `[[endpoints]]`: each alone. What they are to each other is decided in `paths`.

use super::{
    parameters,
    server::keep,
    syntax::{check_media_type, check_permission},
    top::twice,
};
use crate::config::{
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{
        ENDPOINT_COST, ENDPOINT_MAX_BODY, ENDPOINT_MEDIA_TYPES, ENDPOINT_METHOD, ENDPOINT_PATH,
        ENDPOINT_PERMISSION, ENDPOINT_PUBLIC, Table,
    },
    template::Template,
    unknown::nearest,
};
use gateway::settings::Endpoint;

/// The methods that people mean when they write nearly one of them.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// An endpoint, what of it could be read, and where.
#[derive(Debug)]
pub(super) struct EndpointRead {
    pub(super) method: Option<At<String>>,
    pub(super) path: Option<At<Template>>,
    /// None if the file does not set it.
    pub(super) cost: Option<At<u32>>,
    pub(super) is_public: bool,
    /// None if a fault was noted.
    pub(super) valid: Option<Endpoint>,
}

pub(super) fn endpoints(top: &Section<'_>) -> Vec<EndpointRead> {
    top.many(Table::Endpoint).iter().map(endpoint).collect()
}

fn endpoint(section: &Section<'_>) -> EndpointRead {
    let method = section.text(&ENDPOINT_METHOD).and_then(|method| {
        let span = method.span.clone();
        keep(section, method, check_method).map(|value| At { value, span })
    });
    if let Some(method) = &method {
        warn_of_slip(section, method);
    }
    let path = section.text(&ENDPOINT_PATH).and_then(|path| template(section, &path));
    let permission =
        section.text(&ENDPOINT_PERMISSION).and_then(|text| keep(section, text, check_permission));
    let is_public = section.boolean(&ENDPOINT_PUBLIC);
    let cost = section.whole(&ENDPOINT_COST).and_then(|cost| {
        let value = u32::try_from(cost.value).ok()?;
        Some(At { value, span: cost.span })
    });
    let max_body = section.size(&ENDPOINT_MAX_BODY).map(|size| size.value);
    let media_types = media_types(section);
    let parameters = parameters::parameters(section, path.as_ref(), method.as_ref());
    let public = is_public.as_ref().is_some_and(|public| public.value);
    if public {
        check_public(section, cost.as_ref());
    }
    let valid = (|| {
        Some(Endpoint {
            method: method.as_ref()?.value.clone(),
            path: path.as_ref()?.value.text.clone(),
            permission,
            public,
            cost: cost.as_ref()?.value,
            max_body,
            media_types,
            parameters,
        })
    })();
    let cost = cost.filter(|_| section.has(&ENDPOINT_COST));
    EndpointRead { method, path, cost, is_public: public, valid }
}

/// Reads a path template, or notes the fault at the very part that is wrong.
pub(super) fn template(section: &Section<'_>, path: &At<String>) -> Option<At<Template>> {
    match Template::parse(&path.value) {
        Ok(value) => Some(At { value, span: path.span.clone() }),
        Err(wrong) => {
            section.reader.fault(
                Fault::at(section.reader.part(path, wrong.part), format!("`{}` is no path", path.value))
                    .label(wrong.label)
                    .help(wrong.help),
            );
            None
        }
    }
}

fn check_method(text: &str) -> Result<String, Refusal> {
    let is_good = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.len() <= 32
        && text.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    if text == "CONNECT" {
        return Err(Refusal::new(
            "CONNECT cannot be an endpoint",
            "asks for a tunnel, not for a path",
            "leave this endpoint out",
        ));
    }
    if is_good {
        return Ok(text.to_owned());
    }
    let upper = text.to_ascii_uppercase();
    let help = if upper != text && upper.chars().all(|c| c.is_ascii_uppercase() || c == '-') {
        format!("write it in upper case: method = \"{upper}\"")
    } else if text == "*" || text.contains([',', ' ', '|']) {
        "write one endpoint for each method".to_owned()
    } else {
        "write it like this: method = \"GET\"".to_owned()
    };
    Err(Refusal::new(format!("`{text}` is no method"), "expected upper-case letters", help))
}

fn warn_of_slip(section: &Section<'_>, method: &At<String>) {
    if METHODS.contains(&method.value.as_str()) {
        return;
    }
    if let Some(near) = nearest(&method.value, METHODS) {
        section.reader.warn(format!(
            "line {}: `{}` is none of the common methods; was {near} meant?",
            section.reader.line(&method.span),
            method.value
        ));
    }
}

fn media_types(section: &Section<'_>) -> Vec<String> {
    let mut types: Vec<At<String>> = Vec::new();
    for text in section.texts(&ENDPOINT_MEDIA_TYPES) {
        let span = text.span.clone();
        let Some(value) = keep(section, text, check_media_type) else { continue };
        match types.iter().find(|known| known.value == value) {
            Some(known) => section.reader.fault(twice("media type", &value, &span, &known.span)),
            None => types.push(At { value, span }),
        }
    }
    types.into_iter().map(|known| known.value).collect()
}

/// On a public endpoint no key is looked at, so nothing that needs one may stand there.
fn check_public(section: &Section<'_>, cost: Option<&At<u32>>) {
    let public = section.key_place(&ENDPOINT_PUBLIC);
    if section.has(&ENDPOINT_PERMISSION) {
        section.reader.fault(
            Fault::at(section.key_place(&ENDPOINT_PERMISSION), "a public endpoint cannot need a permission")
                .label("needs a key")
                .also(public.clone(), "no key is looked at")
                .help("take out one of the two"),
        );
    }
    if let Some(cost) = cost.filter(|cost| cost.value != 1) {
        section.reader.fault(
            Fault::at(cost.span.clone(), "a public endpoint cannot have a cost")
                .label("nothing can be charged")
                .also(public, "no key is looked at, so nothing is counted")
                .help("take out one of the two"),
        );
    }
}
