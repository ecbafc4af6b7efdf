//! URLs of ledgers.

use crate::LedgerError;
use std::fmt;

/// What a URL names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Valkey(ValkeyTarget),
    Postgresql(String),
}

/// Servers of Valkey or Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ValkeyTarget {
    pub(crate) topology: Topology,
    pub(crate) hosts: Vec<Host>,
    pub(crate) login: Option<Login>,
    pub(crate) database: u32,
    pub(crate) is_tls: bool,
}

/// How the primary is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Topology {
    /// It is the one host.
    Single,
    /// The hosts are Sentinels, which know the service.
    Sentinel { service: String, login: Option<Login> },
    /// The hosts are some nodes of a Valkey Cluster.
    Cluster,
}

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// Whom a server knows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) password: String,
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(out, "[{}]:{}", self.name, self.port)
        } else {
            write!(out, "{}:{}", self.name, self.port)
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

const SCHEMES: &str =
    "`redis://`, `rediss://`, `redis+sentinel://`, `redis+cluster://`, or the same with `valkey`";

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, LedgerError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad(format!("expected {SCHEMES}")))?;
        if scheme == "postgresql" || scheme == "postgres" {
            return Ok(Self::Postgresql(url.to_owned()));
        }
        let (protocol, topology) = scheme.split_once('+').unwrap_or((scheme, ""));
        let is_tls = match protocol {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(bad(format!("unknown scheme `{scheme}`: expected {SCHEMES}"))),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(read_login(login)?), hosts),
            None => (None, authority),
        };
        let mut sentinel_login = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sentinel", value)) if topology == "sentinel" => {
                    sentinel_login = Some(read_login(value)?);
                }
                _ => {
                    let name = pair.split('=').next().unwrap_or_default();
                    return Err(bad(format!(
                        "unknown parameter `{name}`: there is only `sentinel=USER:PASSWORD` of `redis+sentinel://`"
                    )));
                }
            }
        }
        let (topology, port, database) = match topology {
            "" => (Topology::Single, 6379, path),
            "cluster" if path.is_empty() => (Topology::Cluster, 6379, ""),
            "cluster" => {
                return Err(bad("a cluster has no database numbers: leave the path empty".to_owned()));
            }
            "sentinel" => {
                let (service, database) = path.split_once('/').unwrap_or((path, ""));
                if service.is_empty() {
                    return Err(bad("expected the name of the service after the Sentinels, such as `redis+sentinel://a:26379,b:26379/ledger`".to_owned()));
                }
                let service = decode(service)?;
                (Topology::Sentinel { service, login: sentinel_login }, 26379, database)
            }
            _ => return Err(bad(format!("unknown scheme `{scheme}`: expected {SCHEMES}"))),
        };
        let hosts = hosts.split(',').map(|host| read_host(host, port)).collect::<Result<Vec<_>, _>>()?;
        if topology == Topology::Single && hosts.len() > 1 {
            return Err(bad("several hosts need `redis+sentinel://` or `redis+cluster://`".to_owned()));
        }
        let database = match database {
            "" => 0,
            text => text.parse().map_err(|_| bad(format!("`{text}` is not the number of a database")))?,
        };
        Ok(Self::Valkey(ValkeyTarget { topology, hosts, login, database, is_tls }))
    }
}

fn bad(why: String) -> LedgerError {
    LedgerError::Url(why)
}

fn read_login(text: &str) -> Result<Login, LedgerError> {
    let (user, password) = text.split_once(':').ok_or_else(|| {
        bad("expected `USER:PASSWORD@` or `:PASSWORD@` before the host; write special characters as %XX"
            .to_owned())
    })?;
    let user = if user.is_empty() { None } else { Some(decode(user)?) };
    Ok(Login { user, password: decode(password)? })
}

fn read_host(text: &str, port: u16) -> Result<Host, LedgerError> {
    let (name, port_text) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let port = match port_text {
        None => port,
        Some(text) => text.parse().map_err(|_| bad(format!("`{text}` is not a port")))?,
    };
    if name.is_empty() {
        return Err(bad("a host is missing".to_owned()));
    }
    Ok(Host { name: name.to_owned(), port })
}

/// `%XX` and all else.
fn decode(text: &str) -> Result<String, LedgerError> {
    let broken = || bad("invalid %XX".to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or_else(broken);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| broken())?);
    }
    String::from_utf8(bytes).map_err(|_| bad("%XX does not give UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valkey(url: &str) -> ValkeyTarget {
        match Target::parse(url).unwrap() {
            Target::Valkey(target) => target,
            Target::Postgresql(url) => panic!("{url}"),
        }
    }

    fn host(name: &str, port: u16) -> Host {
        Host { name: name.to_owned(), port }
    }

    #[test]
    fn a_server_has_a_user_a_password_and_a_database() {
        let target = valkey("rediss://fair:p%40ss@ledger.internal:7000/3");
        assert_eq!(target.hosts, [host("ledger.internal", 7000)]);
        assert_eq!((target.database, target.is_tls), (3, true));
        assert_eq!(target.login, Some(Login { user: Some("fair".to_owned()), password: "p@ss".to_owned() }));
        assert_eq!(valkey("redis://:x@[::1]").login.unwrap().user, None);
        assert_eq!(valkey("redis://[::1]").hosts, [host("::1", 6379)]);
    }

    #[test]
    fn sentinels_and_cluster_nodes_are_lists() {
        let target = valkey("redis+sentinel://:a@one:1,two/ledger/2?sentinel=:b");
        assert_eq!(target.hosts, [host("one", 1), host("two", 26379)]);
        let login = Some(Login { user: None, password: "b".to_owned() });
        assert_eq!(target.topology, Topology::Sentinel { service: "ledger".to_owned(), login });
        assert_eq!(target.database, 2);
        assert_eq!(valkey("valkey+cluster://one:1,two:2").topology, Topology::Cluster);
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_password() {
        for (url, said) in [
            ("ledger.internal", "expected `redis://`"),
            ("http://a", "unknown scheme `http`"),
            ("redis+ring://a", "unknown scheme `redis+ring`"),
            ("redis://", "a host is missing"),
            ("redis://a,b", "several hosts need"),
            ("redis://secret@a", "expected `USER:PASSWORD@`"),
            ("redis://:secret@a:99999", "`99999` is not a port"),
            ("redis://:secret@a/x", "`x` is not the number of a database"),
            ("redis://:secret%zz@a", "invalid %XX"),
            ("redis+sentinel://a", "expected the name of the service"),
            ("redis+cluster://a/1", "a cluster has no database numbers"),
            ("redis://a?tls=1", "unknown parameter `tls`"),
        ] {
            let error = Target::parse(url).unwrap_err().to_string();
            assert!(error.contains(said), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
        assert!(!format!("{:?}", valkey("redis://:secret@a")).contains("secret"));
    }
}
