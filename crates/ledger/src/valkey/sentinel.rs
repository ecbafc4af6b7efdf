//! Sentinels: which server is the primary, and whether it still is.
//!
//! A primary that was replaced may go on answering whoever can reach it. So it is used only as long as a majority of the
//! Sentinels confirmed it, at most [`TRUST`] ago. Its successor grants nothing that the old one may have granted meanwhile:
//! windows have to begin five seconds after its epoch did ([`lease::GRACE`]), for all else every member has to have come.

use super::{
    connection::Connection,
    keeper::Primary,
    resp::{Command, Value},
    session::{ask, unreachable, visit},
};
use crate::{
    LedgerError,
    target::{Host, Login},
    tls::Tls,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// For how long what the Sentinels said is taken for true, counted from before they were asked.
pub(crate) const TRUST: Duration = Duration::from_secs(2);

/// How often they are asked.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long one of them may take.
const PATIENCE: Duration = Duration::from_millis(300);

/// All Sentinels of a service.
pub(crate) struct Sentinels {
    service: String,
    all: Vec<Arc<Sentinel>>,
}

struct Sentinel {
    host: Host,
    login: Option<Login>,
    tls: Option<Tls>,
    connection: Mutex<Option<Connection>>,
}

impl Sentinels {
    pub(crate) fn new(hosts: &[Host], service: &str, login: Option<&Login>, tls: Option<&Tls>) -> Self {
        let sentinel = |host: &Host| {
            Arc::new(Sentinel {
                host: host.clone(),
                login: login.cloned(),
                tls: tls.cloned(),
                connection: Mutex::new(None),
            })
        };
        Self { service: service.to_owned(), all: hosts.iter().map(sentinel).collect() }
    }

    /// The primary that a majority names.
    pub(crate) async fn locate(&self) -> Result<Host, LedgerError> {
        let (votes, failure) = self.votes().await;
        if let Some(host) = votes.iter().find(|host| self.is_majority(&votes, host)) {
            return Ok((*host).clone());
        }
        if let (true, Some(failure)) = (votes.len() * 2 <= self.all.len(), failure) {
            return Err(failure);
        }
        let why = format!("{} of {} Sentinels answer, and no majority agrees", votes.len(), self.all.len());
        Err(LedgerError::NotPrimary { server: self.service.clone(), why })
    }

    /// Confirms a primary again and again. Returns when it is none any more, with the reason.
    pub(crate) async fn confirm(&self, primary: &Primary) -> String {
        loop {
            sleep(INTERVAL).await;
            let asked = Instant::now();
            let (votes, _) = self.votes().await;
            if self.is_majority(&votes, &primary.host) {
                primary.confirm(asked + TRUST);
            } else if let Some(other) = votes.iter().find(|host| self.is_majority(&votes, host)) {
                return format!("the Sentinels name {other} as the primary");
            } else if let Err(error) = primary.check_confirmed() {
                return error.to_string();
            }
        }
    }

    fn is_majority(&self, votes: &[Host], host: &Host) -> bool {
        votes.iter().filter(|vote| *vote == host).count() * 2 > self.all.len()
    }

    async fn votes(&self) -> (Vec<Host>, Option<LedgerError>) {
        let mut tasks = JoinSet::new();
        for sentinel in &self.all {
            let (sentinel, service) = (Arc::clone(sentinel), self.service.clone());
            tasks.spawn(async move { sentinel.ask(&service).await });
        }
        let (mut votes, mut failure) = (Vec::new(), None);
        for vote in tasks.join_all().await {
            match vote {
                Ok(host) => votes.push(host),
                Err(error) => failure = Some(error),
            }
        }
        (votes, failure)
    }

    /// Sentinels that this one knows of, itself included.
    pub(crate) async fn known(&self) -> Option<u64> {
        for sentinel in &self.all {
            let command = Command::words(&["SENTINEL", "MASTER", &self.service]);
            let Ok(Ok(value)) = timeout(PATIENCE, sentinel.command(command)).await else { continue };
            let texts: Vec<_> = value.into_list()?.into_iter().filter_map(Value::into_string).collect();
            let mut texts = texts.iter().skip_while(|text| *text != "num-other-sentinels");
            return texts.nth(1)?.parse::<u64>().ok().map(|others| others + 1);
        }
        None
    }

    pub(crate) const fn len(&self) -> usize {
        self.all.len()
    }
}

impl Sentinel {
    async fn ask(&self, service: &str) -> Result<Host, LedgerError> {
        let command = Command::words(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", service]);
        let server = self.host.to_string();
        let value = timeout(PATIENCE, self.command(command))
            .await
            .unwrap_or_else(|_| Err(unreachable(&server, "the Sentinel does not answer")))?;
        let texts: Vec<_> = value.into_list().into_iter().flatten().filter_map(Value::into_string).collect();
        match texts.as_slice() {
            [name, port] if port.parse::<u16>().is_ok() => {
                Ok(Host { name: name.clone(), port: port.parse().unwrap_or_default() })
            }
            _ => Err(unreachable(&server, &format!("the Sentinel does not know the service `{service}`"))),
        }
    }

    async fn command(&self, command: Command) -> Result<Value, LedgerError> {
        let mut kept = self.connection.lock().await;
        // Until it has answered, it is not kept: what comes late would answer the next question.
        let connection = match kept.take() {
            Some(connection) if !connection.has_ended() => connection,
            Some(_) | None => visit(&self.host, self.login.as_ref(), self.tls.as_ref()).await?,
        };
        let value = ask(&connection, &self.host.to_string(), command).await?;
        *kept = Some(connection);
        Ok(value)
    }
}
