//! What a server says of itself.

use super::resp::Value;
use crate::{LedgerError, Product};
use std::collections::HashMap;

/// The oldest version that has functions.
const NEEDED: [u32; 2] = [7, 0];

/// The answer to INFO.
#[derive(Debug, Clone, Default)]
pub(crate) struct Info(HashMap<String, String>);

impl Info {
    pub(crate) fn read(value: Value) -> Option<Self> {
        let text = value.into_string()?;
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        Some(Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        self.get(name).parse().unwrap_or(0)
    }

    pub(crate) fn product(&self) -> Product {
        if self.get("valkey_version").is_empty() { Product::Redis } else { Product::Valkey }
    }

    pub(crate) fn version(&self) -> &str {
        match self.get("valkey_version") {
            "" => self.get("redis_version"),
            version => version,
        }
    }

    /// Whether this server can keep a ledger at all.
    pub(crate) fn check(&self, server: &str) -> Result<(), LedgerError> {
        let server = server.to_owned();
        let mut numbers = self.version().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let found = [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)];
        if found < NEEDED {
            return Err(LedgerError::TooOld {
                server,
                found: format!("{} {}", self.product(), self.version()),
                needed: "Valkey 7.2 or Redis 7.0".to_owned(),
            });
        }
        if self.get("loading") == "1" {
            return Err(LedgerError::Busy { server, why: "it is loading its data".to_owned() });
        }
        if self.get("role") != "master" {
            return Err(LedgerError::NotPrimary { server, why: "it is a replica".to_owned() });
        }
        let policy = self.get("maxmemory_policy");
        if self.number("maxmemory") > 0 && policy != "noeviction" {
            let why = format!(
                "its `maxmemory-policy` is `{policy}`, so it may forget grants at any time. Set it to `noeviction`"
            );
            return Err(LedgerError::Unsafe { server, why });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> Info {
        Info::read(Value::Text(text.replace('\n', "\r\n").into_bytes())).unwrap()
    }

    #[test]
    fn a_server_that_cannot_keep_a_ledger_is_refused() {
        let check = |text| info(text).check("a").map_err(|error| error.to_string());
        assert_eq!(check("redis_version:7.0.15\nrole:master\n"), Ok(()));
        assert_eq!(check("redis_version:7.2.4\nvalkey_version:8.0.1\nrole:master\n"), Ok(()));
        for (text, said) in [
            ("redis_version:6.2.7\nrole:master\n", "is Redis 6.2.7, which is too old"),
            ("", "too old"),
            ("redis_version:7.0.15\nrole:slave\n", "it is a replica"),
            ("redis_version:7.0.15\nrole:master\nloading:1\n", "loading"),
            (
                "redis_version:7.0.15\nrole:master\nmaxmemory:9\nmaxmemory_policy:volatile-lru\n",
                "Set it to `noeviction`",
            ),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
