//! A real kill -9 while responses are sent: exactly what clients have received is charged.

use crate::world::{World, charge, has_lost, summary};
use journal::{Due, JournalError, MAX_TOGETHER, Options};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const WRITERS: usize = 2;
/// Set for the child: the folder of the store.
const CHILD: &str = "JOURNAL_TEST_CHILD";
/// How many rounds, 30 unless it is set.
const ROUNDS: &str = "JOURNAL_TEST_ROUNDS";
const LINE: usize = 12;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn options(root: &Path) -> Options {
    Options {
        folder: root.join("store"),
        // The real shared memory, as the gateway uses it.
        memory: PathBuf::from("/dev/shm"),
        writers: WRITERS,
        ring_entries: 1 << 16,
    }
}

/// Not a test of its own: it is the process that is killed.
#[test]
fn child_that_is_killed() {
    let Ok(root) = std::env::var(CHILD) else { return };
    // If the test itself is killed, nothing else would end this.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).unwrap();
    let options = options(Path::new(&root));
    let (mut journal, writers, _) = loop {
        // What the parent has released is held a moment longer by any process that another test starts just then.
        match journal::open(&options, now(), &mut |_, _| {}) {
            Err(JournalError::InUse { .. }) => thread::yield_now(),
            opened => break opened.unwrap(),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("port {}", listener.local_addr().unwrap().port());
    std::io::stdout().flush().unwrap();
    for (number, mut writer) in writers.into_iter().enumerate() {
        let (mut socket, _) = listener.accept().unwrap();
        // The owner of these responses.
        let mut kind = [0];
        socket.read_exact(&mut kind).unwrap();
        socket.set_nonblocking(true).unwrap();
        thread::spawn(move || {
            let one = charge(number as u64, 1, &[(5, 1), (0, 0)]);
            let mut answers = 0_u64..;
            // One answer a write, then two, and so on: as the streams of a connection end theirs.
            for together in (1..=MAX_TOGETHER).cycle() {
                let lines: Vec<String> =
                    answers.by_ref().take(together).map(|answer| format!("{answer:011}\n")).collect();
                let bytes = lines.concat().into_bytes();
                let mut sent = 0;
                while sent < bytes.len() {
                    // A full ring has no room that survives the kill: the real gateway relieves
                    // it by its setting, here the response waits.
                    if writer.is_full() {
                        thread::yield_now();
                        continue;
                    }
                    let ends = (1..=together).map(|line| line * LINE).filter(|end| *end > sent);
                    let due = ends.map(|end| Due { end: end - sent, charge: &one, now_seconds: now() });
                    let due: Vec<Due<'_>> = due.collect();
                    match writer.send_last(socket.as_fd(), &bytes[sent..], &due) {
                        Ok(some) => sent += some.taken,
                        Err(_) => thread::yield_now(),
                    }
                }
            }
        });
    }
    loop {
        journal.commit(now()).unwrap();
        thread::yield_now();
    }
}

/// A child, and a thread for each of its writers that counts the answers.
fn start(root: &Path) -> (Child, Vec<thread::JoinHandle<u64>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child_that_is_killed", "--nocapture"])
        .env(CHILD, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = loop {
        let line = lines.next().unwrap().unwrap();
        if let Some((_, port)) = line.split_once("port ") {
            break port.parse::<u16>().unwrap();
        }
    };
    let clients = (0..WRITERS).map(|_| {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.write_all(b"x").unwrap();
        thread::spawn(move || {
            let mut received = Vec::new();
            // A reset is an end as well; what arrived before it counts.
            let _ = socket.read_to_end(&mut received);
            (received.len() / LINE) as u64
        })
    });
    (child, clients.collect())
}

#[test]
fn answers_received_and_charges_are_the_same_number() {
    if std::env::var(CHILD).is_ok() {
        return;
    }
    let rounds = std::env::var(ROUNDS).map_or(30, |rounds| rounds.parse().unwrap());
    let world = World::new(WRITERS, 0);
    let options = options(world.root.path());
    let mut truth = vec![0_u64; WRITERS];
    let mut back = 0;
    for round in 0..rounds {
        let (mut child, clients) = start(world.root.path());
        // Between 3 and 60 ms, not in step with anything.
        let moment =
            Duration::from_micros(3_000 + (round * 7_919 + u64::from(child.id()) * 104_729) % 57_000);
        let begun = Instant::now();
        while begun.elapsed() < moment {
            thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for (sum, client) in truth.iter_mut().zip(clients) {
            *sum += client.join().unwrap();
        }
        let mut rows = Vec::new();
        let (journal, writers, report) =
            journal::open(&options, now(), &mut |row, _| rows.push(row)).unwrap();
        back += report.from_memory;
        assert!(!has_lost(&report), "{}", summary(&report));
        for tag in [0, 5] {
            let charged: Vec<u64> = (0..WRITERS as u64)
                .map(|number| {
                    let mine =
                        rows.iter().filter(|row| row.tag == tag && row.who == crate::world::who(number));
                    mine.map(|row| u64::from(row.units)).sum()
                })
                .collect();
            assert_eq!(charged, truth, "round {round}, killed after {moment:?}\n{}", summary(&report));
        }
        drop(writers);
        journal.close(now()).unwrap();
    }
    println!(
        "{rounds} kills: {} answers received, as many charged, {back} of them from shared memory",
        truth.iter().sum::<u64>()
    );
    assert!(back > 0 && truth.iter().all(|sum| *sum > 0));
}
