//! Streams of clients' HTTP/2 connections: each is read and written like an HTTP/1.1 connection
//! with a single request (`multiplex`). The tasks of connections and streams are in
//! `connection/http2`.

mod charges;
mod stream;

pub(crate) use charges::{Connection, Connections, Due, LastBytes, State, written};
pub(crate) use stream::Stream;
