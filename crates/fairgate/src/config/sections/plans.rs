//! The plans and their limits, and whether every endpoint's cost fits them.

use super::endpoints::EndpointRead;
use crate::config::{
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{PLAN_LIMITS, Table},
    unknown::nearest,
};
use contract::{Limit, Period, limit::LimitError};
use gateway::settings::Plan;

/// A plan and the places of its limits.
#[derive(Debug)]
pub(super) struct PlanRead {
    pub(super) plan: Plan,
    limits: Vec<At<Limit>>,
}

pub(super) fn plans(top: &Section<'_>) -> Vec<PlanRead> {
    let sections = top.named(Table::Plan);
    if sections.is_empty() && !top.has_table(Table::Plan) {
        top.reader.fault(
            Fault::at(top.place.clone(), "there is no plan")
                .label("the file ends without `[plans.NAME]`")
                .help("every key belongs to a plan; add one such as:\n[plans.free]\nlimits = [\"1000 per day\", \"20 per second\"]")
                .of_absence(),
        );
    }
    sections.into_iter().map(|(name, section)| plan(name, &section)).collect()
}

fn plan(name: At<String>, section: &Section<'_>) -> PlanRead {
    let is_good = !name.value.is_empty()
        && name.value.len() <= 64
        && name.value.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !is_good {
        section.reader.fault(
            Fault::at(name.span, "this name of a plan cannot be used")
                .label("expected 1 to 64 letters, digits, `-` and `_`")
                .help(
                    "it is written on command lines and in the keys' list: choose a short one such as `free`",
                ),
        );
    }
    let texts = section.text_list(&PLAN_LIMITS);
    if let Some(list) = &texts
        && section.is_empty_list(&PLAN_LIMITS)
    {
        section.reader.fault(
            Fault::at(list.span.clone(), "a plan needs at least one limit")
                .label("the list is empty")
                .help("write it like this: limits = [\"1000 per day\", \"20 per second\"]"),
        );
    }
    let limits = limits(section, texts.map(|list| list.value).unwrap_or_default());
    warn_of_idle_limits(section, &name.value, &limits);
    let plan = Plan { name: name.value, limits: limits.iter().map(|limit| limit.value).collect() };
    PlanRead { plan, limits }
}

fn limits(section: &Section<'_>, texts: Vec<At<String>>) -> Vec<At<Limit>> {
    let mut limits: Vec<At<Limit>> = Vec::new();
    for text in texts {
        let limit: Limit = match text.value.parse() {
            Ok(limit) => limit,
            Err(error) => {
                section.reader.fault(refuse(&text.value, &error).into_fault(text.span));
                continue;
            }
        };
        match limits.iter().find(|known| known.value.period == limit.period) {
            Some(known) => {
                let word = limit.period.word();
                section.reader.fault(
                    Fault::at(text.span, format!("two limits per {word} in one plan"))
                        .label("the second one")
                        .also(known.span.clone(), "the first one")
                        .help(format!(
                            "keep the smaller one: \"{} per {word}\"",
                            limit.amount.min(known.value.amount)
                        )),
                );
            }
            None => limits.push(At { value: limit, span: text.span }),
        }
    }
    limits
}

/// A shorter window that grants as much as a longer one is never the one that denies.
fn warn_of_idle_limits(section: &Section<'_>, plan: &str, limits: &[At<Limit>]) {
    for short in limits {
        let longer = limits
            .iter()
            .find(|long| long.value.period > short.value.period && long.value.amount <= short.value.amount);
        if let Some(long) = longer {
            section.reader.warn(format!(
                "line {}: in the plan `{plan}` the limit \"{}\" is never reached, because \"{}\" is smaller",
                section.reader.line(&short.span),
                short.value,
                long.value
            ));
        }
    }
}

fn refuse(text: &str, error: &LimitError) -> Refusal {
    let title = format!("`{text}` is no limit");
    let words: Vec<&str> = Period::ALL.into_iter().map(Period::word).collect();
    match error {
        LimitError::Form => {
            let help = guess(text, &words).map_or_else(
                || "write it like this: \"1000 per day\"".to_owned(),
                |guess| format!("did you mean \"{guess}\"?"),
            );
            Refusal::new(
                title,
                format!("expected N per {}", words.join(", ")).replace(", month", " or month"),
                help,
            )
        }
        LimitError::Period(period) => {
            let help = match period_meant(period, &words) {
                Some(known) => format!("did you mean \"{}\"?", text.replacen(period.as_str(), known, 1)),
                None if period.starts_with("week") => {
                    "there is no limit per week, because months and days are no multiples of it: write one per day or per month".to_owned()
                }
                None => "write it like this: \"1000 per day\"".to_owned(),
            };
            Refusal::new(title, format!("`{period}` is no period: a period is {}", words.join(", ")), help)
        }
        LimitError::Zero => Refusal::new(
            title,
            "a limit of 0 would refuse every request",
            "write 1 or more; to close the API for a plan, revoke its keys",
        ),
        LimitError::TooLarge => Refusal::new(
            title,
            format!("a limit is at most {}", Limit::LARGEST),
            "leave the limit out if it is meant to allow everything",
        ),
    }
}

/// `1000/day`, `1000 a day`, `1000 day`, `1000 per days`: what was meant.
fn guess(text: &str, words: &[&str]) -> Option<String> {
    let amount: String = text.chars().take_while(char::is_ascii_digit).collect();
    let rest = text.get(amount.len()..)?;
    let last = rest.rsplit(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty())?;
    let period = period_meant(last, words)?;
    (!amount.is_empty()).then(|| format!("{amount} per {period}"))
}

fn period_meant<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    let short = match lower.as_str() {
        "s" | "sec" | "secs" => Some("second"),
        "m" | "min" | "mins" => Some("minute"),
        "h" | "hr" => Some("hour"),
        "d" | "daily" => Some("day"),
        _ => None,
    };
    let singular = lower.strip_suffix('s').unwrap_or(&lower);
    let found = words.iter().copied().find(|known| *known == singular || Some(*known) == short);
    found.or_else(|| nearest(&lower, words.iter().copied()))
}

/// A request that costs more than a limit grants could never be admitted.
pub(super) fn check_costs(top: &Section<'_>, plans: &[PlanRead], endpoints: &[EndpointRead]) {
    let limits = plans.iter().flat_map(|plan| plan.limits.iter().map(move |limit| (plan, limit)));
    let Some((plan, smallest)) = limits.min_by_key(|(_, limit)| limit.value.amount) else { return };
    for endpoint in endpoints {
        let Some(cost) = &endpoint.cost else { continue };
        if u64::from(cost.value) > u64::from(smallest.value.amount) && !endpoint.is_public() {
            top.reader.fault(
                Fault::at(
                    cost.span.clone(),
                    format!("keys of the plan `{}` could never use this endpoint", plan.plan.name),
                )
                .label(format!("one request costs {}", cost.value))
                .also(smallest.span.clone(), format!("the plan grants {}", smallest.value))
                .help(format!("lower the cost to at most {}, or raise the limit", smallest.value.amount)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_guessed() {
        let words: Vec<&str> = Period::ALL.into_iter().map(Period::word).collect();
        for (text, meant) in [
            ("1000/day", Some("1000 per day")),
            ("20 a second", Some("20 per second")),
            ("20/s", Some("20 per second")),
            ("1000 daily", Some("1000 per day")),
            ("1000", None),
            ("per day", None),
            ("", None),
        ] {
            assert_eq!(guess(text, &words).as_deref(), meant, "{text}");
        }
    }
}
