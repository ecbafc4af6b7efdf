//! What an error of the server means, and what helps.

use crate::LedgerError;

/// An error of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) error: LedgerError,
    pub(crate) cure: Cure,
}

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cure {
    /// The connection is good.
    Nothing,
    /// The primary has to be looked up anew.
    Locate,
    /// The server has to get the library and an epoch; then it can be asked once more.
    Prepare,
}

/// What the function says when the epoch is not that of the server.
const NO_EPOCH: &str = "FAIRGATE";

impl Fault {
    pub(crate) fn of_reply(server: &str, text: &str) -> Self {
        let (server, why) = (server.to_owned(), text.to_owned());
        let code = text.split(' ').next().unwrap_or_default();
        let (error, cure) = match code {
            "OOM" | "MISCONF" => (LedgerError::Full { server, why }, Cure::Nothing),
            "BUSY" => (LedgerError::Busy { server, why }, Cure::Nothing),
            "LOADING" | "CLUSTERDOWN" | "TRYAGAIN" => (LedgerError::Busy { server, why }, Cure::Locate),
            "READONLY" | "MASTERDOWN" | "MOVED" | "ASK" | "NOREPLICAS" => {
                (LedgerError::NotPrimary { server, why }, Cure::Locate)
            }
            "NOAUTH" | "WRONGPASS" | "NOPERM" | "DENIED" => {
                (LedgerError::Refused { server, why }, Cure::Locate)
            }
            _ if text.contains("AUTH") || text.contains("invalid password") => {
                (LedgerError::Refused { server, why }, Cure::Locate)
            }
            NO_EPOCH | "NOSCRIPT" => (LedgerError::Busy { server, why }, Cure::Prepare),
            _ if text.contains("Function not found") => (LedgerError::Busy { server, why }, Cure::Prepare),
            _ => (LedgerError::Unexpected { server, why }, Cure::Nothing),
        };
        Self { error, cure }
    }

    /// Whether this is the answer of the functions to whoever asks before an epoch has begun.
    pub(crate) fn is_no_epoch(text: &str) -> bool {
        text.starts_with(NO_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_cure() {
        let cure = |text| Fault::of_reply("a", text).cure;
        assert_eq!(cure("OOM command not allowed when used memory > 'maxmemory'."), Cure::Nothing);
        assert_eq!(cure("BUSY Valkey is busy running a script."), Cure::Nothing);
        assert_eq!(cure("READONLY You can't write against a read only replica."), Cure::Locate);
        assert_eq!(cure("NOREPLICAS Not enough good replicas to write."), Cure::Locate);
        assert_eq!(cure("ERR Function not found"), Cure::Prepare);
        assert_eq!(cure("FAIRGATE no epoch"), Cure::Prepare);
        let refused = Fault::of_reply("a", "ERR AUTH <password> called without any password configured");
        assert!(matches!(refused.error, LedgerError::Refused { .. }));
    }
}
