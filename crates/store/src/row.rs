//! A key's record as it lies in the database: read in place, nothing copied.

use crate::{KeyRecord, fields::take_text};
use std::borrow::Cow;

/// A key's record, borrowed from the database. Times are seconds since the Unix epoch.
pub struct KeyRow<'a> {
    /// HMAC-SHA-256 of the key under the store's secret.
    pub digest: &'a [u8; 32],
    /// `key_` and 16 base62 characters.
    pub id: &'a str,
    /// What its owner calls it.
    pub name: Option<&'a str>,
    /// Name of the plan that it belongs to.
    pub plan: &'a str,
    /// What it may do.
    pub permissions: Texts<'a>,
    /// Limits of its own, as texts.
    pub limits: Texts<'a>,
    /// When it was made or imported.
    pub created_at: u64,
    /// From this second on it is expired.
    pub expires_at: Option<u64>,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
    /// It was made elsewhere.
    pub imported: bool,
    /// Its beginning, for lists.
    pub preview: &'a str,
    /// Plan, permissions and limits as they are encoded. Equal for two keys exactly if all three are:
    /// whoever reads many keys need not look into them each time.
    pub terms: Cow<'a, [u8]>,
}

/// Texts of a record, one after the other.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'a> {
    rest: &'a [u8],
}

/// Takes the records of one part of the keys.
pub type KeyVisitor = Box<dyn FnMut(KeyRow<'_>) + Send>;

// === impl KeyRow ===

impl KeyRow<'_> {
    /// A copy that can be kept.
    pub fn to_record(&self) -> KeyRecord {
        KeyRecord {
            id: self.id.to_owned(),
            name: self.name.map(str::to_owned),
            plan: self.plan.to_owned(),
            permissions: self.permissions.map(str::to_owned).collect(),
            limits: self.limits.map(str::to_owned).collect(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            imported: self.imported,
            preview: self.preview.to_owned(),
            digest: *self.digest,
        }
    }
}

// === impl Texts ===

impl<'a> Texts<'a> {
    /// Texts whose bytes were found to be good.
    pub(crate) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }
}

impl<'a> Iterator for Texts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        take_text(&mut self.rest)
    }
}
