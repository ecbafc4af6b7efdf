//! Every command of docs/cluster.md, in its order, on real servers and three real gateways. Only what stands for other machines is
//! played: `scp` copies to another folder, and `systemctl` starts and stops the gateways of the machines in `AT`.

use crate::{
    blocks, free_port,
    postgres::{PASSWORD, Server},
    repository, run, upstream,
    valkey::{self, Program},
};
use std::fs;
use tempfile::TempDir;

const MACHINES: &str = r#"
AT="a b c"
scp() { cp -p "$2" "$ROOT/${3%%:*}/cluster.secret"; }
serve() {
    fairgate serve --config "$ROOT/$1/fairgate.toml" 2>> "$ROOT/$1/log" &
    echo $! > "$ROOT/$1/process"
    for _ in $(seq 600); do
        if fairgate status --config "$ROOT/$1/fairgate.toml" > /dev/null 2>&1; then return; fi
        sleep 0.05
    done
    cat "$ROOT/$1/log" >&2
    return 1
}
finish() { kill "$(cat "$ROOT/$1/process")" && wait "$(cat "$ROOT/$1/process")"; }
systemctl() {
    local machine
    for machine in $AT; do
        case "$1" in
            enable | start) serve "$machine" ;;
            stop) finish "$machine" ;;
            restart) finish "$machine"; serve "$machine" ;;
            *) return 1 ;;
        esac
    done
}
answer() { curl --silent --output /dev/null --write-out '%{http_code}' --header "X-API-Key: $2" "http://127.0.0.1:$1/items/7"; }
until_is() {
    for _ in $(seq 200); do
        if [[ "$(answer "$1" "$2")" == "$3" ]]; then return; fi
        sleep 0.05
    done
    echo "port $1 does not answer $3 but $(answer "$1" "$2")" >&2
    return 1
}
"#;

/// Has the file of a machine say what the document says, with the addresses of this test.
fn configuration(machine: &str, port: u16, upstream: u16, cluster: &str) -> String {
    let minimal = fs::read_to_string(repository().join("examples/minimal.toml")).unwrap();
    let minimal = minimal.replace("8080", &port.to_string()).replace("9000", &upstream.to_string());
    let minimal = minimal.replace("path = \"data\"", "path = \"store\"");
    let cluster = cluster.replace("node = \"a\"", &format!("node = \"{machine}\""));
    format!("{minimal}\n{cluster}")
}

#[test]
fn every_command_of_the_page_about_clusters_works_as_it_stands_there() {
    const PAGE: &str = "docs/cluster.md";
    let folder = TempDir::new().unwrap();
    let root = folder.path().to_str().unwrap();
    let records = Server::start();
    records.sql("DROP DATABASE fairgate");
    records.sql("DROP ROLE fairgate");
    for statement in
        blocks(PAGE, "sql").concat().replace("'...'", &format!("'{PASSWORD}'")).split_terminator(';')
    {
        if !statement.trim().is_empty() {
            records.sql(statement);
        }
    }
    let settings = blocks(PAGE, "conf").concat().replace("...", "secret");
    let settings: Vec<String> = settings
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .flat_map(|(name, value)| [format!("--{name}"), value.to_owned()])
        .collect();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let ledger = valkey::Server::start(Program::Valkey, &settings);

    let elsewhere = |text: &str| {
        text.replace("db.internal", &format!("127.0.0.1:{}", records.port()))
            .replace("?sslmode=verify-full", "")
            .replace(":...@ledger.internal:6379", &format!(":secret@127.0.0.1:{}", ledger.port))
            .replace("/var/lib/fairgate/store/copy", &format!("{root}/{{a,b,c}}/store/copy"))
            .replace("/etc/fairgate", &format!("{root}/a"))
    };
    let cluster = elsewhere(&blocks(PAGE, "toml").remove(0));
    let (ports, upstream) = ([free_port(), free_port(), free_port()], upstream());
    for (machine, port) in ["a", "b", "c"].iter().zip(ports) {
        let place = folder.path().join(machine);
        fs::create_dir(&place).unwrap();
        fs::write(place.join("fairgate.toml"), configuration(machine, port, upstream, &cluster)).unwrap();
    }

    let scripts: Vec<String> = blocks(PAGE, "sh").iter().map(|block| elsewhere(block)).collect();
    let [demo, init, start, look, backup, restore, upgrade, stop, remove] = scripts.as_slice() else {
        panic!("another number of blocks: {scripts:?}")
    };
    assert!(demo.ends_with("fairgate demo --nodes 3\n"), "tests/gateway/demo runs it: {demo}");
    let [a, b, c] = ports;
    let script = format!(
        "export ROOT={root} PGPASSWORD='{PASSWORD}'\n{MACHINES}\n{init}\n{start}\n\
         {{ {look} }} | tee looked\nkey=$(grep --only-matching --max-count=1 'fg_[A-Za-z0-9_]*' looked)\n\
         for port in {a} {b} {c}; do until_is $port $key 200; done\n\
         {backup}\n\
         later=$(fairgate keys create --plan free --permission items:read --config {root}/a/fairgate.toml | \
         grep --only-matching --max-count=1 'fg_[A-Za-z0-9_]*')\n\
         for port in {a} {b} {c}; do until_is $port $later 200; done\n\
         {restore}\n\
         for port in {a} {b} {c}; do until_is $port $key 200; until_is $port $later 403; done\n\
         AT=b\n{upgrade}\nuntil_is {b} $key 200\n\
         AT=c\n{stop}\n{remove}\n\
         fairgate cluster status --config {root}/a/fairgate.toml > left\n\
         grep '^a ' left && grep '^b ' left && ! grep '^c ' left\n\
         curl --silent --header \"X-API-Key: $key\" http://127.0.0.1:{a}/_limits\n"
    );
    let composed = repository().join("examples/cluster/fairgate.toml");
    run(folder.path(), &format!("fairgate config check --config {}", composed.display()));
    let out = run(folder.path(), &script);
    for machine in ["a", "b", "c"] {
        assert!(out.lines().any(|line| line.starts_with(&format!("{machine} "))), "{machine}: {out}");
    }
    assert!(out.contains("\"used\":7"), "what was used survives a restore: {out}");
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'fairgate'";
    println!("connections left: {}", records.sql(connections));
}
