//! Keys and plans.

use contract::Limit;
use regex::Regex;

/// Where keys are sent, and the format of imported ones.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Header names in lower case, in the order of checking. `Authorization` (Bearer and Basic) is
    /// checked after them.
    pub headers: Vec<String>,
    /// The pattern for the whole imported key. None: any format.
    pub pattern: Option<Regex>,
    /// The challenge in a 401 for a missing or incorrect key, where statuses are those of RFC 9110.
    pub challenge: Challenge,
}

/// The scheme of the challenge in a 401. Keys are accepted in both schemes, whichever it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// Browsers show nothing, programs send a token.
    Bearer,
    /// Browsers ask for user and password; clients such as WebDAV's wait for it before they send theirs.
    Basic,
}

impl Challenge {
    /// The scheme's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Basic => "Basic",
        }
    }
}

impl Keys {
    /// The headers in their usual spelling, `X-API-Key` for `x-api-key`, without `Authorization`,
    /// which is always checked.
    pub fn headers_as_written(&self) -> Vec<String> {
        self.headers.iter().filter(|name| *name != "authorization").map(|name| as_written(name)).collect()
    }
}

fn as_written(name: &str) -> String {
    let part = |part: &str| match part {
        "api" | "id" => part.to_ascii_uppercase(),
        // A name of another style is not changed: `api_key` does not become `Api_key`.
        other if other.contains('_') => other.to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
        }
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

/// A plan: the limits of the keys that belong to it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its unique name.
    pub name: String,
    /// 1 to [`Plan::MAX_LIMITS`] limits with different tags and policy names.
    pub limits: Vec<Limit>,
}

impl Plan {
    /// Maximum number of limits of a plan.
    pub const MAX_LIMITS: usize = 8;
}
