//! The secret of an export's keys: digests are worth nothing with another one, so it is found, or named in the refusal.

use super::Import;
use crate::{export::Header, failure::Failure};
use config::Node;
use records::Shared;
use std::path::{Path, PathBuf};
use store::{Secret, StoreError};

/// Where the secret may be, and where it has to be.
pub(super) struct Secrets<'a> {
    node: &'a Node,
    header: &'a Header,
    name: &'a str,
    /// The file that the gateway will read.
    place: PathBuf,
    named: Option<&'a Path>,
    /// What was done beside, in sentences.
    pub(super) notes: Vec<String>,
}

impl<'a> Secrets<'a> {
    pub(super) fn new(node: &'a Node, header: &'a Header, import: &'a Import) -> Self {
        let place = node.cluster.as_ref().map(|settings| settings.secret_file.clone());
        let place = place.unwrap_or_else(|| node.store.path.join(store::SECRET_FILE));
        let (name, named) = (import.name.as_str(), import.secret.as_deref());
        Self { node, header, name, place, named, notes: Vec::new() }
    }

    /// The secret that the keys were made with: in its place, in the file that was named, where the export had it, or that of the
    /// store in this folder. It is known by its fingerprint.
    pub(super) fn find(&self) -> Result<Secret, Failure> {
        if let Some(named) = self.named {
            let secret = self.fitting(named)?;
            return secret.ok_or_else(|| {
                Failure::new(format!(
                    "{} was not imported: {} is not the secret that its keys were made with, which was {} there",
                    self.name,
                    named.display(),
                    self.header.secret_file.display()
                ))
            });
        }
        let of_store = self.node.store.path.join(store::SECRET_FILE);
        for place in [&self.place, &self.header.secret_file, &of_store] {
            // What stands elsewhere is only a guess: a file that cannot be read is none.
            let found =
                if *place == self.place { self.fitting(place)? } else { self.fitting(place).unwrap_or(None) };
            if let Some(secret) = found {
                return Ok(secret);
            }
        }
        Err(Failure::new(format!(
            "{} was not imported: without the secret that its keys were made with, none of them would be known. Copy the file {} \
             of the machine that exported it, and name the copy by --secret FILE, or put it in the place of {}",
            self.name,
            self.header.secret_file.display(),
            self.place.display()
        )))
    }

    fn fitting(&self, path: &Path) -> Result<Option<Secret>, StoreError> {
        let found = Secret::read(path)?;
        Ok(found.filter(|secret| secret.fingerprint() == self.header.secret_fingerprint.0))
    }

    /// Has the records of a cluster take keys of this secret, if they have none of another.
    pub(super) fn agree(&self, secret: &Secret, shared: &Shared) -> Result<(), Failure> {
        // Whether there are tables, and of this Fairgate.
        match store::wait(shared.prepare(secret, &self.place)) {
            Ok(_) => return Ok(()),
            Err(StoreError::Shared { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let present = Secret::read(&self.place)?;
        let Some(present) = present else {
            // There are no tables, or they are of another secret, which is not here.
            store::wait(shared.prepare(secret, &self.place))?;
            return Ok(());
        };
        store::wait(shared.prepare(&present, &self.place))?;
        let running = store::wait(shared.members())?.into_iter().find(|member| member.is_alive);
        if let Some(member) = running {
            return Err(Failure::new(format!(
                "{} was not imported: its keys were made with another secret than the cluster has, which changes only while no \
                 gateway of the cluster runs, and `{}` does",
                self.name, member.name
            )));
        }
        if store::wait(shared.adopt(secret))? {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} was not imported: its keys were made with another secret than those that the cluster has already",
            self.name
        )))
    }

    /// Puts the secret where the gateway reads it, in the place of one that no key belongs to.
    pub(super) fn put_in_place(&mut self, secret: &Secret) -> Result<(), Failure> {
        let present = Secret::read(&self.place)?;
        if present.as_ref().is_some_and(|present| present.fingerprint() == secret.fingerprint()) {
            return Ok(());
        }
        if self.node.cluster.is_none() {
            self.refuse_keys_of_another()?;
        }
        secret.save(&self.place)?;
        let place = self.place.display();
        self.notes.push(if self.node.cluster.is_some() {
            format!("The secret of the keys is in {place} now: copy it to every gateway of the cluster.")
        } else {
            format!("The secret of the keys is in {place} now.")
        });
        Ok(())
    }

    /// Keys of a store that was made with another secret would be lost. Makes the store, if there is none: a secret without one
    /// would be taken for what is left of it.
    fn refuse_keys_of_another(&self) -> Result<(), Failure> {
        let folder = &self.node.store.path;
        let (store, _) = store::Embedded::open(folder)?;
        let keys = store::wait(store::Records::count_keys(&store))?;
        if keys == 0 {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} was not imported: its keys were made with another secret than the {keys} keys of the store {}: import it into an \
             empty store, by another `[store] path`",
            self.name,
            folder.display()
        )))
    }
}
