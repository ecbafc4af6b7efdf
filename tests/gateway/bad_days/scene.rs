//! Three gateways, PostgreSQL and a ledger, each on a machine of its own, and what clients and the upstream saw of them.

use crate::{
    network::{Machine, Network, TEST, run},
    server::Server,
    support::{
        Answer, Config, Connection, Gateway, Key, Upstream, assert_error, eventually, gateway::Home, get,
        sample::sample,
    },
    valkey_server::{self, Program},
};
use std::{
    cell::RefCell,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Longer than a node waits before it gives back what nobody asks for, and than a denial stands.
pub(crate) const A_WHILE: Duration = Duration::from_millis(450);
/// What all but the last request of a key are for.
const ITEM: &str = "/items/7";
const FAULT: &str = "/status/404";

/// So many requests each client sends at least, however busy the machine is.
const FEWEST: usize = 18;

/// What keeps the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Valkey,
    Redis,
    /// In the database of the records.
    Records,
}

/// From the URL of a server to the one that gateways are given.
type Between = Box<dyn Fn(&str) -> String>;

/// How the scene is set.
pub(crate) struct Setup {
    pub(crate) limits: &'static [&'static str],
    /// Of the limit that is used up in the end.
    pub(crate) amount: u64,
    pub(crate) kept: Kept,
    /// Settings of Valkey or Redis.
    pub(crate) ledger: &'static [&'static str],
    /// Settings of PostgreSQL.
    pub(crate) records: &'static [(&'static str, &'static str)],
    /// More lines of the table `[cluster]`.
    pub(crate) cluster: &'static str,
    /// Lines of the table `[store]`.
    pub(crate) store: &'static str,
    /// What is put between: from the URL of the ledger or of the records to the one that gateways are given.
    pub(crate) ledger_url: Option<Between>,
    pub(crate) records_url: Option<Between>,
    /// What is done at PostgreSQL before there are tables.
    pub(crate) prepare: Option<fn(&Server)>,
    /// The environment of the first gateway.
    pub(crate) environment: Vec<(String, String)>,
    /// The store of the first gateway is on a disk of its own.
    pub(crate) has_small_disk: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: &["300 per month"],
            amount: 300,
            kept: Kept::Valkey,
            ledger: &[],
            records: &[],
            cluster: "",
            store: "flush_interval = \"50ms\"",
            ledger_url: None,
            records_url: None,
            prepare: None,
            environment: Vec::new(),
            has_small_disk: false,
        }
    }
}

pub(crate) struct Scene {
    pub(crate) machines: Vec<Machine>,
    pub(crate) records_machine: Machine,
    pub(crate) ledger_machine: Machine,
    pub(crate) records: RefCell<Server>,
    pub(crate) ledger: RefCell<Option<valkey_server::Server>>,
    pub(crate) homes: Vec<Arc<Home>>,
    pub(crate) gateways: RefCell<Vec<Option<Gateway>>>,
    pub(crate) key: Key,
    amount: u64,
    upstream: Upstream,
    succeeded: AtomicU64,
}

impl Scene {
    pub(crate) fn start(network: &Network) -> Self {
        Self::set(network, Setup::default())
    }

    pub(crate) fn set(network: &Network, setup: Setup) -> Self {
        let machines = vec![network.machine("a", 1), network.machine("b", 2), network.machine("c", 3)];
        let ledger_machine = network.machine("ledger", 10);
        let records_machine = network.machine("records", 20);
        let program = match setup.kept {
            Kept::Valkey => Some(Program::Valkey),
            Kept::Redis => Some(Program::Redis),
            Kept::Records => None,
        };
        let ledger = program.map(|program| {
            let (name, address) = (ledger_machine.name, ledger_machine.address());
            valkey_server::Server::start_within(program, name, &address, setup.ledger)
        });
        let records = Server::start_within(records_machine.name, &records_machine.address(), setup.records);
        let upstream = Upstream::scripted_at((TEST.parse::<std::net::IpAddr>().unwrap(), 0).into(), sample);
        let records_url = setup.records_url.as_ref().map_or_else(|| records.url(), |to| to(&records.url()));
        let ledger_url = ledger.as_ref().map_or_else(|| "postgresql".to_owned(), valkey_server::Server::url);
        let ledger_url = setup.ledger_url.as_ref().map_or_else(|| ledger_url.clone(), |to| to(&ledger_url));
        let config = |machine: &Machine| {
            let table = format!(
                "[cluster]\nrecords = \"{records_url}\"\nledger = \"{ledger_url}\"\nnode = \"{}\"\n{}",
                machine.name, setup.cluster
            );
            listening(&Config::of(&upstream), *machine)
                .endpoint("GET", "/items/{id}", "")
                .endpoint("GET", "/status/{status}", "")
                .plan("free", setup.limits)
                .store(setup.store)
                .section(&table)
        };
        let homes: Vec<_> = machines
            .iter()
            .enumerate()
            .map(|(index, machine)| {
                let environment = if index == 0 { setup.environment.clone() } else { Vec::new() };
                Home::within(&config(machine), environment, Some(machine.name.to_owned()))
            })
            .collect();
        if setup.has_small_disk {
            let data = homes[0].path("data");
            fs::create_dir(&data).unwrap();
            run("mount", &["-t", "tmpfs", "-o", "size=16m,mode=700", "none", data.to_str().unwrap()]);
        }
        if let Some(prepare) = setup.prepare {
            prepare(&records);
        }
        homes[0].run_well(&["cluster", "init"]);
        for home in &homes[1..] {
            fs::copy(homes[0].path("cluster.secret"), home.path("cluster.secret")).unwrap();
        }
        let key = homes[0].create_key(&["--plan", "free", "--permission", "items:read"]);
        let scene = Self {
            machines,
            records_machine,
            ledger_machine,
            records: RefCell::new(records),
            ledger: RefCell::new(ledger),
            gateways: RefCell::new(homes.iter().map(|_| None).collect()),
            homes,
            key,
            amount: setup.amount,
            upstream,
            succeeded: AtomicU64::new(0),
        };
        // The first one to come begins the ledger.
        scene.start_node(0);
        let started = thread::scope(|scope| {
            let start = |home| scope.spawn(move || Gateway::start_in(home));
            let running: Vec<_> = scene.homes[1..].iter().map(start).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        for (index, gateway) in started.into_iter().enumerate() {
            scene.gateways.borrow_mut()[index + 1] = Some(gateway);
        }
        scene
    }

    pub(crate) fn start_node(&self, index: usize) {
        let gateway = Gateway::start_in(&self.homes[index]);
        self.gateways.borrow_mut()[index] = Some(gateway);
    }

    pub(crate) fn take_node(&self, index: usize) -> Gateway {
        self.gateways.borrow_mut()[index].take().unwrap()
    }

    pub(crate) fn with_node<T>(&self, index: usize, ask: impl FnOnce(&Gateway) -> T) -> T {
        ask(self.gateways.borrow()[index].as_ref().unwrap())
    }

    pub(crate) fn ledger(&self) -> std::cell::RefMut<'_, valkey_server::Server> {
        std::cell::RefMut::map(self.ledger.borrow_mut(), |ledger| ledger.as_mut().unwrap())
    }

    // === what clients do ===

    /// A request that succeeds if it is let in. Whatever comes is what the contract says.
    #[track_caller]
    pub(crate) fn send(&self, index: usize) -> Answer {
        self.with_node(index, |gateway| {
            let answer = gateway.send(&get(ITEM).key(&self.key));
            self.note(gateway, &answer);
            answer
        })
    }

    #[track_caller]
    fn note(&self, gateway: &Gateway, answer: &Answer) {
        match answer.status {
            200 => _ = self.succeeded.fetch_add(1, Ordering::SeqCst),
            404 => {}
            429 => assert_error(gateway, answer, 429, "API_LIMIT_EXCEEDED"),
            503 => {
                assert_error(gateway, answer, 503, "UNAVAILABLE");
                assert!(answer.number("Retry-After") >= 1, "{answer:?}");
            }
            status => panic!("{status}: {answer:?}"),
        }
    }

    /// Requests to these nodes side by side, a third of which fail at the upstream and are free. How many were answered
    /// 200, 404, 429 and 503.
    #[track_caller]
    pub(crate) fn load(&self, nodes: &[usize], time: Duration) -> [u64; 4] {
        let gateways = self.gateways.borrow();
        let before = self.succeeded.load(Ordering::SeqCst);
        let until = Instant::now() + time;
        let key = &self.key;
        let ask = &|address| {
            let (mut connection, mut answers) = (Connection::open(address), Vec::new());
            while Instant::now() < until || answers.len() < FEWEST {
                let target = if answers.len() % 3 == 2 { FAULT } else { ITEM };
                answers.push(connection.send(&get(target).key(key)));
                thread::park_timeout(Duration::from_millis(12));
            }
            answers
        };
        let of = |index: &usize| gateways[*index].as_ref().unwrap();
        let addresses: Vec<_> = nodes.iter().map(|index| of(index).address).collect();
        let each: Vec<Vec<Answer>> = thread::scope(|scope| {
            let running: Vec<_> =
                addresses.into_iter().map(|address| scope.spawn(move || ask(address))).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut counted = [0; 4];
        let each = nodes.iter().zip(&each).flat_map(|(index, all)| all.iter().map(move |one| (index, one)));
        for (index, answer) in each {
            self.note(of(index), answer);
            let place = [200, 404, 429, 503].iter().position(|status| *status == answer.status);
            counted[place.unwrap()] += 1;
        }
        assert_eq!(self.succeeded.load(Ordering::SeqCst) - before, counted[0]);
        counted
    }

    /// Waits until a node refuses what it cannot decide, and looks at how. How many succeeded before.
    #[track_caller]
    pub(crate) fn until_undecided(&self, index: usize) -> u64 {
        let mut succeeded = 0;
        eventually("requests that cannot be decided are refused", || {
            let answer = self.send(index);
            succeeded += u64::from(answer.status == 200);
            (answer.status == 503).then(|| assert_eq!(answer.header("Retry-After"), Some("1"), "{answer:?}"))
        });
        succeeded
    }

    /// Waits until a node refuses what it cannot write down.
    #[track_caller]
    pub(crate) fn until_refused(&self, index: usize) {
        eventually("requests are refused", || {
            // Slower than the charges are written, so that few units are used until then.
            thread::park_timeout(Duration::from_millis(40));
            (self.send(index).status == 503).then_some(())
        });
    }

    /// Waits until a node lets requests in.
    #[track_caller]
    pub(crate) fn until_admitted(&self, index: usize) {
        eventually("requests are let in again", || (self.send(index).status == 200).then_some(()));
    }

    // === what must be so in the end ===

    /// Sends requests by chance until all are denied several times in a row, a while apart. All that clients ever received is
    /// exactly the limit, the upstream saw no more, and every node says so.
    #[track_caller]
    pub(crate) fn is_admitted_exactly(&self) {
        let (mut denied, until) = (0, Instant::now() + Duration::from_secs(30));
        while denied < 6 {
            let status = self.send(fastrand::usize(..3)).status;
            match status {
                429 => {
                    denied += 1;
                    thread::park_timeout(A_WHILE / 2);
                }
                503 => {
                    assert!(Instant::now() < until, "it does not heal: {}", self.logs());
                    thread::park_timeout(Duration::from_millis(100));
                }
                _ => denied = 0,
            }
            let succeeded = self.succeeded.load(Ordering::SeqCst);
            assert!(succeeded <= self.amount, "{succeeded} of {}: {}", self.amount, self.logs());
        }
        let succeeded = self.succeeded.load(Ordering::SeqCst);
        assert_eq!(succeeded, self.amount, "what clients received: {}", self.logs());
        assert_eq!(self.upstream.count_of(ITEM), self.amount, "what the upstream answered");
        for index in 0..3 {
            // What other nodes gave back is known with the ledger's next word.
            let is_known = || self.with_node(index, |gateway| gateway.used(&self.key)) == self.amount;
            eventually(&format!("node {index} reports what was used"), || is_known().then_some(()));
        }
    }

    /// So many succeeded in all, as clients saw it.
    pub(crate) fn succeeded(&self) -> u64 {
        self.succeeded.load(Ordering::SeqCst)
    }

    // === what operators are told ===

    /// Waits for an event in the log of a node, whose line has this in it.
    #[track_caller]
    pub(crate) fn logs_event(&self, index: usize, event: &str, cause: &str) {
        eventually(&format!("node {index} logs {event:?} and {cause:?}"), || {
            let log = self.with_node(index, Gateway::log);
            let quoted = format!("\"event\":\"{event}\"");
            log.lines().any(|line| line.contains(&quoted) && line.contains(cause)).then_some(())
        });
    }

    /// Waits until `fairgate cluster status` at a node names this.
    #[track_caller]
    pub(crate) fn status_names(&self, index: usize, cause: &str) -> String {
        let mut last = String::new();
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            let said = self.homes[index].run(&["cluster", "status"]);
            if said.out.contains(cause) {
                return said.out;
            }
            last = format!("{said:?}");
            thread::park_timeout(Duration::from_millis(50));
        }
        panic!("`fairgate cluster status` does not name {cause:?}: {last}\n{}", self.logs());
    }

    /// What all nodes have logged beside requests.
    pub(crate) fn logs(&self) -> String {
        let gateways = self.gateways.borrow();
        let lines = gateways.iter().flatten().map(|gateway| {
            let log = gateway.log();
            let lines: Vec<&str> =
                log.lines().filter(|line| !line.contains("\"event\":\"request\"")).collect();
            lines.join("\n")
        });
        lines.collect::<Vec<_>>().join("\n---\n")
    }
}

/// It listens at its machine's address.
fn listening(config: &Config, machine: Machine) -> Config {
    let address = machine.address();
    let config = config.clone().listen(&format!("address = \"{address}:0\"\nthreads = 1\n"));
    if !config.is_over_tls() {
        return config;
    }
    config.section(&format!(
        "[tls]\naddress = \"{address}:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\n"
    ))
}
