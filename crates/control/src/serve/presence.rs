//! Looks whether the store still lies where it was opened, and raises an alarm if it does not.
//!
//! A file that was removed can be written to until the process ends. So nothing else would notice that what is saved
//! is lost: not the store, not the journal, not a command that opens a new store in the same place.

use crate::lifecycle::{Alarm, Lifecycle};
use gateway::record::{Level, LogSink};
use std::{sync::Arc, time::Duration};
use store::Footprint;
use tokio::time::sleep;

const EVERY: Duration = Duration::from_secs(1);

/// Looks once a second, for ever.
pub(super) async fn run(footprint: Footprint, lifecycle: Arc<Lifecycle>, log: LogSink) {
    loop {
        sleep(EVERY).await;
        // A network disk that does not answer must not hold up the control plane.
        let store = footprint.clone();
        let Ok(found) = tokio::task::spawn_blocking(move || store.check()).await else { continue };
        let what = found.err().map(|error| error.to_string());
        if !lifecycle.raise(Alarm::StoreGone, what.clone()) {
            continue;
        }
        match what {
            Some(what) => {
                let effect = "requests go on with the keys and limits in memory; /ready says 503, and no key can be \
                              made or changed";
                log.event(Level::Error, "the store is gone", &[("error", &what), ("effect", effect)]);
            }
            None => log.event(Level::Info, "the store is back", &[]),
        }
    }
}
