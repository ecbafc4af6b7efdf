//! `fairgate usage`: what was used, as a page for people, CSV or JSON.

mod chart;
mod figures;
mod files;
mod report;
mod screen;

use super::{Out, reach::Reach};
use crate::{
    cli::{By, Usage},
    failure::Failure,
};
use control::{ShowUsage, system_clock};
use report::{Report, Subject};
use std::{ops::Range, process::ExitCode};
use store::{UsageQuery, Whose};
use usage::{Grain, Retention};

/// Steps that are shown at most: more than 30 days of minutes.
const MAX_STEPS: u64 = 50_000;
/// What is typed for requests without a key, and for those to no endpoint.
const NONE: &str = "none";

pub(super) fn run(wanted: Usage, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let now = system_clock();
    let settings = reach.config().map(|config| config.node.store.usage).unwrap_or_default();
    let (grain, buckets) = steps(&wanted, settings.keep, now)?;
    let whose = match wanted.key.as_deref() {
        None => Whose::Everyone,
        Some(NONE) => Whose::Nobody,
        Some(id) if contract::key::is_well_formed(id.as_bytes()) => {
            return Err(Failure::usage("this is a key, not its id: `fairgate keys list` shows the ids"));
        }
        Some(id) => Whose::Key(id.to_owned()),
    };
    let endpoint = wanted.endpoint.map(|name| (name != NONE).then_some(name));
    let subject = Subject { whose: whose.clone(), endpoint };
    let mut report = Report::new(subject, grain, buckets.clone());
    let mut next = Some(buckets.start);
    while let Some(start) = next {
        let query = UsageQuery { whose: whose.clone(), grain, buckets: start..buckets.end };
        let page = reach.execute(ShowUsage(query))?;
        report.add(page.rows);
        // The pages must advance, or this would never end.
        next = page.next.filter(|next| *next > start);
    }
    if wanted.csv {
        files::csv(out, &report)?;
    } else if wanted.json.json {
        files::json(out, &report)?;
    } else {
        screen::print(out, &report, settings, now)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How long a step is, and which steps are shown.
fn steps(wanted: &Usage, keep: Retention, now: u64) -> Result<(Grain, Range<u32>), Failure> {
    let since = wanted.since.seconds_back(now);
    let until = wanted.until.map_or(now, |until| until.seconds_back(now));
    if since > now {
        return Err(Failure::usage("--since is in the future"));
    }
    if until <= since && wanted.until.is_some() {
        return Err(Failure::usage("--until must be after --since"));
    }
    // What has not come yet is not nothing: it is not shown.
    let until = until.min(now + 1);
    let grain = match wanted.by {
        Some(By::Minute) => Grain::Minute,
        Some(By::Hour) => Grain::Hour,
        Some(By::Day) => Grain::Day,
        None => fitting(until.saturating_sub(since), now - since, keep),
    };
    let buckets = grain.buckets(since..until);
    let count = buckets.len() as u64;
    if count > MAX_STEPS {
        return Err(Failure::usage(format!(
            "that is {count} {}s, and at most {MAX_STEPS} can be shown: choose a later --since or longer steps with --by",
            grain.name()
        )));
    }
    Ok((grain, buckets))
}

/// Steps that make a chart neither empty nor crowded, of what is still kept.
fn fitting(span: u64, age: u64, keep: Retention) -> Grain {
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;
    if span <= 3 * HOUR && age <= keep.of(Grain::Minute) {
        Grain::Minute
    } else if span <= 4 * DAY && age <= keep.of(Grain::Hour) {
        Grain::Hour
    } else {
        Grain::Day
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    const NOW: u64 = 1_795_399_200 + 61;
    const KEEP: Retention = Retention { minutes: 172_800, hours: 5_184_000, days: 69_120_000 };

    fn steps_of(arguments: &[&str]) -> Result<(Grain, u64, u64), Failure> {
        let Command::Usage(wanted) = Cli::parse_from([&["fairgate", "usage"], arguments].concat()).command
        else {
            panic!("another command");
        };
        let (grain, buckets) = steps(&wanted, KEEP, NOW)?;
        Ok((grain, grain.start(buckets.start), grain.start(buckets.end)))
    }

    #[test]
    fn spans_become_whole_steps() {
        for (arguments, grain, since, until) in [
            (&[][..], Grain::Hour, 1_795_312_800, 1_795_402_800),
            (&["--since", "2m"], Grain::Minute, 1_795_399_140, 1_795_399_320),
            (&["--since", "2026-11-01", "--until", "2026-11-03"], Grain::Hour, 1_793_491_200, 1_793_664_000),
            (&["--since", "2026-11-01"], Grain::Day, 1_793_491_200, 1_795_478_400),
            (&["--since", "2d", "--by", "day"], Grain::Day, 1_795_219_200, 1_795_478_400),
            (&["--since", "2h", "--until", "1h"], Grain::Minute, 1_795_392_060, 1_795_395_720),
            (&["--since", "90d", "--until", "89d"], Grain::Day, 1_787_616_000, 1_787_788_800),
            (&["--since", "1h", "--until", "2030-01-01"], Grain::Minute, 1_795_395_660, 1_795_399_320),
        ] {
            assert_eq!(steps_of(arguments).unwrap(), (grain, since, until), "{arguments:?}");
        }
    }

    #[test]
    fn spans_that_are_none_are_refused() {
        for arguments in [
            &["--since", "2030-01-01"][..],
            &["--since", "1h", "--until", "2h"],
            &["--since", "1h", "--until", "1h"],
            &["--since", "2000-01-01", "--by", "minute"],
        ] {
            assert!(steps_of(arguments).is_err(), "{arguments:?}");
        }
    }
}
