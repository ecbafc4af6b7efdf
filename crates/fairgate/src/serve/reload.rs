//! Reading the configuration again while the gateway runs: all of it is taken over in one step, or nothing.
//!
//! A file that asks for what only a start can do is not taken either: half of a new configuration is worse than
//! all of the old one.

use super::{document, loading};
use crate::{
    admin::{Control, Operation, OperationError, Preparing, Reloaded, carry_out},
    failure::Failure,
};
use config::{Config, StoreSettings, tls::TlsSettings};
use gateway::{
    Compiled, Handle,
    record::{Level, LogSink},
    settings::{Endpoints, Listen, Plain, Plan, Settings},
};
use std::{
    cell::RefCell,
    net::SocketAddr,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};
use store::Store;
use tokio::signal::unix::{SignalKind, signal};

/// The configuration that holds, to compare the next one with.
pub(super) struct Source {
    path: PathBuf,
    tables: Arc<toml::Table>,
    document: Option<Read>,
    plans: Vec<Plan>,
    fixed: Fixed,
    is_watched: bool,
    reach: Reach,
    prepared: Ready,
}

/// Where a configuration without any fault lies, ready to be taken over.
type Ready = Arc<Mutex<Option<Prepared>>>;

struct Prepared {
    config: Config,
    reach: Reach,
    compiled: Compiled,
}

/// What requests can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Every path: nothing declares endpoints.
    AnyPath,
    /// Endpoints that are declared.
    Endpoints,
    /// No endpoint.
    Nothing,
}

/// A document that was read.
#[derive(Clone, PartialEq, Eq)]
struct Read {
    files: Vec<PathBuf>,
    /// When its first file was changed last.
    modified: u64,
}

/// What only a start can change.
#[derive(Clone)]
struct Fixed {
    listen: Listen,
    tls: Option<(SocketAddr, bool)>,
    files: Option<TlsSettings>,
    store: StoreSettings,
}

/// The name of the table that is told by its parts.
const PLANS: &str = "plans";

// === impl Source ===

impl Source {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            path: config.path.clone(),
            tables: Arc::clone(&config.source),
            document: read(config),
            plans: config.settings.plans.clone(),
            fixed: Fixed {
                listen: config.settings.listen.clone(),
                tls: sockets(&config.settings),
                files: config.tls.clone(),
                store: config.store.clone(),
            },
            is_watched: config.process.is_watched,
            reach: Reach::of(&config.settings),
            prepared: Ready::default(),
        }
    }

    /// What reads the files again, and compiles what they say.
    pub(super) fn prepare(&self, handle: Handle) -> Preparing {
        let (path, fixed, ready) = (self.path.clone(), self.fixed.clone(), Arc::clone(&self.prepared));
        let reach = self.reach;
        Box::new(move || {
            let prepared = prepare(&path, &fixed, reach, &handle)?;
            *ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(prepared);
            Ok(())
        })
    }

    /// Takes over what was prepared. Gives it back without what the gateway holds of it now.
    pub(super) fn take_over(
        &mut self,
        handle: &Handle,
        store: &dyn Store,
    ) -> Result<(Reloaded, Config), OperationError> {
        let fail = |why: String| OperationError::NotReloaded(why);
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Prepared { config, reach, compiled } = prepared.ok_or_else(|| fail("nothing was read".into()))?;
        let next = &config.settings.plans;
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
            others: self.others(&config),
            warnings: config.warnings.clone(),
        };
        // The only step that can fail comes first. A request between it and the next one has the limits of
        // the new plans and all else of the old file, as one has that was waiting for its body meanwhile.
        handle.keyring().set_plans(next).map_err(|error| fail(format!("{error}; nothing was changed")))?;
        handle.replace(compiled);
        // The endpoints are the gateway's by now, so what they reach was noted before.
        *self = Self { reach, ..Self::of(&config) };
        if !reloaded.added.is_empty() {
            // Keys of a plan that was not there were not let in at the start.
            loading::load_keys(store, handle).map_err(|error| {
                fail(format!("the configuration holds, but keys of new plans cannot be read: {error}"))
            })?;
        }
        Ok((reloaded, config))
    }

    /// Where `[admin] address` is in what was prepared. None: nothing was prepared.
    pub(super) fn next_admin(&self) -> Option<Option<SocketAddr>> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.as_ref().map(|prepared| prepared.config.process.admin)
    }

    /// Every file that the configuration was read from.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let of_document = self.document.iter().flat_map(|document| &document.files);
        std::iter::once(&self.path).chain(of_document).cloned().collect()
    }

    /// Whether the files are to be looked after.
    pub(super) const fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Whether the file says other than what holds, or cannot be understood.
    pub(super) fn differs(&self) -> bool {
        let text = std::fs::read_to_string(&self.path).ok();
        text.and_then(|text| text.parse::<toml::Table>().ok()).is_none_or(|tables| tables != *self.tables)
    }

    /// What is different beside the plans, as it stands in the file.
    fn others(&self, read_now: &Config) -> Vec<String> {
        let names =
            self.tables.keys().chain(read_now.source.keys().filter(|name| !self.tables.contains_key(*name)));
        let differ =
            names.filter(|name| *name != PLANS && self.tables.get(*name) != read_now.source.get(*name));
        let mut others: Vec<String> = differ
            .map(|name| {
                let value = read_now.source.get(name).or_else(|| self.tables.get(name));
                match value {
                    Some(toml::Value::Table(_)) => format!("[{name}]"),
                    Some(toml::Value::Array(list)) if list.iter().any(toml::Value::is_table) => {
                        format!("[[{name}]]")
                    }
                    Some(_) | None => format!("`{name}`"),
                }
            })
            .collect();
        if self.document != read(read_now) && !others.iter().any(|name| name == "`openapi`") {
            others.push("the OpenAPI document".into());
        }
        others
    }
}

/// Where it listens for TLS, and whether it does so without.
fn sockets(settings: &Settings) -> Option<(SocketAddr, bool)> {
    settings.tls.as_ref().map(|tls| (tls.address, tls.plain == Plain::Off))
}

fn read(config: &Config) -> Option<Read> {
    let document = config.document.as_ref()?;
    Some(Read { files: document.files.clone(), modified: document.modified })
}

fn prepare(path: &Path, fixed: &Fixed, before: Reach, handle: &Handle) -> Result<Prepared, OperationError> {
    let fail = |why: String| OperationError::NotReloaded(why);
    let faulty =
        |what: String| fail(format!("the configuration has faults, so nothing was changed:\n{what}"));
    let mut config =
        config::load(path, config::Extent::Everything).map_err(|faults| faulty(faults.to_string()))?;
    let waiting = fixed.differences(&config);
    if !waiting.is_empty() {
        return Err(fail(format!(
            "nothing was changed, because {} can only change in a restart: `fairgate serve --take-over` starts the \
             next gateway beside this one and loses no request",
            waiting.join(", ")
        )));
    }
    let reach = Reach::of(&config.settings);
    if !config.process.allows_no_endpoints {
        before.check(reach).map_err(fail)?;
    }
    config.settings.document = document::served(&config).map(Arc::new);
    // A document may have many thousands of endpoints; nobody but the gateway needs them from here on.
    let endpoints = std::mem::take(&mut config.settings.endpoints);
    let settings = Settings { endpoints, ..config.settings.clone() };
    config.settings.document = None;
    let compiled = handle.compile(settings).map_err(|error| faulty(error.to_string()))?;
    Ok(Prepared { config, reach, compiled })
}

// === impl Reach ===

impl Reach {
    fn of(settings: &Settings) -> Self {
        match &settings.endpoints {
            Endpoints::AnyPath => Self::AnyPath,
            Endpoints::Declared(endpoints) if endpoints.is_empty() => Self::Nothing,
            Endpoints::Declared(_) => Self::Endpoints,
        }
    }

    /// Refuses what a slip makes of a running API: all of it gone, or all of it open. A generator that failed, a file
    /// that was cut short and a line that was commented out do both.
    ///
    /// # Errors
    /// What would happen, and what to do.
    fn check(self, next: Self) -> Result<(), String> {
        let effect = match next {
            _ if self == next => return Ok(()),
            Self::Endpoints => return Ok(()),
            Self::Nothing => {
                "the new configuration has no endpoints, so every request would be answered with 404"
            }
            Self::AnyPath => {
                "the new configuration declares no endpoints, so every path and method would pass with any key"
            }
        };
        Err(format!(
            "nothing was changed, because {effect}: check `openapi` and `[[endpoints]]`; if that is meant, set \
             `allow_no_endpoints = true` at the top of the file"
        ))
    }
}

// === impl Fixed ===

impl Fixed {
    /// The keys that have other values in this configuration.
    fn differences(&self, next: &Config) -> Vec<&'static str> {
        let (listen, store) = (&next.settings.listen, &next.store);
        let keys = [
            ("`[listen] address`", self.listen.address != listen.address),
            ("`[listen] threads`", self.listen.threads != listen.threads),
            ("where `[tls]` listens", self.tls != sockets(&next.settings)),
            ("which files `[tls]` names", self.files != next.tls),
            ("`[store] path`", self.store.path != store.path),
            ("`[store] memory`", self.store.memory != store.memory),
            ("`[store] durable`", self.store.durable != store.durable),
        ];
        keys.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// Logs what reading the configuration again has done.
pub(super) fn log(log: &LogSink, done: Result<&Reloaded, &OperationError>) {
    match done {
        Ok(done) => {
            let members = [
                ("plans_added", &done.added),
                ("plans_changed", &done.changed),
                ("plans_removed", &done.removed),
                ("changed", &done.others),
            ];
            let members = members.map(|(name, list)| (name, list.join(", ")));
            log.event(
                Level::Info,
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
            let _ = carry_out(&control, Operation::Reload).await;
        }
    })
}
