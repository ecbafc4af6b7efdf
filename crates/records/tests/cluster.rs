//! What several nodes do to the same records: their changes are in one order, tables are made once, secrets and
//! versions fit, and a server that goes away comes back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

#[path = "../../store/tests/common/mod.rs"]
mod common;
#[path = "../../../tests/servers/postgres.rs"]
mod server;

use common::{BY, import, key, window};
use records::{Beat, Report, SCHEMA, Shared, Standing, Target};
use server::Server;
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};
use store::{KeyVisitor, Records, Secret, Since, StoreError, wait};

const FILE: &str = "cluster.secret";

fn open(url: &str) -> Shared {
    Shared::new(Target::parse(url).unwrap()).unwrap()
}

fn secret() -> Secret {
    Secret::from_bytes([7; 32])
}

fn made(server: &Server) -> Shared {
    let shared = open(&server.url());
    wait(shared.init(&secret(), Path::new(FILE))).unwrap();
    shared
}

fn numbers(shared: &Shared, after: u64) -> Vec<u64> {
    match wait(shared.changes_since(Some(after))).unwrap() {
        Since::Changes(changes) => changes.iter().map(|change| change.number).collect(),
        Since::Everything(number) => panic!("everything up to {number}"),
    }
}

#[test]
fn changes_of_many_writers_are_seen_once_each_and_in_their_order() {
    let server = Server::start();
    let shared = made(&server);
    let url = server.url();
    let mut seen = Vec::new();
    thread::scope(|scope| {
        for writer in 0..4_u32 {
            let url = &url;
            scope.spawn(move || {
                let own = open(url);
                for number in 0..40 {
                    wait(own.add_key(key(writer * 1000 + number), BY)).unwrap();
                }
            });
        }
        let begun = Instant::now();
        while seen.len() < 160 {
            assert!(begun.elapsed() < Duration::from_secs(60), "{} were seen", seen.len());
            // Whoever asks for what is greater than the last must miss none.
            seen.extend(numbers(&shared, seen.last().copied().unwrap_or_default()));
        }
    });
    assert_eq!(seen, (1..=160).collect::<Vec<u64>>());
}

#[test]
fn a_commit_that_comes_late_holds_up_those_behind_it_and_is_missed_by_nobody() {
    let server = Server::start();
    let shared = made(&server);
    wait(shared.add_key(key(1), BY)).unwrap();
    // Takes the number 2 as a node does, and is slow to commit.
    let late = "BEGIN; SELECT pg_advisory_xact_lock(112568566939649); \
                INSERT INTO fairgate.changes (number, by_whom, what, whose) VALUES (2, 'late', 'maintenance_removed', 'mnt_a'); \
                SELECT pg_sleep(1.5); COMMIT";
    thread::scope(|scope| {
        scope.spawn(|| server.sql_in("fairgate", late));
        let other = open(&server.url());
        let begun = Instant::now();
        while server.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").trim() == "0" {
            assert!(begun.elapsed() < Duration::from_secs(10));
        }
        let written = scope.spawn(move || wait(other.add_key(key(3), BY)).unwrap().number);
        let mut seen = vec![1];
        while seen.len() < 3 {
            assert!(begun.elapsed() < Duration::from_secs(20), "{seen:?}");
            seen.extend(numbers(&shared, seen.last().copied().unwrap_or_default()));
        }
        assert_eq!((seen, written.join().unwrap()), (vec![1, 2, 3], 3));
    });
}

#[test]
fn tables_are_made_by_one_of_two_nodes_that_come_at_once() {
    let server = Server::start();
    let url = server.url();
    let made: Vec<bool> = thread::scope(|scope| {
        let nodes: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| wait(open(&url).init(&secret(), Path::new(FILE))).unwrap()))
            .collect();
        nodes.into_iter().map(|node| node.join().unwrap()).collect()
    });
    assert!(made.contains(&true));
    let id = wait(open(&url).prepare(&secret(), Path::new(FILE))).unwrap();
    assert!(id.starts_with("rec_"), "{id}");
}

#[test]
fn an_empty_database_a_newer_schema_and_another_secret_are_refused() {
    let server = Server::start();
    let file = Path::new(FILE);
    let error = wait(open(&server.url()).prepare(&secret(), file)).unwrap_err().to_string();
    assert!(error.contains("fairgate cluster init"), "{error}");
    let shared = made(&server);
    wait(shared.add_key(key(1), BY)).unwrap();
    let error = wait(shared.prepare(&Secret::from_bytes([8; 32]), file)).unwrap_err().to_string();
    assert!(
        error.contains("cluster.secret is not the one") && error.contains("none of their 1 keys"),
        "{error}"
    );
    let newer = format!("UPDATE fairgate.meta SET value = '{}' WHERE name = 'schema'", SCHEMA + 2);
    server.sql_in("fairgate", &newer);
    let error = wait(shared.prepare(&secret(), file)).unwrap_err().to_string();
    let expected = format!("have schema {}, and this Fairgate takes 1 to {SCHEMA}", SCHEMA + 2);
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn a_wrong_password_is_told_without_any_password() {
    let server = Server::start();
    let wrong = open(&server.url().replace("correct", "incorrect"));
    let error = wait(wrong.count_keys()).unwrap_err();
    assert!(matches!(error, StoreError::Shared { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("password authentication failed") && !error.contains("horse"), "{error}");
}

#[test]
fn writes_are_refused_while_the_server_is_away_and_done_when_it_is_back() {
    let mut server = Server::start();
    let shared = made(&server);
    wait(shared.add_key(key(1), BY)).unwrap();
    for how in [Server::stop, Server::kill] {
        how(&mut server);
        let error = wait(shared.add_key(key(2), BY)).unwrap_err();
        assert!(matches!(error, StoreError::Away { .. }), "{error}");
        server.run();
        let begun = Instant::now();
        while let Err(error) = wait(shared.count_keys()) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{error}");
        }
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
    server.pause();
    let begun = Instant::now();
    let error = wait(shared.add_key(key(2), BY)).unwrap_err();
    assert!(matches!(error, StoreError::Away { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    server.go_on();
    let begun = Instant::now();
    while let Err(error) = wait(shared.add_key(key(2), BY)) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{error}");
    }
    assert_eq!(wait(shared.count_keys()).unwrap(), 2);
}

#[test]
fn a_failover_costs_no_change_and_the_old_primary_is_left() {
    let old = Server::start();
    let url = {
        let shared = made(&old);
        wait(shared.put_maintenance(window("mnt_a", 1), BY)).unwrap();
        old.url()
    };
    let new = old.standby();
    let both = url.replace(&old.port().to_string(), &format!("{},127.0.0.1:{}", old.port(), new.port()));
    let shared = open(&both);
    wait(shared.add_key(key(1), BY)).unwrap();
    let begun = Instant::now();
    while new.sql_in("fairgate", "SELECT count(*) FROM fairgate.keys").trim() != "1" {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    new.promote();
    old.set_read_only(true);
    // The setting arrives at its connections by and by; until then it is still the primary that it was.
    while old.sql("SHOW default_transaction_read_only").trim() != "on" {}
    let change = wait(shared.add_key(key(2), BY)).unwrap();
    assert!(change.number > 1_000, "numbers that the old primary may have given are left out");
    assert!(matches!(wait(shared.changes_since(Some(2))).unwrap(), Since::Everything(_)));
    let next = wait(shared.add_key(key(3), BY)).unwrap();
    assert_eq!(numbers(&shared, change.number), [next.number]);
    assert_eq!(next.number, change.number + 1);
    assert_eq!(new.sql_in("fairgate", "SELECT count(*) FROM fairgate.keys").trim(), "3");
    assert_eq!(old.sql_in("fairgate", "SELECT count(*) FROM fairgate.keys").trim(), "1");
}

/// The server's own words for a full disk, where a full disk of a test would need root.
#[test]
fn a_full_disk_of_the_server_changes_nothing_and_is_told() {
    let server = Server::start();
    let shared = made(&server);
    server.sql_in(
        "fairgate",
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
    );
    server.sql_in(
        "fairgate",
        "CREATE TRIGGER no_room BEFORE INSERT ON fairgate.changes EXECUTE FUNCTION no_room()",
    );
    let error = wait(shared.add_key(key(1), BY)).unwrap_err();
    assert!(matches!(&error, StoreError::Away { why } if why.contains("disk")), "{error}");
    assert_eq!(wait(shared.count_keys()).unwrap(), 0, "what is not numbered is not written");
    server.sql_in("fairgate", "DROP TRIGGER no_room ON fairgate.changes");
    assert_eq!(wait(shared.add_key(key(1), BY)).unwrap().number, 1);
}

#[test]
fn a_member_keeps_its_number_and_no_two_have_one_name() {
    let server = Server::start();
    let shared = made(&server);
    let standing = |number, name: &str, run: &str| Standing {
        number,
        name: name.into(),
        version: "1".into(),
        run: run.into(),
    };
    let join = |one| wait(shared.join(one));
    assert_eq!(join(standing(None, "a", "run_1")).unwrap(), 1);
    assert_eq!(join(standing(None, "b", "run_2")).unwrap(), 2);
    let error = join(standing(None, "a", "run_3")).unwrap_err().to_string();
    assert!(error.contains("another node of the cluster is called `a`"), "{error}");
    let error = join(standing(Some(1), "a", "run_4")).unwrap_err();
    assert!(matches!(error, StoreError::MemberRuns { .. }), "{error}");
    wait(shared.leave(1, "run_1")).unwrap();
    assert_eq!(join(standing(Some(1), "c", "run_5")).unwrap(), 1, "it may change its name");
    let beat = |number, run: &str| {
        let report = Some(Report { leases: 4, alarms: vec!["a".into()], ..Report::default() });
        wait(shared.beat(Beat { number, run: run.into(), clock_offset_millis: 7, applied: 9, report }))
    };
    assert_eq!(beat(1, "run_5").unwrap().members, 2);
    assert!(beat(1, "run_1").is_err(), "another process has its place");
    let members = wait(shared.members()).unwrap();
    let told: Vec<_> =
        members.iter().map(|one| (one.number, one.name.as_str(), one.is_alive, one.applied)).collect();
    assert_eq!(told, [(1, "c", true, 9), (2, "b", true, 0)]);
    let reported: Vec<_> = members.iter().map(|one| (one.report.leases, one.report.alarms.len())).collect();
    assert_eq!(reported, [(4, 1), (0, 0)]);
    assert!(matches!(wait(shared.remove("b")), Err(StoreError::MemberRuns { .. })), "it runs");
    wait(shared.leave(2, "run_2")).unwrap();
    assert_eq!(wait(shared.remove("b")).unwrap().unwrap().number, 2);
    assert!(wait(shared.remove("b")).unwrap().is_none());
    assert_eq!(join(standing(None, "b", "run_6")).unwrap(), 3, "a number is never given again");
}

/// What nodes of the first schema ask of its tables, which a newer node has brought up to date under them.
#[test]
fn nodes_of_an_older_version_go_on_with_tables_that_a_newer_one_has_brought_up_to_date() {
    let server = Server::start();
    let shared = made(&server);
    let own = Standing { number: None, name: "a".into(), version: "2".into(), run: "run_1".into() };
    wait(shared.join(own)).unwrap();
    server.sql_in("fairgate", "ALTER TABLE fairgate.members DROP COLUMN report");
    server.sql_in("fairgate", "UPDATE fairgate.meta SET value = '1' WHERE name = 'schema'");
    let other = open(&server.url());
    assert_eq!(
        wait(other.members()).unwrap().len(),
        1,
        "they are shown before anybody has changed the tables"
    );
    assert_eq!(wait(other.state()).unwrap().schema, 1);
    wait(other.prepare(&secret(), Path::new(FILE))).unwrap();
    assert_eq!(wait(other.state()).unwrap().schema, SCHEMA);
    let old = "INSERT INTO fairgate.members (name, version, run, since, seen) \
               VALUES ('b', '1', 'run_2', clock_timestamp(), clock_timestamp()); \
               UPDATE fairgate.members SET seen = clock_timestamp(), clock_offset_millis = 5, applied = 6 \
               WHERE number = 2 AND run = 'run_2' AND removed IS NULL";
    server.sql_in("fairgate", old);
    let members = wait(other.members()).unwrap();
    let told: Vec<_> = members.iter().map(|one| (one.name.as_str(), one.applied)).collect();
    assert_eq!(told, [("a", 0), ("b", 6)]);
    assert!(members.iter().all(|one| one.report == Report::default()));
    // What a version to come says besides is passed over.
    server.sql_in(
        "fairgate",
        "UPDATE fairgate.members SET report = '{\"leases\":3,\"colour\":{}}' WHERE number = 2",
    );
    assert_eq!(wait(other.members()).unwrap()[1].report.leases, 3);
}

/// `FAIRGATE_MANY_KEYS=1000000 cargo test --release -p fairgate-records --test cluster -- --nocapture many_keys`
#[test]
fn many_keys_are_visited_in_bounded_memory() {
    let many: u32 = std::env::var("FAIRGATE_MANY_KEYS").ok().map_or(30_000, |text| text.parse().unwrap());
    let server = Server::start();
    let shared = made(&server);
    for from in (0..many).step_by(100_000) {
        import(&shared, (from..many.min(from + 100_000)).map(key)).unwrap();
    }
    let before = memory("VmRSS");
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let begun = Instant::now();
    let visitor: KeyVisitor = Box::new(|row| assert!(!row.id.is_empty()));
    assert_eq!(wait(shared.visit_keys(vec![visitor])).unwrap(), u64::from(many));
    let grown = memory("VmHWM").saturating_sub(before);
    println!("{many} keys visited in {:?}, {grown} KiB more than before", begun.elapsed());
    assert!(grown < 64 << 10, "{grown} KiB");
}

/// In KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
