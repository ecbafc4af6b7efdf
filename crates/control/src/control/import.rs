//! The import of keys that were made elsewhere: checked in batches, saved all at once.
//!
//! What lies ready is digests and beginnings, not keys, about 150 bytes for each.

use super::{Control, Operation, system_micros, terms::check};
use crate::{
    actor::Actor,
    error::OperationError,
    live::Rules,
    operations::{AddToImport, BeginImport, CommitImport, ImportFault, ImportFaultKind, NewKey},
};
use std::{collections::HashMap, sync::Arc};
use store::{KeyBatch, KeyRecord, random};

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

impl Operation for BeginImport {
    const NAME: &'static str = "begin_import";
    const NEEDS_STORE: bool = true;
    type Response = String;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<String, OperationError> {
        let _turn = control.writing.lock().await;
        let (Self(mut wanted), now) = (self, control.now());
        wanted.limits = check(&control.rules(), &wanted, true, now)?;
        let id = random::id("imp_", 16)?;
        let staged = Staged { id: id.clone(), wanted, ready: HashMap::new(), seen: 0, touched_at: now };
        *control.staged.borrow_mut() = Some(staged);
        Ok(id)
    }
}

impl Operation for AddToImport {
    const NAME: &'static str = "add_to_import";
    const NEEDS_STORE: bool = true;
    type Response = Vec<ImportFault>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<ImportFault>, OperationError> {
        let _turn = control.writing.lock().await;
        let digests: Vec<_> = self.keys.iter().map(|key| control.secret.digest(key.as_bytes())).collect();
        let known = control.records().keys_by_digests(digests.clone()).await?;
        let mut staged = control.staged.borrow_mut();
        let staged = staged.as_mut().filter(|staged| staged.id == self.import);
        let staged = staged.ok_or(OperationError::ImportGone)?;
        staged.touched_at = control.now();
        let rules = control.rules();
        let mut faults = Vec::new();
        for ((key, digest), known) in self.keys.iter().zip(digests).zip(known) {
            let at = staged.seen;
            staged.seen += 1;
            let kind = if let Some(kind) = fault_of(key, &rules) {
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
        Ok(faults)
    }
}

impl Operation for CommitImport {
    const NAME: &'static str = "commit_import";
    const NEEDS_STORE: bool = true;
    type Response = u64;

    async fn carry_out(self, control: &Control, actor: Actor) -> Result<u64, OperationError> {
        let _turn = control.writing.lock().await;
        let staged = control.staged.borrow_mut().take_if(|staged| staged.id == self.import);
        let Staged { wanted, ready, .. } = staged.ok_or(OperationError::ImportGone)?;
        let mut rows = Vec::with_capacity(ready.len());
        for (digest, ready) in ready {
            rows.push((digest, random::key_id(system_micros())?, ready.preview));
        }
        if rows.is_empty() {
            return Ok(0);
        }
        // In the order of the table, so that neighbours share its pages.
        rows.sort_unstable_by_key(|row| row.0);
        let count = rows.len() as u64;
        let change = control.records().import_keys(batch(wanted, rows, control.now()), &actor.to_string());
        control.apply(&change.await?).await?;
        Ok(count)
    }
}

/// The keys of these digests, ids and beginnings.
fn batch(wanted: NewKey, rows: Vec<([u8; 32], String, String)>, now: u64) -> KeyBatch {
    let (wanted, rows) = (Arc::new(wanted), Arc::new(rows));
    KeyBatch::new(move || {
        let (wanted, rows) = (Arc::clone(&wanted), Arc::clone(&rows));
        (0..rows.len()).filter_map(move |at| {
            let (digest, id, preview) = rows.get(at)?;
            Some(KeyRecord {
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
        })
    })
}

impl Control {
    /// Frees the memory of an import that nobody goes on with.
    pub(super) fn give_up_import_if_left_alone(&self) {
        let is_left_alone = |staged: &mut Staged| staged.touched_at.saturating_add(LEFT_ALONE) < self.now();
        self.staged.borrow_mut().take_if(is_left_alone);
    }
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
