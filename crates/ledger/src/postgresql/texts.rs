//! What the server is asked, and the functions that it runs.

use crate::encoding::{FOREVER, fnv};
use lease::{AHEAD, FLOWS_IN_SOON, GRACE, PLACE_TTL};
use std::sync::LazyLock;

/// Where recalls are told of.
pub(crate) const CHANNEL: &str = "fairgate_ledger_recalls";

/// The lock of the epoch: shared by messages, alone for whoever begins one or makes the tables.
const LOCK: i64 = 0x6661_6972_6761_7465;

/// All that is asked by name.
pub(crate) struct Texts {
    /// Makes tables and functions, in one transaction.
    pub(crate) install: String,
    /// Whether the functions are there.
    pub(crate) is_installed: String,
    pub(crate) exchange: String,
    pub(crate) begin: String,
}

const FUNCTIONS: &str = include_str!("functions.sql");
const TABLES: &str = include_str!("tables.sql");

/// The functions have names of their own text: nodes of two versions each have theirs while they work beside each other.
pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    let name = format!("ledger_{:016x}", fnv(FUNCTIONS.as_bytes()));
    let mut functions = FUNCTIONS.replace("@NAME@", &name);
    let numbers = [
        ("@GRACE@", GRACE),
        ("@AHEAD@", AHEAD),
        ("@PLACE_TTL@", PLACE_TTL),
        ("@FLOWS_IN_SOON@", FLOWS_IN_SOON),
        ("@FOREVER@", FOREVER),
    ];
    for (word, number) in numbers {
        functions = functions.replace(word, &number.to_string());
    }
    functions = functions.replace("@LOCK@", &LOCK.to_string());
    Texts {
        install: format!("SELECT pg_advisory_xact_lock({LOCK}); {TABLES} {functions}"),
        is_installed: format!("SELECT EXISTS (SELECT FROM pg_proc WHERE proname = '{name}_begin')"),
        exchange: format!("SELECT fairgate.{name}_exchange($1, $2, $3, $4, $5, $6)"),
        begin: format!("SELECT fairgate.{name}_begin($1, $2, $3, $4, $5)"),
    }
});

/// What server this is: another system or another timeline has another ledger. What is not on the disk when it is said to be is lost
/// with a crash, so there each start counts. And its version, and whether it takes writes.
pub(crate) const SERVER: &str = "\
    SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE system_identifier::text || ':' \
        || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) \
        || CASE WHEN current_setting('fsync')::boolean AND current_setting('synchronous_commit') <> 'off' THEN '' \
           ELSE ':' || extract(epoch FROM pg_postmaster_start_time())::text END END, \
        current_setting('server_version_num')::bigint, current_setting('server_version') FROM pg_control_system()";

/// Notes at the session which server it is of.
pub(crate) const NOTE: &str = "SELECT set_config('fairgate.ledger', $1, false)";

pub(crate) const LEDGER: &str = "\
    SELECT epoch, lost_at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM fairgate.ledger \
    WHERE server = current_setting('fairgate.ledger', true)";

pub(crate) const HAS_BEGUN: &str = "SELECT EXISTS (SELECT FROM fairgate.ledger WHERE server = $1)";

pub(crate) const JOIN: &str = "\
    INSERT INTO fairgate.ledger_members SELECT $1, 0, 0, epoch, false FROM fairgate.ledger ON CONFLICT DO NOTHING";

pub(crate) const REMOVE: &str = "UPDATE fairgate.ledger_members SET is_removed = true WHERE node = $1";

pub(crate) const GO_ON: &str = "\
    UPDATE fairgate.ledger_members SET said_epoch = (SELECT epoch FROM fairgate.ledger) WHERE node = $1";

pub(crate) const AWAITED: &str = "\
    SELECT node FROM fairgate.ledger_members, fairgate.ledger \
    WHERE NOT is_removed AND said_epoch <> epoch ORDER BY node";

/// What all nodes together hold of the next counters, slice by slice; of a counter of which nobody holds anything one row all the
/// same. And the bucket, which is empty where an epoch has begun since.
pub(crate) const HOLDINGS: &str = "\
    SELECT one.counter, held.slice, coalesce(held.granted, 0), coalesce(held.expires, 0), \
    CASE WHEN one.epoch = now.epoch AND one.at > 0 THEN one.level ELSE 0 END, \
    CASE WHEN one.epoch = now.epoch AND one.at > 0 THEN one.at ELSE now.lost_at END FROM fairgate.ledger AS now, \
    (SELECT * FROM fairgate.ledger_counters WHERE counter > $1 ORDER BY counter LIMIT $2) AS one \
    LEFT JOIN LATERAL (SELECT row.slice, sum(row.granted)::bigint AS granted, max(row.expires) AS expires FROM \
    unnest(one.slices, one.nodes, one.sequences, one.granted, one.expires) \
    AS row (slice, node, sequence, granted, expires) \
    LEFT JOIN fairgate.ledger_members AS member ON member.node = row.node \
    WHERE row.expires > floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint \
    AND (member.node IS NULL OR row.sequence >= member.said_since) GROUP BY row.slice) AS held ON true \
    ORDER BY one.counter";

/// What counts no more is deleted in small pieces; what others work with is left to the next time.
pub(crate) const SWEEP: &str = "\
    DELETE FROM fairgate.ledger_counters WHERE counter IN (SELECT counter FROM fairgate.ledger_counters \
    WHERE forgotten <= floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint LIMIT 500 FOR UPDATE SKIP LOCKED)";

pub(crate) const SWEEP_RECALLS: &str = "\
    DELETE FROM fairgate.ledger_recalls WHERE at < floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - 10000";

pub(crate) const RECALLS: &str = "\
    DELETE FROM fairgate.ledger_recalls WHERE node = ANY ($1) RETURNING node, counter, slice";

pub(crate) const SETTINGS: &str = "\
    SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'), \
    current_setting('synchronous_standby_names'), (SELECT count(*) FROM pg_stat_replication)";
