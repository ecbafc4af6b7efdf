//! Where a server is and how it is spoken to, read from a URL. The password is never shown.

use crate::tls::Security;
use std::{fmt, path::PathBuf, sync::Arc};
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];
const PORT: u16 = 5432;

/// A server, or several of which one is the primary.
#[derive(Clone)]
pub struct Target {
    hosts: Vec<OneHost>,
    security: Security,
    place: Arc<str>,
}

/// One of the hosts of a URL.
#[derive(Clone)]
pub(crate) struct OneHost {
    pub(crate) config: Config,
    pub(crate) place: Arc<str>,
}

/// Why a text is no URL of a server. It never has the text itself, in which a password may stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadUrl(String);

impl Target {
    /// Reads `postgresql://user:password@host:port,host2/database?sslmode=verify-full`, as libpq does. Without
    /// `target_session_attrs` the server has to take writes.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub fn parse(url: &str) -> Result<Self, BadUrl> {
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(bad("it has to begin with `postgresql://`"));
        }
        let (rest, parameters) = url.split_once('?').unwrap_or((url, ""));
        let mut taken = Taken::default();
        let mut left: Vec<&str> = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            if !taken.take(parameter)? {
                left.push(parameter);
            }
        }
        let plain = if left.is_empty() { rest.to_owned() } else { format!("{rest}?{}", left.join("&")) };
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| not_read(&error))?;
        config.target_session_attrs(taken.session.unwrap_or(TargetSessionAttrs::ReadWrite));
        if config.get_application_name().is_none() {
            config.application_name("fairgate");
        }
        if config.get_password().is_none()
            && let Ok(password) = std::env::var("PGPASSWORD")
        {
            config.password(password);
        }
        let security = taken.security()?;
        config.ssl_mode(security.mode());
        let hosts = each_host(&config)?;
        let all: Vec<&str> = hosts.iter().map(|host| host.place.as_ref()).collect();
        let place = all.join(", ").into();
        Ok(Self { hosts, security, place })
    }

    /// Where it is, for messages: hosts and ports, and nothing else.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(crate) fn hosts(&self) -> &[OneHost] {
        &self.hosts
    }

    pub(crate) const fn security(&self) -> &Security {
        &self.security
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Target({})", self.place)
    }
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        let same = |one: &OneHost, two: &OneHost| one.config == two.config;
        self.security == other.security
            && self.hosts.len() == other.hosts.len()
            && self.hosts.iter().zip(&other.hosts).all(|(one, two)| same(one, two))
    }
}

impl Eq for Target {}

/// The parameters that are read here.
#[derive(Default)]
struct Taken {
    session: Option<TargetSessionAttrs>,
    mode: Option<String>,
    authorities: Option<PathBuf>,
}

impl Taken {
    /// Whether it is one of them.
    fn take(&mut self, parameter: &str) -> Result<bool, BadUrl> {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "sslmode" => self.mode = Some(value.to_owned()),
            "sslrootcert" => self.authorities = Some(PathBuf::from(decoded(value)?)),
            "target_session_attrs" => {
                self.session = Some(match value {
                    "read-write" | "primary" => TargetSessionAttrs::ReadWrite,
                    "any" => TargetSessionAttrs::Any,
                    "read-only" | "standby" => TargetSessionAttrs::ReadOnly,
                    _ => {
                        return Err(bad(
                            "`target_session_attrs` is `read-write`, `primary`, `any`, `read-only` or `standby`",
                        ));
                    }
                });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn security(self) -> Result<Security, BadUrl> {
        let authorities = self.authorities;
        match self.mode.as_deref() {
            Some("disable") => Ok(Security::Disable),
            None | Some("prefer") if authorities.is_none() => Ok(Security::Prefer),
            // As libpq has it: whoever names authorities wants the certificate to be from one of them.
            Some("require") if authorities.is_none() => Ok(Security::Require),
            None | Some("prefer" | "require" | "verify-ca") => Ok(Security::VerifyAuthority(authorities)),
            Some("verify-full") => Ok(Security::VerifyName(authorities)),
            Some(_) => Err(bad("`sslmode` is `disable`, `prefer`, `require`, `verify-ca` or `verify-full`")),
        }
    }
}

fn bad(why: impl Into<String>) -> BadUrl {
    BadUrl(why.into())
}

fn not_read(error: &tokio_postgres::Error) -> BadUrl {
    let source = std::error::Error::source(error);
    bad(source.map_or_else(|| error.to_string(), ToString::to_string))
}

fn decoded(text: &str) -> Result<String, BadUrl> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let value = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(value.ok_or_else(|| bad("a `%` is followed by two hexadecimal digits"))?);
    }
    String::from_utf8(bytes).map_err(|_| bad("a parameter is not UTF-8"))
}

/// One configuration for each host, so that each has its own time.
fn each_host(all: &Config) -> Result<Vec<OneHost>, BadUrl> {
    let (names, addresses, ports) = (all.get_hosts(), all.get_hostaddrs(), all.get_ports());
    let count = names.len().max(addresses.len());
    if count == 0 {
        return Err(bad("it names no host"));
    }
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return Err(bad("there are not as many `hostaddr` as hosts"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(bad("there are not as many ports as hosts"));
    }
    let mut hosts = Vec::new();
    for at in 0..count {
        let port = ports.get(at).or_else(|| ports.first()).copied().unwrap_or(PORT);
        let mut config = without_hosts(all);
        config.port(port);
        let place = match (names.get(at), addresses.get(at)) {
            // What stands before an `@` is a password, of which a part would be shown as a host.
            (Some(Host::Tcp(name)), _) if name.is_empty() || name.contains(['@', '/']) => {
                return Err(bad("a host is not valid; in a password write `%40` for `@` and `%2F` for `/`"));
            }
            (Some(Host::Tcp(name)), address) => {
                config.host(name);
                if let Some(address) = address {
                    config.hostaddr(*address);
                }
                format!("{name}:{port}")
            }
            (Some(Host::Unix(folder)), _) => {
                config.host_path(folder);
                format!("{}/.s.PGSQL.{port}", folder.display())
            }
            (None, Some(address)) => {
                config.hostaddr(*address);
                format!("{address}:{port}")
            }
            (None, None) => return Err(bad("it names no host")),
        };
        hosts.push(OneHost { config, place: place.into() });
    }
    Ok(hosts)
}

fn without_hosts(all: &Config) -> Config {
    let mut config = Config::new();
    if let Some(user) = all.get_user() {
        config.user(user);
    }
    if let Some(password) = all.get_password() {
        config.password(password);
    }
    if let Some(name) = all.get_dbname() {
        config.dbname(name);
    }
    if let Some(options) = all.get_options() {
        config.options(options);
    }
    if let Some(name) = all.get_application_name() {
        config.application_name(name);
    }
    config.ssl_mode(all.get_ssl_mode());
    config.ssl_negotiation(all.get_ssl_negotiation());
    config.target_session_attrs(all.get_target_session_attrs());
    config.channel_binding(all.get_channel_binding());
    config
}

impl Security {
    /// How far the library has to insist on TLS; what is verified is our business.
    const fn mode(&self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyAuthority(_) | Self::VerifyName(_) => SslMode::Require,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> String {
        Target::parse(url).unwrap().place().to_owned()
    }

    fn wrong(url: &str) -> String {
        Target::parse(url).unwrap_err().to_string()
    }

    #[test]
    fn hosts_ports_and_sockets_are_read() {
        assert_eq!(place("postgresql://fairgate@db.internal/fairgate"), "db.internal:5432");
        assert_eq!(
            place("postgres://u:p@one:1,two,[::1]:3/d?target_session_attrs=any"),
            "one:1, two:5432, ::1:3"
        );
        assert_eq!(place("postgresql://u@%2Frun%2Fpostgresql:6000/d"), "/run/postgresql/.s.PGSQL.6000");
        assert_eq!(place("postgresql:///d?host=/run/postgresql&user=u"), "/run/postgresql/.s.PGSQL.5432");
        assert_eq!(place("postgresql://u@/d?hostaddr=10.0.0.1"), "10.0.0.1:5432");
    }

    #[test]
    fn whom_to_trust_is_read_as_libpq_does() {
        let security =
            |parameters: &str| Target::parse(&format!("postgresql://u@h/d?{parameters}")).unwrap().security;
        let file = || Some(PathBuf::from("/etc/ca file.pem"));
        assert_eq!(security(""), Security::Prefer);
        assert_eq!(security("sslmode=disable"), Security::Disable);
        assert_eq!(security("sslmode=require"), Security::Require);
        assert_eq!(security("sslmode=verify-full"), Security::VerifyName(None));
        assert_eq!(
            security("sslmode=require&sslrootcert=/etc/ca%20file.pem"),
            Security::VerifyAuthority(file())
        );
        assert_eq!(
            security("sslrootcert=/etc/ca%20file.pem&sslmode=verify-full"),
            Security::VerifyName(file())
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        let urls = [
            "postgresql://u:hun ter2@h:port/d",
            "postgresql://u:p@hunter2@h/d",
            "postgresql://u:p%4hunter2@h/d?sslmode=hunter2",
            "postgresql://u:hunter2@h/d?hunter2",
            "postgresql://u:hunter2@/d",
            "hunter2",
        ];
        for url in urls {
            let told = wrong(url);
            assert!(!told.contains("hunter2"), "{url}: {told}");
        }
        let good = Target::parse("postgresql://u:hunter2@h/d").unwrap();
        assert_eq!(format!("{good:?} {}", good.place()), "Target(h:5432) h:5432");
    }
}
