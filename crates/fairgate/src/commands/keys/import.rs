//! `fairgate keys import`: reads a file of keys, has them checked in batches, and saved all at once.

use super::wanted as new_key;
use crate::{
    cli,
    commands::{Out, permissions, reach::Reach},
    failure::Failure,
    output,
};
use control::{AddToImport, BeginImport, CommitImport, ImportFault, ImportFaultKind};
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Read, Write},
    path::Path,
    process::ExitCode,
};

/// Keys that are checked at a time.
const BATCH: usize = 10_000;
/// Bytes of keys at a time: even if all had to be escaped, a request stays within its bound.
const BATCH_BYTES: usize = 2 << 20;
/// The maximum that is read of a line: enough to detect that it is too long.
const LINE: u64 = contract::key::LONGEST as u64 + 4;

/// An import under way.
struct Import<'a> {
    reach: &'a mut Reach,
    id: String,
    batch: Vec<String>,
    batch_bytes: usize,
    /// The line of each key, by its number.
    lines: Vec<u64>,
    faults: Vec<ImportFault>,
}

pub(super) fn run(wanted: cli::Import, reach: &mut Reach, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    let (name, file) = open(&wanted.file)?;
    let new = new_key(wanted.wanted);
    let warnings = permissions::warnings(reach.config(), &new.permissions);
    permissions::print(&warnings);
    let id = reach.execute(BeginImport(new))?;
    let mut import =
        Import { reach, id, batch: Vec::new(), batch_bytes: 0, lines: Vec::new(), faults: Vec::new() };
    import.read(file, &name)?;
    let refused = import.faults.len();
    if !wanted.json.json {
        import.print_faults(&name);
    }
    let good = import.lines.len() - refused;
    if refused > 0 && !wanted.skip_bad {
        if wanted.json.json {
            output::json_value(
                out,
                &json!({ "imported": 0, "refused": import.faults_json(), "warnings": warnings }),
            )?;
        }
        let advice =
            if good > 0 { format!(", or import the other {good} with --skip-bad") } else { String::new() };
        let all = import.lines.len();
        let what = match (refused, all) {
            (1, 1) => "the only key".to_owned(),
            _ => format!("{refused} of {all} keys"),
        };
        let lines = if refused == 1 { "line" } else { "lines" };
        return Err(Failure::new(format!(
            "{what} cannot be imported, so none was imported: correct the {lines}{advice}"
        )));
    }
    progress(&format!("Saving {good} keys…"));
    let saved = import.reach.execute(CommitImport { import: import.id.clone() });
    progress("");
    let imported = saved?;
    if wanted.json.json {
        output::json_value(
            out,
            &json!({ "imported": imported, "refused": import.faults_json(), "warnings": warnings }),
        )?;
    } else {
        let keys = if imported == 1 { "key" } else { "keys" };
        let skipped = match refused {
            0 => String::new(),
            1 => " 1 was skipped.".into(),
            more => format!(" {more} were skipped."),
        };
        writeln!(out, "Imported {imported} {keys}.{skipped}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn open(path: &Path) -> Result<(String, Box<dyn BufRead>), Failure> {
    if path == Path::new("-") {
        return Ok(("standard input".into(), Box::new(io::stdin().lock())));
    }
    let name = path.display().to_string();
    let file = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => Ok(file),
    });
    let file = file.map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    Ok((name, Box::new(BufReader::with_capacity(1 << 16, file))))
}

// === impl Import ===

impl Import<'_> {
    fn read(&mut self, mut file: Box<dyn BufRead>, name: &str) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let mut line = 0;
        loop {
            bytes.clear();
            line += 1;
            let read = read_line(&mut file, &mut bytes);
            if !read.map_err(|error| Failure::new(format!("cannot read {name}: {error}")))? {
                break;
            }
            // Editors of Windows put a mark before the first line.
            let text = if line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes) } else { &bytes };
            if self.lines.is_empty()
                && let Some(what) = other_form(text)
            {
                return Err(Failure::new(format!(
                    "line {line} of {name} looks like {what}: write one key on each line and nothing else"
                )));
            }
            if text.is_empty() || text == b"#" || text.starts_with(b"# ") {
                continue;
            }
            // What is not UTF-8 becomes a character that no key may have, and is refused as such.
            self.batch.push(String::from_utf8_lossy(text).into_owned());
            self.batch_bytes += text.len();
            self.lines.push(line);
            if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES {
                self.check_batch()?;
            }
        }
        self.check_batch()
    }

    fn check_batch(&mut self) -> Result<(), Failure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.batch_bytes = 0;
        let keys = std::mem::take(&mut self.batch);
        let added = self.reach.execute(AddToImport { import: self.id.clone(), keys });
        progress(&format!("Checked {} keys…", self.lines.len()));
        match added {
            Ok(faults) => {
                self.faults.extend(faults);
                Ok(())
            }
            Err(failure) => {
                progress("");
                Err(failure)
            }
        }
    }

    fn line_of(&self, at: u64) -> u64 {
        usize::try_from(at).ok().and_then(|at| self.lines.get(at)).copied().unwrap_or(0)
    }

    /// Why a key was refused; never the key.
    fn reason(&self, kind: &ImportFaultKind) -> String {
        match kind {
            ImportFaultKind::Repeated { first } => {
                format!("{kind}: it is already on line {}", self.line_of(*first))
            }
            ImportFaultKind::Empty
            | ImportFaultKind::TooLong
            | ImportFaultKind::Characters
            | ImportFaultKind::Pattern
            | ImportFaultKind::Exists { .. } => kind.to_string(),
        }
    }

    fn print_faults(&self, name: &str) {
        progress("");
        let mut err = io::BufWriter::new(io::stderr().lock());
        for fault in &self.faults {
            // The exit code is returned even if the faults cannot be written.
            let _ = writeln!(err, "{name}:{}: {}", self.line_of(fault.at), self.reason(&fault.kind));
        }
    }

    fn faults_json(&self) -> Vec<serde_json::Value> {
        let value = |fault: &ImportFault| json!({ "line": self.line_of(fault.at), "reason": self.reason(&fault.kind) });
        self.faults.iter().map(value).collect()
    }
}

/// What a file is whose first line is this one, if it is surely no list of keys.
fn other_form(line: &[u8]) -> Option<&'static str> {
    const COLUMNS: [&str; 7] = ["key", "keys", "api_key", "api-key", "apikey", "token", "secret"];
    if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
        return Some("UTF-16, and keys are read as UTF-8");
    }
    let text = std::str::from_utf8(line).ok()?.trim();
    if matches!(text, "[" | "{") || ["[\"", "{\"", "[{"].iter().any(|start| text.starts_with(start)) {
        return Some("JSON");
    }
    let mut columns = text.split([',', ';']).map(|column| column.trim().trim_matches('"'));
    let is_header = columns.any(|column| COLUMNS.iter().any(|known| column.eq_ignore_ascii_case(known)));
    is_header.then_some("the header of a CSV file")
}

/// Reads a line without its end. False: there is none. Of a line that is far too long only the
/// beginning is kept, so that a file without lines does not fill the memory.
fn read_line(file: &mut Box<dyn BufRead>, bytes: &mut Vec<u8>) -> io::Result<bool> {
    if file.by_ref().take(LINE).read_until(b'\n', bytes)? == 0 {
        return Ok(false);
    }
    if bytes.pop_if(|last| *last == b'\n').is_some() {
        bytes.pop_if(|last| *last == b'\r');
    } else if bytes.len() as u64 == LINE {
        file.skip_until(b'\n')?;
    }
    Ok(true)
}

/// One line that is written over and over, for people who wait.
fn progress(text: &str) {
    let mut err = io::stderr();
    if err.is_terminal() {
        let _ = write!(err, "\r\u{1b}[K{text}");
        let _ = err.flush();
    }
}
