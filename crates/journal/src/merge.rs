//! Merges a checkpoint and what was added since to one stream of the rows that still count.

use crate::{
    checkpoint::{Fault, Rows},
    row::{Class, Dated, is_newer},
};
use std::cmp::Ordering;

/// Passes every row that still counts at `now` (a Unix second) to `each`, in the order of a
/// checkpoint. `deltas` are sorted and aggregated. Memory: the windows of one counter.
pub(crate) fn merge<E: From<Fault>>(
    mut base: Option<Rows>,
    deltas: &[Dated],
    now: u64,
    mut each: impl FnMut(&Dated) -> Result<(), E>,
) -> Result<(), E> {
    let mut next_base = || -> Result<Option<Dated>, E> {
        match &mut base {
            Some(rows) => Ok(rows.next_row()?),
            None => Ok(None),
        }
    };
    let mut deltas = deltas.iter().copied();
    let (mut left, mut right) = (next_base()?, deltas.next());
    let mut windows: Vec<Dated> = Vec::new();
    loop {
        let smaller = match (&left, &right) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => left.order(right),
        };
        let mut row = None;
        if smaller.is_le() {
            row = left;
            left = next_base()?;
        }
        if smaller.is_ge() {
            row = match (row, right) {
                (Some(mut sum), Some(added)) => {
                    sum.add(&added);
                    Some(sum)
                }
                (_, added) => added,
            };
            right = deltas.next();
        }
        let Some(row) = row else { break };
        if windows.first().is_some_and(|first| !first.same_counter(&row)) {
            hand_over(&windows, now, &mut each)?;
            windows.clear();
        }
        windows.push(row);
    }
    hand_over(&windows, now, &mut each)
}

/// Passes on those windows of one counter that still count.
fn hand_over<E>(
    windows: &[Dated],
    now: u64,
    each: &mut impl FnMut(&Dated) -> Result<(), E>,
) -> Result<(), E> {
    let Some(first) = windows.first() else { return Ok(()) };
    let class = Class::of(first.row.tag);
    let newest = windows
        .iter()
        .map(|dated| dated.row.window)
        .fold(first.row.window, |newest, window| if is_newer(window, newest) { window } else { newest });
    for dated in windows {
        if class.keeps(dated.row.window, newest) && !class.is_over(u64::from(dated.second), now) {
            each(dated)?;
        }
    }
    Ok(())
}
