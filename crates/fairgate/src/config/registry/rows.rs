//! The rows of the registry, in the order in which the reference page shows them.

use super::{
    Absent::{Default, Means, Required},
    Key, Shape, Table,
};

/// A day in milliseconds: no phase of a request takes longer.
const DAY: u64 = 86_400_000;
const HOUR: u64 = 3_600_000;
const CENTURY: u64 = 36_525 * DAY;
const KIB: u64 = 1_024;
const MIB: u64 = KIB * KIB;
const TIB: u64 = KIB * KIB * KIB * KIB;

macro_rules! rows {
    ($($id:ident = $table:ident $name:literal, $shape:expr, $absent:expr, $example:literal $(, also $also:expr)?;
       $meaning:literal)*) => {
        $(pub(in crate::config) const $id: Key = Key {
            table: Table::$table,
            name: $name,
            shape: $shape,
            absent: $absent,
            example: $example,
            meaning: $meaning,
            also_called: &[$($also),*],
        };)*

        /// Every key.
        pub(in crate::config) const ROWS: &[&Key] = &[$(&$id),*];
    };
}

rows! {
    TRAILING_SLASH = Top "trailing_slash", Shape::Words(&["redirect", "keep"]), Default("\"redirect\""), "\"keep\"";
    "What a slash at the end of a path does: `redirect` answers 301 to the same path without it, `keep` takes the \
     path as it is. An endpoint that is declared with a slash at its end always keeps it."

    REDIRECT_STATUS = Top "redirect_status", Shape::WholeOf(&[301, 308]), Default("301"), "308", also "keep_method";
    "How redirects answer methods other than GET and HEAD. `301` sends no `Location`: the address is in the body alone, because many clients follow a 301 with a GET and lose the body. `308` sends `Location`, and clients keep the method and body."

    STATUSES = Top "statuses", Shape::Words(&["fairgate", "rfc9110"]), Default("\"fairgate\""), "\"rfc9110\"";
    "Which way round 401 and 403 are. `fairgate`: 401 means that the key lacks the permission, 403 that it is not set \
     or incorrect. `rfc9110`: the other way round, as in RFC 9110 and in most APIs."

    EXTRA_CODES = Top "extra_codes", Shape::Statuses, Default("[]"), "[409, 412]";
    "Statuses outside the closed table that the upstream may send for this API. Each gets an error code of its own."

    UPGRADES = Top "upgrades", Shape::Texts, Default("[\"websocket\"]"), "[\"websocket\"]";
    "Protocols that a client may switch a connection to by an HTTP/1.1 Upgrade, as it names them. All other upgrades \
     are not passed on: what goes through such a connection, Fairgate does not see. `h2c` and other versions of HTTP \
     cannot be named: whole requests would pass unseen."

    TRUSTED_PROXIES = Top "trusted_proxies", Shape::Texts, Default("[]"), "[\"10.0.0.0/8\", \"127.0.0.1\"]";
    "Addresses and networks of the proxies before Fairgate, whose `X-Forwarded-*` and `Forwarded` are believed and \
     prolonged. From everyone else these headers are replaced."

    TRUSTED_HOPS = Top "trusted_hops", Shape::Whole { least: 1, most: 16 }, Means("only `trusted_proxies` are believed"), "2",
    also "num_trusted_hops";
    "How many proxies stand before Fairgate, for when their addresses are not known: the client is the address that many \
     places from the right in `X-Forwarded-For`, or in `Forwarded` if that is the only one. Whoever can reach Fairgate \
     without passing them can then say which address it has."

    OPENAPI = Top "openapi", Shape::Text, Means("the endpoints are those of this file"), "\"openapi.yaml\"",
    also "document";
    "The API's OpenAPI document (3.0, 3.1, 3.2 or Swagger 2.0; JSON or YAML), relative to the folder of this file. \
     Endpoints, permissions, key headers and the validation of requests come from it; `[[endpoints]]` then add to what \
     it says of an operation."

    ALLOW_NO_ENDPOINTS = Top "allow_no_endpoints", Shape::Boolean, Default("false"), "true";
    "`true`: the API has no endpoints on purpose. There is no warning that the document or this file declares none, and \
     a reload that removes the last one is applied. `false`: such a reload is refused and the running configuration \
     stays."

    RELOAD = Top "reload", Shape::Words(&["on_change", "on_signal"]), Default("\"on_change\""), "\"on_signal\"",
    also "watch";
    "When the running gateway takes this file and the document over again. `on_change`: as soon as they have changed and \
     then stayed as they are for a second. `on_signal`: at SIGHUP and `fairgate config reload` only, which always work."

    API_NAME = Api "name", Shape::Text, Means("`info.title` of the `openapi` document; without one it must be set"),
    "\"Items\"", also "title";
    "The API's name, shown on pages and in messages."

    API_SUPPORT_EMAIL = Api "support_email", Shape::Text, Means("a 500 names no address"), "\"help@example.com\"",
    also "email";
    "The address to write to after a 500; `contact` of the error specification."

    API_PUBLIC_URL = Api "public_url", Shape::Text, Means("made of the request's own Host"),
    "\"https://api.example.com\"", also "base_url";
    "The base under which clients reach the API, for links and redirects."

    API_RESERVED_PREFIX = Api "reserved_prefix", Shape::Text, Default("\"/_\""), "\"/_\"";
    "What Fairgate's own paths begin with: `/_` gives `/_docs/` and `/_limits`. No endpoint may begin with it."

    LISTEN_ADDRESS = Listen "address", Shape::Text, Default("\"127.0.0.1:8080\""), "\"127.0.0.1:8080\"", also "port";
    "IP address and port. `0.0.0.0:8080` listens on every IPv4 address, `[::]:8080` on every address; port 0 lets the \
     system choose."

    LISTEN_THREADS = Listen "threads", Shape::Whole { least: 1, most: 1_024 }, Means("the number of cores"), "2",
    also "workers";
    "Data threads. The environment variable `FAIRGATE_THREADS` wins over it."

    HTTP2_ENABLED = Http2 "enabled", Shape::Boolean, Default("true"), "false";
    "Whether clients may speak HTTP/2: over TLS where they offer it, without TLS by its preface (prior knowledge)."

    HTTP2_STREAMS = Http2 "streams", Shape::Whole { least: 1, most: 10_000 }, Default("100"), "100",
    also "max_concurrent_streams";
    "Requests that a client may have open at once on one connection. One more is refused so that the client may \
     send it again."

    HTTP2_WINDOW = Http2 "window", Shape::Size { least: 64 * KIB, most: 16 * KIB * KIB }, Default("\"64KiB\""), "\"1MiB\"",
    also "initial_window_size";
    "Bytes of one request's body that a client may send before they are used. A connection may hold 16 times as much \
     of all its bodies. At least 64 KiB, at most 16 MiB."

    LISTEN_PROXY_PROTOCOL = Listen "proxy_protocol", Shape::Words(&["off", "required"]), Default("\"off\""),
    "\"required\"";
    "`required`: each connection begins with a header of the PROXY protocol, version 1 or 2, which tells the client's \
     address. Only `trusted_proxies` can connect then."

    TLS_ADDRESS = Tls "address", Shape::Text, Default("\"127.0.0.1:8443\""), "\"0.0.0.0:443\"", also "port";
    "IP address and port for HTTPS."

    TLS_CERTIFICATE = Tls "certificate", Shape::Text, Means("the certificates are those of `[tls.acme]`"),
    "\"tls/fullchain.pem\"", also "cert";
    "A file with the certificate in PEM form, and behind it those that vouch for it; relative to the folder of this \
     file. It is shown to clients that ask for one of its names, and to those that ask for no name that is known."

    TLS_KEY = Tls "key", Shape::Text, Means("as with `certificate`"), "\"tls/privkey.pem\"", also "private_key";
    "A file with the private key of `certificate` in PEM form: PKCS#8, SEC1 or PKCS#1, without a password."

    TLS_MIN_VERSION = Tls "min_version", Shape::Words(&["1.2", "1.3"]), Default("\"1.2\""), "\"1.3\"", also "version";
    "The oldest version of TLS that is spoken."

    TLS_PLAIN = Tls "plain", Shape::Words(&["serve", "redirect", "off"]),
    Means("`serve`; `off` where clients have to show a certificate"), "\"redirect\"", also "http";
    "What is done with requests that come without TLS, at `[listen] address`: `serve` answers them as those by HTTPS, \
     `redirect` answers 301 `ENDPOINT_MOVED` to the same address under https, and 400 `HTTPS_REQUIRED` to a request with \
     an API key, `off` does not listen there at all. Where clients have to show a certificate, `serve` is a fault, unless \
     `[listen] address` is a loopback address."

    TLS_HSTS = Tls "hsts", Shape::Duration { least: 0, most: CENTURY }, Means("no such header"), "\"365d\"";
    "Answers by HTTPS say in `Strict-Transport-Security` that clients must not come without TLS for this long. `\"0s\"` \
     takes back what was said before."

    TLS_HSTS_SUBDOMAINS = Tls "hsts_subdomains", Shape::Boolean, Default("false"), "true";
    "What `hsts` says holds for all names under this one, too."

    TLS_CLIENT_CA = Tls "client_ca", Shape::Text, Means("clients are not asked for a certificate"),
    "\"tls/clients.pem\"";
    "A file with the certificates, in PEM form, of the authorities that clients' certificates have to come from."

    TLS_CLIENT_CERTIFICATE = Tls "client_certificate", Shape::Words(&["required", "optional"]),
    Default("\"required\""), "\"optional\"";
    "With `client_ca`: whether clients have to show a certificate. One of another authority is refused in either case. \
     `required` means every request: see `plain`."

    TLS_CLIENT_SUBJECT_HEADER = Tls "client_subject_header", Shape::Text, Means("the upstream is not told"),
    "\"X-Client-Subject\"";
    "The header that tells the upstream the subject of the client's certificate (RFC 4514), such as \
     `CN=billing,O=Example`. What clients send under this name is never passed on."

    TLS_HANDSHAKE = Tls "handshake", Shape::Duration { least: 100, most: HOUR }, Default("\"10s\""), "\"5s\"";
    "How long a TLS handshake may take."

    TLS_PROXY_PROTOCOL = Tls "proxy_protocol", Shape::Words(&["off", "required"]), Default("\"off\""),
    "\"required\"";
    "As `[listen] proxy_protocol`, for HTTPS; the header stands before the handshake."

    CERTIFICATE_CERTIFICATE = Certificate "certificate", Shape::Text, Required, "\"tls/other.pem\"", also "cert";
    "As `[tls] certificate`."

    CERTIFICATE_KEY = Certificate "key", Shape::Text, Required, "\"tls/other.key\"", also "private_key";
    "As `[tls] key`."

    ACME_DOMAINS = Acme "domains", Shape::Texts, Required, "[\"api.example.com\"]", also "names";
    "The names that one certificate is fetched for."

    ACME_CONTACT = Acme "contact", Shape::Texts, Default("[]"), "[\"ops@example.com\"]", also "email";
    "E-mail addresses that the authority may write to."

    ACME_DIRECTORY = Acme "directory", Shape::Text, Default("\"https://acme-v02.api.letsencrypt.org/directory\""),
    "\"https://acme-staging-v02.api.letsencrypt.org/directory\"", also "server";
    "The authority's directory. To use it means to agree to its terms of service."

    ACME_CA = Acme "ca", Shape::Text, Means("the authorities that this machine trusts"), "\"tls/acme-ca.pem\"";
    "A file with the certificates, in PEM form, that the directory's own certificate has to come from."

    ACME_CHALLENGE = Acme "challenge", Shape::Words(&["http-01", "tls-alpn-01"]), Default("\"http-01\""),
    "\"tls-alpn-01\"";
    "How the authority sees that a name leads here: `http-01` asks at port 80, which has to lead to `[listen] address`; \
     `tls-alpn-01` asks at port 443, which has to lead to `[tls] address`."

    ACME_PROFILE = Acme "profile", Shape::Text, Means("the authority's default"), "\"shortlived\"";
    "Which kind of certificate is ordered, by the name that the authority's directory has for it."

    ACME_EAB_KEY_ID = Acme "eab_key_id", Shape::Text, Means("the account is bound to no other one"), "\"kid-1\"",
    also "eab_kid";
    "For authorities that require external account binding: the id of the key that the authority gave you."

    ACME_EAB_KEY = Acme "eab_key", Shape::Text, Means("as with `eab_key_id`"),
    "\"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\"", also "eab_hmac_key";
    "The key itself, in base64url as the authority shows it. It is needed for the first order only."

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

    SIZE_HEAD = Sizes "head", Shape::Size { least: KIB, most: KIB * KIB }, Default("\"32KiB\""), "\"32KiB\"",
    also "headers";
    "A request's head, request line included. Past it the answer is 400 `HEADERS_TOO_LARGE`. At least 1 KiB, at most 1 MiB."

    SIZE_BODY = Sizes "body", Shape::Size { least: 0, most: TIB }, Default("\"10MiB\""), "\"10MiB\"", also "max_body";
    "A request's body. Past it the answer is 400 `BODY_TOO_LARGE`. An endpoint may set its own by `max_body`."

    SIZE_BODY_VALUES = Sizes "body_values", Shape::Whole { least: 1, most: 100_000_000 }, Default("1000000"), "1000000",
    also "max_body_values";
    "Values of a body that is checked: in JSON every value, members and items included; in a form its pairs. Past it the \
     answer is 400 `BODY_TOO_LARGE`. Each value takes some 50 to 300 bytes of memory while the body is checked."

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

    KEYS_HEADERS = Keys "headers", Shape::Texts, Default("[\"X-API-Key\"]"), "[\"X-API-Key\"]", also "header";
    "Headers that may hold the key, in the order in which they are looked at. `Authorization` (Bearer and Basic) is \
     always looked at after them."

    KEYS_PATTERN = Keys "pattern", Shape::Text, Means("an imported key has any format"), "\"[A-Za-z0-9]{36}\"",
    also "format";
    "A regular expression that the whole of an imported key matches. A key that neither fits it nor is well formed as \
     Fairgate's own is 400 `KEY_FORMAT_INCORRECT`."

    KEYS_CHALLENGE = Keys "challenge", Shape::Words(&["bearer", "basic"]), Default("\"bearer\""), "\"basic\"";
    "What a 401 for a key that is missing or incorrect asks for in `WWW-Authenticate`, with `statuses = \"rfc9110\"`. `basic`: \
     for clients that send a user and a password only once they are asked, such as WebDAV's; a browser then shows a \
     dialogue. Keys are taken in both ways, whatever is asked for."

    PLAN_LIMITS = Plan "limits", Shape::Texts, Required, "[\"1000 per day\", \"20 per second\"]", also "limit";
    "One to eight limits, all of which hold. `1000 per day`: windows of the calendar (second, minute, hour, day, month) in \
     UTC; days and months may be those of a time zone, `1000 per day in Europe/Berlin`. `100 per rolling 15 minutes`: any \
     span of that length, 60 seconds to 31 days. `10 per second, burst 50`: a rate per second, minute or hour, refilled \
     evenly, at most 50 at once. `20 at once`: requests in flight, whatever they cost. `10000 in all`: never resets. Each \
     may end in ` for GROUP`: then only endpoints of that `group` count."

    ADDRESS_LIMITS = Address "limits", Shape::Texts, Means("public endpoints have no limits"), "[\"60 per minute\"]",
    also "limit";
    "One to eight limits as in a plan, but not `at once` and not `in all`. Past one of them the answer is 429."

    ADDRESS_ALLOW = Address "allow", Shape::Texts, Means("every address may use the API"), "[\"10.0.0.0/8\", \"2001:db8::/32\"]";
    "The only addresses and networks that may use the API; any other is 401 `PERMISSION_DENIED`, whatever its key."

    ADDRESS_DENY = Address "deny", Shape::Texts, Default("[]"), "[\"198.51.100.7\"]", also "block";
    "Addresses and networks that may not use the API. They win over `allow`."

    VALIDATION_UNKNOWN_QUERY = Validation "unknown_query", Shape::Words(&["ignore", "refuse"]), Default("\"ignore\""),
    "\"refuse\"";
    "What a query parameter does that the endpoint does not name: `ignore` passes it on, `refuse` answers 400 \
     `PARAMETER_NOT_VALID` and names the nearest known one. It holds where an endpoint has any rules."

    VALIDATION_READ_ONLY = Validation "read_only", Shape::Words(&["ignore", "refuse"]), Default("\"ignore\""),
    "\"refuse\"";
    "What a member of a body does that the document calls `readOnly`: `ignore` passes it on, because clients send back \
     what they were given; `refuse` answers 422 `BODY_NOT_VALID`."

    VALIDATION_FORMATS = Validation "formats", Shape::Words(&["strict", "lenient"]), Default("\"strict\""), "\"lenient\"";
    "How `format: date-time` and `format: time` are read. `strict`: as RFC 3339 has them, with seconds and zone. `lenient`: \
     seconds and zone may be missing, as in `12:30:00` and `2026-01-31T12:30:00`, which many frameworks write. Other formats \
     are the same in both."

    STRICT_HEADER_NAMES = Strictness "header_names", Shape::Words(&["drop", "refuse", "pass"]), Default("\"drop\""), "\"refuse\"",
    also "underscores";
    "What happens to headers whose names hold more than letters, digits and hyphens, such as `X_Forwarded_For`: many servers \
     cannot tell them from the same name with hyphens. `drop` hides them from the upstream, `refuse` answers 400 \
     `REQUEST_MALFORMED`, `pass` sends them on. Headers of `[keys] headers` and \
     those that an endpoint declares pass. A name that such servers take for a key header, or for one that Fairgate itself \
     sets, never does."

    STRICT_OVERRIDE_HEADERS = Strictness "override_headers", Shape::Words(&["refuse", "drop", "pass"]), Default("\"refuse\""),
    "\"drop\"";
    "What happens to headers by which some servers take another path, method or host than those of the request line and `Host`: \
     `X-HTTP-Method-Override`, `X-HTTP-Method`, `X-Method-Override`, `X-Original-Method`, `X-Original-URL`, `X-Original-URI`, \
     `X-Original-Path`, `X-Rewrite-URL`, `X-Rewrite-URI`, `X-HTTP-Path-Override`, `X-Path-Override`, `X-Override-Path`, \
     `X-HTTP-Host-Override`, `X-Host-Override`."

    STRICT_BODY_OF_GET = Strictness "body_of_get", Shape::Words(&["refuse", "pass"]), Default("\"refuse\""), "\"pass\"",
    also "get_body";
    "What a body of GET or HEAD does at an endpoint that declares none: `refuse` answers 400 `REQUEST_MALFORMED`, `pass` \
     sends it on."

    STRICT_REPEATED_SLASHES = Strictness "repeated_slashes", Shape::Words(&["keep", "merge", "refuse"]), Default("\"keep\""),
    "\"merge\"", also "merge_slashes";
    "What several slashes in a row in a path are: several (`keep`), one, also for the upstream (`merge`), or 400 \
     `REQUEST_MALFORMED` (`refuse`). Kept, they are never a way to another endpoint of a server that merges them: that is 400."

    STRICT_AMBIGUOUS_PATHS = Strictness "ambiguous_paths", Shape::Words(&["check", "refuse", "pass"]), Default("\"check\""),
    "\"pass\"", also "encoded_slashes";
    "What happens to paths with `%2F`, `%5C`, `;`, `%25` and other characters that servers read in different ways. `check` \
     answers 400 `REQUEST_MALFORMED` if a server that reads them differently would find another endpoint; `refuse` always \
     does; `pass` sends them on, for an API whose path parameters hold encoded slashes and whose server routes before it \
     decodes."

    CORS_ORIGINS = Cors "origins", Shape::Texts, Means("no page of another origin may read answers"),
    "[\"https://app.example.com\", \"https://*.example.org\"]", also "allowed_origins";
    "Origins whose pages may, as browsers write them; `*.` before a host means every host below it. `[\"*\"]` means every \
     origin, but then not `credentials`."

    CORS_METHODS = Cors "methods", Shape::Texts, Means("those that the page asks for"), "[\"GET\", \"POST\"]",
    also "allowed_methods";
    "Methods that such pages may use."

    CORS_HEADERS = Cors "headers", Shape::Texts, Means("those that the page asks for"), "[\"X-API-Key\", \"Content-Type\"]",
    also "allowed_headers";
    "Headers that such pages may send."

    CORS_EXPOSE = Cors "expose", Shape::Texts, Default("[]"), "[\"ETag\"]", also "exposed_headers";
    "Headers of answers that such pages may read, beside those that Fairgate itself tells: the limits, the request id, \
     `Retry-After` and others."

    CORS_CREDENTIALS = Cors "credentials", Shape::Boolean, Default("false"), "true", also "allow_credentials";
    "Whether such pages may send cookies and read what they get for them. Keys in headers need no credentials."

    CORS_MAX_AGE = Cors "max_age", Shape::Duration { least: 0, most: DAY }, Default("\"10m\""), "\"1h\"";
    "How long a browser may remember what a page may send."

    COMPRESSION_ENABLED = Compression "enabled", Shape::Boolean, Default("false"), "true", also "gzip";
    "Whether answers are packed. Think of BREACH first: where an answer holds a secret and, in the same body, something that \
     an attacker chooses, its packed size tells the secret bit by bit. Leave it off for such answers, or name only types that \
     hold no secrets."

    COMPRESSION_TYPES = Compression "types", Shape::Texts, Means("text, JSON, XML, YAML, JavaScript and SVG"),
    "[\"application/json\", \"text/*\"]", also "mime_types";
    "Media types that are packed, without parameters; a star stands for any letters."

    COMPRESSION_MINIMUM = Compression "minimum", Shape::Size { least: 1, most: TIB }, Default("\"1KiB\""), "\"4KiB\"",
    also "min_size";
    "Answers that are known to be smaller are not packed."

    ENDPOINT_OPERATION = Endpoint "operation", Shape::Text, Means("`method` and `path` name the endpoint"),
    "\"createItem\"", also "operation_id";
    "The `operationId` of the document's operation that this table adds to, in place of `method` and `path`."

    ENDPOINT_METHOD = Endpoint "method", Shape::Text, Means("`operation` names the endpoint; without it, it must be set"),
    "\"GET\"", also "methods";
    "The method, in upper-case letters."

    ENDPOINT_PATH = Endpoint "path", Shape::Text, Means("`operation` names the endpoint; without it, it must be set"),
    "\"/items/{id}\"", also "url";
    "The path, with `{name}` where any text without a slash may stand. A slash at its end is kept."

    ENDPOINT_PERMISSION = Endpoint "permission", Shape::Text, Means("any key will do"), "\"items:read\"", also "scope";
    "The permission that a key needs; without it the answer is 401 `PERMISSION_DENIED`."

    ENDPOINT_PUBLIC = Endpoint "public", Shape::Boolean, Default("false"), "false", also "open";
    "Open to everyone: no key is looked at. Only the limits of `[address]` count its requests."

    ENDPOINT_ALLOW = Endpoint "allow", Shape::Texts, Means("as `[address]` says"), "[\"10.0.0.0/8\"]";
    "The only addresses and networks that may use this endpoint; any other is 401 `PERMISSION_DENIED`. What `[address]` \
     denies stays denied."

    ENDPOINT_DENY = Endpoint "deny", Shape::Texts, Default("[]"), "[\"198.51.100.0/24\"]", also "block";
    "Addresses and networks that may not use this endpoint. They win over `allow`."

    ENDPOINT_COST = Endpoint "cost", Shape::Whole { least: 1, most: 0x7fff_ffff }, Default("1"), "5", also "weight";
    "Units that a success costs, of every limit that counts it but those of requests at once. With `cost_header`, the most \
     that it can cost."

    ENDPOINT_COST_HEADER = Endpoint "cost_header", Shape::Text, Means("a success costs `cost`"), "\"X-Cost\"",
    also "cost_from";
    "The header in which the upstream tells what a success has cost: a whole number up to `cost`, which is reserved until \
     then. What it does not tell, or wrongly, costs `cost`."

    ENDPOINT_GROUP = Endpoint "group", Shape::Text, Means("only limits of all endpoints count it"), "\"search\"",
    also "limit_group";
    "The group that it belongs to, for limits that end in ` for GROUP`: 1 to 64 letters, digits, `-` and `_`."

    ENDPOINT_SERVICE = Endpoint "service", Shape::Text, Means("the service that host and path lead to"), "\"shop\"";
    "The service that its requests go to, whatever their host. Without it, an endpoint is one of all services."

    ENDPOINT_MOVED_TO = Endpoint "moved_to", Shape::Text, Means("it has not moved"), "\"/items/{id}\"", also "moved";
    "The endpoint has moved for good, with this method, to this path: it answers 301 `ENDPOINT_MOVED`. It may use the \
     names of the endpoint's path."

    ENDPOINT_DEPRECATED = Endpoint "deprecated", Shape::Text, Means("as the document says; without one, it is not"),
    "\"2026-06-01\"", also "deprecated_since";
    "Since when clients are told to leave this endpoint, which still works: a date, or a time in RFC 3339. Every answer \
     of it has the headers `Deprecation` and `Link`. For an operation that only the document calls deprecated, it is \
     the date of the document's file."

    ENDPOINT_MAX_BODY = Endpoint "max_body", Shape::Size { least: 0, most: TIB }, Means("as `[sizes] body`"), "\"1MiB\"",
    also "body";
    "The largest body that this endpoint takes."

    ENDPOINT_MEDIA_TYPES = Endpoint "media_types", Shape::Texts, Default("[]"), "[\"application/json\"]",
    also "content_types";
    "Media types that a request's body may have, without parameters; any other is 400 `MEDIA_TYPE_NOT_SUPPORTED`. \
     Empty: any."

    PARAMETER_IN = Parameter "in", Shape::Words(&["path", "query", "header", "body"]), Required, "\"query\"", also "place";
    "Where it stands: a `{name}` of the path, the query string, a header, or a member of the JSON object that is the \
     body. A violation is 400, in the body 422."

    PARAMETER_NAME = Parameter "name", Shape::Text, Required, "\"limit\"";
    "Its name. Of a header, upper and lower case are the same."

    PARAMETER_TYPE = Parameter "type", Shape::Words(&["string", "integer", "number", "boolean"]), Default("\"string\""),
    "\"integer\"", also "kind";
    "What its value must be."

    PARAMETER_REQUIRED = Parameter "required", Shape::Boolean, Default("false"), "true";
    "Its absence is an error. A parameter of the path is always there."

    PARAMETER_PATTERN = Parameter "pattern", Shape::Text, Means("any text"), "\"[a-z]+\"", also "regex";
    "A regular expression that the whole of a string matches."

    PARAMETER_MINIMUM = Parameter "minimum", Shape::Number, Means("no bound"), "1", also "min";
    "The smallest number, or the fewest characters of a string."

    PARAMETER_MAXIMUM = Parameter "maximum", Shape::Number, Means("no bound"), "100", also "max";
    "The largest number, or the most characters of a string."

    PARAMETER_ONE_OF = Parameter "one_of", Shape::Scalars, Means("any value"), "[10, 20, 50]", also "enum";
    "The only values that are allowed."

    MOVED_FROM = Moved "from", Shape::Text, Required, "\"/old-items/{id}\"";
    "The old path. It wins over an endpoint that would match, so it may not hide one."

    MOVED_TO = Moved "to", Shape::Text, Required, "\"/items/{id}\"";
    "The new path. It may use the names of `from`."

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
