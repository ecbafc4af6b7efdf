//! The table `[upstream]` and its like in a service: addresses, health, retries, names, time-outs.

use super::{
    server::keep,
    syntax::{is_host_name, is_plain_path},
    tls::{self, Files},
    top::twice,
};
use crate::{
    Extent,
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{
        ADDRESS_URL, ADDRESS_WEIGHT, HEALTH_CHECK_EXPECTED_STATUSES, HEALTH_CHECK_HEALTHY_THRESHOLD,
        HEALTH_CHECK_HOST, HEALTH_CHECK_INTERVAL, HEALTH_CHECK_PATH, HEALTH_CHECK_TIMEOUT,
        HEALTH_CHECK_UNHEALTHY_THRESHOLD, Key, Table, UPSTREAM_BASE_EJECTION_TIME, UPSTREAM_CA,
        UPSTREAM_CERTIFICATE, UPSTREAM_CONNECT, UPSTREAM_CONSECUTIVE_FAILURES, UPSTREAM_DNS_REFRESH_INTERVAL,
        UPSTREAM_DNS_SERVERS, UPSTREAM_ERROR_BODIES, UPSTREAM_FIRST_BYTE, UPSTREAM_HOST, UPSTREAM_HTTP2,
        UPSTREAM_KEY, UPSTREAM_MAX_EJECTION_TIME, UPSTREAM_MAX_PENDING_REQUESTS, UPSTREAM_MAX_REQUESTS,
        UPSTREAM_PENDING_TIMEOUT, UPSTREAM_RATE_LIMIT_HEADERS, UPSTREAM_RETRIES,
        UPSTREAM_RETRY_BUDGET_MIN_PER_SECOND, UPSTREAM_RETRY_BUDGET_PERCENT, UPSTREAM_SERVER_NAME,
        UPSTREAM_SLOW_START, UPSTREAM_STALL, UPSTREAM_TOTAL, UPSTREAM_URL,
    },
    tls::{authorities, trusted_here},
};
use gateway::{
    settings::{Check, HostHeader, Names, Passive, Queue, Retries, Timeouts, Upstream, UpstreamAddress},
    tls::{CertificateDer, Client, Identity, Roots},
};
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    ops::Range,
};

/// A URL of an upstream, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Url {
    is_https: bool,
    host: String,
    port: u16,
    base_path: String,
}

/// The table `[upstream]`, or the same keys of a service. `timeouts` are those that hold where it sets none.
pub(super) fn upstream(
    section: &Section<'_>,
    listen: Option<&At<SocketAddr>>,
    timeouts: Option<Timeouts>,
    files: Files<'_>,
) -> Option<Upstream> {
    let speaks_http2 = section.boolean(&UPSTREAM_HTTP2);
    let addresses = addresses(section, listen, &OverTls::read(section, files));
    let host_header =
        section.word(&UPSTREAM_HOST, &[("client", HostHeader::Client), ("upstream", HostHeader::Upstream)]);
    let most_in_flight = section.count_or_off(&UPSTREAM_MAX_REQUESTS);
    let (queue, wait) =
        (count(section, &UPSTREAM_MAX_PENDING_REQUESTS), section.duration(&UPSTREAM_PENDING_TIMEOUT));
    let most = count(section, &UPSTREAM_RETRIES);
    let percent = count(section, &UPSTREAM_RETRY_BUDGET_PERCENT);
    let per_second = count(section, &UPSTREAM_RETRY_BUDGET_MIN_PER_SECOND);
    let passive = passive(section);
    let check = section.has_table(Table::HealthCheck).then(|| check(&section.once(Table::HealthCheck)));
    let names = names(section);
    let keeps_xml_errors = section.word(&UPSTREAM_ERROR_BODIES, &[("replace", false), ("keep_xml", true)]);
    let keeps_limiter = section.word(&UPSTREAM_RATE_LIMIT_HEADERS, &[("drop", false), ("pass", true)]);
    let timeouts = own_timeouts(section, timeouts);
    let (mut addresses, base_path) = addresses?;
    let speaks_http2 = speaks_http2?.value;
    addresses.iter_mut().for_each(|address| address.speaks_http2 = speaks_http2);
    Some(Upstream {
        addresses,
        base_path,
        host_header: host_header?.value,
        timeouts: timeouts?,
        most_in_flight: most_in_flight?.value,
        queue: Queue { most: queue?, wait: wait?.value },
        retries: Retries { most: most?, percent: percent?, per_second: per_second? },
        passive: passive?,
        check: match check {
            Some(check) => Some(check?),
            None => None,
        },
        names: names?,
        keeps_limiter: keeps_limiter?.value,
        keeps_xml_errors: keeps_xml_errors?.value,
    })
}

fn count(section: &Section<'_>, key: &Key) -> Option<u32> {
    section.whole(key).and_then(|number| u32::try_from(number.value).ok())
}

/// All addresses, and the path that they have in common.
fn addresses(
    section: &Section<'_>,
    listen: Option<&At<SocketAddr>>,
    over_tls: &OverTls<'_>,
) -> Option<(Vec<UpstreamAddress>, String)> {
    let only = section.text(&UPSTREAM_URL);
    let tables = section.many(Table::UpstreamAddress);
    if section.has_table(Table::UpstreamAddress) {
        if section.has(&UPSTREAM_URL) {
            section.reader.fault(
                Fault::at(section.key_place(&UPSTREAM_URL), "`url` and `addresses` cannot be combined")
                    .label("one address here")
                    .help("move this URL to `addresses`, and remove `url`"),
            );
            return None;
        }
        if tables.is_empty() {
            let place = section.table_place(Table::UpstreamAddress).unwrap_or_else(|| section.place.clone());
            section.reader.fault(
                Fault::at(place, "`addresses` is empty")
                    .label("requests have nowhere to go")
                    .help("write at least one: addresses = [{ url = \"http://10.0.0.1:9000\" }]"),
            );
            return None;
        }
    } else {
        section.need(&UPSTREAM_URL);
    }
    let mut read: Vec<(Url, u32, Range<usize>)> = Vec::new();
    for (section, url, weight) in only
        .map(|url| (section, Some(url), Some(1)))
        .into_iter()
        .chain(tables.iter().map(|table| (table, table.text(&ADDRESS_URL), count(table, &ADDRESS_WEIGHT))))
    {
        let Some((url, weight)) = url.zip(weight) else { continue };
        let span = url.span.clone();
        let Some(url) = keep(section, url, parse_url) else { continue };
        refuse_itself(section, &url, &span, listen);
        if let Some((first, _, place)) = read.first()
            && first.base_path != url.base_path
        {
            section.reader.fault(
                Fault::at(span.clone(), "the addresses of an upstream have different paths")
                    .label(format!("the path is `{}` here", url.base_path))
                    .also(place.clone(), format!("and `{}` here", first.base_path))
                    .help("use two `[[services]]`, or give them the same path"),
            );
        }
        let same = read.iter().find(|(known, ..)| (&known.host, known.port) == (&url.host, url.port));
        match same {
            Some((_, _, place)) => section.reader.fault(twice("address", &url.authority(), &span, place)),
            None => read.push((url, weight, span)),
        }
    }
    if let Some((_, _, place)) = read.get(Upstream::MAX_ADDRESSES) {
        section.reader.fault(
            Fault::at(place.clone(), format!("more than {} addresses", Upstream::MAX_ADDRESSES))
                .label("one too many")
                .help("use a host name that resolves to several addresses"),
        );
    }
    let base_path = read.first()?.0.base_path.clone();
    let mut addresses = Vec::new();
    for (url, weight, place) in read {
        let tls = if url.is_https { over_tls.client(section, &url.host, &place)? } else { None };
        addresses.push(UpstreamAddress { host: url.host, port: url.port, weight, tls, speaks_http2: false });
    }
    Some((addresses, base_path))
}

/// What an upstream's addresses by https have in common.
struct OverTls<'f> {
    files: Files<'f>,
    /// What they are called in their certificates, if that is set.
    name: Option<At<String>>,
    /// None: a fault was noted.
    own: Option<Option<Identity>>,
    /// None: a fault was noted.
    authorities: Option<Option<Vec<CertificateDer<'static>>>>,
}

impl<'f> OverTls<'f> {
    fn read(section: &Section<'_>, files: Files<'f>) -> Self {
        let own = (section.has(&UPSTREAM_CERTIFICATE) || section.has(&UPSTREAM_KEY))
            .then(|| tls::identity(section, &UPSTREAM_CERTIFICATE, &UPSTREAM_KEY, files));
        let ca = section.text(&UPSTREAM_CA).map(|path| {
            let file = files.folder.join(&path.value);
            let value = At { value: (), span: path.span };
            let read = || authorities(&file).map(drop);
            tls::checked(section, &UPSTREAM_CA, value, files, read).map(|()| file)
        });
        let is_read = files.extent == Extent::Everything;
        Self {
            files,
            name: section.text(&UPSTREAM_SERVER_NAME),
            own: match own {
                None => Some(None),
                Some(own) => own.map(|own| own.read().ok().filter(|_| is_read)),
            },
            authorities: match ca {
                None => Some(None),
                Some(ca) => ca.map(|file| authorities(&file).ok().filter(|_| is_read)),
            },
        }
    }

    /// How an address is spoken to. The inner None: that was not asked for, because commands that send no requests need
    /// not be able to read the files.
    fn client(&self, section: &Section<'_>, host: &str, place: &Range<usize>) -> Option<Option<Client>> {
        let (own, authorities) = (self.own.as_ref()?, self.authorities.as_ref()?);
        if self.files.extent == Extent::File {
            return Some(None);
        }
        let (name, place) =
            self.name.as_ref().map_or((host, place), |name| (name.value.as_str(), &name.span));
        let roots = authorities.clone().map_or_else(|| Roots::System(trusted_here()), Roots::Own);
        match Client::new(name, roots, own.as_ref()) {
            Ok(client) => Some(Some(client)),
            Err(reason) => {
                section.reader.fault(
                    Fault::at(place.clone(), "the upstream cannot be reached over https").label(reason).help(
                        "set `ca` to the authorities that issue its certificate, and `server_name` to its name in the certificate",
                    ),
                );
                None
            }
        }
    }
}

fn passive(section: &Section<'_>) -> Option<Passive> {
    let failures = section.count_or_off(&UPSTREAM_CONSECUTIVE_FAILURES);
    let (out_for, most) =
        (section.duration(&UPSTREAM_BASE_EJECTION_TIME), section.duration(&UPSTREAM_MAX_EJECTION_TIME));
    let slow_start = section.duration(&UPSTREAM_SLOW_START);
    if let (Some(least), Some(most)) = (&out_for, &most)
        && least.value > most.value
    {
        section.reader.fault(
            Fault::at(most.span.clone(), "`max_ejection_time` is shorter than `base_ejection_time`")
                .label("shorter than the first ejection")
                .help("make it at least as long as `base_ejection_time`"),
        );
    }
    Some(Passive {
        failures: failures?.value,
        out_for: out_for?.value,
        out_at_most: most?.value,
        slow_start: slow_start?.value,
    })
}

fn check(section: &Section<'_>) -> Option<Check> {
    let path = section.text(&HEALTH_CHECK_PATH).and_then(|path| keep(section, path, check_path));
    let host = section.text(&HEALTH_CHECK_HOST).map(|host| keep(section, host, check_host));
    let (every, timeout) =
        (section.duration(&HEALTH_CHECK_INTERVAL), section.duration(&HEALTH_CHECK_TIMEOUT));
    let statuses = section.numbers(&HEALTH_CHECK_EXPECTED_STATUSES);
    let (good, bad) =
        (count(section, &HEALTH_CHECK_HEALTHY_THRESHOLD), count(section, &HEALTH_CHECK_UNHEALTHY_THRESHOLD));
    Some(Check {
        path: path?,
        host: match host {
            Some(host) => Some(host?),
            None => None,
        },
        every: every?.value,
        timeout: timeout?.value,
        statuses: statuses?.value.into_iter().filter_map(|one| u16::try_from(one.value).ok()).collect(),
        good: good?,
        bad: bad?,
    })
}

/// Path and query of a check.
fn check_path(text: &str) -> Result<String, Refusal> {
    let is_good = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    is_good.then(|| text.to_owned()).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not the path of a health check"),
            "expected `/` and visible ASCII characters",
            "write it like this: path = \"/health\"",
        )
    })
}

fn check_host(text: &str) -> Result<String, Refusal> {
    let is_good = split_port(text, 80).is_some_and(|(host, _)| is_host_name(host));
    is_good.then(|| text.to_owned()).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not a host"),
            "expected a host name and an optional port",
            "write it like this: host = \"api.example.com\"",
        )
    })
}

fn names(section: &Section<'_>) -> Option<Names> {
    let mut servers = Vec::new();
    for text in section.texts(&UPSTREAM_DNS_SERVERS) {
        servers.extend(keep(section, text, |text| {
            let whole = text.parse::<SocketAddr>();
            let server =
                whole.or_else(|_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53)));
            server.map_err(|_| {
                Refusal::new(
                    format!("`{text}` is not a DNS server"),
                    "expected an IP address, and a port if it is not 53",
                    "write it like this: dns_servers = [\"10.0.0.2\"]",
                )
            })
        }));
    }
    Some(Names { servers, every: section.duration(&UPSTREAM_DNS_REFRESH_INTERVAL)?.value })
}

fn own_timeouts(section: &Section<'_>, timeouts: Option<Timeouts>) -> Option<Timeouts> {
    let connect = section.duration(&UPSTREAM_CONNECT);
    let first_byte = section.duration(&UPSTREAM_FIRST_BYTE);
    let stall = section.duration(&UPSTREAM_STALL);
    let total = section.duration(&UPSTREAM_TOTAL);
    let all = timeouts?;
    Some(Timeouts {
        connect: connect.map_or(all.connect, |own| own.value),
        first_byte: first_byte.map_or(all.first_byte, |own| own.value),
        stall: stall.map_or(all.stall, |own| own.value),
        total: total.map(|own| own.value).or(all.total),
        ..all
    })
}

fn refuse_itself(section: &Section<'_>, url: &Url, span: &Range<usize>, listen: Option<&At<SocketAddr>>) {
    let Some(listen) = listen.filter(|listen| leads_back(url, listen.value)) else { return };
    section.reader.fault(
        Fault::at(span.clone(), "the upstream is this gateway itself")
            .label("requests would loop forever")
            .also(listen.span.clone(), format!("Fairgate listens at {}", listen.value))
            .help("write the address of the API, or another port for Fairgate"),
    );
}

impl Url {
    fn authority(&self) -> String {
        let (host, port) = (self.host.clone(), self.port);
        UpstreamAddress { host, port, weight: 1, tls: None, speaks_http2: false }.authority()
    }
}

fn leads_back(url: &Url, listen: SocketAddr) -> bool {
    if url.port != listen.port() {
        return false;
    }
    let ours = listen.ip();
    let theirs: Option<IpAddr> = url.host.parse().ok();
    match theirs {
        Some(address) => {
            address == ours || (ours.is_unspecified() && (address.is_loopback() || address.is_unspecified()))
        }
        None => url.host.eq_ignore_ascii_case("localhost") && (ours.is_loopback() || ours.is_unspecified()),
    }
}

fn parse_url(text: &str) -> Result<Url, Refusal> {
    let refuse =
        |label: &str, help: String| Refusal::new(format!("`{text}` cannot be the upstream"), label, help);
    let scheme = |name: &str| text.get(..name.len()).filter(|begin| begin.eq_ignore_ascii_case(name));
    let is_https = scheme("https://").is_some();
    let begin = if is_https { "https://" } else { "http://" };
    let Some(rest) = scheme(begin).and_then(|begin| text.get(begin.len()..)) else {
        let help = match text.split_once("://") {
            Some((_, rest)) => format!("use http or https: \"http://{rest}\""),
            None => format!("write it with its scheme: \"http://{text}\""),
        };
        return Err(refuse("expected http:// or https://", help));
    };
    for (sign, what) in [('#', "a fragment"), ('?', "a query string")] {
        if let Some((before, _)) = rest.split_once(sign) {
            return Err(refuse(
                &format!("{what} is not allowed here"),
                format!("leave it out: \"{begin}{before}\""),
            ));
        }
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if let Some((_, host)) = authority.rsplit_once('@') {
        return Err(refuse(
            "a user or password is not allowed here",
            format!("leave it out: \"{begin}{host}{path}\""),
        ));
    }
    let (host, port) = split_port(authority, if is_https { 443 } else { 80 }).ok_or_else(|| {
        refuse(
            "the port is not a number from 1 to 65535",
            "write it like this: url = \"http://127.0.0.1:9000\"".to_owned(),
        )
    })?;
    let host = match host.strip_prefix('[') {
        Some(inside) => inside.strip_suffix(']').filter(|inside| inside.parse::<Ipv6Addr>().is_ok()),
        None => Some(host).filter(|host| is_host_name(host)),
    };
    let host = host.ok_or_else(|| {
        refuse(
            "the host is not valid",
            "write a host name, an IPv4 address, or an IPv6 address in brackets".to_owned(),
        )
    })?;
    if !is_plain_path(path) {
        return Err(refuse(
            "the path is not valid",
            "write a path without dot segments, repeated slashes and percent signs".to_owned(),
        ));
    }
    let base_path = path.strip_suffix('/').unwrap_or(path).to_owned();
    Ok(Url { is_https, host: host.to_owned(), port, base_path })
}

/// Host and port, `usual` if there is none. None: what stands for the port is no port.
fn split_port(authority: &str, usual: u16) -> Option<(&str, u16)> {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|&port: &u16| is_number && port != 0)?;
            Some((host, port))
        }
        _ => Some((authority, usual)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: &str, port: u16, base_path: &str) -> Url {
        Url { is_https: port == 443, host: host.to_owned(), port, base_path: base_path.to_owned() }
    }

    #[test]
    fn a_url_is_taken_apart() {
        for (text, expected) in [
            ("http://127.0.0.1:9000", url("127.0.0.1", 9000, "")),
            ("http://api", url("api", 80, "")),
            ("HTTP://api/", url("api", 80, "")),
            ("https://api", url("api", 443, "")),
            ("HTTPS://api/v1/", url("api", 443, "/v1")),
            ("http://api:81/v1/", url("api", 81, "/v1")),
            ("http://[::1]:9000/a", url("::1", 9000, "/a")),
            ("http://[::1]", url("::1", 80, "")),
        ] {
            assert_eq!(parse_url(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_upstream_is_refused() {
        for text in [
            "",
            "http://",
            "http:///",
            "api:9000",
            "https://",
            "https://api:0",
            "ftp://api",
            "http://u:p@api",
            "http://api?a=b",
            "http://api#b",
            "http://api:0",
            "http://api:",
            "http://api:99999",
            "http://api:+80",
            "http://[::1",
            "http://::1",
            "http://a b",
            "http://api//v1",
            "http://api/../v1",
            "http://ä",
        ] {
            assert!(parse_url(text).is_err(), "{text}");
        }
    }
}
