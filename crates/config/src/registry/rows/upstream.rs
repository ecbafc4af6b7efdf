//! Keys of where requests go: `[upstream]`, `[[services]]`, their addresses, health checks and timeouts.

use super::{DAY, HOUR};
use crate::registry::{
    Absent::{Default, Means, Required},
    Key, Shape, Table,
};

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

    ADDRESS_URL = UpstreamAddress "url", Shape::Text, Required, "\"http://10.0.0.1:9000\"", also "address";
    "As `url` of `[upstream]`. All addresses must have the same path."

    ADDRESS_WEIGHT = UpstreamAddress "weight", Shape::Whole { least: 1, most: 1_000 }, Default("1"), "3";
    "The share of requests that the address gets, relative to the weights of the others."

    HEALTH_CHECK_PATH = HealthCheck "path", Shape::Text, Required, "\"/health\"", also "url";
    "The path to send a GET to, appended to the path of the address. It may have a query."

    HEALTH_CHECK_HOST = HealthCheck "host", Shape::Text, Means("the address itself"), "\"api.example.com\"";
    "The `Host` header of the check."

    HEALTH_CHECK_INTERVAL = HealthCheck "interval", Shape::Duration { least: 10, most: DAY }, Default("\"5s\""), "\"5s\"",
    also "every";
    "The time between the end of one check and the start of the next, with 10 % jitter."

    HEALTH_CHECK_TIMEOUT = HealthCheck "timeout", Shape::Duration { least: 1, most: DAY }, Default("\"2s\""), "\"2s\"";
    "How long a check may take, including the connection."

    HEALTH_CHECK_EXPECTED_STATUSES = HealthCheck "expected_statuses", Shape::Numbers { least: 200, most: 599 }, Default("[]"), "[200, 204]",
    also "statuses", "status";
    "Statuses of a healthy address. Empty: 200 to 299."

    HEALTH_CHECK_HEALTHY_THRESHOLD = HealthCheck "healthy_threshold", Shape::Whole { least: 1, most: 100 }, Default("2"), "2",
    also "good", "rise";
    "Consecutive successful checks before an unhealthy address is healthy again."

    HEALTH_CHECK_UNHEALTHY_THRESHOLD = HealthCheck "unhealthy_threshold", Shape::Whole { least: 1, most: 100 }, Default("3"), "3",
    also "bad", "fall";
    "Consecutive failed checks before an address is unhealthy."

    SERVICE_NAME = Service "name", Shape::Text, Required, "\"shop\"";
    "The name, for endpoints, incidents and `fairgate upstreams list`: 1 to 64 letters, digits, `-` and `_`."

    SERVICE_HOSTS = Service "hosts", Shape::Texts, Default("[]"), "[\"shop.example.com\", \"*.shops.example.com\"]";
    "Hosts that the service answers for, without ports; `*.` matches one or more labels. Empty: any host that no other \
     service answers for."

    SERVICE_PATH = Service "path", Shape::Text, Means("any path"), "\"/shop\"", also "prefix", "path_prefix";
    "The prefix of its paths: `/shop` matches `/shop` and `/shop/a`, but not `/shops`. The longest match wins."

    SERVICE_STRIP_PATH = Service "strip_path", Shape::Boolean, Default("false"), "true", also "strip", "strip_prefix";
    "Remove `path` from requests before they are forwarded, and add it to the paths of redirects and cookies in responses."

    TIMEOUT_HEADER = Timeouts "header", Shape::Duration { least: 1, most: DAY }, Default("\"10s\""), "\"10s\"", also "head";
    "From the first byte of a request to the end of its header section. Exceeded: 400 `REQUEST_TIMEOUT`."

    TIMEOUT_BODY = Timeouts "body", Shape::Duration { least: 1, most: DAY }, Default("\"30s\""), "\"30s\"";
    "Between two reads of a request body. Exceeded: 400 `REQUEST_TIMEOUT`."

    TIMEOUT_KEEP_ALIVE = Timeouts "keep_alive", Shape::Duration { least: 1, most: DAY }, Default("\"75s\""), "\"75s\"",
    also "idle";
    "How long a connection may stay open without a request."

    TIMEOUT_CONNECT = Timeouts "connect", Shape::Duration { least: 1, most: DAY }, Default("\"5s\""), "\"5s\"";
    "How long opening a connection to the upstream may take."

    TIMEOUT_FIRST_BYTE = Timeouts "first_byte", Shape::Duration { least: 1, most: DAY }, Default("\"30s\""), "\"30s\"",
    also "response";
    "From the request to the first byte of the upstream's response. Exceeded: 500."

    TIMEOUT_STALL = Timeouts "stall", Shape::Duration { least: 1, most: DAY }, Default("\"30s\""), "\"30s\"";
    "Between two reads of the upstream's response, and between two writes to either side."

    TIMEOUT_TOTAL = Timeouts "total", Shape::Duration { least: 1, most: DAY }, Means("no timeout"), "\"1m\"", also "request";
    "From the end of a request, including its body, to the end of its response; if the response starts earlier, from its \
     start. Exceeded: 500, or the response is cut off if it has started; both are free. An event stream or a gRPC call that \
     is cut off was delivered, and is charged."

    TIMEOUT_STREAM_IDLE = Timeouts "stream_idle", Shape::Duration { least: 1, most: DAY }, Default("\"1h\""), "\"1h\"",
    also "stream", "tunnel";
    "How long a WebSocket or another upgraded connection may be silent in both directions, and how long an event stream \
     (`text/event-stream`) or a gRPC stream from the upstream may be silent."

    TIMEOUT_DRAIN = Timeouts "drain", Shape::Duration { least: 0, most: DAY }, Default("\"30s\""), "\"30s\"",
    also "shutdown";
    "How long responses in flight may take after SIGTERM."
}
