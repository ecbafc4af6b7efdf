//! Who may use an operation: from security requirements to permissions.

use super::{Reader, known::Kind, objects::Object};
use crate::{
    api::Access,
    documents::{Place, Version},
    text::{nearest, quoted},
};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The security schemes that a document defines.
#[derive(Default)]
pub(super) struct Schemes {
    by_name: HashMap<String, Scheme>,
    /// Their names, in the order of the document.
    order: Vec<String>,
    /// The schemes that requirements ask for together, each combination once.
    asked: Vec<Vec<String>>,
    seen: HashSet<Vec<String>>,
}

/// What of a scheme matters to its requirements.
#[derive(Clone)]
struct Scheme {
    /// Its list names scopes. Otherwise it should be empty before 3.1, and names roles since.
    is_scoped: bool,
    carrier: Carrier,
    place: Place,
}

/// Where a scheme has its credentials sent.
#[derive(Clone)]
enum Carrier {
    Header(String),
    /// `Authorization`, where keys are read in any case.
    Authorization,
    /// Where no keys are read.
    Elsewhere,
}

impl Schemes {
    fn insert(&mut self, name: &str, scheme: Scheme) {
        if self.by_name.insert(name.to_owned(), scheme).is_none() {
            self.order.push(name.to_owned());
        }
    }

    fn ask(&mut self, names: Vec<String>) {
        if names.is_empty() || self.seen.contains(&names) {
            return;
        }
        self.seen.insert(names.clone());
        self.asked.push(names);
    }

    /// The headers that keys are read from, in lower case. Of schemes that are asked for together one is the key, and the
    /// others are the API's own: a tenant, or a signature.
    fn chosen(&self) -> HashSet<String> {
        let carriers = |names: &Vec<String>| -> Vec<&Carrier> {
            names.iter().filter_map(|name| Some(&self.by_name.get(name)?.carrier)).collect()
        };
        let mut chosen: HashSet<String> = HashSet::new();
        let is_alone = |names: &&Vec<String>| {
            carriers(names).iter().filter(|carrier| !matches!(carrier, Carrier::Elsewhere)).count() == 1
        };
        let (alone, together): (Vec<_>, Vec<_>) = self.asked.iter().partition(is_alone);
        for names in alone.into_iter().chain(together) {
            let carriers = carriers(names);
            let is_chosen = |carrier: &&Carrier| match carrier {
                Carrier::Header(name) => chosen.contains(&name.to_ascii_lowercase()),
                Carrier::Authorization | Carrier::Elsewhere => false,
            };
            if carriers.iter().any(is_chosen) {
                continue;
            }
            if let Some(Carrier::Header(name)) =
                carriers.into_iter().min_by_key(|carrier| unlikeliness(carrier))
            {
                chosen.insert(name.to_ascii_lowercase());
            }
        }
        chosen
    }
}

/// How unlikely a scheme is to carry the key if several are asked for together: the name of a header says it best.
fn unlikeliness(carrier: &Carrier) -> u8 {
    match carrier {
        Carrier::Header(name) => {
            let name = name.to_ascii_lowercase();
            if name.contains("key") {
                0
            } else if name == "authorization" {
                1
            } else if ["token", "auth"].iter().any(|word| name.contains(word)) {
                2
            } else {
                3
            }
        }
        Carrier::Authorization => 1,
        Carrier::Elsewhere => 4,
    }
}

impl<'d> Reader<'d> {
    /// Reads the schemes that the root defines.
    pub(super) fn schemes(&mut self, root: &Object<'d>) {
        let schemes = if self.version == Version::V2 {
            self.object(root, "securityDefinitions")
        } else {
            let components = self.object(root, "components");
            if let Some(components) = &components {
                self.known(components, Kind::Components);
            }
            components.and_then(|components| self.object(&components, "securitySchemes"))
        };
        let Some(schemes) = schemes else { return };
        for name in schemes.members.keys().filter(|name| !name.starts_with("x-")) {
            if let Some(scheme) = self.followed(&schemes.place.child(name)) {
                let scheme = self.scheme(&scheme);
                self.schemes.insert(name, scheme);
            }
        }
    }

    /// The headers that keys are read from, each once whatever its case: those of `apiKey` schemes that requirements ask
    /// for. Known when all operations have been read.
    pub(super) fn key_headers(&mut self) -> Vec<String> {
        let chosen = self.schemes.chosen();
        let mut headers: Vec<String> = Vec::new();
        for name in &self.schemes.order {
            let Some(Scheme { carrier: Carrier::Header(header), place, .. }) = self.schemes.by_name.get(name)
            else {
                continue;
            };
            if chosen.contains(&header.to_ascii_lowercase()) {
                if !headers.iter().any(|known| known.eq_ignore_ascii_case(header)) {
                    headers.push(header.clone());
                }
                continue;
            }
            let why = if self.schemes.asked.iter().any(|names| names.contains(name)) {
                "`security` asks for this scheme only together with another one, which has the key"
            } else {
                "no `security` asks for this scheme"
            };
            let message = format!(
                "Keys are not read from the header {}, because {why}: your API receives the header as it was sent.",
                quoted(header)
            );
            self.notes.warn(place, message);
        }
        headers
    }

    fn scheme(&mut self, scheme: &Object<'d>) -> Scheme {
        self.known(scheme, Kind::Scheme);
        let (is_scoped, carrier) = self.carrier(scheme);
        Scheme { is_scoped, carrier, place: scheme.place.clone() }
    }

    /// Whether its list names scopes, and where its credentials are sent.
    fn carrier(&mut self, scheme: &Object<'d>) -> (bool, Carrier) {
        match self.text(scheme, "type") {
            Some(kind @ ("oauth2" | "openIdConnect")) => {
                let name = if kind == "oauth2" { "OAuth 2.0" } else { "OpenID Connect" };
                let message = format!(
                    "Tokens of {name} are not accepted: clients send a key of the gateway instead, as \
                     \"Authorization: Bearer KEY\". Scopes are permissions of keys."
                );
                self.notes.warn(&scheme.place, message);
                return (true, Carrier::Authorization);
            }
            Some("apiKey") => return (false, self.key_scheme(scheme)),
            Some("http") => {
                let kind = self.text(scheme, "scheme").unwrap_or_default();
                if !kind.eq_ignore_ascii_case("bearer") {
                    let message = format!(
                        "HTTP authentication {} is not checked: clients send a key of the gateway.",
                        quoted(kind)
                    );
                    self.notes.warn(&scheme.place, message);
                } else if let Some(format) = self.text(scheme, "bearerFormat")
                    && is_foreign_token(format)
                {
                    let message = format!(
                        "Tokens of the format {} are not accepted: clients send a key of the gateway instead, as \
                         \"Authorization: Bearer KEY\".",
                        quoted(format)
                    );
                    self.notes.warn(&scheme.place.child("bearerFormat"), message);
                }
                return (false, Carrier::Authorization);
            }
            Some("basic") if self.version == Version::V2 => {
                let message =
                    "HTTP authentication \"basic\" is not checked: clients send a key of the gateway.";
                self.notes.warn(&scheme.place, message);
                return (false, Carrier::Authorization);
            }
            Some("mutualTLS") => {
                let message = "Client certificates are not checked: clients send a key of the gateway.";
                self.notes.warn(&scheme.place, message);
            }
            Some(other) => {
                let message = format!(
                    "Unknown security scheme type {}: clients send a key of the gateway.",
                    quoted(other)
                );
                self.notes.warn(&scheme.place, message);
            }
            None => {
                if scheme.get("type").is_none() {
                    self.notes.warn(
                        &scheme.place,
                        "The security scheme has no type: clients send a key of the gateway.",
                    );
                }
            }
        }
        (false, Carrier::Elsewhere)
    }

    fn key_scheme(&mut self, scheme: &Object<'d>) -> Carrier {
        let Some(name) = self.text(scheme, "name") else {
            if scheme.get("name").is_none() {
                self.notes.fault(&scheme.place, "A scheme of type apiKey needs a `name`.", "");
            }
            return Carrier::Elsewhere;
        };
        match self.text(scheme, "in") {
            Some("header") if is_token(name) => return Carrier::Header(name.to_owned()),
            Some("header") => {
                // No request can have it, so it admits nobody: it is closed, and other headers stay open.
                let message = format!("{} is not a valid header name and is ignored.", quoted(name));
                self.notes.warn(&scheme.place.child("name"), message);
            }
            Some(place @ ("query" | "cookie")) => {
                let message = format!("A key in the {place} is ignored: keys are read from headers only.");
                self.notes.warn(&scheme.place.child("in"), message);
            }
            Some(other) => {
                let message = format!("Must be one of header, query, cookie, but is {}.", quoted(other));
                self.notes.fault(&scheme.place.child("in"), message, "");
            }
            None => {
                if scheme.get("in").is_none() {
                    self.notes.fault(&scheme.place, "A scheme of type apiKey needs `in`.", "");
                }
            }
        }
        Carrier::Elsewhere
    }

    /// The access that this `security` grants. None: it is absent.
    pub(super) fn security(&mut self, object: &Object<'d>) -> Option<Access> {
        let requirements = self.list(object, "security")?;
        let place = object.place.child("security");
        let mut public = requirements.is_empty();
        let mut sets: Vec<Vec<String>> = Vec::new();
        for at in 0..requirements.len() {
            let Some(requirement) = self.object_at(&place.child(&at.to_string())) else { continue };
            public |= requirement.members.is_empty();
            let set = self.permissions(&requirement);
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        Some(if public { Access::Public } else { Access::Keys(sets) })
    }

    /// The permissions that all schemes of one requirement ask for together.
    fn permissions(&mut self, requirement: &Object<'d>) -> Vec<String> {
        let mut set: Vec<String> = Vec::new();
        self.schemes.ask(requirement.members.keys().cloned().collect());
        for name in requirement.members.keys() {
            let place = requirement.place.child(name);
            let is_plain = self.named_scheme(name, &place).is_some_and(|scheme| !scheme.is_scoped);
            let Some(scopes) = self.list(requirement, name) else { continue };
            if !scopes.is_empty() && is_plain && self.version < Version::V31 {
                let message =
                    "The scheme has no scopes in this version; they are used as permissions anyway.";
                self.notes.warn(&place, message);
            }
            for (at, scope) in scopes.iter().enumerate() {
                match scope {
                    Value::String(scope) if set.contains(scope) => {}
                    Value::String(scope) => set.push(scope.clone()),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        self.wrong(&place.child(&at.to_string()), "a string", scope);
                    }
                }
            }
        }
        set
    }

    fn named_scheme(&mut self, name: &str, place: &Place) -> Option<Scheme> {
        if let Some(scheme) = self.schemes.by_name.get(name) {
            return Some(scheme.clone());
        }
        // Since 3.2 a requirement may name a scheme by its URI.
        if self.version >= Version::V32
            && let Ok(target) = self.documents.resolve(place, name)
            && let Some(object) = self.followed(&target)
        {
            let scheme = self.scheme(&object);
            self.schemes.insert(name, scheme.clone());
            return Some(scheme);
        }
        let nearest = nearest(name, self.schemes.by_name.keys().map(String::as_str));
        let message = match nearest {
            Some(nearest) => {
                format!("Unknown security scheme {}. Did you mean {}?", quoted(name), quoted(nearest))
            }
            None => format!("Unknown security scheme {}.", quoted(name)),
        };
        self.notes.fault(place, message, "");
        None
    }
}

/// Whether a `bearerFormat` means tokens that an identity provider issues. It is free text, for people.
fn is_foreign_token(format: &str) -> bool {
    const MARKS: [&str; 10] =
        ["jwt", "jws", "jwe", "jose", "json web", "paseto", "oauth", "oidc", "openid", "saml"];
    let format = format.to_ascii_lowercase();
    MARKS.iter().any(|mark| format.contains(mark))
}

/// Whether a text can be the name of a header (RFC 9110).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
