//! What the server is, and what a failure of it may forget.

use super::{
    Locator, Shared,
    keeper::Primary,
    resp::{Command, Value},
    session::ask,
};
use crate::{Inspection, LedgerError};
use lease::{Millis, NodeId};
use std::collections::HashMap;

/// What the ledger says of itself.
#[derive(Debug)]
pub(crate) struct Status {
    epoch: u64,
    lost_at: Millis,
    now: Millis,
    pub(crate) awaited: Vec<NodeId>,
}

impl Status {
    pub(crate) fn read(value: Value) -> Option<Self> {
        let mut parts = value.into_list()?.into_iter();
        let mut number = || parts.next()?.into_string()?.parse::<u64>().ok();
        let (epoch, lost_at, now) = (number()?, number()?, number()?);
        let awaited = parts.next()?.into_list()?.into_iter();
        let awaited = awaited.map(|node| node.into_string()?.parse().ok()).collect::<Option<_>>()?;
        Some(Self { epoch, lost_at, now, awaited })
    }
}

/// Settings of the server, as far as it tells them.
struct Settings(HashMap<String, String>);

impl Settings {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

const SETTINGS: [&str; 6] = [
    "appendonly",
    "appendfsync",
    "save",
    "maxmemory-policy",
    "min-replicas-to-write",
    "min-replicas-max-lag",
];

impl Shared {
    pub(crate) async fn inspect(&self, primary: &Primary, status: Status) -> Result<Inspection, LedgerError> {
        let command =
            SETTINGS.iter().fold(Command::words(&["CONFIG", "GET"]), |command, name| command.arg(name));
        let (settings, mut warnings) = match ask(&primary.connection, &primary.server, command).await {
            Ok(value) => (read_settings(value), Vec::new()),
            // Managed services do not tell.
            Err(LedgerError::Refused { .. } | LedgerError::Unexpected { .. }) => {
                let said = "The server does not tell its settings (CONFIG GET), so they are not checked.";
                (Settings(HashMap::new()), vec![said.to_owned()])
            }
            Err(error) => return Err(error),
        };
        let info = &primary.info;
        warn_of_memory(&settings, &mut warnings);
        let durability = durability(&settings, &mut warnings);
        self.warn_of_failover(&settings, &mut warnings).await;
        Ok(Inspection {
            product: info.product(),
            version: info.version().to_owned(),
            server: primary.server.clone(),
            role: format!("primary, {} replicas", info.number("connected_slaves")),
            epoch: status.epoch,
            lost_at: status.lost_at,
            now: status.now,
            awaited: status.awaited,
            durability,
            warnings,
        })
    }

    async fn warn_of_failover(&self, settings: &Settings, warnings: &mut Vec<String>) {
        if let Locator::Sentinel(sentinels) = &self.locator
            && let Some(known) = sentinels.known().await
            && known != sentinels.len() as u64
        {
            warnings.push(format!(
                "The ledger URL lists {} Sentinels, but there are {known}. List all of them: a primary is used only while a \
                 majority of those in the URL confirms it.",
                sentinels.len()
            ));
        }
        let is_replaced = !matches!(self.locator, Locator::Single);
        if is_replaced && settings.get("min-replicas-to-write") == Some("0") {
            warnings.push(
                "A primary that is cut off from its replicas goes on granting until its nodes notice, and what it grants \
                 is lost. Set `min-replicas-to-write 1` and `min-replicas-max-lag 2`."
                    .to_owned(),
            );
        }
    }
}

fn read_settings(value: Value) -> Settings {
    let texts: Vec<_> = value
        .into_list()
        .into_iter()
        .flatten()
        .map(|value| value.into_string().unwrap_or_default())
        .collect();
    let pairs = texts.as_chunks::<2>().0;
    Settings(pairs.iter().map(|[name, value]| (name.clone(), value.clone())).collect())
}

fn warn_of_memory(settings: &Settings, warnings: &mut Vec<String>) {
    if let Some(policy) = settings.get("maxmemory-policy").filter(|policy| *policy != "noeviction") {
        warnings.push(format!(
            "`maxmemory-policy` is `{policy}`: once `maxmemory` is set, the server forgets grants at any time, and nodes refuse \
             to use it. Set it to `noeviction`."
        ));
    }
}

/// How grants get to the disk. Each restart begins an epoch, in which members say their totals again; what is lost with the
/// server is what those used that cannot.
fn durability(settings: &Settings, warnings: &mut Vec<String>) -> String {
    let cost = "It is known to the members that come back; what removed members used of limits that are still running is \
                granted again.";
    let (durability, forgets) =
        match (settings.get("appendonly"), settings.get("appendfsync"), settings.get("save")) {
            (Some("yes"), Some("always"), _) => {
                return "append-only file, synced before each reply".to_owned();
            }
            (Some("yes"), Some("everysec"), _) => (
                "append-only file, synced each second",
                "A power cut forgets the last two seconds of grants.",
            ),
            (Some("yes"), _, _) => (
                "append-only file, synced by the kernel",
                "A power cut forgets half a minute of grants, or more.",
            ),
            (Some(_), _, Some("")) => ("none", "A restart forgets all grants."),
            (Some(_), _, _) => ("snapshots only", "A restart may forget all grants since the last snapshot."),
            (None, _, _) => return "unknown".to_owned(),
        };
    warnings.push(format!("{forgets} {cost} Set `appendonly yes` and `appendfsync always` to forget none."));
    durability.to_owned()
}
