//! The registry of configuration keys: what a row says and how tables nest. The rows are in `rows`.
//!
//! From here come the check for unknown keys, the defaults, the JSON Schema and the reference page,
//! so that none of them can say something else than the others.

mod rows;

pub(super) use rows::*;

/// A table of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Table {
    Top,
    Api,
    Listen,
    Http2,
    Tls,
    Certificate,
    Acme,
    Upstream,
    UpstreamAddress,
    Check,
    Service,
    Timeouts,
    Sizes,
    Store,
    Usage,
    Keys,
    Plan,
    Address,
    Validation,
    Strictness,
    Cors,
    Compression,
    Endpoint,
    Parameter,
    Moved,
    Abuse,
    Overload,
    Admin,
    Log,
}

/// How often a table may stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `[api]`, at most once.
    Once,
    /// `[plans.NAME]`, once for each name.
    Named,
    /// `[[endpoints]]`, any number of times.
    Many,
}

/// One key: a row of the registry.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) table: Table,
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) absent: Absent,
    /// A value as it could stand in a file, in TOML.
    pub(super) example: &'static str,
    /// What it does, in whole sentences.
    pub(super) meaning: &'static str,
    /// Names that people try in its place, for suggestions.
    pub(super) also_called: &'static [&'static str],
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text,
    Words(&'static [&'static str]),
    Whole {
        least: i64,
        most: i64,
    },
    /// A whole number out of a short list.
    WholeOf(&'static [i64]),
    Number,
    Boolean,
    /// A string such as `"10s"`; bounds in milliseconds.
    Duration {
        least: u64,
        most: u64,
    },
    /// Bytes as an integer, or a string such as `"10MiB"`.
    Size {
        least: u64,
        most: u64,
    },
    Texts,
    /// A list of whole numbers.
    Numbers {
        least: i64,
        most: i64,
    },
    /// A list of extra statuses.
    Statuses,
    /// A list of strings, numbers or booleans.
    Scalars,
    /// A whole number from 1, or `"off"`.
    CountOrOff,
}

/// What holds when a key is not set.
#[derive(Debug, Clone, Copy)]
pub(super) enum Absent {
    /// It must be set.
    Required,
    /// This TOML value holds.
    Default(&'static str),
    /// There is no value, and that means this.
    Means(&'static str),
}

// === impl Table ===

impl Table {
    pub(super) const ALL: [Self; 29] = [
        Self::Top,
        Self::Api,
        Self::Listen,
        Self::Http2,
        Self::Tls,
        Self::Certificate,
        Self::Acme,
        Self::Upstream,
        Self::UpstreamAddress,
        Self::Check,
        Self::Service,
        Self::Timeouts,
        Self::Sizes,
        Self::Store,
        Self::Usage,
        Self::Keys,
        Self::Plan,
        Self::Address,
        Self::Validation,
        Self::Strictness,
        Self::Cors,
        Self::Compression,
        Self::Endpoint,
        Self::Parameter,
        Self::Moved,
        Self::Abuse,
        Self::Overload,
        Self::Admin,
        Self::Log,
    ];

    /// Its key in the table that it stands in; empty for the top.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Top => "",
            Self::Api => "api",
            Self::Listen => "listen",
            Self::Http2 => "http2",
            Self::Tls => "tls",
            Self::Certificate => "certificates",
            Self::Acme => "acme",
            Self::Upstream => "upstream",
            Self::UpstreamAddress => "addresses",
            Self::Check => "check",
            Self::Service => "services",
            Self::Timeouts => "timeouts",
            Self::Sizes => "sizes",
            Self::Store => "store",
            Self::Usage => "usage",
            Self::Keys => "keys",
            Self::Plan => "plans",
            Self::Address => "address",
            Self::Validation => "validation",
            Self::Strictness => "strictness",
            Self::Cors => "cors",
            Self::Compression => "compression",
            Self::Endpoint => "endpoints",
            Self::Parameter => "parameters",
            Self::Moved => "moved",
            Self::Abuse => "abuse",
            Self::Overload => "overload",
            Self::Admin => "admin",
            Self::Log => "log",
        }
    }

    /// The line that begins it.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Top => "the top of the file",
            Self::Api => "[api]",
            Self::Listen => "[listen]",
            Self::Http2 => "[http2]",
            Self::Tls => "[tls]",
            Self::Certificate => "[[tls.certificates]]",
            Self::Acme => "[tls.acme]",
            Self::Upstream => "[upstream]",
            Self::UpstreamAddress => "[[upstream.addresses]]",
            Self::Check => "[upstream.check]",
            Self::Service => "[[services]]",
            Self::Timeouts => "[timeouts]",
            Self::Sizes => "[sizes]",
            Self::Store => "[store]",
            Self::Usage => "[usage]",
            Self::Keys => "[keys]",
            Self::Plan => "[plans.NAME]",
            Self::Address => "[address]",
            Self::Validation => "[validation]",
            Self::Strictness => "[strictness]",
            Self::Cors => "[cors]",
            Self::Compression => "[compression]",
            Self::Endpoint => "[[endpoints]]",
            Self::Parameter => "[[endpoints.parameters]]",
            Self::Moved => "[[moved]]",
            Self::Abuse => "[abuse]",
            Self::Overload => "[overload]",
            Self::Admin => "[admin]",
            Self::Log => "[log]",
        }
    }

    /// Where its keys stand, in words.
    pub(super) fn place(self) -> String {
        if self == Self::Top {
            "at the top of the file".to_owned()
        } else {
            format!("in `{}`", self.header())
        }
    }

    /// What it is about.
    #[allow(clippy::too_many_lines, reason = "a text for each table, and nothing else")]
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Top => {
                "These keys stand at the top of the file, before the first table: TOML counts every key after a \
                 `[table]` line as a part of that table."
            }
            Self::Api => "Who the API is, for messages and links.",
            Self::Listen => "Where Fairgate listens.",
            Self::Http2 => "How HTTP/2 is spoken with clients. [http2.md](http2.md) says more.",
            Self::Tls => {
                "HTTPS to clients, beside what `[listen]` says. Without this table there is none. Certificates are read \
                 again when their files change. [tls.md](tls.md) shows how to set it up."
            }
            Self::Certificate => {
                "A further certificate, for other names. Which one a client gets is told by the name that it asks for."
            }
            Self::Acme => {
                "Certificates that are fetched and renewed by ACME, from Let's Encrypt for one. They are kept in the \
                 store's folder."
            }
            Self::Upstream => {
                "Where requests go: those that no `[[services]]` takes. Without services it must be there. \
                 docs/upstreams.md tells how its keys work together."
            }
            Self::UpstreamAddress => {
                "One of several addresses, in place of `url`. In a service it is written `[[services.addresses]]`. As a \
                 key, it is a list of tables: `addresses = [{ url = \"http://10.0.0.1:9000\", weight = 3 }]`."
            }
            Self::Check => {
                "Asks each address now and then whether it is well, beside the requests. In a service it is written \
                 `[services.check]`. Addresses whose checks fail get no requests; if all fail, the answer is 503 \
                 `UNAVAILABLE`. Without this table, only requests tell."
            }
            Self::Service => {
                "A part of the API with an upstream of its own, found by host and path. Beside these keys it takes all \
                 of `[upstream]`, `addresses` and `check` included. A request that no service takes goes to `[upstream]`, \
                 or, without one, is answered 404 `ENDPOINT_NOT_FOUND`."
            }
            Self::Timeouts => {
                "How long each phase may take. A duration is a string: a whole number and `ms`, `s`, `m`, `h` or `d`."
            }
            Self::Sizes => {
                "How large a request may be. A size is a number of bytes, or a string: a whole number and `B`, \
                 `kB`, `MB`, `GB` (powers of 1000), `KiB`, `MiB` or `GiB` (powers of 1024)."
            }
            Self::Store => "Where keys are kept, and how charges are saved.",
            Self::Usage => {
                "What is kept of the requests of each key and endpoint, for `fairgate usage`: how many, the units that \
                 they were charged, errors by code, bytes and latency. Usage is a report: a crash forgets what was \
                 counted since it was last written. The limits are a promise, and are kept apart from it."
            }
            Self::Keys => "Where a request's key is looked for and what an imported one looks like.",
            Self::Plan => {
                "A plan: what the keys that belong to it may use. NAME is the plan's own, such as `[plans.free]`; \
                 at least one plan is needed."
            }
            Self::Address => {
                "Which addresses may use the API, and what one may use of all public endpoints together. Of IPv6 a /64 is \
                 one address for limits."
            }
            Self::Validation => "How strict the validation of requests is where a document leaves it open.",
            Self::Cors => {
                "Which pages of other origins may read answers in a browser. Without it Fairgate says nothing about that, and \
                 what the upstream says passes; with it Fairgate answers preflights itself, before it looks for a key and for \
                 nothing, and the upstream's own headers are dropped."
            }
            Self::Compression => {
                "Answers that are packed (gzip) for clients that take it. Never packed is what the upstream has packed, parts \
                 (206), and what says `no-transform`."
            }
            Self::Strictness => {
                "How requests are read where the standards leave it open. What they call malformed is always refused; \
                 [strictness.md](strictness.md) has the whole table and its reasons."
            }
            Self::Endpoint => {
                "An endpoint of the API. Without any and without an `openapi` document, every path is an endpoint and needs only \
                 a key; else every path that is not declared is 404 `ENDPOINT_NOT_FOUND`. An empty list, \
                 `endpoints = []`, declares none, so every path is 404. With an `openapi` document, each table adds to one of its \
                 operations, named by `operation` or by `method` and `path`."
            }
            Self::Parameter => {
                "A parameter, a header or a member of the JSON body of the `[[endpoints]]` above it, checked \
                 before the upstream is asked."
            }
            Self::Moved => "A path that has moved for good; it answers 301 `ENDPOINT_MOVED`.",
            Self::Abuse => {
                "Ceilings on errors per minute. Errors are free, so that a client could hammer for nothing; past \
                 a ceiling it gets 429 `TOO_MANY_ERRORS`. They never touch a plan's limits."
            }
            Self::Overload => {
                "What is too much at once. Whoever comes past a bound is answered 503 `UNAVAILABLE`, at once and with a \
                 Retry-After, so that those who are served are served well."
            }
            Self::Admin => "Where the gateway tells by HTTP how it stands.",
            Self::Log => "What is written to standard error.",
        }
    }

    /// The table in which it stands.
    pub(super) const fn parent(self) -> Option<Self> {
        match self {
            Self::Top => None,
            Self::Parameter => Some(Self::Endpoint),
            Self::Certificate | Self::Acme => Some(Self::Tls),
            Self::UpstreamAddress | Self::Check => Some(Self::Upstream),
            Self::Api
            | Self::Listen
            | Self::Http2
            | Self::Tls
            | Self::Upstream
            | Self::Service
            | Self::Timeouts
            | Self::Sizes
            | Self::Store
            | Self::Usage
            | Self::Keys
            | Self::Plan
            | Self::Address
            | Self::Validation
            | Self::Strictness
            | Self::Cors
            | Self::Compression
            | Self::Endpoint
            | Self::Moved
            | Self::Abuse
            | Self::Overload
            | Self::Admin
            | Self::Log => Some(Self::Top),
        }
    }

    /// How often it may stand in the file.
    pub(super) const fn form(self) -> Form {
        match self {
            Self::Plan => Form::Named,
            Self::Endpoint
            | Self::Parameter
            | Self::Moved
            | Self::Certificate
            | Self::UpstreamAddress
            | Self::Service => Form::Many,
            Self::Top
            | Self::Api
            | Self::Listen
            | Self::Http2
            | Self::Tls
            | Self::Acme
            | Self::Upstream
            | Self::Check
            | Self::Timeouts
            | Self::Sizes
            | Self::Store
            | Self::Usage
            | Self::Keys
            | Self::Address
            | Self::Validation
            | Self::Strictness
            | Self::Cors
            | Self::Compression
            | Self::Abuse
            | Self::Overload
            | Self::Admin
            | Self::Log => Form::Once,
        }
    }

    /// The keys that it may hold.
    pub(super) fn keys(self) -> impl Iterator<Item = &'static Key> {
        rows().filter(move |key| key.table == self || self.borrows() == Some(key.table))
    }

    /// The keys that are its own.
    #[cfg(test)]
    pub(super) fn own_keys(self) -> impl Iterator<Item = &'static Key> {
        rows().filter(move |key| key.table == self)
    }

    /// The tables that it may hold.
    pub(super) fn children(self) -> impl Iterator<Item = Self> {
        let holds = move |table: &Self| {
            table.parent() == Some(self) || (table.parent().is_some() && table.parent() == self.borrows())
        };
        Self::ALL.into_iter().filter(holds)
    }

    /// The table whose keys and tables it may hold beside its own.
    pub(super) fn borrows(self) -> Option<Self> {
        (self == Self::Service).then_some(Self::Upstream)
    }
}

// === impl Shape ===

impl Shape {
    /// The bounds of a duration in milliseconds or of a size in bytes.
    pub(super) const fn bounds(self) -> Option<(u64, u64)> {
        if let Self::Duration { least, most } | Self::Size { least, most } = self {
            Some((least, most))
        } else {
            None
        }
    }

    /// The bounds of a whole number.
    pub(super) const fn whole_bounds(self) -> Option<(i64, i64)> {
        if let Self::Whole { least, most } | Self::Numbers { least, most } = self {
            Some((least, most))
        } else {
            None
        }
    }

    /// The type in words, for messages and the reference page.
    pub(super) fn words(self) -> String {
        match self {
            Self::Text => "string".to_owned(),
            Self::Words(words) => quoted(words),
            Self::Whole { .. } => "whole number".to_owned(),
            Self::WholeOf(numbers) => numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" or "),
            Self::Number => "number".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Duration { .. } => "duration such as `\"10s\"`".to_owned(),
            Self::Size { .. } => "size such as `\"10MiB\"`".to_owned(),
            Self::Texts => "list of strings".to_owned(),
            Self::Statuses => "list of statuses".to_owned(),
            Self::Numbers { .. } => "list of whole numbers".to_owned(),
            Self::Scalars => "list of strings, numbers or booleans".to_owned(),
            Self::CountOrOff => "whole number or `\"off\"`".to_owned(),
        }
    }
}

/// `"a"`, `"b"` or `"c"`, as they are written in the file.
pub(super) fn quoted(words: &[&str]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push_str(if index + 1 == words.len() { " or " } else { ", " });
        }
        text.push_str(&format!("`\"{word}\"`"));
    }
    text
}
