//! TLS to a real server: who is trusted, by libpq's `sslmode`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

#[path = "../../../tests/servers/postgres.rs"]
mod server;

use postgres::{Kind, Link, Target, Timing};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use server::Server;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
};

/// An authority, in a file of its own.
fn authority(server: &Server, name: &str) -> (CertifiedIssuer<'static, KeyPair>, PathBuf) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let file = server.folder().join(name);
    fs::write(&file, authority.pem()).unwrap();
    (authority, file)
}

/// Has the server show a certificate for these names.
fn give_certificate(server: &Server, authority: &CertifiedIssuer<'static, KeyPair>, name: &str) {
    use std::os::unix::fs::MetadataExt;
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let owner = fs::metadata(server.folder()).unwrap();
    for (file, text) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
        let path = server.folder().join("data").join(file);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    server.sql("ALTER SYSTEM SET ssl = on");
    server.sql("SELECT pg_reload_conf()");
}

/// Whether the connection is encrypted, or why there is none.
fn connect(server: &Server, parameters: &str) -> Result<bool, Kind> {
    let url = format!("{}?{parameters}", server.url().replace("127.0.0.1", "localhost"));
    let mut link = Link::new(Target::parse(&url).unwrap(), Timing::default());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let session = link.session().await.map_err(|fault| fault.kind())?;
        let text = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        Ok(session.query_one(text, &[]).await.unwrap().get(0))
    })
}

#[test]
fn whom_to_trust_is_as_the_url_says() {
    let server = Server::start();
    let (authority, trusted) = authority(&server, "trusted.pem");
    let (_, other) = self::authority(&server, "other.pem");
    let (trusted, other) = (trusted.display(), other.display());
    assert_eq!(connect(&server, "sslmode=prefer"), Ok(false), "the server has no TLS yet");
    assert_eq!(connect(&server, "sslmode=require"), Err(Kind::Denied));
    give_certificate(&server, &authority, "localhost");
    assert_eq!(connect(&server, "sslmode=disable"), Ok(false));
    assert_eq!(connect(&server, ""), Ok(true));
    assert_eq!(connect(&server, "sslmode=require"), Ok(true));
    assert_eq!(connect(&server, &format!("sslmode=verify-full&sslrootcert={trusted}")), Ok(true));
    for mode in ["require", "verify-ca", "verify-full"] {
        let refused = connect(&server, &format!("sslmode={mode}&sslrootcert={other}"));
        assert_eq!(refused, Err(Kind::Denied), "{mode}");
    }
    assert_eq!(connect(&server, "sslmode=verify-full"), Err(Kind::Denied), "this machine does not trust it");
    give_certificate(&server, &authority, "another.example");
    assert_eq!(connect(&server, &format!("sslmode=verify-ca&sslrootcert={trusted}")), Ok(true));
    assert_eq!(connect(&server, &format!("sslmode=verify-full&sslrootcert={trusted}")), Err(Kind::Denied));
}
