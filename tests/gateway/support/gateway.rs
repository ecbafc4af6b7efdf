//! A gateway process for a test: started, queried, stopped, killed, restarted.

use super::{
    answer::Answer,
    authority::AUTHORITY,
    client::{Connection, TLS_PORTS},
    config::Config,
    gate::eventually,
    request::{HOST, Request},
    wire::PATIENCE,
};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The folder of a gateway: its configuration and its store. It outlives the process.
#[derive(Debug)]
pub(crate) struct Home {
    folder: TempDir,
    /// A folder in memory of its own, so that gateways that are killed leave nothing behind in it.
    memory: TempDir,
    /// Set for every process that runs on it.
    environment: Vec<(String, String)>,
    /// The network namespace of every process that runs on it. None: that of the test.
    namespace: Option<String>,
    /// Clients use HTTPS.
    is_over_tls: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    home: Arc<Home>,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Reads the log to its end.
    reader: Option<JoinHandle<()>>,
}

/// A key as `keys create` printed it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) key: String,
    pub(crate) id: String,
}

/// The exit code and the output of a command of the binary.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    /// None: it was terminated by a signal, or by us because it did not exit.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program under test: what was built with the tests, or what `FAIRGATE_BIN` names.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("FAIRGATE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_fairgate").into()).into()
}

// === impl Home ===

impl Home {
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        Self::with_environment(config, Vec::new())
    }

    pub(crate) fn with_environment(config: &Config, environment: Vec<(String, String)>) -> Arc<Self> {
        Self::within(config, environment, None)
    }

    /// A folder of a machine in a network of its own.
    pub(crate) fn within(
        config: &Config,
        environment: Vec<(String, String)>,
        namespace: Option<String>,
    ) -> Arc<Self> {
        let named = || tempfile::Builder::new().prefix("fairgate-").to_owned();
        let folder = named().tempdir().unwrap();
        // A runner that may terminate tests before they clean up sets a folder here.
        let memory = std::env::var_os("FAIRGATE_TEST_MEMORY").unwrap_or_else(|| "/dev/shm".into());
        let memory = named().tempdir_in(memory).unwrap();
        let home = Self { folder, memory, environment, namespace, is_over_tls: AtomicBool::new(false) };
        home.configure(config);
        Arc::new(home)
    }

    /// Writes another configuration; the store stays.
    pub(crate) fn configure(&self, config: &Config) {
        let text = config.text(&self.folder.path().join("data"), self.memory.path());
        std::fs::write(self.config(), text).unwrap();
        self.is_over_tls.store(config.is_over_tls(), Ordering::Relaxed);
        if config.is_over_tls() && !self.path("tests.pem").exists() {
            AUTHORITY.issue(&[HOST, "localhost", "127.0.0.1"]).write(self.folder.path(), "tests");
        }
        if let Some(document) = config.document_text() {
            std::fs::write(self.path("openapi.yaml"), document).unwrap();
        }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("fairgate.toml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the shared memory.
    pub(crate) fn memory(&self) -> &Path {
        self.memory.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.process();
        // `keys create` and `serve` alike: the command's words first, then `--config`.
        let options = arguments.iter().position(|word| word.starts_with('-')).unwrap_or(arguments.len());
        command.args(&arguments[..options]).arg("--config").arg(self.config()).args(&arguments[options..]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.folder.path()).env_remove("FAIRGATE_THREADS").stdin(Stdio::null());
        command
    }

    /// The program under test, in the network of this folder.
    fn process(&self) -> Command {
        let Some(namespace) = &self.namespace else { return Command::new(program()) };
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{namespace}")).arg(program());
        command
    }

    /// Runs a command to its end, with `--config`.
    pub(crate) fn run(&self, arguments: &[&str]) -> CommandOutput {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = read_aside(child.stdout.take().unwrap());
        let err = read_aside(child.stderr.take().unwrap());
        let deadline = Instant::now() + PATIENCE;
        // A command that should be refused and runs instead must not block the tests.
        let code = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None if Instant::now() > deadline => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    break None;
                }
                None => std::thread::park_timeout(Duration::from_millis(2)),
            }
        };
        CommandOutput { code, out: out.join().unwrap(), err: err.join().unwrap() }
    }

    #[track_caller]
    pub(crate) fn run_well(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.code, Some(0), "{arguments:?} failed: {output:?}");
        output.out
    }

    #[track_caller]
    pub(crate) fn create_key(&self, options: &[&str]) -> Key {
        let mut arguments = vec!["keys", "create"];
        arguments.extend_from_slice(options);
        arguments.push("--json");
        let out = self.run_well(&arguments);
        let made: Value =
            serde_json::from_str(&out).unwrap_or_else(|error| panic!("no JSON ({error}): {out}"));
        let text =
            |name: &str| made[name].as_str().unwrap_or_else(|| panic!("no {name} in {out}")).to_owned();
        Key { key: text("key"), id: text("id") }
    }
}

// === impl Gateway ===

impl Gateway {
    pub(crate) fn start(config: &Config) -> Self {
        Self::start_in(&Home::new(config))
    }

    /// Starts on a folder that may have a store already.
    #[track_caller]
    pub(crate) fn start_in(home: &Arc<Home>) -> Self {
        Self::start_by(home, home.command(&["serve"]))
    }

    /// Starts on a folder with these arguments.
    #[track_caller]
    pub(crate) fn start_with(home: &Arc<Home>, words: &[&str]) -> Self {
        Self::start_by(home, home.command(words))
    }

    /// Starts on a folder with these arguments.
    ///
    /// # Errors
    /// It refuses to start: its output.
    pub(crate) fn try_start_with(home: &Arc<Home>, words: &[&str]) -> Result<Self, String> {
        Self::try_start_by(home, home.command(words))
    }

    /// Starts on a folder with a limit on the size of files, in bytes.
    ///
    /// # Errors
    /// It refuses to start: its output.
    pub(crate) fn try_start_with_largest_file(home: &Arc<Home>, bytes: u64) -> Result<Self, String> {
        let serve = home.command(&["serve"]);
        let mut command = Command::new("prlimit");
        command.arg(format!("--fsize={bytes}:unlimited")).arg(serve.get_program()).args(serve.get_args());
        command.current_dir(home.folder.path()).stdin(Stdio::null());
        Self::try_start_by(home, command)
    }

    #[track_caller]
    pub(crate) fn start_by(home: &Arc<Home>, serve: Command) -> Self {
        Self::try_start_by(home, serve)
            .unwrap_or_else(|log| panic!("the gateway exited before it listened:\n{log}"))
    }

    /// Starts on a folder.
    ///
    /// # Errors
    /// It refuses to start: its output.
    pub(crate) fn try_start_in(home: &Arc<Home>) -> Result<Self, String> {
        Self::try_start_by(home, home.command(&["serve"]))
    }

    fn try_start_by(home: &Arc<Home>, mut serve: Command) -> Result<Self, String> {
        let mut child = serve.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (lines, stderr) = (Arc::clone(&log), child.stderr.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        let is_over_tls = home.is_over_tls.load(Ordering::Relaxed);
        let member = if is_over_tls { "tls_address" } else { "address" };
        let address =
            eventually("the gateway listens", || match event(&log, |line| line["event"] == "listening") {
                Some(found) => Some(Some(found[member].as_str().unwrap().parse().unwrap())),
                None if child.try_wait().unwrap().is_some() => Some(None),
                None => None,
            });
        let Some(address) = address else {
            reader.join().unwrap();
            return Err(log.lock().unwrap().join("\n"));
        };
        let address: SocketAddr = address;
        {
            // Ports are reused: the system may have given another gateway's to this one.
            let mut ports = TLS_PORTS.lock().unwrap();
            if is_over_tls {
                ports.insert(address.port())
            } else {
                ports.remove(&address.port())
            };
        }
        Ok(Self { address, home: Arc::clone(home), child, log, reader: Some(reader) })
    }

    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends a request on a connection of its own.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Answer {
        self.connect().send(request)
    }

    /// Sends bytes on a connection of their own.
    #[track_caller]
    pub(crate) fn send_bytes(&self, bytes: &[u8]) -> Answer {
        let mut connection = self.connect();
        connection.write(bytes);
        connection.answer()
    }

    /// A key of the plan `free` with the permission `items:read`.
    #[track_caller]
    pub(crate) fn key(&self) -> Key {
        self.key_with(&["--plan", "free", "--permission", "items:read"])
    }

    #[track_caller]
    pub(crate) fn key_with(&self, options: &[&str]) -> Key {
        self.home.create_key(options)
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.home.run_well(arguments)
    }

    /// The incident that was kept for a request.
    #[track_caller]
    pub(crate) fn incident(&self, request_id: &str) -> Value {
        // Incidents are written off the request path, so one may appear a moment after its response.
        eventually("the incident is kept", || {
            let output = self.home.run(&["incidents", "show", request_id, "--json"]);
            (output.code == Some(0))
                .then(|| serde_json::from_str(&output.out).expect("incidents show --json"))
        })
    }

    /// The log line of a request.
    #[track_caller]
    pub(crate) fn logged(&self, request_id: &str) -> Value {
        eventually("the request is logged", || {
            event(&self.log, |line| line["event"] == "request" && line["request_id"] == request_id)
        })
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Makes it reload its configuration, as a service manager does.
    pub(crate) fn hang_up(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// Sends SIGTERM, as a service manager does, and does not wait.
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Waits until it has exited.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the gateway ends", || child.try_wait().unwrap())
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Stops it in order, and returns its folder for the next start.
    #[track_caller]
    pub(crate) fn stop(mut self) -> Arc<Home> {
        self.terminate();
        let status = self.ended();
        assert_eq!(status.code(), Some(0), "the gateway did not exit cleanly:\n{}", self.log());
        Arc::clone(&self.home)
    }

    /// Kills it (SIGKILL).
    pub(crate) fn kill(self) -> Arc<Home> {
        self.kill_for_log().0
    }

    /// Kills it (SIGKILL), and does not wait until it has exited.
    pub(crate) fn strike(&mut self) {
        let _ = self.child.kill();
    }

    /// Kills it (SIGKILL), and returns all that it has logged.
    pub(crate) fn kill_for_log(mut self) -> (Arc<Home>, Vec<String>) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        let log = std::mem::take(&mut *self.log.lock().unwrap());
        (Arc::clone(&self.home), log)
    }

    /// Bytes of memory that the process holds at present.
    pub(crate) fn resident(&self) -> u64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap();
        let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4096
    }

    /// Files and sockets that it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Limits files to so many bytes from now on, which has the effect of a full disk. None: no limit.
    pub(crate) fn set_largest_file(&self, bytes: Option<u64>) {
        let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let limit = format!("--fsize={soft}:unlimited");
        let status = Command::new("prlimit").args(["--pid", &self.child.id().to_string(), &limit]).status();
        assert!(status.unwrap().success(), "{limit}");
    }

    /// The latest line of the log with this event.
    #[track_caller]
    pub(crate) fn event(&self, name: &str) -> Value {
        eventually(name, || event(&self.log, |line| line["event"] == name))
    }

    /// Whether the log has a line with this event so far.
    pub(crate) fn has_event(&self, name: &str) -> bool {
        event(&self.log, |line| line["event"] == name).is_some()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.lock().map(|log| log.clone()).unwrap_or_default();
            let from = log.len().saturating_sub(20);
            eprintln!("the gateway's last lines:\n{}", log[from..].join("\n"));
        }
    }
}

fn read_aside(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn event(log: &Mutex<Vec<String>>, fits: impl Fn(&Value) -> bool) -> Option<Value> {
    let lines = log.lock().unwrap();
    lines.iter().rev().filter_map(|line| serde_json::from_str(line).ok()).find(|line| fits(line))
}
