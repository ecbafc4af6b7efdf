//! Keys, and the plans that they belong to.

use contract::Limit;
use regex::Regex;

/// Where a key is looked for and what an imported one looks like.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Header names in lower case, in the order in which they are looked at.
    /// `Authorization` (Bearer and Basic) is looked at after them.
    pub headers: Vec<String>,
    /// The whole of an imported key matches this. None: an imported key has any format.
    pub pattern: Option<Regex>,
    /// What a 401 for a key that is missing or incorrect asks for, where statuses are those of RFC 9110.
    pub challenge: Challenge,
}

/// The scheme that a 401 names in its challenge. Keys are accepted in both schemes, whichever it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// A browser shows nothing, programs send a token.
    Bearer,
    /// A browser asks for a user and a password; clients such as WebDAV's wait for it before they send theirs.
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
    /// The headers as people write them, `X-API-Key` for `x-api-key`, without `Authorization`, which is
    /// always looked at.
    pub fn headers_as_written(&self) -> Vec<String> {
        self.headers.iter().filter(|name| *name != "authorization").map(|name| as_written(name)).collect()
    }
}

fn as_written(name: &str) -> String {
    let part = |part: &str| match part {
        "api" | "id" => part.to_ascii_uppercase(),
        // A name of another style is left alone: `api_key` is no `Api_key`.
        other if other.contains('_') => other.to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
        }
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

/// A plan: what the keys that belong to it may use.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Unique name.
    pub name: String,
    /// 1 to [`Plan::MAX_LIMITS`] limits, whose tags and policies' names all differ.
    pub limits: Vec<Limit>,
}

impl Plan {
    /// Limits that a plan can have.
    pub const MAX_LIMITS: usize = 8;
}
