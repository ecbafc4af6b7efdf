//! Lists of limits, of a plan and of an address: each is read, and duplicates are rejected.

use crate::{
    fault::Fault,
    limit,
    raw::{At, Refusal, Section},
    registry::{
        Absent::{Default, Means},
        Key, Shape,
    },
};
use contract::{Kind, Limit};
use gateway::settings::Plan;

rows! {
    ADDRESS_LIMITS = Address "limits", Shape::Texts, Means("public endpoints have no limits"), "[\"60 per minute\"]",
    also "limit";
    "One to eight limits as in a plan, except `at once` and `in all`. Exceeded: 429."

    ADDRESS_ALLOW = Address "allow", Shape::Texts, Means("every address may use the API"), "[\"10.0.0.0/8\", \"2001:db8::/32\"]";
    "The only addresses and networks that may use the API. Any other gets 401 `PERMISSION_DENIED`, whatever its key."

    ADDRESS_DENY = Address "deny", Shape::Texts, Default("[]"), "[\"198.51.100.7\"]", also "block";
    "Addresses and networks that may not use the API. It takes precedence over `allow`."
}

/// Whose limits a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Plan,
    Address,
}

impl Whose {
    const fn one(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Address => "address",
        }
    }

    const fn any(self) -> &'static str {
        match self {
            Self::Plan => "a plan",
            Self::Address => "an address",
        }
    }
}

/// The table `[address]`. Empty: it is not there.
pub(super) fn of_address(section: &Section<'_>) -> Vec<At<Limit>> {
    let mut limits = limits(section, &ADDRESS_LIMITS, Whose::Address);
    limits.retain(|limit| match limit.value.kind {
        Kind::Calendar { .. } | Kind::Rolling { .. } | Kind::Rate { .. } => true,
        Kind::Concurrent | Kind::Lifetime => {
            section.reader.fault(
                Fault::at(
                    limit.span.clone(),
                    format!("an address cannot have the limit \"{}\"", limit.value),
                )
                .label("addresses are shared, and forgotten after a while without requests")
                .help("write a limit that resets, such as \"60 per minute\""),
            );
            false
        }
    });
    limits
}

/// The limits that a key of the file lists.
pub(super) fn limits(section: &Section<'_>, key: &Key, whose: Whose) -> Vec<At<Limit>> {
    let texts = section.text_list(key);
    if let Some(list) = &texts
        && section.is_empty_list(key)
    {
        section.reader.fault(
            Fault::at(list.span.clone(), format!("{} needs at least one limit", whose.any()))
                .label("the list is empty")
                .help(format!("write it like this: limits = {}", key.example)),
        );
    }
    let mut limits: Vec<At<Limit>> = Vec::new();
    for text in texts.map(|list| list.value).unwrap_or_default() {
        let limit = match limit::read(&text.value) {
            Ok(limit) => limit,
            Err(wrong) => {
                let refusal = Refusal::new(format!("`{}` is not a limit", text.value), wrong.why, wrong.help);
                section.reader.fault(refusal.into_fault(text.span));
                continue;
            }
        };
        if limits.len() == Plan::MAX_LIMITS {
            section.reader.fault(
                Fault::at(text.span, format!("{} can have at most {} limits", whose.any(), Plan::MAX_LIMITS))
                    .label("one too many")
                    .help("every request is checked against all of them: keep those that matter"),
            );
            break;
        }
        match limits.iter().find(|known| are_one(&known.value, &limit)) {
            Some(known) => section.reader.fault(doubled(known, &At { value: limit, span: text.span }, whose)),
            None => limits.push(At { value: limit, span: text.span }),
        }
    }
    limits
}

/// Counters are kept by tag, and headers name limits by their policy: by both the limits of a plan must differ.
fn are_one(one: &Limit, other: &Limit) -> bool {
    one.tag() == other.tag() || one.policy_name() == other.policy_name()
}

fn doubled(first: &At<Limit>, second: &At<Limit>, whose: Whose) -> Fault {
    let fault = |title: String| {
        Fault::at(second.span.clone(), title)
            .label("the second one")
            .also(first.span.clone(), "the first one")
    };
    let (one, other) = (&first.value, &second.value);
    if let (Kind::Rate { period, .. }, Kind::Rate { .. }) = (&one.kind, &other.kind) {
        let title = format!("two rates per {}{} in one {}", period.word(), of_group(other), whose.one());
        return fault(title).help("keep one of the two; a second rate needs another period");
    }
    if one.tag() == other.tag() {
        let title = format!("two limits {}{} in one {}", other.kind, of_group(other), whose.one());
        let smaller = if one.amount <= other.amount { one } else { other };
        return fault(title).help(format!("keep the smaller one: \"{smaller}\""));
    }
    fault(format!("two limits of one {} share the name `{}` in headers", whose.one(), other.policy_name()))
        .help("give one of the groups a name that differs in more than `-` and `_`")
}

fn of_group(limit: &Limit) -> String {
    limit.group.as_deref().map(|group| format!(" for {group}")).unwrap_or_default()
}
