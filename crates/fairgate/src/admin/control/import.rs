//! The import of keys that were made elsewhere: checked in batches, saved all at once.
//!
//! What lies ready is digests and beginnings, not keys, about 150 bytes for each.

use super::{Control, Rules, system_micros};
use crate::admin::operation::{ImportFault, ImportFaultKind, NewKey, OperationError, Outcome};
use std::collections::HashMap;
use store::{KeyRecord, StoreError, random};

/// An import whose client is silent for so many seconds is given up, to free its memory.
const LEFT_ALONE: u64 = 15 * 60;
/// Characters of an imported key that are shown.
const PREVIEW: usize = 4;

/// An import that was begun.
pub(super) struct Staged {
    id: String,
    wanted: NewKey,
    ready: HashMap<[u8; 32], Ready>,
    seen: u64,
    touched_at: u64,
}

/// A key that lies ready.
struct Ready {
    at: u64,
    preview: String,
}

/// The beginning of an imported key, for lists.
pub(super) fn preview(key: &str) -> String {
    // A key may be hardly longer than what is shown: never more than a third of it.
    let shown = PREVIEW.min(key.chars().count() / 3);
    key.chars().take(shown).chain("…".chars()).collect()
}

pub(super) fn give_up_if_left_alone(control: &mut Control, now: u64) {
    if control.staged.as_ref().is_some_and(|staged| staged.touched_at.saturating_add(LEFT_ALONE) < now) {
        control.staged = None;
    }
}

pub(super) fn begin(control: &mut Control, mut wanted: NewKey, now: u64) -> Result<Outcome, OperationError> {
    wanted.limits = control.check(&wanted, now)?;
    let id = random::id("imp_", 16)?;
    control.staged = Some(Staged { id: id.clone(), wanted, ready: HashMap::new(), seen: 0, touched_at: now });
    Ok(Outcome::ImportBegun(id))
}

pub(super) fn add(
    control: &mut Control,
    import: &str,
    keys: Vec<String>,
    now: u64,
) -> Result<Outcome, OperationError> {
    let Control { store, secret, rules, staged, .. } = control;
    let staged = staged.as_mut().filter(|staged| staged.id == import).ok_or(OperationError::ImportGone)?;
    staged.touched_at = now;
    let digests: Vec<_> = keys.iter().map(|key| secret.digest(key.as_bytes())).collect();
    let known = store.keys_by_digests(&digests)?;
    let mut faults = Vec::new();
    for ((key, digest), known) in keys.iter().zip(digests).zip(known) {
        let at = staged.seen;
        staged.seen += 1;
        let kind = if let Some(kind) = fault_of(key, rules) {
            kind
        } else if let Some(before) = staged.ready.get(&digest) {
            ImportFaultKind::Repeated { first: before.at }
        } else if let Some(known) = known {
            ImportFaultKind::Exists { id: known.id }
        } else {
            staged.ready.insert(digest, Ready { at, preview: preview(key) });
            continue;
        };
        faults.push(ImportFault { at, kind });
    }
    Ok(Outcome::ImportAdded(faults))
}

pub(super) fn commit(control: &mut Control, import: &str, now: u64) -> Result<Outcome, OperationError> {
    let staged = control.staged.take_if(|staged| staged.id == import).ok_or(OperationError::ImportGone)?;
    let wanted = staged.wanted;
    let mut rows = Vec::with_capacity(staged.ready.len());
    for (digest, ready) in staged.ready {
        rows.push((digest, random::key_id(system_micros())?, ready.preview));
    }
    // In the order of the table, so that neighbours share its pages.
    rows.sort_unstable_by_key(|row| row.0);
    // Built twice, for the store and for the gateway: a million whole records would be held otherwise.
    let records = || {
        rows.iter().map(|(digest, id, preview)| KeyRecord {
            id: id.clone(),
            name: wanted.name.clone(),
            plan: wanted.plan.clone(),
            permissions: wanted.permissions.clone(),
            limits: wanted.limits.clone(),
            created_at: now,
            expires_at: wanted.expires_at,
            revoked_at: None,
            imported: true,
            preview: preview.clone(),
            digest: *digest,
        })
    };
    let count = if rows.is_empty() { 0 } else { save(control, &mut records())? };
    for record in records() {
        control.live.key_added(&record);
    }
    Ok(Outcome::Imported(count))
}

fn save(control: &Control, records: &mut dyn Iterator<Item = KeyRecord>) -> Result<u64, StoreError> {
    control.store.insert_keys(records)
}

fn fault_of(key: &str, rules: &Rules) -> Option<ImportFaultKind> {
    if key.is_empty() {
        return Some(ImportFaultKind::Empty);
    }
    if key.len() > contract::key::LONGEST {
        return Some(ImportFaultKind::TooLong);
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(ImportFaultKind::Characters);
    }
    let fits = |pattern: &regex::Regex| {
        pattern.find(key).is_some_and(|found| found.start() == 0 && found.end() == key.len())
    };
    if rules.pattern.as_ref().is_some_and(|pattern| !fits(pattern)) {
        return Some(ImportFaultKind::Pattern);
    }
    None
}
