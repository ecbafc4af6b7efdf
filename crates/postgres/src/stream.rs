//! Rows that come one by one.

use crate::{fault::Fault, session::Session};
use futures_util::StreamExt;
use std::pin::Pin;
use tokio_postgres::{Row, RowStream};

/// Rows that come one by one.
pub struct Rows<'s> {
    session: &'s Session,
    rows: Pin<Box<RowStream>>,
}

impl<'s> Rows<'s> {
    pub(crate) fn new(session: &'s Session, rows: RowStream) -> Self {
        Self { session, rows: Box::pin(rows) }
    }

    /// The next row. None: there are no more.
    ///
    /// # Errors
    /// It does not come in time, or the connection broke.
    pub async fn next(&mut self) -> Result<Option<Row>, Fault> {
        let rows = &mut self.rows;
        self.session.timed(async { rows.next().await.transpose() }).await
    }
}
