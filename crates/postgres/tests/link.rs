//! A link to a real server: questions, transactions, and every way in which a server goes and comes back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

#[path = "../../../tests/servers/postgres.rs"]
mod server;

use postgres::{Fault, Kind, Link, Target, Timing};
use server::{PASSWORD, Server};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const TIMING: Timing = Timing {
    connecting: Duration::from_millis(500),
    answer: Duration::from_millis(500),
    first_pause: Duration::from_millis(20),
    longest_pause: Duration::from_millis(100),
};

fn link(url: &str) -> Link {
    Link::new(Target::parse(url).unwrap(), TIMING)
}

async fn ask(link: &mut Link) -> Result<i32, Fault> {
    Ok(link.session().await?.query_one("SELECT 1", &[]).await?.get(0))
}

async fn write(link: &mut Link) -> Result<u64, Fault> {
    link.session().await?.execute("INSERT INTO written DEFAULT VALUES", &[]).await
}

/// Asks until there is an answer. Gives the faults on the way.
async fn until_healed(link: &mut Link) -> Vec<Fault> {
    let begun = Instant::now();
    let mut faults = Vec::new();
    while let Err(fault) = ask(link).await {
        assert!(begun.elapsed() < Duration::from_secs(30), "{fault}");
        faults.push(fault);
        sleep(Duration::from_millis(10)).await;
    }
    faults
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn what_is_not_committed_is_rolled_back_and_the_session_goes_on() {
    let server = Server::start();
    run(async {
        let mut link = link(&server.url());
        let session = link.session().await.unwrap();
        session.batch("CREATE TABLE written (n serial)").await.unwrap();
        for is_committed in [false, true] {
            let transaction = session.begin().await.unwrap();
            transaction.execute("INSERT INTO written DEFAULT VALUES", &[]).await.unwrap();
            if is_committed {
                transaction.commit().await.unwrap();
            }
        }
        let begun = session.begin().await.unwrap();
        let refused = begun.query("SELECT 1 / ($1::int - $1::int)", &[&1]).await.unwrap_err();
        assert_eq!(
            (refused.kind(), refused.state(), refused.is_dead()),
            (Kind::Refused, Some("22012"), false)
        );
        assert!(!refused.may_be_done());
        drop(begun);
        let count: i64 = session.query_one("SELECT count(*) FROM written", &[]).await.unwrap().get(0);
        assert_eq!(count, 1);
        assert!(!session.is_dead());
    });
}

#[test]
fn who_is_not_let_in_is_told_so_without_the_password() {
    let server = Server::start();
    run(async {
        let wrong = server.url().replace("correct", "incorrect");
        let fault = ask(&mut link(&wrong)).await.unwrap_err();
        assert_eq!((fault.kind(), fault.state()), (Kind::Denied, Some("28P01")));
        let none = server.url().replace(&format!(":{}", PASSWORD.replace(' ', "%20")), "");
        assert_eq!(ask(&mut link(&none)).await.unwrap_err().kind(), Kind::Denied);
        let other = ask(&mut link(&server.url_of("nothing"))).await.unwrap_err();
        assert_eq!((other.kind(), other.state()), (Kind::Denied, Some("3D000")));
        for fault in [fault, other] {
            assert!(!fault.to_string().contains("correct"), "{fault}");
        }
    });
}

#[test]
fn a_server_that_stops_and_starts_again_is_found_again() {
    let mut server = Server::start();
    run(async {
        let mut link = link(&server.url());
        ask(&mut link).await.unwrap();
        for how in [Server::stop, Server::kill] {
            how(&mut server);
            let fault = ask(&mut link).await.unwrap_err();
            assert!(fault.is_dead(), "{fault:?}");
            let begun = Instant::now();
            while ask(&mut link).await.unwrap_err().kind() != Kind::Unreachable {
                assert!(begun.elapsed() < Duration::from_secs(10));
            }
            server.run();
            let begun = Instant::now();
            until_healed(&mut link).await;
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        }
    });
}

#[test]
fn after_a_crash_of_another_connection_the_next_answer_comes_soon() {
    let server = Server::start();
    run(async {
        let mut link = link(&server.url());
        ask(&mut link).await.unwrap();
        let mut other = self::link(&server.url());
        ask(&mut other).await.unwrap();
        server.crash_a_backend();
        let faults = until_healed(&mut link).await;
        assert!(faults.iter().all(Fault::is_dead), "{faults:?}");
        until_healed(&mut other).await;
    });
}

#[test]
fn a_server_that_hangs_is_given_up_in_time_and_asked_again() {
    let server = Server::start();
    run(async {
        let mut link = link(&server.url());
        ask(&mut link).await.unwrap();
        server.pause();
        let begun = Instant::now();
        let fault = ask(&mut link).await.unwrap_err();
        assert_eq!(fault.kind(), Kind::TimedOut);
        assert!(fault.may_be_done());
        assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
        assert_eq!(ask(&mut link).await.unwrap_err().kind(), Kind::Unreachable);
        // Within the pause nobody waits.
        let begun = Instant::now();
        assert_eq!(ask(&mut link).await.unwrap_err().kind(), Kind::Unreachable);
        assert!(begun.elapsed() < Duration::from_millis(20), "{:?}", begun.elapsed());
        server.go_on();
        until_healed(&mut link).await;
    });
}

#[test]
fn after_a_failover_the_new_primary_is_written_to_and_the_old_one_left() {
    let old = Server::start();
    run(async {
        let mut link = link(&old.url());
        link.session().await.unwrap().batch("CREATE TABLE written (n serial)").await.unwrap();
        let new = old.standby();
        let (own, other) = (old.port().to_string(), format!("{},127.0.0.1:{}", old.port(), new.port()));
        let both = old.url().replace(&own, &other);
        let mut link = self::link(&both);
        write(&mut link).await.unwrap();
        assert!(link.session().await.unwrap().place().ends_with(&old.port().to_string()));
        // A standby alone is no place to write to.
        let fault = ask(&mut self::link(&new.url())).await.unwrap_err();
        assert_eq!(fault.kind(), Kind::ReadOnly, "{fault}");
        new.promote();
        old.set_read_only(true);
        let begun = Instant::now();
        let fault = loop {
            match write(&mut link).await {
                Ok(_) => assert!(begun.elapsed() < Duration::from_secs(10)),
                Err(fault) => break fault,
            }
        };
        assert_eq!((fault.kind(), fault.state(), fault.is_dead()), (Kind::ReadOnly, Some("25006"), true));
        write(&mut link).await.unwrap();
        assert!(link.session().await.unwrap().place().ends_with(&new.port().to_string()));
    });
}

#[test]
fn a_hint_comes_at_a_notification_and_at_every_new_connection() {
    let server = Server::start();
    run(async {
        let mut link = link(&server.url()).listening("changes");
        let told = link.told();
        let is_told = async || timeout(Duration::from_secs(5), told.notified()).await.is_ok();
        ask(&mut link).await.unwrap();
        assert!(is_told().await, "a connection was made");
        for _ in 0..3 {
            server.sql_in("fairgate", "NOTIFY changes");
            assert!(is_told().await, "it was notified");
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'fairgate'");
            assert!(is_told().await, "the connection has ended");
            until_healed(&mut link).await;
            assert!(is_told().await, "another was made");
        }
    });
}

#[test]
fn rows_that_come_one_by_one_take_as_long_as_they_need() {
    let server = Server::start();
    run(async {
        let mut link = link(&server.url());
        let transaction = link.session().await.unwrap().begin_reading().await.unwrap();
        let mut rows =
            transaction.stream("SELECT n FROM generate_series(1, $1::int) n", &[&200_000]).await.unwrap();
        let mut sum = 0_i64;
        for at in 0.. {
            if at == 1000 {
                // Longer than an answer may take: who reads slowly is no fault of the server.
                sleep(TIMING.answer + Duration::from_millis(200)).await;
            }
            let Some(row) = rows.next().await.unwrap() else { break };
            sum += i64::from(row.get::<_, i32>(0));
        }
        assert_eq!(sum, 200_000 * 200_001 / 2);
        transaction.commit().await.unwrap();
    });
}
