//! The process around the gateway as the control plane knows it: what it has to write down, its configuration, its sockets.

use super::{
    charges::Order,
    incidents::Incidents,
    live::Configured,
    reload::{self, Source, Taken},
    usage::Ledger,
};
use crate::{
    Actor, Counting, OperationError, Preparing, Process, Reloaded, Saving, Sockets, Stores, TakenOver,
    Unsaved,
    lifecycle::{Lifecycle, Phase},
    transport::http::Health,
};
use config::StoreSettings;
use gateway::Handle;
use std::{
    cell::{Cell, RefCell},
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::{Arc, mpsc::Sender},
    time::Duration,
};
use tokio::sync::{Notify, oneshot};

/// The process around the gateway.
pub(super) struct ServingProcess {
    handle: Handle,
    source: Rc<RefCell<Source>>,
    configured: Rc<Configured>,
    /// Orders for the journal's thread, if there is one.
    charges: Option<Sender<Order>>,
    /// How often is saved.
    every: Rc<Cell<Duration>>,
    lifecycle: Arc<Lifecycle>,
    handing: Rc<Handing>,
    health: Rc<RefCell<Health>>,
    incidents: Incidents,
    usage: Ledger,
}

/// What the gateway needs that takes the place of this one.
pub(super) struct Handing {
    /// The listening sockets once more.
    pub(super) sockets: RefCell<Vec<TcpListener>>,
    /// Another gateway has them.
    pub(super) is_done: Notify,
}

impl ServingProcess {
    pub(super) fn new(
        (handle, lifecycle): (Handle, Arc<Lifecycle>),
        stores: &Stores,
        settings: &StoreSettings,
        (source, configured): (Rc<RefCell<Source>>, Rc<Configured>),
        charges: Option<Sender<Order>>,
        handing: Rc<Handing>,
        health: Rc<RefCell<Health>>,
    ) -> Self {
        Self {
            incidents: Incidents::new(handle.clone(), Rc::clone(&stores.records)),
            usage: Ledger::new(handle.clone(), Rc::clone(&stores.usage), settings.usage),
            handle,
            source,
            configured,
            charges,
            every: Rc::new(Cell::new(settings.flush_interval)),
            lifecycle,
            handing,
            health,
        }
    }

    /// How often is saved, whatever the configuration comes to say.
    pub(super) fn every(&self) -> Rc<Cell<Duration>> {
        Rc::clone(&self.every)
    }

    /// The only steps that can fail come first.
    fn take(&self) -> Result<Taken, OperationError> {
        let mut source = self.source.borrow_mut();
        let Some(next) = source.next_admin() else { return source.take_over(&self.handle) };
        let before = self.health.borrow().wanted();
        self.move_health(next)?;
        let taken = source.take_over(&self.handle);
        if taken.is_err() {
            let _ = self.move_health(before);
        }
        taken
    }

    fn move_health(&self, wanted: Option<SocketAddr>) -> Result<(), OperationError> {
        let moved = self.health.borrow_mut().move_to(wanted);
        moved.map_err(|error| OperationError::NotReloaded(format!("{error}; nothing was changed")))
    }
}

impl Process for ServingProcess {
    fn save(&self, what: Unsaved) -> Saving<'_> {
        Box::pin(async move {
            match what {
                Unsaved::Incidents => {
                    let saved = self.incidents.save().await;
                    // Afterwards, and with its own faults: usage is a report, what was saved before is a promise.
                    self.usage.save_if_due().await;
                    saved
                }
                Unsaved::Usage => self.usage.save().await,
            }
        })
    }

    fn counters(&self) -> Counting<'_> {
        Box::pin(async {
            let Some(charges) = &self.charges else { return Ok(None) };
            let (done, counters) = oneshot::channel();
            let _ = charges.send(Order::Counters(done));
            let gone = || OperationError::NotWritten("another export began, or the gateway ends".to_owned());
            let counters = counters.await.map_err(|_| gone())?;
            counters.map(Some).map_err(|error| OperationError::NotWritten(error.to_string()))
        })
    }

    fn prepare(&self) -> Preparing {
        self.source.borrow().prepare(self.handle.clone())
    }

    fn take_over(&self) -> Result<TakenOver, OperationError> {
        let Taken { reloaded, rules, store } = self.take()?;
        self.usage.set(store.usage);
        self.every.set(store.flush_interval);
        if let Some(charges) = &self.charges {
            let _ = charges.send(Order::Go(store.flush_interval, store.on_disk_full));
        }
        Ok(TakenOver { rules, reloaded })
    }

    fn reloaded(&self, actor: Actor, done: Result<&Reloaded, &OperationError>) {
        self.configured.set(done.err().map(ToString::to_string));
        reload::log(self.handle.log(), actor, done);
    }

    fn hand_over(&self, addresses: &[SocketAddr]) -> Result<Sockets, OperationError> {
        if self.lifecycle.phase() != Phase::Serving {
            return Err(OperationError::NotHandedOver("the gateway starts or ends already".to_owned()));
        }
        // Who waits in the queue of a socket that the next gateway does not serve would be cut off.
        if let Some(left) =
            self.handing.sockets.borrow().iter().find_map(|socket| without_successor(socket, addresses))
        {
            return Err(OperationError::NotHandedOver(format!(
                "it listens at {left}, and the new configuration does not: a hot restart keeps the addresses. Change it back, \
                 or stop this gateway and start the new one"
            )));
        }
        self.handle.hand_over();
        let sockets = Sockets { requests: self.handing.sockets.take(), admin: self.health.borrow().socket() };
        self.handing.is_done.notify_one();
        Ok(sockets)
    }
}

/// The address of a socket if none of those that the next gateway will listen at is the same. An older one does not name
/// any.
fn without_successor(socket: &TcpListener, addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let local = socket.local_addr().ok()?;
    let fits = |wanted: &SocketAddr| wanted.ip() == local.ip() && [0, local.port()].contains(&wanted.port());
    (!addresses.is_empty() && !addresses.iter().any(fits)).then_some(local)
}
