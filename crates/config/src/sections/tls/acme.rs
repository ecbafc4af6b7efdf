//! The table `[tls.acme]`.

use super::{
    super::syntax::{check_email, is_host_name},
    Files, checked,
};
use crate::{
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{
        Absent::{Default, Means, Required},
        Shape,
    },
    tls::{AcmeSettings, Challenge, ExternalBinding, authorities},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

rows! {
    ACME_DOMAINS = Acme "domains", Shape::Texts, Required, "[\"api.example.com\"]", also "names";
    "The names of the certificate."

    ACME_CONTACT = Acme "contact", Shape::Texts, Default("[]"), "[\"ops@example.com\"]", also "email";
    "Email addresses that the authority may write to."

    ACME_DIRECTORY = Acme "directory", Shape::Text, Default("\"https://acme-v02.api.letsencrypt.org/directory\""),
    "\"https://acme-staging-v02.api.letsencrypt.org/directory\"", also "server", "directory_url";
    "The directory URL of the authority. By using it you agree to its terms of service."

    ACME_CA = Acme "ca", Shape::Text, Means("the authorities that this machine trusts"), "\"tls/acme-ca.pem\"";
    "A PEM file with the certificate authorities that the directory's own certificate must be issued by."

    ACME_CHALLENGE = Acme "challenge", Shape::Words(&["http-01", "tls-alpn-01"]), Default("\"http-01\""),
    "\"tls-alpn-01\"";
    "How the authority validates that you control the names. `http-01`: at port 80, which must lead to `[listen] address`. \
     `tls-alpn-01`: at port 443, which must lead to `[tls] address`."

    ACME_PROFILE = Acme "profile", Shape::Text, Means("the authority's default"), "\"shortlived\"";
    "The certificate profile to order, by its name in the authority's directory."

    ACME_EAB_KEY_ID = Acme "eab_key_id", Shape::Text, Means("no external account binding"), "\"kid-1\"",
    also "eab_kid";
    "For authorities that require external account binding: the key id that the authority gave you."

    ACME_EAB_KEY = Acme "eab_key", Shape::Text, Means("as with `eab_key_id`"),
    "\"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\"", also "eab_hmac_key";
    "The key itself, in base64url as the authority shows it. It is needed for the first order only."
}

pub(super) fn acme(section: &Section<'_>, files: Files<'_>) -> Option<AcmeSettings> {
    let named = section.text_list(&ACME_DOMAINS)?;
    let count = named.value.len();
    let domains: Vec<String> =
        named.value.into_iter().filter_map(|name| section.keep(name, domain)).collect();
    if count == 0 {
        section.reader.fault(
            Fault::at(named.span, "a certificate needs a name")
                .label("the list is empty")
                .help(format!("write it like this: domains = {}", ACME_DOMAINS.example)),
        );
    }
    let contact: Vec<String> =
        section.texts(&ACME_CONTACT).into_iter().filter_map(|one| section.keep(one, check_email)).collect();
    let directory = section.text(&ACME_DIRECTORY).and_then(|url| section.keep(url, directory));
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

/// The external account. The inner None: it is not configured. The outer: it has faults.
fn binding(section: &Section<'_>) -> Option<Option<ExternalBinding>> {
    if !section.has(&ACME_EAB_KEY_ID) && !section.has(&ACME_EAB_KEY) {
        return Some(None);
    }
    section.need(&ACME_EAB_KEY_ID);
    section.need(&ACME_EAB_KEY);
    let key_id = section.text(&ACME_EAB_KEY_ID);
    let key = section.text(&ACME_EAB_KEY).and_then(|key| section.keep(key, external_key));
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
