//! `/metrics`, in the text format of Prometheus.

use crate::{
    cluster_health::{ClusterHealth, Figures},
    lifecycle::Lifecycle,
};
use lease::Standing;
use std::fmt::{self, Display, Write as _};

/// What is written so far.
struct Metrics(String);

/// What kind of figure it is.
#[derive(Clone, Copy)]
enum Kind {
    Gauge,
    /// Never falls while the process runs. Its name ends in `_total`.
    Counter,
}

/// Milliseconds as seconds, the unit of times in Prometheus.
struct Seconds(i64);

/// All metrics of a gateway.
pub(super) fn metrics(lifecycle: &Lifecycle) -> String {
    let mut out = Metrics(String::new());
    let ready = u8::from(lifecycle.is_ready());
    out.one("fairgate_ready", Kind::Gauge, "Whether requests should be sent here.", ready);
    let loads = lifecycle.loads();
    let label = |number: usize| format!("{{thread=\"{number}\"}}");
    let threads = || loads.iter().enumerate();
    let connections = threads().map(|(number, load)| (label(number), load.connections as u64));
    out.some("fairgate_connections", Kind::Gauge, "Connections of clients that are open.", connections);
    let requests = threads().map(|(number, load)| (label(number), load.requests as u64));
    out.some("fairgate_requests_in_flight", Kind::Gauge, "Requests that are not answered yet.", requests);
    let lag = threads().map(|(number, load)| (label(number), load.lag_millis));
    out.some(
        "fairgate_lag_milliseconds",
        Kind::Gauge,
        "How far a data thread is behind with what is due.",
        lag,
    );
    if let Some(figures) = lifecycle.figures() {
        out.cluster(&figures, lifecycle.cluster());
    }
    out.0
}

impl Metrics {
    fn cluster(&mut self, figures: &Figures, health: &ClusterHealth) {
        use Kind::{Counter, Gauge};
        let Figures { view, units, clock_offset } = figures;
        if let Some(records) = health.records() {
            let name = "fairgate_cluster_records_up";
            self.one(
                name,
                Gauge,
                "Whether the records in PostgreSQL can be reached.",
                u8::from(records.why.is_none()),
            );
            let offset = Seconds(health.records_clock_offset());
            let name = "fairgate_cluster_records_clock_offset_seconds";
            self.one(name, Gauge, "How far the clock is ahead of PostgreSQL's.", offset);
        }
        let is_up = u8::from(view.is_ledger_up && view.epoch != 0);
        self.one("fairgate_cluster_ledger_up", Gauge, "Whether the ledger replies.", is_up);
        if let Some(offset) = *clock_offset {
            let name = "fairgate_cluster_ledger_clock_offset_seconds";
            self.one(name, Gauge, "How far the clock is ahead of the ledger's.", Seconds(offset));
        }
        let grants = u8::from(matches!(view.standing, Standing::Member));
        let name = "fairgate_cluster_member";
        self.one(
            name,
            Gauge,
            "Whether the ledger takes this gateway for a member, and grants it units.",
            grants,
        );
        let name = "fairgate_cluster_members";
        self.one(name, Gauge, "Members of the cluster, by the ledger's last reply.", view.members);
        let name = "fairgate_cluster_members_awaited";
        let awaited = health.server().map_or(0, |server| server.awaited.len());
        self.one(
            name,
            Gauge,
            "Members that have not said their totals since the ledger was replaced.",
            awaited,
        );
        self.one("fairgate_cluster_leases", Gauge, "Leases of this gateway.", view.leases);
        let name = "fairgate_cluster_leased_units";
        self.one(name, Gauge, "Units in the leases that are not used.", units);
        let name = "fairgate_cluster_ledger_messages_total";
        self.one(name, Counter, "Messages sent to the ledger.", view.messages);
        let name = "fairgate_cluster_ledger_questions_total";
        self.one(name, Counter, "Questions in the messages sent to the ledger.", view.questions);
        let name = "fairgate_cluster_ledger_replaced_total";
        self.one(name, Counter, "How often the ledger was replaced or lost what it knew.", view.replaced);
        let name = "fairgate_cluster_units_beyond_leases_total";
        let meaning = "Units granted beyond the leases while the ledger could not be reached.";
        self.one(name, Counter, meaning, view.beyond);
    }

    fn one(&mut self, name: &str, kind: Kind, meaning: &str, value: impl Display) {
        self.some(name, kind, meaning, std::iter::once((String::new(), value)));
    }

    fn some(
        &mut self,
        name: &str,
        kind: Kind,
        meaning: &str,
        values: impl Iterator<Item = (String, impl Display)>,
    ) {
        let _ = writeln!(self.0, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

impl Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        })
    }
}

impl Display for Seconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let millis = self.0.unsigned_abs();
        write!(out, "{sign}{}.{:03}", millis / 1000, millis % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_written_as_seconds() {
        let written = [0, 7, -1_250, 61_000].map(|millis| Seconds(millis).to_string());
        assert_eq!(written, ["0.000", "0.007", "-1.250", "61.000"]);
    }

    #[test]
    fn a_gateway_that_is_alone_has_no_metrics_of_a_cluster() {
        let text = metrics(&Lifecycle::default());
        assert!(text.starts_with("# HELP fairgate_ready Whether"), "{text}");
        assert!(text.contains("# TYPE fairgate_ready gauge\nfairgate_ready 0\n"), "{text}");
        assert!(!text.contains("cluster"), "{text}");
    }
}
