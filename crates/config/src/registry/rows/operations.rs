//! Keys of what operators look after: `[store]`, `[usage]`, `[abuse]`, `[overload]`, `[admin]`, `[log]`.

use super::{CENTURY, DAY, HOUR, KIB, MIB, TIB};
use crate::registry::{
    Absent::{Default, Means},
    Key, Shape, Table,
};

rows! {
    STORE_PATH = Store "path", Shape::Text, Default("\"data\""), "\"data\"", also "directory";
    "The folder of the embedded store, relative to the folder of this file. It is made if it does not exist."

    STORE_FLUSH_INTERVAL = Store "flush_interval", Shape::Duration { least: 10, most: 60_000 }, Default("\"1s\""), "\"1s\"";
    "How often charges are written to the disk: what a power cut may forget. At least 10 ms, at most 1 minute."

    STORE_MEMORY = Store "memory", Shape::Text, Default("\"/dev/shm\""), "\"/dev/shm\"", also "shared_memory";
    "The folder of a file in which every charge stands at once, so that no crash of the process forgets one. It should be \
     in memory (tmpfs); relative to the folder of this file."

    STORE_WHEN_FULL = Store "when_full", Shape::Words(&["go_on", "stop"]), Default("\"go_on\""), "\"stop\"";
    "What happens to requests while charges cannot be saved, because the disk is full for one: `go_on` lets them go on and \
     raises an alarm, `stop` answers 503 `UNAVAILABLE`."

    STORE_DURABLE = Store "durable", Shape::Boolean, Default("true"), "false", also "persist";
    "`false` keeps charges in memory only: a restart forgets them."

    USAGE_ENABLED = Usage "enabled", Shape::Boolean, Default("true"), "false";
    "Whether usage is counted. What was kept before stays and can be read."

    USAGE_FLUSH_INTERVAL = Usage "flush_interval", Shape::Duration { least: 100, most: HOUR }, Default("\"10s\""), "\"1m\"";
    "How often usage is written to the store. A crash forgets what was counted since. With tens of \
     thousands of busy keys a longer one saves work. At least 100 ms, at most 1 hour."

    USAGE_MINUTES = Usage "minutes", Shape::Duration { least: HOUR, most: CENTURY }, Default("\"2d\""), "\"7d\"";
    "How long usage by the minute is kept, at least; it is forgotten a day at a time."

    USAGE_HOURS = Usage "hours", Shape::Duration { least: DAY, most: CENTURY }, Default("\"60d\""), "\"90d\"";
    "How long usage by the hour is kept, at least; it is forgotten ten days at a time."

    USAGE_DAYS = Usage "days", Shape::Duration { least: DAY, most: CENTURY }, Default("\"800d\""), "\"400d\"", also "retention";
    "How long usage by the day is kept, at least; it is forgotten a hundred days at a time."

    ABUSE_PER_KEY = Abuse "errors_per_key", Shape::CountOrOff, Default("6000"), "6000";
    "Errors per minute and key."

    ABUSE_PER_ADDRESS = Abuse "errors_per_address", Shape::CountOrOff, Default("30000"), "30000", also "errors_per_ip";
    "Errors per minute and address (IPv6: per /64)."

    OVERLOAD_CONNECTIONS = Overload "connections", Shape::Whole { least: 1, most: 1_000_000 }, Default("50000"), "50000",
    also "max_connections";
    "Connections of clients that are open at the same time. Fewer, if the system lets the process have fewer descriptors: \
     each needs two. At the bound the connections that have waited longest for a request make room; if none has waited for \
     a second, the new one is answered 503 `UNAVAILABLE`."

    OVERLOAD_PER_ADDRESS = Overload "connections_per_address", Shape::CountOrOff, Default("\"off\""), "1000",
    also "connections_per_ip";
    "Connections of one address (IPv6: of one /64). Past it, new ones are answered 503 `UNAVAILABLE`. `trusted_proxies` may \
     have any number. Off, because many clients may share an address."

    OVERLOAD_REQUESTS = Overload "requests", Shape::Whole { least: 1, most: 1_000_000 }, Default("10000"), "10000",
    also "in_flight";
    "Requests in flight, of all clients together. Past it the answer is 503 `UNAVAILABLE`."

    OVERLOAD_LAG = Overload "lag", Shape::Duration { least: 10, most: 60_000 }, Default("\"1s\""), "\"500ms\"";
    "How far a data thread may be behind with what is due. While it is farther behind, new requests are answered 503 \
     `UNAVAILABLE` before anything is done for them. At least 10 ms, at most 1 minute."

    OVERLOAD_BODY_RATE = Overload "body_rate", Shape::Size { least: 0, most: KIB * KIB }, Default("\"100B\""), "\"1KiB\"";
    "Bytes a second that a request's body has to come with over any span longer than `[timeouts] body`: what came at once \
     before is good for that time and no longer. Time in which the upstream takes nothing does not count. A slower body is \
     400 `REQUEST_TIMEOUT`. 0: any."

    OVERLOAD_BUFFERED = Overload "buffered_bytes", Shape::Size { least: MIB, most: TIB }, Default("\"256MiB\""),
    "\"256MiB\"", also "max_buffered_bytes";
    "Memory for bodies that are buffered because they are checked, of all requests together. Past it the answer is 503 \
     `UNAVAILABLE` with `Retry-After`. At least the largest body that is checked; the first 16 KiB of each are not counted."

    ADMIN_ADDRESS = Admin "address", Shape::Text, Means("nobody is told by HTTP"), "\"127.0.0.1:9901\"", also "port";
    "IP address and port where `/live`, `/ready` and `/metrics` are answered, to whoever can reach them. They change \
     nothing. Best one that only this machine can reach, or those who decide where requests go."

    LOG_REQUESTS = Log "requests", Shape::Words(&["all", "errors", "none"]), Default("\"all\""), "\"errors\"", also "level";
    "Which requests are written."

    LOG_FORMAT = Log "format", Shape::Words(&["auto", "json", "text"]), Default("\"auto\""), "\"json\"";
    "In which form. `auto`: for people if standard error is a terminal, else JSON."
}
