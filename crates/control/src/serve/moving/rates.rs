//! Buckets of rates: in a journal they are kept under a tag that says their speed, at the ledger under the name of their limit. What
//! leads from one to the other is the limit itself, so the key's plan and own limits are looked up.

use crate::{
    ReadLimit,
    export::{Counter, Hex, Key, Line},
    failure::Failure,
    serve::rules::rules,
};
use contract::{
    Limit,
    limit::{Class, Kind, Tag},
};
use gateway::{keyring::grant::combine, settings::Settings};
use ledger::Bucket;
use limits::{Account, Limits, Used, Who};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use store::KeyRecord;

/// Terms that are remembered. Keys of a plan mostly have the same.
const MAX_REMEMBERED: usize = 4096;

/// Which limits a key or an address has, by the configuration.
pub struct LimitsOf {
    plans: HashMap<String, Vec<Limit>>,
    addresses: Arc<Limits>,
    read: ReadLimit,
    made: HashMap<(String, Vec<String>), Option<Arc<Limits>>>,
}

/// So much is taken of the bucket of a limit.
pub(super) struct Taken {
    pub(super) who: Who,
    pub(super) limit: Limit,
    pub(super) units: u32,
}

impl LimitsOf {
    /// The plans and the limits of addresses of this configuration.
    pub fn new(settings: &Settings) -> Self {
        let rules = rules(settings);
        let plans = rules.plans.into_iter().map(|plan| (plan.name, plan.limits)).collect();
        let addresses = Arc::new(Limits::new(settings.address_limits.clone()).unwrap_or_default());
        Self { plans, addresses, read: rules.read_limit, made: HashMap::new() }
    }

    /// None: the configuration does not have its plan, so it is not let in.
    fn of_key(&mut self, key: &KeyRecord) -> Option<Arc<Limits>> {
        let terms = (key.plan.clone(), key.limits.clone());
        if let Some(made) = self.made.get(&terms) {
            return made.clone();
        }
        let made = self.make(&terms);
        if self.made.len() >= MAX_REMEMBERED {
            self.made.clear();
        }
        self.made.insert(terms, made.clone());
        made
    }

    fn make(&self, (plan, own): &(String, Vec<String>)) -> Option<Arc<Limits>> {
        let own = own.iter().map(|text| (self.read)(text).ok()).collect::<Option<Vec<_>>>()?;
        Limits::new(combine(self.plans.get(plan)?, &own)).ok().map(Arc::new)
    }
}

/// What the counters of a file have taken of buckets that are not full again at `now` (Unix milliseconds).
pub(super) fn of_file(
    lines: impl Iterator<Item = Result<Line, Failure>>,
    limits: &mut LimitsOf,
    now: u64,
) -> Result<Vec<Taken>, Failure> {
    let mut rows: BTreeMap<Who, Vec<Used>> = BTreeMap::new();
    let mut taken = Vec::new();
    for line in lines {
        match line? {
            Line::Counter(counter) => {
                if counter.class() == Class::Rate {
                    rows.entry(counter.who.0).or_default().push(used(&counter));
                }
            }
            Line::Key(key) => {
                let key = KeyRecord::from(key);
                if let Some(rows) = who(&key.digest).and_then(|who| rows.remove_entry(&who))
                    && let Some(limits) = limits.of_key(&key)
                {
                    levels(&limits, rows, now, &mut taken);
                }
            }
            Line::Maintenance(_) | Line::Cause(_) | Line::Incident(_) | Line::Usage(_) | Line::End(_) => {}
        }
    }
    // No key's, so an address's; or of a key that is gone, whose limits nobody knows.
    for rows in rows {
        levels(&limits.addresses, rows, now, &mut taken);
    }
    Ok(taken)
}

fn levels(limits: &Arc<Limits>, (who, rows): (Who, Vec<Used>), now: u64, taken: &mut Vec<Taken>) {
    let account = Account::restored(Arc::clone(limits), &rows, now);
    for (_, standing) in account.standings(now, limits.all()) {
        if matches!(standing.limit.kind, Kind::Rate { .. }) && standing.used > 0 {
            let (limit, units) = (standing.limit.clone(), standing.used.min(standing.quota));
            taken.push(Taken { who, limit, units });
        }
    }
}

fn used(counter: &Counter) -> Used {
    let Counter { tag, window, units, at, .. } = *counter;
    Used { tag: Tag(tag), window, units, second: at }
}

/// Whose counters a key's are.
fn who(digest: &[u8; 32]) -> Option<Who> {
    digest.first_chunk().copied()
}

/// Buckets of the ledger whose limits are not known yet.
pub(super) struct Buckets {
    rest: BTreeMap<Who, Vec<Bucket>>,
    now: u64,
}

impl Buckets {
    /// As they are at `now`, in Unix milliseconds.
    pub(super) fn new(buckets: Vec<Bucket>, now: u64) -> Self {
        let mut rest: BTreeMap<Who, Vec<Bucket>> = BTreeMap::new();
        for bucket in buckets {
            rest.entry(bucket.counter.who).or_default().push(bucket);
        }
        Self { rest, now }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Adds those of a key to the counters.
    pub(super) fn of_key(&mut self, key: &Key, limits: &mut LimitsOf, counters: &mut Vec<Counter>) {
        let Some(buckets) = who(&key.digest().0).and_then(|who| self.rest.remove(&who)) else { return };
        if let Some(limits) = limits.of_key(&KeyRecord::from(key.clone())) {
            self.add(&limits, &buckets, counters);
        }
    }

    /// Adds those that are left, which are of addresses.
    pub(super) fn of_addresses(mut self, limits: &LimitsOf, counters: &mut Vec<Counter>) {
        for buckets in std::mem::take(&mut self.rest).into_values() {
            self.add(&limits.addresses, &buckets, counters);
        }
    }

    fn add(&self, limits: &Limits, buckets: &[Bucket], counters: &mut Vec<Counter>) {
        for bucket in buckets {
            let Some(limit) = limits.iter().find(|limit| limit.shared_id() == bucket.counter.limit) else {
                continue;
            };
            let rule = gateway::ledger_rule(limit, self.now);
            let units = rule.quota().saturating_sub(bucket.left(&rule, self.now));
            if units > 0 {
                counters.push(Counter {
                    who: Hex(bucket.counter.who),
                    tag: limit.tag().0,
                    // As a journal has a bucket that was full just now: the lower half of the time is enough.
                    window: (self.now & u64::from(u32::MAX)) as u32,
                    units,
                    at: self.now / 1000,
                });
            }
        }
    }
}
