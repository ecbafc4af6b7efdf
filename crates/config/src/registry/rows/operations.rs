//! Keys of operation: `[store]`, `[usage]`, `[abuse]`, `[overload]`, `[admin]`, `[log]`.

use super::{CENTURY, DAY, HOUR, KIB, MIB, TIB};
use crate::registry::{
    Absent::{Default, Means},
    Key, Shape, Table,
};

rows! {
    STORE_PATH = Store "path", Shape::Text, Default("\"data\""), "\"data\"", also "directory";
    "The folder of the embedded store, relative to the folder of this file. It is created if it does not exist."

    STORE_FLUSH_INTERVAL = Store "flush_interval", Shape::Duration { least: 10, most: 60_000 }, Default("\"1s\""), "\"1s\"";
    "How often charges are written to the disk: what a power cut may lose. At least 10 ms, at most 1 minute."

    STORE_SHARED_MEMORY = Store "shared_memory", Shape::Text, Default("\"/dev/shm\""), "\"/dev/shm\"", also "memory";
    "The folder of a file that every charge is written to at once, so that a crash of the process loses none. It should be \
     in memory (tmpfs). Relative to the folder of this file."

    STORE_ON_DISK_FULL = Store "on_disk_full", Shape::Words(&["continue", "reject"]), Default("\"continue\""), "\"reject\"",
    also "when_full";
    "What happens to requests while charges cannot be saved, for example because the disk is full. `continue`: they are \
     served, and an alarm is raised. `reject`: they are answered 503 `UNAVAILABLE`."

    STORE_DURABLE = Store "durable", Shape::Boolean, Default("true"), "false", also "persist";
    "`false`: charges are kept in memory only, and a restart loses them."

    USAGE_ENABLED = Usage "enabled", Shape::Boolean, Default("true"), "false";
    "Whether usage is recorded. What was recorded before stays available."

    USAGE_FLUSH_INTERVAL = Usage "flush_interval", Shape::Duration { least: 100, most: HOUR }, Default("\"10s\""), "\"1m\"";
    "How often usage is written to the store; a crash loses what was recorded since. With tens of thousands of busy keys, a \
     longer interval saves work. At least 100 ms, at most 1 hour."

    USAGE_MINUTE_RETENTION = Usage "minute_retention", Shape::Duration { least: HOUR, most: CENTURY }, Default("\"2d\""), "\"7d\"",
    also "minutes";
    "How long usage per minute is kept at least; it is deleted a day at a time."

    USAGE_HOUR_RETENTION = Usage "hour_retention", Shape::Duration { least: DAY, most: CENTURY }, Default("\"60d\""), "\"90d\"",
    also "hours";
    "How long usage per hour is kept at least; it is deleted ten days at a time."

    USAGE_DAY_RETENTION = Usage "day_retention", Shape::Duration { least: DAY, most: CENTURY }, Default("\"800d\""), "\"400d\"",
    also "days", "retention";
    "How long usage per day is kept at least; it is deleted a hundred days at a time."

    ABUSE_PER_KEY = Abuse "errors_per_key", Shape::CountOrOff, Default("6000"), "6000";
    "Errors per minute and key."

    ABUSE_PER_ADDRESS = Abuse "errors_per_address", Shape::CountOrOff, Default("30000"), "30000", also "errors_per_ip";
    "Errors per minute and address (IPv6: per /64)."

    OVERLOAD_MAX_CONNECTIONS = Overload "max_connections", Shape::Whole { least: 1, most: 1_000_000 }, Default("50000"), "50000",
    also "connections";
    "Open client connections. Fewer if the system's limit on file descriptors is lower: each connection needs two. At the \
     limit, the connections that have been idle longest are closed; if none has been idle for a second, the new one is \
     answered 503 `UNAVAILABLE`."

    OVERLOAD_MAX_CONNECTIONS_PER_ADDRESS = Overload "max_connections_per_address", Shape::CountOrOff, Default("\"off\""), "1000",
    also "connections_per_address", "connections_per_ip";
    "Open connections of one address (IPv6: of one /64). Exceeded: new ones are answered 503 `UNAVAILABLE`. `trusted_proxies` \
     are exempt. `off` by default, because many clients may share an address."

    OVERLOAD_MAX_REQUESTS = Overload "max_requests", Shape::Whole { least: 1, most: 1_000_000 }, Default("10000"), "10000",
    also "requests", "in_flight";
    "Requests in flight, of all clients together. Exceeded: 503 `UNAVAILABLE`."

    OVERLOAD_MAX_LAG = Overload "max_lag", Shape::Duration { least: 10, most: 60_000 }, Default("\"1s\""), "\"500ms\"", also "lag";
    "How far a data thread may fall behind its timers. While it is further behind, new requests are answered 503 \
     `UNAVAILABLE` before any work is done for them. At least 10 ms, at most 1 minute."

    OVERLOAD_MIN_BODY_RATE = Overload "min_body_rate", Shape::Size { least: 0, most: KIB * KIB }, Default("\"100B\""), "\"1KiB\"",
    also "body_rate";
    "The lowest rate of a request body, in bytes per second, over any span longer than `[timeouts] body`; earlier bursts do \
     not count beyond that span. Time in which the upstream accepts no data is excluded. A slower body is 400 \
     `REQUEST_TIMEOUT`. 0: any rate."

    OVERLOAD_MAX_BUFFERED_BYTES = Overload "max_buffered_bytes", Shape::Size { least: MIB, most: TIB }, Default("\"256MiB\""),
    "\"256MiB\"", also "buffered_bytes";
    "Memory for bodies that are buffered for validation, of all requests together. Exceeded: 503 `UNAVAILABLE` with \
     `Retry-After`. At least the largest body that is validated; the first 16 KiB of each body are not counted."

    ADMIN_ADDRESS = Admin "address", Shape::Text, Means("not served"), "\"127.0.0.1:9901\"", also "port";
    "IP address and port that serve `/live`, `/ready` and `/metrics`, all of them read-only, to everyone who can reach them. \
     Choose an address that only this machine, or your load balancer and monitoring, can reach."

    LOG_REQUESTS = Log "requests", Shape::Words(&["all", "errors", "none"]), Default("\"all\""), "\"errors\"", also "level";
    "Which requests are logged."

    LOG_FORMAT = Log "format", Shape::Words(&["auto", "json", "text"]), Default("\"auto\""), "\"json\"";
    "The format of the log. `auto`: text if standard error is a terminal, otherwise JSON."
}
