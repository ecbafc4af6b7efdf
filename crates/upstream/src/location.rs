//! URLs in responses of an upstream as clients see them: under the public paths, and without the upstream's own address.

use super::service::{Service, is_below};
use http1::target::Scheme;
use std::borrow::Cow;

/// How the client that gets the response addresses the API.
#[derive(Debug, Clone, Copy)]
pub struct Public<'a> {
    /// The host of the request, with its port.
    pub host: &'a str,
    /// The scheme of the request.
    pub scheme: Scheme,
    /// The path of the public URL, which a proxy before the gateway removes from requests. Without a trailing slash.
    pub base: &'a str,
}

/// A URL with an authority, split after it.
struct Absolute<'u> {
    /// None: that of the page it stands on (`//host/path`).
    scheme: Option<Scheme>,
    authority: &'u str,
    behind: &'u str,
}

impl<'u> Absolute<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let (scheme, rest) = match url.strip_prefix("//") {
            Some(rest) => (None, rest),
            None => {
                let (scheme, rest) = url.split_once("://")?;
                let known = [Scheme::Http, Scheme::Https];
                (Some(known.into_iter().find(|one| one.name().eq_ignore_ascii_case(scheme))?), rest)
            }
        };
        // Browsers read a backslash as a slash.
        let (authority, behind) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        Some(Self { scheme, authority, behind })
    }

    /// Whether the authority is this host, where a missing port is the scheme's default.
    fn is_at(&self, host: &str) -> bool {
        fn plain(host: &str) -> &str {
            host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host)
        }
        self.authority.eq_ignore_ascii_case(host)
            || !host.is_empty() && plain(self.authority).eq_ignore_ascii_case(plain(host))
    }

    /// Whether it leads to an address of the service. An upstream that trusts `X-Forwarded-Proto` writes https for
    /// an address without TLS, so the scheme does not matter.
    fn is_own(&self, service: &Service) -> bool {
        let (host, port) = match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            Some(_) | None => (self.authority, self.scheme.map(usual_port)),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        service.backends.iter().any(|backend| {
            self.authority.eq_ignore_ascii_case(&backend.authority)
                || port == Some(backend.port) && host.eq_ignore_ascii_case(&backend.host)
        })
    }

    /// Path, query and fragment, beginning with a slash.
    fn path(&self) -> Cow<'u, str> {
        if self.behind.starts_with(['/', '\\']) {
            Cow::Borrowed(self.behind)
        } else {
            Cow::Owned(format!("/{}", self.behind))
        }
    }
}

/// Whether a URL leads to an address of the service itself.
pub fn is_own(service: &Service, url: &str) -> bool {
    Absolute::of(url).is_some_and(|url| url.is_own(service))
}

/// A URL of the upstream's response as the client has to use it.
///
/// A path, and a URL of the upstream itself, become a public path. A URL with the client's own host is one that the
/// upstream built from `Host`: its path becomes the public one as well, unless it already is one.
pub fn public(service: &Service, url: &str, client: Public<'_>) -> String {
    let absolute = Absolute::of(url);
    if let Some(own) = absolute.as_ref().filter(|url| url.is_own(service)) {
        return format!("{}{}", client.base, service.public_path(&own.path()));
    }
    if let Some(at_host) = absolute.filter(|url| url.is_at(client.host)) {
        return of_host(service, url, &at_host, client);
    }
    if !url.starts_with(['/', '\\']) {
        return url.to_owned(); // relative, or it leads elsewhere
    }
    let is_public = !client.base.is_empty() && !service.changes_paths() && is_below(path(url), client.base);
    format!("{}{}", if is_public { "" } else { client.base }, service.public_path(url))
}

/// A URL with the client's own host.
fn of_host(service: &Service, url: &str, at_host: &Absolute<'_>, client: Public<'_>) -> String {
    let inner = at_host.path();
    let prefix = format!("{}{}", client.base, service.public_prefix());
    let is_public = !prefix.is_empty() && is_below(path(&inner), &prefix);
    // Without a difference it may be a redirect to https, which a path alone would turn into a loop.
    let differs = service.changes_paths() || !client.base.is_empty();
    if (is_public || !differs || !service.is_reachable(&inner)) && at_host.scheme.is_some() {
        return url.to_owned();
    }
    let public = if is_public {
        inner.into_owned()
    } else {
        format!("{}{}", client.base, service.public_path(&inner))
    };
    match (at_host.scheme, client.scheme) {
        (Some(Scheme::Https), Scheme::Http) => format!("https://{}{public}", at_host.authority),
        (Some(Scheme::Https), Scheme::Https) | (Some(Scheme::Http) | None, _) => public,
    }
}

const fn usual_port(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    }
}

/// A URL's path without query and fragment.
fn path(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// The path for the upstream of a URL that a client sent in a header, such as `Destination` of WebDAV, with the Host that
/// the upstream gets. None: it does not lead to this API, or nothing changes.
pub fn inner(service: &Service, url: &str, client: Public<'_>, own_host: Option<&str>) -> Option<String> {
    let absolute = Absolute::of(url);
    if absolute.as_ref().is_some_and(|url| !url.is_at(client.host)) {
        return None;
    }
    let public = match &absolute {
        Some(absolute) => absolute.path(),
        None => Cow::Borrowed(url),
    };
    if !public.starts_with('/') {
        return None;
    }
    let below = public.strip_prefix(client.base).filter(|rest| rest.starts_with('/')).unwrap_or(&public);
    // Outside of the service's paths the upstream has no name for it.
    if !is_below(path(below), service.public_prefix()) {
        return None;
    }
    let inner = service.inner_path(below).concat();
    let Some(absolute) = absolute else { return Some(inner) };
    let scheme = absolute.scheme.map_or(String::new(), |scheme| format!("{}:", scheme.name()));
    Some(format!("{scheme}//{}{inner}", own_host.unwrap_or(absolute.authority)))
}
