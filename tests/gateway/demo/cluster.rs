//! `fairgate demo --nodes 3`: every line that it prints is run by a shell, with real servers, and gets the answers that it
//! promises; afterwards nothing is left of it.

use crate::{Demo, demo_command, server, shell, valkey_server};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    net::TcpStream,
    process::{Command, Output},
    thread::park_timeout,
    time::{Duration, Instant, SystemTime},
};

const NODES: [&str; 3] = ["--nodes", "3", "--json"];
const DEADLINE: Duration = Duration::from_secs(60);

fn lines(printed_json: &Value) -> &[Value] {
    printed_json["lines"].as_array().unwrap()
}

fn line<'t>(printed_json: &'t Value, name: &str) -> &'t Value {
    lines(printed_json).iter().find(|line| line["name"] == name).unwrap()
}

/// Waits for a condition.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        park_timeout(Duration::from_millis(100));
    }
}

fn unix_seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// Runs a line, in a minute that does not end meanwhile: limits of a minute begin anew then.
fn check(line: &Value) {
    let command = line["command"].as_str().unwrap();
    until("a minute with time left", || unix_seconds() % 60 < 45);
    let printed = shell(command);
    let mut answers = BTreeMap::new();
    let answer = regex::Regex::new(r"(?m)^\d+ (\d{3}) \d* left$").unwrap();
    for found in answer.captures_iter(&printed) {
        *answers.entry(found[1].to_owned()).or_insert(0_u64) += 1;
    }
    let promised: BTreeMap<String, u64> = serde_json::from_value(line["answers"].clone()).unwrap();
    assert_eq!(answers, promised, "{command}\n{printed}");
    assert!(printed.contains(line["prints"].as_str().unwrap()), "{command}\n{printed}");
}

fn status(printed_json: &Value) -> Value {
    let config = printed_json["nodes"][0]["config"].as_str().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairgate"));
    let output = command.args(["cluster", "status", "--json", "--config", config]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn addresses(printed_json: &Value) -> Vec<String> {
    let address =
        |node: &Value| node["address"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    printed_json["nodes"].as_array().unwrap().iter().map(address).collect()
}

/// Whether all gateways and the ledger are there, and nothing is wrong.
fn is_healthy(printed_json: &Value) -> bool {
    // A gateway that was killed counts as there for some seconds.
    if addresses(printed_json).iter().any(|address| TcpStream::connect(address).is_err()) {
        return false;
    }
    let status = status(printed_json);
    let is_up = |member: &Value| member["state"] == "up" && member["ledger"] == "reached";
    let members = status["members"].as_array().unwrap();
    let has_alarm = |of: &Value| of["alarms"].as_array().is_none_or(|alarms| !alarms.is_empty());
    members.len() == 3
        && members.iter().all(|member| is_up(member) && !has_alarm(member))
        && status["ledger"]["state"] == "reached"
        && !has_alarm(&status)
}

#[test]
fn every_line_of_three_gateways_gets_its_answers_also_those_that_kill_a_gateway_or_the_ledger() {
    let mut demo = Demo::start_alone(&NODES);
    let printed_json = demo.json_output();
    let names: Vec<_> = lines(&printed_json).iter().map(|line| line["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["one-limit", "errors-are-free", "maintenance", "status", "node-killed", "ledger-killed"]
    );
    // Twice: what was killed is there again, and no line spoils another.
    for round in 0..2 {
        for line in lines(&printed_json) {
            until("all nodes are healthy", || is_healthy(&printed_json));
            check(line);
        }
        until("all nodes are healthy", || is_healthy(&printed_json));
        let last = unix_seconds() / 60;
        until("the next minute", || round == 1 || unix_seconds() / 60 > last);
    }
    let folder = demo.temporary.path().display().to_string();
    demo.end();
    for address in addresses(&printed_json) {
        assert!(TcpStream::connect(&address).is_err(), "{address} is still listened at");
    }
    let running = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let command = fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&command).replace('\0', " "))
    });
    let left: Vec<_> = running.filter(|command| command.contains(&folder)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn people_see_the_same_lines() {
    let mut demo = Demo::start(&["--nodes", "3"]);
    let text = demo.text_output();
    let joined = text.replace(" \\\n      ", " ");
    for part in [
        "several gateways, one limit",
        "\n  gateway c  http://127.0.0.1:",
        "\n  one-limit  10 × 200, 2 × 429\n",
        "\n  ledger-killed  3 × 503\n",
        "\n    curl -s -o /dev/null 'http://127.0.0.1:{",
        "\n    kill -9 $(cat ",
    ] {
        assert!(joined.contains(part), "{part:?} is missing:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "there is no terminal, so there is no colour");
    let longest =
        text.lines().filter(|line| !line.contains("/fairgate")).map(|line| line.chars().count()).max();
    assert!(longest.unwrap() <= 100, "{text}");
    demo.end();
}

#[test]
fn at_servers_that_are_named_the_demo_touches_nothing_else_and_leaves_nothing_behind() {
    let records = server::Server::start();
    let ledger = valkey_server::Server::start(valkey_server::Program::Valkey, &[]);
    ledger.command(&["SET", "{fairgate}:ledger", "of somebody"]);
    let (url, ledger_url) = (records.url(), ledger.url());
    let arguments = [&NODES[..], &["--records", &url, "--ledger", &ledger_url]].concat();
    let error = failure(&arguments);
    assert!(error.contains("permission denied to create database") && error.contains("CREATEDB"), "{error}");

    records.sql("ALTER ROLE fairgate CREATEDB");
    let databases = || records.sql("SELECT datname FROM pg_database ORDER BY datname");
    let before = databases();
    let mut demo = Demo::start(&arguments);
    let printed_json = demo.json_output();
    assert!(
        lines(&printed_json).iter().all(|line| line["name"] != "ledger-killed"),
        "it is not the demo's to kill"
    );
    assert!(!printed_json.to_string().contains("horse"), "no password is shown: {printed_json:#}");
    check(line(&printed_json, "one-limit"));
    assert_ne!(databases(), before);
    assert!(ledger.command(&["DBSIZE"]).trim().parse::<u32>().unwrap() > 1);
    demo.end();
    assert_eq!(databases(), before);
    assert_eq!(ledger.command(&["KEYS", "*"]).trim(), "{fairgate}:ledger");
    assert_eq!(ledger.command(&["GET", "{fairgate}:ledger"]).trim(), "of somebody");
}

#[test]
fn servers_that_cannot_be_used_are_an_error_that_says_what_helps() {
    let error = failure(&["--nodes", "3", "--records", "postgresql://127.0.0.1:1/x"]);
    assert!(error.contains("127.0.0.1:1") && error.contains("createuser --createdb"), "{error}");
    let error = failure(&["--nodes", "3", "--records", "mysql://a"]);
    assert!(error.contains("`--records` takes a URL such as postgresql://"), "{error}");
    let error = failure(&["--ledger", "redis://127.0.0.1"]);
    assert!(error.contains("--nodes"), "{error}");
}

/// What a demo prints that does not start. It leaves nothing behind.
fn failure(arguments: &[&str]) -> String {
    let temporary = crate::temporary();
    let Output { status, stderr, .. } = demo_command(temporary.path()).args(arguments).output().unwrap();
    assert!(matches!(status.code(), Some(1 | 2)), "{status}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    String::from_utf8(stderr).unwrap()
}
