//! Finds the primary, and makes a connection that can be used: logged in, with the library, in an epoch of this very server.

use super::{
    Locator, Shared,
    connection::{Connection, locked},
    fault::Fault,
    info::Info,
    keeper::Primary,
    resp::{Command, Value},
    sentinel::TRUST,
    session::{ask, log_in, unreachable},
    wire,
};
use crate::{LedgerError, encoding::new_epoch, target::Host};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

impl Shared {
    pub(crate) async fn prepare(self: &Arc<Self>) -> Result<Primary, LedgerError> {
        let asked = Instant::now();
        let host = self.locate().await?;
        let server = host.to_string();
        let connection = self.open(&host).await?;
        log_in(&connection, &server, self.target.login.as_ref()).await?;
        let info = ask(&connection, &server, Command::words(&["INFO"])).await?;
        let info = Info::read(info).unwrap_or_default();
        info.check(&server)?;
        if self.target.database > 0 {
            let database = self.target.database.to_string();
            ask(&connection, &server, Command::words(&["SELECT", &database])).await?;
        }
        self.load(&connection, &server).await?;
        self.begin(&connection, &server).await?;
        let confirmed = match &self.locator {
            Locator::Sentinel(_) => Some(Mutex::new(asked + TRUST)),
            Locator::Single | Locator::Cluster(_) => None,
        };
        Ok(Primary { connection, host, server, info, confirmed })
    }

    async fn locate(&self) -> Result<Host, LedgerError> {
        match &self.locator {
            Locator::Sentinel(sentinels) => sentinels.locate().await,
            Locator::Cluster(cluster) => cluster.locate(&self.keys.ledger).await,
            Locator::Single => self
                .target
                .hosts
                .first()
                .cloned()
                .ok_or_else(|| LedgerError::Url("a host is missing".to_owned())),
        }
    }

    async fn open(self: &Arc<Self>, host: &Host) -> Result<Connection, LedgerError> {
        let shared = Arc::downgrade(self);
        let pushed = move |channel: Vec<u8>, payload: Vec<u8>| {
            if let Some(shared) = shared.upgrade() {
                shared.take_recalls(&channel, &payload);
            }
        };
        let opened = Connection::open(host, self.tls.as_ref(), Box::new(pushed)).await;
        opened.map_err(|why| LedgerError::Unreachable { server: host.to_string(), why })
    }

    fn take_recalls(&self, channel: &[u8], payload: &[u8]) {
        let node = std::str::from_utf8(channel).ok().and_then(|name| name.strip_prefix(&self.keys.recall));
        let Some(node) = node.and_then(|node| node.parse().ok()) else { return };
        let recalls = locked(&self.recalls);
        let Some(receiver) = recalls.get(&node) else { return };
        for recall in wire::read_recalls(node, payload) {
            // They are hints: a node that has too many of them to do waits for none.
            let _ = receiver.try_send(recall);
        }
    }

    /// Gives the server the library, unless it has it.
    async fn load(&self, connection: &Connection, server: &str) -> Result<(), LedgerError> {
        let library = &self.library;
        let list = Command::words(&["FUNCTION", "LIST", "LIBRARYNAME", &library.name]);
        let found = ask(connection, server, list).await?;
        if found.into_list().is_some_and(|found| !found.is_empty()) {
            return Ok(());
        }
        match ask(connection, server, Command::words(&["FUNCTION", "LOAD", &library.source])).await {
            // Another node was faster.
            Err(LedgerError::Unexpected { why, .. }) if why.contains("already exists") => Ok(()),
            loaded => loaded.map(|_| ()),
        }
    }

    /// Begins an epoch, unless there is one that began at this server with this history.
    async fn begin(&self, connection: &Connection, server: &str) -> Result<(), LedgerError> {
        let status = connection.ask(self.member_command(&["status"])).await;
        match status {
            Ok(Value::Error(text)) if Fault::is_no_epoch(&text) => {}
            Ok(Value::Error(text)) => return Err(Fault::of_reply(server, &text).error),
            Ok(_) => return Ok(()),
            Err(why) => return Err(unreachable(server, &why)),
        }
        let members = self.options.members.members().await?;
        let mut command = Command::new("FCALL").arg(&self.library.begin).arg("2");
        command = command.arg(&self.keys.ledger).arg(&self.keys.members);
        command = command.arg(new_epoch()?.to_string()).arg(if members.is_first { "1" } else { "0" });
        command = command.arg(members.present.len().to_string());
        for node in members.present.iter().chain(&members.removed) {
            command = command.arg(node.to_string());
        }
        ask(connection, server, command).await.map(|_| ())
    }
}
