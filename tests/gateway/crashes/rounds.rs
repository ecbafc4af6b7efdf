//! Rounds of load, kill and restart on one folder; after each the counters are compared with the ledger.

use crate::{
    clients::{Client, Due, Protocol, Received, Seen},
    deeds::{ENDPOINTS, Stage},
    ledger::Page,
    support::{Config, Gateway, Key, gateway::Home, limits::Limits},
    totals::Totals,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const CLIENTS: usize = 8;
/// Successes that a round sees at least before its kill, however slow the machine is.
const LEAST: std::ops::Range<u64> = 70..160;
/// A round that takes longer is killed all the same: then something is stuck.
const LONGEST: Duration = Duration::from_secs(30);

/// A plan and its limits: one that no key reaches, and two that are used up within a round, each by
/// another of its limits.
const PLANS: [(&str, [&str; 2]); 3] = [
    ("large", ["100000000 per day", "200000000 in all"]),
    ("day", ["12 per day", "500 in all"]),
    ("life", ["500 per day", "12 in all"]),
];
/// Keys of the first plan, which live through all rounds. Each round has a new one of each other plan.
pub(crate) const LARGE_KEYS: usize = 3;

/// The parameters of a run.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) rounds: usize,
    pub(crate) seed: u64,
    /// Further lines of `[store]`.
    pub(crate) store: String,
    /// How long a round's load lasts at most, in milliseconds, on a machine that is quick enough to see something
    /// within it.
    pub(crate) longest: u64,
    /// Shared memory is gone after each kill, as after a power cut; what was charged within this time before
    /// it may be missing.
    pub(crate) power_cut: Option<Duration>,
    /// Clients use HTTPS.
    pub(crate) over_tls: bool,
    pub(crate) protocol: Protocol,
}

impl Setting {
    /// So many rounds, or as many as the environment sets.
    pub(crate) fn new(rounds: usize) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self {
            rounds: number("FAIRGATE_CRASH_ROUNDS").map_or(rounds, |rounds| rounds.try_into().unwrap()),
            seed: number("FAIRGATE_CRASH_SEED").unwrap_or_else(now),
            store: "flush_interval = \"1s\"".to_owned(),
            longest: 1_000,
            power_cut: None,
            over_tls: false,
            protocol: Protocol::Http1,
        }
    }

    fn config(&self, stage: &Stage) -> Config {
        let mut config = Config::of(&stage.upstream)
            .store(&self.store)
            .section("[timeouts]\nfirst_byte = \"400ms\"\nstall = \"3s\"");
        if self.over_tls {
            config = config.over_tls();
        }
        for (name, limits) in PLANS {
            config = config.plan(name, &limits);
        }
        for (method, path, more) in ENDPOINTS {
            config = config.endpoint(method, path, more);
        }
        config
    }
}

/// Runs all rounds, and returns their totals.
pub(crate) fn run(setting: &Setting) -> Totals {
    eprintln!("seed {}", setting.seed);
    let mut run = Run::new(setting);
    for round in 0..setting.rounds {
        run.round(round);
    }
    run.last_look();
    run.totals
}

struct Run<'s> {
    setting: &'s Setting,
    random: fastrand::Rng,
    home: Arc<Home>,
    /// Every key used so far, with its page of the ledger.
    pages: Vec<(Key, Page)>,
    /// Units of each key that may be missing at the next comparison.
    lost: Vec<u64>,
    totals: Totals,
}

impl<'s> Run<'s> {
    fn new(setting: &'s Setting) -> Self {
        let home = Home::new(&setting.config(&Stage::new()));
        let counts = [LARGE_KEYS, setting.rounds, setting.rounds];
        for ((plan, _), count) in PLANS.iter().zip(counts) {
            let names: Vec<String> = (0..count).map(|place| name(plan, place)).collect();
            let file = home.path(&format!("{plan}.txt"));
            std::fs::write(&file, names.join("\n")).unwrap();
            home.run_well(&["keys", "import", file.to_str().unwrap(), "--plan", plan]);
        }
        let mut run = Self {
            setting,
            random: fastrand::Rng::with_seed(setting.seed),
            home,
            pages: Vec::new(),
            lost: Vec::new(),
            totals: Totals { seed: setting.seed, ..Totals::default() },
        };
        for place in 0..LARGE_KEYS {
            run.open_page(0, place);
        }
        run
    }

    fn open_page(&mut self, plan: usize, place: usize) {
        let (plan, limits) = &PLANS[plan];
        self.pages.push((Key { key: name(plan, place), id: String::new() }, Page::new(limits)));
        self.lost.push(0);
    }

    /// Load, a kill at a random moment, and an evaluation of the log.
    fn round(&mut self, round: usize) {
        let stage = Stage::new();
        let gateway = self.start(&stage);
        self.look(&gateway);
        self.open_page(1, round);
        self.open_page(2, round);
        // The keys of this round and of the one before it.
        let small = LARGE_KEYS + 2 * round.saturating_sub(1);
        let places = (0..LARGE_KEYS).chain(small..self.pages.len());
        let keys: Vec<(usize, Key)> = places.map(|place| (place, self.pages[place].0.clone())).collect();
        let due = Due {
            at: Instant::now() + Duration::from_millis(self.random.u64(50..self.setting.longest)),
            least: self.random.u64(LEAST),
            received: AtomicU64::new(0),
        };
        let killed = AtomicBool::new(false);
        // Every second kill comes at any moment, the others right after the last byte of a success.
        let is_aimed = round % 2 == 1;
        let address = gateway.address;
        let victim = Mutex::new(gateway);
        let (killed_at, results) = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|number| Client {
                    name: format!("r{round}-c{number}"),
                    address,
                    keys: &keys,
                    random: self.random.fork(),
                    due: &due,
                    killed: &killed,
                    victim: is_aimed.then_some(&victim),
                    protocol: self.setting.protocol,
                    seen: Seen::default(),
                    received: Vec::new(),
                })
                .map(|client| scope.spawn(|| client.run()))
                .collect();
            wait_for_the_kill(&due, &killed, is_aimed);
            killed.store(true, Ordering::SeqCst);
            let killed_at = Instant::now();
            victim.lock().unwrap().strike();
            (killed_at, clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>())
        });
        let (_, log) = victim.into_inner().unwrap().kill_for_log();
        self.totals.aimed += u64::from(is_aimed);
        self.totals.kills += 1;
        self.totals.sent += stage.delivered.load(Ordering::SeqCst);
        let log = log.join("\n");
        for (seen, received) in results {
            self.totals.seen.add(seen);
            for one in received {
                self.enter(one, &log, killed_at);
            }
        }
        if self.setting.power_cut.is_some() {
            for entry in std::fs::read_dir(self.home.memory()).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
    }

    /// Enters a success into the ledger.
    fn enter(&mut self, one: Received, log: &str, killed_at: Instant) {
        let page = &mut self.pages[one.key].1;
        // A client that left was charged if the gateway lived to notice; a line of the log is the proof.
        let is_settled =
            one.left.as_ref().is_none_or(|id| log.lines().any(|line| is_charged(line, id, one.units)));
        if is_settled {
            page.deliver(one.units);
        } else {
            page.leave(one.units);
            self.totals.seen.unknown += 1;
        }
        if self.setting.power_cut.is_some_and(|interval| one.at + interval > killed_at) {
            self.lost[one.key] += one.units;
        }
    }

    fn start(&mut self, stage: &Stage) -> Gateway {
        self.home.configure(&self.setting.config(stage));
        let gateway = Gateway::start_in(&self.home);
        self.totals.restored += restored(&gateway.log());
        gateway
    }

    /// Compares the counters of all keys with the ledger.
    fn look(&mut self, gateway: &Gateway) {
        let mut connection = gateway.connect();
        for ((key, page), lost) in self.pages.iter_mut().zip(&mut self.lost) {
            let limits = Limits::ask(&mut connection, key);
            self.totals.verdict.add(page.compare(&limits.all, *lost));
            *lost = 0;
        }
    }

    /// After the last kill; and once more after an end in order, which must change nothing.
    fn last_look(&mut self) {
        let stage = Stage::new();
        let gateway = self.start(&stage);
        self.look(&gateway);
        gateway.stop();
        let gateway = self.start(&stage);
        self.look(&gateway);
    }
}

/// Waits until a client has made an aimed kill, or any other one is due.
fn wait_for_the_kill(due: &Due, killed: &AtomicBool, is_aimed: bool) {
    let mut latest = due.at + LONGEST;
    let mut has_come = false;
    while !killed.load(Ordering::SeqCst) && Instant::now() < latest {
        if !has_come && due.has_come() {
            has_come = true;
            // An aimed kill that finds no success within two seconds comes after all.
            latest = Instant::now() + Duration::from_secs(if is_aimed { 2 } else { 0 });
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

fn name(plan: &str, place: usize) -> String {
    format!("crash-{plan}-{place:06}")
}

fn is_charged(line: &str, id: &str, units: u64) -> bool {
    line.contains(id)
        && serde_json::from_str::<serde_json::Value>(line)
            .is_ok_and(|line| line["request_id"] == id && line["charged"] == units)
}

/// How many charges came back from shared memory, by the log.
fn restored(log: &str) -> u64 {
    let findings = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let counts = findings.filter_map(|line| {
        let count = line["finding"].as_str()?.strip_suffix(" charges came back from shared memory.")?;
        count.parse::<u64>().ok()
    });
    counts.sum()
}
