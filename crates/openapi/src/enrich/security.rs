//! How a key is sent: the gateway's schemes, and which an operation asks for.

use super::{
    bundle::Bundle,
    components::PREFIX,
    facts::Facts,
    kinds::{Kind, section},
    section_of,
};
use crate::{api::Access, documents::Version};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The names of the schemes that security requirements ask for.
pub(super) fn names(security: &Value) -> impl Iterator<Item = String> {
    let requirements = security.as_array().into_iter().flatten();
    requirements.filter_map(Value::as_object).flat_map(|requirement| requirement.keys().cloned())
}

/// The requirements of an operation: any scheme will do, with all permissions of one of the sets.
/// Only from 3.1 on schemes other than OAuth may name what is asked for.
pub(super) fn requirements(access: &Access, version: Version, facts: &Facts<'_>) -> Value {
    let Access::Keys(sets) = access else { return json!([]) };
    let any_key = vec![Vec::new()];
    let sets = match version {
        Version::V31 | Version::V32 if !sets.is_empty() => sets,
        Version::V2 | Version::V30 | Version::V31 | Version::V32 => &any_key,
    };
    let schemes: Vec<String> = schemes(version, facts).into_iter().map(|(name, _)| name).collect();
    let alternatives = sets.iter().flat_map(|set| schemes.iter().map(move |scheme| json!({ scheme: set })));
    alternatives.collect()
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

/// Puts the gateway's schemes into the document. Those that nothing asks for any more go.
pub(super) fn finish(
    root: &mut Map<String, Value>,
    version: Version,
    facts: &Facts<'_>,
    bundled: &Bundle<'_>,
) {
    let mut needed: HashSet<String> = bundled.schemes.clone();
    // Callbacks and webhooks without a statement of their own rely on that of the whole document.
    if bundled.inherits_security {
        needed.extend(root.get("security").into_iter().flat_map(names));
    } else {
        root.shift_remove("security");
    }
    let names: &[&str] = match version {
        Version::V2 => &["securityDefinitions"],
        Version::V30 | Version::V31 | Version::V32 => {
            section(Kind::SecurityScheme, version).unwrap_or_default()
        }
    };
    let Some(held) = section_of(root, names) else { return };
    held.retain(|name, _| needed.contains(name));
    held.extend(schemes(version, facts));
}

/// The schemes by name: each header, then `Authorization`.
fn schemes(version: Version, facts: &Facts<'_>) -> Vec<(String, Value)> {
    let mut schemes = Vec::new();
    for (position, header) in facts.key_headers.iter().enumerate() {
        let number = if position == 0 { String::new() } else { (position + 1).to_string() };
        let scheme =
            json!({ "type": "apiKey", "in": "header", "name": header, "description": "Your API key." });
        schemes.push((format!("{PREFIX}Key{number}"), scheme));
    }
    let (bearer, basic) = match version {
        // 2.0 has no Bearer: it is a header whose value begins so.
        Version::V2 => (
            json!({ "type": "apiKey", "in": "header", "name": "Authorization", "description": "`Bearer YOUR_KEY`" }),
            json!({ "type": "basic", "description": "Your API key as user name or as password." }),
        ),
        Version::V30 | Version::V31 | Version::V32 => (
            json!({ "type": "http", "scheme": "bearer", "description": "Your API key as the token." }),
            json!({ "type": "http", "scheme": "basic", "description": "Your API key as user name or as password." }),
        ),
    };
    schemes.push((format!("{PREFIX}Bearer"), bearer));
    schemes.push((format!("{PREFIX}Basic"), basic));
    schemes
}
