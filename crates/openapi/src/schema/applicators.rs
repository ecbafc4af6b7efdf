//! Keywords that contain schemas: for members, for items, and for the value as a whole.

use crate::{
    documents::Place,
    schema::{
        Key, SchemaCompiler, UnitId,
        choice::{Choice, Rule},
        dialect::Dialect,
        keywords::{CHOICE, READ_ONLY},
        read_only::Members,
        rewrite::{Draft, Standpoint},
    },
    strictness::ReadOnly,
};
use serde_json::{Map, Value, json};
use std::{borrow::Cow, rc::Rc, sync::Arc};

/// The parts of a rewritten schema that are put together at its end.
struct Parts<'o> {
    out: &'o mut Map<String, Value>,
    all: Vec<Value>,
}

impl<'d> SchemaCompiler<'d> {
    /// Rewrites these keywords.
    pub(super) fn applicators(
        &mut self,
        map: &'d Map<String, Value>,
        dialect: Dialect,
        at: &Standpoint,
        plain: bool,
        draft: &mut Draft,
        out: &mut Map<String, Value>,
    ) {
        self.members(map, dialect, at, draft, out);
        self.required(map, at, draft, out);
        self.items(map, dialect, at, draft, out);
        let mut parts = Parts { out, all: Vec::new() };
        self.all_of(map, at, draft, &mut parts);
        self.choices(map, dialect, at, plain, draft, &mut parts);
        let Parts { all, .. } = parts;
        if !all.is_empty() {
            out.insert("allOf".to_owned(), Value::Array(all));
        }
        let conditional = matches!(dialect, Dialect::Draft7 | Dialect::Draft2020);
        for (keyword, asked) in [
            ("not", dialect != Dialect::Swagger),
            ("if", conditional),
            ("then", conditional),
            ("else", conditional),
        ] {
            if let Some(schema) = map.get(keyword).filter(|_| asked) {
                let there = at.same_value(&[keyword]);
                let schema = self.schema(schema, &there, false, draft);
                out.insert(keyword.to_owned(), schema);
            }
        }
        if dialect == Dialect::Draft2020 {
            self.unevaluated(map, at, draft, out);
        }
    }

    fn listed(&mut self, keyword: &str, map: &'d Map<String, Value>, at: &Standpoint) -> &'d [Value] {
        match map.get(keyword) {
            None => &[],
            Some(Value::Array(list)) => {
                if list.is_empty() {
                    self.warn(&at.place, format!("`{keyword}` is empty; it is not enforced."));
                }
                list
            }
            Some(other) => {
                self.wrong_kind(keyword, "an array", other, at);
                &[]
            }
        }
    }

    fn named(
        &mut self,
        keyword: &str,
        map: &'d Map<String, Value>,
        at: &Standpoint,
    ) -> Option<&'d Map<String, Value>> {
        match map.get(keyword)? {
            Value::Object(named) => Some(named),
            other
            @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                if !other.is_null() {
                    self.wrong_kind(keyword, "an object", other, at);
                }
                None
            }
        }
    }

    fn members(
        &mut self,
        map: &'d Map<String, Value>,
        dialect: Dialect,
        at: &Standpoint,
        draft: &mut Draft,
        out: &mut Map<String, Value>,
    ) {
        if let Some(properties) = self.named("properties", map, at) {
            let mut rewritten = Map::new();
            for (name, schema) in properties {
                let there = at.part(&["properties", name]);
                let read_only = self.read_only == ReadOnly::Refused && self.is_read_only(&there.place, 0);
                let schema = if read_only {
                    json!({ READ_ONLY: true })
                } else {
                    self.schema(schema, &there, false, draft)
                };
                rewritten.insert(name.clone(), schema);
            }
            out.insert("properties".to_owned(), Value::Object(rewritten));
        }
        let later = matches!(dialect, Dialect::Draft7 | Dialect::Draft2020);
        let mut whole = true;
        if let Some(patterns) = self.named("patternProperties", map, at).filter(|_| later) {
            let mut rewritten = Map::new();
            for (pattern, schema) in patterns {
                if self.enforced_pattern(pattern, at) {
                    self.matches_names = true;
                    let there = at.part(&["patternProperties", pattern]);
                    let schema = self.schema(schema, &there, false, draft);
                    rewritten.insert(pattern.clone(), schema);
                } else {
                    whole = false;
                }
            }
            out.insert("patternProperties".to_owned(), Value::Object(rewritten));
        }
        if let Some(schema) = map.get("additionalProperties") {
            if whole {
                let there = at.part(&["additionalProperties"]);
                let schema = self.schema(schema, &there, false, draft);
                if schema == Value::Bool(false) {
                    self.know_names(&at.place, &at.path, draft);
                }
                // What lets every member in has evaluated it, too.
                if schema != Value::Bool(true) || at.bundles {
                    out.insert("additionalProperties".to_owned(), schema);
                }
            } else {
                // Which members are additional depends on a pattern that is not matched.
                let message =
                    "`additionalProperties` is not enforced next to a pattern that is not enforced."
                        .to_owned();
                self.warn(&at.place, message);
            }
        }
        if let Some(schema) = map.get("propertyNames").filter(|_| later) {
            let schema = self.schema(schema, &at.part(&["propertyNames"]), false, draft);
            out.insert("propertyNames".to_owned(), schema);
        }
        if later {
            self.dependents(map, at, draft, out);
        }
    }

    fn dependents(
        &mut self,
        map: &'d Map<String, Value>,
        at: &Standpoint,
        draft: &mut Draft,
        out: &mut Map<String, Value>,
    ) {
        let mut schemas: Map<String, Value> = Map::new();
        let mut add = |name: &str, schema: Value| {
            let both = match schemas.shift_remove(name) {
                Some(other) => json!({ "allOf": [other, schema] }),
                None => schema,
            };
            schemas.insert(name.to_owned(), both);
        };
        for keyword in ["dependentRequired", "dependentSchemas", "dependencies"] {
            for (name, value) in self.named(keyword, map, at).into_iter().flatten() {
                match value {
                    // A schema's errors name the member that asks for the others; the keyword's do not.
                    Value::Array(list) => {
                        let mut required: Vec<&Value> = Vec::new();
                        for member in list {
                            let asked = member.as_str().is_some_and(|member| !at.waived.contains(member));
                            if asked && !required.contains(&member) {
                                required.push(member);
                            }
                        }
                        add(name, json!({ "required": required }));
                    }
                    schema @ (Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Object(_)) => {
                        let mut there = at.same_value(&[keyword, name]);
                        there.path = at.same_value(&["dependentSchemas", name]).path;
                        let schema = self.schema(schema, &there, false, draft);
                        add(name, schema);
                    }
                }
            }
        }
        if !schemas.is_empty() {
            out.insert("dependentSchemas".to_owned(), Value::Object(schemas));
        }
    }

    fn required(
        &mut self,
        map: &'d Map<String, Value>,
        at: &Standpoint,
        draft: &mut Draft,
        out: &mut Map<String, Value>,
    ) {
        let names = match map.get("required") {
            None | Some(Value::Null) => return,
            Some(Value::Array(names)) => names,
            Some(other) => return self.wrong_kind("required", "an array of names", other, at),
        };
        let mut kept: Vec<Value> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for name in names {
            let Some(name) = self.required_name(name, at) else { continue };
            if !at.waived.contains(&*name) && seen.insert(name.clone()) {
                kept.push(name.into_owned().into());
            }
        }
        if !kept.is_empty() {
            self.know_names(&at.place, &at.path, draft);
            out.insert("required".to_owned(), Value::Array(kept));
        }
    }

    /// A name of `required`. Authors write 200 for the name "200".
    fn required_name<'v>(&mut self, name: &'v Value, at: &Standpoint) -> Option<Cow<'v, str>> {
        match name {
            Value::String(name) => Some(Cow::Borrowed(name)),
            Value::Number(_) | Value::Bool(_) => {
                self.warn(
                    &at.place,
                    format!("`required` has {name}, which is not a string; it is read as one."),
                );
                Some(Cow::Owned(name.to_string()))
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                self.wrong_kind("required", "an array of names", name, at);
                None
            }
        }
    }

    /// Keeps the names of an object's members, for hints.
    fn know_names(&mut self, place: &Place, path: &str, draft: &mut Draft) {
        if !draft.known.contains_key(path) {
            let names: Vec<String> = self.member_names(place, Members::All).iter().cloned().collect();
            draft.known.insert(path.to_owned(), Arc::from(names));
        }
    }

    fn items(
        &mut self,
        map: &'d Map<String, Value>,
        dialect: Dialect,
        at: &Standpoint,
        draft: &mut Draft,
        out: &mut Map<String, Value>,
    ) {
        let (mut first, mut keyword) = (&[][..], "prefixItems");
        if dialect == Dialect::Draft2020 {
            first = self.listed("prefixItems", map, at);
        }
        let mut rest = map.get("items").map(|schema| ("items", schema));
        if let Some(Value::Array(list)) = map.get("items") {
            (first, keyword) = (list, "items");
            rest = map.get("additionalItems").map(|schema| ("additionalItems", schema));
        }
        if !first.is_empty() {
            let mut rewritten = Vec::new();
            for (index, schema) in first.iter().enumerate() {
                let mut there = at.part(&[keyword, &index.to_string()]);
                there.path = at.part(&["prefixItems", &index.to_string()]).path;
                rewritten.push(self.schema(schema, &there, false, draft));
            }
            out.insert("prefixItems".to_owned(), Value::Array(rewritten));
        }
        if let Some((keyword, schema)) = rest {
            let mut there = at.part(&[keyword]);
            there.path = at.part(&["items"]).path;
            let schema = self.schema(schema, &there, false, draft);
            if schema != Value::Bool(true) || at.bundles {
                out.insert("items".to_owned(), schema);
            }
        }
        if let Some(schema) =
            map.get("contains").filter(|_| matches!(dialect, Dialect::Draft7 | Dialect::Draft2020))
        {
            let schema = self.schema(schema, &at.part(&["contains"]), false, draft);
            out.insert("contains".to_owned(), schema);
        }
    }

    fn all_of(
        &mut self,
        map: &'d Map<String, Value>,
        at: &Standpoint,
        draft: &mut Draft,
        parts: &mut Parts<'_>,
    ) {
        for (index, schema) in self.listed("allOf", map, at).iter().enumerate() {
            let mut there = at.same_value(&["allOf", &index.to_string()]);
            there.path = at.same_value(&["allOf", &parts.all.len().to_string()]).path;
            if at.path.is_empty() && is_named(&at.place) {
                there.child = Some(Rc::new(at.place.clone()));
            }
            let schema = self.schema(schema, &there, false, draft);
            if schema != Value::Bool(true) {
                parts.all.push(schema);
            }
        }
    }

    fn choices(
        &mut self,
        map: &'d Map<String, Value>,
        dialect: Dialect,
        at: &Standpoint,
        plain: bool,
        draft: &mut Draft,
        parts: &mut Parts<'_>,
    ) {
        if dialect == Dialect::Swagger || (plain && !at.bundles && map.contains_key("discriminator")) {
            return;
        }
        for (keyword, rule) in [("oneOf", Rule::One), ("anyOf", Rule::Any)] {
            let list = self.listed(keyword, map, at);
            if list.is_empty() {
                continue;
            }
            if at.bundles {
                let mut rewritten = Vec::new();
                for (index, schema) in list.iter().enumerate() {
                    let there = at.same_value(&[keyword, &index.to_string()]);
                    rewritten.push(self.schema(schema, &there, false, draft));
                }
                parts.out.insert(keyword.to_owned(), Value::Array(rewritten));
                continue;
            }
            let is_null = |schema: &&Value| schema.get("type").is_some_and(|name| name == "null");
            let discriminates = map.contains_key("discriminator");
            let others = list.iter().filter(|schema| !is_null(schema)).count();
            if others == 1 && !discriminates && (rule == Rule::Any || list.len() == 1) {
                self.only_choice(keyword, list, at, draft, parts);
                continue;
            }
            let index = self.choice(keyword, rule, list, map, at);
            let choice = json!({ CHOICE: index });
            if parts.out.contains_key(CHOICE) {
                parts.all.push(choice);
            } else {
                parts.out.insert(CHOICE.to_owned(), index.into());
            }
        }
    }

    /// One alternative, perhaps beside null: its sentences are better without a choice around it.
    fn only_choice(
        &mut self,
        keyword: &str,
        list: &'d [Value],
        at: &Standpoint,
        draft: &mut Draft,
        parts: &mut Parts<'_>,
    ) {
        for (index, schema) in list.iter().enumerate() {
            if list.len() > 1 && schema.get("type").is_some_and(|name| name == "null") {
                continue;
            }
            let mut there = at.same_value(&[keyword, &index.to_string()]);
            there.path = at.same_value(&["allOf", &parts.all.len().to_string()]).path;
            if list.len() > 1 {
                there.path.push_str("/then");
            }
            let schema = self.schema(schema, &there, false, draft);
            parts.all.push(if list.len() > 1 {
                json!({ "if": { "not": { "type": "null" } }, "then": schema })
            } else {
                schema
            });
        }
    }

    fn choice(
        &mut self,
        keyword: &str,
        rule: Rule,
        list: &'d [Value],
        map: &'d Map<String, Value>,
        at: &Standpoint,
    ) -> usize {
        let mut branches: Vec<(UnitId, Place)> = Vec::new();
        for index in 0..list.len() {
            let place = at.place.child(keyword).child(&index.to_string());
            match self.target(&place) {
                Ok(target) => {
                    let waived = self.waived_there(&target, &at.waived);
                    let id = self.id(Key { place: target.clone(), plain: false, waived });
                    branches.push((id, target));
                }
                Err(message) => self.fault(&place, message, ""),
            }
        }
        let discriminator = self.discriminator(map, &at.place, &branches);
        self.choices.push(Choice {
            rule,
            branches: branches.iter().map(|(id, _)| *id).collect(),
            discriminator,
        });
        self.choices.len() - 1
    }

    fn unevaluated(
        &mut self,
        map: &'d Map<String, Value>,
        at: &Standpoint,
        draft: &mut Draft,
        out: &mut Map<String, Value>,
    ) {
        for keyword in ["unevaluatedProperties", "unevaluatedItems"] {
            if let Some(schema) = map.get(keyword) {
                let schema = self.schema(schema, &at.part(&[keyword]), false, draft);
                if keyword == "unevaluatedProperties" {
                    self.know_names(&at.place, &at.path, draft);
                }
                out.insert(keyword.to_owned(), schema);
            }
        }
    }
}

/// Whether a schema has a name that discriminators can mean.
pub(super) fn is_named(place: &Place) -> bool {
    ["/components/schemas/", "/definitions/"]
        .iter()
        .any(|prefix| place.pointer.strip_prefix(prefix).is_some_and(|name| !name.contains('/')))
}
