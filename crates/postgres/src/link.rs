//! One connection that is made anew when it has died, with pauses that grow.

use crate::{fault::Fault, session::Session, target::Target};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For a connection to one host.
    pub connecting: Duration,
    /// For an answer.
    pub answer: Duration,
    /// After the first connection that could not be made; each later pause is twice as long.
    pub first_pause: Duration,
    /// And no longer than this.
    pub longest_pause: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connecting: Duration::from_secs(2),
            answer: Duration::from_secs(5),
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(1),
        }
    }
}

/// One connection that is made anew when it has died. Of one task: who needs two connections makes two links.
pub struct Link {
    target: Target,
    timing: Timing,
    /// Channels that are listened to.
    channels: Vec<&'static str>,
    told: Arc<Notify>,
    session: Option<Session>,
    failed: Option<Failed>,
}

/// The last attempt, which failed.
struct Failed {
    fault: Fault,
    pause: Duration,
    until: Instant,
}

impl Link {
    /// Nothing is connected yet.
    pub fn new(target: Target, timing: Timing) -> Self {
        let (channels, told) = (Vec::new(), Arc::default());
        Self { target, timing, channels, told, session: None, failed: None }
    }

    /// Listens to a channel, on every connection that is made. A name of small letters and `_`.
    #[must_use]
    pub fn listening(mut self, channel: &'static str) -> Self {
        self.channels.push(channel);
        self
    }

    /// Is woken when the server notifies, and whenever a connection was made or has ended: what was notified meanwhile nobody
    /// knows. It is a hint, no more: who relies on it alone misses what a silent connection does not bring.
    pub fn told(&self) -> Arc<Notify> {
        Arc::clone(&self.told)
    }

    /// The server, for messages.
    pub fn place(&self) -> &str {
        self.target.place()
    }

    /// The connection, made now if there is none that lives.
    ///
    /// # Errors
    /// None can be made. Within the pause after that it fails at once, with the same fault.
    pub async fn session(&mut self) -> Result<&mut Session, Fault> {
        if self.session.as_ref().is_none_or(Session::is_dead) {
            self.session = None;
            let made = self.connect().await?;
            return Ok(self.session.insert(made));
        }
        match self.session.as_mut() {
            Some(session) => Ok(session),
            None => Err(Fault::new(crate::Kind::Broken, &self.target.place().into(), "no connection")),
        }
    }

    /// Ends the connection. The next question makes another.
    pub fn close(&mut self) {
        self.session = None;
    }

    async fn connect(&mut self) -> Result<Session, Fault> {
        if let Some(failed) = self.failed.as_ref().filter(|failed| Instant::now() < failed.until) {
            return Err(failed.fault.clone());
        }
        match self.try_connect().await {
            Ok(session) => {
                self.failed = None;
                self.told.notify_one();
                Ok(session)
            }
            Err(fault) => {
                let before = self.failed.as_ref().map(|failed| failed.pause.saturating_mul(2));
                let pause = before.unwrap_or(self.timing.first_pause).min(self.timing.longest_pause);
                let until = Instant::now() + pause;
                self.failed = Some(Failed { fault: fault.clone(), pause, until });
                Err(fault)
            }
        }
    }

    async fn try_connect(&self) -> Result<Session, Fault> {
        let Timing { connecting, answer, .. } = self.timing;
        let session = Session::connect(&self.target, (connecting, answer), &self.told).await?;
        // What we do not wait for any more, the server must not go on with: it may hold locks.
        let most = answer.as_millis().saturating_add(1);
        let mut begin =
            format!("SET statement_timeout = {most}; SET idle_in_transaction_session_timeout = {most}");
        for channel in &self.channels {
            begin.push_str("; LISTEN ");
            begin.push_str(channel);
        }
        session.batch(&begin).await?;
        Ok(session)
    }
}
