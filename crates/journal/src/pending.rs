//! Charges that wait to be written, aggregated by counter.

use crate::{
    ring::Entry,
    row::{Class, Row, Who, is_newer},
};
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Charges that are not on disk yet. Its size depends on the number of charged counters, not on the
/// number of charges or how long the disk is full: windows that no longer count are removed.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// For counters that keep one window, only the newest window is here, in the value.
    units: HashMap<(Who, u32, u32), (u32, u32), RandomState>,
    /// The size of `units` at which old windows are searched for.
    prune_at: usize,
}

const SMALLEST_PRUNE: usize = 1 << 16;

impl Pending {
    pub(crate) fn add(&mut self, entry: &Entry) {
        for row in entry.charge.rows() {
            self.add_row(&row);
        }
        if self.units.len() > self.prune_at.max(SMALLEST_PRUNE) {
            self.prune();
            self.prune_at = self.units.len().saturating_mul(2);
        }
    }

    fn add_row(&mut self, row: &Row) {
        let one_window = Class::of(row.tag).keeps_one_window();
        let key = (row.who, row.tag, if one_window { 0 } else { row.window });
        let (window, units) = self.units.entry(key).or_insert((row.window, 0));
        if *window == row.window {
            *units = units.saturating_add(row.units);
        } else if is_newer(row.window, *window) {
            (*window, *units) = (row.window, row.units);
        }
    }

    /// Removes windows that are obsolete because of a newer one of the same counter.
    fn prune(&mut self) {
        let mut newest: HashMap<(Who, u32), u32, RandomState> = HashMap::default();
        for (&(who, tag, _), &(window, _)) in &self.units {
            let best = newest.entry((who, tag)).or_insert(window);
            if is_newer(window, *best) {
                *best = window;
            }
        }
        self.units.retain(|&(who, tag, _), &mut (window, _)| {
            newest.get(&(who, tag)).is_none_or(|&newest| Class::of(tag).keeps(window, newest))
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.units.len()
    }

    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = Row> + '_ {
        self.units.iter().map(|(&(who, tag, _), &(window, units))| Row { who, tag, window, units })
    }

    pub(crate) fn clear(&mut self) {
        self.units.clear();
        // Memory of a peak is released after it.
        self.units.shrink_to(SMALLEST_PRUNE);
        self.prune_at = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Charge;

    fn charge(who: u8, tag: u32, window: u32, units: u32) -> Entry {
        let mut charge = Charge::new([who; 16], units);
        assert!(charge.push(tag, window));
        Entry { charge, second: 0 }
    }

    #[test]
    fn charges_of_one_counter_add_up() {
        let mut pending = Pending::default();
        for (window, units) in [(7, 1), (7, 2), (8, 5), (7, 9), (8, 1)] {
            pending.add(&charge(1, 4 + 1, window, units));
        }
        let rows: Vec<_> = pending.rows().collect();
        assert_eq!(rows, [Row { who: [1; 16], tag: 5, window: 8, units: 6 }]);
    }

    #[test]
    fn windows_of_a_long_rush_make_room() {
        let mut pending = Pending::default();
        for window in 0..300_000 {
            pending.add(&charge(1, 2, window, 1));
        }
        assert!(pending.len() <= 2 * SMALLEST_PRUNE, "{}", pending.len());
        let newest = pending.rows().filter(|row| row.window >= 300_000 - 18).count();
        assert_eq!(newest, 18);
    }
}
