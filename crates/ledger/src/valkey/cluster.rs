//! Valkey Cluster: which node is the primary of the ledger's slot.

use super::{
    connection::locked,
    resp::{Command, Value},
    session::{ask, unreachable, visit},
};
use crate::{
    LedgerError,
    target::{Host, Login},
    tls::Tls,
};
use std::{sync::Mutex, time::Duration};
use tokio::time::timeout;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_millis(300);

/// The nodes of a cluster.
pub(crate) struct Cluster {
    /// The next one to ask comes first. Those that are learned of are added.
    nodes: Mutex<Vec<Host>>,
    login: Option<Login>,
    tls: Option<Tls>,
}

impl Cluster {
    pub(crate) fn new(hosts: &[Host], login: Option<&Login>, tls: Option<&Tls>) -> Self {
        Self { nodes: Mutex::new(hosts.to_vec()), login: login.cloned(), tls: tls.cloned() }
    }

    /// The primary of the slot that a key is in. Nodes may know of a failover later than others, so each time another is asked.
    pub(crate) async fn locate(&self, key: &str) -> Result<Host, LedgerError> {
        let nodes = {
            let mut nodes = locked(&self.nodes);
            if !nodes.is_empty() {
                nodes.rotate_left(1);
            }
            nodes.clone()
        };
        let mut failure = unreachable("the cluster", "no node is known");
        for node in nodes {
            match timeout(PATIENCE, self.ask(&node, key)).await {
                Ok(Ok(host)) => return Ok(host),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = unreachable(&node.to_string(), "the node does not answer"),
            }
        }
        Err(failure)
    }

    async fn ask(&self, node: &Host, key: &str) -> Result<Host, LedgerError> {
        let server = node.to_string();
        let connection = visit(node, self.login.as_ref(), self.tls.as_ref()).await?;
        let slot = ask(&connection, &server, Command::words(&["CLUSTER", "KEYSLOT", key])).await?;
        let ranges = ask(&connection, &server, Command::words(&["CLUSTER", "SLOTS"])).await?;
        let slot = slot.integer().unwrap_or(-1);
        let mut primary = None;
        for range in ranges.into_list().unwrap_or_default() {
            let mut parts = range.into_list().unwrap_or_default().into_iter();
            let (first, last) = (parts.next(), parts.next());
            let number = |value: Option<Value>| value.and_then(|value| value.integer()).unwrap_or(-1);
            let is_it = (number(first)..=number(last)).contains(&slot);
            let hosts: Vec<_> = parts.filter_map(|part| read_host(part, node)).collect();
            if is_it {
                primary = hosts.first().cloned();
            }
            let mut nodes = locked(&self.nodes);
            for host in hosts {
                if !nodes.contains(&host) {
                    nodes.push(host);
                }
            }
        }
        primary.ok_or_else(|| LedgerError::Busy {
            server,
            why: "the cluster has no primary for the ledger's slot".to_owned(),
        })
    }
}

/// An address in the answer to CLUSTER SLOTS; one without a name is that of the node that answered.
fn read_host(value: Value, asked: &Host) -> Option<Host> {
    let mut parts = value.into_list()?.into_iter();
    let name = parts.next()?.into_string().filter(|name| !name.is_empty() && name != "?");
    let port = u16::try_from(parts.next()?.integer()?).ok()?;
    Some(Host { name: name.unwrap_or_else(|| asked.name.clone()), port })
}
