//! A PostgreSQL server of a test: in a temporary folder, on a port of its own, as a user that is not root, gone with the test.

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread::park_timeout,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The password of the user `fairgate`.
pub const PASSWORD: &str = "correct horse";
const DEADLINE: Duration = Duration::from_secs(60);

/// A server. It runs until it is dropped.
pub struct Server {
    folder: TempDir,
    address: String,
    port: u16,
    /// The network namespace that it runs in. None: that of the test.
    namespace: Option<String>,
    running: Option<Child>,
}

impl Server {
    /// A new server with the user `fairgate`, whose database `fairgate` is empty.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same, with settings of `postgresql.conf`.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::start_at("127.0.0.1", free_port(), None, settings)
    }

    /// The same at an address of a network namespace, for all of its network.
    pub fn start_within(namespace: &str, address: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_at(address, 5432, Some(namespace.to_owned()), settings)
    }

    fn start_at(address: &str, port: u16, namespace: Option<String>, settings: &[(&str, &str)]) -> Self {
        let folder = new_folder();
        let data = folder.path().join("data");
        let mut init = command("initdb");
        init.arg("-D").arg(&data).args(["--no-sync", "--no-instructions", "--locale=C", "--encoding=UTF8"]);
        init.args(["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256"]);
        succeed(&mut init);
        let mut text = String::from(
            "fsync = off\nmax_wal_senders = 4\nwal_level = replica\n\
             shared_buffers = 32MB\nlogging_collector = off\nlog_min_messages = fatal\n",
        );
        text.extend(settings.iter().map(|(name, value)| format!("{name} = '{value}'\n")));
        append(&data.join("postgresql.conf"), &text);
        append(
            &data.join("pg_hba.conf"),
            "local replication all trust\nhost all all samenet scram-sha-256\n",
        );
        let mut server = Self { folder, address: address.to_owned(), port, namespace, running: None };
        server.run();
        server.sql(&format!("CREATE ROLE fairgate LOGIN PASSWORD '{PASSWORD}'"));
        server.sql("CREATE DATABASE fairgate OWNER fairgate");
        server
    }

    /// A standby of this server, which follows it.
    pub fn standby(&self) -> Self {
        self.standby_at("127.0.0.1", free_port(), None)
    }

    /// The same at an address of a network namespace.
    pub fn standby_within(&self, namespace: &str, address: &str) -> Self {
        self.standby_at(address, 5432, Some(namespace.to_owned()))
    }

    fn standby_at(&self, address: &str, port: u16, namespace: Option<String>) -> Self {
        let folder = new_folder();
        let data = folder.path().join("data");
        let mut copy = command("pg_basebackup");
        copy.arg("-D").arg(&data).args(["-R", "-X", "stream", "--checkpoint=fast", "--no-sync"]);
        copy.args(["-U", "postgres", "-h"]).arg(self.folder.path()).args(["-p", &self.port.to_string()]);
        succeed(&mut copy);
        let mut server = Self { folder, address: address.to_owned(), port, namespace, running: None };
        server.run();
        server
    }

    /// Makes the standby a primary.
    pub fn promote(&self) {
        self.sql("SELECT pg_promote(true, 60)");
    }

    /// The URL, with the password in it.
    pub fn url(&self) -> String {
        self.url_of("fairgate")
    }

    /// The URL of another database.
    pub fn url_of(&self, database: &str) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgresql://fairgate:{password}@{}:{}/{database}", self.address, self.port)
    }

    /// The URL of a new empty database, so that tests can share a server.
    pub fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE DATABASE {name} OWNER fairgate"));
        self.url_of(&name)
    }

    /// The port at its address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the socket, the data and whatever a test puts there.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has the superuser do something. Gives what psql prints.
    pub fn sql(&self, text: &str) -> String {
        self.sql_in("postgres", text)
    }

    /// The same in another database.
    pub fn sql_in(&self, database: &str, text: &str) -> String {
        let mut psql = command("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database]);
        psql.args(["-p", &self.port.to_string(), "-c", text, "-h"]).arg(self.folder.path());
        succeed(&mut psql)
    }

    /// Ends it as a loss of power does.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            let children = children(&running);
            signal("KILL", &running.id().to_string());
            running.wait().unwrap();
            children.iter().for_each(|child| end(child));
        }
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
    }

    /// Ends it as an administrator does: connections are told, and cut.
    pub fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            signal("INT", &running.id().to_string());
            running.wait().unwrap();
        }
    }

    /// Starts it again.
    pub fn run(&mut self) {
        assert!(self.running.is_none());
        let mut postgres =
            self.namespace.as_ref().map_or_else(|| command("postgres"), |name| within(name, "postgres"));
        postgres
            .arg("-D")
            .arg(self.data())
            .args(["-h", &self.address, "-p", &self.port.to_string(), "-k"])
            .arg(self.folder.path());
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0);
        self.running = Some(postgres.spawn().unwrap());
        let begun = Instant::now();
        loop {
            let mut ready = command("pg_isready");
            ready.args(["-q", "-p", &self.port.to_string(), "-h"]).arg(self.folder.path());
            if ready.status().unwrap().success() {
                return;
            }
            let ended = self.running.as_mut().and_then(|running| running.try_wait().unwrap());
            assert!(
                ended.is_none() && begun.elapsed() < DEADLINE,
                "PostgreSQL does not start: {}",
                fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            park_timeout(Duration::from_millis(20));
        }
    }

    /// Stops all its processes where they stand, as a machine does that hangs.
    pub fn pause(&self) {
        self.each_process("STOP");
    }

    /// Lets them go on.
    pub fn go_on(&self) {
        self.each_process("CONT");
    }

    /// A TCP connection's backend crashes, and the server with all others begins anew.
    pub fn crash_a_backend(&self) {
        let process = self.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'fairgate' LIMIT 1");
        signal("KILL", process.trim());
    }

    /// Whether it takes no writes from now on, as an old primary does after a failover.
    pub fn set_read_only(&self, is: bool) {
        self.sql(&format!("ALTER SYSTEM SET default_transaction_read_only = {is}"));
        self.sql("SELECT pg_reload_conf()");
    }

    fn each_process(&self, name: &str) {
        let running = self.running.as_ref().unwrap();
        for child in children(running) {
            signal(name, &child);
        }
        signal(name, &running.id().to_string());
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Those who serve connections, and the other helpers of a server. They are in groups of their own.
fn children(server: &Child) -> Vec<String> {
    let found = fs::read_to_string(format!("/proc/{0}/task/{0}/children", server.id())).unwrap();
    found.split_whitespace().map(str::to_owned).collect()
}

/// Kills a process, and waits until it is gone: a server that starts would find its memory in use.
fn end(process: &str) {
    let begun = Instant::now();
    while Path::new("/proc").join(process).exists() && begun.elapsed() < DEADLINE {
        let _ =
            Command::new("sh").args(["-c", &format!("kill -KILL {process}")]).stderr(Stdio::null()).status();
        park_timeout(Duration::from_millis(5));
    }
}

/// The path of a program of the newest PostgreSQL that is installed.
fn installed(program: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .expect("install the package `postgresql`")
        .map(|entry| entry.unwrap().path().join("bin").join(program))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().expect("install the package `postgresql`")
}

/// A program of the newest PostgreSQL that is installed, run as a user that is not root.
fn command(program: &str) -> Command {
    let mut command = Command::new(installed(program));
    if let Some((user, group)) = user() {
        command.uid(user).gid(group);
    }
    settle(&mut command);
    command
}

/// The same in a network namespace, which only root may enter.
fn within(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{namespace}"));
    if let Some((user, group)) = user() {
        command.args(["--setuid", &user.to_string(), "--setgid", &group.to_string()]);
    }
    command.arg(installed(program));
    settle(&mut command);
    command
}

fn settle(command: &mut Command) {
    command.current_dir("/").env_remove("PGPASSWORD").env("LC_ALL", "C");
}

/// The user to run it as, if this one is root, who may not.
fn user() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").map(|found| std::os::unix::fs::MetadataExt::uid(&found)).unwrap();
    if own != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields[0] == name).then(|| (fields[2].parse().unwrap(), fields[3].parse().unwrap()))
        })
    };
    Some(of("postgres").or_else(|| of("nobody")).expect("a user that is not root"))
}

fn new_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("fairgate-postgres").tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    if let Some((user, group)) = user() {
        chown(folder.path(), Some(user), Some(group)).unwrap();
    }
    folder
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn append(path: &Path, text: &str) {
    let before = fs::read_to_string(path).unwrap();
    fs::write(path, format!("{before}\n{text}")).unwrap();
}

fn succeed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn signal(name: &str, process: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status().unwrap();
    assert!(status.success(), "kill -{name} {process}");
}
