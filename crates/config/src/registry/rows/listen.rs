//! Keys of listeners: `[listen]`, `[http2]`, `[tls]` and its certificates.

use super::{CENTURY, HOUR, KIB};
use crate::registry::{
    Absent::{Default, Means, Required},
    Key, Shape, Table,
};

rows! {
    LISTEN_ADDRESS = Listen "address", Shape::Text, Default("\"127.0.0.1:8080\""), "\"127.0.0.1:8080\"", also "port";
    "IP address and port. `0.0.0.0:8080` listens on every IPv4 address, `[::]:8080` on every address; port 0 lets the \
     system choose."

    LISTEN_THREADS = Listen "threads", Shape::Whole { least: 1, most: 1_024 }, Means("the number of cores"), "2",
    also "workers";
    "The number of data threads. The environment variable `FAIRGATE_THREADS` overrides it."

    HTTP2_ENABLED = Http2 "enabled", Shape::Boolean, Default("true"), "false";
    "Whether clients may use HTTP/2: over TLS by ALPN, without TLS by prior knowledge."

    HTTP2_MAX_CONCURRENT_STREAMS = Http2 "max_concurrent_streams", Shape::Whole { least: 1, most: 10_000 }, Default("100"), "100",
    also "streams";
    "The number of requests that a client may have open at once on one connection. Further streams are refused, and \
     clients may retry them."

    HTTP2_INITIAL_STREAM_WINDOW_SIZE = Http2 "initial_stream_window_size", Shape::Size { least: 64 * KIB, most: 16 * KIB * KIB },
    Default("\"64KiB\""), "\"1MiB\"", also "window", "initial_window_size";
    "How many bytes of one request body a client may send before Fairgate has consumed them. The window of a connection \
     is 16 times as large. At least 64 KiB, at most 16 MiB."

    LISTEN_PROXY_PROTOCOL = Listen "proxy_protocol", Shape::Words(&["off", "required"]), Default("\"off\""),
    "\"required\"";
    "`required`: each connection starts with a PROXY protocol header, version 1 or 2, that carries the client's address. \
     Only `trusted_proxies` can connect then."

    TLS_ADDRESS = Tls "address", Shape::Text, Default("\"127.0.0.1:8443\""), "\"0.0.0.0:443\"", also "port";
    "IP address and port for HTTPS."

    TLS_CERTIFICATE = Tls "certificate", Shape::Text, Means("the certificates are those of `[tls.acme]`"),
    "\"tls/fullchain.pem\"", also "cert";
    "A PEM file with the certificate, followed by its intermediates; relative to the folder of this file. It is served to \
     clients that ask for one of its names, for an unknown name, or for no name."

    TLS_KEY = Tls "key", Shape::Text, Means("as with `certificate`"), "\"tls/privkey.pem\"", also "private_key";
    "A PEM file with the private key of `certificate`: PKCS#8, SEC1 or PKCS#1, without a password."

    TLS_MIN_VERSION = Tls "min_version", Shape::Words(&["1.2", "1.3"]), Default("\"1.2\""), "\"1.3\"", also "version";
    "The lowest TLS version that is accepted."

    TLS_PLAINTEXT = Tls "plaintext", Shape::Words(&["serve", "redirect", "off"]),
    Means("`serve`; `off` if client certificates are required"), "\"redirect\"", also "plain", "http";
    "How to treat requests without TLS, at `[listen] address`. `serve`: as requests over HTTPS. `redirect`: answer 301 \
     `ENDPOINT_MOVED` to the same address under https, or 400 `HTTPS_REQUIRED` if the request has an API key. `off`: do not \
     listen there. If client certificates are required, `serve` is an error unless `[listen] address` is a loopback address."

    TLS_HSTS = Tls "hsts", Shape::Duration { least: 0, most: CENTURY }, Means("no such header"), "\"365d\"";
    "The `max-age` of the `Strict-Transport-Security` header in responses over HTTPS. `\"0s\"` revokes an earlier value."

    TLS_HSTS_INCLUDE_SUBDOMAINS = Tls "hsts_include_subdomains", Shape::Boolean, Default("false"), "true",
    also "hsts_subdomains";
    "Whether `hsts` also applies to all subdomains."

    TLS_CLIENT_CA = Tls "client_ca", Shape::Text, Means("clients are not asked for a certificate"),
    "\"tls/clients.pem\"";
    "A PEM file with the certificate authorities that client certificates must be issued by."

    TLS_CLIENT_CERTIFICATE = Tls "client_certificate", Shape::Words(&["required", "optional"]),
    Default("\"required\""), "\"optional\"";
    "With `client_ca`: whether clients must present a certificate. A certificate from another authority is rejected either \
     way. `required` applies to every request: see `plaintext`."

    TLS_CLIENT_SUBJECT_HEADER = Tls "client_subject_header", Shape::Text, Means("the subject is not sent to the upstream"),
    "\"X-Client-Subject\"";
    "The request header that passes the subject of the client certificate to the upstream (RFC 4514), such as \
     `CN=billing,O=Example`. A header of this name from a client is never passed on."

    TLS_HANDSHAKE_TIMEOUT = Tls "handshake_timeout", Shape::Duration { least: 100, most: HOUR }, Default("\"10s\""), "\"5s\"",
    also "handshake";
    "How long a TLS handshake may take."

    TLS_PROXY_PROTOCOL = Tls "proxy_protocol", Shape::Words(&["off", "required"]), Default("\"off\""),
    "\"required\"";
    "As `[listen] proxy_protocol`, for HTTPS; the header precedes the handshake."

    CERTIFICATE_CERTIFICATE = Certificate "certificate", Shape::Text, Required, "\"tls/other.pem\"", also "cert";
    "As `[tls] certificate`."

    CERTIFICATE_KEY = Certificate "key", Shape::Text, Required, "\"tls/other.key\"", also "private_key";
    "As `[tls] key`."

    ACME_DOMAINS = Acme "domains", Shape::Texts, Required, "[\"api.example.com\"]", also "names";
    "The names of the certificate."

    ACME_CONTACT = Acme "contact", Shape::Texts, Default("[]"), "[\"ops@example.com\"]", also "email";
    "Email addresses that the authority may write to."

    ACME_DIRECTORY = Acme "directory", Shape::Text, Default("\"https://acme-v02.api.letsencrypt.org/directory\""),
    "\"https://acme-staging-v02.api.letsencrypt.org/directory\"", also "server", "directory_url";
    "The directory URL of the authority. By using it you agree to its terms of service."

    ACME_CA = Acme "ca", Shape::Text, Means("the authorities that this machine trusts"), "\"tls/acme-ca.pem\"";
    "A PEM file with the certificate authorities that the directory's own certificate must be issued by."

    ACME_CHALLENGE = Acme "challenge", Shape::Words(&["http-01", "tls-alpn-01"]), Default("\"http-01\""),
    "\"tls-alpn-01\"";
    "How the authority validates that you control the names. `http-01`: at port 80, which must lead to `[listen] address`. \
     `tls-alpn-01`: at port 443, which must lead to `[tls] address`."

    ACME_PROFILE = Acme "profile", Shape::Text, Means("the authority's default"), "\"shortlived\"";
    "The certificate profile to order, by its name in the authority's directory."

    ACME_EAB_KEY_ID = Acme "eab_key_id", Shape::Text, Means("no external account binding"), "\"kid-1\"",
    also "eab_kid";
    "For authorities that require external account binding: the key id that the authority gave you."

    ACME_EAB_KEY = Acme "eab_key", Shape::Text, Means("as with `eab_key_id`"),
    "\"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\"", also "eab_hmac_key";
    "The key itself, in base64url as the authority shows it. It is needed for the first order only."
}
