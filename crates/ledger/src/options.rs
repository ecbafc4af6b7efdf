//! What an engine is given.

use crate::{LedgerError, Pending};
use lease::NodeId;
use std::{fmt, sync::Arc, time::Duration};

/// The longest time-out: what an old primary answers later than this shall not be taken for an answer.
const MAX_TIMEOUT: Duration = Duration::from_secs(1);

/// Who belongs to the cluster, as the records say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// Nodes that may ask.
    pub present: Vec<NodeId>,
    /// Nodes that were removed.
    pub removed: Vec<NodeId>,
    /// No node of this cluster ever had a ledger, so nothing can have been lost. If in doubt, false: then every member says
    /// its totals first, and rates begin empty.
    pub is_first: bool,
}

/// Where the list of members comes from. Asked for whenever an epoch begins.
pub trait MemberList: Send + Sync {
    /// The list at present. An error is shown to operators.
    fn members(&self) -> Pending<'_, Members>;
}

impl MemberList for Members {
    fn members(&self) -> Pending<'_, Members> {
        Box::pin(std::future::ready(Ok::<_, LedgerError>(self.clone())))
    }
}

/// How an engine works.
#[derive(Clone)]
pub struct Options {
    /// Who belongs to the cluster.
    pub members: Arc<dyn MemberList>,
    /// What the keys of Valkey begin with: clusters that share a server need different ones. In PostgreSQL the schema is always
    /// `fairgate`, and clusters need databases of their own.
    pub namespace: String,
    /// The longest that a message takes; at most a second. Nodes give up after 50 ms themselves, but take what comes later
    /// as long as they have not asked anew: with a longer time a slow ledger is understood, such as PostgreSQL with hundreds of
    /// questions in a message.
    pub timeout: Duration,
    /// The longest that it takes to connect.
    pub connect_timeout: Duration,
    /// Certificate authorities of the server in PEM. `None`: those that this machine trusts. PostgreSQL's are in its URL.
    pub authorities: Option<Vec<u8>>,
}

impl Options {
    /// The usual ones.
    pub fn new(members: Arc<dyn MemberList>) -> Self {
        Self {
            members,
            namespace: "fairgate".to_owned(),
            timeout: Duration::from_millis(50),
            connect_timeout: Duration::from_secs(1),
            authorities: None,
        }
    }

    pub(crate) fn bounded_timeout(&self) -> Duration {
        self.timeout.min(MAX_TIMEOUT)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options")
            .field("namespace", &self.namespace)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}
