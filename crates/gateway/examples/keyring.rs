//! Measures the keyring alone, on the allocator of the binary: `keyring COUNT`. Prints the memory of a key
//! before and after it was used once, with three limits each, and what a look-up takes.
//!
//! Memory is what the process has more of than before, so everything that the measuring itself needs is there
//! before and stays to the end: what is given back in between would be counted for the keys that come after.

#![allow(clippy::print_stdout, reason = "a program for people")]

use gateway::{
    keyring::{Digest, Keyring, NewKey, Standing, Terms},
    settings::Plan,
};
use std::{error::Error, fs, hint::black_box, time::Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PLANS: [(&str, [&str; 3]); 3] = [
    ("free", ["1000 per day", "9000 per month", "5 per second"]),
    ("pro", ["50000 per day", "900000 per month", "50 per second"]),
    ("large", ["500000 per day", "9000000 per month", "500 per second"]),
];
const LOOK_UPS: usize = 4_000_000;
/// Of fewer keys the memory cannot be told: the system hands it out in pages, the allocator in larger pieces.
const FEWEST_TO_WEIGH: u64 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let count: u64 = std::env::args().nth(1).ok_or("usage: keyring COUNT")?.parse()?;
    let mut plans = Vec::new();
    for (name, texts) in PLANS {
        let limits = texts.iter().map(|text| contract::Limit::parse(text, &mut |_| None));
        plans.push(Plan { name: name.into(), limits: limits.collect::<Result<_, _>>()? });
    }
    let keyring = Keyring::new(&plans, Box::new(|_| [0; 32]));
    let permissions = vec!["items:read".to_owned()];
    let terms =
        |plan: &Plan| Terms { plan: plan.name.clone(), permissions: permissions.clone(), limits: vec![] };
    let grants = plans.iter().map(|plan| keyring.grant(terms(plan))).collect::<Result<Vec<_>, _>>()?;

    let wanted = random_digests(count);
    let before = resident()?;
    let begun = Instant::now();
    keyring.reserve(usize::try_from(count)?);
    for (number, grant) in (0..count).zip(grants.iter().cycle()) {
        let standing = Standing { grant: grant.clone(), expires_at: None, revoked: false };
        let id = format!("key_{number:016}");
        keyring.insert(NewKey { id: &id, digest: &digest(number), imported: false, standing })?;
    }
    let loaded = resident()?;
    println!("{count} keys in {:.2} s, {}", begun.elapsed().as_secs_f64(), per_key(before, loaded, count));

    let (nanoseconds, found) = look_up(&keyring, &wanted);
    println!("look-up of a random key: {nanoseconds:.1} ns ({found} found)");
    for number in 0..count {
        let key = keyring.find_digest(&digest(number)).ok_or("a key is missing")?;
        black_box(key.account(0));
    }
    let used = resident()?;
    println!("each used once: {}", per_key(before, used, count));
    let begun = Instant::now();
    let (mut slices, mut slowest) = (0, 0.0_f64);
    let sweep = keyring.sweep();
    let mut given_back = 0;
    let mut last = Instant::now();
    for slice in sweep.slices(4096, || u64::MAX / 2) {
        slowest = slowest.max(last.elapsed().as_secs_f64());
        last = Instant::now();
        slices += 1;
        given_back += slice;
    }
    println!(
        "sweep: {given_back} accounts in {:.2} s, {slices} slices, the slowest {:.2} ms",
        begun.elapsed().as_secs_f64(),
        slowest * 1e3
    );
    println!("after the sweep: {}", per_key(before, resident()?, count));
    drop(wanted);
    Ok(())
}

/// Digests of keys that are there.
fn random_digests(count: u64) -> Vec<Digest> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..LOOK_UPS).map(|_| digest(random.u64(0..count))).collect()
}

/// Nanoseconds of a look-up, and how many were found.
fn look_up(keyring: &Keyring, wanted: &[Digest]) -> (f64, usize) {
    let begun = Instant::now();
    let found = wanted.iter().filter(|digest| black_box(keyring.find_digest(digest)).is_some()).count();
    (begun.elapsed().as_nanos() as f64 / LOOK_UPS as f64, found)
}

/// As random as a real one: what SplitMix64 makes of the number.
fn digest(number: u64) -> Digest {
    let mut digest = [0; 32];
    let mut state = number;
    for part in digest.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        part.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    digest
}

/// Bytes of this process that are in memory.
fn resident() -> Result<u64, Box<dyn Error>> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    Ok(pages.split(' ').nth(1).ok_or("no resident size")?.parse::<u64>()? * 4096)
}

fn per_key(before: u64, after: u64, count: u64) -> String {
    if count < FEWEST_TO_WEIGH {
        return format!("too few to weigh (at least {FEWEST_TO_WEIGH})");
    }
    format!("{:.1} bytes a key", after.saturating_sub(before) as f64 / count as f64)
}
