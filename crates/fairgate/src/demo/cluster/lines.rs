//! The lines that the demo of a cluster prints: what each one shows, and the answers that it gets.
//!
//! Each works in any order and as often as one likes, but for those of a limit of ten, which begins anew with each minute.

use super::{Node, process::Process, servers};
use crate::{
    demo::{keys::Keys, shell_line::ShellLine},
    failure::Failure,
};
use std::path::Path;

/// Units that the limit of the plan `ten` grants.
const LIMIT: usize = 10;

/// One line.
pub(super) struct Line {
    pub(super) name: &'static str,
    /// One sentence for people.
    pub(super) shows: &'static str,
    pub(super) command: ShellLine,
    /// Statuses, and how many answers have them.
    pub(super) answers: Vec<(u16, usize)>,
    /// A part of what is printed.
    pub(super) prints: &'static str,
}

/// What lines are made of.
struct Making<'m> {
    nodes: &'m [Node],
    folder: &'m Path,
    /// Requests to each gateway, so that there are more than the limit grants.
    each: usize,
}

/// All lines, in the order in which they are best tried.
pub(super) fn all(
    nodes: &[Node],
    is_ledger_own: bool,
    folder: &Path,
    keys: &mut Keys<'_>,
) -> Result<Vec<Line>, Failure> {
    let making = Making { nodes, folder, each: LIMIT / nodes.len() + 1 };
    let mut lines = vec![
        making.one_limit(&keys.of_plan("one-limit", "ten")?),
        making.errors_are_free(&keys.of_plan("errors-are-free", "ten")?),
        making.maintenance(&keys.of_plan("maintenance", "many")?),
        making.status(),
        making.node_killed(&keys.of_plan("node-killed", "ten")?),
    ];
    if is_ledger_own {
        lines.push(making.ledger_killed(&keys.of_plan("ledger-killed", "many")?));
    }
    Ok(lines)
}

impl Making<'_> {
    fn one_limit(&self, key: &str) -> Line {
        let sent = self.each * self.nodes.len();
        Line {
            name: "one-limit",
            shows: "A limit of 10 a minute, and more requests than that over all gateways: ten pass.",
            command: requests(self.nodes, &format!("/items/[1-{}]", self.each), key),
            answers: vec![(200, LIMIT), (429, sent - LIMIT)],
            prints: "200 0 left",
        }
    }

    fn errors_are_free(&self, key: &str) -> Line {
        Line {
            name: "errors-are-free",
            shows: "The API fails behind each gateway: nothing is charged at any of them.",
            command: requests(self.nodes, "/fail/crash", key),
            answers: vec![(500, self.nodes.len())],
            prints: "500 10 left",
        }
    }

    fn maintenance(&self, key: &str) -> Line {
        let command = at(self.nodes.get(1), "maintenance on --for 1m")
            .raw("&& sleep 1 &&")
            .then(requests(self.nodes, "/items/7", key))
            .raw("&&")
            .then(at(self.nodes.first(), "maintenance off"))
            .raw("&& sleep 1");
        Line {
            name: "maintenance",
            shows: "What is changed at b applies at all within a second, and is ended at a.",
            command,
            answers: vec![(503, self.nodes.len())],
            prints: "503 ",
        }
    }

    fn status(&self) -> Line {
        Line {
            name: "status",
            shows: "Who is there, what the ledger is, what each gateway holds, and what is wrong.",
            command: at(self.nodes.first(), "cluster status"),
            answers: Vec::new(),
            prints: "UNITS HELD",
        }
    }

    fn node_killed(&self, key: &str) -> Line {
        let b = self.nodes.get(1..2).unwrap_or_default();
        let others: Vec<&Node> = self.nodes.iter().filter(|node| node.name != "b").collect();
        let (used, left) = (3, LIMIT - 3);
        let each = left / others.len() + 1;
        let command = requests(b, &format!("/items/[1-{used}]"), key)
            .raw("&& sleep 0.5 &&")
            .then(self.kill("b"))
            .raw("&&")
            .then(requests_to(&others, &format!("/items/[1-{each}]"), key));
        Line {
            name: "node-killed",
            shows: "Three requests at b, which is killed then: the others grant the seven that are left. b is started again after \
                    five seconds.",
            command,
            answers: vec![(200, LIMIT), (429, each * others.len() - left)],
            prints: "200 7 left",
        }
    }

    fn ledger_killed(&self, key: &str) -> Line {
        let command =
            self.kill(servers::LEDGER).raw("&& sleep 0.5 &&").then(requests(self.nodes, "/items/7", key));
        Line {
            name: "ledger-killed",
            shows: "Without the ledger nothing can be granted beyond what is leased: 503, with Retry-After, and free. It is started \
                    again after five seconds, and knows nothing: the gateways say again what was used.",
            command,
            answers: vec![(503, self.nodes.len())],
            prints: "503 ",
        }
    }

    fn kill(&self, name: &str) -> ShellLine {
        let file = Process::pid_file(name, self.folder);
        ShellLine::shell(&format!("kill -9 $(cat {})", file.display()))
    }
}

/// A command of Fairgate at a gateway.
fn at(node: Option<&Node>, words: &str) -> ShellLine {
    let program = std::env::current_exe().unwrap_or_else(|_| "fairgate".into());
    let line = ShellLine::program(&program, words);
    match node {
        Some(node) => line.option("--config", &node.config.to_string_lossy()),
        None => line,
    }
}

/// Requests to gateways, one after the other, of which each prints its status and what remains.
fn requests(nodes: &[Node], path: &str, key: &str) -> ShellLine {
    requests_to(&nodes.iter().collect::<Vec<_>>(), path, key)
}

fn requests_to(nodes: &[&Node], path: &str, key: &str) -> ShellLine {
    let ports: Vec<_> = nodes.iter().map(|node| node.address.port().to_string()).collect();
    let ports = match ports.as_slice() {
        [only] => only.clone(),
        several => format!("{{{}}}", several.join(",")),
    };
    let line = ShellLine::curl_with("-s -o /dev/null", &format!("http://127.0.0.1:{ports}{path}")).key(key);
    line.option("-w", r"%{remote_port} %{http_code} %header{x-rate-limit-remaining} left\n")
}
