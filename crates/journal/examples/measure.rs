//! Measures the memory of charges, each on its own so that `perf stat` or callgrind can count it:
//!
//! ```text
//! cargo run --release -p fairgate-journal --example measure -- FOLDER send plain|last|append COUNT
//! cargo run --release -p fairgate-journal --example measure -- FOLDER commit CHARGES COUNTERS TIMES
//! cargo run --release -p fairgate-journal --example measure -- FOLDER fill KEYS    (3 rows a key)
//! cargo run --release -p fairgate-journal --example measure -- FOLDER recover
//! ```

use journal::{Charge, Due, Journal, Options, Writer};
use std::{
    error::Error,
    io::{Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

const NOW: u64 = 1_800_000_000;
const ANSWER: [u8; 1024] = [b'x'; 1024];
type Fault = Box<dyn Error>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match measure(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(words: &[&str]) -> Result<(), Fault> {
    match words {
        [folder, "send", kind, count] => send(folder, kind, count.parse()?),
        [folder, "commit", charges, counters, times] => {
            commit(folder, charges.parse()?, counters.parse()?, times.parse()?)
        }
        [folder, "fill", keys] => fill(folder, keys.parse()?),
        [folder, "recover"] => recover(folder),
        _ => Err("see the top of this file".into()),
    }
}

fn open(folder: &str, entries: usize) -> Result<(Journal, Writer), Fault> {
    let mut options = Options::new(PathBuf::from(folder), 1);
    options.ring_entries = entries;
    let (journal, mut writers, report) = journal::open(&options, NOW, &mut |_, _| {})?;
    for finding in report.findings {
        println!("{finding}");
    }
    Ok((journal, writers.pop().ok_or("no writer")?))
}

fn charge(number: u64) -> Charge {
    let who = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes();
    let mut charge = Charge::new(who, 1);
    for (tag, window) in [(5, 20_000), (9, 480_000), (12, 0)] {
        let _ = charge.push(tag, window);
    }
    charge
}

/// The last write of an answer of 1 KB, and what it takes to remember it. The clock runs while 64 answers
/// are written; they are read and the ring is emptied beside it.
fn send(folder: &str, kind: &str, count: u64) -> Result<(), Fault> {
    const BATCH: u64 = 64;
    let (mut journal, mut writer) = open(folder, 1 << 16)?;
    let (mut server, mut client) = UnixStream::pair()?;
    let mut buffer = vec![0; ANSWER.len() * 64];
    let one = charge(1);
    let due = Due { end: ANSWER.len(), charge: &one, now_seconds: NOW };
    let mut spent = Duration::ZERO;
    for batch in 0..count.div_ceil(BATCH) {
        let begun = Instant::now();
        match kind {
            "plain" => (0..BATCH).try_for_each(|_| server.write_all(&ANSWER))?,
            "append" => (0..BATCH).for_each(|_| writer.append(&one, NOW)),
            "last" => {
                (0..BATCH).try_for_each(|_| writer.send_last(server.as_fd(), &ANSWER, &[due]).map(|_| ()))?
            }
            _ => return Err("plain, last or append".into()),
        }
        spent += begun.elapsed();
        if kind != "append" {
            client.read_exact(&mut buffer)?;
        }
        if batch.is_multiple_of(512) {
            journal.relieve();
        }
    }
    println!("{kind}: {} ns each", spent.as_nanos() / u128::from(count.max(1)));
    journal.commit(NOW)?;
    drop(writer);
    Ok(journal.close(NOW)?)
}

fn commit(folder: &str, charges: u64, counters: u64, times: u64) -> Result<(), Fault> {
    let (mut journal, mut writer) = open(folder, 1 << 16)?;
    for _ in 0..times {
        for number in 0..charges {
            writer.append(&charge(number % counters.div_ceil(3)), NOW);
        }
        let begun = Instant::now();
        let done = journal.commit(NOW)?;
        println!("{} charges, {} rows, {} bytes: {:?}", done.charges, done.rows, done.bytes, begun.elapsed());
    }
    drop(writer);
    Ok(journal.close(NOW)?)
}

fn fill(folder: &str, keys: u64) -> Result<(), Fault> {
    let (mut journal, mut writer) = open(folder, 1 << 20)?;
    let begun = Instant::now();
    for number in 0..keys {
        writer.append(&charge(number), NOW);
        if writer.is_full() {
            let news = journal.commit(NOW)?.compaction;
            if !news.is_empty() {
                println!("{:?}: {news:?}", begun.elapsed());
            }
        }
    }
    journal.commit(NOW)?;
    println!("committed after {:?}", begun.elapsed());
    journal.compact_now(NOW)?;
    println!("compacted after {:?}", begun.elapsed());
    drop(writer);
    Ok(journal.close(NOW)?)
}

fn recover(folder: &str) -> Result<(), Fault> {
    let options = Options::new(PathBuf::from(folder), 1);
    let begun = Instant::now();
    let mut units = 0_u64;
    let (journal, writers, report) =
        journal::open(&options, NOW, &mut |row, _| units += u64::from(row.units))?;
    println!("{} rows, {units} units in {:?}", report.rows, begun.elapsed());
    for line in std::fs::read_to_string("/proc/self/status")?.lines().filter(|line| line.starts_with("VmHWM"))
    {
        println!("{line}");
    }
    drop(writers);
    Ok(journal.close(NOW)?)
}
