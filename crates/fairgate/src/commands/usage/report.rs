//! What was used in a span, put together from the rows that the store has.

use std::{collections::BTreeMap, ops::Range};
use store::{UsageRow, Whose};
use usage::{Grain, Tally};

/// Which requests are reported.
pub(super) struct Subject {
    pub(super) whose: Whose,
    /// None: all endpoints. Some(None): requests to no endpoint.
    pub(super) endpoint: Option<Option<String>>,
}

/// What was used in a span.
pub(super) struct Report {
    pub(super) subject: Subject,
    pub(super) grain: Grain,
    pub(super) buckets: Range<u32>,
    pub(super) total: Tally,
    pub(super) endpoints: BTreeMap<Option<String>, Tally>,
    /// Only steps with requests, each with the endpoints that had some.
    steps: BTreeMap<u32, BTreeMap<Option<String>, Tally>>,
}

impl Report {
    pub(super) fn new(subject: Subject, grain: Grain, buckets: Range<u32>) -> Self {
        Self {
            subject,
            grain,
            buckets,
            total: Tally::default(),
            endpoints: BTreeMap::new(),
            steps: BTreeMap::new(),
        }
    }

    /// Adds rows that the subject is about.
    pub(super) fn add(&mut self, rows: Vec<UsageRow>) {
        for row in rows {
            let is_wanted = self.subject.endpoint.as_ref().is_none_or(|wanted| *wanted == row.endpoint);
            if !is_wanted || !self.buckets.contains(&row.bucket) {
                continue;
            }
            self.total.merge(&row.tally);
            self.endpoints.entry(row.endpoint.clone()).or_default().merge(&row.tally);
            self.steps.entry(row.bucket).or_default().entry(row.endpoint).or_default().merge(&row.tally);
        }
    }

    /// Every step of the span, also those without a request.
    pub(super) fn steps(&self) -> impl Iterator<Item = (u32, Tally)> {
        self.buckets.clone().map(|bucket| {
            let mut all = Tally::default();
            self.endpoints_of(bucket).for_each(|(_, tally)| all.merge(tally));
            (bucket, all)
        })
    }

    /// The endpoints that had requests in a step.
    pub(super) fn endpoints_of(&self, bucket: u32) -> impl Iterator<Item = (Option<&str>, &Tally)> {
        let step = self.steps.get(&bucket).into_iter().flatten();
        step.map(|(endpoint, tally)| (endpoint.as_deref(), tally))
    }

    /// The first second.
    pub(super) fn since(&self) -> u64 {
        self.grain.start(self.buckets.start)
    }

    /// The first second behind it.
    pub(super) fn until(&self) -> u64 {
        self.grain.start(self.buckets.end)
    }
}
