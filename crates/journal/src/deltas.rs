//! The rows that journals add to a checkpoint, aggregated and sorted.

use crate::row::Dated;

/// Rows in any order, aggregated from time to time. Memory: 32 bytes for each of at most twice as
/// many rows as there are distinct ones (at least [`SMALLEST`]), so at most 1.2 times the size of
/// the journals.
#[derive(Debug)]
pub(crate) struct Deltas {
    rows: Vec<Dated>,
    add_up_at: usize,
}

const SMALLEST: usize = 1 << 18;

impl Deltas {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), add_up_at: SMALLEST }
    }

    pub(crate) fn push(&mut self, row: Dated) {
        if self.rows.len() >= self.add_up_at {
            self.add_up();
            self.add_up_at = SMALLEST.max(self.rows.len().saturating_mul(2));
        }
        self.rows.push(row);
    }

    fn add_up(&mut self) {
        self.rows.sort_unstable_by(Dated::order);
        self.rows.dedup_by(|later, first| {
            let same = first.same_counter(later) && first.row.window == later.row.window;
            if same {
                first.add(later);
            }
            same
        });
    }

    /// One row for each window of each counter, in the order of a checkpoint.
    pub(crate) fn sorted(mut self) -> Vec<Dated> {
        self.add_up();
        self.rows
    }
}
