//! The grant of a key: the limits of its plan, overridden by its own, and its permissions.
//!
//! A million keys of one plan share one grant, so editing a plan swaps one pointer for each grant.

use crate::clock::wall_millis;
use arc_swap::{ArcSwap, Guard};
use contract::Limit;
use limits::{Limits, MAX_LIMITS};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The grant of a key. Shared by all keys with the same terms.
#[derive(Debug)]
pub struct Grant {
    terms: Arc<Terms>,
    limits: ArcSwap<Limits>,
}

/// The terms of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Terms {
    /// The name of the plan.
    pub plan: String,
    /// Its permissions; `*` is all of them.
    pub permissions: Vec<String>,
    /// Its own limits: each replaces the plan's limit of the same name, or is added to the others.
    pub limits: Vec<Limit>,
}

/// Why a grant cannot be created. The key would have the wrong limits, so it is not admitted.
#[derive(Debug, thiserror::Error)]
pub enum NotGranted {
    /// The configuration does not have the plan.
    #[error(
        "there is no plan `{0}` in the configuration; add [plans.{0}], give the key another plan, or revoke it"
    )]
    UnknownPlan(String),
    /// Plan and key together have more limits than an account can hold.
    #[error(
        "the key would have {count} limits, its own and those of the plan `{plan}`, but at most {most} are allowed"
    )]
    TooManyLimits {
        /// The name of the plan.
        plan: String,
        /// The number of limits.
        count: usize,
        /// The maximum number of limits.
        most: usize,
    },
}

/// Why the plans were not replaced.
#[derive(Debug, thiserror::Error)]
pub enum PlansNotChanged {
    /// Keys belong to a plan that would be gone.
    #[error(
        "keys belong to the plan `{0}`, which the configuration no longer has: give them another plan first (`fairgate keys change`), or put [plans.{0}] back"
    )]
    InUse(String),
    /// A key's own limits do not fit together with the new ones of its plan.
    #[error(transparent)]
    NotGranted(#[from] NotGranted),
}

/// The plans, and every grant created from them.
#[derive(Debug)]
pub(super) struct Grants(Mutex<State>);

#[derive(Debug)]
struct State {
    plans: HashMap<String, Vec<Limit>>,
    made: HashMap<Arc<Terms>, Arc<Grant>>,
}

// === impl Grant ===

impl Grant {
    /// The name of the plan.
    pub fn plan(&self) -> &str {
        &self.terms.plan
    }

    /// The current limits.
    pub fn limits(&self) -> Guard<Arc<Limits>> {
        self.limits.load()
    }

    /// Whether it has a permission.
    pub(crate) fn may(&self, permission: &str) -> bool {
        self.terms.permissions.iter().any(|held| *held == permission || *held == "*")
    }
}

// === impl Grants ===

impl Grants {
    /// No grants yet, with these plans.
    pub(super) fn new(plans: HashMap<String, Vec<Limit>>) -> Self {
        Self(Mutex::new(State { plans, made: HashMap::new() }))
    }

    /// The grant for these terms: all keys with the same terms share it.
    pub(super) fn of(&self, terms: Terms) -> Result<Arc<Grant>, NotGranted> {
        let mut state = self.state();
        if let Some(grant) = state.made.get(&terms) {
            return Ok(Arc::clone(grant));
        }
        let limits = compile(&terms, &state.plans)?;
        let terms = Arc::new(terms);
        let grant = Arc::new(Grant { terms: Arc::clone(&terms), limits: ArcSwap::from_pointee(limits) });
        state.made.insert(terms, Arc::clone(&grant));
        Ok(grant)
    }

    /// Replaces the plans, for all keys at once or, on an error, for none.
    pub(super) fn set_plans(&self, plans: HashMap<String, Vec<Limit>>) -> Result<(), PlansNotChanged> {
        let mut state = self.state();
        forget_unused(&mut state);
        let mut changed = Vec::new();
        for grant in state.made.values() {
            match compile(&grant.terms, &plans) {
                // Accounts recognize their limits by the pointer, so unchanged limits keep theirs.
                Ok(limits) if grant.limits.load().iter().eq(limits.iter()) => {}
                Ok(limits) => changed.push((Arc::clone(grant), limits)),
                Err(NotGranted::UnknownPlan(plan)) => return Err(PlansNotChanged::InUse(plan)),
                Err(error @ NotGranted::TooManyLimits { .. }) => return Err(error.into()),
            }
        }
        for (grant, limits) in changed {
            grant.limits.store(Arc::new(limits));
        }
        state.plans = plans;
        Ok(())
    }

    /// Removes grants that no key has any more.
    pub(super) fn forget_unused(&self) {
        forget_unused(&mut self.state());
    }

    // State left by a panic is intact: every change above is atomic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_unused(state: &mut State) {
    state.made.retain(|_, grant| Arc::strong_count(grant) > 1);
}

fn compile(terms: &Terms, plans: &HashMap<String, Vec<Limit>>) -> Result<Limits, NotGranted> {
    let plan = plans.get(&terms.plan).ok_or_else(|| NotGranted::UnknownPlan(terms.plan.clone()))?;
    let limits = combine(plan, &terms.limits);
    let count = limits.len();
    let plan = || terms.plan.clone();
    let compiled = Limits::new(limits).map(|limits| limits.since(wall_millis()));
    compiled.map_err(|_| NotGranted::TooManyLimits { plan: plan(), count, most: MAX_LIMITS })
}

/// The limits of a key: those of its plan in order, replaced by its own where the names match, then
/// its other own limits.
pub fn combine(plan: &[Limit], own: &[Limit]) -> Vec<Limit> {
    let mut limits = plan.to_vec();
    for own in own {
        match limits.iter_mut().find(|limit| has_place_of(own, limit)) {
            Some(place) => *place = own.clone(),
            None => limits.push(own.clone()),
        }
    }
    limits
}

/// Whether a limit replaces the other: clients know both by the same name. (Comparing tags would
/// not work: that of a rate contains its amount.)
pub fn has_place_of(own: &Limit, limit: &Limit) -> bool {
    own.policy_name() == limit.policy_name()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(texts: &[&str]) -> Vec<Limit> {
        texts.iter().map(|text| Limit::parse(text, &mut |_| None).unwrap()).collect()
    }

    fn plans(all: &[(&str, &[&str])]) -> HashMap<String, Vec<Limit>> {
        all.iter().map(|(name, texts)| ((*name).to_owned(), limits(texts))).collect()
    }

    fn terms(plan: &str, own: &[&str]) -> Terms {
        Terms { plan: plan.into(), permissions: vec!["items:read".into()], limits: limits(own) }
    }

    fn texts(grant: &Grant) -> Vec<String> {
        grant.limits().iter().map(Limit::to_string).collect()
    }

    #[test]
    fn own_limits_replace_those_of_the_same_name() {
        let grants =
            Grants::new(plans(&[("free", &["10 per second, burst 50", "1000 per day", "9 at once"])]));
        let own = ["20 per second, burst 60", "5 per rolling hour", "7 per day for reports", "3 at once"];
        let grant = grants.of(terms("free", &own)).unwrap();
        let all = [
            "20 per second, burst 60",
            "1000 per day",
            "3 at once",
            "5 per rolling hour",
            "7 per day for reports",
        ];
        assert_eq!(texts(&grant), all);
    }

    #[test]
    fn keys_of_the_same_terms_share_one_grant() {
        let grants = Grants::new(plans(&[("free", &["1 per day"])]));
        let one = grants.of(terms("free", &[])).unwrap();
        assert!(Arc::ptr_eq(&one, &grants.of(terms("free", &[])).unwrap()));
        assert!(!Arc::ptr_eq(&one, &grants.of(terms("free", &["2 per day"])).unwrap()));
    }

    #[test]
    fn an_edited_plan_reaches_every_grant_of_it_and_leaves_the_others() {
        let grants = Grants::new(plans(&[("free", &["1 per day"]), ("pro", &["9 per day"])]));
        let (free, own) =
            (grants.of(terms("free", &[])).unwrap(), grants.of(terms("free", &["5 per hour"])).unwrap());
        let pro = grants.of(terms("pro", &[])).unwrap();
        let before = Arc::clone(&pro.limits());
        grants
            .set_plans(plans(&[("free", &["2 per day"]), ("pro", &["9 per day"]), ("new", &["3 per day"])]))
            .unwrap();
        assert_eq!(
            (texts(&free), texts(&own)),
            (vec!["2 per day".into()], vec!["2 per day".into(), "5 per hour".into()])
        );
        assert!(Arc::ptr_eq(&before, &pro.limits()), "accounts of a plan that is the same would be replaced");
        assert!(grants.of(terms("new", &[])).is_ok());
    }

    #[test]
    fn plans_that_do_not_fit_every_key_change_nothing() {
        let grants = Grants::new(plans(&[("free", &["1 per day"]), ("pro", &["9 per day"])]));
        let free = grants.of(terms("free", &["5 per hour"])).unwrap();
        let eight = [
            "8 per second",
            "8 per minute",
            "8 per day",
            "8 per month",
            "8 at once",
            "8 in all",
            "8 per rolling hour",
            "8 per rolling day",
        ];
        let error = grants.set_plans(plans(&[("free", &eight)])).unwrap_err();
        assert!(
            matches!(error, PlansNotChanged::NotGranted(NotGranted::TooManyLimits { count: 9, .. })),
            "{error}"
        );
        let error = grants.set_plans(plans(&[("pro", &["1 per day"])])).unwrap_err();
        assert!(matches!(&error, PlansNotChanged::InUse(plan) if plan == "free"), "{error}");
        assert_eq!(texts(&free), ["1 per day", "5 per hour"]);
        // A grant without keys does not block a change of plans.
        drop(free);
        grants.set_plans(plans(&[("pro", &["1 per day"])])).unwrap();
        assert!(matches!(grants.of(terms("free", &[])), Err(NotGranted::UnknownPlan(_))));
    }
}
