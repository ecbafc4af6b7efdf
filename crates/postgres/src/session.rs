//! A connection while it lives. Each question has its time; a fault that ends the connection is remembered.

use crate::{
    fault::{Fault, Kind},
    target::Target,
    tls::{Tls, TlsStream},
};
use futures_util::StreamExt;
use std::{
    collections::HashMap,
    future::poll_fn,
    ops::Deref,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{AbortHandle, spawn},
    time::timeout,
};
use tokio_postgres::{
    AsyncMessage, Client, Connection, Error, Row, RowStream, Socket, Statement, types::ToSql,
};

/// What is handed over with a question, for its `$1`, `$2` and so on.
type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

/// A connection while it lives. Several questions may be on their way at once; they are answered in their order.
pub struct Session {
    client: Client,
    place: Arc<str>,
    within: Duration,
    /// What was prepared, by its text.
    statements: Mutex<HashMap<&'static str, Statement>>,
    is_dead: AtomicBool,
    driver: AbortHandle,
}

/// Rows that come one by one.
pub struct Rows<'s> {
    session: &'s Session,
    rows: Pin<Box<RowStream>>,
}

/// A transaction, which is rolled back unless it is committed. All questions of a session can be asked in it.
pub struct Transaction<'s> {
    session: &'s Session,
    is_open: bool,
}

impl Session {
    /// Connects to the first host that is as it should be. `told` is woken when the server notifies, and when the
    /// connection has ended.
    pub(crate) async fn connect(
        target: &Target,
        (connecting, within): (Duration, Duration),
        told: &Arc<Notify>,
    ) -> Result<Self, Fault> {
        let place: Arc<str> = target.place().into();
        let tls = Tls::new(target.security()).map_err(|why| Fault::new(Kind::Denied, &place, why))?;
        let mut failed: Option<Fault> = None;
        for host in target.hosts() {
            let connected = timeout(connecting, host.config.connect(tls.clone())).await;
            let fault = match connected {
                Ok(Ok((client, connection))) => {
                    return Ok(Self::new(client, connection, &host.place, within, told));
                }
                Ok(Err(error)) => Fault::of_connecting(&error, &host.place),
                Err(_) => {
                    let why = format!("no connection within {} ms", connecting.as_millis());
                    Fault::new(Kind::Unreachable, &host.place, why)
                }
            };
            // A host that is down says less than one that answers and takes no writes, or knows another password.
            if failed.as_ref().is_none_or(|failed| failed.kind() == Kind::Unreachable) {
                failed = Some(fault);
            }
        }
        Err(failed.unwrap_or_else(|| Fault::new(Kind::Unreachable, &place, "no host is named")))
    }

    fn new(
        client: Client,
        connection: Connection<Socket, TlsStream>,
        place: &Arc<str>,
        within: Duration,
        told: &Arc<Notify>,
    ) -> Self {
        let driver = spawn(drive(connection, Arc::clone(told))).abort_handle();
        let (statements, is_dead) = (Mutex::default(), AtomicBool::new(false));
        Self { client, place: Arc::clone(place), within, statements, is_dead, driver }
    }

    /// The server, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether it is of no use any more.
    pub fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed) || self.client.is_closed()
    }

    /// Asks for rows. The text is prepared when it is asked for the first time.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn query(&self, text: &'static str, with: Parameters<'_>) -> Result<Vec<Row>, Fault> {
        self.timed(async { self.client.query(&self.prepared(text).await?, with).await }).await
    }

    /// Asks for one row, or none.
    ///
    /// # Errors
    /// There is no answer, or more than one row.
    pub async fn query_opt(&self, text: &'static str, with: Parameters<'_>) -> Result<Option<Row>, Fault> {
        self.timed(async { self.client.query_opt(&self.prepared(text).await?, with).await }).await
    }

    /// Asks for one row.
    ///
    /// # Errors
    /// There is no answer, or not one row.
    pub async fn query_one(&self, text: &'static str, with: Parameters<'_>) -> Result<Row, Fault> {
        self.timed(async { self.client.query_one(&self.prepared(text).await?, with).await }).await
    }

    /// Has something done. Tells how many rows it was done to.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn execute(&self, text: &'static str, with: Parameters<'_>) -> Result<u64, Fault> {
        self.timed(async { self.client.execute(&self.prepared(text).await?, with).await }).await
    }

    /// Has several statements done, one after the other. They take no parameters: never put into the text what comes from
    /// outside.
    ///
    /// # Errors
    /// There is no answer, or one of them failed.
    pub async fn batch(&self, text: &str) -> Result<(), Fault> {
        self.timed(self.client.batch_execute(text)).await
    }

    /// Asks for rows that come one by one, each in its time, so that none has to be held. The session has to be used for
    /// nothing else meanwhile: what is not read stops all that comes behind it. What may take longer in all than an answer needs
    /// [`Session::begin_reading`].
    ///
    /// # Errors
    /// There is no answer.
    pub async fn stream(&self, text: &'static str, with: Parameters<'_>) -> Result<Rows<'_>, Fault> {
        let begun = self.timed(async {
            let statement = self.prepared(text).await?;
            self.client.query_raw(&statement, with.iter().copied()).await
        });
        Ok(Rows { session: self, rows: Box::pin(begun.await?) })
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn begin(&mut self) -> Result<Transaction<'_>, Fault> {
        let transaction = Transaction { session: self, is_open: true };
        transaction.batch("BEGIN").await?;
        Ok(transaction)
    }

    /// Begins a transaction that reads one state of the database, for as long as it takes.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn begin_reading(&mut self) -> Result<Transaction<'_>, Fault> {
        let transaction = Transaction { session: self, is_open: true };
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; \
                     SET LOCAL idle_in_transaction_session_timeout = 0";
        transaction.batch(begin).await?;
        Ok(transaction)
    }

    /// Gives a question its time, and remembers a fault that ends the connection.
    async fn timed<T>(&self, question: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        let fault = match timeout(self.within, question).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => Fault::of_question(&error, &self.place),
            Err(_) => Fault::timed_out(&self.place, self.within),
        };
        if fault.is_dead() {
            self.is_dead.store(true, Ordering::Relaxed);
        }
        Err(fault)
    }

    async fn prepared(&self, text: &'static str) -> Result<Statement, Error> {
        if let Some(known) = self.statements().get(text) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(text).await?;
        self.statements().insert(text, statement.clone());
        Ok(statement)
    }

    fn statements(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A connection that is well takes leave of the server; one that is dead would wait for it for ever.
        if self.is_dead() {
            self.driver.abort();
        }
    }
}

/// Moves what is asked and answered, until the connection ends.
async fn drive(mut connection: Connection<Socket, TlsStream>, told: Arc<Notify>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            told.notify_one();
        }
    }
    told.notify_one();
}

// === impl Rows ===

impl Rows<'_> {
    /// The next row. None: there are no more.
    ///
    /// # Errors
    /// It does not come in time, or the connection broke.
    pub async fn next(&mut self) -> Result<Option<Row>, Fault> {
        let rows = &mut self.rows;
        self.session.timed(async { rows.next().await.transpose() }).await
    }
}

// === impl Transaction ===

impl Transaction<'_> {
    /// Commits it. A fault that [may be done](Fault::may_be_done) leaves open whether it was.
    ///
    /// # Errors
    /// There is no answer, or it was refused.
    pub async fn commit(mut self) -> Result<(), Fault> {
        // Also if it fails: the server has rolled it back, or the connection is dead.
        self.is_open = false;
        self.session.batch("COMMIT").await
    }
}

impl Deref for Transaction<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open && !self.session.is_dead() {
            // It is sent when it is first polled, ahead of all that comes later; nobody waits for the answer.
            let rollback = pin!(self.session.client.batch_execute("ROLLBACK"));
            let _ = rollback.poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}
