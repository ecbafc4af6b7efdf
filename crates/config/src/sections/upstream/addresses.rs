//! The addresses of an upstream, and how they are reached over TLS.

use super::{
    super::tls::{self, Files},
    UPSTREAM_CA, UPSTREAM_CERTIFICATE, UPSTREAM_KEY, UPSTREAM_SERVER_NAME, UPSTREAM_URL, count,
    url::{Url, parse_url, refuse_itself},
};
use crate::{
    Extent,
    fault::Fault,
    raw::{At, Section},
    registry::{
        Absent::{Default, Required},
        Shape, Table,
    },
    tls::authorities,
};
use gateway::{
    settings::{Upstream, UpstreamAddress},
    tls::{CertificateDer, Client, Identity, Roots},
};
use std::{net::SocketAddr, ops::Range};

rows! {
    ADDRESS_URL = UpstreamAddress "url", Shape::Text, Required, "\"http://10.0.0.1:9000\"", also "address";
    "As `url` of `[upstream]`. All addresses must have the same path."

    ADDRESS_WEIGHT = UpstreamAddress "weight", Shape::Whole { least: 1, most: 1_000 }, Default("1"), "3";
    "The share of requests that the address gets, relative to the weights of the others."
}

/// All addresses, and the path that they have in common.
pub(super) fn addresses(
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
        let Some(url) = section.keep(url, parse_url) else { continue };
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
            Some((_, _, place)) => {
                section.reader.fault(Fault::twice("address", &url.authority(), &span, place))
            }
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
    if !read.is_empty() && !read.iter().any(|(url, ..)| url.is_https) {
        refuse_tls_keys(section);
    }
    let base_path = read.first()?.0.base_path.clone();
    let mut addresses = Vec::new();
    for (url, weight, place) in read {
        let tls = if url.is_https { over_tls.client(section, &url.host, &place)? } else { None };
        addresses.push(UpstreamAddress { host: url.host, port: url.port, weight, tls, speaks_http2: false });
    }
    Some((addresses, base_path))
}

/// Without https nothing is encrypted and nobody's certificate is checked, though the file asks for it.
fn refuse_tls_keys(section: &Section<'_>) {
    let keys = [&UPSTREAM_CA, &UPSTREAM_SERVER_NAME, &UPSTREAM_CERTIFICATE, &UPSTREAM_KEY];
    if let Some(key) = keys.into_iter().find(|key| section.has(key)) {
        section.reader.fault(
            Fault::at(section.key_place(key), format!("`{}` without an address by https", key.name))
                .label("has no effect over http")
                .help("write the URL with https://, or remove this line"),
        );
    }
}

/// What an upstream's addresses by https have in common.
pub(super) struct OverTls<'f> {
    files: Files<'f>,
    /// What they are called in their certificates, if that is set.
    name: Option<At<String>>,
    /// None: a fault was noted.
    own: Option<Option<Identity>>,
    /// None: a fault was noted.
    authorities: Option<Option<Vec<CertificateDer<'static>>>>,
}

impl<'f> OverTls<'f> {
    pub(super) fn read(section: &Section<'_>, files: Files<'f>) -> Self {
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
        let roots = authorities.clone().map_or_else(Roots::system, Roots::Own);
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
