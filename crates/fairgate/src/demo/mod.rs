//! The demo: a sample API, the gateway in front of it, a key and a curl line for each case.
//!
//! Everything is real and local: two HTTP servers, an embedded store, `fairgate.toml` and the API's
//! document in a temporary folder. A second gateway over the same API is in maintenance, so that this case disturbs no
//! other.

mod cases;
mod cluster;

mod folder;
mod keys;
mod output;
mod sample_api;
mod shell_line;
mod stop;

pub(crate) use cluster::{Wanted as Cluster, run as run_cluster};

use crate::failure::Failure;
use cases::Places;
use config::Config;
use control::{
    serve::{self, Events, Options},
    system_clock,
};
use folder::TemporaryFolder;
use gateway::record::LogSink;
use keys::Keys;
use output::Shown;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::ExitCode,
    sync::mpsc,
    thread,
};
use stop::Stop;
use store::{Embedded, MaintenanceWindow, Records};
use tokio::sync::oneshot;

/// The gateway's port if it is free; the second one takes the next port.
const PORT: u16 = 8080;
/// How often ports are chosen anew.
const ATTEMPTS: u32 = 10;
/// How long the maintenance of the second gateway takes, in seconds: longer than anybody lets the demo run.
const MAINTENANCE: u64 = 7 * 86_400;

/// Runs the demo until a signal ends it.
pub(crate) fn run(as_json: bool) -> Result<ExitCode, Failure> {
    let stop = Stop::on_signals()?;
    let mut attempts = 1;
    loop {
        let ports = [free_port(PORT)?, free_port(PORT + 1)?];
        let folder = TemporaryFolder::make()?;
        let result = run_in(&folder, ports, &stop, as_json);
        // In any case, also after a failure.
        let removed = folder.remove();
        // Between the look for a port and its use another program can be faster, and gone again by now.
        if result.as_ref().is_err_and(Failure::is_of_listening) && attempts < ATTEMPTS {
            attempts += 1;
            continue;
        }
        let code = result?;
        removed?;
        return Ok(code);
    }
}

fn run_in(
    folder: &TemporaryFolder,
    [gateway, in_maintenance]: [SocketAddr; 2],
    stop: &Stop,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let sample_api = sample_api::start()?;
    let places = Places { gateway, in_maintenance, sample_api };
    folder.write("openapi.yaml", include_str!("openapi.yaml"))?;
    let (path, config) =
        configure(folder, "fairgate.toml", include_str!("fairgate.toml"), gateway, sample_api)?;
    let (_, second) =
        configure(folder, "maintenance.toml", include_str!("maintenance.toml"), in_maintenance, sample_api)?;

    let (store, secret) = Embedded::open(&config.node.store.path)?;
    let mut keys = Keys::new(&config, secret);
    let cases = cases::all(places, &mut keys)?;
    keys.save(&store)?;
    drop(store);
    begin_maintenance(&second)?;

    let shown = Shown { places, cases, folder: folder.path().to_owned(), config: path };
    let print = move || if as_json { shown.print_json() } else { shown.print() };
    serve::with_log(config.data_plane.log.format, |log| serve_both(config, second, log, stop, print))
}

/// Runs both gateways until the demo ends. `print` is called once both let requests in.
fn serve_both(
    config: Config,
    second: Config,
    log: &LogSink,
    stop: &Stop,
    print: impl FnOnce() -> io::Result<()>,
) -> Result<ExitCode, Failure> {
    let (opened, on_open) = mpsc::channel();
    // Dropped when the first gateway ends, for whatever reason.
    let (first_runs, first_ended) = oneshot::channel::<()>();
    let (until, its_log) = (stop.clone(), log.clone());
    let second = thread::Builder::new().name("maintenance".into()).spawn(move || {
        serve::run_until(second, Options::default(), &its_log, Events::Requests, || {
            Ok(async move {
                let _ = opened.send(());
                tokio::select! {
                    () = until.wait() => {}
                    _ = first_ended => {}
                }
                Ok("the end of the demo")
            })
        })
    });
    let second = second.map_err(|error| Failure::new(format!("cannot start the second gateway: {error}")))?;
    let first: Result<ExitCode, Failure> = match on_open.recv() {
        Ok(()) => serve::run_until(config, Options::default(), log, Events::Requests, || {
            Ok(async move {
                print()?;
                stop.clone().wait().await;
                Ok("the end of the demo")
            })
        }),
        // It failed before it let requests in: its own result has the reason.
        Err(_) => Ok(ExitCode::FAILURE),
    };
    drop(first_runs);
    let second = second.join().unwrap_or_else(|_| Err(Failure::new("the second gateway panicked")))?;
    let first = first?;
    Ok(if first == ExitCode::SUCCESS { second } else { first })
}

/// Writes a configuration and reads it, as `fairgate serve` would.
fn configure(
    folder: &TemporaryFolder,
    name: &str,
    template: &str,
    listen: SocketAddr,
    sample_api: SocketAddr,
) -> Result<(PathBuf, Config), Failure> {
    let text = template.replace("LISTEN", &listen.to_string()).replace("SAMPLE_API", &sample_api.to_string());
    let path = folder.write(name, &text)?;
    let config = config::load(&path, config::Extent::Everything)?;
    Ok((path, config))
}

fn begin_maintenance(config: &Config) -> Result<(), Failure> {
    let (store, _) = Embedded::open(&config.node.store.path)?;
    let now = system_clock();
    let window = MaintenanceWindow {
        id: "mnt_demo".into(),
        message: "We move to a larger disk.".into(),
        from: now,
        until: Some(now + MAINTENANCE),
        pass: Vec::new(),
        endpoints: Vec::new(),
        created_at: now,
    };
    store::wait(store.put_maintenance(window, "fairgate demo"))?;
    Ok(())
}

/// This port of 127.0.0.1 if it is free, otherwise any free one.
fn free_port(wanted: u16) -> Result<SocketAddr, Failure> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|taken| taken.local_addr());
    bind(wanted).or_else(|_| bind(0)).map_err(|error| {
        Failure::new(format!(
            "no port of 127.0.0.1 can be listened on, neither {wanted} nor any other: {error}"
        ))
    })
}
