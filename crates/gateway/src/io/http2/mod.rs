//! Streams of clients' HTTP/2 connections: each is read and written as a connection of HTTP/1.1 with one request on it
//! (`multiplex`). The tasks that drive connections and work on streams are in `connection/http2`.

mod charges;
mod stream;

pub(crate) use charges::{Connection, Connections, Due, LastBytes, State, written};
pub(crate) use stream::Stream;
