//! What is kept of an authority: our account with it, the certificate and its key. Each authority has a folder of its
//! own, so that a certificate of a staging one is never taken for a real one.

use super::schedule::Orders;
use gateway::tls::Identity;
use instant_acme::AccountCredentials;
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const ACCOUNT: &str = "account.json";
/// When orders were placed, and how they went.
const ORDERS: &str = "orders.json";
/// In the account's file: the external account that it was bound to.
const BOUND_TO: &str = "eab_key_id";
/// Certificate and key in one file: they change in one step.
const CERTIFICATE: &str = "certificate.pem";

pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder if it is not there.
    pub(super) fn open(store: &Path, directory: &str) -> Result<Self, String> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let name: String = directory.trim_start_matches("https://").chars().map(plain).take(200).collect();
        let path = store.join("acme").join(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|error| format!("the folder {} cannot be made: {error}", path.display()))?;
        Ok(Self(path))
    }

    /// The certificate that was kept.
    pub(super) fn identity(&self) -> Result<Option<Identity>, String> {
        let Some(pem) = self.read(CERTIFICATE)? else { return Ok(None) };
        Identity::from_pem(&pem, &pem).map(Some).map_err(|error| error.to_string())
    }

    pub(super) fn keep(&self, chain: &str, key: &str) -> Result<(), String> {
        self.write(CERTIFICATE, format!("{chain}\n{key}").as_bytes())
    }

    /// Our account, if there is one that is bound to this external account, or that needs none.
    pub(super) fn account(&self, bound_to: Option<&str>) -> Result<Option<AccountCredentials>, String> {
        let Some(text) = self.read(ACCOUNT)? else { return Ok(None) };
        let unreadable = |error: serde_json::Error| format!("{ACCOUNT}: {error}");
        let kept: serde_json::Value = serde_json::from_slice(&text).map_err(unreadable)?;
        if bound_to.is_some() && kept.get(BOUND_TO).and_then(|id| id.as_str()) != bound_to {
            return Ok(None);
        }
        serde_json::from_slice(&text).map(Some).map_err(unreadable)
    }

    pub(super) fn keep_account(
        &self,
        account: &AccountCredentials,
        bound_to: Option<&str>,
    ) -> Result<(), String> {
        let mut kept = serde_json::to_value(account).map_err(|error| error.to_string())?;
        if let (Some(members), Some(id)) = (kept.as_object_mut(), bound_to) {
            members.insert(BOUND_TO.to_owned(), id.into());
        }
        let text = serde_json::to_vec_pretty(&kept).map_err(|error| error.to_string())?;
        self.write(ACCOUNT, &text)
    }

    /// Forgets the account: the authority does not know it any more.
    pub(super) fn forget_account(&self) -> Result<(), String> {
        let place = self.0.join(ACCOUNT);
        fs::remove_file(&place).map_err(|error| format!("{}: {error}", place.display()))
    }

    /// The orders of earlier runs. A file that cannot be read says nothing, which costs an interval at most.
    pub(super) fn orders(&self) -> Orders {
        let text = self.read(ORDERS).ok().flatten().unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub(super) fn keep_orders(&self, orders: &Orders) -> Result<(), String> {
        let text = serde_json::to_vec(orders).map_err(|error| error.to_string())?;
        self.write(ORDERS, &text)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        match fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", self.0.join(name).display())),
        }
    }

    /// Replaces a file in one step. Nobody but us can read it.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let (making, place) = (self.0.join(format!(".{name}")), self.0.join(name));
        let write = || {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&making)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&making, &place)
        };
        write().map_err(|error| format!("{}: {error}", place.display()))
    }
}
