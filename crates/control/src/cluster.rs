//! The records of a cluster: opened by a command that finds no gateway, and by a gateway, which is a member then.

use crate::control::Stores;
use config::ClusterSettings;
use records::Shared;
use std::rc::Rc;
use store::{Secret, StoreError};

/// The secret of a cluster's keys.
///
/// # Errors
/// It is missing or unreadable.
pub fn secret(cluster: &ClusterSettings) -> Result<Secret, StoreError> {
    let file = &cluster.secret_file;
    Secret::read(file)?.ok_or_else(|| StoreError::Shared {
        why: format!(
            "the secret {} of the cluster is missing: copy the file from another node, or make one by `fairgate cluster init` if this is the first",
            file.display()
        ),
    })
}

/// The records of a cluster, as a command has them: without a copy.
///
/// # Errors
/// They are out of reach, of a newer Fairgate, or of another secret.
pub fn stores(cluster: &ClusterSettings) -> Result<(Stores, Secret), StoreError> {
    let secret = secret(cluster)?;
    let shared = Rc::new(Shared::new(cluster.records.clone())?);
    store::wait(shared.prepare(&secret, &cluster.secret_file))?;
    Ok((Stores { records: Rc::<Shared>::clone(&shared), usage: shared }, secret))
}
