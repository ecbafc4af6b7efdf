//! Keys of what listens: `[listen]`, `[http2]`, `[tls]` and its certificates.

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
}
