//! The limit headers of a response, both families, parsed strictly and compared with each other.

use crate::support::Answer;

/// One member of `RateLimit-Policy` and `RateLimit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) quota: u64,
    pub(crate) window: Option<u64>,
    pub(crate) remaining: u64,
    pub(crate) reset: Option<u64>,
}

/// The limits that a response reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitHeaders {
    pub(crate) status: u16,
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) reset: Option<u64>,
    pub(crate) members: Vec<Member>,
}

impl LimitHeaders {
    /// Parses a response that must report limits.
    #[track_caller]
    pub(crate) fn of(answer: &Answer) -> Self {
        let policies = list(answer, "RateLimit-Policy");
        let states = list(answer, "RateLimit");
        assert_eq!(policies.len(), states.len(), "{answer:?}");
        let members: Vec<Member> = policies
            .iter()
            .zip(&states)
            .map(|((name, policy), (same, state))| {
                assert_eq!(name, same, "{answer:?}");
                let quota = number(policy, "q").unwrap_or_else(|| panic!("no quota: {answer:?}"));
                let remaining = number(state, "r").unwrap_or_else(|| panic!("no remaining: {answer:?}"));
                assert!(remaining <= quota, "{answer:?}");
                let (window, reset) = (number(policy, "w"), number(state, "t"));
                assert_ne!(reset, Some(0), "{answer:?}");
                Member { name: name.clone(), quota, window, remaining, reset }
            })
            .collect();
        let limit = answer.number("X-Rate-Limit-Limit");
        let remaining = answer.number("X-Rate-Limit-Remaining");
        let reset = answer.header("X-Rate-Limit-Reset").map(|text| text.parse().unwrap());
        // The first family reports one member of the second, also in a denial: the time until this request fits is
        // in Retry-After.
        // Of two equally tight ones (in the last hour of a day, a day and an hour), the one whose reset it reports.
        let is_reported =
            |one: &&Member| (one.quota, one.remaining) == (limit, remaining) && one.reset == reset;
        assert!(members.iter().any(|one| is_reported(&one)), "no member matches X-Rate-Limit: {answer:?}");
        assert_ne!(reset, Some(0), "{answer:?}");
        Self { status: answer.status, limit, remaining, reset, members }
    }

    #[track_caller]
    pub(crate) fn member(&self, name: &str) -> &Member {
        let found = self.members.iter().find(|member| member.name == name);
        found.unwrap_or_else(|| panic!("no member {name:?} in {self:?}"))
    }
}

type Parameters = Vec<(String, String)>;

/// The members of a list of strings with parameters.
fn list(answer: &Answer, name: &str) -> Vec<(String, Parameters)> {
    let text = answer.headers.all(name).join(", ");
    assert!(!text.is_empty(), "no {name} in {answer:?}");
    let member = |member: &str| {
        let mut parts = member.trim().split(';');
        let name = parts.next().unwrap_or_default();
        let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let name = name.unwrap_or_else(|| panic!("no string: {text}"));
        let parameters = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or_else(|| panic!("no parameter: {text}"));
            (name.to_owned(), value.to_owned())
        });
        (name.to_owned(), parameters.collect())
    };
    text.split(',').map(member).collect()
}

fn number(parameters: &Parameters, name: &str) -> Option<u64> {
    let (_, value) = parameters.iter().find(|(known, _)| known == name)?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is not an integer: {value:?}")))
}
