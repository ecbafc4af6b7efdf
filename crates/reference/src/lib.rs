//! The reference of an API: pages about its errors, its limits and its endpoints, made of its configuration.
//!
//! The path of a page: a [`Reference`] describes the API, `pages` makes a document of each part of
//! it, and a document is written as HTML, Markdown or JSON. [`Site`] knows which pages there are.
//! Pure: no gateway, no file, no clock. Text of the operator is escaped where it is written, never before.

mod document;
mod example;
mod export;
mod facts;
mod format;
mod html;
mod kinds;
mod links;
mod markdown;
mod model;
mod pages;
mod quantity;
mod request;
mod site;
#[cfg(test)]
mod tests;
mod wording;

pub use document::Address;
pub use export::File;
pub use format::Format;
pub use html::style_hash;
pub use model::{
    Ceilings, Check, Deprecation, Endpoint, Live, MALFORMED_BODY, Moved, Place, Plan, Reference, Refusals,
    Sizes, Takes, Times, Window, Wrong,
};
pub use site::{Found, Site};
