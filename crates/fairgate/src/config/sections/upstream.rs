//! The table `[upstream]`: a URL taken apart, and the check that it does not lead back to us.

use super::{
    server::keep,
    syntax::{is_host_name, is_plain_path},
    tls::{self, Files},
};
use crate::config::{
    Extent,
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{
        UPSTREAM_CA, UPSTREAM_CERTIFICATE, UPSTREAM_HOST, UPSTREAM_KEY, UPSTREAM_SERVER_NAME, UPSTREAM_URL,
    },
    tls::{authorities, trusted_here},
};
use gateway::{
    settings::{HostHeader, Upstream},
    tls::{Client, Roots},
};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A URL of an upstream, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Url {
    is_https: bool,
    host: String,
    port: u16,
    base_path: String,
}

pub(super) fn upstream(
    section: &Section<'_>,
    listen: Option<&At<SocketAddr>>,
    files: Files<'_>,
) -> Option<Upstream> {
    let url = section.text(&UPSTREAM_URL);
    let span = url.as_ref().map(|url| url.span.clone());
    let url = url.and_then(|url| keep(section, url, parse_url));
    let host_header =
        section.word(&UPSTREAM_HOST, &[("client", HostHeader::Client), ("upstream", HostHeader::Upstream)]);
    if let (Some(url), Some(span), Some(listen)) = (&url, span, listen)
        && leads_back(url, listen.value)
    {
        section.reader.fault(
            Fault::at(span, "the upstream is this gateway itself")
                .label("requests would go round for ever")
                .also(listen.span.clone(), format!("Fairgate listens at {}", listen.value))
                .help("write the address of the API, or another port for Fairgate"),
        );
    }
    let url = url?;
    let tls = if url.is_https { client(section, &url.host, files)? } else { None };
    Some(Upstream {
        tls,
        host: url.host,
        port: url.port,
        base_path: url.base_path,
        host_header: host_header?.value,
    })
}

/// How an upstream is spoken to by https. The inner None: it was not asked for, because commands that send no requests
/// need not be able to read the files.
fn client(section: &Section<'_>, host: &str, files: Files<'_>) -> Option<Option<Client>> {
    let name = section.text(&UPSTREAM_SERVER_NAME);
    let name_place = name.as_ref().map_or_else(|| section.key_place(&UPSTREAM_URL), |name| name.span.clone());
    let name = name.map_or_else(|| host.to_owned(), |name| name.value);
    let own = (section.has(&UPSTREAM_CERTIFICATE) || section.has(&UPSTREAM_KEY))
        .then(|| tls::identity(section, &UPSTREAM_CERTIFICATE, &UPSTREAM_KEY, files));
    let own = match own {
        None => None,
        Some(own) => Some(own?),
    };
    let ca =
        section.text(&UPSTREAM_CA).map(|path| At { value: files.folder.join(path.value), span: path.span });
    let ca = match ca {
        None => None,
        Some(ca) => {
            let file = ca.value.clone();
            Some(tls::checked(section, &UPSTREAM_CA, ca, files, || authorities(&file).map(drop))?)
        }
    };
    if files.extent == Extent::File {
        return Some(None);
    }
    let roots = match &ca {
        Some(file) => Roots::Own(authorities(file).ok()?),
        None => Roots::System(trusted_here()),
    };
    let own = own.and_then(|files| files.read().ok());
    match Client::new(&name, roots, own.as_ref()) {
        Ok(client) => Some(Some(client)),
        Err(reason) => {
            section.reader.fault(
                Fault::at(name_place, "the upstream cannot be reached by https").label(reason).help(
                    "`ca` names who vouches for it, `server_name` what it is called in its certificate",
                ),
            );
            None
        }
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
            Some((_, rest)) => format!("an upstream is reached by http or https: \"http://{rest}\""),
            None => format!("write it with its scheme: \"http://{text}\""),
        };
        return Err(refuse("expected http:// or https://", help));
    };
    for (sign, what) in [('#', "a fragment"), ('?', "a query string")] {
        if let Some((before, _)) = rest.split_once(sign) {
            return Err(refuse(
                &format!("{what} has no place here"),
                format!("leave it out: \"{begin}{before}\""),
            ));
        }
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if let Some((_, host)) = authority.rsplit_once('@') {
        return Err(refuse(
            "a user or password has no place here",
            format!("leave it out: \"{begin}{host}{path}\""),
        ));
    }
    let (host, port) = split_port(authority, if is_https { 443 } else { 80 }).ok_or_else(|| {
        refuse(
            "the port is no number from 1 to 65535",
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
            "write a path without dot segments, doubled slashes and percent signs".to_owned(),
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
