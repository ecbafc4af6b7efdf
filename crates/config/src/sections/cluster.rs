//! The table `[cluster]`.

use crate::{
    ClusterSettings, LedgerAt, LedgerLost, Unreachable,
    raw::{Refusal, Section},
    registry::{
        Absent::{Default, Means, Required},
        Shape,
    },
};
use postgres::Target;
use std::path::Path;

rows! {
    CLUSTER_RECORDS = Cluster "records", Shape::Text, Required, "\"postgresql://fairgate@db.internal/fairgate\"",
    also "url", "database", "postgres", "postgresql";
    "The URL of the PostgreSQL database that holds keys, maintenance, incidents and usage, as libpq reads it: several hosts \
     after commas, `sslmode`, `sslrootcert`, `target_session_attrs`. The password may also be in the variable `PGPASSWORD`."

    CLUSTER_LEDGER = Cluster "ledger", Shape::Text, Default("\"postgresql\""), "\"redis://ledger.internal:6379\"", also "redis", "valkey";
    "Where the gateways share out limits: the URL of a Valkey or Redis server, or `postgresql` for the database of `records`."

    CLUSTER_LEDGER_PREFIX = Cluster "ledger_prefix", Shape::Text, Default("\"fairgate\""), "\"shop\"", also "prefix", "namespace";
    "What the ledger's keys in Valkey or Redis begin with: 1 to 63 letters, digits, `-`, `_` and `.`. Clusters that share a server \
     need different ones; all gateways of a cluster have the same."

    CLUSTER_SECRET_FILE = Cluster "secret_file", Shape::Text, Default("\"cluster.secret\""), "\"cluster.secret\"", also "secret";
    "The file with the secret of the keys' digests, the same on all gateways, relative to the folder of this file. \
     `fairgate cluster init` makes it."

    CLUSTER_NODE = Cluster "node", Shape::Text, Means("the name of the machine"), "\"a\"", also "name", "id";
    "The name of this gateway in the cluster, which no other has: 1 to 63 letters, digits, `-`, `_` and `.`. It is kept in the \
     store's folder."

    CLUSTER_UNREACHABLE = Cluster "unreachable", Shape::Words(&["deny", "go_on"]), Default("\"deny\""), "\"go_on\"";
    "What happens to requests with a limit when the ledger cannot be reached and what was leased is spent. `deny`: 503 \
     `UNAVAILABLE`, free. `go_on`: each gateway grants its share of the limit, so that more than the limit may be granted in all."

    CLUSTER_LEDGER_LOST = Cluster "ledger_lost", Shape::Words(&["wait", "go_on"]), Default("\"wait\""), "\"go_on\"";
    "What happens when the ledger has lost what it had granted, and not all gateways have reported it again. `wait`: 503 \
     `UNAVAILABLE` for what cannot be decided. `go_on`: after 30 seconds limits are granted again, with an alarm; what \
     the others hold may then be granted twice."
}

const LEDGERS: [&str; 4] = ["redis://", "rediss://", "redis+sentinel://", "redis+cluster://"];
const LONGEST_NAME: usize = 63;

/// The settings of the table. None: a fault was recorded.
pub(super) fn cluster(section: &Section<'_>, folder: &Path) -> Option<ClusterSettings> {
    let records = section.text(&CLUSTER_RECORDS);
    let records = records.and_then(|url| section.keep(url, |url| Ok((target(url)?, url.to_owned()))));
    let ledger = section.text(&CLUSTER_LEDGER);
    let ledger = ledger.and_then(|url| section.keep(url, ledger_at));
    let prefix = section.text(&CLUSTER_LEDGER_PREFIX);
    let prefix = prefix.and_then(|prefix| section.keep(prefix, ledger_prefix));
    let file = section.text(&CLUSTER_SECRET_FILE);
    let file = file.and_then(|path| section.keep(path, |path| secret_file(path, folder)));
    let node = if section.has(&CLUSTER_NODE) {
        let named = section.text(&CLUSTER_NODE);
        named.and_then(|name| section.keep(name, node)).map(Some)
    } else {
        let _ = section.text(&CLUSTER_NODE);
        Some(None)
    };
    let unreachable =
        section.word(&CLUSTER_UNREACHABLE, &[("deny", Unreachable::Deny), ("go_on", Unreachable::GoOn)]);
    let lost = section.word(&CLUSTER_LEDGER_LOST, &[("wait", LedgerLost::Wait), ("go_on", LedgerLost::GoOn)]);
    let (records, url) = records?;
    Some(ClusterSettings {
        records,
        ledger: ledger?.unwrap_or_else(|| LedgerAt::Records(url.into())),
        ledger_prefix: prefix?,
        secret_file: file?,
        node: node?,
        unreachable: unreachable?.value,
        ledger_lost: lost?.value,
    })
}

fn target(url: &str) -> Result<Target, Refusal> {
    Target::parse(url).map_err(|bad| {
        Refusal::new(
            format!("`records` is not the URL of a database: {bad}"),
            "cannot be used",
            format!("write it like this: records = {}", CLUSTER_RECORDS.example),
        )
    })
}

/// None: in the database of the records.
fn ledger_at(url: &str) -> Result<Option<LedgerAt>, Refusal> {
    if url == "postgresql" {
        return Ok(None);
    }
    let rest = LEDGERS.iter().find_map(|scheme| url.strip_prefix(scheme));
    if rest.is_some_and(|rest| !has_ports(rest)) {
        return Err(Refusal::new(
            "`ledger` has a port that is not a number from 1 to 65535",
            "cannot be used",
            format!("write it like this: ledger = {}", CLUSTER_LEDGER.example),
        ));
    }
    let user = rest.and_then(|rest| rest.rsplit_once('@')).map(|(user, _)| user);
    if user.is_some_and(|user| !user.contains(':')) {
        return Err(Refusal::new(
            "`ledger` has a user or a password alone",
            "cannot be used",
            "write `USER:PASSWORD@` or `:PASSWORD@` before the host, and special characters as %XX",
        ));
    }
    match rest {
        Some(rest) if !rest.trim().is_empty() => Ok(Some(LedgerAt::Redis(url.to_owned().into()))),
        Some(_) | None => Err(Refusal::new(
            "`ledger` is neither `postgresql` nor the URL of a Valkey or Redis server",
            "cannot be used",
            "a URL begins with `redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`, and names a host",
        )),
    }
}

/// Whether the ports of all hosts are ports, as far as any are written.
fn has_ports(rest: &str) -> bool {
    let hosts = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = hosts.rsplit_once('@').map_or(hosts, |(_, hosts)| hosts);
    hosts.split(',').all(|host| match host.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port.parse::<u16>().is_ok_and(|port| port != 0),
        Some(_) | None => true,
    })
}

fn secret_file(path: &str, folder: &Path) -> Result<std::path::PathBuf, Refusal> {
    let is_good = !path.trim().is_empty() && !path.contains('\0');
    is_good.then(|| folder.join(path)).ok_or_else(|| {
        Refusal::new(
            "`secret_file` is not a file",
            "expected the path of a file",
            format!("write it like this: secret_file = {}", CLUSTER_SECRET_FILE.example),
        )
    })
}

fn node(name: &str) -> Result<String, Refusal> {
    plain_name(name, "`node` is not a name", CLUSTER_NODE.example)
}

fn ledger_prefix(prefix: &str) -> Result<String, Refusal> {
    plain_name(prefix, "`ledger_prefix` cannot begin a key", CLUSTER_LEDGER_PREFIX.example)
}

fn plain_name(name: &str, fault: &'static str, example: &str) -> Result<String, Refusal> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(name.to_owned());
    }
    Err(Refusal::new(
        fault,
        "cannot be used",
        format!("1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`, such as {example}"),
    ))
}
