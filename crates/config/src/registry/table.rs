//! The tables of the file: their names, their meaning, how they nest.

/// A table of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    Top,
    Api,
    Listen,
    Http2,
    Tls,
    Certificate,
    Acme,
    Upstream,
    UpstreamAddress,
    HealthCheck,
    Service,
    Timeouts,
    Sizes,
    Store,
    Cluster,
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

/// How often a table may occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `[api]`, at most once.
    Once,
    /// `[plans.NAME]`, once for each name.
    Named,
    /// `[[endpoints]]`, any number of times.
    Many,
}

impl Table {
    pub(crate) const ALL: [Self; 30] = [
        Self::Top,
        Self::Api,
        Self::Listen,
        Self::Http2,
        Self::Tls,
        Self::Certificate,
        Self::Acme,
        Self::Upstream,
        Self::UpstreamAddress,
        Self::HealthCheck,
        Self::Service,
        Self::Timeouts,
        Self::Sizes,
        Self::Store,
        Self::Cluster,
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

    /// Its key in its parent; empty for the top.
    pub(crate) const fn name(self) -> &'static str {
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
            Self::HealthCheck => "health_check",
            Self::Service => "services",
            Self::Timeouts => "timeouts",
            Self::Sizes => "sizes",
            Self::Store => "store",
            Self::Cluster => "cluster",
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

    /// Names that people try in its place, for suggestions.
    pub(crate) const fn also_called(self) -> &'static [&'static str] {
        match self {
            Self::HealthCheck => &["check", "health", "healthcheck", "health_checks"],
            Self::Top
            | Self::Api
            | Self::Listen
            | Self::Http2
            | Self::Tls
            | Self::Certificate
            | Self::Acme
            | Self::Upstream
            | Self::UpstreamAddress
            | Self::Service
            | Self::Timeouts
            | Self::Sizes
            | Self::Store
            | Self::Cluster
            | Self::Usage
            | Self::Keys
            | Self::Plan
            | Self::Address
            | Self::Validation
            | Self::Strictness
            | Self::Cors
            | Self::Compression
            | Self::Endpoint
            | Self::Parameter
            | Self::Moved
            | Self::Abuse
            | Self::Overload
            | Self::Admin
            | Self::Log => &[],
        }
    }

    /// The line that begins it.
    pub(crate) const fn header(self) -> &'static str {
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
            Self::HealthCheck => "[upstream.health_check]",
            Self::Service => "[[services]]",
            Self::Timeouts => "[timeouts]",
            Self::Sizes => "[sizes]",
            Self::Store => "[store]",
            Self::Cluster => "[cluster]",
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

    /// Where its keys are, in words.
    pub(crate) fn place(self) -> String {
        if self == Self::Top {
            "at the top of the file".to_owned()
        } else {
            format!("in `{}`", self.header())
        }
    }

    /// What it is about.
    #[allow(clippy::too_many_lines, reason = "a text for each table, and nothing else")]
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Top => {
                "Keys at the top of the file, before the first table: TOML assigns every key after a `[table]` line to that \
                 table."
            }
            Self::Api => "How the API is presented in messages and links.",
            Self::Listen => "Where Fairgate listens.",
            Self::Http2 => "HTTP/2 with clients. See [http2.md](http2.md).",
            Self::Tls => {
                "HTTPS for clients, in addition to `[listen]`. Without this table there is no HTTPS. Certificates are reloaded \
                 when their files change. [tls.md](tls.md) shows how to set it up."
            }
            Self::Certificate => {
                "An additional certificate, for other names. The name that the client asks for (SNI) selects the certificate."
            }
            Self::Acme => {
                "Certificates that are obtained and renewed through ACME, for example from Let's Encrypt. They are kept in the \
                 folder of the store."
            }
            Self::Upstream => {
                "Where requests go that no `[[services]]` matches. Required unless there are services. \
                 [upstreams.md](upstreams.md) explains how the keys work together."
            }
            Self::UpstreamAddress => {
                "One of several addresses, instead of `url`. In a service, write `[[services.addresses]]`. As an inline list: \
                 `addresses = [{ url = \"http://10.0.0.1:9000\", weight = 3 }]`."
            }
            Self::HealthCheck => {
                "Active health checks: each address is probed at an interval, independently of requests. In a service, write \
                 `[services.health_check]`. Unhealthy addresses get no requests; if all are unhealthy, the response is 503 \
                 `UNAVAILABLE`. Without this table, only outlier detection applies."
            }
            Self::Service => {
                "A part of the API with its own upstream, selected by host and path. It also takes all keys of `[upstream]`, \
                 including `addresses` and `health_check`. A request that no service matches goes to `[upstream]`; without one, \
                 it is answered 404 `ENDPOINT_NOT_FOUND`."
            }
            Self::Timeouts => {
                "How long each phase may take. A duration is a string: a whole number and `ms`, `s`, `m`, `h` or `d`."
            }
            Self::Sizes => {
                "How large a request may be. A size is a number of bytes, or a string: a whole number and `B`, \
                 `kB`, `MB`, `GB` (powers of 1000), `KiB`, `MiB` or `GiB` (powers of 1024)."
            }
            Self::Store => "Where keys are kept, and how charges are saved.",
            Self::Cluster => {
                "Several gateways that share keys, maintenance windows, incidents and usage in PostgreSQL; see \
                 [cluster.md](cluster.md). Limits are shared through the ledger. Without this table the \
                 gateway is alone, and needs no server."
            }
            Self::Usage => {
                "What is recorded of the requests of each key and endpoint, for `fairgate usage`: their number, charged units, \
                 errors by code, bytes and latency. Usage is a report: a crash loses what was recorded since the last write. \
                 Limits are a promise, and are stored separately."
            }
            Self::Keys => "Which headers hold the key, and what imported keys look like.",
            Self::Plan => {
                "A plan: what its keys may use. NAME is the name of the plan, such as `[plans.free]`. At least one plan is \
                 required."
            }
            Self::Address => {
                "Which client addresses may use the API, and what one address may use of all public endpoints together. For \
                 limits, an IPv6 /64 is one address."
            }
            Self::Validation => "How strictly requests are validated where the document leaves a choice.",
            Self::Cors => {
                "Which pages of other origins may read responses in a browser. Without this table Fairgate adds no CORS headers, \
                 and those of the upstream pass. With it, Fairgate answers preflights itself, before it looks for a key and free \
                 of charge, and drops the upstream's CORS headers."
            }
            Self::Compression => {
                "gzip compression of responses, for clients that accept it. Never compressed: responses that the upstream has \
                 encoded, partial content (206), and responses with `no-transform`."
            }
            Self::Strictness => {
                "How requests are read where the standards leave a choice. Malformed requests are always rejected; \
                 [strictness.md](strictness.md) has the full table and the reasons."
            }
            Self::Endpoint => {
                "An endpoint of the API. Without any endpoints and without an `openapi` document, every path is an endpoint and \
                 needs only a key; otherwise a path that is not declared is 404 `ENDPOINT_NOT_FOUND`. An empty list, \
                 `endpoints = []`, declares none, so every path is 404. With an `openapi` document, each table adds to one of its \
                 operations, identified by `operation` or by `method` and `path`."
            }
            Self::Parameter => {
                "A parameter, a header or a property of the JSON body of the `[[endpoints]]` above it, validated before the \
                 request is forwarded."
            }
            Self::Moved => "A path that has moved for good. It answers 301 `ENDPOINT_MOVED`.",
            Self::Abuse => {
                "Limits on errors per minute. Errors are free, so a client could send them without end; past these limits it \
                 gets 429 `TOO_MANY_ERRORS`. They never count against the limits of a plan."
            }
            Self::Overload => {
                "Limits on load. Whatever exceeds one is answered 503 `UNAVAILABLE` at once, with `Retry-After`, so that the \
                 requests being served stay fast."
            }
            Self::Admin => "Health and metrics over HTTP.",
            Self::Log => "What is written to standard error.",
        }
    }

    /// Its parent.
    pub(crate) const fn parent(self) -> Option<Self> {
        match self {
            Self::Top => None,
            Self::Parameter => Some(Self::Endpoint),
            Self::Certificate | Self::Acme => Some(Self::Tls),
            Self::UpstreamAddress | Self::HealthCheck => Some(Self::Upstream),
            Self::Api
            | Self::Listen
            | Self::Http2
            | Self::Tls
            | Self::Upstream
            | Self::Service
            | Self::Timeouts
            | Self::Sizes
            | Self::Store
            | Self::Cluster
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

    /// How often it may occur.
    pub(crate) const fn form(self) -> Form {
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
            | Self::HealthCheck
            | Self::Timeouts
            | Self::Sizes
            | Self::Store
            | Self::Cluster
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

    /// The tables that it may have.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        let holds = move |table: &Self| {
            table.parent() == Some(self) || (table.parent().is_some() && table.parent() == self.borrows())
        };
        Self::ALL.into_iter().filter(holds)
    }

    /// The table whose keys and tables it may have in addition to its own.
    pub(crate) fn borrows(self) -> Option<Self> {
        (self == Self::Service).then_some(Self::Upstream)
    }
}
