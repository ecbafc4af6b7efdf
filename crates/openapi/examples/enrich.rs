//! Enriches a document as a gateway with usual settings would: `enrich IN OUT.json OUT.yaml`.
//!
//! `cargo run --release -p fairgate-openapi --example enrich -- petstore.yaml out.json out.yaml`

use contract::{Statuses, status::ExtraStatus};
use openapi::{
    documents::{Documents, Files},
    enrich::{Exposed, Facts, enrich, to_json, to_yaml},
    fault::Faults,
    reading,
};
use std::{process::ExitCode, time::Instant};

struct Disk;

impl Files for Disk {
    fn read(&self, location: &str) -> Result<Vec<u8>, String> {
        std::fs::read(location).map_err(|error| format!("{error}."))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [document, json, yaml] = arguments.as_slice() else {
        eprintln!("Say the document, and where its JSON and its YAML are written.");
        return ExitCode::from(2);
    };
    match enriched(document) {
        Ok((as_json, as_yaml)) => {
            for (path, bytes) in [(json, as_json), (yaml, as_yaml)] {
                if let Err(error) = std::fs::write(path, bytes) {
                    eprintln!("{path}: {error}.");
                    return ExitCode::FAILURE;
                }
            }
            ExitCode::SUCCESS
        }
        Err(faults) => {
            eprint!("{faults}");
            ExitCode::from(2)
        }
    }
}

fn enriched(document: &str) -> Result<(Vec<u8>, Vec<u8>), Faults> {
    let begun = Instant::now();
    let mut documents = Documents::read(document, &Disk)?;
    let (api, _) = reading::read(&mut documents)?;
    let read = begun.elapsed();
    // Costs as an operator would set them: what changes something costs more.
    let operations: Vec<Exposed> = api
        .operations
        .iter()
        .map(|operation| Exposed {
            access: operation.access.clone(),
            cost: if operation.method == "POST" { 5 } else { 1 },
            moved_to: None,
            deprecated: operation.deprecated,
        })
        .collect();
    let own_header = ["X-API-Key".to_owned()];
    let facts = Facts {
        public_url: Some("https://api.example.org"),
        statuses: Statuses::Fairgate,
        extra_codes: &[ExtraStatus::Conflict, ExtraStatus::PreconditionFailed],
        key_headers: if api.key_headers.is_empty() { &own_header } else { &api.key_headers },
        docs_path: "/_docs",
        limits_path: "/_limits",
        support_email: Some("help@example.org"),
        redirects_to_https: false,
        redirect_status: contract::RedirectStatus::default(),
        operations: &operations,
    };
    let value = enrich(&documents, &api, &facts);
    let enriched = begun.elapsed();
    let bytes = (to_json(&value), to_yaml(&value));
    println!(
        "{} operations: read in {} ms, enriched in {} ms, written in {} ms",
        api.operations.len(),
        read.as_millis(),
        (enriched - read).as_millis(),
        (begun.elapsed() - enriched).as_millis()
    );
    Ok(bytes)
}
