//! `fairgate demo`, as a newcomer has it: every line that it prints is run by a shell, and must
//! get the response that the line promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test reports what it finds by panicking"
)]

mod cluster;
mod ports;
#[path = "../../servers/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]
mod server;
#[path = "../../servers/valkey.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]
mod valkey_server;

use contract::{ErrorCode, Status, Statuses};
use ports::Ports;
use serde_json::{Deserializer, Value};
use std::{
    collections::HashSet,
    fmt,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Seek},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};
use tempfile::TempDir;

/// A demo that runs with its own folder for temporary files.
struct Demo {
    process: Child,
    /// What it says on standard error.
    stderr: File,
    temporary: TempDir,
    _ports: Ports,
}

/// One answer that curl printed.
#[derive(PartialEq, Eq)]
struct Answer {
    http_code: u64,
    code: Option<String>,
}

#[test]
fn every_line_of_the_demo_gets_the_answer_that_it_promises() {
    let mut demo = Demo::start(&["--json"]);
    let printed_json = demo.json_output();
    let cases = printed_json["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    // Twice in a row, then all of them again in reverse: no line may need or spoil another.
    for case in cases {
        check(case);
        check(case);
    }
    for case in cases.iter().rev() {
        check(case);
    }
    demo.end();
}

#[test]
fn violations_are_reported_all_at_once_with_their_place_and_what_was_meant() {
    let mut demo = Demo::start(&["--json"]);
    let printed_json = demo.json_output();
    let details = |name: &str| -> Vec<(String, String)> {
        let printed = shell(case(&printed_json, name)["command"].as_str().unwrap());
        let body: Value = serde_json::from_str(printed.split_once("\r\n\r\n").unwrap().1).unwrap();
        let place = |detail: &Value| {
            let member = if detail["in"] == "body" { "pointer" } else { "name" };
            detail[member].as_str().unwrap().to_owned()
        };
        let details = body["error"]["details"].as_array().unwrap();
        details.iter().map(|one| (place(one), one["message"].as_str().unwrap().to_owned())).collect()
    };
    let places = |name: &str| details(name).into_iter().map(|(place, _)| place).collect::<Vec<_>>();
    let meant = |name: &str| {
        let all = details(name);
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    };

    assert_eq!(places("bad-parameters"), ["limit", "sort"]);
    assert_eq!(places("bad-body"), ["/name", "/price"]);
    assert_eq!(
        HashSet::from_iter(places("bad-order")),
        HashSet::from(
            ["/customer/email", "/lines/0/quantity", "/lines/1/quantity", "/lines/1/item"].map(str::to_owned)
        )
    );
    assert_eq!(
        HashSet::from_iter(places("bad-payment")),
        HashSet::from(["/lines", "/payment/method"].map(str::to_owned))
    );
    assert_eq!(places("bad-form"), ["/stars"]);
    for (name, place, was_meant) in [
        ("unknown-member", "/prise", "price"),
        ("bad-list", "tags", "wood"),
        ("unknown-parameter", "limt", "limit"),
    ] {
        let (at, message) = meant(name);
        assert_eq!(at, place, "{message}");
        assert!(message.contains("Did you mean") && message.contains(was_meant), "{message}");
    }
    demo.end();
}

#[test]
fn the_document_of_the_demo_is_served_with_the_contract_in_it() {
    let mut demo = Demo::start(&["--json"]);
    let printed_json = demo.json_output();
    let printed = shell(case(&printed_json, "document-json")["command"].as_str().unwrap());
    let document: Value = serde_json::from_str(printed.split_once("\r\n\r\n").unwrap().1).unwrap();
    let create = &document["paths"]["/items"]["post"];
    assert_eq!(create["operationId"], "createItem");
    for status in ["201", "400", "401", "403", "422", "429", "500", "503"] {
        assert!(create["responses"][status].is_object(), "{status} is missing: {create:#}");
    }
    assert!(create["responses"]["409"].is_null(), "no client ever gets 409: {create:#}");

    let deprecated = shell(case(&printed_json, "deprecated")["command"].as_str().unwrap()).to_lowercase();
    assert!(deprecated.contains("\ndeprecation: @1780272000\r\n"), "{deprecated}");
    assert!(deprecated.contains("\nlink: ") && deprecated.contains("rel=\"deprecation\""), "{deprecated}");
    demo.end();
}

#[test]
fn the_demo_shows_every_row_of_the_table_and_every_code_that_a_client_can_provoke() {
    let mut demo = Demo::start(&["--json"]);
    let printed_json = demo.json_output();
    let cases = printed_json["cases"].as_array().unwrap();
    let shown = |name: &str| cases.iter().map(|case| case[name].clone()).collect::<HashSet<Value>>();

    let rows = shown("row");
    for row in [200, 301, 400, 401, 403, 404, 422, 429, 500, 503] {
        assert!(rows.contains(&Value::from(row)), "no case shows {row}");
    }
    let codes = shown("code");
    for code in ErrorCode::ALL {
        // The demo has no certificate, so it redirects no one to https.
        let is_extra = matches!(code.status(), Status::Extra(_)) || code == ErrorCode::HttpsRequired;
        assert!(is_extra || codes.contains(&Value::from(code.name())), "no case shows {}", code.name());
    }
    assert_eq!(shown("name").len(), cases.len(), "two cases have the same name");
    for case in cases {
        if let Some(code) = case["code"].as_str() {
            let status = ErrorCode::from_name(code).unwrap().status();
            assert_eq!(case["http_code"], status.on_the_wire(Statuses::Fairgate), "{}", case["name"]);
        }
    }
    demo.end();
}

#[test]
fn the_table_for_people_has_the_same_lines_in_100_columns_and_without_colour_off_a_terminal() {
    let mut json = Demo::start(&["--json"]);
    let printed_json = json.json_output();
    let mut plain = Demo::start(&[]);
    let text = plain.text_output();
    // What differs from one demo to another: ports, keys and folders.
    let blank = |text: &str| {
        let text = regex::Regex::new(r"fg_[0-9A-Za-z]+").unwrap().replace_all(text, "KEY").into_owned();
        regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&text, "HOST").into_owned()
    };
    let joined = blank(&text.replace(" \\\n      ", " "));
    for case in printed_json["cases"].as_array().unwrap() {
        let line = format!("\n    {}\n", blank(case["command"].as_str().unwrap()));
        assert!(joined.contains(&line), "the table lacks{line}");
        assert!(text.contains(case["shows"].as_str().unwrap()), "{}", case["name"]);
    }
    assert!(!text.contains('\u{1b}'), "there is no terminal, so there is no colour");
    let longest =
        text.lines().filter(|line| !line.contains("/fairgate")).max_by_key(|line| line.chars().count());
    assert!(longest.unwrap().chars().count() <= 100, "{longest:?}");
    json.end();
    plain.end();
}

#[test]
fn the_last_screen_shows_where_everything_is_and_what_to_try_first() {
    let mut demo = Demo::start(&[]);
    let text = demo.text_output();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len() - 24..].join("\n").replace(" \\\n      ", " ");
    for part in ["Try first", "gateway ", "error codes ", "sample API ", "configuration ", "end "] {
        assert!(last.contains(part), "{part:?} is not on the last screen:\n{last}");
    }
    let commands: Vec<&str> = last.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    let codes: Vec<u64> = commands.iter().map(|command| answers(&shell(command))[0].http_code).collect();
    assert_eq!(codes, [200, 403, 429]);
    demo.end();
}

#[test]
fn the_commands_behind_the_table_work_on_the_gateway_that_runs() {
    let mut demo = Demo::start(&[]);
    let text = demo.text_output().replace(" \\\n      ", " ");
    let behind = text.split("Behind the table").nth(1).unwrap();
    let commands: Vec<_> = behind.lines().filter(|line| line.contains(" --config ")).map(str::trim).collect();
    assert_eq!(commands.len(), 4, "{behind}");
    let crash = text.lines().find(|line| line.contains("/fail/crash")).unwrap();
    let id = "demo-test-crash-1";
    shell(&format!("{} -H 'X-Request-Id: {id}'", crash.trim()));
    for command in &commands {
        let printed = shell(command);
        if command.contains("incidents list") {
            assert!(printed.contains(id) && printed.contains("/fail/crash"), "{printed}");
        } else if command.contains("keys list") {
            assert!(printed.contains("too-many-errors") && printed.contains("revoked"), "{printed}");
        } else if command.contains("maintenance on") {
            let read = text.lines().find(|line| line.contains("/items/7 ")).unwrap();
            assert_eq!(answers(&shell(read)), [Answer { http_code: 503, code: Some("MAINTENANCE".into()) }]);
        }
    }
    demo.end();
}

#[test]
fn two_demos_run_beside_each_other() {
    let mut one = Demo::start(&["--json"]);
    let mut other = Demo::start(&["--json"]);
    for demo in [&mut one, &mut other] {
        let printed_json = demo.json_output();
        check(&printed_json["cases"][0]);
    }
    one.end();
    other.end();
}

#[test]
fn a_demo_without_a_temporary_folder_fails_and_names_tmpdir() {
    let missing = TempDir::new().unwrap().path().join("missing");
    let output = demo_command(&missing).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("TMPDIR") && error.contains(&*missing.to_string_lossy()), "{error}");
}

// === impl Demo ===

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        Self::start_at(Ports::shared(), arguments)
    }

    /// One whose gateways are killed.
    fn start_alone(arguments: &[&str]) -> Self {
        Self::start_at(Ports::alone(), arguments)
    }

    fn start_at(ports: Ports, arguments: &[&str]) -> Self {
        let temporary = temporary();
        let mut command = demo_command(temporary.path());
        let stderr = tempfile::tempfile().unwrap();
        command.args(arguments).stdout(Stdio::piped()).stderr(stderr.try_clone().unwrap());
        Self { process: command.spawn().unwrap(), stderr, temporary, _ports: ports }
    }

    /// The output of `--json`, as soon as it is there.
    fn json_output(&mut self) -> Value {
        let out = self.process.stdout.as_mut().unwrap();
        Deserializer::from_reader(out).into_iter().next().unwrap().unwrap()
    }

    /// The output for people, up to its last line.
    fn text_output(&mut self) -> String {
        let out = BufReader::new(self.process.stdout.as_mut().unwrap());
        let mut text = String::new();
        for line in out.lines() {
            text.push_str(&line.unwrap());
            text.push('\n');
            if text.contains("\n  end ") {
                return text;
            }
        }
        panic!("the demo ended early:\n{text}");
    }

    /// Stops it as a supervisor does. It must exit cleanly and leave nothing behind.
    fn end(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status: ExitStatus = self.process.wait().unwrap();
        let mut stderr = String::new();
        self.stderr.rewind().unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        assert_eq!(status.code(), Some(0), "{status}: {stderr}");
        let left: Vec<_> =
            std::fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for Demo {
    /// Only where a test failed: nothing may keep running.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder like those of the system: PostgreSQL, which does not run as root, has to come through.
fn temporary() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

fn demo_command(temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairgate"));
    command.arg("demo").env("TMPDIR", temporary);
    command.env_remove("FAIRGATE_CONFIG").env_remove("FAIRGATE_THREADS");
    command
}

// === the response to a line ===

fn case<'t>(printed_json: &'t Value, name: &str) -> &'t Value {
    printed_json["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap()
}

/// Runs a case's line and compares the answer with its promise.
fn check(case: &Value) {
    let line = case["command"].as_str().unwrap();
    // Of a line that sends several requests, the window of a limit may end between two of them.
    let attempts = if line.contains("[1-") { 2 } else { 1 };
    let kept = (0..attempts).any(|_| keeps_its_promise(case, line));
    assert!(kept, "{} does not keep its promise", case["name"]);
}

fn keeps_its_promise(case: &Value, line: &str) -> bool {
    let printed = shell(line);
    let promised = Answer {
        http_code: case["http_code"].as_u64().unwrap(),
        code: case["code"].as_str().map(str::to_owned),
    };
    let answers = answers(&printed);
    let is_kept = match answers.as_slice() {
        [only] => *only == promised,
        several => line.contains("[1-") && several.contains(&promised),
    };
    if !is_kept {
        eprintln!("{} promises {promised:?}, but gets {answers:?}:\n{line}\n{printed}", case["name"]);
    }
    is_kept
}

/// Runs a line exactly as it was printed.
fn shell(line: &str) -> String {
    let mut command = Command::new("bash");
    // The proxy settings of this machine do not apply to the demo.
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(name);
    }
    let mut process =
        command.args(["-c", line]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut printed = Vec::new();
    process.stdout.take().unwrap().read_to_end(&mut printed).unwrap();
    let output = process.wait_with_output().unwrap();
    let (printed, errors) = (String::from_utf8_lossy(&printed), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{line}\nfailed: {errors}\n{printed}");
    printed.into_owned()
}

/// The final answers in what `curl -i` printed.
fn answers(printed: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    // Only a head ends its lines so: a body may mention HTTP/1.1, too.
    let begin = regex::Regex::new(r"HTTP/1\.1 (\d{3})[^\r\n]*\r\n").unwrap();
    let begins: Vec<_> = begin.captures_iter(printed).collect();
    assert_eq!(begins.first().map(|first| first.get(0).unwrap().start()), Some(0), "{printed}");
    for (index, found) in begins.iter().enumerate() {
        let end = begins.get(index + 1).map_or(printed.len(), |next| next.get(0).unwrap().start());
        let part = &printed[found.get(0).unwrap().start()..end];
        let http_code: u64 = found[1].parse().unwrap();
        if http_code < 200 {
            continue;
        }
        let (_, body) = part.split_once("\r\n\r\n").unwrap();
        let body: Option<Value> = serde_json::from_str(body).ok();
        let code = body.as_ref().and_then(|body| body["error"]["code"].as_str()).map(str::to_owned);
        if let (Some(body), Some(_)) = (&body, &code) {
            assert_eq!(body["error"]["http_code"], http_code, "{printed}");
            assert!(!printed.contains("hunter2") && !printed.contains("Traceback"), "{printed}");
        }
        answers.push(Answer { http_code, code });
    }
    answers
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.http_code, self.code.as_deref().unwrap_or("without a code"))
    }
}
