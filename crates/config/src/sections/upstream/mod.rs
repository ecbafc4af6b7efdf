//! The table `[upstream]` and its counterpart in a service: health, retries, names, timeouts.

pub(super) mod addresses;
pub(super) mod health_check;
mod url;

use super::tls::Files;
use crate::{
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{
        Absent::{Default, Means},
        DAY, HOUR, Key, Shape, Table,
    },
};
use addresses::{OverTls, addresses};
use gateway::settings::{HostHeader, Names, OutlierDetection, Queue, Retries, Timeouts, Upstream};
use health_check::health_check;
use std::net::{IpAddr, SocketAddr};

rows! {
    UPSTREAM_URL = Upstream "url", Shape::Text, Means("see `addresses`; set one of the two"),
    "\"http://127.0.0.1:9000\"", also "address";
    "Where requests go: `http://HOST:PORT` or `https://HOST:PORT`, optionally with a path to put in front of the path of \
     every request."

    UPSTREAM_CA = Upstream "ca", Shape::Text, Means("the authorities that this machine trusts"), "\"tls/upstream-ca.pem\"";
    "With https: a PEM file with the certificate authorities that the upstream's certificate must be issued by."

    UPSTREAM_SERVER_NAME = Upstream "server_name", Shape::Text, Means("the host of `url`"), "\"api.internal\"",
    also "sni";
    "With https: the name to ask for (SNI), which the upstream's certificate must be valid for."

    UPSTREAM_CERTIFICATE = Upstream "certificate", Shape::Text, Means("no client certificate"), "\"tls/fairgate.pem\"",
    also "client_certificate";
    "With https: a PEM file with the client certificate that Fairgate presents to the upstream."

    UPSTREAM_KEY = Upstream "key", Shape::Text, Means("as with `certificate`"), "\"tls/fairgate.key\"";
    "A PEM file with the private key of `certificate`."

    UPSTREAM_HOST = Upstream "host", Shape::Words(&["client", "upstream"]), Default("\"client\""), "\"upstream\"",
    also "host_header";
    "Which `Host` header the upstream receives. `client`: the client's own, so that absolute links from the upstream are \
     public ones. `upstream`: the host of its address, for upstreams that are selected by name."

    UPSTREAM_ERROR_BODIES = Upstream "error_bodies", Shape::Words(&["replace", "keep_xml"]), Default("\"replace\""), "\"keep_xml\"";
    "What happens to the bodies of upstream errors. `replace`: the error specification takes their place. `keep_xml`: the \
     XML body of a 4xx is kept, and a 403 with an XML body keeps its status, for protocols whose clients read it, such as \
     WebDAV and CalDAV."

    UPSTREAM_RATE_LIMIT_HEADERS = Upstream "rate_limit_headers", Shape::Words(&["drop", "pass"]), Default("\"drop\""), "\"pass\"";
    "What happens to the upstream's own rate limit headers (`X-RateLimit-*`, `RateLimit-Limit` and the like, `Retry-After` of \
     a success) in responses that carry Fairgate's limits. `drop`: they are removed, so that a client sees one set of limits. \
     `pass`: they are sent beside Fairgate's."

    UPSTREAM_HTTP2 = Upstream "http2", Shape::Boolean, Default("false"), "true", also "h2";
    "Use HTTP/2 to the upstream, as gRPC requires: with prior knowledge over `http://`, by ALPN over `https://`, where an \
     upstream that does not select `h2` counts as unreachable. The requests of a data thread share connections. WebSockets \
     and other upgrades still use HTTP/1.1, which the upstream must also support."

    UPSTREAM_MAX_REQUESTS = Upstream "max_requests", Shape::CountOrOff, Default("\"off\""), "200",
    also "max_in_flight", "max_connections";
    "The number of requests in flight to one address, over all threads; with HTTP/1.1 each takes a connection. While all \
     addresses are at this number, a request waits (`max_pending_requests`), and is then answered 503 `UNAVAILABLE`, free of \
     charge."

    UPSTREAM_MAX_PENDING_REQUESTS = Upstream "max_pending_requests", Shape::Whole { least: 0, most: 100_000 }, Default("100"), "100",
    also "queue";
    "The number of requests that may wait for each address. `0`: none."

    UPSTREAM_PENDING_TIMEOUT = Upstream "pending_timeout", Shape::Duration { least: 0, most: 60_000 }, Default("\"100ms\""), "\"100ms\"",
    also "queue_time", "queue_timeout";
    "How long a request may wait."

    UPSTREAM_RETRIES = Upstream "retries", Shape::Whole { least: 0, most: 10 }, Default("2"), "2", also "max_retries";
    "How often one request is retried at most, each time at another address. Retried are GET, HEAD, OPTIONS and TRACE without \
     a body, and QUERY, if an address accepted the request and did not respond. A request for which no connection could be \
     made goes to the next address in any case."

    UPSTREAM_RETRY_BUDGET_PERCENT = Upstream "retry_budget_percent", Shape::Whole { least: 0, most: 100 }, Default("20"), "20",
    also "retry_percent";
    "The retry budget: how many of a hundred requests may be retried, in addition to `retry_budget_min_per_second`."

    UPSTREAM_RETRY_BUDGET_MIN_PER_SECOND = Upstream "retry_budget_min_per_second", Shape::Whole { least: 0, most: 100_000 },
    Default("3"), "3", also "retry_per_second";
    "Retries per second that are always allowed, however few requests there are."

    UPSTREAM_CONSECUTIVE_FAILURES = Upstream "consecutive_failures", Shape::CountOrOff, Default("5"), "5",
    also "failures", "max_failures";
    "Outlier detection: consecutive requests that an address did not answer, or answered with something other than HTTP, \
     before it is ejected for a time. An error response is not a failure, and the last address left is used even if it fails. \
     `off`: addresses are never ejected."

    UPSTREAM_BASE_EJECTION_TIME = Upstream "base_ejection_time", Shape::Duration { least: 10, most: DAY }, Default("\"10s\""), "\"10s\"",
    also "out_for";
    "How long an address is ejected, with 25 % jitter. The time doubles each time it fails again after its return."

    UPSTREAM_MAX_EJECTION_TIME = Upstream "max_ejection_time", Shape::Duration { least: 10, most: DAY }, Default("\"5m\""), "\"5m\"",
    also "out_at_most";
    "The longest time for which an address is ejected."

    UPSTREAM_SLOW_START = Upstream "slow_start", Shape::Duration { least: 0, most: HOUR }, Default("\"10s\""), "\"10s\"",
    also "slow_start_window";
    "How long an address that returns gets fewer requests: from a tenth of its share up to all of it."

    UPSTREAM_DNS_SERVERS = Upstream "dns_servers", Shape::Texts, Default("[]"), "[\"10.0.0.2\", \"10.0.0.3:5353\"]",
    also "name_servers", "resolvers";
    "DNS servers to resolve host names with; names are resolved again when their TTL ends. Empty: the system's resolver, \
     which knows `/etc/hosts` and search domains, but no TTLs."

    UPSTREAM_DNS_REFRESH_INTERVAL = Upstream "dns_refresh_interval", Shape::Duration { least: 100, most: DAY }, Default("\"30s\""), "\"30s\"",
    also "resolve_every", "dns_refresh_rate";
    "The longest time until a host name is resolved again. While that fails, the last known addresses are used."

    UPSTREAM_CONNECT = Upstream "connect_timeout", Shape::Duration { least: 1, most: DAY }, Means("as `[timeouts] connect`"),
    "\"2s\"";
    "How long opening a connection may take."

    UPSTREAM_FIRST_BYTE = Upstream "first_byte_timeout", Shape::Duration { least: 1, most: DAY },
    Means("as `[timeouts] first_byte`"), "\"10s\"", also "response_timeout";
    "From the request to the first byte of the response."

    UPSTREAM_STALL = Upstream "stall_timeout", Shape::Duration { least: 1, most: DAY }, Means("as `[timeouts] stall`"),
    "\"10s\"", also "idle_timeout";
    "Between two reads of the response, and between two writes to either side."

    UPSTREAM_TOTAL = Upstream "total_timeout", Shape::Duration { least: 1, most: DAY }, Means("as `[timeouts] total`"),
    "\"1m\"";
    "From the end of a request, including its body, to the end of its response, including retries. See `[timeouts] total`."
}

/// The table `[upstream]`, or the same keys of a service. `timeouts` apply where it sets none.
pub(super) fn upstream(
    section: &Section<'_>,
    listen: Option<&At<SocketAddr>>,
    timeouts: Option<Timeouts>,
    files: Files<'_>,
) -> Option<Upstream> {
    let speaks_http2 = section.boolean(&UPSTREAM_HTTP2);
    let addresses = addresses(section, listen, &OverTls::read(section, files));
    let host_header =
        section.word(&UPSTREAM_HOST, &[("client", HostHeader::Client), ("upstream", HostHeader::Upstream)]);
    let max_requests = section.count_or_off(&UPSTREAM_MAX_REQUESTS);
    let (max_pending_requests, pending_timeout) =
        (count(section, &UPSTREAM_MAX_PENDING_REQUESTS), section.duration(&UPSTREAM_PENDING_TIMEOUT));
    let max_retries = count(section, &UPSTREAM_RETRIES);
    let budget_percent = count(section, &UPSTREAM_RETRY_BUDGET_PERCENT);
    let budget_min_per_second = count(section, &UPSTREAM_RETRY_BUDGET_MIN_PER_SECOND);
    let outlier_detection = outlier_detection(section);
    let check =
        section.has_table(Table::HealthCheck).then(|| health_check(&section.once(Table::HealthCheck)));
    let names = names(section);
    let keeps_xml_errors = section.word(&UPSTREAM_ERROR_BODIES, &[("replace", false), ("keep_xml", true)]);
    let keeps_limiter = section.word(&UPSTREAM_RATE_LIMIT_HEADERS, &[("drop", false), ("pass", true)]);
    let timeouts = own_timeouts(section, timeouts);
    let (mut addresses, base_path) = addresses?;
    let speaks_http2 = speaks_http2?.value;
    addresses.iter_mut().for_each(|address| address.speaks_http2 = speaks_http2);
    Some(Upstream {
        addresses,
        base_path,
        host_header: host_header?.value,
        timeouts: timeouts?,
        max_requests: max_requests?.value,
        queue: Queue { max_pending_requests: max_pending_requests?, pending_timeout: pending_timeout?.value },
        retries: Retries {
            max_retries: max_retries?,
            budget_percent: budget_percent?,
            budget_min_per_second: budget_min_per_second?,
        },
        outlier_detection: outlier_detection?,
        health_check: match check {
            Some(check) => Some(check?),
            None => None,
        },
        names: names?,
        keeps_limiter: keeps_limiter?.value,
        keeps_xml_errors: keeps_xml_errors?.value,
    })
}

fn count(section: &Section<'_>, key: &Key) -> Option<u32> {
    section.whole(key).and_then(|number| u32::try_from(number.value).ok())
}

fn outlier_detection(section: &Section<'_>) -> Option<OutlierDetection> {
    let consecutive_failures = section.count_or_off(&UPSTREAM_CONSECUTIVE_FAILURES);
    let (base, max) =
        (section.duration(&UPSTREAM_BASE_EJECTION_TIME), section.duration(&UPSTREAM_MAX_EJECTION_TIME));
    let slow_start = section.duration(&UPSTREAM_SLOW_START);
    if let (Some(base), Some(max)) = (&base, &max)
        && base.value > max.value
    {
        section.reader.fault(
            Fault::at(max.span.clone(), "`max_ejection_time` is shorter than `base_ejection_time`")
                .label("shorter than the first ejection")
                .help("make it at least as long as `base_ejection_time`"),
        );
    }
    Some(OutlierDetection {
        consecutive_failures: consecutive_failures?.value,
        base_ejection_time: base?.value,
        max_ejection_time: max?.value,
        slow_start: slow_start?.value,
    })
}

fn names(section: &Section<'_>) -> Option<Names> {
    let mut dns_servers = Vec::new();
    for text in section.texts(&UPSTREAM_DNS_SERVERS) {
        dns_servers.extend(section.keep(text, |text| {
            let whole = text.parse::<SocketAddr>();
            let server =
                whole.or_else(|_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53)));
            server.map_err(|_| {
                Refusal::new(
                    format!("`{text}` is not a DNS server"),
                    "expected an IP address, and a port if it is not 53",
                    "write it like this: dns_servers = [\"10.0.0.2\"]",
                )
            })
        }));
    }
    Some(Names { dns_servers, dns_refresh_interval: section.duration(&UPSTREAM_DNS_REFRESH_INTERVAL)?.value })
}

fn own_timeouts(section: &Section<'_>, timeouts: Option<Timeouts>) -> Option<Timeouts> {
    let connect = section.duration(&UPSTREAM_CONNECT);
    let first_byte = section.duration(&UPSTREAM_FIRST_BYTE);
    let stall = section.duration(&UPSTREAM_STALL);
    let total = section.duration(&UPSTREAM_TOTAL);
    let all = timeouts?;
    Some(Timeouts {
        connect: connect.map_or(all.connect, |own| own.value),
        first_byte: first_byte.map_or(all.first_byte, |own| own.value),
        stall: stall.map_or(all.stall, |own| own.value),
        total: total.map(|own| own.value).or(all.total),
        ..all
    })
}
