//! Which pages there are, found by their path and written in the form that is asked for.

use crate::{
    document::Address,
    facts::Facts,
    format::Format,
    html,
    links::Links,
    markdown,
    model::{Live, Reference},
    pages::{self, Source},
};
use contract::ErrorCode;
use std::collections::HashMap;

/// The reference of an API, ready to be read.
///
/// Pages that never change are written when it is made, so that a reader costs no more than a copy;
/// those that mention maintenance are written for each reader.
pub struct Site {
    facts: Facts,
    links: Links,
    /// By path, each in the order of [`Format::ALL`].
    written: HashMap<String, [String; 3]>,
}

/// A page that was found by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The page.
    pub address: Address,
    /// The form that its suffix names. None: by `Accept`.
    pub format: Option<Format>,
}

impl Site {
    /// The pages of an API.
    pub fn new(reference: Reference) -> Self {
        let links = Links::Served(served_path(&reference));
        let mut site = Self { facts: Facts::new(reference), links, written: HashMap::new() };
        let nothing = Live::default();
        for address in site.addresses().filter(|address| !is_live(*address)) {
            let pages = site.write_all(address, &nothing, &site.links);
            site.written.insert(address.path(), pages);
        }
        site
    }

    /// Every page, the index first.
    pub fn addresses(&self) -> impl Iterator<Item = Address> + use<> {
        let codes: Vec<_> = self.facts.codes.iter().copied().map(Address::Code).collect();
        let endpoints = (1..=self.facts.endpoint_pages.len()).map(Address::Endpoints);
        let single = [Address::Index, Address::Limits, Address::Maintenance, Address::Moved];
        single.into_iter().chain(endpoints).chain(codes)
    }

    /// The page at a path below that of the reference, such as `/errors/KEY_NOT_SET.md`. A slash at its
    /// end does not matter. Of the codes, also those that this API does not answer with are found: they
    /// may be in a response that was sent under another configuration.
    pub fn find(&self, path: &str) -> Option<Found> {
        let (name, format) = Format::of_path(path.trim_matches('/'));
        let address = match name {
            "" | "index" | "errors" => Address::Index,
            "limits" => Address::Limits,
            "maintenance" => Address::Maintenance,
            "moved" => Address::Moved,
            "endpoints" => Address::Endpoints(1),
            name => match name.strip_prefix("errors/") {
                Some(code) => Address::Code(ErrorCode::from_name(code)?),
                None => self.endpoints(name.strip_prefix("endpoints/")?)?,
            },
        };
        Some(Found { address, format })
    }

    /// A page in a form.
    pub fn page(&self, address: Address, format: Format, live: &Live) -> String {
        let position = match format {
            Format::Html => 0,
            Format::Markdown => 1,
            Format::Json => 2,
        };
        match self.written.get(&address.path()).and_then(|pages| pages.get(position)) {
            Some(page) => page.clone(),
            None => {
                let source = Source { facts: &self.facts, live, links: &self.links };
                self.write(&pages::document(&source, address), format, &self.links)
            }
        }
    }

    /// A page in every form, with these links.
    pub(crate) fn write_all(&self, address: Address, live: &Live, links: &Links) -> [String; 3] {
        let document = pages::document(&Source { facts: &self.facts, live, links }, address);
        Format::ALL.map(|format| self.write(&document, format, links))
    }

    fn write(&self, document: &crate::document::Document, format: Format, links: &Links) -> String {
        match format {
            Format::Html => html::write(document, &self.facts, links),
            Format::Markdown => markdown::write(document, links),
            Format::Json => format!("{:#}\n", document.json),
        }
    }

    /// A page of endpoints by its number, which is written in one way only.
    fn endpoints(&self, number: &str) -> Option<Address> {
        let page: usize = number.parse().ok()?;
        let exists = page > 1 && page <= self.facts.endpoint_pages.len();
        (exists && page.to_string() == number).then_some(Address::Endpoints(page))
    }
}

/// Whether a page mentions maintenance.
fn is_live(address: Address) -> bool {
    match address {
        Address::Index | Address::Maintenance => true,
        Address::Code(code) => code == ErrorCode::Maintenance,
        Address::Limits | Address::Endpoints(_) | Address::Moved => false,
    }
}

/// The path that links begin with: also that of the public base, where a proxy cuts it off.
fn served_path(reference: &Reference) -> String {
    let behind_host = reference.public_url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    match behind_host {
        Some((_, path)) => format!("/{path}{}", reference.docs_path),
        None => reference.docs_path.clone(),
    }
}
