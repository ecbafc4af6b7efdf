//! Keeps a connection to the primary, and makes it anew.

use super::{
    Locator, Shared,
    connection::{Connection, locked},
    info::Info,
};
use crate::{LedgerError, target::Host};
use lease::NodeId;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// The waits between tries to connect.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// A connection that lived for so long was a good one.
const GOOD: Duration = Duration::from_secs(1);

/// Whether there is a connection.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// There is none. With what the last try ended since there was one.
    Connecting(Option<LedgerError>),
    Ready(Arc<Primary>),
}

/// A server that is known to be the primary, has the library, and whose epoch has begun.
#[derive(Debug)]
pub(crate) struct Primary {
    pub(crate) connection: Connection,
    pub(crate) host: Host,
    /// Its address, for messages.
    pub(crate) server: String,
    pub(crate) info: Info,
    /// Until when it is known to be the primary. `None`: nobody has to confirm that.
    pub(crate) confirmed: Option<Mutex<Instant>>,
}

impl Primary {
    /// Whether it may still be used.
    pub(crate) fn check_confirmed(&self) -> Result<(), LedgerError> {
        match &self.confirmed {
            Some(until) if Instant::now() >= *locked(until) => Err(LedgerError::NotPrimary {
                server: self.server.clone(),
                why: "no majority of the Sentinels confirms it".to_owned(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn confirm(&self, until: Instant) {
        if let Some(confirmed) = &self.confirmed {
            *locked(confirmed) = until;
        }
    }
}

/// Connects for ever.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let mut wait = BACKOFF.0;
    loop {
        let limit = shared.options.connect_timeout;
        match timeout(limit, shared.prepare()).await.unwrap_or_else(|_| Err(shared.slow(limit))) {
            Ok(primary) => {
                let (primary, since) = (Arc::new(primary), Instant::now());
                shared.state.send_replace(State::Ready(Arc::clone(&primary)));
                let why = watch(&shared, &primary).await;
                shared.lose(&primary, &why);
                if since.elapsed() < GOOD {
                    sleep(wait).await;
                    wait = (wait * 2).min(BACKOFF.1);
                } else {
                    wait = BACKOFF.0;
                }
            }
            Err(error) => {
                shared.state.send_replace(State::Connecting(Some(error)));
                sleep(wait).await;
                wait = (wait * 2).min(BACKOFF.1);
            }
        }
    }
}

/// Looks after a connection until it is of no use any more.
async fn watch(shared: &Shared, primary: &Primary) -> String {
    tokio::select! {
        why = primary.connection.ended() => why.to_string(),
        why = confirm(shared, primary) => why,
        () = subscribe(shared, primary) => String::new(),
    }
}

/// Has the Sentinels confirm again and again that it is the primary.
async fn confirm(shared: &Shared, primary: &Primary) -> String {
    match &shared.locator {
        Locator::Sentinel(sentinels) => sentinels.confirm(primary).await,
        Locator::Single | Locator::Cluster(_) => std::future::pending().await,
    }
}

/// Subscribes to the recalls of each node that wants them.
async fn subscribe(shared: &Shared, primary: &Primary) {
    let mut subscribed = HashSet::new();
    loop {
        let wanted: Vec<NodeId> = locked(&shared.recalls).keys().copied().collect();
        for node in wanted {
            if subscribed.insert(node) {
                let channel = format!("{}{node}", shared.keys.recall);
                // Without its permission recalls are lost, which costs a hint.
                let _ = primary.connection.subscribe(&channel).await;
            }
        }
        shared.wanted.notified().await;
    }
}

impl Shared {
    fn slow(&self, limit: Duration) -> LedgerError {
        let hosts: Vec<_> = self.target.hosts.iter().map(ToString::to_string).collect();
        let why = format!("no connection within {} ms", limit.as_millis());
        LedgerError::Unreachable { server: hosts.join(", "), why }
    }
}
