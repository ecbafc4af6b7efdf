//! Reading the configuration again while the gateway runs: plans change at once, all else is named.

use super::{document, loading};
use crate::{
    admin::{Control, Operation, OperationError, Reloaded},
    config::{self, Config},
    failure::Failure,
};
use gateway::{
    Handle,
    record::{Level, LogSink},
    settings::Plan,
};
use std::{cell::RefCell, path::PathBuf, rc::Rc, sync::Arc};
use store::Store;
use tokio::signal::unix::{SignalKind, signal};

/// The configuration that holds, to compare the next one with.
pub(super) struct Source {
    path: PathBuf,
    tables: Arc<toml::Table>,
    /// When the document was changed last.
    document: Option<u64>,
    plans: Vec<Plan>,
}

/// The name of the one table that changes while the gateway runs.
const PLANS: &str = "plans";

// === impl Source ===

impl Source {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            path: config.path.clone(),
            tables: Arc::clone(&config.source),
            document: config.document.as_ref().map(|document| document.modified),
            plans: config.settings.plans.clone(),
        }
    }

    /// Reads the file again, and takes its plans over if it has no fault.
    pub(super) fn reload(
        &mut self,
        handle: &Handle,
        store: &dyn Store,
    ) -> Result<(Vec<Plan>, Reloaded), OperationError> {
        let fail = |why: String| OperationError::NotReloaded(why);
        let mut read = config::load(&self.path, config::Extent::Everything).map_err(|faults| {
            fail(format!("the configuration has faults, so nothing was changed:\n{faults}"))
        })?;
        let next = &read.settings.plans;
        let name = |plan: &Plan| plan.name.clone();
        let limits = |plans: &[Plan], name: &str| {
            plans.iter().find(|plan| plan.name == name).map(|plan| plan.limits.clone())
        };
        let is_new = |plan: &&Plan| limits(&self.plans, &plan.name).is_none();
        let is_other =
            |plan: &&Plan| limits(&self.plans, &plan.name).is_some_and(|before| before != plan.limits);
        let reloaded = Reloaded {
            added: next.iter().filter(is_new).map(name).collect(),
            changed: next.iter().filter(is_other).map(name).collect(),
            removed: self.plans.iter().filter(|plan| limits(next, &plan.name).is_none()).map(name).collect(),
            need_restart: self.others(&read),
            warnings: read.warnings.clone(),
        };
        handle.keyring().set_plans(next).map_err(|error| fail(format!("{error}; nothing was changed")))?;
        if !reloaded.added.is_empty() {
            // Keys of a plan that was not there were not let in at the start.
            loading::load_keys(store, handle).map_err(|error| {
                fail(format!("the plans hold, but keys of the new ones cannot be read: {error}"))
            })?;
        }
        if reloaded.need_restart.is_empty() {
            // With other tables changed, too, the reference would tell what does not hold yet.
            read.settings.document = document::served(&read).map(Arc::new);
            handle.tell(&read.settings);
        }
        self.plans.clone_from(&read.settings.plans);
        Ok((self.plans.clone(), reloaded))
    }

    /// What is different beside the plans, as it stands in the file.
    fn others(&self, read: &Config) -> Vec<String> {
        let names =
            self.tables.keys().chain(read.source.keys().filter(|name| !self.tables.contains_key(*name)));
        let differ = names.filter(|name| *name != PLANS && self.tables.get(*name) != read.source.get(*name));
        let mut others: Vec<String> = differ
            .map(|name| {
                let value = read.source.get(name).or_else(|| self.tables.get(name));
                match value {
                    Some(toml::Value::Table(_)) => format!("[{name}]"),
                    Some(toml::Value::Array(list)) if list.iter().any(toml::Value::is_table) => {
                        format!("[[{name}]]")
                    }
                    Some(_) | None => format!("`{name}`"),
                }
            })
            .collect();
        let document = read.document.as_ref().map(|document| document.modified);
        if self.document != document && !others.iter().any(|name| name == "`openapi`") {
            others.push("the OpenAPI document".into());
        }
        others
    }
}

/// Logs what reading the configuration again has done.
pub(super) fn log(log: &LogSink, done: &Result<(Vec<Plan>, Reloaded), OperationError>) {
    match done {
        Ok((_, done)) => {
            let members = [
                ("plans_added", &done.added),
                ("plans_changed", &done.changed),
                ("plans_removed", &done.removed),
                ("need_restart", &done.need_restart),
            ];
            let members = members.map(|(name, list)| (name, list.join(", ")));
            let level = if done.need_restart.is_empty() { Level::Info } else { Level::Warn };
            log.event(
                level,
                "configuration read again",
                &members.each_ref().map(|(name, list)| (*name, list.as_str())),
            );
            for warning in &done.warnings {
                log.event(Level::Warn, "configuration", &[("warning", warning)]);
            }
        }
        Err(error) => {
            log.event(Level::Error, "configuration not taken over", &[("error", &error.to_string())]);
        }
    }
}

/// Reads the configuration again at each SIGHUP, for ever. What comes of it stands in the log.
pub(super) fn on_hangup(control: Rc<RefCell<Control>>) -> Result<impl Future<Output = ()>, Failure> {
    let mut hangup = signal(SignalKind::hangup())
        .map_err(|error| Failure::new(format!("cannot wait for signals: {error}")))?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            let _ = control.borrow_mut().execute(Operation::Reload);
        }
    })
}
