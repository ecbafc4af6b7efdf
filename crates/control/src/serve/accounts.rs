//! What the journal has of accounts, account by account.

use contract::limit::Tag;
use journal::Row;
use limits::{Used, Who};

/// Gathers the rows of each account, which come one after the other, because the journal sorts them.
pub(super) struct Accounts<F: FnMut(&Who, &[Used])> {
    who: Who,
    used: Vec<Used>,
    take: F,
}

impl<F: FnMut(&Who, &[Used])> Accounts<F> {
    /// `take` gets what each account had used.
    pub(super) const fn new(take: F) -> Self {
        Self { who: [0; 16], used: Vec::new(), take }
    }

    pub(super) fn add(&mut self, row: Row, second: u32) {
        if row.who != self.who {
            self.end_account();
            self.who = row.who;
        }
        self.used.push(Used {
            tag: Tag(row.tag),
            window: row.window,
            units: row.units,
            second: second.into(),
        });
    }

    /// There are no more rows.
    pub(super) fn finish(mut self) {
        self.end_account();
    }

    fn end_account(&mut self) {
        if !self.used.is_empty() {
            (self.take)(&self.who, &self.used);
        }
        self.used.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_is_taken_once_with_all_its_rows() {
        let mut taken = Vec::new();
        let mut accounts = Accounts::new(|who, used| {
            taken.push((who[0], used.iter().map(|one| one.units).collect::<Vec<_>>()));
        });
        for (who, units) in [(0, 1), (0, 2), (7, 3), (9, 4), (9, 5)] {
            accounts.add(Row { who: [who; 16], tag: 1, window: 1, units }, 1);
        }
        accounts.finish();
        assert_eq!(taken, [(0, vec![1, 2]), (7, vec![3]), (9, vec![4, 5])]);
        Accounts::new(|_, _| panic!("there was no row")).finish();
    }
}
