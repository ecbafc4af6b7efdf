//! What the gateway knows of an API beyond its document.

use crate::api::{Access, Api};
use contract::{RedirectStatus, Statuses, status::ExtraStatus};
use std::collections::HashMap;

/// What holds for the whole API.
#[derive(Debug, Clone)]
pub struct Facts<'f> {
    /// The public base, such as `https://api.example.com`. None: clients know the host from where
    /// they got the document.
    pub public_url: Option<&'f str>,
    /// Which way round 401 and 403 are.
    pub statuses: Statuses,
    /// Statuses that the operator added to the table.
    pub extra_codes: &'f [ExtraStatus],
    /// Headers that take a key, as they are written.
    pub key_headers: &'f [String],
    /// Where the reference is: `/_docs`.
    pub docs_path: &'f str,
    /// Where a key's limits are served: `/_limits`.
    pub limits_path: &'f str,
    /// Who to write to after a 500.
    pub support_email: Option<&'f str>,
    /// Requests without TLS are sent to https.
    pub redirects_to_https: bool,
    /// What redirects methods other than GET and HEAD.
    pub redirect_status: RedirectStatus,
    /// What holds for each operation, in the order of `Api::operations`. One that is missing needs a
    /// key and costs 1.
    pub operations: &'f [Exposed],
}

/// What holds for an operation after the operator's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// Who may use it.
    pub access: Access,
    /// What it takes of the limits.
    pub cost: u32,
    /// Where it has moved to: a path.
    pub moved_to: Option<String>,
    /// Whether it will go.
    pub deprecated: bool,
}

/// An operation of the document: on all base paths at once.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) exposed: Exposed,
    /// Whether a request may have a body, and whether it has a schema.
    pub(super) has_body: bool,
    pub(super) has_schema: bool,
    /// Its base paths.
    pub(super) bases: Vec<String>,
}

/// Operations by the path and the method that the document has them under.
pub(super) type ByOperation = HashMap<(String, String), Known>;

impl Facts<'_> {
    /// An address of the gateway's own.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.unwrap_or_default().trim_end_matches('/'))
    }
}

impl Default for Exposed {
    fn default() -> Self {
        Self { access: Access::Keys(vec![Vec::new()]), cost: 1, moved_to: None, deprecated: false }
    }
}

impl Default for Known {
    fn default() -> Self {
        Self { exposed: Exposed::default(), has_body: true, has_schema: true, bases: Vec::new() }
    }
}

/// What is known of each operation. One that is on several base paths is described as the strictest of
/// them: a client that follows it is right on each.
pub(super) fn by_operation(api: &Api, facts: &Facts<'_>) -> ByOperation {
    let mut found = ByOperation::with_capacity(api.operations.len());
    for (position, operation) in api.operations.iter().enumerate() {
        let exposed = facts.operations.get(position).cloned().unwrap_or_default();
        let media = operation.body.iter().flat_map(|body| &body.content);
        let base = operation.path.strip_suffix(operation.own_path.as_str()).unwrap_or_default().to_owned();
        let known = Known {
            exposed,
            has_body: operation.body.is_some(),
            has_schema: media.into_iter().any(|media| media.schema.is_some()),
            bases: vec![base],
        };
        found
            .entry((operation.own_path.clone(), operation.method.clone()))
            .and_modify(|other| other.merge(&known))
            .or_insert(known);
    }
    found
}

impl Known {
    fn merge(&mut self, other: &Self) {
        let (mine, theirs) = (&mut self.exposed, &other.exposed);
        mine.cost = mine.cost.max(theirs.cost);
        mine.deprecated |= theirs.deprecated;
        // Moved as a whole only if it has moved everywhere; the access of moved ones does not count.
        match (&mine.moved_to, &theirs.moved_to) {
            (Some(_), None) => {
                mine.moved_to = None;
                mine.access = theirs.access.clone();
            }
            (None, None) => {
                if mine.access == Access::Public {
                    mine.access = theirs.access.clone();
                }
            }
            (_, Some(_)) => {}
        }
        self.bases.extend(
            other.bases.iter().filter(|base| !self.bases.contains(base)).cloned().collect::<Vec<_>>(),
        );
    }
}
