//! Input and expected faults as pairs of text, the examples, the registry and its outputs.

mod renamed;

use super::{
    page,
    raw::{Reader, Section},
    registry::{Absent, Table},
    sections::{self, ROWS},
    syntax, *,
};
use proptest::prelude::*;
use std::{collections::BTreeSet, time::Duration};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

fn repository() -> PathBuf {
    Path::new(CRATE).join("../..")
}

fn minimal() -> String {
    std::fs::read_to_string(repository().join("examples/minimal.toml")).unwrap()
}

/// Compares a file with what it should hold, or writes it if `UPDATE` is set.
fn compare(path: &Path, made: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, made).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if kept == made { Ok(()) } else { Err(format!("{}: run again with UPDATE=1\n{made}", path.display())) }
}

fn read_plain(source: &str) -> Result<Config, Faults> {
    parse(source, "fairgate.toml", &|_| None)
}

/// What a person sees: the faults, or the warnings of a configuration without faults.
fn outcome(source: &str) -> String {
    match read_plain(source) {
        Err(faults) => faults.render(false),
        Ok(config) => {
            config.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect::<String>()
                + "valid\n"
        }
    }
}

#[test]
fn every_fixture_gives_its_faults() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut paths: Vec<PathBuf> = std::fs::read_dir(Path::new(CRATE).join("tests/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let (input, _) = text.split_once("----\n").unwrap_or((&text, ""));
        if let Err(difference) = compare(&path, &format!("{input}----\n{}", outcome(input))) {
            wrong.push(difference);
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 35, "only {count} fixtures");
}

#[test]
fn the_examples_are_valid() {
    for name in ["minimal", "full", "openapi", "cluster"] {
        let path = repository().join(format!("examples/{name}.toml"));
        let config = load(&path, Extent::Everything).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        assert_eq!(config.node.store.path, repository().join("examples/data"));
    }
}

#[test]
fn the_minimal_example_has_the_promised_defaults() {
    let settings = read_plain(&minimal()).unwrap().data_plane;
    let seconds = Duration::from_secs;
    assert_eq!(settings.listen.threads, std::thread::available_parallelism().unwrap().get());
    assert_eq!(settings.timeouts.head, seconds(10));
    assert_eq!(settings.timeouts.keep_alive, seconds(75));
    assert_eq!(settings.upstream_timeouts.connect, seconds(5));
    assert_eq!((settings.sizes.head, settings.sizes.body), (32 << 10, 10 << 20));
    assert_eq!(settings.keys.headers, ["x-api-key"]);
    assert!(settings.keys.pattern.is_none());
    assert_eq!(settings.abuse.errors_per_key, Some(6_000));
    assert_eq!(settings.abuse.errors_per_address, Some(30_000));
    assert_eq!(settings.api.reserved_prefix, "/_");
    assert!(settings.address_limits.is_empty());
    assert_eq!(settings.statuses, contract::Statuses::Fairgate);
    assert_eq!(settings.redirects.status, contract::RedirectStatus::MovedPermanently);
    assert_eq!(
        settings.endpoints.declared().iter().map(|endpoint| endpoint.cost).collect::<Vec<_>>(),
        [1, 5]
    );
    let upstream = &settings.services.first().unwrap().upstream;
    assert_eq!(upstream.addresses.first().unwrap().authority(), "127.0.0.1:9000");
}

#[test]
fn the_environment_wins_over_the_file() {
    let source = minimal().replace("address = \"127", "threads = 3\naddress = \"127");
    let with = |value: &str| {
        let value = value.to_owned();
        parse(&source, "fairgate.toml", &move |name| (name == "FAIRGATE_THREADS").then(|| value.clone()))
    };
    assert_eq!(read_plain(&source).unwrap().data_plane.listen.threads, 3);
    assert_eq!(with("7").unwrap().data_plane.listen.threads, 7);
    for wrong in ["0", "1025", "many", ""] {
        let faults = with(wrong).unwrap_err();
        assert_eq!(faults.count(), 1);
        assert!(faults.render(false).contains("FAIRGATE_THREADS"));
    }
}

#[test]
fn the_full_example_is_read_as_it_is_written() {
    let config = load(&repository().join("examples/full.toml"), Extent::Everything).unwrap();
    let settings = config.data_plane;
    let team = settings.plans.iter().find(|plan| plan.name == "team").unwrap();
    let texts: Vec<String> = team.limits.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "1000000 per month in Europe/Berlin",
            "20000 per rolling 12 hours",
            "100 per second, burst 500",
            "20 at once",
            "10 per minute for search"
        ]
    );
    assert_eq!(
        settings.address_limits.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["600 per minute"]
    );
    let search = settings.endpoints.declared().iter().find(|endpoint| endpoint.path == "/search").unwrap();
    assert_eq!((search.group.as_deref(), search.cost_header.as_deref()), (Some("search"), Some("x-cost")));
    assert_eq!(search.cost, 10);
    let first = settings.endpoints.declared().first().unwrap();
    assert_eq!((first.group.as_deref(), first.cost_header.as_deref()), (None, None));
    assert_eq!(config.node.store.shared_memory, Path::new("/dev/shm"));
    assert_eq!((config.node.store.on_disk_full, config.node.store.durable), (OnDiskFull::Continue, true));
}

#[test]
fn what_the_file_adds_to_an_operation_reaches_its_endpoint() {
    let path = repository().join("examples/openapi.toml");
    let added = "[[endpoints]]\noperation = \"createItem\"\ngroup = \"writes\"\ncost_header = \"X-Units\"\n";
    let source =
        std::fs::read_to_string(&path).unwrap().replace("[[endpoints]]\noperation = \"createItem\"\n", added);
    let settings = parse(&source, path.to_str().unwrap(), &|_| None).unwrap().data_plane;
    let create = settings.endpoints.declared().iter().find(|endpoint| endpoint.method == "POST").unwrap();
    assert_eq!((create.group.as_deref(), create.cost_header.as_deref()), (Some("writes"), Some("x-units")));
    assert_eq!(create.cost, 5);
}

#[test]
fn the_store_is_beside_the_file() {
    let config = parse(&minimal(), "/etc/fairgate/fairgate.toml", &|_| None).unwrap();
    assert_eq!(config.node.store.path, Path::new("/etc/fairgate/data"));
    let source = minimal().replace("path = \"data\"", "path = \"/var/lib/fairgate\"");
    let config = parse(&source, "/etc/fairgate/fairgate.toml", &|_| None).unwrap();
    assert_eq!(config.node.store.path, Path::new("/var/lib/fairgate"));
}

#[test]
fn a_file_that_cannot_be_read_is_reported_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fairgate.toml");
    let fault = |path: &Path| load(path, Extent::Everything).unwrap_err().render(false);
    assert!(fault(&path).contains("there is no such file"), "{}", fault(&path));
    assert!(fault(folder.path()).contains("it is a folder"), "{}", fault(folder.path()));
    std::fs::write(&path, b"[api]\nname = \"\xff\"\n").unwrap();
    assert!(fault(&path).contains("is not UTF-8: see line 2"), "{}", fault(&path));
    std::fs::write(&path, vec![b'#'; (8 << 20) + 1]).unwrap();
    assert!(fault(&path).contains("larger than 8 MiB"), "{}", fault(&path));
}

// === the registry and what is made of it ===

#[test]
fn reading_asks_for_exactly_the_keys_of_the_registry() {
    let mut read = BTreeSet::new();
    // The files that the second one names do not exist.
    for (name, extent) in [("full", Extent::Everything), ("tls", Extent::File), ("cluster", Extent::File)] {
        let source = std::fs::read_to_string(repository().join(format!("examples/{name}.toml"))).unwrap();
        let (document, _) = syntax::read(&source);
        let reader = Reader::new(&source, ROWS);
        let _ = sections::read(&Section::top(&reader, document.get_ref()), Path::new(""), extent, &|_| None);
        let (faults, warnings, asked) = reader.finish();
        assert!(faults.is_empty() && warnings.is_empty(), "{name}: {faults:?} {warnings:?}");
        read.extend(asked);
    }
    let listed: BTreeSet<(Table, &str)> = ROWS.all().map(|key| (key.table, key.name)).collect();
    assert_eq!(read, listed);
    assert_eq!(listed.len(), ROWS.all().count(), "a key is in the registry twice");
}

#[test]
fn the_examples_show_every_key() {
    // A document and declared endpoints exclude each other, and TLS needs files.
    let read = |name| std::fs::read_to_string(repository().join("examples").join(name)).unwrap();
    let source =
        [read("full.toml"), read("openapi.toml"), read("tls.toml"), read("cluster.toml")].join("\n[top]\n");
    let mut table = Table::Top;
    let mut shown: BTreeSet<(Table, String)> = BTreeSet::new();
    for line in source.lines() {
        if line.starts_with('[') {
            let header = match line {
                "[top]" => Table::Top.header(),
                _ if line.starts_with("[plans.") => "[plans.NAME]",
                "[[services.addresses]]" => Table::UpstreamAddress.header(),
                "[services.health_check]" => Table::HealthCheck.header(),
                _ => line,
            };
            table = Table::ALL.into_iter().find(|table| table.header() == header).unwrap();
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            let is_own = ROWS.own(table).any(|key| key.name == name);
            shown.insert((table.borrows().filter(|_| !is_own).unwrap_or(table), name.to_owned()));
        }
    }
    let listed: BTreeSet<(Table, String)> = ROWS.all().map(|key| (key.table, key.name.to_owned())).collect();
    assert_eq!(shown, listed);
}

#[test]
fn every_row_is_documented_and_its_values_are_toml() {
    for key in ROWS.all() {
        assert!(key.meaning.ends_with('.'), "{}: {}", key.name, key.meaning);
        assert!(toml::de::DeValue::parse(key.example).is_ok(), "{}: {}", key.name, key.example);
        if let Absent::Default(text) = key.absent {
            assert!(toml::de::DeValue::parse(text).is_ok(), "{}: {text}", key.name);
        }
        assert!(page::reference().contains(&format!("| `{}` | ", key.name)), "{}", key.name);
        for other in ROWS.of(key.table) {
            assert!(!key.also_called.contains(&other.name), "{} is a key of its own", other.name);
        }
    }
}

#[test]
fn the_reference_page_is_made_from_the_registry() {
    compare(&repository().join("docs/configuration.md"), &page::reference()).unwrap();
}

#[test]
fn the_schema_knows_every_key_and_no_other() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let mut objects = 0;
    count_closed(&schema, &mut objects);
    // A service holds the tables of the upstream once more.
    assert_eq!(objects, Table::ALL.len() + 2);
    let endpoint = &schema["properties"]["endpoints"]["items"]["properties"];
    assert_eq!(endpoint["cost"]["default"], 1);
    assert_eq!(endpoint["parameters"]["items"]["properties"]["in"]["enum"][3], "body");
    assert_eq!(schema["properties"]["extra_codes"]["items"]["enum"].as_array().unwrap().len(), 13);
    assert_eq!(schema["required"], serde_json::json!(["plans"]));
    assert_eq!(schema["properties"]["sizes"]["properties"]["max_header_size"]["default"], "32KiB");
}

/// The TOML blocks of a document.
fn blocks(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let behind = text.split("```toml\n").skip(1);
    behind.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

fn documents(folder: &str, kind: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == kind)).collect();
    found.sort();
    found
}

/// All findings of a JSON Schema validator for a configuration.
fn violations(schema: &serde_json::Value, text: &str) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    let tables: toml::Table = text.parse().unwrap();
    let value = serde_json::to_value(tables).unwrap();
    validator.iter_errors(&value).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}

#[test]
fn the_schema_accepts_every_example_and_every_whole_configuration() {
    let schema = schema();
    let mut all: Vec<(String, String)> = Vec::new();
    for path in documents("examples", "toml") {
        all.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
    }
    assert!(all.len() >= 4);
    let mut pages = documents("docs", "md");
    pages.push(repository().join("README.md"));
    for (page, block) in
        pages.iter().flat_map(|page| blocks(page).into_iter().map(move |block| (page, block)))
    {
        if parse(&block, "examples/fairgate.toml", &|_| None).is_ok() {
            all.push((page.display().to_string(), block));
        }
    }
    for path in documents("crates/config/tests/cases", "txt") {
        let text = std::fs::read_to_string(&path).unwrap();
        let (input, _) = text.split_once("----\n").unwrap();
        if read_plain(input).is_ok() {
            all.push((path.display().to_string(), input.trim_start_matches('\u{feff}').to_owned()));
        }
    }
    assert!(all.len() > 15, "only {} whole configurations", all.len());
    for (name, text) in all {
        assert_eq!(violations(&schema, &text), Vec::<String>::new(), "{name}:\n{text}");
    }
}

#[test]
fn the_schema_accepts_the_pieces_that_the_documents_show() {
    // Of a piece only what is there can be right or wrong.
    let mut schema = schema();
    schema.as_object_mut().unwrap().remove("required");
    let mut count = 0;
    for page in documents("docs", "md") {
        for block in blocks(&page) {
            // A table of an endpoint without its endpoint is another thing to TOML.
            if block.trim_start().starts_with("[[endpoints.parameters]]")
                || block.parse::<toml::Table>().is_err()
            {
                continue;
            }
            assert_eq!(violations(&schema, &block), Vec::<String>::new(), "{}:\n{block}", page.display());
            count += 1;
        }
    }
    assert!(count > 30, "only {count} pieces");
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    for (from, to) in [
        ("[store]", "[stoer]"),
        ("cost = 5", "cost = \"five\""),
        ("[plans.free]\nlimits = [\"1000 per day\", \"20 per second\"]\n", ""),
        ("method = \"GET\"\n", "method = 1\n"),
    ] {
        let text = minimal().replace(from, to);
        assert_ne!(text, minimal(), "{from}");
        assert_ne!(violations(&schema(), &text), Vec::<String>::new(), "{to}");
    }
}

#[test]
fn a_file_in_another_language_has_one_fault() {
    for (text, named) in [
        ("# mine\nlisten:\n  address: 127.0.0.1:8080\nupstream:\n  url: http://127.0.0.1:9000\n", "YAML"),
        ("---\nopenapi: 3.1.0\ninfo: {title: Items, version: '1'}\n", "OpenAPI document"),
        ("{\"listen\": {\"address\": \"127.0.0.1:8080\"}}", "JSON"),
    ] {
        let faults = read_plain(text).unwrap_err();
        assert_eq!(faults.count(), 1, "{faults}");
        assert!(faults.to_string().contains(named), "{faults}");
    }
}

/// Counts the objects with properties; each must be closed and hold a description and only such.
fn count_closed(schema: &serde_json::Value, count: &mut usize) {
    if let Some(properties) = schema.get("properties") {
        *count += 1;
        assert_eq!(schema["additionalProperties"], false);
        for property in properties.as_object().unwrap().values() {
            assert!(property["description"].is_string(), "{property}");
            count_closed(property, count);
        }
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(inner) {
            count_closed(inner, count);
        }
    }
}

// === no input panics ===

/// Reads and renders; what comes out does not matter, that it comes out does.
fn survives(source: &str) {
    if let Err(faults) = read_plain(source) {
        assert!(faults.count() > 0);
        assert!(!faults.render(false).is_empty());
        assert!(!faults.render(true).is_empty());
    }
}

#[test]
fn faults_after_the_last_word_of_the_file_are_shown() {
    for source in ["x = [ \r\n ", "= \r", "[api]\n\n\n   ", "\u{feff}", "\u{feff}[", "\n\n=\n\n", "\r"] {
        survives(source);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(source in "\\PC{0,200}") {
        survives(&source);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_scraps_of_toml_panic(scraps in proptest::collection::vec("(\\[|\\]|\\[\\[|\\]\\]|=|\"|'|\"\"\"|\\{|\\}|,|\\.|#|\n|\r\n| |plans|endpoints|parameters|moved|api|name|1|-1|1e9|true|1979-05-27|\t|\u{1F600}|\u{feff}){1,3}", 0..40)) {
        survives(&scraps.concat());
    }

    #[test]
    fn no_mutated_configuration_panics(at in 0usize..4_000, cut in 0usize..60, put in "[\\[\\]={}\"'a0.\\n\u{e9}/-]{0,6}") {
        let source = std::fs::read_to_string(repository().join("examples/full.toml")).unwrap();
        let start = source.floor_char_boundary(at.min(source.len()));
        let end = source.ceil_char_boundary((start + cut).min(source.len()));
        survives(&format!("{}{put}{}", &source[..start], &source[end..]));
    }
}

#[test]
#[ignore = "slow without optimisation; run it after a change of what is kept or shown"]
fn a_huge_file_of_faults_is_reported_in_seconds() {
    let many = |line: &str| line.repeat((8 << 20) / line.len());
    for line in [
        "[[endpoints]]\n",
        "= ",
        "x = 1\n",
        "[api]\n",
        "[[moved]]\nfrom=\"/{a}\"\nto=\"/{b}\"\n",
        "\u{e9}",
        "[",
        "a.",
        "\"",
        "[[endpoints]]\nmethod=\"GET\"\npath=\"/a\"\n",
    ] {
        let begin = std::time::Instant::now();
        survives(&many(line));
        println!("{line:?} {:?}", begin.elapsed());
    }
}
