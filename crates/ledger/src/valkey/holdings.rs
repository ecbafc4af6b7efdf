//! What all nodes hold: every counter is read, some at a time, while the server goes on with others.

use super::{
    Keys,
    keeper::Primary,
    resp::{Command, Value},
    session::ask,
};
use crate::{
    Bucket, Holding, Holdings, LedgerError,
    encoding::{FOREVER, read_counter},
    is_rate,
};
use lease::{CounterId, Millis, NodeId, Sequence};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};
use tokio::task::JoinSet;

/// Keys that the server looks at for one step of a scan.
const STEP: &str = "500";
/// Counters that are asked for before an answer has come. The connection queues no more than twice as many.
const TOGETHER: usize = 100;

/// Since which of its messages each member's grants count.
type Since = HashMap<NodeId, Sequence>;

/// What reading a counter takes.
struct View {
    now: Millis,
    since: Since,
    epoch: u64,
    lost_at: Millis,
    /// The length of what all names of counters begin with.
    prefix: usize,
}

/// Of all counters, what still counts.
pub(super) async fn all(keys: &Keys, primary: &Arc<Primary>) -> Result<Holdings, LedgerError> {
    let (epoch, lost_at) = ledger(keys, primary).await?;
    let (since, now) = (members(keys, primary).await?, clock(primary).await?);
    let view = Arc::new(View { now, since, epoch, lost_at, prefix: keys.counter.len() });
    let (mut found, mut seen) = (Holdings::default(), HashSet::new());
    let mut cursor = "0".to_owned();
    loop {
        let scan = Command::words(&["SCAN", &cursor, "MATCH", &pattern(&keys.counter), "COUNT", STEP]);
        let answer = ask(&primary.connection, &primary.server, scan).await?;
        let (next, names) = step(answer).ok_or_else(|| unexpected(primary))?;
        // A scan may name a key twice.
        let names: Vec<Vec<u8>> = names.into_iter().filter(|name| seen.insert(name.clone())).collect();
        for some in names.chunks(TOGETHER) {
            let mut asked = JoinSet::new();
            for name in some {
                asked.spawn(counter(name.clone(), Arc::clone(primary), Arc::clone(&view)));
            }
            while let Some(one) = asked.join_next().await {
                // A task that panicked is a defect; what it should have read must not be missing in silence.
                let one = one.map_err(|_| unexpected(primary))??;
                found.slices.extend(one.slices);
                found.buckets.extend(one.buckets);
            }
        }
        if next == "0" {
            return Ok(found);
        }
        cursor = next;
    }
}

async fn counter(name: Vec<u8>, primary: Arc<Primary>, view: Arc<View>) -> Result<Holdings, LedgerError> {
    let fields = fields(&primary, &name).await?;
    let counter = name.get(view.prefix..).and_then(read_counter).ok_or_else(|| unexpected(&primary))?;
    if is_rate(&counter) {
        // It may have been forgotten since it was named.
        let kept = fields.iter().find(|(field, _)| field.as_slice() == b"b");
        let bucket = kept.map(|(_, value)| bucket(counter, value, &view).ok_or_else(|| unexpected(&primary)));
        return Ok(Holdings { slices: Vec::new(), buckets: bucket.transpose()?.into_iter().collect() });
    }
    let mut slices: BTreeMap<u64, Holding> = BTreeMap::new();
    for (field, value) in fields.iter().filter(|(field, _)| field.as_slice() != b"b") {
        let row = Row::read(field, value).ok_or_else(|| unexpected(&primary))?;
        let is_void = view.since.get(&row.node).is_some_and(|since| row.sequence < *since);
        if row.expires <= view.now || is_void || row.granted == 0 {
            continue;
        }
        let none = Holding { counter, slice: row.slice, granted: 0, expires: None };
        let holding = slices.entry(row.slice).or_insert(none);
        holding.granted = holding.granted.saturating_add(row.granted);
        holding.expires = holding.expires.max((row.expires < FOREVER).then_some(row.expires));
    }
    Ok(Holdings { slices: slices.into_values().collect(), buckets: Vec::new() })
}

/// The bucket of a rate, which is empty where an epoch has begun since.
fn bucket(counter: CounterId, mut value: &[u8], view: &View) -> Option<Bucket> {
    let [_forgotten, level, at, epoch] =
        [number(&mut value)?, number(&mut value)?, number(&mut value)?, number(&mut value)?];
    let is_of_now = at > 0 && epoch == view.epoch;
    let (level, at) = if is_of_now { (level, at) } else { (0, view.lost_at) };
    Some(Bucket { counter, level, at })
}

/// The epoch, and when what was before it was lost.
async fn ledger(keys: &Keys, primary: &Primary) -> Result<(u64, Millis), LedgerError> {
    let command = Command::words(&["HMGET", &keys.ledger, "epoch", "lost_at"]);
    let answer = ask(&primary.connection, &primary.server, command).await?;
    let numbers = answer.into_list().unwrap_or_default().into_iter();
    // As Lua writes numbers, which may be in another form than whole ones.
    let numbers = numbers.map(|one| one.into_string()?.parse::<f64>().ok());
    match numbers.collect::<Option<Vec<f64>>>().as_deref() {
        Some([epoch, lost_at]) => Ok((*epoch as u64, *lost_at as u64)),
        Some(_) | None => Err(unexpected(primary)),
    }
}

async fn members(keys: &Keys, primary: &Primary) -> Result<Since, LedgerError> {
    let fields = fields(primary, keys.members.as_bytes()).await?;
    let each = fields.iter().map(|(node, value)| {
        let node = std::str::from_utf8(node).ok()?.parse().ok()?;
        let mut rest = value.get(8..)?;
        Some((node, number(&mut rest)?))
    });
    each.collect::<Option<Since>>().ok_or_else(|| unexpected(primary))
}

async fn fields(primary: &Primary, key: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, LedgerError> {
    let command = Command::new("HGETALL").arg(key);
    let answer = ask(&primary.connection, &primary.server, command).await?;
    let texts = answer.into_list().unwrap_or_default().into_iter().map(Value::into_text);
    let texts = texts.collect::<Option<Vec<_>>>().ok_or_else(|| unexpected(primary))?;
    let (pairs, _) = texts.as_chunks::<2>();
    Ok(pairs.iter().map(|[field, value]| (field.clone(), value.clone())).collect())
}

async fn clock(primary: &Primary) -> Result<Millis, LedgerError> {
    let answer = ask(&primary.connection, &primary.server, Command::new("TIME")).await?;
    let times = answer.into_list().unwrap_or_default().into_iter().map(|one| one.into_string()?.parse().ok());
    match times.collect::<Option<Vec<u64>>>().as_deref() {
        Some([seconds, micros]) => Ok(seconds * 1000 + micros / 1000),
        Some(_) | None => Err(unexpected(primary)),
    }
}

fn step(answer: Value) -> Option<(String, Vec<Vec<u8>>)> {
    let mut parts = answer.into_list()?.into_iter();
    let cursor = parts.next()?.into_string()?;
    let names = parts.next()?.into_list()?.into_iter().map(Value::into_text);
    Some((cursor, names.collect::<Option<_>>()?))
}

/// What matches all keys that begin so.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::new();
    for one in prefix.chars() {
        if "*?[]\\^".contains(one) {
            pattern.push('\\');
        }
        pattern.push(one);
    }
    pattern.push('*');
    pattern
}

fn unexpected(primary: &Primary) -> LedgerError {
    LedgerError::Unexpected {
        server: primary.server.clone(),
        why: "a counter that cannot be read".to_owned(),
    }
}

/// What one node holds of one slice, as `library.lua` writes it.
struct Row {
    slice: u64,
    node: NodeId,
    sequence: Sequence,
    granted: u32,
    expires: Millis,
}

impl Row {
    fn read(mut field: &[u8], mut value: &[u8]) -> Option<Self> {
        let (slice, node) = (number(&mut field)?, word(&mut field)?);
        let (sequence, granted) = (number(&mut value)?, word(&mut value)?);
        let (_used, _refunded) = (word(&mut value)?, word(&mut value)?);
        Some(Self { slice, node, sequence, granted, expires: number(&mut value)? })
    }
}

/// A whole number, kept as Lua has it.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (front, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    let number = f64::from_le_bytes(*front);
    (number >= 0.0 && number <= FOREVER as f64).then_some(number as u64)
}

fn word(bytes: &mut &[u8]) -> Option<u32> {
    let (front, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*front))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_what_begins_so_and_nothing_else() {
        assert_eq!(pattern("{fairgate}:c:"), "{fairgate}:c:*");
        assert_eq!(pattern("{a*b}:c:"), "{a\\*b}:c:*");
    }

    #[test]
    fn a_row_is_read_as_it_is_written() {
        let mut field = 7.0_f64.to_le_bytes().to_vec();
        field.extend(3_u32.to_le_bytes());
        let mut value = 5.0_f64.to_le_bytes().to_vec();
        [40_u32, 30, 0].iter().for_each(|word| value.extend(word.to_le_bytes()));
        value.extend((FOREVER as f64).to_le_bytes());
        let row = Row::read(&field, &value).unwrap();
        assert_eq!((row.slice, row.node, row.sequence, row.granted, row.expires), (7, 3, 5, 40, FOREVER));
        assert!(Row::read(&field, &value[1..]).is_none());
    }
}
