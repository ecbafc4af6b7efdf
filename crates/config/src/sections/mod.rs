//! From the raw file to the valid configuration, table by table, in the order of the registry.

mod access;
mod admin;
mod api;
mod bounds;
mod cluster;
mod compression;
mod cors;
mod costs;
mod declared;
mod endpoints;
mod keys;
mod limits;
mod listen;
mod moved;
mod nothing;
mod operations;
mod overload;
mod parameters;
mod paths;
mod pattern;
mod plans;
mod services;
mod store;
mod strictness;
mod syntax;
mod takes;
mod tls;
mod top;
mod upstream;
mod validation;

use super::{
    ClusterSettings, Extent, Process, StoreSettings,
    document::{self, Document},
    raw::{At, Section},
    registry::{Rows, Table},
    tls::TlsSettings,
};
use gateway::settings::{Endpoint, Endpoints, Listen, Plain, Service, Settings, Tls};
use ipnet::IpNet;
use openapi::rules::Strictness;
use std::{net::SocketAddr, path::Path};

/// All rows of the registry, in the order in which the reference page shows them.
pub(super) const ROWS: Rows = Rows(&[
    top::ROWS,
    api::ROWS,
    listen::ROWS,
    tls::ROWS,
    tls::acme::ROWS,
    upstream::ROWS,
    upstream::addresses::ROWS,
    upstream::health_check::ROWS,
    services::ROWS,
    bounds::ROWS,
    store::ROWS,
    cluster::ROWS,
    keys::ROWS,
    plans::ROWS,
    limits::ROWS,
    validation::ROWS,
    strictness::ROWS,
    cors::ROWS,
    compression::ROWS,
    endpoints::ROWS,
    parameters::ROWS,
    moved::ROWS,
    overload::ROWS,
    admin::ROWS,
]);

/// Whether a file names a document.
pub(super) fn names_document(tables: &toml::Table) -> bool {
    tables.contains_key(top::OPENAPI.name)
}

/// What was read.
pub(super) struct Parts {
    pub(super) data_plane: Settings,
    pub(super) store: StoreSettings,
    pub(super) cluster: Option<ClusterSettings>,
    pub(super) tls: Option<TlsSettings>,
    pub(super) process: Process,
    pub(super) document: Option<Document>,
}

/// Reads everything. None: a fault was noted without which no settings can be made.
#[allow(clippy::too_many_lines, reason = "one line a table, in their order")]
pub(super) fn read(
    top: &Section<'_>,
    folder: &Path,
    extent: Extent,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<Parts> {
    let named = top.text(&top::OPENAPI);
    let has_document = named.is_some() || top.has(&top::OPENAPI);
    let mut document = match (named, extent) {
        (Some(named), Extent::Everything) => read_document(top, &folder.join(named.value)),
        (Some(_), Extent::File) | (None, _) => None,
    };
    let allows_none = top.boolean(&top::ALLOW_NO_ENDPOINTS);
    let redirects = top::redirects(top);
    let statuses = top::statuses(top);
    let extra_codes = top::extra_codes(top);
    let upgrades = top::upgrades(top);
    let trusted_proxies = top::trusted_proxies(top);
    let trusted_hops = top::trusted_hops(top);
    let is_watched = top::is_watched(top);
    let title = document.as_ref().map(|document| document.api.title.as_str());
    let (api, prefix) = api::api(&top.once(Table::Api), title.or(has_document.then_some("")));
    let (listen, address) = listen::listen(&top.once(Table::Listen), environment);
    let http2 = listen::http2(&top.once(Table::Http2));
    let files = tls::Files { folder, extent };
    let tls = tls::tls(top, files, address.as_ref());
    let timeouts = bounds::timeouts(&top.once(Table::Timeouts));
    let upstream_timeouts = timeouts.map(|(_, of_upstreams)| of_upstreams);
    let mut read = services::services(top, address.as_ref(), upstream_timeouts, files);
    let sizes = bounds::sizes(&top.once(Table::Sizes));
    let usage = store::usage(&top.once(Table::Usage));
    let store = store::store(&top.once(Table::Store), folder, usage);
    let cluster = top.has_table(Table::Cluster).then(|| cluster::cluster(&top.once(Table::Cluster), folder));
    let key_headers = document.as_ref().map_or(&[][..], |document| &document.api.key_headers);
    let keys = keys::keys(&top.once(Table::Keys), key_headers);
    let plans = plans::plans(top);
    let address_table = top.once(Table::Address);
    let address_limits = limits::of_address(&address_table);
    let access = access::access(&address_table, &limits::ADDRESS_ALLOW, &limits::ADDRESS_DENY);
    let strictness = validation::validation(&top.once(Table::Validation));
    let compression = compression::compression(&top.once(Table::Compression));
    let cors = cors::cors(&top.once(Table::Cors));
    let reading = strictness::strictness(&top.once(Table::Strictness));
    let tables = endpoints::endpoints(top, has_document, !address_limits.is_empty(), strictness);
    let moved = moved::moved(top);
    let abuse = overload::abuse(&top.once(Table::Abuse));
    let overload = overload::overload(&top.once(Table::Overload));
    let admin = admin::admin(&top.once(Table::Admin), &served_at(address.as_ref(), tls.as_ref()));
    let log = admin::log(&top.once(Table::Log));

    services::check_endpoints(top, &tables, &read);
    costs::check(top, &plans, &address_limits, &tables);
    costs::warn_of_groups(top, &plans, &address_limits, &tables);
    costs::warn_of_unlimited_groups(top, &plans, &address_limits, &tables);
    // What a document's paths are to each other was checked with the document.
    let declared = if has_document { &[][..] } else { &tables };
    paths::check(top, prefix.as_ref(), declared, &moved, redirects.as_ref());
    let endpoints = match &mut document {
        Some(document) => {
            let prefix = prefix.as_ref();
            Endpoints::Declared(of_document(
                top,
                document,
                &tables,
                &mut read.services,
                prefix,
                strictness?,
                reading,
            ))
        }
        // A document that is not read, and a list that is empty, declare no endpoints: they do not open every path.
        None if has_document || top.has_table(Table::Endpoint) => {
            Endpoints::Declared(tables.into_iter().filter_map(|table| table.declared).collect())
        }
        None => Endpoints::AnyPath,
    };
    if has_document && extent == Extent::Everything {
        // Without the document that the file names there would be no endpoints.
        document.as_ref()?;
    }
    if extent == Extent::Everything {
        costs::warn_of_address(top, &address_limits, endpoints.declared());
        overload::warn_of_bodies(top, overload.as_ref(), sizes.as_ref(), endpoints.declared());
        if !allows_none.as_ref()?.value {
            nothing::warn(top, document.as_ref(), &endpoints);
        }
    }
    // A recorded fault gives no cluster, and ends the start all the same.
    let cluster = cluster.flatten();
    let (tls, tls_files) = tls?.unzip();
    warn_of_headers(top, listen.as_ref(), tls.as_ref(), &trusted_proxies);
    if read.services.is_empty() {
        return None; // a fault was noted
    }
    let data_plane = Settings {
        api: api?,
        listen: listen?,
        http2: http2?,
        tls,
        services: read.services,
        timeouts: timeouts?.0,
        upstream_timeouts: upstream_timeouts?,
        sizes: sizes?,
        keys: keys?,
        plans: plans.into_iter().map(|plan| plan.plan).collect(),
        address_limits: address_limits.into_iter().map(|limit| limit.value).collect(),
        endpoints,
        moved: moved.into_iter().map(|moved| moved.moved).collect(),
        redirects: redirects?,
        statuses: statuses?,
        extra_codes,
        upgrades,
        trusted_proxies,
        trusted_hops,
        access: access.unwrap_or_default(),
        compression,
        cors,
        strictness: reading?,
        abuse: abuse?,
        overload: overload?,
        log: log?,
        tallies_usage: usage?.enabled,
        document: None,
    };
    let process = Process { is_watched: is_watched?, admin: admin?, allows_no_endpoints: allows_none?.value };
    Some(Parts { data_plane, store: store?, cluster, tls: tls_files, process, document })
}

/// The addresses at which the API is served.
fn served_at(listen: Option<&At<SocketAddr>>, tls: Option<&Option<(Tls, TlsSettings)>>) -> Vec<SocketAddr> {
    let tls = tls.and_then(Option::as_ref).map(|(tls, _)| tls);
    let plain = listen.filter(|_| tls.is_none_or(|tls| tls.plain != Plain::Off)).map(|listen| listen.value);
    plain.into_iter().chain(tls.map(|tls| tls.address)).collect()
}

fn warn_of_headers(top: &Section<'_>, listen: Option<&Listen>, tls: Option<&Tls>, trusted: &[IpNet]) {
    let has_header =
        tls.is_some_and(|tls| tls.proxy_protocol) || listen.is_some_and(|listen| listen.proxy_protocol);
    if has_header && trusted.is_empty() {
        top.reader.warn(
            "`proxy_protocol = \"required\"` without `trusted_proxies`: no address is trusted, so no client can connect".to_owned(),
        );
    }
}

/// The endpoints that a document describes, with what the file adds to them.
fn of_document(
    top: &Section<'_>,
    document: &mut Document,
    tables: &[endpoints::EndpointRead],
    services: &mut [Service],
    prefix: Option<&api::Prefix>,
    strictness: Strictness,
    paths: Option<gateway::settings::Strictness>,
) -> Vec<Endpoint> {
    for Service { upstream, .. } in services {
        upstream.base_path = operations::without_base(&upstream.base_path, document).to_owned();
    }
    let begun = std::time::Instant::now();
    let made = operations::endpoints(top, document, tables, prefix, strictness, paths);
    document.took += begun.elapsed();
    made
}

/// Reads the document, or notes all that is wrong with it.
fn read_document(top: &Section<'_>, path: &Path) -> Option<Document> {
    match document::read(path) {
        Ok((document, warnings)) => {
            operations::note_warnings(top, warnings);
            Some(document)
        }
        Err(faults) => {
            operations::note_faults(top, faults);
            None
        }
    }
}
