//! The bench for each fault: a gateway whose upstream is well-behaved except on `/bad`.

use crate::support::{
    Answer, Config, Exchange, Gateway, Key, Next, Upstream, assert_error, get, sample::sample,
};

pub(crate) struct Bench {
    pub(crate) gateway: Gateway,
    /// Lives as long as the bench.
    _upstream: Upstream,
    pub(crate) key: Key,
}

impl Bench {
    pub(crate) fn new(bad: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static) -> Self {
        Self::with("", bad)
    }

    /// With more tables in the configuration.
    pub(crate) fn with(
        tables: &str,
        bad: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static,
    ) -> Self {
        let upstream = Upstream::scripted(move |exchange| {
            if exchange.target().starts_with("/bad") { bad(exchange) } else { sample(exchange) }
        });
        let gateway = Gateway::start(&Config::of(&upstream).section(tables));
        let key = gateway.key();
        Self { gateway, _upstream: upstream, key }
    }

    /// The fault gives the clean 500 of the contract: free, recorded, and without effect on the next request.
    #[track_caller]
    pub(crate) fn assert_500(&self, name: &str, target: &str) -> Answer {
        let before = self.gateway.limits(&self.key);
        let mut connection = self.gateway.connect();
        let answer = connection.send(&get(target).key(&self.key));
        assert_eq!(answer.status, 500, "{name}: {answer:?} {}", answer.text());
        assert_error(&self.gateway, &answer, 500, "UNEXPECTED_ERROR");
        self.assert_free(name, &before);
        let id = answer.header("X-Request-Id").unwrap();
        let incident = self.gateway.incident(id).to_string();
        assert!(incident.contains(id) && incident.contains(&self.key.id), "{name}: {incident}");
        let next = connection.send(&get("/items/7").key(&self.key));
        assert_eq!(next.status, 200, "{name}: the request after it: {}", next.text());
        answer
    }

    #[track_caller]
    pub(crate) fn assert_free(&self, name: &str, before: &crate::support::limits::Limits) {
        // A broken stream is settled when it ends, which may be a moment after the client noticed.
        self.gateway.limits(&self.key).assert_charged_since(before, 0, name);
    }
}

/// Tries each row of a table of (name, bytes): what the upstream sends before it closes or stays.
pub(crate) fn try_each_500(rows: Vec<(&'static str, Vec<u8>)>, next: Next) {
    let responses: Vec<Vec<u8>> = rows.iter().map(|(_, bytes)| bytes.clone()).collect();
    let bench = Bench::new(move |exchange| {
        let row: usize = exchange.target().trim_start_matches("/bad/").parse().unwrap();
        exchange.send_raw(&responses[row], next)
    });
    let mut failed = Vec::new();
    for (row, (name, _)) in rows.iter().enumerate() {
        let deed = std::panic::AssertUnwindSafe(|| bench.assert_500(name, &format!("/bad/{row}")));
        if std::panic::catch_unwind(deed).is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "{} rows failed: {failed:#?}", failed.len());
}
