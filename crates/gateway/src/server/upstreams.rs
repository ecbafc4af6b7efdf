//! Resolves names and runs health checks on a thread of its own: not on the data path, and not on
//! the control plane's thread, which may wait for a disk and would then find every address too
//! slow.

use crate::{
    clock::wall_millis,
    record::Level,
    settings::{HealthCheck, Service},
    state::shared::Shared,
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::LocalSet,
    time::{Instant, sleep},
};
use upstream::{
    Backend, Now,
    check::{self, Verdict},
    first_look, millis, names,
};

/// How soon new upstreams in a configuration are noticed.
const TICK: Duration = Duration::from_millis(50);

/// The work for one address.
struct Work {
    backend: Arc<Backend>,
    names: Errand,
    checks: Errand,
    /// It was checked when it was new.
    is_known: Cell<bool>,
    verdict: RefCell<Verdict>,
}

/// A repeated task, one run at a time.
#[derive(Default)]
struct Errand {
    is_running: Cell<bool>,
    /// When it is due. None: at once.
    next: Cell<Option<Instant>>,
}

/// Runs until the gateway drains.
pub(crate) fn run(shared: &Arc<Shared>, mut draining: watch::Receiver<bool>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let members = [("error", &*error.to_string())];
            shared.log.event(Level::Error, "upstreams are not monitored", &members);
            return;
        }
    };
    LocalSet::new().block_on(&runtime, async {
        let mut all: HashMap<u32, Rc<Work>> = HashMap::new();
        loop {
            look(shared, &mut all);
            tokio::select! {
                () = sleep(TICK) => {}
                _ = draining.wait_for(|draining| *draining) => return,
            }
        }
    });
    // The system's resolver may block for longer than a drain may last.
    runtime.shutdown_background();
}

/// Starts what is due.
fn look(shared: &Arc<Shared>, all: &mut HashMap<u32, Rc<Work>>) {
    let config = shared.config.load();
    all.retain(|id, _| config.services.backend(*id).is_some());
    let now = Instant::now();
    for service in config.services.iter() {
        let settings = &service.settings;
        for backend in &service.backends {
            let new = || Rc::new(Work::new(Arc::clone(backend)));
            let work = all.entry(backend.id).or_insert_with(new);
            if names::is_name(&backend.host) && work.names.begin(now) {
                let (work, names) = (Rc::clone(work), settings.upstream.names.clone());
                tokio::task::spawn_local(async move {
                    let lives = names::look_up(&work.backend, &names).await;
                    work.names.end(lives);
                });
            }
            if !work.is_known.replace(true) {
                let (work, shared) = (Rc::clone(work), Arc::clone(shared));
                let timeout = settings.upstream.timeouts.connect;
                tokio::task::spawn_local(async move { work.look_first(timeout, &shared).await });
            }
            match &settings.upstream.health_check {
                Some(check) if work.checks.begin(now) => {
                    let (work, check) = (Rc::clone(work), check.clone());
                    let (service, shared) = (settings.clone(), Arc::clone(shared));
                    tokio::task::spawn_local(async move {
                        work.check(&service, &check, &shared).await;
                        work.checks.end(Verdict::pause(&check));
                    });
                }
                Some(_) => {}
                None => backend.health.forget_checks(),
            }
        }
    }
}

impl Work {
    fn new(backend: Arc<Backend>) -> Self {
        Self {
            backend,
            names: Errand::default(),
            checks: Errand::default(),
            is_known: Cell::new(false),
            verdict: RefCell::default(),
        }
    }

    /// Logs an unreachable address as soon as it is configured. It does not affect its health: it
    /// may be about to start.
    async fn look_first(&self, timeout: Duration, shared: &Shared) {
        if let Err(reason) = first_look::look(&self.backend, timeout).await {
            let members = [
                ("service", self.backend.service.as_str()),
                ("address", self.backend.authority.as_str()),
                ("reason", &reason),
            ];
            shared.log.event(Level::Warn, "an upstream address cannot be reached", &members);
        }
    }

    async fn check(&self, service: &Service, check: &HealthCheck, shared: &Shared) {
        let found = check::ask(&self.backend, service, check).await;
        let verdict = self.verdict.borrow_mut().add(found.is_ok(), check);
        let Some(is_healthy) = verdict else { return };
        let now = Now { millis: millis(std::time::Instant::now()), unix_millis: wall_millis() };
        if !self.backend.health.set_checked(is_healthy, now) {
            return;
        }
        let (service, address) = (self.backend.service.as_str(), self.backend.authority.as_str());
        let members = [("service", service), ("address", address)];
        match found {
            Ok(()) => shared.log.event(Level::Info, "an upstream address is healthy again", &members),
            Err(reason) => {
                let members = [members[0], members[1], ("reason", &reason)];
                shared.log.event(Level::Warn, "an upstream address is unhealthy", &members);
            }
        }
    }
}

impl Errand {
    /// Starts it if it is due, and returns whether it did.
    fn begin(&self, now: Instant) -> bool {
        let is_due = !self.is_running.get() && self.next.get().is_none_or(|next| now >= next);
        if is_due {
            self.is_running.set(true);
        }
        is_due
    }

    /// It is done, and due again after a pause.
    fn end(&self, pause: Duration) {
        self.is_running.set(false);
        self.next.set(Some(Instant::now() + pause));
    }
}
