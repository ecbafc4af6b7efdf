//! The tables `[tls]` and `[[tls.certificates]]`. Files are read here to report their faults; what they contain is read
//! again when it is used.

pub(super) mod acme;

use super::syntax::{check_header_name, is_of_requests, socket_address};
use crate::{
    Extent,
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{
        Absent::{self, Default, Means, Required},
        CENTURY, HOUR, Key, Shape, Table,
    },
    tls::{BadFile, Challenge, ClientCa, IdentityFiles, TlsSettings, authorities},
};
use acme::acme;
use gateway::{
    settings::{Plain, Tls},
    tls::Versions,
};
use std::{net::SocketAddr, path::Path};

rows! {
    TLS_ADDRESS = Tls "address", Shape::Text, Default("\"127.0.0.1:8443\""), "\"0.0.0.0:443\"", also "port";
    "IP address and port for HTTPS."

    TLS_CERTIFICATE = Tls "certificate", Shape::Text, Means("the certificates are those of `[tls.acme]`"),
    "\"tls/fullchain.pem\"", also "cert";
    "A PEM file with the certificate, followed by its intermediates; relative to the folder of this file. It is served to \
     clients that ask for one of its names, for an unknown name, or for no name."

    TLS_KEY = Tls "key", Shape::Text, Means("as with `certificate`"), "\"tls/privkey.pem\"", also "private_key";
    "A PEM file with the private key of `certificate`: PKCS#8, SEC1 or PKCS#1, without a password."

    TLS_MIN_VERSION = Tls "min_version", Shape::Words(&["1.2", "1.3"]), Default("\"1.2\""), "\"1.3\"", also "version";
    "The lowest TLS version that is accepted."

    TLS_PLAINTEXT = Tls "plaintext", Shape::Words(&["serve", "redirect", "off"]),
    Means("`serve`; `off` if client certificates are required"), "\"redirect\"", also "plain", "http";
    "How to treat requests without TLS, at `[listen] address`. `serve`: as requests over HTTPS. `redirect`: answer 301 \
     `ENDPOINT_MOVED` to the same address under https, or 400 `HTTPS_REQUIRED` if the request has an API key. `off`: do not \
     listen there. If client certificates are required, `serve` is an error unless `[listen] address` is a loopback address."

    TLS_HSTS = Tls "hsts", Shape::Duration { least: 0, most: CENTURY }, Means("no such header"), "\"365d\"";
    "The `max-age` of the `Strict-Transport-Security` header in responses over HTTPS. `\"0s\"` revokes an earlier value."

    TLS_HSTS_INCLUDE_SUBDOMAINS = Tls "hsts_include_subdomains", Shape::Boolean, Default("false"), "true",
    also "hsts_subdomains";
    "Whether `hsts` also applies to all subdomains."

    TLS_CLIENT_CA = Tls "client_ca", Shape::Text, Means("clients are not asked for a certificate"),
    "\"tls/clients.pem\"";
    "A PEM file with the certificate authorities that client certificates must be issued by."

    TLS_CLIENT_CERTIFICATE = Tls "client_certificate", Shape::Words(&["required", "optional"]),
    Default("\"required\""), "\"optional\"";
    "With `client_ca`: whether clients must present a certificate. A certificate from another authority is rejected either \
     way. `required` applies to every request: see `plaintext`."

    TLS_CLIENT_SUBJECT_HEADER = Tls "client_subject_header", Shape::Text, Means("the subject is not sent to the upstream"),
    "\"X-Client-Subject\"";
    "The request header that passes the subject of the client certificate to the upstream (RFC 4514), such as \
     `CN=billing,O=Example`. A header of this name from a client is never passed on."

    TLS_HANDSHAKE_TIMEOUT = Tls "handshake_timeout", Shape::Duration { least: 100, most: HOUR }, Default("\"10s\""), "\"5s\"",
    also "handshake";
    "How long a TLS handshake may take."

    TLS_PROXY_PROTOCOL = Tls "proxy_protocol", Shape::Words(&["off", "required"]), Default("\"off\""),
    "\"required\"";
    "As `[listen] proxy_protocol`, for HTTPS; the header precedes the handshake."

    CERTIFICATE_CERTIFICATE = Certificate "certificate", Shape::Text, Required, "\"tls/other.pem\"", also "cert";
    "As `[tls] certificate`."

    CERTIFICATE_KEY = Certificate "key", Shape::Text, Required, "\"tls/other.key\"", also "private_key";
    "As `[tls] key`."
}

/// The folder that files are named from, and whether they are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files<'f> {
    pub(super) folder: &'f Path,
    pub(super) extent: Extent,
}

/// The table `[tls]`. The inner None: it is missing. The outer: it has faults.
pub(super) fn tls(
    top: &Section<'_>,
    files: Files<'_>,
    listen: Option<&At<SocketAddr>>,
) -> Option<Option<(Tls, TlsSettings)>> {
    if !top.has_table(Table::Tls) {
        return Some(None);
    }
    let section = &top.once(Table::Tls);
    let address = section.text(&TLS_ADDRESS).and_then(|text| {
        let span = text.span.clone();
        section.keep(text, socket_address).map(|value| At { value, span })
    });
    let words = [("serve", Plain::Serve), ("redirect", Plain::Redirect), ("off", Plain::Off)];
    let named = section.word(&TLS_PLAINTEXT, &words);
    let handshake = section.duration(&TLS_HANDSHAKE_TIMEOUT);
    let proxy_protocol = section.word(&TLS_PROXY_PROTOCOL, &[("off", false), ("required", true)]);
    let subject_header =
        section.text(&TLS_CLIENT_SUBJECT_HEADER).and_then(|name| section.keep(name, subject_header));
    let strict = strict(section);
    let is_required = requires_certificate(section);
    let offered = offered(section, files, is_required);
    let requires_certificate = is_required?;
    if requires_certificate && let Some(plain) = &named {
        check_plain(section, plain, listen);
    }
    // Required means required: nothing is served without one unless configured.
    let plain = match &named {
        Some(named) => named.value,
        None if section.has(&TLS_PLAINTEXT) => return None, // a fault was noted
        None if requires_certificate => Plain::Off,
        None => Plain::Serve,
    };
    if plain == Plain::Off {
        warn_of_challenge(section, offered.as_ref());
    }
    let address = address?;
    if plain != Plain::Off
        && let Some(listen) = listen
        && listen.value == address.value
        && address.value.port() != 0
    {
        section.reader.fault(
            Fault::at(address.span, "HTTPS has the same address as HTTP")
                .label("one port can serve only one of them")
                .also(listen.span.clone(), "used for HTTP")
                .help("choose another port, or write plaintext = \"off\" to serve HTTPS only"),
        );
        return None;
    }
    let tls = Tls {
        address: address.value,
        plain,
        handshake: handshake?.value,
        proxy_protocol: proxy_protocol?.value,
        strict,
        subject_header,
        requires_certificate,
    };
    Some(Some((tls, offered?)))
}

/// The name of the header for the subject. One that has a meaning already would change the request itself.
fn subject_header(name: &str) -> Result<String, Refusal> {
    let name = check_header_name(name)?;
    if is_of_requests(&name) {
        return Err(Refusal::new(
            format!("`{name}` cannot hold the subject of a certificate"),
            "this header has a meaning of its own",
            format!("use a header of your own, such as {}", TLS_CLIENT_SUBJECT_HEADER.example),
        ));
    }
    Ok(name)
}

/// Whether clients must present a certificate. Without `client_ca` none is requested, so
/// `client_certificate` in a file must not look as if it protected something.
fn requires_certificate(section: &Section<'_>) -> Option<bool> {
    let help = "set the authorities that issue client certificates: client_ca = \"tls/clients.pem\"";
    if !section.has(&TLS_CLIENT_CA) {
        if section.has(&TLS_CLIENT_CERTIFICATE) {
            section.reader.fault(
                Fault::at(
                    section.key_place(&TLS_CLIENT_CERTIFICATE),
                    "`client_certificate` without `client_ca`",
                )
                .label("clients are not asked for a certificate")
                .help(help),
            );
        }
        if section.has(&TLS_CLIENT_SUBJECT_HEADER) {
            let line = section.reader.line(&section.key_place(&TLS_CLIENT_SUBJECT_HEADER));
            section.reader.warn(format!(
                "line {line}: `client_subject_header` without `client_ca`: the header is never sent; {help}"
            ));
        }
        return Some(false);
    }
    let words = [("required", true), ("optional", false)];
    section.word(&TLS_CLIENT_CERTIFICATE, &words).map(|word| word.value)
}

/// Where certificates are required, the API must not be served without one at the other port. On a
/// loopback address that is this machine alone: allowed if configured, with a warning.
fn check_plain(section: &Section<'_>, plain: &At<Plain>, listen: Option<&At<SocketAddr>>) {
    match plain.value {
        Plain::Serve => {}
        Plain::Redirect | Plain::Off => return,
    }
    let Some(listen) = listen else { return };
    if listen.value.ip().is_loopback() {
        section.reader.warn(format!(
            "line {}: `plaintext = \"serve\"` serves requests at {} without the client certificate that HTTPS requires: \
             every process on this machine can send them; if that is not intended, write plaintext = \"off\"",
            section.reader.line(&plain.span),
            listen.value
        ));
        return;
    }
    let place = if section.has(&TLS_CLIENT_CERTIFICATE) { &TLS_CLIENT_CERTIFICATE } else { &TLS_CLIENT_CA };
    section.reader.fault(
        Fault::at(plain.span.clone(), "a client certificate is required, but not at every port")
            .label(format!("serves the same API without a certificate at {}", listen.value))
            .also(section.key_place(place), "requires a certificate")
            .help(
                "write plaintext = \"off\" or plaintext = \"redirect\", or client_certificate = \"optional\"",
            )
            .help("to serve only this machine, set `[listen] address` to 127.0.0.1"),
    );
}

/// An authority asks for the answer to its challenge without TLS.
fn warn_of_challenge(section: &Section<'_>, offered: Option<&TlsSettings>) {
    let acme = offered.and_then(|offered| offered.acme.as_ref());
    if acme.is_some_and(|acme| acme.challenge == Challenge::Http) {
        section.reader.warn(format!(
            "line {}: the challenge `http-01` uses port 80, where Fairgate does not listen with plaintext = \"off\": write \
             plaintext = \"redirect\", or challenge = \"tls-alpn-01\" in `[tls.acme]`",
            section.reader.line(&section.place)
        ));
    }
}

/// The value of `Strict-Transport-Security`.
fn strict(section: &Section<'_>) -> Option<String> {
    let age = section.duration(&TLS_HSTS);
    let subdomains = section.boolean(&TLS_HSTS_INCLUDE_SUBDOMAINS)?.value;
    let age = age?.value.as_secs();
    Some(format!("max-age={age}{}", if subdomains { "; includeSubDomains" } else { "" }))
}

fn offered(section: &Section<'_>, files: Files<'_>, is_required: Option<bool>) -> Option<TlsSettings> {
    let versions = section.word(&TLS_MIN_VERSION, &[("1.2", Versions::From12), ("1.3", Versions::From13)]);
    let mut identities = Vec::new();
    let mut is_good = true;
    if section.has(&TLS_CERTIFICATE) || section.has(&TLS_KEY) {
        let first = identity(section, &TLS_CERTIFICATE, &TLS_KEY, files);
        is_good &= first.is_some();
        identities.extend(first);
    }
    for further in section.many(Table::Certificate) {
        let further = identity(&further, &CERTIFICATE_CERTIFICATE, &CERTIFICATE_KEY, files);
        is_good &= further.is_some();
        identities.extend(further);
    }
    let has_acme = section.has_table(Table::Acme);
    let acme = if has_acme { Some(acme(&section.once(Table::Acme), files)?) } else { None };
    if is_good && identities.is_empty() && !has_acme {
        section.reader.fault(
            Fault::at(section.place.clone(), "`[tls]` has no certificate")
                .label("no client could connect")
                .help(
                    "set the files of one: certificate = \"tls/fullchain.pem\" and key = \"tls/privkey.pem\"",
                )
                .help("or obtain one through ACME: add a table [tls.acme] with the key `domains`"),
        );
        return None;
    }
    let client_ca = section.text(&TLS_CLIENT_CA).map(|path| {
        let span = path.span.clone();
        let file = files.folder.join(&path.value);
        checked(section, &TLS_CLIENT_CA, At { value: (), span }, files, || authorities(&file).map(drop))
            .map(|()| file)
    });
    let client_ca = match client_ca {
        None => None,
        Some(file) => Some(ClientCa { file: file?, is_required: is_required? }),
    };
    is_good.then_some(TlsSettings { identities, client_ca, versions: versions?.value, acme })
}

/// A certificate and its key. One without the other is a fault.
pub(super) fn identity(
    section: &Section<'_>,
    certificate: &Key,
    key: &Key,
    files: Files<'_>,
) -> Option<IdentityFiles> {
    for needed in [certificate, key] {
        // Keys that must always be set are reported in any case.
        if !matches!(needed.absent, Absent::Required) {
            section.need(needed);
        }
    }
    let (chain, own) = (section.text(certificate)?, section.text(key)?);
    let identity =
        IdentityFiles { certificate: files.folder.join(&chain.value), key: files.folder.join(&own.value) };
    if files.extent == Extent::File {
        return Some(identity);
    }
    match identity.read() {
        Ok(_) => Some(identity),
        Err(bad) => {
            // One file may hold both: then the fault is of the one that it lacks.
            let holds_both = || identity.certificate == identity.key && authorities(&identity.key).is_ok();
            let is_of_chain = bad.path == identity.certificate && !holds_both();
            let (name, span) = if is_of_chain { (certificate, chain.span) } else { (key, own.span) };
            section.reader.fault(no_file(name, span, &bad));
            None
        }
    }
}

/// Reads a file to see whether it can be used.
pub(super) fn checked<T>(
    section: &Section<'_>,
    key: &Key,
    value: At<T>,
    files: Files<'_>,
    read: impl FnOnce() -> Result<(), BadFile>,
) -> Option<T> {
    if files.extent == Extent::Everything
        && let Err(bad) = read()
    {
        section.reader.fault(no_file(key, value.span, &bad));
        return None;
    }
    Some(value.value)
}

fn no_file(key: &Key, span: std::ops::Range<usize>, bad: &BadFile) -> Fault {
    Fault::at(span, format!("the file of `{}` cannot be used", key.name))
        .label(bad.reason.clone())
        .help(format!("the path is {}", bad.path.display()))
}
