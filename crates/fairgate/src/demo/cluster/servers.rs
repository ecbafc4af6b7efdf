//! The servers that the gateways of the demo share: those that are named, else some of the demo's own, else those at the usual
//! ports of this machine.

use super::{database, process::Process};
use crate::{demo::free_port, failure::Failure};
use rustix::process::Signal;
use std::{
    cell::RefCell,
    env,
    fs::{self, DirBuilder},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use store::random;

const START: Duration = Duration::from_secs(30);
const END: Duration = Duration::from_secs(10);
const PROBE: Duration = Duration::from_millis(300);
/// The name of the ledger's process.
pub(super) const LEDGER: &str = "ledger";

/// PostgreSQL and the ledger.
pub(super) struct Servers {
    pub(super) records: Records,
    pub(super) ledger: Ledger,
}

/// PostgreSQL.
pub(super) struct Records {
    /// The URL of a database at it.
    url: String,
    own: Option<OwnRecords>,
}

struct OwnRecords {
    process: Process,
    folder: PathBuf,
}

/// What shares out limits.
pub(super) struct Ledger {
    url: String,
    own: Option<RefCell<Process>>,
}

impl Servers {
    pub(super) fn find(folder: &Path, records: Option<&str>, ledger: Option<&str>) -> Result<Self, Failure> {
        // Both are looked for before any is started.
        let ledger = Ledger::look(ledger)?;
        Ok(Self { records: Records::find(folder, records)?, ledger: ledger.begin(folder)? })
    }

    /// Ends those that are the demo's own.
    pub(super) fn end(self) -> Result<(), Failure> {
        if let Some(process) = self.ledger.own {
            let process = process.into_inner();
            process.signal(Signal::TERM);
            process.end(END);
        }
        let Some(OwnRecords { process, folder }) = self.records.own else { return Ok(()) };
        // A fast stop: it waits for nobody who is connected.
        process.signal(Signal::INT);
        process.end(END);
        fs::remove_dir_all(&folder).map_err(|error| {
            Failure::new(format!("cannot remove {}: {error}; remove it by hand", folder.display()))
        })
    }
}

impl Records {
    fn find(folder: &Path, named: Option<&str>) -> Result<Self, Failure> {
        if let Some(url) = named {
            return Ok(Self { url: url.to_owned(), own: None });
        }
        if let Some(programs) = postgresql() {
            return Self::start(folder, &programs);
        }
        if is_open(5432) {
            let user = env::var("USER").unwrap_or_else(|_| "postgres".to_owned());
            return Ok(Self { url: format!("postgresql://{user}@127.0.0.1:5432/postgres"), own: None });
        }
        Err(missing("PostgreSQL"))
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is the demo's own.
    pub(super) const fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Starts one in a folder of its own, which listens on a socket there and nowhere else.
    fn start(log: &Path, programs: &Path) -> Result<Self, Failure> {
        let user = other_user()?;
        let folder = env::temp_dir().join(random::id("fairgate-demo-", 8)?);
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot make {} for PostgreSQL: {error}", folder.display()))
        };
        DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
        if let Some((user, group)) = user {
            chown(&folder, Some(user), Some(group)).map_err(failed)?;
        }
        let started = start_postgresql(log, programs, &folder, user);
        if started.is_err() {
            let _ = fs::remove_dir_all(&folder);
        }
        let (process, url) = started?;
        Ok(Self { url, own: Some(OwnRecords { process, folder }) })
    }
}

fn start_postgresql(
    log: &Path,
    programs: &Path,
    folder: &Path,
    user: Option<(u32, u32)>,
) -> Result<(Process, String), Failure> {
    let command = |name: &str| {
        let mut command = Command::new(programs.join(name));
        if let Some((user, group)) = user {
            command.uid(user).gid(group);
        }
        command.current_dir("/").env("LC_ALL", "C");
        command
    };
    let data = folder.join("data");
    let mut init = command("initdb");
    init.arg("-D").arg(&data).args(["--no-sync", "--locale=C", "--encoding=UTF8"]);
    init.args(["--username=fairgate", "--auth=trust"]);
    let made = init.output().map_err(|error| Failure::new(format!("cannot run initdb: {error}")))?;
    if !made.status.success() {
        let why = String::from_utf8_lossy(&made.stderr).into_owned();
        return Err(Failure::new(format!("initdb failed: {why}")));
    }
    let mut server = command("postgres");
    server.arg("-D").arg(&data).arg("-k").arg(folder).args(["-c", "listen_addresses=", "-c", "fsync=off"]);
    let mut process = Process::start("records", log, server)?;
    let url = format!("postgresql:///postgres?host={}&user=fairgate", encoded(folder));
    process.wait(START, |_| database::run(&url, "SELECT 1").is_ok())?;
    Ok((process, url))
}

/// A ledger before it is there.
enum Looked {
    Named(String),
    Program(PathBuf),
}

impl Ledger {
    fn look(named: Option<&str>) -> Result<Looked, Failure> {
        if let Some(url) = named {
            return Ok(Looked::Named(url.to_owned()));
        }
        if let Some(program) = ["valkey-server", "redis-server"].into_iter().find_map(program) {
            return Ok(Looked::Program(program));
        }
        if is_open(6379) {
            return Ok(Looked::Named("redis://127.0.0.1:6379".to_owned()));
        }
        Err(missing("Valkey or Redis"))
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is the demo's own, which may be killed.
    pub(super) const fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// What is to be said about it, if anything.
    pub(super) fn look_after(&self) -> Option<String> {
        self.own.as_ref()?.borrow_mut().look_after()
    }

    /// Deletes what a cluster of this prefix has at a server that stays.
    pub(super) fn clear(&self, prefix: &str) -> Result<(), Failure> {
        if self.is_own() || self.url == "postgresql" {
            return Ok(());
        }
        let failed = |why: String| {
            Failure::new(format!(
                "cannot remove what the demo has at the ledger: {why}; its keys begin with {{{prefix}}}:"
            ))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let mut options = ledger::Options::new(std::sync::Arc::new(ledger::Members::default()));
        prefix.clone_into(&mut options.namespace);
        let runtime = runtime.map_err(|error| failed(error.to_string()))?;
        runtime.block_on(ledger::clear(&self.url, options)).map_err(|error| failed(error.to_string()))
    }
}

impl Looked {
    fn begin(self, folder: &Path) -> Result<Ledger, Failure> {
        let program = match self {
            Self::Named(url) => return Ok(Ledger { url, own: None }),
            Self::Program(program) => program,
        };
        let address = free_port(0)?;
        let mut server = Command::new(program);
        server.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
        server.args(["--save", "", "--appendonly", "no", "--dir"]).arg(folder);
        let mut process = Process::start(LEDGER, folder, server)?;
        process.wait(START, |_| TcpStream::connect_timeout(&address, PROBE).is_ok())?;
        Ok(Ledger { url: format!("redis://{address}"), own: Some(RefCell::new(process)) })
    }
}

/// Says what is missing, and what helps.
fn missing(what: &str) -> Failure {
    Failure::new(format!(
        "the demo of several gateways needs PostgreSQL and Valkey or Redis, and found no {what}. On Debian, these two lines install \
         both and start the demo, which starts servers of its own:\n\n    \
         sudo apt-get install --yes postgresql redis-server\n    \
         fairgate demo --nodes 3\n\n\
         Or name servers that run: fairgate demo --nodes 3 --records postgresql://USER:PASSWORD@HOST/DATABASE --ledger redis://HOST:6379"
    ))
}

/// The folder of PostgreSQL's programs, the newest if there are several.
fn postgresql() -> Option<PathBuf> {
    let has_all = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = debian
        .filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin"))))
        .filter(|(_, folder)| has_all(folder))
        .max();
    newest
        .map(|(_, folder)| folder)
        .or_else(|| program("postgres")?.parent().map(Path::to_owned).filter(has_all))
}

fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders =
        env::split_paths(&path).chain(["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn is_open(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PROBE).is_ok()
}

/// Whom PostgreSQL runs as: it refuses to as root. None: as whoever runs the demo.
fn other_user() -> Result<Option<(u32, u32)>, Failure> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0);
    if !is_root {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
        })
    };
    let found = of("postgres").or_else(|| of("nobody"));
    found
        .map(Some)
        .ok_or_else(|| Failure::new("PostgreSQL does not run as root: run the demo as another user"))
}

/// A path as a parameter of a URL.
fn encoded(path: &Path) -> String {
    form_urlencoded::byte_serialize(path.as_os_str().as_encoded_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_the_lines_that_help() {
        let text = missing("PostgreSQL").to_string();
        assert!(text.contains(
            "\n    sudo apt-get install --yes postgresql redis-server\n    fairgate demo --nodes 3\n"
        ));
        assert!(text.contains("--records postgresql://") && text.contains("--ledger redis://"), "{text}");
    }
}
