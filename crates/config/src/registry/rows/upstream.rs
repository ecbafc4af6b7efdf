//! Keys of what requests go to: `[upstream]`, `[[services]]`, their addresses, checks and time-outs.

use super::{DAY, HOUR};
use crate::registry::{
    Absent::{Default, Means, Required},
    Key, Shape, Table,
};

rows! {
    UPSTREAM_URL = Upstream "url", Shape::Text, Means("`addresses` say it; one of the two must be set"),
    "\"http://127.0.0.1:9000\"", also "address";
    "Where requests go: `http://HOST:PORT` or `https://HOST:PORT`, and a path if one is to be put before every request's \
     path."

    UPSTREAM_CA = Upstream "ca", Shape::Text, Means("the authorities that this machine trusts"), "\"tls/upstream-ca.pem\"";
    "With https: a file with the certificates, in PEM form, that the upstream's certificate has to come from."

    UPSTREAM_SERVER_NAME = Upstream "server_name", Shape::Text, Means("the host of `url`"), "\"api.internal\"",
    also "sni";
    "With https: the name that is asked for, and that the upstream's certificate has to stand for."

    UPSTREAM_CERTIFICATE = Upstream "certificate", Shape::Text, Means("Fairgate shows none"), "\"tls/fairgate.pem\"";
    "With https: a file with the certificate, in PEM form, by which Fairgate proves to the upstream who it is."

    UPSTREAM_KEY = Upstream "key", Shape::Text, Means("as with `certificate`"), "\"tls/fairgate.key\"";
    "A file with the private key of `certificate`."

    UPSTREAM_HOST = Upstream "host", Shape::Words(&["client", "upstream"]), Default("\"client\""), "\"upstream\"";
    "Which Host header the upstream sees: the client's own, so that absolute links of the upstream are public ones, or \
     the host of the address that is asked, for upstreams that are told apart by name."

    UPSTREAM_ERROR_BODIES = Upstream "error_bodies", Shape::Words(&["replace", "keep_xml"]), Default("\"replace\""), "\"keep_xml\"";
    "What becomes of the body of an error of the upstream. `replace`: the error specification takes its place. `keep_xml`: that of \
     a 4xx in XML is kept, and a 403 in XML keeps its status, for protocols whose clients read them, such as WebDAV and CalDAV."

    UPSTREAM_RATE_LIMIT_HEADERS = Upstream "rate_limit_headers", Shape::Words(&["drop", "pass"]), Default("\"drop\""), "\"pass\"";
    "What becomes of the headers in which a limiter of the upstream's own tells its limits (`X-RateLimit-*`, `RateLimit-Limit` \
     and the like, `Retry-After` of a success), in answers to clients whose limits Fairgate tells. `drop`: they are left out, so \
     that a client reads one truth. `pass`: they stand beside Fairgate's."

    UPSTREAM_HTTP2 = Upstream "http2", Shape::Boolean, Default("false"), "true", also "h2";
    "Speak HTTP/2 to the upstream, as gRPC needs: at once over `http://`, chosen in the handshake (ALPN `h2`) over \
     `https://`, where an upstream that does not choose it cannot be reached. Requests of a data thread share connections. \
     WebSockets and other upgrades go by HTTP/1.1 all the same, which the upstream then has to speak as well."

    UPSTREAM_MAX_IN_FLIGHT = Upstream "max_in_flight", Shape::CountOrOff, Default("\"off\""), "200", also "max_connections";
    "Requests that one address works on at once, over all threads; with HTTP/1.1 each takes a connection. While all addresses have as \
     many, a request waits for a place (`queue`), and then is answered 503 `UNAVAILABLE`, free of charge."

    UPSTREAM_QUEUE = Upstream "queue", Shape::Whole { least: 0, most: 100_000 }, Default("100"), "100";
    "Requests that may wait for a place, for each address. `0`: none waits."

    UPSTREAM_QUEUE_TIME = Upstream "queue_time", Shape::Duration { least: 0, most: 60_000 }, Default("\"100ms\""), "\"100ms\"",
    also "queue_timeout";
    "How long a request waits for a place."

    UPSTREAM_RETRIES = Upstream "retries", Shape::Whole { least: 0, most: 10 }, Default("2"), "2";
    "How often one request is sent again, at most, each time to another address: a GET, HEAD, OPTIONS or TRACE without a \
     body, or a QUERY, that an address took and did not answer. A request that no connection was found for goes to the next address in any case."

    UPSTREAM_RETRY_PERCENT = Upstream "retry_percent", Shape::Whole { least: 0, most: 100 }, Default("20"), "20";
    "How many of a hundred requests are sent again, at most, beside those of `retry_per_second`."

    UPSTREAM_RETRY_PER_SECOND = Upstream "retry_per_second", Shape::Whole { least: 0, most: 100_000 }, Default("3"), "3";
    "How many requests are sent again in each second, whatever came."

    UPSTREAM_FAILURES = Upstream "failures", Shape::CountOrOff, Default("5"), "5", also "max_failures";
    "Requests in a row that an address did not answer, or by garbage, until it is taken out for a time. An error that it \
     answers is no failure, and where no other address is left it is asked all the same. `off`: it is never taken out."

    UPSTREAM_OUT_FOR = Upstream "out_for", Shape::Duration { least: 10, most: DAY }, Default("\"10s\""), "\"10s\"";
    "For how long it is taken out, a quarter more or less; each time it fails again when it is back, for twice as long."

    UPSTREAM_OUT_AT_MOST = Upstream "out_at_most", Shape::Duration { least: 10, most: DAY }, Default("\"5m\""), "\"5m\"";
    "The longest time for which it is taken out."

    UPSTREAM_SLOW_START = Upstream "slow_start", Shape::Duration { least: 0, most: HOUR }, Default("\"10s\""), "\"10s\"";
    "How long an address that is back gets fewer requests: from a tenth of its share at first up to the whole."

    UPSTREAM_NAME_SERVERS = Upstream "name_servers", Shape::Texts, Default("[]"), "[\"10.0.0.2\", \"10.0.0.3:5353\"]",
    also "resolvers";
    "Servers that are asked for host names, which are asked again when an answer has lived for as long as it says. Without \
     any, the system's resolver is asked, which knows `/etc/hosts` and search domains, but tells no such time."

    UPSTREAM_RESOLVE_EVERY = Upstream "resolve_every", Shape::Duration { least: 100, most: DAY }, Default("\"30s\""), "\"30s\"";
    "The longest time until a host name is asked for again. While that fails, what was found last holds."

    UPSTREAM_CONNECT = Upstream "connect_timeout", Shape::Duration { least: 1, most: DAY }, Means("as `[timeouts] connect`"),
    "\"2s\"";
    "Opening a connection."

    UPSTREAM_FIRST_BYTE = Upstream "first_byte_timeout", Shape::Duration { least: 1, most: DAY },
    Means("as `[timeouts] first_byte`"), "\"10s\"", also "response_timeout";
    "From the request to the first byte of the answer."

    UPSTREAM_STALL = Upstream "stall_timeout", Shape::Duration { least: 1, most: DAY }, Means("as `[timeouts] stall`"),
    "\"10s\"", also "idle_timeout";
    "Between two reads of the answer, and between two writes to either side."

    UPSTREAM_TOTAL = Upstream "total_timeout", Shape::Duration { least: 1, most: DAY }, Means("as `[timeouts] total`"),
    "\"1m\"";
    "From the end of a request, its body included, to the end of its answer, further addresses included. See `[timeouts] total`."

    ADDRESS_URL = UpstreamAddress "url", Shape::Text, Required, "\"http://10.0.0.1:9000\"", also "address";
    "As `url` of `[upstream]`. The paths of all addresses are the same."

    ADDRESS_WEIGHT = UpstreamAddress "weight", Shape::Whole { least: 1, most: 1_000 }, Default("1"), "3";
    "How many requests it gets beside those with other weights."

    CHECK_PATH = Check "path", Shape::Text, Required, "\"/health\"", also "url";
    "What is asked for by GET, behind the address's own path. It may have a query."

    CHECK_HOST = Check "host", Shape::Text, Means("the address itself"), "\"api.example.com\"";
    "The Host header of the question."

    CHECK_EVERY = Check "every", Shape::Duration { least: 10, most: DAY }, Default("\"5s\""), "\"5s\"", also "interval";
    "How long after one check the next begins, a tenth more or less."

    CHECK_TIMEOUT = Check "timeout", Shape::Duration { least: 1, most: DAY }, Default("\"2s\""), "\"2s\"";
    "How long an answer may take, connection included."

    CHECK_STATUSES = Check "statuses", Shape::Numbers { least: 200, most: 599 }, Default("[]"), "[200, 204]", also "status";
    "Statuses that say that the address is well. Empty: 200 to 299."

    CHECK_GOOD = Check "good", Shape::Whole { least: 1, most: 100 }, Default("2"), "2", also "rise";
    "Good answers in a row that bring it back."

    CHECK_BAD = Check "bad", Shape::Whole { least: 1, most: 100 }, Default("3"), "3", also "fall";
    "Bad ones in a row that take it out."

    SERVICE_NAME = Service "name", Shape::Text, Required, "\"shop\"";
    "Its name, for endpoints, incidents and `fairgate upstreams list`: 1 to 64 letters, digits, `-` and `_`."

    SERVICE_HOSTS = Service "hosts", Shape::Texts, Default("[]"), "[\"shop.example.com\", \"*.shops.example.com\"]";
    "Hosts that it answers for, without ports; `*.` stands for one name or several. Empty: any host that no other service \
     answers for."

    SERVICE_PATH = Service "path", Shape::Text, Means("any path"), "\"/shop\"", also "prefix";
    "What its paths begin with: `/shop` takes `/shop` and `/shop/a`, but not `/shops`. The longest wins."

    SERVICE_STRIP = Service "strip", Shape::Boolean, Default("false"), "true", also "strip_prefix";
    "Takes `path` off before a request is sent on, and puts it before the paths of redirects and cookies that come back."

    TIMEOUT_HEAD = Timeouts "head", Shape::Duration { least: 1, most: DAY }, Default("\"10s\""), "\"10s\"";
    "From the first byte of a request to the end of its head; past it the answer is 400 `REQUEST_TIMEOUT`."

    TIMEOUT_BODY = Timeouts "body", Shape::Duration { least: 1, most: DAY }, Default("\"30s\""), "\"30s\"";
    "Between two reads of a request's body."

    TIMEOUT_KEEP_ALIVE = Timeouts "keep_alive", Shape::Duration { least: 1, most: DAY }, Default("\"75s\""), "\"75s\"",
    also "idle";
    "How long a connection may stay open without a request."

    TIMEOUT_CONNECT = Timeouts "connect", Shape::Duration { least: 1, most: DAY }, Default("\"5s\""), "\"5s\"";
    "Opening a connection to the upstream."

    TIMEOUT_FIRST_BYTE = Timeouts "first_byte", Shape::Duration { least: 1, most: DAY }, Default("\"30s\""), "\"30s\"",
    also "response";
    "From the request to the first byte of the upstream's answer; past it the answer is 500."

    TIMEOUT_STALL = Timeouts "stall", Shape::Duration { least: 1, most: DAY }, Default("\"30s\""), "\"30s\"";
    "Between two reads of the upstream's answer, and between two writes to either side."

    TIMEOUT_TOTAL = Timeouts "total", Shape::Duration { least: 1, most: DAY }, Means("no bound"), "\"1m\"", also "request";
    "From the end of a request, its body included, to the end of its answer; if the answer begins earlier, from its beginning. \
     Past it the answer is 500, or broken off if it has begun; either is free. An event stream or a gRPC call that it ends was \
     delivered, and is charged."

    TIMEOUT_STREAM = Timeouts "stream", Shape::Duration { least: 1, most: DAY }, Default("\"1h\""), "\"1h\"",
    also "tunnel";
    "How long a WebSocket or another upgraded connection may be silent in both directions, and how long an event stream \
     (`text/event-stream`) or a gRPC stream of the upstream's may be silent."

    TIMEOUT_DRAIN = Timeouts "drain", Shape::Duration { least: 0, most: DAY }, Default("\"30s\""), "\"30s\"",
    also "shutdown";
    "How long running answers may take after SIGTERM."
}
