//! Three nodes around one ledger, with the same keys.

use crate::{
    node::NodeStart,
    support::{Answer, Config, Gateway, Key, Request, gateway::Home},
    valkey_server::{self, Program},
};
use std::{fs, path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

/// Longer than a node waits before it returns unused units, and than a denial lasts.
pub(crate) const A_WHILE: Duration = Duration::from_millis(450);

pub(crate) struct Nodes {
    pub(crate) ledger: valkey_server::Server,
    pub(crate) gateways: Vec<Option<Gateway>>,
    pub(crate) keys: Vec<Key>,
    homes: Vec<Arc<Home>>,
    starts: Vec<NodeStart>,
    _folder: TempDir,
}

impl Nodes {
    /// Three nodes that know a key for each list of options.
    pub(crate) fn start(config: &Config, keys: &[&[&str]]) -> Self {
        Self::start_as(config, keys, |start| start)
    }

    pub(crate) fn start_as(config: &Config, keys: &[&[&str]], how: impl Fn(NodeStart) -> NodeStart) -> Self {
        let ledger = valkey_server::Server::start(Program::Valkey, &[]);
        let folder = tempfile::Builder::new().prefix("fairgate-").tempdir().unwrap();
        let first = folder.path().join("first");
        fs::write(&first, "").unwrap();
        let homes: Vec<_> = (0..3).map(|_| Home::new(config)).collect();
        let keys = keys.iter().map(|options| homes[0].create_key(options)).collect();
        for home in &homes[1..] {
            copy(&homes[0].path("data"), &home.path("data"));
        }
        let start = |number| {
            let (ledger, first) = (ledger.url(), first.clone());
            how(NodeStart { number, start: 1, ledger, goes_on: false, goes_on_without: false, first })
        };
        let starts: Vec<_> = (1..=3).map(start).collect();
        let begin = |(home, start): (&Arc<Home>, &NodeStart)| {
            Some(Gateway::start_by(home, start.command(&home.config())))
        };
        let gateways = homes.iter().zip(&starts).map(begin).collect();
        fs::remove_file(&first).unwrap();
        Self { ledger, gateways, keys, homes, starts, _folder: folder }
    }

    pub(crate) fn node(&self, index: usize) -> &Gateway {
        self.gateways[index % 3].as_ref().unwrap()
    }

    pub(crate) fn send(&self, index: usize, request: &Request) -> Answer {
        self.node(index).send(request)
    }

    /// Makes all nodes load another configuration.
    pub(crate) fn reload(&self, config: &Config) {
        self.homes.iter().for_each(|home| home.configure(config));
        (0..3).for_each(|index| self.node(index).hang_up());
    }

    pub(crate) fn kill(&mut self, index: usize) {
        self.gateways[index].take().unwrap().kill();
    }

    pub(crate) fn stop(&mut self, index: usize) {
        self.gateways[index].take().unwrap().stop();
    }

    pub(crate) fn restart(&mut self, index: usize) {
        let (home, start) = (&self.homes[index], &mut self.starts[index]);
        start.start += 1;
        self.gateways[index] = Some(Gateway::start_by(home, start.command(&home.config())));
    }

    /// Sends requests to nodes by chance until they are denied several times in a row, a while apart. How many
    /// succeeded.
    pub(crate) fn exhaust(&self, request: &Request, most: u64) -> u64 {
        let (mut succeeded, mut denied) = (0, 0);
        while denied < 3 {
            let answer = self.send(fastrand::usize(..3), request);
            match answer.status {
                200 => (succeeded, denied) = (succeeded + 1, 0),
                429 | 503 => {
                    denied += 1;
                    std::thread::park_timeout(A_WHILE);
                }
                status => panic!("{status}: {answer:?}"),
            }
            assert!(succeeded <= most, "more than {most} were admitted");
        }
        succeeded
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, name) = (entry.file_type().unwrap(), entry.file_name());
        if kind.is_dir() {
            copy(&entry.path(), &to.join(name));
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
}
