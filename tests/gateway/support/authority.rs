//! A certificate authority for tests, and the certificates it issues.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM form.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// The default authority, for tests that need no other.
pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("The tests' authority"));

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named(&[(DnType::CommonName, name)]);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for these host names and addresses.
    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        self.issue_with(names, &KeyPair::generate().unwrap())
    }

    pub(crate) fn issue_with(&self, names: &[&str], key: &KeyPair) -> Issued {
        self.certify(
            CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()),
            key,
        )
    }

    /// A certificate for a client with this subject, the first part first.
    pub(crate) fn issue_to(&self, subject: &[(DnType, &str)]) -> Issued {
        let params = CertificateParams::new(Vec::new()).map(|mut params| {
            params.distinguished_name = named(subject);
            params
        });
        self.certify(params, &KeyPair::generate().unwrap())
    }

    fn certify(&self, params: Result<CertificateParams, rcgen::Error>, key: &KeyPair) -> Issued {
        let certificate = params.unwrap().signed_by(key, &self.issuer).unwrap();
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// How a client trusts this authority, and shows a certificate if it has one.
    pub(crate) fn client(&self, own: Option<&Issued>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        match own {
            None => builder.with_no_client_auth(),
            Some(own) => builder.with_client_auth_cert(own.chain(), own.private()).unwrap(),
        }
    }
}

impl Issued {
    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.certificate.as_bytes()).map(Result::unwrap).collect()
    }

    pub(crate) fn private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }

    /// Writes `NAME.pem` and `NAME.key`. Each is replaced in one step.
    pub(crate) fn write(&self, folder: &Path, name: &str) {
        for (ending, text) in [("pem", &self.certificate), ("key", &self.key)] {
            let (making, place) =
                (folder.join(format!(".{name}.{ending}")), folder.join(format!("{name}.{ending}")));
            std::fs::write(&making, text).unwrap();
            std::fs::rename(&making, &place).unwrap();
        }
    }
}

fn named(parts: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in parts {
        name.push(kind.clone(), *value);
    }
    name
}
