//! The API's document as clients get it.

use arc_swap::ArcSwapOption;
use std::{fmt, sync::Arc};

/// A document, written.
pub struct ServedDocument {
    /// As JSON.
    pub json: Vec<u8>,
    /// As YAML.
    pub yaml: Vec<u8>,
    /// The paths below its base paths that it documents as the limits endpoint.
    pub limits_paths: Vec<String>,
    /// If its addresses are placeholders for the requested one: the document made for the last address.
    addressed: Option<ArcSwapOption<Addressed>>,
}

/// A document for clients that reach the gateway by one address.
struct Addressed {
    scheme: &'static str,
    host: String,
    document: Arc<ServedDocument>,
}

impl ServedDocument {
    /// What stands in a document for the address that a client came by. The host has the form of one that YAML quotes
    /// wherever it would have to.
    pub const BASE: &str = "fairgate-scheme://[fairgate-host]";
    const SCHEME: &str = "fairgate-scheme";
    const HOST: &str = "[fairgate-host]";

    /// A document with addresses of its own, or with [`Self::BASE`] in their place.
    pub fn new(json: Vec<u8>, yaml: Vec<u8>, limits_paths: Vec<String>, has_base: bool) -> Self {
        let addressed = has_base.then(ArcSwapOption::empty);
        Self { json, yaml, limits_paths, addressed }
    }

    /// The document for clients that came by this address. That of the last address is kept: nearly all come by one, and
    /// a document may have many megabytes.
    pub(crate) fn at(self: &Arc<Self>, scheme: &'static str, host: &str) -> Arc<Self> {
        let Some(addressed) = &self.addressed else { return Arc::clone(self) };
        if let Some(kept) = &*addressed.load()
            && kept.scheme == scheme
            && kept.host == host
        {
            return Arc::clone(&kept.document);
        }
        let written = |text: &[u8]| match std::str::from_utf8(text) {
            Ok(text) => text.replace(Self::SCHEME, scheme).replace(Self::HOST, host).into_bytes(),
            Err(_) => text.to_vec(), // what is written is text
        };
        let (json, yaml) = (written(&self.json), written(&self.yaml));
        let document = Arc::new(Self::new(json, yaml, self.limits_paths.clone(), false));
        let kept = Addressed { scheme, host: host.to_owned(), document: Arc::clone(&document) };
        addressed.store(Some(Arc::new(kept)));
        document
    }
}

impl fmt::Debug for ServedDocument {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ServedDocument({} bytes)", self.json.len())
    }
}
