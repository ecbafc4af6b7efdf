//! The ledger in PostgreSQL: the same replies, the same faults, the same promise.

use crate::{
    differential::compare,
    fleet::{Fleet, Seen, options},
    postgres_server::{PASSWORD, Server},
};
use lease::{CounterId, Kind, Message, Question, Rule, sequence};
use ledger::{LedgerError, Product, connect};
use std::{sync::Arc, time::Duration};
use tokio::{task::spawn_blocking, time::sleep};

const NODES: u32 = 3;
/// What a server that was started anew needs, with the load of other tests.
const SOON: Duration = Duration::from_millis(2_500);

async fn fleet(url: &str) -> Fleet {
    let mut fleet = Fleet::start(url, NODES, &options(NODES));
    fleet.heals().await;
    fleet.run(Duration::from_millis(400), 300).await;
    assert!(fleet.seen.granted > 50, "{:#?}", fleet.seen);
    fleet
}

async fn recovers(mut fleet: Fleet) {
    let took = fleet.heals().await;
    assert!(took < SOON, "{took:?}: {:#?}", fleet.seen);
    fleet.exhaust().await;
}

#[tokio::test]
async fn postgresql_replies_what_the_ledger_of_the_protocol_replies() {
    let server = Server::start();
    for seed in 0..6 {
        let [recalls, states] = compare(&server.database(), seed, 400, &[]).await;
        assert!(recalls > 0 && states > 2, "{recalls} recalls, {states} states");
    }
    assert_eq!(server.sql("SELECT sum(deadlocks) FROM pg_stat_database").trim(), "0");
}

#[tokio::test]
async fn postgresql_does_so_while_slices_and_places_end_and_are_forgotten() {
    let server = Server::start();
    let (url, pauses) = (server.database(), [(150, Duration::from_secs(6)), (300, Duration::from_secs(25))]);
    tokio::join!(compare(&url, 100, 450, &pauses), messages_in_opposite_orders(&server));
    let database = url.rsplit('/').next().unwrap();
    let deleted = "SELECT n_tup_del FROM pg_stat_user_tables WHERE relname = 'ledger_counters'";
    let deleted: u32 = server.sql_in(database, deleted).trim().parse().unwrap();
    assert!(deleted > 0, "windows, rolling spans and places that are over stay for ever");
}

#[tokio::test]
async fn a_crash_or_a_stop_forgets_nothing_that_was_synced_and_begins_no_epoch() {
    let mut server = Server::with(&[("fsync", "on")]);
    let mut fleet = fleet(&server.url()).await;
    let before = fleet.engine().inspect().await.unwrap();
    assert_eq!((before.product, before.lost_at > 0), (Product::Postgresql, true));
    assert!(before.warnings[0].contains("synchronous_standby_names"), "{:?}", before.warnings);
    server.kill();
    fleet.run(Duration::from_millis(300), 300).await;
    assert!(fleet.errors().contains(&"Unreachable"), "{:?}", fleet.errors());
    server.run();
    fleet.heals().await;
    // A fast stop tells that it ends while the connection still looks open.
    server.stop();
    fleet.run(Duration::from_millis(300), 300).await;
    server.run();
    fleet.heals().await;
    assert_eq!(fleet.engine().inspect().await.unwrap().epoch, before.epoch);
    recovers(fleet).await;
}

#[tokio::test]
async fn a_crash_that_may_have_lost_something_begins_an_epoch() {
    let mut server = Server::with(&[("fsync", "on"), ("synchronous_commit", "off")]);
    let mut fleet = fleet(&server.url()).await;
    let before = fleet.engine().inspect().await.unwrap();
    server.kill();
    server.run();
    fleet.heals().await;
    assert_ne!(fleet.engine().inspect().await.unwrap().epoch, before.epoch);
    recovers(fleet).await;
}

#[tokio::test]
async fn a_standby_that_lacks_the_last_second_grants_nothing_twice() {
    let mut server = Server::start();
    let standby = server.standby();
    let url = format!(
        "postgresql://fairgate:{}@127.0.0.1:{},127.0.0.1:{}/fairgate",
        PASSWORD.replace(' ', "%20"),
        server.port(),
        standby.port()
    );
    let mut fleet = fleet(&url).await;
    let before = fleet.engine().inspect().await.unwrap();
    standby.sql("ALTER SYSTEM SET primary_conninfo = ''");
    standby.sql("SELECT pg_reload_conf()");
    sleep(Duration::from_millis(200)).await;
    let granted = fleet.seen.granted;
    fleet.run(Duration::from_secs(1), 300).await;
    assert!(fleet.seen.granted > granted + 100, "{:#?}", fleet.seen);
    server.kill();
    fleet.set_away(2, true);
    standby.promote();
    fleet.heals().await;
    let after = fleet.engine().inspect().await.unwrap();
    assert_ne!(after.epoch, before.epoch, "another timeline is another epoch");
    assert_eq!(after.awaited, [2]);
    fleet.seen = Seen::default();
    fleet.run(Duration::from_millis(600), 1_500).await;
    assert!(fleet.seen.granted < 100 && fleet.seen.unavailable > 300, "{:#?}", fleet.seen);
    fleet.set_away(2, false);
    recovers(fleet).await;
}

#[tokio::test]
async fn a_ledger_that_was_dropped_or_locked_is_back_by_itself() {
    let server = Arc::new(Server::start());
    let mut fleet = fleet(&server.url()).await;
    server.sql_in("fairgate", "TRUNCATE fairgate.ledger");
    assert!(fleet.heals().await < SOON);
    server.sql_in("fairgate", "DROP SCHEMA fairgate CASCADE");
    assert!(fleet.heals().await < SOON);
    let lock = "BEGIN; LOCK TABLE fairgate.ledger_members; SELECT pg_sleep(0.2); COMMIT";
    for _ in 0..3 {
        let server = Arc::clone(&server);
        let locked = spawn_blocking(move || server.sql_in("fairgate", lock));
        fleet.run(Duration::from_millis(260), 300).await;
        locked.await.unwrap();
    }
    assert!(fleet.errors().contains(&"TimedOut"), "{:?}", fleet.errors());
    recovers(fleet).await;
}

#[tokio::test]
async fn a_wrong_password_of_postgresql_is_said() {
    let server = Server::start();
    let url = server.url().replace("correct", "wrong");
    let engine = connect(&url, options(1)).unwrap();
    let error = engine.ready().await.unwrap_err();
    assert!(matches!(&error, LedgerError::Refused { .. }), "{error}");
    server.sql("ALTER ROLE fairgate PASSWORD 'wrong horse'");
    sleep(Duration::from_secs(1)).await;
    engine.ready().await.unwrap();
    assert_eq!(engine.awaited().await.unwrap(), [0]);
    engine.join(7).await.unwrap();
    engine.remove(0).await.unwrap();
    assert_eq!(engine.awaited().await.unwrap(), []);
}

/// Half a message's counters in one order, half in the other.
fn message(from: u32, number: u64, epoch: u64) -> Message {
    let rule = Rule { amount: 1_000_000, kind: Kind::InAll };
    let question = |which: u8| Question {
        counter: CounterId { who: [if from == 0 { which } else { 99 - which }; 16], limit: number % 5 },
        rule,
        slice: 0,
        total: 1,
        least: 1,
        used: 0,
        refunded: 0,
        is_restated: false,
    };
    let questions = (0..100).map(question).collect();
    Message { from, sequence: sequence(1) + number, epoch, said_since: Some(sequence(1)), questions }
}

/// They do not deadlock.
async fn messages_in_opposite_orders(server: &Server) {
    let (url, mut options) = (server.database(), options(2));
    options.timeout = Duration::from_secs(1);
    let engines = [0, 1].map(|_| connect(&url, options.clone()).unwrap());
    engines[0].ready().await.unwrap();
    let epoch = engines[0].inspect().await.unwrap().epoch;
    for number in 1..60 {
        let [one, two] = [0, 1].map(|from| message(from, number, epoch));
        let (one, two) = tokio::join!(engines[0].exchange(&one), engines[1].exchange(&two));
        assert_eq!((one.unwrap().answers.len(), two.unwrap().answers.len()), (100, 100));
    }
    assert_eq!(server.sql("SELECT sum(deadlocks) FROM pg_stat_database").trim(), "0");
}
