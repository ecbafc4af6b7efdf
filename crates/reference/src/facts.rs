//! What pages need to know of a [`Reference`], gathered once: codes, groups, permissions, typical endpoints.

use crate::model::{Endpoint, Reference};
use contract::{ErrorCode, Status};
use std::collections::HashMap;

/// Endpoints on one page. Twenty thousand then make a hundred pages, each of which stays light on a phone.
const PER_PAGE: usize = 200;

/// A [`Reference`] and what was gathered of it.
pub(crate) struct Facts {
    pub(crate) reference: Reference,
    /// The codes that the API can answer with, in the order of the table.
    pub(crate) codes: Vec<ErrorCode>,
    /// Pages of endpoints, at least one.
    pub(crate) endpoint_pages: Vec<EndpointPage>,
    /// The tags, in the order of the document, with the number of their endpoints and their first page.
    pub(crate) tags: Vec<Tag>,
    /// What keys need, each once, with the positions of the endpoints that need it.
    pub(crate) permissions: Vec<(Vec<Vec<String>>, Vec<usize>)>,
}

/// A page of endpoints.
#[derive(Debug, Default)]
pub(crate) struct EndpointPage {
    pub(crate) groups: Vec<Group>,
}

/// Endpoints of one tag on one page.
#[derive(Debug)]
pub(crate) struct Group {
    /// Position among the tags.
    pub(crate) tag: usize,
    /// Positions of the endpoints.
    pub(crate) endpoints: Vec<usize>,
}

/// A tag.
#[derive(Debug)]
pub(crate) struct Tag {
    /// May be empty: endpoints without a tag.
    pub(crate) name: String,
    pub(crate) count: usize,
    /// From 1.
    pub(crate) first_page: usize,
}

impl Facts {
    pub(crate) fn new(reference: Reference) -> Self {
        let (tags, endpoint_pages) = paginate(&reference.endpoints);
        Self {
            codes: codes(&reference),
            permissions: permissions(&reference.endpoints),
            tags,
            endpoint_pages,
            reference,
        }
    }

    /// The number of a code's status on the wire.
    pub(crate) fn number(&self, code: ErrorCode) -> u16 {
        code.status().on_the_wire(self.reference.statuses)
    }

    /// What has moved for good: the old path, with its method if the others did not move, and the new path.
    pub(crate) fn moved(&self) -> Vec<(String, &str)> {
        let paths = self.reference.moved.iter().map(|moved| (moved.from.clone(), moved.to.as_str()));
        let endpoints = self.reference.endpoints.iter().filter_map(|endpoint| {
            Some((format!("{} {}", endpoint.method, endpoint.path), endpoint.moved_to.as_deref()?))
        });
        paths.chain(endpoints).collect()
    }

    /// The first endpoint that fits and answers; one that is deprecated only if no other does.
    pub(crate) fn first_that(&self, fits: impl Fn(&Endpoint) -> bool) -> Option<&Endpoint> {
        let mut all =
            self.reference.endpoints.iter().filter(|endpoint| endpoint.moved_to.is_none() && fits(endpoint));
        let first = all.next()?;
        if first.deprecated.is_none() {
            return Some(first);
        }
        Some(all.find(|endpoint| endpoint.deprecated.is_none()).unwrap_or(first))
    }

    /// Whether no request can reach an endpoint.
    pub(crate) fn has_no_endpoint(&self) -> bool {
        self.reference.endpoints.is_empty() && !self.reference.any_path
    }

    /// The endpoint that examples use if nothing else is asked of it: it is read with a key, simply.
    pub(crate) fn typical(&self) -> Option<&Endpoint> {
        let reads = |endpoint: &Endpoint| endpoint.method == "GET" && !endpoint.public;
        let simple =
            |endpoint: &Endpoint| reads(endpoint) && !endpoint.takes.checks.iter().any(|c| c.required);
        self.first_that(simple)
            .or_else(|| self.first_that(reads))
            .or_else(|| self.first_that(|endpoint| !endpoint.public))
            .or_else(|| self.reference.endpoints.first())
    }
}

impl Endpoint {
    /// Any key will do. One set without a permission is enough for that.
    pub(crate) fn takes_any_key(&self) -> bool {
        !self.public && (self.permissions.is_empty() || self.permissions.iter().any(Vec::is_empty))
    }
}

/// The codes that this API can answer with: of the extra ones, those that the operator added.
fn codes(reference: &Reference) -> Vec<ErrorCode> {
    let is_sent = |code: &ErrorCode| match code.status() {
        Status::Extra(extra) => reference.extra_codes.contains(&extra),
        Status::Moved
        | Status::NotValid
        | Status::NoPermission
        | Status::KeyRefused
        | Status::NotFound
        | Status::Unprocessable
        | Status::LimitExceeded
        | Status::Unexpected
        | Status::Unavailable => true,
    };
    ErrorCode::ALL.into_iter().filter(is_sent).collect()
}

/// Endpoints by tag, in the order in which tags appear, dealt out to pages.
fn paginate(endpoints: &[Endpoint]) -> (Vec<Tag>, Vec<EndpointPage>) {
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut by_tag: Vec<(&str, Vec<usize>)> = Vec::new();
    for (position, endpoint) in endpoints.iter().enumerate() {
        let tag = *known.entry(&endpoint.tag).or_insert_with(|| {
            by_tag.push((&endpoint.tag, Vec::new()));
            by_tag.len() - 1
        });
        if let Some((_, members)) = by_tag.get_mut(tag) {
            members.push(position);
        }
    }
    let (mut tags, mut pages) = (Vec::new(), Vec::new());
    let (mut page, mut room) = (EndpointPage::default(), PER_PAGE);
    for (tag, (name, members)) in by_tag.into_iter().enumerate() {
        let mut first_page = None;
        let count = members.len();
        let mut rest = members.as_slice();
        while !rest.is_empty() {
            if room == 0 {
                pages.push(std::mem::take(&mut page));
                room = PER_PAGE;
            }
            let (here, behind) = rest.split_at(room.min(rest.len()));
            first_page.get_or_insert(pages.len() + 1);
            page.groups.push(Group { tag, endpoints: here.to_vec() });
            room -= here.len();
            rest = behind;
        }
        tags.push(Tag { name: name.to_owned(), count, first_page: first_page.unwrap_or(1) });
    }
    pages.push(page);
    (tags, pages)
}

fn permissions(endpoints: &[Endpoint]) -> Vec<(Vec<Vec<String>>, Vec<usize>)> {
    let mut known: HashMap<&[Vec<String>], usize> = HashMap::new();
    let mut permissions: Vec<(Vec<Vec<String>>, Vec<usize>)> = Vec::new();
    for (position, endpoint) in endpoints.iter().enumerate() {
        if endpoint.public || endpoint.takes_any_key() {
            continue;
        }
        let found = *known.entry(&endpoint.permissions).or_insert_with(|| {
            permissions.push((endpoint.permissions.clone(), Vec::new()));
            permissions.len() - 1
        });
        if let Some((_, members)) = permissions.get_mut(found) {
            members.push(position);
        }
    }
    permissions
}
