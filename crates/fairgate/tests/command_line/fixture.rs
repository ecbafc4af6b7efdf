//! A folder with a configuration, commands run in it, and a stand-in for a running gateway.

use contract::Limit;
use control::{
    Actor, AddressView, AdminSocket, Applier, Control, Live, Load, OperationError, Place, Preparing, Process,
    Reloaded, Rules, Running, Saving, Sockets, Status, Stores, TakenOver, Unsaved, serve_admin, system_clock,
};
use gateway::{
    maintenance::Pattern,
    settings::{NamedEndpoint, Plan},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
};
use store::{Change, Changed, Embedded, IncidentRecord, MaintenanceWindow, Records};
use tempfile::TempDir;
use tokio::sync::oneshot;

pub(crate) struct Site {
    folder: TempDir,
}

/// How a command ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A thread that does what a running gateway does for the control plane.
pub(crate) struct Gateway {
    pub(crate) told: Arc<Mutex<Vec<String>>>,
    pub(crate) queued: Arc<Mutex<Vec<IncidentRecord>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Recorder {
    told: Arc<Mutex<Vec<String>>>,
    windows: Mutex<BTreeSet<String>>,
}

struct Incidents {
    records: Rc<dyn Records>,
    queued: Arc<Mutex<Vec<IncidentRecord>>>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        site.configure("");
        site
    }

    /// Writes the configuration, with these lines at its end.
    pub(crate) fn configure(&self, more: &str) {
        let text = format!(
            "[store]\npath = \"data\"\n\
             [api]\nname = \"Items\"\nsupport_email = \"help@example.com\"\n[listen]\naddress = \"127.0.0.1:0\"\n\
             [upstream]\nurl = \"http://127.0.0.1:9\"\n\
             [plans.free]\nlimits = [\"1000 per day\"]\n[plans.premium]\nlimits = [\"9 per second\"]\n{more}\n"
        );
        fs::write(self.path("fairgate.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with_input(arguments, b"")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self.command(arguments).spawn().unwrap();
        // A command that fails early does not read; that is its right.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().expect("no command may be killed by a signal"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let program = std::env::var_os("FAIRGATE_BIN");
        let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_fairgate").into()));
        command.current_dir(self.folder.path()).args(arguments).env_remove("FAIRGATE_CONFIG");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command that must succeed and prints JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
        serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
    }

    /// The id of a new key.
    pub(crate) fn key_id(&self) -> String {
        let key = self.json(&["keys", "create", "--plan", "free", "--json"]);
        key["id"].as_str().unwrap().to_owned()
    }
}

impl Run {
    /// It failed with this code and said this, on standard error only.
    pub(crate) fn refused(&self, code: i32, said: &str) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(self.err.contains(said), "{said:?} is not in: {}", self.err);
        assert_eq!(self.out, "");
    }

    pub(crate) fn fine(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        assert_eq!(self.err, "");
        self.out
    }
}

impl Gateway {
    pub(crate) fn start(store_folder: &Path) -> Self {
        let (told, queued) = (Arc::default(), Arc::default());
        let recorder = Recorder { told: Arc::clone(&told), windows: Mutex::default() };
        let queue: Arc<Mutex<Vec<IncidentRecord>>> = Arc::clone(&queued);
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let folder = store_folder.to_owned();
        let thread = std::thread::spawn(move || {
            let (store, secret) = Embedded::open(&folder).unwrap();
            let limit = |text: &str| Limit::parse(text, &mut |_| None).map_err(|error| error.to_string());
            let plan = |name: &str| Plan { name: name.into(), limits: vec![limit("1000 per day").unwrap()] };
            let rules = Rules {
                plans: ["free", "premium", "running"].map(plan).into(),
                read_limit: limit,
                pattern: None,
                costs: vec![],
            };
            let stores = Stores::from(store);
            let applier = Applier::new(Rc::clone(&stores.records), Box::new(recorder));
            store::wait(applier.catch_up()).unwrap();
            let process = Incidents { records: Rc::clone(&stores.records), queued: queue };
            let running = Running { applier, process: Box::new(process) };
            let control = Control::new(stores, secret, rules, Some(running), system_clock);
            let place = Place { store: Some(folder.clone()), config: None };
            let names = AdminSocket::reserve(&place).unwrap();
            let socket = AdminSocket::bind(&folder, &names).unwrap();
            ready.send(()).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let stopped = async { stopped.await.unwrap() };
            runtime.block_on(serve_admin(socket, Rc::new(control), stopped)).unwrap();
        });
        is_ready.recv().unwrap();
        Self { told, queued, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    pub(crate) fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Recorder {
    fn record(&self, event: String) {
        self.told.lock().unwrap().push(event);
    }
}

impl Live for Recorder {
    fn apply(&self, change: &Change) {
        match &change.what {
            Changed::KeyAdded(key) => self.record(format!("added {} {}", key.id, key.plan)),
            Changed::KeyChanged(key) => self.record(format!("changed {} {}", key.id, key.plan)),
            Changed::KeyRevoked(key) => self.record(format!("revoked {}", key.id)),
            Changed::KeysImported(keys) => {
                keys.records().for_each(|key| self.record(format!("added {} {}", key.id, key.plan)));
            }
            Changed::MaintenancePut(window) => {
                self.windows.lock().unwrap().insert(window.id.clone());
                self.record(format!("{} windows", self.windows.lock().unwrap().len()));
            }
            Changed::MaintenanceRemoved(id) => {
                self.windows.lock().unwrap().remove(id);
                self.record(format!("{} windows", self.windows.lock().unwrap().len()));
            }
        }
    }

    fn load(&self, _: u64) -> Load<'_> {
        let rest = |windows: Vec<MaintenanceWindow>| {
            self.windows.lock().unwrap().extend(windows.into_iter().map(|window| window.id));
        };
        Load { keys: vec![Box::new(|_| ())], rest: Box::new(rest) }
    }

    fn status(&self) -> Status {
        Status {
            state: "ready".into(),
            address: String::new(),
            version: String::new(),
            process: 1,
            since: 1,
            configured: 1,
            not_taken: None,
            store: PathBuf::new(),
            admin: None,
            alarms: vec![],
            keys: 0,
            cluster: None,
            threads: vec![],
        }
    }

    fn upstreams(&self) -> Vec<AddressView> {
        vec![]
    }

    fn has_endpoints(&self, _: &Pattern) -> bool {
        true
    }

    fn operations(&self) -> Vec<NamedEndpoint> {
        vec![]
    }
}

impl Process for Incidents {
    fn save(&self, _: Unsaved) -> Saving<'_> {
        self.records.add_incidents(std::mem::take(&mut *self.queued.lock().unwrap()).into())
    }

    fn prepare(&self) -> Preparing {
        Box::new(|| Err(OperationError::NotReloaded("this one cannot".into())))
    }

    fn take_over(&self) -> Result<TakenOver, OperationError> {
        unreachable!("nothing was prepared")
    }

    fn reloaded(&self, _: Actor, _: Result<&Reloaded, &OperationError>) {}

    fn hand_over(&self, _: &[std::net::SocketAddr]) -> Result<Sockets, OperationError> {
        Err(OperationError::NotHandedOver("this one does not".into()))
    }
}

/// Runs a test twice: with a gateway on the store, and without.
pub(crate) fn with_and_without_gateway(test: impl Fn(&Site, Option<&Gateway>)) {
    let site = Site::new();
    test(&site, None);
    let site = Site::new();
    let gateway = Gateway::start(&site.store());
    test(&site, Some(&gateway));
    gateway.stop();
}
