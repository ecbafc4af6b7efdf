//! The tables `[[services]]`, and the service that `[upstream]` is.

use super::{
    endpoints::EndpointRead,
    syntax::{is_host_name, is_plain_path},
    tls::Files,
    upstream::upstream,
};
use crate::{
    fault::Fault,
    nearest,
    raw::{At, Refusal, Section},
    registry::{
        Absent::{Default, Means, Required},
        Shape, Table,
    },
};
use contract::Limit;
use gateway::settings::{HostPattern, Service, Timeouts};
use std::{net::SocketAddr, ops::Range};

rows! {
    SERVICE_NAME = Service "name", Shape::Text, Required, "\"shop\"";
    "The name, for endpoints, incidents and `fairgate upstreams list`: 1 to 64 letters, digits, `-` and `_`."

    SERVICE_HOSTS = Service "hosts", Shape::Texts, Default("[]"), "[\"shop.example.com\", \"*.shops.example.com\"]";
    "Hosts that the service answers for, without ports; `*.` matches one or more labels. Empty: any host that no other \
     service answers for."

    SERVICE_PATH = Service "path", Shape::Text, Means("any path"), "\"/shop\"", also "prefix", "path_prefix";
    "The prefix of its paths: `/shop` matches `/shop` and `/shop/a`, but not `/shops`. The longest match wins."

    SERVICE_STRIP_PATH = Service "strip_path", Shape::Boolean, Default("false"), "true", also "strip", "strip_prefix";
    "Remove `path` from requests before they are forwarded, and add it to the paths of redirects and cookies in responses."
}

/// The name of the service that `[upstream]` is.
const UPSTREAM: &str = "upstream";

/// All services.
pub(super) struct Read {
    /// That of `[upstream]` last. Those with faults are left out.
    pub(super) services: Vec<Service>,
    /// None was left out.
    is_whole: bool,
}

/// Reads all services.
pub(super) fn services(
    top: &Section<'_>,
    listen: Option<&At<SocketAddr>>,
    timeouts: Option<Timeouts>,
    files: Files<'_>,
) -> Read {
    let tables = top.many(Table::Service);
    let mut services = Vec::new();
    let mut names: Vec<At<String>> = Vec::new();
    let mut places: Vec<(HostPattern, String, Range<usize>)> = Vec::new();
    for section in &tables {
        let name = section.text(&SERVICE_NAME).and_then(|name| {
            let span = name.span.clone();
            let name = section.keep(name, check_name)?;
            match names.iter().find(|known| known.value == name) {
                Some(known) => section.reader.fault(Fault::twice("service", &name, &span, &known.span)),
                None => names.push(At { value: name.clone(), span }),
            }
            Some(name)
        });
        let hosts = section.text_list(&SERVICE_HOSTS).map(|list| list.value).unwrap_or_default();
        let spans: Vec<_> = hosts.iter().map(|host| host.span.clone()).collect();
        let hosts: Vec<_> = hosts.into_iter().map(|host| section.keep(host, check_host)).collect();
        let path = section.text(&SERVICE_PATH).map(|path| section.keep(path, check_path));
        let strip = section.boolean(&SERVICE_STRIP_PATH);
        let upstream = upstream(section, listen, timeouts, files);
        let path = match path {
            Some(path) => path,
            None => Some(String::new()),
        };
        let Some(path) = path else { continue };
        for (host, span) in hosts.iter().zip(spans) {
            let Some(host) = host else { continue };
            match places.iter().find(|(known, at, _)| (known, at) == (host, &path)) {
                Some((.., first)) => section.reader.fault(Fault::twice("host", &shown(host), &span, first)),
                None => places.push((host.clone(), path.clone(), span)),
            }
        }
        let hosts: Option<Vec<_>> = hosts.into_iter().collect();
        if let (Some(name), Some(hosts), Some(strip), Some(upstream)) = (name, hosts, strip, upstream) {
            services.push(Service { name, hosts, path, strips_path: strip.value, upstream });
        }
    }
    refuse_two_for_all(top, &tables, &services);
    // Without any service it is required, and reported here if it is missing.
    let has_upstream = tables.is_empty() || top.has_table(Table::Upstream);
    if has_upstream {
        let upstream = upstream(&top.once(Table::Upstream), listen, timeouts, files);
        services.extend(upstream.map(|upstream| Service {
            name: UPSTREAM.to_owned(),
            hosts: Vec::new(),
            path: String::new(),
            strips_path: false,
            upstream,
        }));
    }
    Read { is_whole: services.len() == tables.len() + usize::from(has_upstream), services }
}

/// Two services that answer for any host with the same path: the second would get nothing.
fn refuse_two_for_all(top: &Section<'_>, tables: &[Section<'_>], services: &[Service]) {
    if services.len() != tables.len() {
        return; // the tables are not those of the services, and faults were noted
    }
    let upstream = top.has_table(Table::Upstream).then_some("");
    for (index, (table, service)) in tables.iter().zip(services).enumerate() {
        let before = services.iter().take(index).filter(|one| one.hosts.is_empty());
        let mut paths = before.map(|one| one.path.as_str()).chain(upstream);
        if service.hosts.is_empty() && paths.any(|path| path == service.path) {
            let for_what = if service.path.is_empty() { "all paths" } else { service.path.as_str() };
            table.reader.fault(
                Fault::at(table.place.clone(), format!("another upstream already handles {for_what}"))
                    .label("needs `hosts`, or another `path`")
                    .help("a service without `hosts` answers for any host, as `[upstream]` does"),
            );
        }
    }
}

/// Notes a fault for each endpoint that names a service that is not there.
pub(super) fn check_endpoints(top: &Section<'_>, endpoints: &[EndpointRead], read: &Read) {
    // With faults in services themselves, it is not known which there are.
    if !read.is_whole {
        return;
    }
    for service in endpoints.iter().filter_map(|endpoint| endpoint.service.as_ref()) {
        let known = || read.services.iter().map(|known| known.name.as_str());
        if known().any(|known| known == service.value) {
            continue;
        }
        let fault = Fault::at(service.span.clone(), format!("there is no service `{}`", service.value));
        let help = match nearest(&service.value, known()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write the `name` of one of the `[[services]]`, or \"upstream\"".to_owned(),
        };
        top.reader.fault(fault.label("named here").help(help));
    }
}

fn shown(host: &HostPattern) -> String {
    match host {
        HostPattern::Exact(host) => host.clone(),
        HostPattern::Under(host) => format!("*.{host}"),
    }
}

fn check_name(text: &str) -> Result<String, Refusal> {
    if text == UPSTREAM {
        return Err(Refusal::new(
            "a service cannot be called `upstream`",
            "that is the name of the table `[upstream]`",
            "choose another name",
        ));
    }
    Limit::is_group(text).then(|| text.to_owned()).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not a service name"),
            "expected 1 to 64 letters, digits, `-` and `_`",
            "write it like this: name = \"shop\"",
        )
    })
}

fn check_host(text: &str) -> Result<HostPattern, Refusal> {
    let bare = text.strip_prefix("*.").unwrap_or(text);
    let bare = bare.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')).unwrap_or(bare);
    let is_address = bare.parse::<std::net::Ipv6Addr>().is_ok();
    if !is_host_name(bare) && !is_address {
        let help = match text.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => format!("remove the port: \"{host}\""),
            Some(_) | None => {
                "write a name such as \"shop.example.com\", or \"*.example.com\" for all of its subdomains"
                    .to_owned()
            }
        };
        return Err(Refusal::new(format!("`{text}` is not a host"), "expected a host name", help));
    }
    let host = if is_address { format!("[{bare}]") } else { bare.to_owned() }.to_ascii_lowercase();
    Ok(if text.starts_with("*.") { HostPattern::Under(host) } else { HostPattern::Exact(host) })
}

fn check_path(text: &str) -> Result<String, Refusal> {
    if text.starts_with('/') && is_plain_path(text) {
        return Ok(text.strip_suffix('/').unwrap_or(text).to_owned());
    }
    Err(Refusal::new(
        format!("`{text}` is not a path prefix"),
        "expected `/` and segments without special characters",
        "write it like this: path = \"/shop\"",
    ))
}
