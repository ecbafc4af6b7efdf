//! Checks one request so many times: `check_requests none|parameters|body COUNT`. For `bench/instructions.py`,
//! which counts the instructions of two counts and takes the difference.

use openapi::{
    documents::{Documents, Files},
    fault::Faults,
    reading,
    rules::{Headers, RequestRules, RuleCompiler, Sent, Strictness},
};
use std::{hint::black_box, process::ExitCode};

const DOCUMENT: &[u8] = include_bytes!("../../../bench/validation.json");
const BODY: &[u8] = include_bytes!("../../../bench/order.json");
const JSON: Option<&[u8]> = Some(b"application/json");

struct Memory;

impl Files for Memory {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Ok(DOCUMENT.to_vec())
    }
}

struct NoHeaders;

impl Headers for NoHeaders {
    fn each<'h>(&'h self, _: &str, _: &mut dyn FnMut(&'h [u8])) {}
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, count] = arguments.as_slice() else { return ExitCode::from(2) };
    let Ok(count) = count.parse::<u64>() else { return ExitCode::from(2) };
    let id = match kind.as_str() {
        "none" => "addUnchecked",
        "parameters" => "showItem",
        "body" => "addOrder",
        _ => return ExitCode::from(2),
    };
    match rules(id) {
        Ok(Some(rules)) if (0..count).all(|_| passes(black_box(&rules))) => ExitCode::SUCCESS,
        Ok(Some(_)) => {
            eprintln!("The request is refused.");
            ExitCode::FAILURE
        }
        Ok(None) => ExitCode::from(2),
        Err(faults) => {
            eprint!("{faults}");
            ExitCode::from(2)
        }
    }
}

fn rules(id: &str) -> Result<Option<RequestRules>, Faults> {
    let mut documents = Documents::read("validation.json", &Memory)?;
    let (api, _) = reading::read(&mut documents)?;
    let mut compiler = RuleCompiler::new(&documents, Strictness::default());
    let operation = api.operations.iter().find(|operation| operation.id.as_deref() == Some(id));
    let rules =
        operation.map(|one| compiler.operation(&one.path_names(), &one.parameters, one.body.as_ref()));
    compiler.finish()?;
    Ok(rules)
}

/// What the gateway asks of the rules for each request, in its order.
fn passes(rules: &RequestRules) -> bool {
    let sent = Sent { path: &["7"], query: Some("limit=20&sort=asc"), headers: &NoHeaders };
    if rules.checks_parameters() && !rules.check_parameters(black_box(&sent)).is_empty() {
        return false;
    }
    let has_body = !rules.checks_parameters();
    let media_type = if has_body { JSON } else { None };
    rules.check_media_type(black_box(media_type), has_body).is_ok()
        && (!rules.reads_body(media_type) || rules.check_body(media_type, black_box(BODY)).is_ok())
}
