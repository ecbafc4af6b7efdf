//! Usage for programs: JSON and CSV (RFC 4180). Both are stable: members and columns may be added.

use super::{NONE, report::Report};
use crate::{failure::Failure, output, times::rfc3339};
use serde_json::{Map, Value, json};
use std::io::Write;
use store::Whose;
use usage::{Grain, Tally};

/// Writes one JSON object. Steps without requests are there, with zeros.
pub(super) fn json(out: &mut impl Write, report: &Report) -> Result<(), Failure> {
    let steps = report.steps().map(|(bucket, tally)| with(span(report.grain, bucket), &tally));
    let endpoints = report.endpoints.iter().map(|(name, tally)| {
        let mut endpoint = Map::new();
        endpoint.insert("endpoint".into(), json!(name));
        with(endpoint, tally)
    });
    let key = match &report.subject.whose {
        Whose::Everyone => Value::Null,
        Whose::Nobody => json!(NONE),
        Whose::Key(id) => json!(id),
    };
    let endpoint = report.subject.endpoint.as_ref().map(|name| name.as_deref().unwrap_or(NONE));
    let value = json!({
        "key": key,
        "endpoint": endpoint,
        "since": rfc3339(report.since()),
        "until": rfc3339(report.until()),
        "by": report.grain.name(),
        "total": with(Map::new(), &report.total),
        "steps": steps.collect::<Vec<_>>(),
        "endpoints": endpoints.collect::<Vec<_>>(),
    });
    output::json_value(out, &value)
}

fn span(grain: Grain, bucket: u32) -> Map<String, Value> {
    let mut span = Map::new();
    span.insert("since".into(), json!(rfc3339(grain.start(bucket))));
    span.insert("until".into(), json!(rfc3339(grain.end(bucket))));
    span
}

/// The figures of a tally after the members of `object`.
fn with(mut object: Map<String, Value>, tally: &Tally) -> Value {
    let latency = tally.latency();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("requests", json!(tally.requests()));
    put("errors", json!(tally.errors()));
    put("charged", json!(tally.charged()));
    put("bytes_in", json!(tally.bytes_in()));
    put("bytes_out", json!(tally.bytes_out()));
    let figure = |micros: Option<u64>| micros.map(millis);
    put(
        "latency_ms",
        json!({
            "mean": figure(latency.mean()),
            "p50": figure(latency.per_mille(500)),
            "p95": figure(latency.per_mille(950)),
            "p99": figure(latency.per_mille(990)),
            "max": figure(latency.max()),
        }),
    );
    let codes: Map<String, Value> =
        tally.codes().map(|(code, count)| (code.to_owned(), json!(count))).collect();
    put("errors_by_code", Value::Object(codes));
    Value::Object(object)
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

const COLUMNS: [&str; 14] = [
    "since",
    "until",
    "endpoint",
    "requests",
    "errors",
    "charged",
    "bytes_in",
    "bytes_out",
    "latency_mean_ms",
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "latency_max_ms",
    "errors_by_code",
];

/// Writes a line for each step and endpoint. A step without requests has one line without an endpoint.
pub(super) fn csv(out: &mut impl Write, report: &Report) -> Result<(), Failure> {
    let mut lines = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    lines.write_record(COLUMNS).map_err(failure)?;
    for bucket in report.buckets.clone() {
        let mut endpoints = report.endpoints_of(bucket).peekable();
        if endpoints.peek().is_none() {
            lines.write_record(record(report.grain, bucket, "", &Tally::default())).map_err(failure)?;
        }
        for (endpoint, tally) in endpoints {
            let endpoint = endpoint.unwrap_or(NONE);
            lines.write_record(record(report.grain, bucket, endpoint, tally)).map_err(failure)?;
        }
    }
    lines.flush()?;
    Ok(())
}

fn record(grain: Grain, bucket: u32, endpoint: &str, tally: &Tally) -> [String; 14] {
    let latency = tally.latency();
    let figure = |micros: Option<u64>| micros.map_or_else(String::new, |micros| millis(micros).to_string());
    let codes: Vec<String> = tally.codes().map(|(code, count)| format!("{code}:{count}")).collect();
    [
        rfc3339(grain.start(bucket)),
        rfc3339(grain.end(bucket)),
        endpoint.to_owned(),
        tally.requests().to_string(),
        tally.errors().to_string(),
        tally.charged().to_string(),
        tally.bytes_in().to_string(),
        tally.bytes_out().to_string(),
        figure(latency.mean()),
        figure(latency.per_mille(500)),
        figure(latency.per_mille(950)),
        figure(latency.per_mille(990)),
        figure(latency.max()),
        codes.join(" "),
    ]
}

/// A fault of writing, as for standard output: a reader that has closed it is not one.
fn failure(error: csv::Error) -> Failure {
    let text = error.to_string();
    if let csv::ErrorKind::Io(error) = error.into_kind() { Failure::from(error) } else { Failure::new(text) }
}
