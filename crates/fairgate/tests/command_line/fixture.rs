//! A folder with a configuration, commands run in it, and a stand-in for a running gateway.

use crate::admin::{
    AdminSocket, Control, Live, OperationError, Place, Preparing, Reloaded, Rules, serve, system_clock,
};
use contract::Limit;
use gateway::settings::Plan;
use serde_json::Value;
use std::{
    cell::RefCell,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
};
use store::{Embedded, IncidentRecord, KeyRecord, MaintenanceWindow, Store, StoreError};
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
        let recorder = Recorder { told: Arc::clone(&told), queued: Arc::clone(&queued) };
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
            };
            let control = Control::new(Box::new(store), secret, rules, Box::new(recorder), system_clock);
            let place = Place { store: Some(folder.clone()), config: None };
            let names = AdminSocket::reserve(&place).unwrap();
            let socket = AdminSocket::bind(&folder, &names).unwrap();
            ready.send(()).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let stopped = async { stopped.await.unwrap() };
            runtime.block_on(serve(socket, Rc::new(RefCell::new(control)), stopped)).unwrap();
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

impl Live for Recorder {
    fn key_added(&self, record: &KeyRecord) {
        self.told.lock().unwrap().push(format!("added {} {}", record.id, record.plan));
    }

    fn key_changed(&self, record: &KeyRecord) {
        self.told.lock().unwrap().push(format!("changed {} {}", record.id, record.plan));
    }

    fn prepare(&self) -> Result<Preparing, OperationError> {
        Ok(Box::new(|| Err(OperationError::NotReloaded("this one cannot".into()))))
    }

    fn take_over(
        &self,
        _: &dyn Store,
        prepared: Result<(), OperationError>,
    ) -> Result<(Rules, Reloaded), OperationError> {
        Err(prepared.unwrap_err())
    }

    fn key_revoked(&self, id: &str, _: &[u8; 32]) {
        self.told.lock().unwrap().push(format!("revoked {id}"));
    }

    fn maintenance_changed(&self, windows: &[MaintenanceWindow]) {
        self.told.lock().unwrap().push(format!("{} windows", windows.len()));
    }

    fn before_read(&self, store: &dyn Store) -> Result<(), StoreError> {
        store.add_incidents(&std::mem::take(&mut *self.queued.lock().unwrap()))
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
