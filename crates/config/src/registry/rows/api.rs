//! Keys at the top of the file, and of `[api]`.

use crate::registry::{
    Absent::{Default, Means},
    Key, Shape, Table,
};

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
}
