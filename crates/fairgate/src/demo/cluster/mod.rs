//! The demo of a cluster: several gateways in front of one sample API that share one limit, as processes that can be killed.
//!
//! Unless servers are named, PostgreSQL and Valkey (or Redis) are started for the demo alone, in temporary folders: nothing of
//! anybody else is touched, and the ledger can be killed. At servers that are named, the demo has a database and keys of its
//! own, which it removes at its end.

mod database;
mod lines;
mod nodes;
mod process;
mod servers;
mod show;

use super::{ATTEMPTS, folder::TemporaryFolder, free_port, keys::Keys, sample_api, stop::Stop};
use crate::failure::Failure;
use config::Config;
use database::Database;
use lines::Line;
use nodes::Nodes;
use records::{Shared, Target};
use servers::{Ledger, Servers};
use show::Shown;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use store::{Secret, random};

/// Where the first gateway listens if nobody else does; the others take the next ports.
const PORT: u16 = 8081;
const SECRET_FILE: &str = "cluster.secret";
const NAMES: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];

/// What is asked for.
pub(crate) struct Wanted {
    /// How many gateways, 2 to 9.
    pub(crate) nodes: usize,
    /// The URL of a PostgreSQL server.
    pub(crate) records: Option<String>,
    /// The URL of a Valkey or Redis server, or `postgresql`.
    pub(crate) ledger: Option<String>,
    pub(crate) as_json: bool,
}

/// One gateway.
struct Node {
    name: &'static str,
    address: SocketAddr,
    config: PathBuf,
}

/// Runs the demo until a signal ends it.
pub(crate) fn run(wanted: &Wanted) -> Result<ExitCode, Failure> {
    let stop = Stop::on_signals()?;
    let mut attempts = 1;
    loop {
        let folder = TemporaryFolder::make()?;
        let done = run_in(&folder, wanted, &stop);
        // In any case, also after a failure.
        let removed = folder.remove();
        // Between the look for a port and its use another program can be faster.
        if done.as_ref().is_err_and(Failure::is_of_listening) && attempts < ATTEMPTS {
            attempts += 1;
            continue;
        }
        return done.and(removed).map(|()| ExitCode::SUCCESS);
    }
}

fn run_in(folder: &TemporaryFolder, wanted: &Wanted, stop: &Stop) -> Result<(), Failure> {
    let servers = Servers::find(folder.path(), wanted.records.as_deref(), wanted.ledger.as_deref())?;
    let done = run_over(folder, wanted, stop, &servers);
    let ended = servers.end();
    done.and(ended)
}

fn run_over(
    folder: &TemporaryFolder,
    wanted: &Wanted,
    stop: &Stop,
    servers: &Servers,
) -> Result<(), Failure> {
    // Databases are named in small letters.
    let name = random::id("fairgate_demo_", 10)?.to_ascii_lowercase();
    let database = Database::create(servers.records.url(), name)?;
    let done = serve(folder, wanted, stop, servers, &database);
    // The gateways have ended: nobody writes any more.
    let cleared = servers.ledger.clear(database.name());
    // A server of the demo goes with all that is in it.
    let removed = if servers.records.is_own() { Ok(()) } else { database.remove() };
    done.and(cleared).and(removed)
}

fn serve(
    folder: &TemporaryFolder,
    wanted: &Wanted,
    stop: &Stop,
    servers: &Servers,
    database: &Database,
) -> Result<(), Failure> {
    let sample_api = sample_api::start()?;
    let nodes = configure(folder, wanted.nodes, sample_api, &servers.ledger, database)?;
    let lines = make_lines(folder, &nodes, servers, database)?;
    let mut running = Nodes::start(folder.path(), &nodes)?;
    let (lines, name) = (lines.as_slice(), database.name());
    let shown = Shown { nodes: &nodes, lines, servers, name, folder: folder.path() };
    let printed = if wanted.as_json { shown.print_json() } else { shown.print() };
    if printed.is_ok() {
        running.watch(servers, stop);
    }
    running.end();
    Ok(printed?)
}

/// Writes the configuration of each gateway.
fn configure(
    folder: &TemporaryFolder,
    count: usize,
    sample_api: SocketAddr,
    ledger: &Ledger,
    database: &Database,
) -> Result<Vec<Node>, Failure> {
    let one = |(name, port): (&&'static str, u16)| {
        let address = free_port(port)?;
        let text = include_str!("../cluster.toml")
            .replace("NODE", name)
            .replace("LISTEN", &address.to_string())
            .replace("SAMPLE_API", &sample_api.to_string())
            .replace("PREFIX", database.name())
            .replace("RECORDS", database.url())
            .replace("LEDGER", ledger.url());
        let config = folder.write(&format!("{name}.toml"), &text)?;
        Ok(Node { name, address, config })
    };
    NAMES.iter().zip(PORT..).take(count).map(one).collect()
}

/// Makes the tables and the keys, and a line for each thing that can be seen.
fn make_lines(
    folder: &TemporaryFolder,
    nodes: &[Node],
    servers: &Servers,
    database: &Database,
) -> Result<Vec<Line>, Failure> {
    let target = Target::parse(database.url()).map_err(|error| Failure::new(error.to_string()))?;
    let shared = Shared::new(target)?;
    let file = folder.path().join(SECRET_FILE);
    let secret = Secret::create(&file)?;
    store::wait(shared.init(&secret, &file))?;
    let first = nodes.first().ok_or_else(|| Failure::new("a cluster needs a gateway"))?;
    let config: Config = config::load(&first.config, config::Extent::Everything)?;
    let mut keys = Keys::new(&config, secret);
    let lines = lines::all(nodes, servers.ledger.is_own(), folder.path(), &mut keys)?;
    keys.import(&shared)?;
    Ok(lines)
}
