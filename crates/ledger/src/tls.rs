//! TLS to a server: whom to trust, and the handshake.

use crate::LedgerError;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How servers are spoken to by TLS.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    pub(crate) fn new(authorities: Option<&[u8]>) -> Result<Self, LedgerError> {
        let mut roots = RootCertStore::empty();
        match authorities {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let certificate = certificate.map_err(|error| LedgerError::Tls(error.to_string()))?;
                    roots.add(certificate).map_err(|error| LedgerError::Tls(error.to_string()))?;
                }
            }
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
        if roots.is_empty() {
            return Err(LedgerError::Tls("no certificate authority is trusted".to_owned()));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| LedgerError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config) })
    }

    /// The handshake, with a server of this name.
    pub(crate) async fn shake(&self, socket: TcpStream, name: &str) -> Result<TlsStream<TcpStream>, String> {
        let name =
            ServerName::try_from(name.to_owned()).map_err(|_| format!("`{name}` is not a host name"))?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(name, socket).await.map_err(|error| error.to_string())
    }
}
