//! The sums over all rounds, and the table of them.

use crate::{
    clients::Seen,
    deeds::{Deed, SUCCESSES},
    ledger::Verdict,
};
use std::{collections::BTreeMap, fmt};

#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) seed: u64,
    pub(crate) kills: u64,
    /// Kills right after the last byte of a success.
    pub(crate) aimed: u64,
    pub(crate) seen: Seen,
    /// Successes that the upstream sent to their last byte.
    pub(crate) sent: u64,
    /// Charges that came back from shared memory, by the log.
    pub(crate) restored: u64,
    pub(crate) verdict: Verdict,
}

impl Totals {
    #[track_caller]
    pub(crate) fn assert_exact(&self) {
        assert_eq!(self.seen.odd, Vec::<String>::new(), "{self}");
        assert!(self.verdict.is_clean(), "{self}");
    }

    /// A run that saw nothing proves nothing.
    #[track_caller]
    pub(crate) fn assert_busy(&self) {
        let seen = &self.seen;
        let received: u64 = SUCCESSES.iter().filter_map(|deed| seen.received.get(deed)).sum();
        assert!(received > 50 * self.kills, "too few successes to prove anything:\n{self}");
        assert!(self.verdict.compared > 0 && self.restored > 0, "nothing was proven:\n{self}");
        assert!(seen.cut_by_kill + seen.unanswered > 0, "no kill met a request:\n{self}");
        assert!(seen.denied > 0, "no limit was reached:\n{self}");
        assert!(self.sent >= received, "clients got more than was sent:\n{self}");
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = &self.seen;
        let mut row = |name: &str, value: u64| writeln!(f, "  {name:<46}{value:>10}");
        row("kills", self.kills)?;
        row("    right after the last byte of a success", self.aimed)?;
        row("requests", seen.requests)?;
        row("successes that the upstream sent whole", self.sent)?;
        let sum = |counts: &BTreeMap<Deed, u64>| counts.values().sum::<u64>();
        row("successes that clients received whole", sum(&seen.received))?;
        for (deed, count) in &seen.received {
            row(&format!("    {}", deed.name()), *count)?;
        }
        row("faults", sum(&seen.faults))?;
        for (deed, count) in &seen.faults {
            row(&format!("    {}", deed.name()), *count)?;
        }
        row("denied (429)", seen.denied)?;
        row("errors in place of a success", seen.errors)?;
        row("cut short by a kill", seen.cut_by_kill)?;
        row("not answered for a kill", seen.unanswered)?;
        row("successes that the client left", seen.left)?;
        row("    of these not known to be settled", seen.unknown)?;
        row("units charged", seen.units)?;
        row("charges that came back from shared memory", self.restored)?;
        row("units of counters that power cuts took", self.verdict.lost)?;
        row("counters compared", self.verdict.compared)?;
        row("windows that ended meanwhile", self.verdict.windows_ended)?;
        row("OVER-ADMITTED", self.verdict.over_admitted)?;
        row("ERRORS CHARGED", self.verdict.errors_charged)?;
        row("SUCCESSES FORGOTTEN", self.verdict.successes_forgotten)?;
        writeln!(f, "  seed {} (FAIRGATE_CRASH_SEED)", self.seed)
    }
}
