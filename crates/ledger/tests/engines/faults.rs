//! Servers of Valkey that fail in every way that is known. Three nodes spend leases meanwhile: the sum of what they used is never
//! more than a limit, and once the fault is over, exactly the limit.

use crate::{
    fleet::{Fleet, Seen, options},
    servers::{Program, Server},
};
use ledger::{LedgerError, Product, connect};
use std::time::Duration;
use tokio::time::sleep;

const NODES: u32 = 3;
/// What the server needs to be back, with the load of other tests.
const SOON: Duration = Duration::from_millis(1_500);

async fn fleet(url: &str) -> Fleet {
    let mut fleet = Fleet::start(url, NODES, &options(NODES));
    fleet.heals().await;
    fleet.run(Duration::from_millis(400), 300).await;
    assert!(fleet.seen.granted > 50, "{:#?}", fleet.seen);
    fleet
}

/// It heals by itself, and all is used to the unit.
async fn recovers(mut fleet: Fleet) {
    let took = fleet.heals().await;
    assert!(took < SOON, "{took:?}: {:#?}", fleet.seen);
    fleet.exhaust().await;
}

#[tokio::test]
async fn nothing_is_granted_twice_by_a_server_that_forgot_everything() {
    let mut server = Server::start(Program::Valkey, &[]);
    let mut fleet = fleet(&server.url()).await;
    let before = fleet.engine().inspect().await.unwrap();
    server.kill();
    fleet.run(Duration::from_millis(500), 300).await;
    assert!(fleet.errors().contains(&"Unreachable"), "{:?}", fleet.errors());
    server.restart();
    recovers(fleet).await;
    assert_ne!(before.epoch, 0);
}

#[tokio::test]
async fn after_a_loss_nothing_is_granted_until_every_member_has_come() {
    let mut server = Server::start(Program::Valkey, &[]);
    let mut fleet = fleet(&server.url()).await;
    fleet.set_away(2, true);
    server.kill();
    server.restart();
    fleet.heals().await;
    assert_eq!(fleet.engine().awaited().await.unwrap(), [2]);
    fleet.seen = Seen::default();
    fleet.run(Duration::from_secs(1), 1_500).await;
    assert!(fleet.seen.granted < 100 && fleet.seen.unavailable > 500, "{:#?}", fleet.seen);
    fleet.set_away(2, false);
    recovers(fleet).await;
}

#[tokio::test]
async fn a_server_that_writes_all_to_its_disk_forgets_nothing() {
    let mut server = Server::start(Program::Valkey, &["--appendonly", "yes", "--appendfsync", "always"]);
    let mut fleet = fleet(&server.url()).await;
    let before = fleet.engine().inspect().await.unwrap();
    assert_eq!(before.warnings, Vec::<String>::new());
    server.kill();
    server.restart();
    fleet.heals().await;
    let after = fleet.engine().inspect().await.unwrap();
    assert_ne!(after.epoch, before.epoch, "another run of the server is another epoch");
    recovers(fleet).await;
}

#[tokio::test]
async fn what_a_running_server_loses_is_noticed_by_the_next_message() {
    let server = Server::start(Program::Redis, &[]);
    let mut fleet = fleet(&server.url()).await;
    server.command(&["FUNCTION", "FLUSH"]);
    assert!(fleet.heals().await < SOON);
    server.command(&["FLUSHALL"]);
    assert!(fleet.heals().await < SOON);
    server.command(&["SCRIPT", "FLUSH"]);
    server.command(&["DEBUG", "CHANGE-REPL-ID"]);
    recovers(fleet).await;
}

#[tokio::test]
async fn a_slow_server_costs_time_outs_and_nothing_else() {
    let server = Server::start(Program::Valkey, &[]);
    let mut fleet = fleet(&server.url()).await;
    for _ in 0..4 {
        let port = server.port;
        let asleep = tokio::task::spawn_blocking(move || {
            std::process::Command::new("valkey-cli")
                .args(["-p", &port.to_string(), "DEBUG", "SLEEP", "0.2"])
                .output()
        });
        fleet.run(Duration::from_millis(250), 300).await;
        asleep.await.unwrap().unwrap();
    }
    assert_eq!(fleet.errors(), ["TimedOut"]);
    recovers(fleet).await;
}

#[tokio::test]
async fn a_server_that_stands_still_is_left_and_found_again() {
    let server = Server::start(Program::Valkey, &[]);
    let mut fleet = fleet(&server.url()).await;
    server.signal("STOP");
    fleet.run(Duration::from_millis(1_500), 300).await;
    assert!(fleet.errors().contains(&"TimedOut"), "{:?}", fleet.errors());
    server.signal("CONT");
    recovers(fleet).await;
}

#[tokio::test]
async fn a_full_server_grants_nothing_and_says_why() {
    let server = Server::start(Program::Valkey, &[]);
    let mut fleet = fleet(&server.url()).await;
    server.command(&["CONFIG", "SET", "maxmemory", "1000"]);
    fleet.run(Duration::from_millis(400), 300).await;
    assert!(fleet.errors().contains(&"Full"), "{:?}", fleet.errors());
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    recovers(fleet).await;
}

#[tokio::test]
async fn a_server_that_may_evict_keys_is_refused() {
    let server =
        Server::start(Program::Valkey, &["--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"]);
    let engine = connect(&server.url(), options(1)).unwrap();
    let error = engine.ready().await.unwrap_err();
    assert!(matches!(&error, LedgerError::Unsafe { .. }), "{error}");
    server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    sleep(SOON).await;
    engine.ready().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_said_and_a_right_one_heals() {
    let server = Server::start(Program::Valkey, &["--requirepass", "right"]);
    let engine = connect(&format!("redis://:wrong@127.0.0.1:{}/2", server.port), options(1)).unwrap();
    let error = engine.ready().await.unwrap_err();
    assert!(matches!(&error, LedgerError::Refused { .. }), "{error}");
    assert!(!error.is_passing());
    server.command(&["-a", "right", "CONFIG", "SET", "requirepass", "wrong"]);
    sleep(SOON).await;
    engine.ready().await.unwrap();
    engine.join(9).await.unwrap();
    let keys = server.command(&["-a", "wrong", "-n", "2", "KEYS", "*"]);
    assert!(keys.contains("{fairgate}:members"), "{keys}");
}

#[tokio::test]
async fn a_user_with_few_rights_is_enough() {
    let server = Server::start(Program::Valkey, &[]);
    let rights = "ACL SETUSER fair on >secret ~{fairgate}:* &{fairgate}:* +hello +info +function|list +function|load \
                  +fcall +hmget +hgetall +hset +hdel +exists +persist +pexpireat +time +publish +subscribe +config|get";
    assert_eq!(server.command(&rights.split(' ').collect::<Vec<_>>()).trim(), "OK");
    let fleet = fleet(&format!("redis://fair:secret@127.0.0.1:{}", server.port)).await;
    fleet.engine().inspect().await.unwrap();
    recovers(fleet).await;
}

#[tokio::test]
async fn a_server_that_a_script_keeps_busy_is_back_after_it() {
    let server = Server::start(Program::Valkey, &["--busy-reply-threshold", "100"]);
    let mut fleet = fleet(&server.url()).await;
    let port = server.port.to_string();
    let script = tokio::task::spawn_blocking(move || {
        std::process::Command::new("valkey-cli")
            .args(["-p", &port, "EVAL", "while true do end", "0"])
            .output()
    });
    fleet.run(Duration::from_millis(800), 300).await;
    assert!(fleet.errors().contains(&"Busy"), "{:?}", fleet.errors());
    server.command(&["SCRIPT", "KILL"]);
    script.await.unwrap().unwrap();
    recovers(fleet).await;
}

#[tokio::test]
async fn a_primary_that_became_a_replica_is_left() {
    let other = Server::start(Program::Valkey, &[]);
    let server = Server::start(Program::Valkey, &[]);
    let mut fleet = fleet(&server.url()).await;
    let port = other.port.to_string();
    server.command(&["REPLICAOF", "127.0.0.1", &port]);
    fleet.run(Duration::from_millis(600), 300).await;
    assert!(fleet.errors().contains(&"NotPrimary"), "{:?}", fleet.errors());
    server.command(&["REPLICAOF", "NO", "ONE"]);
    recovers(fleet).await;
}

#[tokio::test]
async fn what_a_ledger_is_kept_in_is_told_in_plain_words() {
    for (program, product) in [(Program::Valkey, Product::Valkey), (Program::Redis, Product::Redis)] {
        let server = Server::start(program, &["--appendonly", "yes"]);
        let engine = connect(&server.url(), options(2)).unwrap();
        engine.ready().await.unwrap();
        let seen = engine.inspect().await.unwrap();
        assert_eq!((seen.product, seen.awaited), (product, vec![0, 1]));
        assert_eq!(seen.durability, "append-only file, synced each second");
        assert!(
            seen.warnings[0].starts_with("A power cut forgets the last two seconds"),
            "{:?}",
            seen.warnings
        );
        engine.go_on_without(1).await.unwrap();
        assert_eq!(engine.awaited().await.unwrap(), [0]);
        engine.remove(0).await.unwrap();
        assert_eq!(engine.awaited().await.unwrap(), []);
    }
}
