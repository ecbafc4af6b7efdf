//! Opens the records of a cluster, and has this node join it.

use super::{membership::Membership, node_file::NodeFile};
use crate::{Stores, cluster, failure::Failure, lifecycle::Lifecycle, serve::lock_wait::Patience};
use config::{ClusterSettings, Node};
use gateway::record::{Level, LogSink, Value};
use records::{Clustered, Shared};
use std::{rc::Rc, sync::Arc};
use store::{Embedded, Footprint, Secret, StoreError};

/// The folder of the copy, in that of the store.
const COPY: &str = "copy";

/// What a node of a cluster has opened.
pub(in crate::serve) struct Opened {
    pub(in crate::serve) stores: Stores,
    pub(in crate::serve) secret: Secret,
    pub(in crate::serve) footprint: Footprint,
    pub(in crate::serve) membership: Rc<Membership>,
}

/// Opens the records of a cluster. Out of reach, they are no reason not to start if there is a copy.
pub(in crate::serve) fn open(
    node: &Node,
    settings: &ClusterSettings,
    (lifecycle, log): (&Arc<Lifecycle>, &LogSink),
    patience: &mut Patience<'_>,
) -> Result<Opened, Failure> {
    let secret = cluster::secret(settings)?;
    let is_locked = |error: &StoreError| matches!(error, StoreError::Locked { .. });
    let folder = node.store.path.join(COPY);
    let copy = patience.wait(is_locked, || Embedded::open_copy(&folder, &secret, &settings.secret_file))?;
    let footprint = copy.footprint().clone();
    let shared = Arc::new(Shared::new(settings.records.clone())?);
    let clustered = Rc::new(Clustered::new(shared, copy)?);
    let membership = Rc::new(Membership::new(
        Rc::clone(&clustered),
        (secret.clone(), settings.secret_file.clone()),
        NodeFile::read(&node.store.path, settings.node.as_deref())?,
        Arc::clone(lifecycle),
    )?);
    let runs = |error: &StoreError| matches!(error, StoreError::MemberRuns { .. });
    match patience.wait(runs, || store::wait(membership.join())) {
        Ok(()) => lifecycle.cluster().note_records(None),
        Err(error @ StoreError::Away { .. }) => start_away(&membership, error, lifecycle, log)?,
        Err(error) => return Err(error.into()),
    }
    warn_of_own_store(node, log);
    let stores = Stores { records: Rc::<Clustered>::clone(&clustered), usage: clustered };
    Ok(Opened { stores, secret, footprint, membership })
}

fn start_away(
    membership: &Membership,
    error: StoreError,
    lifecycle: &Lifecycle,
    log: &LogSink,
) -> Result<(), Failure> {
    let Some(age) = membership.age() else {
        return Err(Failure::new(format!(
            "{error}. This node has no copy of the records yet, which it makes at its first start: it cannot start without PostgreSQL"
        )));
    };
    let error = error.to_string();
    let members = [
        ("error", Value::Text(&error)),
        ("copy_age_seconds", Value::Number(age)),
        ("effect", Value::Text("the gateway starts with its copy of the records, and refuses to change any")),
    ];
    log.event_of(Level::Warn, "the shared records are out of reach", &members);
    lifecycle.cluster().note_records(Some(&error));
    Ok(())
}

fn warn_of_own_store(node: &Node, log: &LogSink) {
    let own = node.store.path.join(store::DATABASE_FILE);
    if own.exists() {
        let file = own.display().to_string();
        let effect = "its keys are not known to the cluster: what it holds is not read while there is a table `[cluster]`";
        log.event(
            Level::Warn,
            "the store of a single gateway is not used",
            &[("file", &file), ("effect", effect)],
        );
    }
}
