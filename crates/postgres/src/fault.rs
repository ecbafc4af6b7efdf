//! What became of a question, and whether the connection is of use after it.

use std::{error::Error as _, fmt, io, sync::Arc, time::Duration};
use tokio_postgres::error::SqlState;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    kind: Kind,
    place: Arc<str>,
    detail: String,
    state: Option<String>,
}

/// The kinds of faults, by what can be done about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No connection could be made. Nothing was asked.
    Unreachable,
    /// The server wants another user, password, database or another kind of connection. Nothing was asked.
    Denied,
    /// The server starts, ends, or has no connection left. Nothing was asked.
    NotReady,
    /// The server takes no writes: it is a standby, perhaps since a failover. Nothing was written.
    ReadOnly,
    /// The connection broke. The question may have been carried out.
    Broken,
    /// There was no answer in time. The question may have been carried out.
    TimedOut,
    /// The server's disk is full. Nothing was written.
    Full,
    /// Another transaction was in the way. Nothing was done; to ask again may help.
    Conflict,
    /// The server does not carry out the question, which is a defect or a missing right. Nothing was done.
    Refused,
}

impl Fault {
    pub(crate) fn new(kind: Kind, place: &Arc<str>, detail: impl Into<String>) -> Self {
        Self { kind, place: Arc::clone(place), detail: detail.into(), state: None }
    }

    pub(crate) fn timed_out(place: &Arc<str>, within: Duration) -> Self {
        Self::new(Kind::TimedOut, place, format!("no answer within {} ms", within.as_millis()))
    }

    /// A fault of a question on a connection.
    pub(crate) fn of_question(error: &tokio_postgres::Error, place: &Arc<str>) -> Self {
        let state = error.code();
        let kind = state.map_or(Kind::Broken, kind_of);
        // Parameters that do not fit their types, and the like, are faults before anything is sent.
        let is_ours = state.is_none() && !error.is_closed() && !is_of_connection(error);
        let kind = if is_ours { Kind::Refused } else { kind };
        Self { state: state.map(|state| state.code().to_owned()), ..Self::new(kind, place, told(error)) }
    }

    /// A fault while a connection was made.
    pub(crate) fn of_connecting(error: &tokio_postgres::Error, place: &Arc<str>) -> Self {
        // The library tells its own kinds by their words alone.
        let words = error.to_string();
        let takes_no_writes = io_error(error).is_some_and(|io| io.kind() == io::ErrorKind::PermissionDenied)
            && io_error(error).is_some_and(|io| io.raw_os_error().is_none());
        let is_of_tls = words.contains("TLS");
        let kind = match error.code() {
            _ if takes_no_writes => Kind::ReadOnly,
            Some(state) if is_of_class(state, "28") || is_of_class(state, "3D") => Kind::Denied,
            Some(state) => match kind_of(state) {
                Kind::ReadOnly => Kind::ReadOnly,
                Kind::NotReady => Kind::NotReady,
                Kind::Denied | Kind::Refused => Kind::Denied,
                Kind::Unreachable | Kind::Broken | Kind::TimedOut | Kind::Full | Kind::Conflict => {
                    Kind::Unreachable
                }
            },
            // A certificate that is not trusted, or a password that was asked for and is not there.
            None if is_of_tls || (io_error(error).is_none() && !error.is_closed()) => Kind::Denied,
            None => Kind::Unreachable,
        };
        let state = error.code().map(|state| state.code().to_owned());
        Self { state, ..Self::new(kind, place, told(error)) }
    }

    /// What kind it is of.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The server's code for it (SQLSTATE), if the server has answered.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// What was said, without the place.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Whether the connection must not be used any more.
    pub const fn is_dead(&self) -> bool {
        match self.kind {
            Kind::Unreachable
            | Kind::Denied
            | Kind::NotReady
            | Kind::ReadOnly
            | Kind::Broken
            | Kind::TimedOut => true,
            Kind::Full | Kind::Conflict | Kind::Refused => false,
        }
    }

    /// Whether the question may have been carried out all the same.
    pub const fn may_be_done(&self) -> bool {
        matches!(self.kind, Kind::Broken | Kind::TimedOut)
    }
}

fn kind_of(state: &SqlState) -> Kind {
    const KINDS: [(&SqlState, Kind); 16] = [
        (&SqlState::READ_ONLY_SQL_TRANSACTION, Kind::ReadOnly),
        // A fast stop says this while the connection looks open.
        (&SqlState::ADMIN_SHUTDOWN, Kind::Broken),
        (&SqlState::CRASH_SHUTDOWN, Kind::Broken),
        (&SqlState::DATABASE_DROPPED, Kind::Broken),
        (&SqlState::IDLE_SESSION_TIMEOUT, Kind::Broken),
        (&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT, Kind::Broken),
        // Statements that were prepared are gone: somebody stands between who hands out connections.
        (&SqlState::INVALID_SQL_STATEMENT_NAME, Kind::Broken),
        (&SqlState::CANNOT_CONNECT_NOW, Kind::NotReady),
        (&SqlState::TOO_MANY_CONNECTIONS, Kind::NotReady),
        (&SqlState::QUERY_CANCELED, Kind::TimedOut),
        (&SqlState::DISK_FULL, Kind::Full),
        (&SqlState::OUT_OF_MEMORY, Kind::Conflict),
        (&SqlState::T_R_SERIALIZATION_FAILURE, Kind::Conflict),
        (&SqlState::T_R_DEADLOCK_DETECTED, Kind::Conflict),
        (&SqlState::LOCK_NOT_AVAILABLE, Kind::Conflict),
        (&SqlState::INVALID_PASSWORD, Kind::Denied),
    ];
    if is_of_class(state, "08") {
        return Kind::Broken;
    }
    KINDS.iter().find(|(known, _)| *known == state).map_or(Kind::Refused, |(_, kind)| *kind)
}

fn is_of_class(state: &SqlState, class: &str) -> bool {
    state.code().starts_with(class)
}

fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    error.source().and_then(|source| source.downcast_ref())
}

/// Whether the connection is at fault, not what was asked.
fn is_of_connection(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    io_error(error).is_some() || text.contains("unexpected message") || text.contains("parsing response")
}

/// What the server said, or the system: the library's own words alone say too little.
fn told(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => {
            let hint = said.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{}{hint} [{}]", said.message(), said.code().code())
        }
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, detail, .. } = self;
        match self.kind {
            Kind::Unreachable => write!(out, "PostgreSQL at {place} cannot be reached: {detail}"),
            Kind::Denied => write!(out, "PostgreSQL at {place} does not let us in: {detail}"),
            Kind::NotReady => write!(out, "PostgreSQL at {place} is not ready: {detail}"),
            Kind::ReadOnly => {
                write!(out, "PostgreSQL at {place} takes no writes, as a standby does: {detail}")
            }
            Kind::Broken => write!(out, "the connection to PostgreSQL at {place} broke: {detail}"),
            Kind::TimedOut => write!(out, "PostgreSQL at {place} did not answer: {detail}"),
            Kind::Full => write!(out, "the disk of PostgreSQL at {place} is full: {detail}"),
            Kind::Conflict => write!(out, "PostgreSQL at {place} could not do it now: {detail}"),
            Kind::Refused => write!(out, "PostgreSQL at {place} refused: {detail}"),
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Fault({:?}: {self})", self.kind)
    }
}

impl std::error::Error for Fault {}
