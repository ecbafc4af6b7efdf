//! Connections to PostgreSQL: made by URL, asked within a time, found dead, made anew.
//!
//! A [`Link`] keeps one connection and makes it anew; a [`Session`] is that connection while it lives; a [`Fault`] says what
//! became of a question, and whether the connection is of use any more. What is asked is nobody's business here. Runs on a
//! tokio runtime.

mod fault;
mod link;
mod session;
mod target;
mod tls;

pub use fault::{Fault, Kind};
pub use link::{Link, Timing};
pub use session::{Rows, Session, Transaction};
pub use target::{BadUrl, Target};
pub use tokio_postgres::{Row, types};
