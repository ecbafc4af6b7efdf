//! How a key is sent: the gateway's schemes, and which an operation asks for.

use super::{
    bundle::{Bundle, scheme_names},
    facts::Facts,
    kinds::{Kind, section},
    section_of,
};
use crate::{api::Access, documents::Version};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// How clients send a key: one scheme, because generated clients send the key by all that they
/// read of. It has the name of the document's own, which users know; the other ways are in its description.
pub(super) struct Security {
    name: String,
    scheme: Value,
    /// The document's schemes, by what they are to the gateway.
    roles: HashMap<String, Role>,
    /// The requirements of the whole document.
    inherited: Option<Value>,
    /// Schemes of the API's own that requirements name beside the key.
    kept: HashSet<String>,
}

/// What a scheme of the document is to the gateway.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The key comes by it.
    Key,
    /// An `apiKey` that the gateway does not read and passes on.
    Own,
    /// Nothing is known of it, or nobody looks at it here.
    Other,
}

impl Role {
    fn of(scheme: &Value, facts: &Facts<'_>) -> Self {
        let text = |name: &str| scheme.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "apiKey" if text("in") == "header" && text("name").eq_ignore_ascii_case("Authorization") => {
                Self::Key
            }
            "apiKey" if Way::of(scheme, facts).is_some() => Self::Key,
            "apiKey" => Self::Own,
            "http" | "basic" | "oauth2" | "openIdConnect" => Self::Key,
            _ => Self::Other,
        }
    }
}

impl Security {
    /// Chooses among the document's schemes, or makes one. `prefix`: what the names of our components begin with.
    pub(super) fn new(root: &Map<String, Value>, version: Version, facts: &Facts<'_>, prefix: &str) -> Self {
        let held = section_names(version).split_first().and_then(|(first, rest)| {
            rest.iter().try_fold(root.get(*first)?, |held, name| held.get(*name))?.as_object()
        });
        let own = held
            .into_iter()
            .flatten()
            .filter_map(|(name, scheme)| Some((Way::of(scheme, facts)?, name, scheme)));
        // The first of the best way.
        let own = own.min_by_key(|(way, ..)| *way);
        let (way, name, mut scheme) = match own {
            Some((way, name, scheme)) => (way, name.clone(), scheme.clone()),
            None => {
                let (way, scheme) = made(version, facts);
                (way, format!("{prefix}Key"), scheme)
            }
        };
        if let (Some(members), Some(others)) =
            (scheme.as_object_mut(), other_ways(way, &scheme_header(&name, held), facts))
        {
            let own =
                members.get("description").and_then(Value::as_str).unwrap_or("Your API key.").trim_end();
            if !own.contains(&others) {
                members.insert("description".to_owned(), format!("{own}\n\n{others}").into());
            }
        }
        let roles = held.into_iter().flatten();
        let roles = roles.map(|(name, scheme)| (name.clone(), Role::of(scheme, facts))).collect();
        Self { name, scheme, roles, inherited: root.get("security").cloned(), kept: HashSet::new() }
    }

    /// The requirements of an operation: all permissions of one of the sets, and what the document asks for beside the key.
    /// Only from 3.1 on schemes other than OAuth may name what is asked for. `own`: what the document has there.
    pub(super) fn requirements(&mut self, access: &Access, version: Version, own: Option<&Value>) -> Value {
        let Access::Keys(sets) = access else { return json!([]) };
        let any_key = vec![Vec::new()];
        let says_permissions = version >= Version::V31;
        let sets = if says_permissions && !sets.is_empty() { sets } else { &any_key };
        let asked = own.or(self.inherited.as_ref()).and_then(Value::as_array);
        let asked: Vec<(Vec<String>, Vec<String>)> = asked
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .map(|requirement| (permissions(requirement), self.beside_the_key(requirement)))
            .collect();
        let mut requirements: Vec<Value> = Vec::new();
        for set in sets {
            let is_it = |asked: &&(Vec<String>, Vec<String>)| !says_permissions || asked.0 == *set;
            let mut beside: Vec<&Vec<String>> =
                asked.iter().filter(is_it).map(|(_, beside)| beside).collect();
            if beside.is_empty() {
                // The operator's permissions, which stand in the place of the document's.
                beside = asked.iter().map(|(_, beside)| beside).collect();
            }
            if beside.is_empty() {
                requirements.push(json!({ self.name.as_str(): set }));
            }
            for names in beside {
                let mut requirement = Map::from_iter([(self.name.clone(), json!(set))]);
                requirement.extend(names.iter().map(|name| (name.clone(), json!([]))));
                let requirement = Value::Object(requirement);
                if !requirements.contains(&requirement) {
                    requirements.push(requirement);
                    self.kept.extend(names.iter().cloned());
                }
            }
        }
        requirements.into()
    }

    /// The API's own schemes that a requirement names together with the key.
    fn beside_the_key(&self, requirement: &Map<String, Value>) -> Vec<String> {
        let has = |name: &str, role: Role| self.roles.get(name) == Some(&role);
        if !requirement.keys().any(|name| has(name, Role::Key)) {
            return Vec::new();
        }
        requirement.keys().filter(|name| has(name, Role::Own)).cloned().collect()
    }

    /// Puts the scheme into the document. Those that nothing asks for any more go.
    pub(super) fn finish(self, root: &mut Map<String, Value>, version: Version, bundled: &Bundle<'_>) {
        let mut needed: HashSet<String> = bundled.schemes.clone();
        // Callbacks and webhooks without a statement of their own rely on that of the whole document.
        if bundled.inherits_security {
            needed.extend(root.get("security").into_iter().flat_map(scheme_names));
        } else {
            root.shift_remove("security");
        }
        let Some(held) = section_of(root, section_names(version)) else { return };
        needed.extend(self.kept);
        held.retain(|name, _| needed.contains(name));
        held.insert(self.name, self.scheme);
    }
}

/// The permissions that a requirement asks for, as reading the document makes a set of them.
fn permissions(requirement: &Map<String, Value>) -> Vec<String> {
    let mut set: Vec<String> = Vec::new();
    let scopes = requirement.values().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    for scope in scopes {
        if !set.iter().any(|known| known == scope) {
            set.push(scope.to_owned());
        }
    }
    set
}

/// How a scheme of the document sends a key that the gateway takes, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Header,
    Bearer,
    Basic,
}

impl Way {
    /// None: not by this scheme.
    fn of(scheme: &Value, facts: &Facts<'_>) -> Option<Self> {
        let text = |name: &str| scheme.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "apiKey" if text("in") == "header" => {
                let name = text("name");
                let is_known = facts.key_headers.iter().any(|header| header.eq_ignore_ascii_case(name));
                if is_known { Some(Self::Header) } else { None }
            }
            "http" if text("scheme").eq_ignore_ascii_case("bearer") => Some(Self::Bearer),
            "http" if text("scheme").eq_ignore_ascii_case("basic") => Some(Self::Basic),
            "basic" => Some(Self::Basic),
            _ => None,
        }
    }
}

/// The section of the schemes.
pub(super) fn section_names(version: Version) -> &'static [&'static str] {
    match version {
        Version::V2 => &["securityDefinitions"],
        Version::V30 | Version::V31 | Version::V32 => {
            section(Kind::SecurityScheme, version).unwrap_or_default()
        }
    }
}

/// A scheme of ours, for documents that have none.
fn made(version: Version, facts: &Facts<'_>) -> (Way, Value) {
    match (facts.key_headers.first(), version) {
        (Some(header), _) => (Way::Header, json!({ "type": "apiKey", "in": "header", "name": header })),
        // 2.0 has no Bearer: it is a header whose value begins so.
        (None, Version::V2) => (
            Way::Bearer,
            json!({
                "type": "apiKey", "in": "header", "name": "Authorization",
                "description": "`Bearer YOUR_KEY`",
            }),
        ),
        (None, Version::V30 | Version::V31 | Version::V32) => {
            (Way::Bearer, json!({ "type": "http", "scheme": "bearer" }))
        }
    }
}

/// The header of a scheme of the document.
fn scheme_header(name: &str, held: Option<&Map<String, Value>>) -> String {
    let header = held.and_then(|held| held.get(name)?.get("name")?.as_str());
    header.unwrap_or_default().to_owned()
}

/// The ways to send a key other than this one, as a sentence. None: there is no other.
fn other_ways(way: Way, header: &str, facts: &Facts<'_>) -> Option<String> {
    let mut ways: Vec<String> = Vec::new();
    let headers = facts.key_headers.iter().enumerate();
    for (position, other) in headers {
        let is_this_header = way == Way::Header
            && (other.eq_ignore_ascii_case(header) || (header.is_empty() && position == 0));
        if !is_this_header {
            ways.push(format!("in the header `{other}`"));
        }
    }
    if way != Way::Bearer {
        ways.push("as `Authorization: Bearer YOUR_KEY`".to_owned());
    }
    if way != Way::Basic {
        ways.push("by HTTP Basic authentication as the user name or the password".to_owned());
    }
    let last = ways.pop()?;
    let ways = if ways.is_empty() { last } else { format!("{} or {last}", ways.join(", ")) };
    Some(format!("It can also be sent {ways}."))
}

/// Which permissions are needed, as a sentence. None: any key will do.
pub(super) fn sentence(access: &Access) -> Option<String> {
    let Access::Keys(sets) = access else { return None };
    if sets.iter().any(Vec::is_empty) || sets.is_empty() {
        return None;
    }
    let quoted = |set: &Vec<String>| {
        set.iter().map(|permission| format!("`{permission}`")).collect::<Vec<_>>().join(" and ")
    };
    Some(format!("Needs a key with {}.", sets.iter().map(quoted).collect::<Vec<_>>().join(", or ")))
}
