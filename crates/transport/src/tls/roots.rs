//! The trusted roots: authorities that somebody names, or those of this machine.

use super::identity::{BadIdentity, read_certificates};
use rustls::{RootCertStore, pki_types::CertificateDer};

/// The trusted roots.
#[derive(Debug, Clone)]
pub enum Roots {
    /// The roots of this machine.
    System(Vec<CertificateDer<'static>>),
    /// Only these.
    Own(Vec<CertificateDer<'static>>),
}

impl Roots {
    /// The current roots of this machine.
    pub fn system() -> Self {
        Self::System(rustls_native_certs::load_native_certs().certs)
    }

    /// The authorities of a PEM file, and no others.
    ///
    /// # Errors
    /// There is none in it, or one cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, BadIdentity> {
        authorities(pem).map(Self::Own)
    }

    /// The store that servers are verified with. None: it would be empty.
    ///
    /// # Errors
    /// A certificate is not one of an authority.
    pub fn store(self) -> Result<Option<RootCertStore>, String> {
        let mut store = RootCertStore::empty();
        match self {
            // Machines have some that nobody can read, and whoever named none cannot be asked to mend them.
            Self::System(found) => drop(store.add_parsable_certificates(found)),
            Self::Own(found) => {
                for one in found {
                    store.add(one).map_err(|error| error.to_string())?;
                }
            }
        }
        Ok((!store.is_empty()).then_some(store))
    }
}

/// The certificates of authorities in a PEM file, however many: those that machines trust are some hundred and fifty.
///
/// # Errors
/// There is none, or one cannot be read.
pub fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BadIdentity> {
    read_certificates(pem, usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_many_authorities_is_read_to_its_end() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".repeat(150);
        assert_eq!(authorities(pem.as_bytes()).unwrap().len(), 150);
        assert!(matches!(Roots::from_pem(b"none"), Err(BadIdentity::NoCertificate)));
    }

    #[test]
    fn what_is_no_certificate_of_an_authority_is_refused_and_of_the_machine_passed_over() {
        let bytes = CertificateDer::from(vec![0; 3]);
        assert!(Roots::Own(vec![bytes.clone()]).store().is_err());
        assert!(Roots::System(vec![bytes]).store().unwrap().is_none());
    }
}
