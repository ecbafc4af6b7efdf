//! A certificate with its chain and private key: the identity of one side of a connection.

use super::PROVIDER;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use std::{fmt, net::IpAddr, sync::Arc};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
};

/// Maximum length of a chain.
const MAX_CERTIFICATES: usize = 100;

/// A certificate, its chain, and its private key.
#[derive(Clone)]
pub struct Identity {
    pub(super) key: Arc<CertifiedKey>,
    names: Vec<String>,
    not_before: i64,
    not_after: i64,
    issued: Option<Issued>,
}

/// Identifies a certificate among all of its authority: the identifier of the authority's key and
/// the serial number, as in the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The authority key identifier.
    pub authority_key: Vec<u8>,
    /// The serial number: the content octets of its DER encoding.
    pub serial: Vec<u8>,
}

/// Why a certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadIdentity {
    /// There is no certificate.
    #[error("it contains no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
    /// A certificate cannot be parsed.
    #[error("it contains a certificate that cannot be read: {0}")]
    Unreadable(String),
    /// There is no private key.
    #[error("it contains no private key in PEM form (PKCS#8, SEC1 or PKCS#1, without a password)")]
    NoKey,
    /// The type of the key is not supported.
    #[error("its private key cannot be used: {0}")]
    BadKey(String),
    /// The key belongs to another certificate.
    #[error("its private key does not match the certificate")]
    OtherKey,
}

impl Identity {
    /// Parses PEM: the certificate followed by its chain; the private key separately.
    ///
    /// # Errors
    /// One of them cannot be used, or they do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, BadIdentity> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| BadIdentity::NoKey)?;
        let key = PROVIDER
            .key_provider
            .load_private_key(key)
            .map_err(|error| BadIdentity::BadKey(error.to_string()))?;
        let parsed = Parsed::read(chain.first().ok_or(BadIdentity::NoCertificate)?)?;
        if key.public_key().is_some_and(|public| *public != *parsed.public_key) {
            return Err(BadIdentity::OtherKey);
        }
        let Parsed { names, not_before, not_after, issued, .. } = parsed;
        Ok(Self { key: Arc::new(CertifiedKey::new(chain, key)), names, not_before, not_after, issued })
    }

    /// Its names in lower case: `api.example.com`, `*.example.com`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Its validity period in Unix seconds.
    pub const fn holds(&self) -> (i64, i64) {
        (self.not_before, self.not_after)
    }

    /// Identifies it among all of its authority. None: it has no authority key identifier.
    pub const fn issued(&self) -> Option<&Issued> {
        self.issued.as_ref()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key must not be printed.
        write!(out, "Identity({:?})", self.names)
    }
}

/// The certificates of a PEM file, in order. Other content is ignored.
///
/// # Errors
/// There is none, or one cannot be parsed.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BadIdentity> {
    read_certificates(pem, MAX_CERTIFICATES)
}

/// At most so many certificates of a PEM file.
pub(super) fn read_certificates(
    pem: &[u8],
    most: usize,
) -> Result<Vec<CertificateDer<'static>>, BadIdentity> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).take(most).collect();
    let read = read.map_err(|error| BadIdentity::Unreadable(error.to_string()))?;
    if read.is_empty() {
        return Err(BadIdentity::NoCertificate);
    }
    Ok(read)
}

/// The parsed content of a certificate.
struct Parsed {
    names: Vec<String>,
    not_before: i64,
    not_after: i64,
    /// DER-encoded.
    public_key: Vec<u8>,
    issued: Option<Issued>,
}

impl Parsed {
    fn read(certificate: &CertificateDer<'_>) -> Result<Self, BadIdentity> {
        let unreadable = |error: &dyn fmt::Display| BadIdentity::Unreadable(error.to_string());
        let (_, read) = X509Certificate::from_der(certificate).map_err(|error| unreadable(&error))?;
        let alternatives = read.subject_alternative_name().map_err(|error| unreadable(&error))?;
        let names = alternatives.into_iter().flat_map(|found| &found.value.general_names);
        // DNS names and IP addresses; a client asks for one of them.
        let names = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
            GeneralName::OtherName(..)
            | GeneralName::RFC822Name(_)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::URI(_)
            | GeneralName::RegisteredID(_)
            | GeneralName::Invalid(..) => None,
        });
        Ok(Self {
            names: names.collect(),
            not_before: read.validity().not_before.timestamp(),
            not_after: read.validity().not_after.timestamp(),
            public_key: read.public_key().raw.to_vec(),
            issued: issued(&read),
        })
    }
}

fn issued(read: &X509Certificate<'_>) -> Option<Issued> {
    let authority_key = read.iter_extensions().find_map(|extension| {
        if let ParsedExtension::AuthorityKeyIdentifier(found) = extension.parsed_extension() {
            found.key_identifier.as_ref().map(|identifier| identifier.0.to_vec())
        } else {
            None
        }
    })?;
    Some(Issued { authority_key, serial: read.raw_serial().to_vec() })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}
