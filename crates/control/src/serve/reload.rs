//! Reading the configuration again while the gateway runs: all of it is taken over in one step, or nothing.
//!
//! A file that asks for what only a start can do is not taken either: half of a new configuration is worse than
//! all of the old one.

use super::rules::rules;
use crate::{Actor, Control, OperationError, Preparing, Reload, Reloaded, Rules, failure::Failure};
use config::{ClusterSettings, Node, Sources, StoreSettings, tls::TlsSettings};
use gateway::{
    Compiled, Handle,
    record::{Level, LogSink},
    settings::{Endpoints, Listen, Plain, Plan, Settings},
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::signal::unix::{SignalKind, signal};

/// The configuration that holds, to compare the next one with.
pub(super) struct Source {
    read_from: Sources,
    plans: Vec<Plan>,
    fixed: Fixed,
    is_watched: bool,
    reach: Reach,
    prepared: Ready,
}

/// Where a configuration without any fault lies, ready to be taken over.
type Ready = Arc<Mutex<Option<Prepared>>>;

struct Prepared {
    source: Source,
    rules: Rules,
    store: StoreSettings,
    admin: Option<SocketAddr>,
    warnings: Vec<String>,
    compiled: Compiled,
}

/// What was taken over.
pub(super) struct Taken {
    pub(super) reloaded: Reloaded,
    pub(super) rules: Rules,
    pub(super) store: StoreSettings,
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

/// What only a start can change.
#[derive(Clone)]
struct Fixed {
    listen: Listen,
    tls: Option<(SocketAddr, bool)>,
    files: Option<TlsSettings>,
    store: StoreSettings,
    cluster: Option<ClusterSettings>,
}

/// The name of the table that is told by its parts.
const PLANS: &str = "plans";

// === impl Source ===

impl Source {
    pub(super) fn of(data_plane: &Settings, node: &Node) -> Self {
        Self {
            read_from: node.sources.clone(),
            plans: data_plane.plans.clone(),
            fixed: Fixed {
                listen: data_plane.listen.clone(),
                tls: sockets(data_plane),
                files: node.tls.clone(),
                store: node.store.clone(),
                cluster: node.cluster.clone(),
            },
            is_watched: node.process.is_watched,
            reach: Reach::of(data_plane),
            prepared: Ready::default(),
        }
    }

    /// What reads the files again, and compiles what they say.
    pub(super) fn prepare(&self, handle: Handle) -> Preparing {
        let (path, fixed, ready) =
            (self.read_from.path.clone(), self.fixed.clone(), Arc::clone(&self.prepared));
        let reach = self.reach;
        Box::new(move || {
            let prepared = prepare(&path, &fixed, reach, &handle)?;
            *ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(prepared);
            Ok(())
        })
    }

    /// Takes over what was prepared. Gives back what the control plane has to know of it.
    pub(super) fn take_over(&mut self, handle: &Handle) -> Result<Taken, OperationError> {
        let fail = |why: String| OperationError::NotReloaded(why);
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        let prepared = prepared.ok_or_else(|| fail("nothing was read".into()))?;
        let Prepared { source, rules, store: store_settings, admin: _, warnings, compiled } = prepared;
        let next = &source.plans;
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
            others: self.others(&source.read_from),
            warnings,
        };
        // The only step that can fail comes first. A request between it and the next one has the limits of
        // the new plans and all else of the old file, as one has that was waiting for its body meanwhile.
        handle.keyring().set_plans(next).map_err(|error| fail(format!("{error}; nothing was changed")))?;
        handle.replace(compiled);
        *self = source;
        Ok(Taken { reloaded, rules, store: store_settings })
    }

    /// Where `[admin] address` is in what was prepared. None: nothing was prepared.
    pub(super) fn next_admin(&self) -> Option<Option<SocketAddr>> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.as_ref().map(|prepared| prepared.admin)
    }

    /// Every file that the configuration was read from.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let of_document = self.read_from.document.iter().flat_map(|document| &document.files);
        std::iter::once(&self.read_from.path).chain(of_document).cloned().collect()
    }

    /// Whether the files are to be looked after.
    pub(super) const fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Whether the file says other than what holds, or cannot be understood.
    pub(super) fn differs(&self) -> bool {
        let text = std::fs::read_to_string(&self.read_from.path).ok();
        text.and_then(|text| text.parse::<toml::Table>().ok())
            .is_none_or(|tables| tables != *self.read_from.tables)
    }

    /// What is different beside the plans, as it stands in the file.
    fn others(&self, read_now: &Sources) -> Vec<String> {
        let (before, now) = (&self.read_from.tables, &read_now.tables);
        let names = before.keys().chain(now.keys().filter(|name| !before.contains_key(*name)));
        let differ = names.filter(|name| *name != PLANS && before.get(*name) != now.get(*name));
        let mut others: Vec<String> = differ
            .map(|name| {
                let value = now.get(name).or_else(|| before.get(name));
                match value {
                    Some(toml::Value::Table(_)) => format!("[{name}]"),
                    Some(toml::Value::Array(list)) if list.iter().any(toml::Value::is_table) => {
                        format!("[[{name}]]")
                    }
                    Some(_) | None => format!("`{name}`"),
                }
            })
            .collect();
        if self.read_from.document != read_now.document && !others.iter().any(|name| name == "`openapi`") {
            others.push("the OpenAPI document".into());
        }
        others
    }
}

/// Where it listens for TLS, and whether it does so without.
fn sockets(settings: &Settings) -> Option<(SocketAddr, bool)> {
    settings.tls.as_ref().map(|tls| (tls.address, tls.plain == Plain::Off))
}

fn prepare(path: &Path, fixed: &Fixed, before: Reach, handle: &Handle) -> Result<Prepared, OperationError> {
    let fail = |why: String| OperationError::NotReloaded(why);
    let faulty =
        |what: String| fail(format!("the configuration has faults, so nothing was changed:\n{what}"));
    let config =
        config::load(path, config::Extent::Everything).map_err(|faults| faulty(faults.to_string()))?;
    let waiting = fixed.differences(&config.data_plane, &config.node);
    if !waiting.is_empty() {
        // A hot restart stays at its addresses and on its store.
        let stays = fixed.listen.address != config.data_plane.listen.address
            || fixed.tls != sockets(&config.data_plane)
            || fixed.store.path != config.node.store.path;
        let how = if stays {
            "stop this gateway, then start it"
        } else {
            "`fairgate serve --take-over` starts the next gateway beside this one and loses no request"
        };
        return Err(fail(format!(
            "nothing was changed, because {} can only change in a restart: {how}",
            waiting.join(", ")
        )));
    }
    let reach = Reach::of(&config.data_plane);
    if !config.node.process.allows_no_endpoints {
        before.check(reach).map_err(fail)?;
    }
    let warnings = config.warnings.clone();
    let (data_plane, node) = config.for_serving();
    let (source, rules) = (Source::of(&data_plane, &node), rules(&data_plane));
    let compiled = handle.compile(data_plane).map_err(|error| faulty(error.to_string()))?;
    Ok(Prepared { source, rules, store: node.store, admin: node.process.admin, warnings, compiled })
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
    fn differences(&self, data_plane: &Settings, node: &Node) -> Vec<&'static str> {
        let (listen, store) = (&data_plane.listen, &node.store);
        let keys = [
            ("`[listen] address`", self.listen.address != listen.address),
            ("`[listen] threads`", self.listen.threads != listen.threads),
            ("where `[tls]` listens", self.tls != sockets(data_plane)),
            ("which files `[tls]` names", self.files != node.tls),
            ("`[store] path`", self.store.path != store.path),
            ("`[store] shared_memory`", self.store.shared_memory != store.shared_memory),
            ("`[store] durable`", self.store.durable != store.durable),
            ("`[cluster]`", self.cluster != node.cluster),
        ];
        keys.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// Logs what reading the configuration again has done.
pub(super) fn log(log: &LogSink, actor: Actor, done: Result<&Reloaded, &OperationError>) {
    let by = actor.to_string();
    match done {
        Ok(done) => {
            let members = [
                ("plans_added", &done.added),
                ("plans_changed", &done.changed),
                ("plans_removed", &done.removed),
                ("changed", &done.others),
            ];
            let members = members.map(|(name, list)| (name, list.join(", ")));
            let mut members: Vec<(&str, &str)> =
                members.iter().map(|(name, list)| (*name, list.as_str())).collect();
            members.push(("by", &by));
            log.event(Level::Info, "configuration read again", &members);
            for warning in &done.warnings {
                log.event(Level::Warn, "configuration", &[("warning", warning)]);
            }
        }
        Err(error) => {
            let members = [("error", error.to_string()), ("by", by)];
            let members = members.each_ref().map(|(name, value)| (*name, value.as_str()));
            log.event(Level::Error, "configuration not taken over", &members);
        }
    }
}

/// Reads the configuration again at each SIGHUP, for ever. What comes of it stands in the log.
pub(super) fn on_hangup(control: Rc<Control>) -> Result<impl Future<Output = ()>, Failure> {
    let mut hangup = signal(SignalKind::hangup())
        .map_err(|error| Failure::new(format!("cannot wait for signals: {error}")))?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            let _ = control.execute(Actor::Hangup, Reload {}).await;
        }
    })
}
