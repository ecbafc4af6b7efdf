//! Restores the counters: from disk first, then from shared memory.

use crate::{
    base::Base,
    checkpoint::Fault,
    error::JournalError,
    finding::Finding,
    folder::Folder,
    merge::merge,
    replay::{JournalEnd, Replay},
    ring::DeadRing,
    row::{Dated, Row, short},
    shared::{Identity, MemoryFile},
};

/// The restored state, and what must be written to make it durable.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) store: [u8; 16],
    pub(crate) epoch: crate::replay::Epoch,
    pub(crate) sequence: u64,
    pub(crate) newest: u64,
    pub(crate) rows: u64,
    pub(crate) from_memory: u64,
    /// Charges that were only in shared memory.
    pub(crate) unwritten: Vec<Dated>,
    /// The journal to continue, if it is intact.
    pub(crate) last: Option<JournalEnd>,
    /// The offset of a commit that is complete in memory and partly on disk; it must be truncated.
    pub(crate) cut: Option<u64>,
    pub(crate) damaged_journals: Vec<u64>,
}

impl Recovered {
    /// Reads everything; changes nothing. `boot` is the ID of this boot, `new_store` an ID for a
    /// store that has lost its own.
    pub(crate) fn read(
        folder: &Folder,
        base: &Base,
        files: &[MemoryFile],
        boot: [u8; 16],
        new_store: [u8; 16],
        findings: &mut Vec<Finding>,
        each: &mut dyn FnMut(Row, u32),
    ) -> Result<Self, JournalError> {
        let (mut replay, mut last) = base.replay(folder, base.end)?;
        let partial = last.as_mut().and_then(|last| last.partial.take());
        let damaged_end = last.as_ref().is_none_or(|last| replay.damaged.contains(&last.generation));
        let store = replay.store.unwrap_or(new_store);
        let mut unwritten = Unwritten::default();
        let rings = find_memory(&replay, files, boot, store, findings)?;
        let mut cut = None;
        if let Some(partial) = partial {
            let freed = rings.as_ref().is_some_and(|rings| is_freed(rings, &replay.epoch.positions));
            // Memory still has everything of this commit, unless a later start damaged it.
            if rings.is_some() && !(freed && damaged_end) {
                cut = Some(partial.at);
                replay.sequence = partial.sequence;
            } else {
                replay.apply(partial);
            }
        }
        if let Some(rings) = rings {
            unwritten.take(&rings, &mut replay.epoch.positions, findings);
        }
        replay.newest = replay.newest.max(unwritten.newest);
        for row in &unwritten.rows {
            replay.deltas.push(*row);
        }
        findings.append(&mut replay.findings);
        let (newest, epoch, sequence) = (replay.newest, replay.epoch, replay.sequence);
        let deltas = replay.deltas.sorted();
        let rows = hand_over(folder, base, &deltas, newest, each)?;
        Ok(Self {
            store,
            epoch,
            sequence,
            newest,
            rows,
            from_memory: unwritten.charges,
            unwritten: unwritten.rows,
            last,
            cut,
            damaged_journals: replay.damaged.into_iter().collect(),
        })
    }
}

fn hand_over(
    folder: &Folder,
    base: &Base,
    deltas: &[Dated],
    newest: u64,
    each: &mut dyn FnMut(Row, u32),
) -> Result<u64, JournalError> {
    let mut count = 0;
    // Rows age by the time of the last write, not by the clock: a clock that is set years ahead by
    // mistake must not make the gateway forget.
    let merged = base.rows(folder).and_then(|rows| {
        merge(rows, deltas, newest, |dated| {
            count += 1;
            each(dated.row, dated.second);
            Ok::<(), Fault>(())
        })
    });
    merged.map_err(|fault| unreadable(folder, fault))?;
    Ok(count)
}

/// A checkpoint that was just verified and is unreadable now: the disk cannot be trusted.
pub(crate) fn unreadable(folder: &Folder, fault: Fault) -> JournalError {
    match fault {
        Fault::Error(error) => error,
        Fault::Damaged(sentence) => JournalError::NothingGood {
            folder: folder.path().to_owned(),
            findings: vec![Finding::lost(format!("{sentence} It could be read a moment before."))],
        },
    }
}

/// Whether some charges after these positions were freed.
fn is_freed(rings: &[DeadRing<'_>], positions: &[u64]) -> bool {
    rings.iter().zip(positions).any(|(ring, position)| ring.head > *position)
}

/// The memory of the last start, if it has charges that may not be on disk.
fn find_memory<'m>(
    replay: &Replay<'_>,
    files: &'m [MemoryFile],
    boot: [u8; 16],
    store: [u8; 16],
    findings: &mut Vec<Finding>,
) -> Result<Option<Vec<DeadRing<'m>>>, JournalError> {
    let epoch = &replay.epoch;
    let mut why = "The shared memory of the last start is not there.".to_owned();
    for file in files {
        let path = file.path().display();
        // A newer format is an error even if this memory would not be needed.
        let head = file.head()?;
        if epoch.ended {
            continue;
        }
        let Some((identity, layout)) = head else {
            why = format!("{path} is not the shared memory of the last start: its head is damaged.");
            continue;
        };
        // If the block with the ID is damaged, the number must suffice; that damage is reported anyway.
        let id = epoch.id.unwrap_or(identity.id);
        if identity != (Identity { epoch: epoch.number, boot, store, id }) {
            why = format!(
                "{path} is not the shared memory of the last start: it is of start {}, the disk's last is {}.",
                identity.epoch, epoch.number
            );
            continue;
        }
        let rings = file.rings(layout).filter(|rings| rings.len() == epoch.positions.len());
        match rings {
            Some(rings) => return Ok(Some(rings)),
            None => why = format!("{path} has positions that cannot be true."),
        }
    }
    if epoch.ended {
        return Ok(None);
    }
    if epoch.boot.is_some_and(|then| then != boot) {
        "The machine was started anew.".clone_into(&mut why);
    }
    findings.push(Finding::lost(format!(
        "{why} Charges after the last write to the disk (Unix second {}) are lost, at most those of one interval.",
        replay.newest
    )));
    Ok(None)
}

/// Charges that were only in shared memory.
#[derive(Debug, Default)]
struct Unwritten {
    rows: Vec<Dated>,
    charges: u64,
    newest: u64,
}

impl Unwritten {
    /// Takes the charges after `positions`, and advances those.
    fn take(&mut self, rings: &[DeadRing<'_>], positions: &mut [u64], findings: &mut Vec<Finding>) {
        let (mut held, mut unreadable) = (0, 0_u64);
        for (ring, position) in rings.iter().zip(positions) {
            held += ring.head.saturating_sub(*position);
            for at in ring.head.max(*position)..ring.tail {
                let Some(entry) = ring.read(at) else {
                    unreadable += 1;
                    continue;
                };
                self.charges += 1;
                self.newest = self.newest.max(entry.second);
                let second = short(entry.second);
                self.rows.extend(entry.charge.rows().map(|row| Dated { row, second }));
            }
            *position = ring.tail.max(*position);
        }
        if self.charges > 0 {
            let text = format!("{} charges came back from shared memory.", self.charges);
            findings.push(Finding::harmless(text));
        }
        if held > 0 {
            findings.push(Finding::lost(format!(
                "{held} charges were held in ordinary memory because the disk was full or damaged, and are lost."
            )));
        }
        if unreadable > 0 {
            let text = format!("{unreadable} charges in shared memory cannot be read, and are lost.");
            findings.push(Finding::lost(text));
        }
    }
}
