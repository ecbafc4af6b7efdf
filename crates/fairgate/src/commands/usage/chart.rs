//! A small chart over time, of Unicode blocks: one column or more for each step, gaps where there was nothing.

use super::figures;
use crate::times;
use std::ops::Range;
use usage::Grain;

/// Lines that the tallest bar takes.
const HEIGHT: u64 = 7;
/// Eighths of a line.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Columns between the beginnings of two times below the axis.
const LABEL_ROOM: u64 = 9;
/// Columns of a bar at most, the gap behind it included.
const WIDEST_BAR: usize = 4;

/// What is drawn.
pub(super) struct Chart<'c> {
    pub(super) grain: Grain,
    pub(super) buckets: Range<u32>,
    /// Requests of each step.
    pub(super) requests: &'c [u64],
    /// Errors of each step.
    pub(super) errors: &'c [u64],
    /// Columns that there are.
    pub(super) width: usize,
    pub(super) colour: bool,
}

/// How steps are laid out in columns.
struct Layout {
    /// Steps that share a column.
    steps: usize,
    /// Columns of each bar, without the gap behind it.
    bar: usize,
    /// Columns from one bar to the next.
    pitch: usize,
}

impl Chart<'_> {
    /// The lines of the chart, the axis and its times included.
    pub(super) fn lines(&self) -> Vec<String> {
        // The first guess of the margin is that of the largest sum that a column may have.
        let largest = figures::count(self.requests.iter().sum()).len().max("errors".len());
        let layout = self.layout(self.width.saturating_sub(largest + 2));
        let requests = columns(self.requests, layout.steps);
        let errors = columns(self.errors, layout.steps);
        let top = requests.iter().copied().max().unwrap_or(0);
        let margin = figures::count(top).len().max("errors".len());
        let mut lines = Vec::new();
        for line in (0..HEIGHT).rev() {
            let label = if line + 1 == HEIGHT { figures::count(top) } else { String::new() };
            let bars = layout.bars(requests.iter().map(|count| level(*count, top, HEIGHT * 8, line)));
            let edge = if line + 1 == HEIGHT { '┤' } else { '│' };
            lines.push(format!("{label:>margin$} {edge}{}", self.painted(&bars, "36")));
        }
        let axis = "─".repeat(requests.len() * layout.pitch);
        lines.push(format!("{:>margin$} ┼{axis}", "0"));
        lines.push(
            format!("{:margin$}  {}", "", self.times(&layout, self.width.saturating_sub(margin + 2)))
                .trim_end()
                .to_owned(),
        );
        let most = errors.iter().copied().max().unwrap_or(0);
        if most > 0 {
            let bars = layout.bars(errors.iter().map(|count| level(*count, most, 8, 0)));
            let maximum = figures::count(most);
            lines.push(format!("{:>margin$} │{}", "errors", self.painted(&bars, "31")));
            lines.push(format!("{:margin$}  at most {maximum} {}", "", self.of_a_column(layout.steps)));
        } else if layout.steps > 1 {
            lines.push(format!("{:margin$}  a column is {} {}s", "", layout.steps, self.grain.name()));
        }
        lines
    }

    /// The meaning of a column.
    fn of_a_column(&self, steps: usize) -> String {
        let name = self.grain.name();
        if steps == 1 {
            format!("in a {name}").replace("a hour", "an hour")
        } else {
            format!("in {steps} {name}s")
        }
    }

    /// As wide as there is room, but no bar wider than it looks well.
    fn layout(&self, room: usize) -> Layout {
        let (room, count) = (room.max(8), self.requests.len().max(1));
        let steps = count.div_ceil(room);
        let pitch = (room / count.div_ceil(steps)).clamp(1, WIDEST_BAR);
        // Narrow bars are close to each other, or half of the room would be gaps.
        let bar = if pitch > 2 { pitch - 1 } else { pitch };
        Layout { steps, bar, pitch }
    }

    fn painted(&self, bars: &str, colour: &str) -> String {
        let bars = bars.trim_end();
        if self.colour && !bars.is_empty() {
            format!("\u{1b}[{colour}m{bars}\u{1b}[0m")
        } else {
            bars.to_owned()
        }
    }

    /// The times below the axis, at round ones.
    fn times(&self, layout: &Layout, room: usize) -> String {
        let columns_of = |steps: u64| steps * layout.pitch as u64 / layout.steps as u64;
        let ladder = ladder(self.grain);
        let every = ladder.iter().copied().find(|steps| columns_of(*steps) >= LABEL_ROOM);
        let every = every.or(ladder.last().copied()).unwrap_or(1);
        let mut line = String::new();
        for bucket in self.buckets.clone().filter(|bucket| u64::from(*bucket).is_multiple_of(every)) {
            let step = bucket.abs_diff(self.buckets.start) as usize;
            let column = step / layout.steps * layout.pitch;
            let label = label(self.grain, bucket);
            let used = line.chars().count();
            // A time that does not fit behind the one before, or before the edge, is left out.
            if column < used || column + label.len() > room {
                continue;
            }
            line.push_str(&" ".repeat(column - used));
            line.push_str(&label);
            line.push(' ');
        }
        line
    }
}

impl Layout {
    fn bars(&self, levels: impl Iterator<Item = usize>) -> String {
        let mut bars = String::new();
        for level in levels {
            let block = BLOCKS.get(level).copied().unwrap_or(' ');
            (0..self.pitch).for_each(|column| bars.push(if column < self.bar { block } else { ' ' }));
        }
        bars
    }
}

/// The sums of every so many values.
fn columns(values: &[u64], steps: usize) -> Vec<u64> {
    values.chunks(steps.max(1)).map(|values| values.iter().sum()).collect()
}

/// Eighths of this line that a bar fills. What is there is seen: the lowest line has at least one.
fn level(value: u64, top: u64, eighths: u64, line: u64) -> usize {
    let filled = (u128::from(value) * u128::from(eighths)).checked_div(u128::from(top)).unwrap_or(0);
    let filled = if value > 0 { filled.max(1) } else { 0 };
    filled.saturating_sub(u128::from(line) * 8).min(8) as usize
}

/// Round numbers of steps.
const fn ladder(grain: Grain) -> &'static [u64] {
    match grain {
        Grain::Minute => &[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14_400],
        Grain::Hour => &[1, 2, 3, 6, 12, 24, 48, 120, 240, 480, 1200],
        Grain::Day => &[1, 2, 5, 10, 20, 50, 100, 200, 400, 1000],
    }
}

/// `14:05`, or at midnight and for days `11-23`.
fn label(grain: Grain, bucket: u32) -> String {
    let start = grain.start(bucket);
    let full = times::short(start);
    let (date, clock) = full.split_once(' ').unwrap_or((&full, ""));
    let is_midnight = start.is_multiple_of(Grain::Day.seconds());
    let text = if is_midnight { date.get(5..).unwrap_or(date) } else { clock };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The hour in which 2026-11-23 begins.
    const BEGIN: u32 = 20_780 * 24;

    fn chart(requests: &[u64], errors: &[u64], width: usize) -> Vec<String> {
        let buckets = BEGIN..BEGIN + requests.len() as u32;
        Chart { grain: Grain::Hour, buckets, requests, errors, width, colour: false }.lines()
    }

    #[test]
    fn steps_without_requests_are_gaps() {
        let drawn = chart(&[8, 0, 4, 0, 0, 1], &[0, 0, 0, 0, 0, 1], 40);
        assert_eq!(
            drawn,
            [
                "     8 ┤███",
                "       │███",
                "       │███",
                "       │███     ▄▄▄",
                "       │███     ███",
                "       │███     ███",
                "       │███     ███         ▇▇▇",
                "     0 ┼────────────────────────",
                "        11-23       03:00",
                "errors │                    ███",
                "        at most 1 in an hour",
            ]
        );
    }

    #[test]
    fn one_request_beside_a_million_is_seen() {
        let drawn = chart(&[1_000_000, 1], &[0, 0], 40);
        assert_eq!(drawn[6], "          │███ ▁▁▁");
    }

    #[test]
    fn nothing_at_all_is_an_empty_chart() {
        let drawn = chart(&[0; 30], &[0; 30], 80);
        assert!(drawn.iter().all(|line| !line.contains(&BLOCKS[1..])), "{drawn:#?}");
    }

    proptest! {
        #[test]
        fn a_chart_never_is_wider_than_there_is_room(
            steps in prop::collection::vec((0..u64::from(u32::MAX), 0..9_u64), 1..600),
            width in 40..200_usize,
        ) {
            let (requests, errors): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
            for line in chart(&requests, &errors, width) {
                prop_assert!(line.chars().count() <= width, "{line:?} at {width}");
            }
        }
    }
}
