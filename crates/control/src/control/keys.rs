//! Making, listing, changing and revoking keys.

use super::{Control, LONGEST_PAGE, Operation, import, system_micros, terms::check};
use crate::{
    actor::Actor,
    error::OperationError,
    operations::{
        ChangeKey, CreateKey, Expiry, KeyCreated, KeyView, KeysRevoked, ListKeys, NewKey, RevokeKeys,
    },
};
use store::{KeyRecord, random};

impl Operation for CreateKey {
    const NAME: &'static str = "create_key";
    const NEEDS_STORE: bool = true;
    type Response = KeyCreated;

    async fn carry_out(self, control: &Control, actor: Actor) -> Result<KeyCreated, OperationError> {
        let _turn = control.writing.lock().await;
        let (Self(wanted), now) = (self, control.now());
        let limits = check(&control.rules(), &wanted, true, now)?;
        let key = random::key()?;
        let record = KeyRecord {
            id: random::key_id(system_micros())?,
            name: wanted.name,
            plan: wanted.plan,
            permissions: wanted.permissions,
            limits,
            created_at: now,
            expires_at: wanted.expires_at,
            revoked_at: None,
            imported: false,
            preview: contract::key::preview(&key),
            digest: control.secret.digest(key.as_bytes()),
        };
        let change = control.records().add_key(record.clone(), &actor.to_string()).await?;
        control.apply(&change).await?;
        Ok(KeyCreated { key, view: record.into() })
    }
}

impl Operation for ListKeys {
    const NAME: &'static str = "list_keys";
    const NEEDS_STORE: bool = false;
    type Response = Vec<KeyView>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<KeyView>, OperationError> {
        let page = control.records().page_of_keys(self.after, self.limit.min(LONGEST_PAGE)).await?;
        Ok(page.into_iter().map(KeyView::from).collect())
    }
}

/// Revokes what it can: one mistyped id must not keep the others alive.
impl Operation for RevokeKeys {
    const NAME: &'static str = "revoke_keys";
    const NEEDS_STORE: bool = false;
    type Response = KeysRevoked;

    async fn carry_out(self, control: &Control, actor: Actor) -> Result<KeysRevoked, OperationError> {
        let _turn = control.writing.lock().await;
        let (records, now) = (control.records(), control.now());
        let mut done = KeysRevoked { revoked: Vec::new(), already: Vec::new(), unknown: Vec::new() };
        let mut found = Vec::new();
        for id in self.ids {
            match records.key_by_id(&id).await? {
                Some(record) => found.push(record),
                None => done.unknown.push(id),
            }
        }
        let digests = self.keys.iter().map(|key| control.secret.digest(key.as_bytes())).collect();
        for (key, known) in self.keys.iter().zip(records.keys_by_digests(digests).await?) {
            match known {
                Some(record) => found.push(record),
                None => done.unknown.push(import::preview(key)),
            }
        }
        for before in found {
            // A change in any case: revoking again also heals a gateway that missed it.
            let change = records.revoke_key(&before.id, now, &actor.to_string()).await?;
            let Some(change) = change else { continue };
            control.apply(&change).await?;
            let list = if before.revoked_at.is_some() { &mut done.already } else { &mut done.revoked };
            let revoked_at = before.revoked_at.or(Some(now));
            list.push(KeyView::from(KeyRecord { revoked_at, ..before }));
        }
        Ok(done)
    }
}

/// What is counted of the key stays, as far as its new limits count the same.
impl Operation for ChangeKey {
    const NAME: &'static str = "change_key";
    const NEEDS_STORE: bool = true;
    type Response = KeyView;

    async fn carry_out(self, control: &Control, actor: Actor) -> Result<KeyView, OperationError> {
        let _turn = control.writing.lock().await;
        let Self { id, change } = self;
        let Some(mut record) = control.records().key_by_id(&id).await? else {
            return Err(OperationError::UnknownKeys { ids: vec![id] });
        };
        let expires_at = match change.expires {
            None => record.expires_at,
            Some(Expiry::Never) => None,
            Some(Expiry::At(at)) => Some(at),
        };
        let has_new_limits = change.limits.is_some();
        let wanted = NewKey {
            name: change.name.or(record.name),
            plan: change.plan.unwrap_or(record.plan),
            permissions: change.permissions.unwrap_or(record.permissions),
            limits: change.limits.unwrap_or(record.limits),
            // A key that has expired already may be changed in other ways; only a new expiry is looked at.
            expires_at: expires_at.filter(|_| change.expires.is_some()),
        };
        record.limits = check(&control.rules(), &wanted, has_new_limits, control.now())?;
        (record.name, record.plan, record.permissions) = (wanted.name, wanted.plan, wanted.permissions);
        record.expires_at = expires_at;
        let changed = control.records().replace_key(record.clone(), &actor.to_string()).await?;
        let Some(change) = changed else { return Err(OperationError::UnknownKeys { ids: vec![id] }) };
        control.apply(&change).await?;
        Ok(record.into())
    }
}
