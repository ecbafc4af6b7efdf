//! The keys of the demo: one for each case, so that no case uses up what another one needs.

use crate::failure::Failure;
use config::Config;
use contract::{Kind, key};
use control::{system_clock, system_micros};
use journal::Charge;
use store::{KeyRecord, Records, Secret, random};

/// Who makes them.
const BY: &str = "fairgate demo";
/// A day, in seconds.
const DAY: u64 = 86_400;
/// A key of the format that `[keys] pattern` of the demo's configuration names.
const LEGACY: &str = "legacy-20190417";

/// Makes keys. They work once [`Keys::save`] has put them into the store and a gateway has read it.
pub(super) struct Keys<'c> {
    config: &'c Config,
    secret: Secret,
    now: u64,
    records: Vec<KeyRecord>,
    charges: Vec<Charge>,
}

impl<'c> Keys<'c> {
    /// `config` has the plans, `secret` is that of the store.
    pub(super) fn new(config: &'c Config, secret: Secret) -> Self {
        Self { config, secret, now: system_clock(), records: Vec::new(), charges: Vec::new() }
    }

    /// A key of the plan `free` that works.
    pub(super) fn working(&mut self, name: &str, permissions: &[&str]) -> Result<String, Failure> {
        self.made(name, "free", permissions, |_| ())
    }

    pub(super) fn revoked(&mut self, name: &str) -> Result<String, Failure> {
        let at = self.now - DAY;
        self.made(name, "free", &["items:read"], |record| record.revoked_at = Some(at))
    }

    pub(super) fn expired(&mut self, name: &str) -> Result<String, Failure> {
        let at = self.now - DAY;
        self.made(name, "free", &["items:read"], |record| record.expires_at = Some(at))
    }

    /// A key that may send two requests each second.
    pub(super) fn slow(&mut self, name: &str) -> Result<String, Failure> {
        self.made(name, "trickle", &["items:read"], |_| ())
    }

    /// A key that has used all that its plan grants for this month.
    pub(super) fn used_up(&mut self, name: &str) -> Result<String, Failure> {
        let key = self.made(name, "trial", &["items:read"], |_| ())?;
        let plan = self.config.data_plane.plans.iter().find(|plan| plan.name == "trial");
        let limits = plan.map(|plan| plan.limits.as_slice()).unwrap_or_default();
        let digest = self.records.last().map(|record| record.digest).unwrap_or_default();
        let who = digest.first_chunk().copied().unwrap_or_default();
        for limit in limits {
            let Kind::Calendar { period, zone } = &limit.kind else { continue };
            let mut charge = Charge::new(who, limit.amount);
            let _ = charge.push(limit.tag().0, zone.index(*period, self.now));
            self.charges.push(charge);
        }
        Ok(key)
    }

    /// A key of another format, as `fairgate keys import` takes it.
    pub(super) fn imported(&mut self, name: &str) -> Result<String, Failure> {
        let digest = self.secret.digest(LEGACY.as_bytes());
        self.made(name, "free", &["items:read"], |record| {
            record.imported = true;
            record.preview = "lega…".into();
            record.digest = digest;
        })?;
        Ok(LEGACY.into())
    }

    /// A key of another plan that may do everything.
    pub(super) fn of_plan(&mut self, name: &str, plan: &str) -> Result<String, Failure> {
        self.made(name, plan, &[], |_| ())
    }

    /// An unknown key.
    pub(super) fn unknown() -> Result<String, Failure> {
        Ok(random::key()?)
    }

    /// Puts all keys into records that are shared.
    pub(super) fn import(self, records: &dyn Records) -> Result<(), Failure> {
        store::wait(records.import_keys(self.records.into(), BY))?;
        Ok(())
    }

    /// Puts all keys into the store, and what they have used into the journal beside it.
    pub(super) fn save(self, records: &dyn Records) -> Result<(), Failure> {
        store::wait(records.import_keys(self.records.into(), BY))?;
        let fail = |error: journal::JournalError| Failure::new(error.to_string());
        let settings = &self.config.node.store;
        let mut options = journal::Options::new(settings.path.clone(), 1);
        options.memory.clone_from(&settings.shared_memory);
        let (journal, mut writers, _) = journal::open(&options, self.now, &mut |_, _| ()).map_err(fail)?;
        for charge in &self.charges {
            writers.iter_mut().take(1).for_each(|writer| writer.append(charge, self.now));
        }
        journal.close(self.now).map_err(fail)
    }

    fn made(
        &mut self,
        name: &str,
        plan: &str,
        permissions: &[&str],
        change: impl FnOnce(&mut KeyRecord),
    ) -> Result<String, Failure> {
        let key = random::key()?;
        let mut record = KeyRecord {
            id: random::key_id(system_micros())?,
            name: Some(name.into()),
            plan: plan.into(),
            permissions: permissions.iter().map(|permission| (*permission).into()).collect(),
            limits: Vec::new(),
            created_at: self.now - 30 * DAY,
            expires_at: None,
            revoked_at: None,
            imported: false,
            preview: key::preview(&key),
            digest: self.secret.digest(key.as_bytes()),
        };
        change(&mut record);
        self.records.push(record);
        Ok(key)
    }
}
