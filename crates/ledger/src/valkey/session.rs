//! A connection to one server: logged in, and asked with errors for errors.

use super::{
    connection::Connection,
    fault::Fault,
    resp::{Command, Value},
};
use crate::{
    LedgerError,
    target::{Host, Login},
    tls::Tls,
};

/// Switches to RESP3, with a password if there is one.
pub(crate) async fn log_in(
    connection: &Connection,
    server: &str,
    login: Option<&Login>,
) -> Result<(), LedgerError> {
    let mut hello = Command::words(&["HELLO", "3"]);
    if let Some(login) = login {
        let user = login.user.as_deref().unwrap_or("default");
        hello = hello.arg("AUTH").arg(user).arg(&login.password);
    }
    ask(connection, server, hello).await.map(|_| ())
}

/// Connects for a few questions.
pub(crate) async fn visit(
    host: &Host,
    login: Option<&Login>,
    tls: Option<&Tls>,
) -> Result<Connection, LedgerError> {
    let server = host.to_string();
    let opened = Connection::open(host, tls, Box::new(|_, _| ())).await;
    let connection = opened.map_err(|why| unreachable(&server, &why))?;
    log_in(&connection, &server, login).await?;
    Ok(connection)
}

/// Asks, and takes an error for one.
pub(crate) async fn ask(
    connection: &Connection,
    server: &str,
    command: Command,
) -> Result<Value, LedgerError> {
    match connection.ask(command).await {
        Ok(Value::Error(text)) => Err(Fault::of_reply(server, &text).error),
        Ok(value) => Ok(value),
        Err(why) => Err(unreachable(server, &why)),
    }
}

pub(crate) fn unreachable(server: &str, why: &str) -> LedgerError {
    LedgerError::Unreachable { server: server.to_owned(), why: why.to_owned() }
}
