//! How much a counter is asked for at a node, over the last tenths of a second.

use super::Micros;

const TICK: Micros = 100_000;

/// Requests and units of the present tenth of a second and the one before.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Demand {
    tick: u64,
    requests: [u32; 2],
    units: [u32; 2],
}

impl Demand {
    /// Counts one request.
    pub(crate) const fn note(&mut self, now: Micros, units: u32) {
        *self = self.at(now);
        let ([requests, _], [sum, _]) = (&mut self.requests, &mut self.units);
        *requests = requests.saturating_add(1);
        *sum = sum.saturating_add(units);
    }

    /// Whether at least some ten requests a second come, the present one not counted.
    pub(crate) const fn is_hot(&self, now: Micros) -> bool {
        let [present, before] = self.at(now).requests;
        present.saturating_add(before) > 2
    }

    /// Units of a tenth of a second.
    pub(crate) const fn units(&self, now: Micros) -> u32 {
        let [present, before] = self.at(now).units;
        let ahead = TICK - now % TICK;
        let before = before as u64 * ahead / TICK;
        present.saturating_add(before as u32) // at most what it was
    }

    /// Whether nothing came lately.
    pub(crate) const fn is_idle(&self, now: Micros) -> bool {
        matches!(self.at(now).requests, [0, 0])
    }

    const fn at(self, now: Micros) -> Self {
        let tick = now / TICK;
        let ([requests, _], [units, _]) = (self.requests, self.units);
        if tick <= self.tick {
            self
        } else if tick == self.tick + 1 {
            Self { tick, requests: [0, requests], units: [0, units] }
        } else {
            Self { tick, requests: [0, 0], units: [0, 0] }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_requests_a_second_are_seldom_and_thirty_are_not() {
        let hot = |every: Micros| {
            let mut demand = Demand::default();
            (0..50)
                .filter(|turn| {
                    demand.note(turn * every, 1);
                    demand.is_hot(turn * every)
                })
                .count()
        };
        assert_eq!(hot(110_000), 0);
        assert!(hot(33_000) > 40);
    }

    #[test]
    fn what_came_before_counts_less_and_less() {
        let mut demand = Demand::default();
        demand.note(0, 80);
        assert_eq!(demand.units(0), 80);
        assert_eq!(demand.units(150_000), 40);
        assert_eq!(demand.units(200_000), 0);
        assert!(!demand.is_idle(199_999) && demand.is_idle(200_000));
    }
}
