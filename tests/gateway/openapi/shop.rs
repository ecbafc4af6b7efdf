//! The document of a shop: a little of everything that a document can declare.

use crate::support::{Config, Gateway, Key, Upstream};

pub(crate) const DOCUMENT: &str = include_str!("shop.yaml");

/// A gateway over a shop that answers everything with 200.
pub(crate) struct Shop {
    pub(crate) gateway: Gateway,
    pub(crate) upstream: Upstream,
    pub(crate) key: Key,
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self::with(|config| config)
    }

    pub(crate) fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let upstream = upstream();
        let gateway = Gateway::start(&change(Config::of(&upstream).document(DOCUMENT)));
        let key = gateway.key_with(&["--plan", "free", "--permission", "*"]);
        Self { gateway, upstream, key }
    }
}

pub(crate) fn upstream() -> Upstream {
    Upstream::sending("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
}
