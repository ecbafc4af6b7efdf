//! Usage for people: a line with the selection and the span, totals, a chart, tables.

use super::{chart::Chart, figures, report::Report};
use crate::{
    failure::{Failure, wants_colour},
    output,
    times::{roughly, short},
};
use config::UsageSettings;
use std::io::{self, Write};
use store::Whose;
use usage::{Grain, Tally};

/// The default number of columns.
const PLAIN_WIDTH: usize = 80;
/// Wider than this a chart is not easier to read.
const WIDEST: usize = 160;
const NARROWEST: usize = 40;
/// Endpoints in the table. CSV and JSON have all of them.
const MAX_ENDPOINTS: usize = 25;

/// Prints the page.
pub(super) fn print(
    out: &mut impl Write,
    report: &Report,
    settings: UsageSettings,
    now: u64,
) -> Result<(), Failure> {
    let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    let width = width.unwrap_or(PLAIN_WIDTH).clamp(NARROWEST, WIDEST);
    let colour = wants_colour(&io::stdout());
    writeln!(out, "{}\n", header(report, now))?;
    if report.total.is_empty() {
        writeln!(out, "There were no requests.")?;
        if let Some(Some(endpoint)) = &report.subject.endpoint {
            writeln!(
                out,
                "An endpoint is named as the report without `--endpoint` names it: `GET /items/{{id}}`, not `{}`, if that \
                 is one of its paths.",
                output::plain(endpoint)
            )?;
        }
    } else {
        totals(out, &report.total)?;
        writeln!(out)?;
        chart(out, report, width, colour)?;
        writeln!(out)?;
        endpoints(out, report)?;
        codes(out, &report.total)?;
    }
    notes(out, report, settings, now)
}

fn header(report: &Report, now: u64) -> String {
    let who = match &report.subject.whose {
        Whose::Everyone => "all requests".to_owned(),
        Whose::Nobody => "requests without a key".to_owned(),
        Whose::Key(id) => output::plain(id),
    };
    let place = match &report.subject.endpoint {
        None => String::new(),
        Some(None) => " to no endpoint".to_owned(),
        Some(Some(name)) => format!(" to {}", output::plain(name)),
    };
    let until = if report.until() > now { "now".to_owned() } else { short(report.until()) };
    format!("Usage: {who}{place}, {} to {until} (UTC), by {}", short(report.since()), report.grain.name())
}

fn totals(out: &mut impl Write, total: &Tally) -> Result<(), Failure> {
    let latency = total.latency();
    let figure = |micros: Option<u64>| micros.map_or_else(|| "-".to_owned(), figures::duration);
    let errors =
        format!("{} ({})", figures::count(total.errors()), figures::share(total.errors(), total.requests()));
    output::pairs(
        out,
        &[
            ("requests", figures::count(total.requests())),
            ("errors", if total.errors() == 0 { "none".to_owned() } else { errors }),
            (
                "charged",
                format!(
                    "{} unit{}",
                    figures::count(total.charged()),
                    if total.charged() == 1 { "" } else { "s" }
                ),
            ),
            (
                "bytes",
                format!(
                    "{} received, {} sent",
                    figures::bytes(total.bytes_in()),
                    figures::bytes(total.bytes_out())
                ),
            ),
            (
                "latency",
                format!(
                    "p50 {}, p95 {}, p99 {}, max {}",
                    figure(latency.per_mille(500)),
                    figure(latency.per_mille(950)),
                    figure(latency.per_mille(990)),
                    figure(latency.max())
                ),
            ),
        ],
    )
}

fn chart(out: &mut impl Write, report: &Report, width: usize, colour: bool) -> Result<(), Failure> {
    let (requests, errors): (Vec<u64>, Vec<u64>) =
        report.steps().map(|(_, tally)| (tally.requests(), tally.errors())).unzip();
    let chart = Chart {
        grain: report.grain,
        buckets: report.buckets.clone(),
        requests: &requests,
        errors: &errors,
        width,
        colour,
    };
    for line in chart.lines() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn endpoints(out: &mut impl Write, report: &Report) -> Result<(), Failure> {
    let mut endpoints: Vec<_> = report.endpoints.iter().collect();
    endpoints.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.requests()));
    let figure = |micros: Option<u64>| micros.map_or_else(|| "-".to_owned(), figures::duration);
    let rows = endpoints.iter().take(MAX_ENDPOINTS).map(|(name, tally)| {
        vec![
            name.as_deref().unwrap_or("no endpoint").to_owned(),
            figures::count(tally.requests()),
            figures::count(tally.errors()),
            figures::count(tally.charged()),
            figures::bytes(tally.bytes_out()),
            figure(tally.latency().per_mille(500)),
            figure(tally.latency().per_mille(950)),
            figure(tally.latency().max()),
        ]
    });
    let head = ["ENDPOINT", "REQUESTS", "ERRORS", "CHARGED", "SENT", "P50", "P95", "MAX"];
    output::figures(out, &head, rows.collect())?;
    let hidden = endpoints.len().saturating_sub(MAX_ENDPOINTS);
    if hidden > 0 {
        writeln!(out, "\n{hidden} more endpoints are not shown: `--csv` and `--json` have all.")?;
    }
    Ok(())
}

fn codes(out: &mut impl Write, total: &Tally) -> Result<(), Failure> {
    let mut codes: Vec<_> = total.codes().collect();
    if codes.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rows = codes.iter().map(|(code, count)| {
        vec![(*code).to_owned(), figures::count(*count), figures::share(*count, total.requests())]
    });
    output::figures(out, &["ERROR", "REQUESTS", "SHARE"], rows.collect())
}

/// What a reader could take for something else.
fn notes(out: &mut impl Write, report: &Report, settings: UsageSettings, now: u64) -> Result<(), Failure> {
    let kept = settings.keep.of(report.grain);
    if report.since() < now.saturating_sub(kept) {
        let longer = match report.grain {
            Grain::Minute => "; `--by hour` reaches further back",
            Grain::Hour => "; `--by day` reaches further back",
            Grain::Day => "",
        };
        let (name, kept) = (report.grain.name(), roughly(kept));
        writeln!(out, "\nUsage by {name} is kept for {kept}; earlier requests are not shown{longer}.")?;
    }
    if !settings.enabled {
        writeln!(out, "\nUsage is not recorded: the configuration has `[usage] enabled = false`.")?;
    }
    Ok(())
}
