//! The files of `[tls]`: certificates, keys and authorities. They are read at the start, and again
//! whenever they change.

use gateway::tls::{Asks, Challenges, Identity, Server, Versions};
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// A file that is larger than this is not one of certificates.
const MAX_FILE_SIZE: u64 = 4 << 20;

/// What clients are offered, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The first is for clients that ask for no name, or for one that is not known.
    pub identities: Vec<IdentityFiles>,
    /// The authorities that issue client certificates. None: clients are not asked for one.
    pub client_ca: Option<ClientCa>,
    /// The versions that are spoken.
    pub versions: Versions,
    /// Where another certificate is fetched from.
    pub acme: Option<AcmeSettings>,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The certificate and its intermediates, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// The authorities that issue client certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCa {
    /// Their certificates, in PEM.
    pub file: PathBuf,
    /// Whether clients must present a certificate.
    pub is_required: bool,
}

/// How a certificate is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeSettings {
    /// The names of the certificate.
    pub domains: Vec<String>,
    /// Email addresses that the authority may write to.
    pub contact: Vec<String>,
    /// The URL of the authority's directory.
    pub directory: String,
    /// The authorities of the directory's own certificate. None: those that this machine trusts.
    pub ca: Option<PathBuf>,
    /// How the authority validates the names.
    pub challenge: Challenge,
    /// What binds our account to one that the authority knows by other means.
    pub binding: Option<ExternalBinding>,
    /// Which of the authority's kinds of certificate is ordered. None: its default.
    pub profile: Option<String>,
}

/// What binds an account to another one at the authority (RFC 8555, 7.3.4).
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalBinding {
    /// The id of the key.
    pub key_id: String,
    /// The key, a secret.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for ExternalBinding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is a secret.
        write!(out, "ExternalBinding({:?})", self.key_id)
    }
}

/// How an authority validates that a name leads here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// `http-01`: by a request at port 80.
    Http,
    /// `tls-alpn-01`: by a handshake at port 443.
    TlsAlpn,
}

/// When a file was changed last, and which it is: enough to see that it was replaced.
pub type Stamp = Option<(SystemTime, u64, u64)>;

/// What a file could not be used for, and why.
#[derive(Debug)]
pub struct BadFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for BadFile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.path.display(), self.reason)
    }
}

// === impl TlsSettings ===

impl TlsSettings {
    /// Reads all files anew. `fetched`: the certificate that came by ACME, if there is one.
    pub fn server(&self, fetched: Option<Identity>, challenges: Challenges) -> Result<Server, String> {
        let mut identities = Vec::new();
        for files in &self.identities {
            identities.push(files.read().map_err(|bad| bad.to_string())?);
        }
        identities.extend(fetched);
        let asks = match &self.client_ca {
            None => Asks::Nothing,
            Some(ca) => {
                let authorities = authorities(&ca.file).map_err(|bad| bad.to_string())?;
                if ca.is_required { Asks::Required(authorities) } else { Asks::Optional(authorities) }
            }
        };
        Server::new(&identities, asks, self.versions, challenges).map_err(|error| error.to_string())
    }

    /// The stamps of all files.
    pub fn stamps(&self) -> Vec<Stamp> {
        let files = self.identities.iter().flat_map(|files| [&files.certificate, &files.key]);
        files.chain(self.client_ca.as_ref().map(|ca| &ca.file)).map(|path| stamp(path)).collect()
    }
}

impl IdentityFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// The file that cannot be used, and why.
    pub fn read(&self) -> Result<Identity, BadFile> {
        use gateway::tls::BadIdentity;
        let (chain, key) = (read(&self.certificate)?, read(&self.key)?);
        Identity::from_pem(&chain, &key).map_err(|error| {
            let path = match error {
                BadIdentity::NoKey | BadIdentity::BadKey(_) | BadIdentity::OtherKey => &self.key,
                BadIdentity::NoCertificate | BadIdentity::Unreadable(_) => &self.certificate,
            };
            BadFile { path: path.clone(), reason: error.to_string() }
        })
    }
}

/// The certificates of authorities in a file.
pub fn authorities(path: &Path) -> Result<Vec<CertificateDer>, BadFile> {
    gateway::tls::authorities(&read(path)?)
        .map_err(|error| BadFile { path: path.to_owned(), reason: error.to_string() })
}

/// A certificate as it goes over the wire.
pub type CertificateDer = gateway::tls::CertificateDer<'static>;

fn read(path: &Path) -> Result<Vec<u8>, BadFile> {
    let bad = |reason: String| BadFile { path: path.to_owned(), reason };
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(bad(super::reason(&error))),
        Ok(_) if bytes.len() as u64 > MAX_FILE_SIZE => Err(bad("it is larger than 4 MiB".to_owned())),
        Ok(_) => Ok(bytes),
    }
}

/// Follows links: some deployments change files by turning a link.
fn stamp(path: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len(), about.ino()))
}
