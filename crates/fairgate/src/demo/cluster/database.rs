//! The demo's own database: made at its start, dropped at its end, so that no other one is touched.

use crate::failure::Failure;
use postgres::{Link, Target, Timing};
use std::time::Duration;

/// A database is made and dropped by a checkpoint, which takes a while on a busy disk.
const ANSWER: Duration = Duration::from_secs(60);

/// A database of the demo alone.
pub(super) struct Database {
    /// Where databases are made.
    server: String,
    name: String,
    url: String,
}

impl Database {
    /// Makes one at the server of this URL.
    pub(super) fn create(server: &str, name: String) -> Result<Self, Failure> {
        let url = with_database(server, &name).ok_or_else(|| {
            Failure::usage("`--records` takes a URL such as postgresql://USER:PASSWORD@HOST/DATABASE")
        })?;
        run(server, &format!("CREATE DATABASE {name}")).map_err(|why| refused(&why))?;
        Ok(Self { server: server.to_owned(), name, url })
    }

    /// Its name. The ledger's keys begin with the same.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Drops it, even if something is still connected.
    pub(super) fn remove(self) -> Result<(), Failure> {
        run(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).map_err(|why| {
            Failure::new(format!(
                "cannot drop the demo's database: {why}; drop it by hand: DROP DATABASE {}",
                self.name
            ))
        })
    }
}

/// Runs one statement outside of a transaction.
pub(super) fn run(url: &str, statement: &str) -> Result<(), String> {
    let target = Target::parse(url).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let mut link = Link::new(target, Timing { answer: ANSWER, ..Timing::default() });
        let session = link.session().await.map_err(|fault| fault.to_string())?;
        session.batch(statement).await.map_err(|fault| fault.to_string())
    })
}

fn refused(why: &str) -> Failure {
    let advice = if why.contains("permission denied") {
        "; allow the role to create databases: sudo -u postgres psql -c 'ALTER ROLE \"ROLE\" CREATEDB'"
    } else {
        "; the demo needs a role that may log in and create databases: sudo -u postgres createuser --createdb --pwprompt ROLE, and \
         then --records postgresql://ROLE:PASSWORD@127.0.0.1/postgres"
    };
    Failure::new(format!("the demo cannot create a database of its own: {why}{advice}"))
}

/// The same URL with another database. None: it is not the URL of a PostgreSQL server.
fn with_database(url: &str, name: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !["postgresql", "postgres"].contains(&scheme) {
        return None;
    }
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    Some(format!("{scheme}://{authority}/{name}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gets_another_database_and_keeps_the_rest() {
        for (url, expected) in [
            ("postgresql://u:p@h:1/db?sslmode=require", Some("postgresql://u:p@h:1/x?sslmode=require")),
            ("postgresql://h", Some("postgresql://h/x")),
            ("postgres:///db?host=%2Ftmp", Some("postgres:///x?host=%2Ftmp")),
            ("redis://h", None),
            ("host=h", None),
        ] {
            assert_eq!(with_database(url, "x").as_deref(), expected, "{url}");
        }
    }
}
