//! Response times: a histogram whose steps grow with the value, so that it is small and its error is bounded.
//!
//! Values are microseconds. Below 8 every value has its own step; above, every power of two has
//! eight steps, so that a percentile is at most 12.5 % above the true value, and never below it.

use smallvec::SmallVec;

/// Steps per power of two: eight.
const STEP_BITS: u32 = 3;
const STEPS: u64 = 1 << STEP_BITS;
/// Longer times (above about 19 hours) count as this in the histogram. `max` is exact.
const LONGEST: u64 = (1 << 36) - 1;

/// Step and count. Most tallies of a second contain one or two requests, which then need no allocation.
pub(crate) type Steps = SmallVec<[(u16, u64); 2]>;

/// Response times in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latency {
    pub(crate) sum: u64,
    pub(crate) max: u64,
    /// Step and count, sorted by step. Only steps that occur are stored: response times of one
    /// endpoint are similar.
    pub(crate) steps: Steps,
}

impl Latency {
    /// Adds a response.
    pub fn add(&mut self, micros: u64) {
        self.sum = self.sum.saturating_add(micros);
        self.max = self.max.max(micros);
        self.add_to_step(step(micros), 1);
    }

    /// Adds the responses of another one.
    pub fn merge(&mut self, other: &Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
        for &(step, count) in &other.steps {
            self.add_to_step(step, count);
        }
    }

    fn add_to_step(&mut self, step: u16, count: u64) {
        match self.steps.binary_search_by_key(&step, |(step, _)| *step) {
            Ok(place) => {
                if let Some((_, counted)) = self.steps.get_mut(place) {
                    *counted = counted.saturating_add(count);
                }
            }
            Err(place) => self.steps.insert(place, (step, count)),
        }
    }

    /// The number of responses.
    pub fn count(&self) -> u64 {
        self.steps.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The mean. None: there are no responses.
    pub fn mean(&self) -> Option<u64> {
        self.sum.checked_div(self.count())
    }

    /// The longest. None: there are no responses.
    pub fn max(&self) -> Option<u64> {
        (!self.steps.is_empty()).then_some(self.max)
    }

    /// The value that this many of a thousand responses do not exceed, at most 12.5 % too high.
    /// None: there are no responses.
    pub fn per_mille(&self, wanted: u32) -> Option<u64> {
        let count = self.count();
        let wanted = u64::from(wanted.min(1000));
        // The rank is at least 1: 0 per mille is the fastest response.
        let rank = (u128::from(count) * u128::from(wanted)).div_ceil(1000).max(1);
        let mut passed: u128 = 0;
        for &(step, count) in &self.steps {
            passed += u128::from(count);
            if passed >= rank {
                return Some(largest_of(step).min(self.max));
            }
        }
        self.max()
    }
}

/// The step of a value.
fn step(micros: u64) -> u16 {
    let micros = micros.min(LONGEST);
    if micros < STEPS {
        return micros as u16;
    }
    let power = micros.ilog2() - STEP_BITS;
    let within = (micros >> power) - STEPS;
    (u64::from(power + 1) * STEPS + within) as u16
}

/// The largest value of a step.
fn largest_of(step: u16) -> u64 {
    let step = u64::from(step);
    if step < STEPS {
        return step;
    }
    // The step comes from `step` or from checked bytes; a larger one is treated as the longest.
    let power = (step / STEPS - 1).min(63 - u64::from(STEP_BITS) - 1);
    ((step % STEPS + STEPS + 1) << power) - 1
}

/// The last step.
pub(crate) fn last_step() -> u16 {
    step(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn steps_follow_each_other_without_a_gap() {
        for number in 0..last_step() {
            assert_eq!(step(largest_of(number)), number);
            assert_eq!(step(largest_of(number) + 1), number + 1);
        }
        assert_eq!(last_step(), 271);
        assert_eq!(step(u64::MAX), last_step());
    }

    #[test]
    fn without_responses_there_are_no_figures() {
        let nothing = Latency::default();
        assert_eq!((nothing.mean(), nothing.max(), nothing.per_mille(500)), (None, None, None));
    }

    proptest! {
        #[test]
        fn a_percentile_is_never_too_low_and_at_most_an_eighth_too_high(
            mut values in vec(0..5_000_000_u64, 1..200),
            wanted in 0..=1000_u32,
        ) {
            let mut latency = Latency::default();
            values.iter().for_each(|value| latency.add(*value));
            values.sort_unstable();
            let rank = (values.len() * wanted as usize).div_ceil(1000).max(1);
            let exact = values[rank - 1];
            let found = latency.per_mille(wanted).unwrap();
            prop_assert!(found >= exact && found <= exact + exact / 8, "{found} for {exact}");
            prop_assert_eq!(latency.max(), values.last().copied());
            prop_assert_eq!(latency.mean(), Some(values.iter().sum::<u64>() / values.len() as u64));
            prop_assert_eq!(latency.per_mille(1000), latency.max());
        }

        #[test]
        fn merging_is_noting_all_in_one(one in vec(any::<u64>(), 0..50), other in vec(any::<u64>(), 0..50)) {
            let of = |values: &[u64]| {
                let mut latency = Latency::default();
                values.iter().for_each(|value| latency.add(*value));
                latency
            };
            let mut merged = of(&one);
            merged.merge(&of(&other));
            prop_assert_eq!(merged, of(&[one, other].concat()));
        }
    }
}
