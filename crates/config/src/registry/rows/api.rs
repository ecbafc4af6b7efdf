//! Keys at the top of the file, and of `[api]`.

use crate::registry::{
    Absent::{Default, Means},
    Key, Shape, Table,
};

rows! {
    TRAILING_SLASH = Top "trailing_slash", Shape::Words(&["redirect", "keep"]), Default("\"redirect\""), "\"keep\"";
    "How to treat a slash at the end of a path. `redirect`: answer 301 to the same path without it. `keep`: take the path \
     as it is. An endpoint declared with a trailing slash always keeps it."

    REDIRECT_STATUS = Top "redirect_status", Shape::WholeOf(&[301, 308]), Default("301"), "308", also "keep_method";
    "The status of redirects for methods other than GET and HEAD. `301`: no `Location`; the new address is in the body \
     only, because many clients follow a 301 with a GET and lose the body. `308`: with `Location`; clients keep method \
     and body."

    STATUSES = Top "statuses", Shape::Words(&["fairgate", "rfc9110"]), Default("\"fairgate\""), "\"rfc9110\"";
    "What 401 and 403 mean. `fairgate`: 401 for a key without the required permission, 403 for a key that is missing or \
     incorrect. `rfc9110`: 401 for a missing or incorrect key, 403 for a missing permission, as in RFC 9110 and most APIs."

    EXTRA_CODES = Top "extra_codes", Shape::Statuses, Default("[]"), "[409, 412]";
    "Statuses outside the closed table that the upstream may send for this API. Each gets an error code of its own."

    UPGRADES = Top "upgrades", Shape::Texts, Default("[\"websocket\"]"), "[\"websocket\"]", also "upgrade_types";
    "Protocols that clients may switch to with an HTTP/1.1 `Upgrade`, by the name they use there. Other upgrades are not \
     passed on, because Fairgate does not see what goes through an upgraded connection. `h2c` and other versions of HTTP \
     are not allowed: whole requests would pass unseen."

    TRUSTED_PROXIES = Top "trusted_proxies", Shape::Texts, Default("[]"), "[\"10.0.0.0/8\", \"127.0.0.1\"]";
    "Addresses and networks of the proxies in front of Fairgate. Their `X-Forwarded-*` and `Forwarded` headers are trusted \
     and extended; those of everyone else are replaced."

    TRUSTED_HOPS = Top "trusted_hops", Shape::Whole { least: 1, most: 16 }, Means("only `trusted_proxies` are trusted"), "2",
    also "num_trusted_hops", "xff_num_trusted_hops";
    "The number of proxies in front of Fairgate, if their addresses are not known. The client's address is then that many \
     entries from the right in `X-Forwarded-For`, or in `Forwarded` if there is no `X-Forwarded-For`. A client that can reach \
     Fairgate without passing the proxies can forge its address."

    OPENAPI = Top "openapi", Shape::Text, Means("endpoints are those of this file"), "\"openapi.yaml\"",
    also "document";
    "The API's OpenAPI document (3.0, 3.1, 3.2 or Swagger 2.0; JSON or YAML), relative to the folder of this file. It \
     defines endpoints, permissions, key headers and the validation of requests; `[[endpoints]]` then adds to its operations."

    ALLOW_NO_ENDPOINTS = Top "allow_no_endpoints", Shape::Boolean, Default("false"), "true";
    "`true`: the API has no endpoints on purpose, so an empty document or configuration gives no warning, and a reload may \
     remove the last endpoint. `false`: such a reload is rejected, and the running configuration stays."

    RELOAD = Top "reload", Shape::Words(&["on_change", "on_signal"]), Default("\"on_change\""), "\"on_signal\"",
    also "watch";
    "When the running gateway reloads this file and the document. `on_change`: once they have changed and then stayed \
     unchanged for a second. `on_signal`: only at SIGHUP and `fairgate config reload`, which always work."

    API_NAME = Api "name", Shape::Text, Means("`info.title` of the `openapi` document; required without one"),
    "\"Items\"", also "title";
    "The API's name, shown on pages and in messages."

    API_SUPPORT_EMAIL = Api "support_email", Shape::Text, Means("a 500 response includes no contact address"),
    "\"help@example.com\"", also "email";
    "The address to write to after a 500; the `contact` of the error specification."

    API_PUBLIC_URL = Api "public_url", Shape::Text, Means("taken from the `Host` of the request"),
    "\"https://api.example.com\"", also "base_url";
    "The base URL under which clients reach the API, for links and redirects."

    API_RESERVED_PREFIX = Api "reserved_prefix", Shape::Text, Default("\"/_\""), "\"/_\"";
    "The prefix of Fairgate's own paths: `/_` gives `/_docs/` and `/_limits`. No endpoint may start with it."
}
