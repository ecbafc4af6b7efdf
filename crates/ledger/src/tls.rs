//! TLS to a server: whom to trust, and the handshake.

use crate::LedgerError;
use rustls::{
    ClientConfig,
    crypto::ring,
    pki_types::ServerName,
    version::{TLS12, TLS13},
};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use transport::tls::Roots;

/// How servers are spoken to by TLS.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    pub(crate) fn new(authorities: Option<&[u8]>) -> Result<Self, LedgerError> {
        let bad = LedgerError::Tls;
        let roots = match authorities {
            Some(pem) => Roots::from_pem(pem).map_err(|error| bad(error.to_string()))?,
            None => Roots::system(),
        };
        let roots = roots.store().map_err(bad)?;
        let roots = roots.ok_or_else(|| bad("no certificate authority is trusted".to_owned()))?;
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
