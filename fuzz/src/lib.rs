//! What the three targets share: documents from memory, their operations compiled, and what has to hold
//! of everything that is told to a person.

use contract::Detail;
use openapi::{
    api::{Api, In, Operation},
    documents::{Documents, Files},
    fault::{Fault, Spot, Warning},
    reading,
    rules::{Headers, RequestRules, RuleCompiler, Strictness},
};
use std::{
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// No input of some kilobytes may take longer. Generous, because the machine has other work.
const PATIENCE: Duration = Duration::from_secs(5);

/// Past this nothing is waited for any longer.
const HANGS: Duration = Duration::from_secs(30);

/// The input that is worked on, and since when.
static CURRENT: Mutex<Option<(Instant, Vec<u8>)>> = Mutex::new(None);

/// Files that are all in memory: the root, and one that every other name leads to.
pub struct TwoFiles<'t> {
    /// The name of the root.
    pub root: &'t str,
    /// Its bytes.
    pub first: &'t [u8],
    /// The bytes of every other file.
    pub second: &'t [u8],
}

impl Files for TwoFiles<'_> {
    fn read(&self, location: &str) -> Result<Vec<u8>, String> {
        Ok(if location == self.root { self.first } else { self.second }.to_vec())
    }
}

/// An operation whose rules are compiled.
pub struct Compiled {
    /// What it is.
    pub operation: Operation,
    /// Its rules.
    pub rules: RequestRules,
}

/// What became of a document, so that two runs can be compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// All that is wrong with it, as a person reads it. Empty: it can be used.
    pub faults: Vec<Fault>,
    /// All that is not enforced.
    pub warnings: Vec<Warning>,
    /// How many operations it has.
    pub operations: usize,
}

/// Reads a document and compiles every operation, as the gateway does when it starts.
pub fn read(files: &TwoFiles<'_>, strictness: Strictness) -> (Outcome, Vec<Compiled>) {
    let mut documents = match Documents::read(files.root, files) {
        Ok(documents) => documents,
        Err(faults) => return (refused(faults.0), Vec::new()),
    };
    let (api, mut warnings) = match reading::read(&mut documents) {
        Ok(read) => read,
        Err(faults) => return (refused(faults.0), Vec::new()),
    };
    let (compiled, finished) = compile(api, &documents, strictness);
    match finished {
        Ok(more) => {
            warnings.extend(more);
            let operations = compiled.len();
            (Outcome { faults: Vec::new(), warnings, operations }, compiled)
        }
        Err(faults) => (refused(faults), Vec::new()),
    }
}

fn compile(
    api: Api,
    documents: &Documents,
    strictness: Strictness,
) -> (Vec<Compiled>, Result<Vec<Warning>, Vec<Fault>>) {
    let mut compiler = RuleCompiler::new(documents, strictness);
    let mut compiled = Vec::new();
    for operation in api.operations {
        let names = operation.path_names();
        let rules = compiler.operation(&names, &operation.parameters, operation.body.as_ref());
        compiled.push(Compiled { operation, rules });
    }
    (compiled, compiler.finish().map_err(|faults| faults.0))
}

fn refused(faults: Vec<Fault>) -> Outcome {
    assert!(!faults.is_empty(), "a document was refused without a reason");
    Outcome { faults, warnings: Vec::new(), operations: 0 }
}

/// A document whose rules every input of a run is checked by. It has to be valid.
pub fn fixed(text: &'static str) -> Vec<Compiled> {
    let files = TwoFiles { root: "fixed.json", first: text.as_bytes(), second: b"" };
    let (outcome, compiled) = read(&files, Strictness::default());
    assert!(outcome.faults.is_empty(), "{:?}", outcome.faults);
    assert!(!compiled.is_empty(), "the fixed document has no operations");
    compiled
}

/// Works on an input, which is kept as a finding if that does not end. libFuzzer's own limit interrupts the
/// program wherever it is, also within the allocator, and then waits for it for ever.
pub fn guarded(input: &[u8], work: impl FnOnce()) {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        thread::spawn(watch);
    });
    *current() = Some((Instant::now(), input.to_vec()));
    work();
    *current() = None;
}

fn current() -> MutexGuard<'static, Option<(Instant, Vec<u8>)>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch() {
    loop {
        thread::sleep(Duration::from_secs(1));
        let hangs = current().take_if(|(since, _)| since.elapsed() > HANGS);
        if let Some((_, input)) = hangs {
            let prefix =
                std::env::args().find_map(|word| word.strip_prefix("-artifact_prefix=").map(str::to_owned));
            let path = format!("{}hangs", prefix.unwrap_or_default());
            let written = std::fs::write(&path, input);
            eprintln!("An input took more than {HANGS:?}; it is in {path}: {written:?}");
            std::process::exit(70);
        }
    }
}

/// Runs something twice: both have to agree, and neither may take long.
pub fn twice<T: PartialEq + std::fmt::Debug>(mut work: impl FnMut() -> T) -> T {
    let began = Instant::now();
    let first = work();
    let took = began.elapsed();
    assert!(took < PATIENCE, "it took {took:?}");
    assert_eq!(first, work(), "a second run disagrees");
    first
}

/// What holds of each place that a person is sent to.
pub fn check_spot(spot: &Spot) {
    check_pointer(&spot.pointer);
    assert!(spot.line != Some(0), "lines begin at 1");
}

/// A JSON pointer by RFC 6901.
pub fn check_pointer(pointer: &str) {
    assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer:?} is no JSON pointer");
    let mut rest = pointer;
    while let Some((_, behind)) = rest.split_once('~') {
        assert!(behind.starts_with(['0', '1']), "{pointer:?} is no JSON pointer");
        rest = behind;
    }
}

/// What holds of each sentence that a client reads.
pub fn check_message(message: &str) {
    assert!(!message.trim().is_empty(), "a violation without a message");
    assert!(message.len() < 2_000, "a message of {} bytes", message.len());
    assert!(!message.contains(['\n', '\r', '\0']), "{message:?} has control characters");
}

/// What holds of each violation.
pub fn check_detail(detail: &Detail) {
    check_message(&detail.message);
    if let Some(pointer) = &detail.pointer {
        check_pointer(pointer);
    }
    let places = ["path", "query", "header", "cookie", "body"];
    assert!(places.contains(&detail.place), "{:?} is no place", detail.place);
}

/// Header lines in the order of a request.
pub struct Lines<'r>(pub Vec<(&'r str, &'r [u8])>);

impl Headers for Lines<'_> {
    fn each<'h>(&'h self, name: &str, found: &mut dyn FnMut(&'h [u8])) {
        for (named, value) in &self.0 {
            if named.eq_ignore_ascii_case(name) {
                found(value);
            }
        }
    }
}

/// Whether an operation takes a parameter in this place.
pub fn takes(operation: &Operation, place: In) -> bool {
    operation.parameters.iter().any(|parameter| parameter.place == place)
}
