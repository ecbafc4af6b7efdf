//! Endpoint and method: 404 for a path or method that does not exist.

use crate::{
    config::routes::Route,
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    record::usage::Place,
    settings::Endpoint,
};
use contract::ErrorCode;

/// The target of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'s> {
    /// No endpoints are declared: any path is allowed, with any key.
    AnyPath,
    /// A declared endpoint.
    Endpoint(&'s Endpoint),
    /// `GET /_limits`: the state of the key's limits.
    Limits,
}

/// The cost of an endpoint, and the limits that count it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'s> {
    /// Units to reserve.
    pub(crate) cost: u32,
    /// The endpoint's group.
    pub(crate) group: Option<&'s str>,
    /// The upstream's header with the cost of a success.
    pub(crate) cost_header: Option<&'s str>,
}

impl<'s> Purpose<'s> {
    /// The declared endpoint, if it is one.
    pub(crate) const fn endpoint(self) -> Option<&'s Endpoint> {
        match self {
            Self::Endpoint(endpoint) => Some(endpoint),
            Self::AnyPath | Self::Limits => None,
        }
    }

    /// The cost, and the limits that count it.
    pub(crate) fn terms(self) -> Terms<'s> {
        match self.endpoint() {
            Some(endpoint) => Terms {
                cost: endpoint.cost,
                group: endpoint.group.as_deref(),
                cost_header: endpoint.cost_header.as_deref(),
            },
            None => Terms { cost: 1, group: None, cost_header: None },
        }
    }

    pub(crate) fn is_public(self) -> bool {
        self.endpoint().is_some_and(|endpoint| endpoint.public)
    }
}

/// Finds the endpoint, and records its template for the log.
pub(crate) fn find<'s>(context: &mut RequestContext<'s>) -> Result<Purpose<'s>, Refused> {
    let (method, path) = (context.head.method(), context.head.path());
    if context.config.limits_paths.iter().any(|own| own == path) {
        return match method {
            "GET" | "HEAD" => Ok(Purpose::Limits),
            _ => Err(other_methods(method, path, "GET, HEAD")),
        };
    }
    // OPTIONS for the server as a whole is not an endpoint, even if every path is one.
    if path == "*" {
        return Err(nothing(path));
    }
    match context.config.routes.find(method, path) {
        Route::Open => {
            context.place = Place::AnyPath;
            Ok(Purpose::AnyPath)
        }
        Route::Endpoint(endpoint, position) => {
            context.place = Place::Endpoint(position);
            context.template = Some(&endpoint.path);
            context.deprecated = endpoint.deprecated;
            context.group = endpoint.group.as_deref();
            Ok(Purpose::Endpoint(endpoint))
        }
        Route::OtherMethods(allow) => Err(other_methods(method, path, &allow)),
        Route::Nothing => Err(nothing(path)),
    }
}

/// Finds the service: the one that the endpoint names, otherwise the one for its host and path.
/// Without a service there is no endpoint either, whatever the path.
pub(crate) fn find_service<'s>(
    context: &mut RequestContext<'s>,
    purpose: Purpose<'s>,
) -> Result<(), Refused> {
    let services = &context.config.services;
    let named = purpose.endpoint().and_then(|endpoint| endpoint.service.as_deref());
    let found = match (purpose, named) {
        (Purpose::Limits, _) => return Ok(()), // the gateway itself responds
        (Purpose::AnyPath | Purpose::Endpoint(_), Some(name)) => services.named(name),
        (Purpose::AnyPath | Purpose::Endpoint(_), None) => {
            services.find(context.head.host(), context.head.path())
        }
    };
    context.service = Some(found.ok_or_else(|| nothing(context.head.path()))?);
    Ok(())
}

fn nothing(path: &str) -> Refused {
    Refusal::new(
        ErrorCode::EndpointNotFound,
        format!("There is no endpoint at {path}. Check the path against the API documentation."),
    )
}

fn other_methods(method: &str, path: &str, allow: &str) -> Refused {
    let message = format!("The endpoint {path} does not support the method {method}. Use {allow}.");
    let mut refused = Refusal::new(ErrorCode::MethodNotAvailable, message);
    refused.allow = Some(allow.to_owned());
    refused
}
