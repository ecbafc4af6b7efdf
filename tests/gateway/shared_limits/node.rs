//! A node: this test program, started as a process of its own, which runs the gateway as a member of a cluster.

use control::serve::{self, LedgerLost, Options, Sharing};
use lease::Unreachable;
use ledger::{MemberList, Members, Pending};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

/// The settings of a node in its environment.
const VARIABLES: [&str; 7] = ["CONFIG", "NUMBER", "START", "LEDGER", "UNREACHABLE", "LEDGER_LOST", "FIRST"];

/// How a node starts.
#[derive(Debug, Clone)]
pub(crate) struct NodeStart {
    pub(crate) number: u32,
    pub(crate) start: u32,
    pub(crate) ledger: String,
    pub(crate) goes_on: bool,
    /// Continues without members that do not report their totals within a second.
    pub(crate) goes_on_without: bool,
    /// As long as this file is there, no node ever had a ledger.
    pub(crate) first: PathBuf,
}

impl NodeStart {
    /// The process of this node, with this configuration.
    pub(crate) fn command(&self, config: &Path) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "node::node", "--nocapture", "--test-threads=1"]);
        let values = [
            config.display().to_string(),
            self.number.to_string(),
            self.start.to_string(),
            self.ledger.clone(),
            self.goes_on.to_string(),
            self.goes_on_without.to_string(),
            self.first.display().to_string(),
        ];
        command.envs(VARIABLES.iter().map(|name| format!("NODE_{name}")).zip(values));
        command
    }
}

struct ThreeMembers(PathBuf);

impl MemberList for ThreeMembers {
    fn members(&self) -> Pending<'_, Members> {
        let is_first = self.0.exists();
        let members = Members { present: vec![1, 2, 3], removed: Vec::new(), is_first };
        Box::pin(std::future::ready(Ok(members)))
    }
}

#[test]
#[ignore = "a node that the other tests start as a process of its own"]
fn node() {
    let [config, number, start, ledger, goes_on, goes_on_without, first] =
        VARIABLES.map(|name| std::env::var(format!("NODE_{name}")).unwrap());
    let config = config::load(Path::new(&config), config::Extent::Everything).unwrap();
    let members = Arc::new(ThreeMembers(first.into()));
    let sharing = Sharing {
        node: number.parse().unwrap(),
        start: start.parse().unwrap(),
        ledger,
        options: ledger::Options::new(members),
        members: None,
        unreachable: if goes_on == "true" { Unreachable::GoOn } else { Unreachable::Deny },
        ledger_lost: if goes_on_without == "true" {
            LedgerLost::GoOn(Duration::from_secs(1))
        } else {
            LedgerLost::Wait
        },
    };
    match serve::run_as(config, Some(sharing), Options::default()) {
        Ok(_) => std::process::exit(0),
        Err(failure) => panic!("{failure}"),
    }
}
