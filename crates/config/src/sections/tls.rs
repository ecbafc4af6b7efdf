//! The tables `[tls]`, `[[tls.certificates]]` and `[tls.acme]`. Files are read here to tell their faults; what they
//! hold is read again when it is used.

use super::{
    server::{keep, socket_address},
    syntax::{check_email, check_header_name, is_host_name},
};
use crate::{
    Extent,
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{
        ACME_CA, ACME_CHALLENGE, ACME_CONTACT, ACME_DIRECTORY, ACME_DOMAINS, ACME_EAB_KEY, ACME_EAB_KEY_ID,
        ACME_PROFILE, Absent, CERTIFICATE_CERTIFICATE, CERTIFICATE_KEY, Key, TLS_ADDRESS, TLS_CERTIFICATE,
        TLS_CLIENT_CA, TLS_CLIENT_CERTIFICATE, TLS_CLIENT_SUBJECT_HEADER, TLS_HANDSHAKE_TIMEOUT, TLS_HSTS,
        TLS_HSTS_INCLUDE_SUBDOMAINS, TLS_KEY, TLS_MIN_VERSION, TLS_PLAINTEXT, TLS_PROXY_PROTOCOL, Table,
    },
    tls::{
        AcmeSettings, BadFile, Challenge, ClientCa, ExternalBinding, IdentityFiles, TlsSettings, authorities,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gateway::{
    settings::{Plain, Tls},
    tls::Versions,
};
use std::{net::SocketAddr, path::Path};

/// The folder that files are named from, and whether they are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files<'f> {
    pub(super) folder: &'f Path,
    pub(super) extent: Extent,
}

/// The table `[tls]`. The inner None: there is none. The outer: it has faults.
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
        keep(section, text, socket_address).map(|value| At { value, span })
    });
    let words = [("serve", Plain::Serve), ("redirect", Plain::Redirect), ("off", Plain::Off)];
    let named = section.word(&TLS_PLAINTEXT, &words);
    let handshake = section.duration(&TLS_HANDSHAKE_TIMEOUT);
    let proxy_protocol = section.word(&TLS_PROXY_PROTOCOL, &[("off", false), ("required", true)]);
    let subject_header =
        section.text(&TLS_CLIENT_SUBJECT_HEADER).and_then(|name| keep(section, name, check_header_name));
    let strict = strict(section);
    let is_required = requires_certificate(section);
    let offered = offered(section, files, is_required);
    let requires_certificate = is_required?;
    if requires_certificate && let Some(plain) = &named {
        check_plain(section, plain, listen);
    }
    // Required means required: there is no way in beside it unless the file names one.
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

/// Whether clients have to show a certificate. Without `client_ca` nobody asks them for one, so that a file that
/// names how must not be read as if it protected something.
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

/// Where certificates are required, the API cannot be served without one to whoever reaches the other port. On a
/// loopback address that is this machine alone: allowed if the file says so, and warned of.
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

/// What `Strict-Transport-Security` says.
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

/// A certificate and its key. Both stand in the table, or neither could be used.
pub(super) fn identity(
    section: &Section<'_>,
    certificate: &Key,
    key: &Key,
    files: Files<'_>,
) -> Option<IdentityFiles> {
    for needed in [certificate, key] {
        // Of keys that always have to be set it is said in any case.
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
            let (name, span) =
                if bad.path == identity.certificate { (certificate, chain.span) } else { (key, own.span) };
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

fn acme(section: &Section<'_>, files: Files<'_>) -> Option<AcmeSettings> {
    let named = section.text_list(&ACME_DOMAINS)?;
    let count = named.value.len();
    let domains: Vec<String> =
        named.value.into_iter().filter_map(|name| keep(section, name, domain)).collect();
    if count == 0 {
        section.reader.fault(
            Fault::at(named.span, "a certificate needs a name")
                .label("the list is empty")
                .help(format!("write it like this: domains = {}", ACME_DOMAINS.example)),
        );
    }
    let contact: Vec<String> =
        section.texts(&ACME_CONTACT).into_iter().filter_map(|one| keep(section, one, check_email)).collect();
    let directory = section.text(&ACME_DIRECTORY).and_then(|url| keep(section, url, directory));
    let ca = section.text(&ACME_CA).map(|path| {
        let file = files.folder.join(&path.value);
        let at = At { value: (), span: path.span };
        checked(section, &ACME_CA, at, files, || authorities(&file).map(drop)).map(|()| file)
    });
    let challenge =
        section.word(&ACME_CHALLENGE, &[("http-01", Challenge::Http), ("tls-alpn-01", Challenge::TlsAlpn)]);
    let ca = match ca {
        None => None,
        Some(file) => Some(file?),
    };
    let binding = binding(section);
    let profile = section.text(&ACME_PROFILE).map(|profile| profile.value);
    (count > 0 && domains.len() == count).then_some(())?;
    Some(AcmeSettings {
        domains,
        contact,
        directory: directory?,
        ca,
        challenge: challenge?.value,
        binding: binding?,
        profile,
    })
}

/// The external account. The inner None: there is none. The outer: it has faults.
fn binding(section: &Section<'_>) -> Option<Option<ExternalBinding>> {
    if !section.has(&ACME_EAB_KEY_ID) && !section.has(&ACME_EAB_KEY) {
        return Some(None);
    }
    section.need(&ACME_EAB_KEY_ID);
    section.need(&ACME_EAB_KEY);
    let key_id = section.text(&ACME_EAB_KEY_ID);
    let key = section.text(&ACME_EAB_KEY).and_then(|key| keep(section, key, external_key));
    Some(Some(ExternalBinding { key_id: key_id?.value, key: key? }))
}

/// Authorities show it in base64url; some with padding, some copy and paste the other alphabet.
fn external_key(text: &str) -> Result<Vec<u8>, Refusal> {
    let plain: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    URL_SAFE_NO_PAD.decode(&plain).ok().filter(|key| !key.is_empty()).ok_or_else(|| {
        // The text itself stays out of the message: it may be the better part of a secret.
        Refusal::new(
            "invalid `eab_key`".to_owned(),
            "expected base64url",
            "copy the HMAC key as the authority shows it",
        )
    })
}

fn domain(text: &str) -> Result<String, Refusal> {
    let is_good = is_host_name(text) && text.contains('.') && text.parse::<std::net::IpAddr>().is_err();
    is_good.then(|| text.to_ascii_lowercase()).ok_or_else(|| {
        let help = match text.strip_prefix("*.") {
            Some(_) => "a wildcard needs a DNS challenge, which Fairgate does not support: list each host",
            None => "write a host name such as \"api.example.com\"",
        };
        Refusal::new(format!("`{text}` cannot be in a certificate"), "expected a host name", help)
    })
}

/// Split only as far as is needed to find slips; the rest is the authority's to refuse.
fn directory(text: &str) -> Result<String, Refusal> {
    let host = text.strip_prefix("https://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    host.filter(|host| is_host_name(host)).map(|_| text.to_owned()).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not an ACME directory"),
            "expected a URL that starts with https://",
            format!("write it like this: directory = {}", ACME_DIRECTORY.example),
        )
    })
}
