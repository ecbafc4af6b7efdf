//! The gateways of the demo: processes as an operator starts them.

use super::{
    Node,
    process::{Process, pause},
    servers::Servers,
};
use crate::{demo::stop::Stop, failure::Failure};
use rustix::process::Signal;
use std::{path::Path, process::Command, time::Duration};

const START: Duration = Duration::from_secs(30);
const END: Duration = Duration::from_secs(5);

/// All gateways.
pub(super) struct Nodes(Vec<Process>);

impl Nodes {
    /// Starts all. The first one alone, so that it begins the ledger.
    pub(super) fn start(folder: &Path, nodes: &[Node]) -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::new(format!("cannot find this program again: {error}")))?;
        let mut all = Self(Vec::new());
        for (at, node) in nodes.iter().enumerate() {
            let mut command = Command::new(&program);
            command.arg("serve").arg("--config").arg(&node.config).env_remove("FAIRGATE_CONFIG");
            let mut process = Process::start(node.name, folder, command)?;
            if at == 0 {
                process.wait(START, listens)?;
            }
            all.0.push(process);
        }
        for process in &mut all.0 {
            process.wait(START, listens)?;
        }
        Ok(all)
    }

    /// Starts again what ends, and says so, until the demo ends.
    pub(super) fn watch(&mut self, servers: &Servers, stop: &Stop) {
        while !stop.has_come() {
            let each = self.0.iter_mut().filter_map(Process::look_after);
            for text in each.chain(servers.ledger.look_after()) {
                eprintln!("{text}");
            }
            pause();
        }
    }

    /// Ends all in order: each gives back what it holds.
    pub(super) fn end(self) {
        self.0.iter().for_each(|process| process.signal(Signal::TERM));
        self.0.into_iter().for_each(|process| process.end(END));
    }
}

fn listens(process: &Process) -> bool {
    process.log().contains("\"listening\"")
}
