//! One operation.

use super::{
    Reader,
    known::Kind,
    objects::Object,
    parameters::{Read, apart, merged},
    template::Template,
};
use crate::{
    api::{Access, In, Operation, Parameter, parameter_name},
    documents::{Place, Version},
    text::quoted,
};
use serde_json::Value;

/// What an operation gets from what is around it.
#[derive(Clone, Copy)]
pub(super) struct Around<'a, 'd> {
    pub(super) root: &'a Object<'d>,
    pub(super) path: &'a str,
    pub(super) template: &'a Template,
    pub(super) security: Option<&'a Access>,
    pub(super) bases: &'a [String],
}

impl<'d> Reader<'d> {
    /// Reads an operation, and adds it once for each base path that it is served on.
    pub(super) fn operation(
        &mut self,
        object: &Object<'d>,
        method: String,
        inherited: &[Read],
        around: &Around<'_, 'd>,
        operations: &mut Vec<Operation>,
    ) {
        if self.room.spent {
            return;
        }
        self.known(object, Kind::Operation);
        let own = self.parameters(object);
        let (parameters, parts) = apart(merged(inherited, own));
        self.path_parameters(object, &parameters, around.template);
        self.query_string(object, &parameters);
        let body = match self.version {
            Version::V2 => self.swagger_body(object, around.root, parts),
            Version::V30 | Version::V31 | Version::V32 => self.request_body(object),
        };
        let access = self.security(object).or_else(|| around.security.cloned());
        let servers = self.own_servers(object);
        let bases = servers.as_deref().unwrap_or(around.bases);
        let mut summary = self.line(object, "summary");
        if summary.is_empty() {
            summary = self.line(object, "description");
        }
        let operation = Operation {
            id: self.id(object),
            method,
            path: around.path.to_owned(),
            own_path: around.path.to_owned(),
            summary,
            tag: self.tag(object),
            deprecated: self.flag(object, "deprecated"),
            access: access.unwrap_or_else(|| Access::Keys(vec![Vec::new()])),
            parameters,
            body,
            at: object.place.clone(),
        };
        if !self.has_room(&operation, bases.len()) {
            return;
        }
        for base in bases {
            let path = format!("{base}{}", operation.own_path);
            operations.push(Operation { path, ..operation.clone() });
        }
    }

    fn has_room(&mut self, operation: &Operation, times: usize) -> bool {
        let parameters = operation.parameters.len().saturating_mul(times);
        match (self.room.operations.checked_sub(times), self.room.parameters.checked_sub(parameters)) {
            (Some(operations), Some(parameters)) => {
                self.room = super::Room { operations, parameters, spent: false };
                true
            }
            (None, _) | (_, None) => {
                let root = Place { file: self.documents.root(), pointer: String::new() };
                self.notes.fault(&root, "The document has too many operations and parameters.", "");
                self.room.spent = true;
                false
            }
        }
    }

    fn id(&mut self, object: &Object<'d>) -> Option<String> {
        // YAML makes numbers of identifiers such as 404.
        if let Some(Value::Number(number)) = object.get("operationId") {
            return Some(number.to_string());
        }
        self.text(object, "operationId").map(str::to_owned)
    }

    fn tag(&mut self, object: &Object<'d>) -> String {
        match object.get("tags") {
            Some(Value::Array(tags)) => tags.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
            Some(_) => {
                self.notes.warn(&object.place.child("tags"), "The tags must be a list; they are ignored.");
                String::new()
            }
            None => String::new(),
        }
    }

    /// Path parameters and the names of the path, which must be the same.
    fn path_parameters(&mut self, object: &Object<'d>, parameters: &[Parameter], template: &Template) {
        let in_path = || parameters.iter().filter(|parameter| parameter.place == In::Path);
        for parameter in in_path() {
            if !template.names.iter().any(|name| is_meant(name, parameter)) {
                let message = format!("The path has no {{{}}}.", parameter.name);
                self.notes.fault(&parameter.at, message, "");
            }
        }
        for name in &template.names {
            if !in_path().any(|parameter| is_meant(name, parameter)) {
                let message =
                    format!("The path parameter {} is not declared; any text is accepted.", quoted(name));
                self.notes.warn(&object.place, message);
            }
        }
    }

    /// A parameter that is the whole query string leaves nothing for others.
    fn query_string(&mut self, object: &Object<'d>, parameters: &[Parameter]) {
        let whole = parameters.iter().filter(|parameter| parameter.place == In::QueryString).count();
        let single = parameters.iter().any(|parameter| parameter.place == In::Query);
        if whole > 1 || (whole == 1 && single) {
            let message = "A parameter in `querystring` is the whole query string; no other `querystring` or `query` parameter is allowed.";
            self.notes.fault(&object.place, message, "");
        }
    }
}

/// Whether a parameter of the path is the one that this name of the template refers to.
fn is_meant(name: &str, parameter: &Parameter) -> bool {
    name == parameter.name || parameter_name(name) == parameter.name
}
