//! Parameters, headers and cookies of an endpoint: 400 with every violation, not only the first.

use super::elsewhere;
use crate::{
    client::Client,
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    policies::body::Checked,
};
use contract::{Detail, detail};
use http1::request::RequestHead;
use openapi::rules::{Headers, OwnSent, RequestRules, Sent, Violation, soon, while_wanted};
use std::sync::Arc;

/// Bytes of path, query and cookies that may contain tens of thousands of values, which would have
/// to be parsed before it shows that they take too long.
const LONG: usize = 8 << 10;

/// The headers of a request, for code that is independent of HTTP/1.1.
struct SentHeaders<'r>(&'r RequestHead);

impl Headers for SentHeaders<'_> {
    fn each<'h>(&'h self, name: &str, found: &mut dyn FnMut(&'h [u8])) {
        for value in self.0.named(name) {
            found(value);
        }
    }
}

/// Checks path, query, headers and cookies, unless that takes long.
pub(crate) fn check(context: &mut RequestContext<'_>, rules: &RequestRules) -> Result<Checked, Refused> {
    if !rules.checks_parameters() {
        return Ok(Checked::Here);
    }
    context.has_checked_query = true;
    let path = context.config.routes.parameters(context.head.path());
    let headers = SentHeaders(&context.head);
    let sent = Sent { path: &path, query: context.head.query(), headers: &headers };
    if rules.parameters_fit(&sent) {
        return Ok(Checked::Here);
    }
    let cookies: usize = context.head.named("cookie").map(<[u8]>::len).sum();
    if context.head.path().len() + sent.query.map_or(0, str::len) + cookies > LONG {
        return Ok(Checked::TooLong);
    }
    match soon(|| rules.parameter_violations(&sent)) {
        Some(violations) => refuse(violations).map(|()| Checked::Here),
        None => Ok(Checked::TooLong),
    }
}

/// Checks them where it does not block others.
pub(crate) async fn check_elsewhere(
    context: &RequestContext<'_>,
    client: &mut Client,
    rules: &Arc<RequestRules>,
) -> Result<(), Refused> {
    let path = context.config.routes.parameters(context.head.path());
    let headers = SentHeaders(&context.head);
    let sent = Sent { path: &path, query: context.head.query(), headers: &headers };
    let (rules, sent) = (Arc::clone(rules), OwnSent::of(&sent, rules));
    let violations = elsewhere::run(context, client, move |wanted| {
        while_wanted(wanted, || sent.with(|sent| rules.parameter_violations(sent)))
    });
    refuse(violations.await?)
}

fn refuse(violations: Vec<Violation>) -> Result<(), Refused> {
    let Some(first) = violations.first() else { return Ok(()) };
    let code = first.code;
    let details: Vec<Detail> = violations.into_iter().map(|violation| violation.detail).collect();
    let mut refused = Refusal::new(code, detail::summary(&details));
    refused.details = details;
    Err(refused)
}
