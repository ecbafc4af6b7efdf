//! Fills a new store with keys of three plans, for measurements: `fill FOLDER COUNT`. Beside the store it
//! leaves `sample`, a thousand of the keys, one a line, that requests can be sent with.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::{error::Error, fs, io::Write, path::Path, time::Instant};
use store::{Embedded, KeyRecord, Records, random, wait};

/// Keys of one transaction: their ids are sorted in memory.
const BATCH: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: fill FOLDER COUNT".into());
    };
    let (folder, count) = (Path::new(&folder), count.parse::<u64>()?);
    let begun = Instant::now();
    let (store, secret) = Embedded::open(folder)?;
    let mut sample = fs::File::create(folder.join("sample"))?;
    let mut made = 0;
    while made < count {
        let batch = BATCH.min(count - made);
        let mut records = Vec::new();
        for number in made..made + batch {
            let key = random::key()?;
            if number % (count / 1000).max(1) == 0 {
                writeln!(sample, "{key}")?;
            }
            let plan =
                ["free", "pro", "large"].into_iter().cycle().nth(number as usize % 3).unwrap_or("free");
            records.push(KeyRecord {
                id: random::key_id(1_795_392_000_000_000 + number)?,
                name: None,
                plan: plan.into(),
                permissions: vec!["items:read".into()],
                limits: vec![],
                created_at: 1_795_392_000,
                expires_at: None,
                revoked_at: None,
                imported: false,
                preview: contract::key::preview(&key),
                digest: secret.digest(key.as_bytes()),
            });
        }
        records.sort_unstable_by_key(|record| record.digest);
        wait(store.import_keys(records.into(), "fill"))?;
        made += batch;
        println!("{made} keys after {:.1} s", begun.elapsed().as_secs_f64());
    }
    drop(store);
    println!("closed after {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}
