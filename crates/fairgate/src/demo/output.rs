//! How the demo shows its cases: a table for people, JSON for programs.

use super::{
    cases::{Case, Places, Promise},
    shell_line::ShellLine,
};
use crate::{failure::wants_colour, output};
use contract::ErrorCode;
use serde_json::json;
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// Most columns of a line, and as many as there are without a terminal. Only a word that is longer by itself goes
/// past it.
const WIDTH: usize = 100;
/// In fewer columns no curl line could be read.
const LEAST_WIDTH: usize = 40;
/// Columns of the names on the left, the longest of which is MEDIA_TYPE_NOT_SUPPORTED.
const NAMES: usize = 24;

/// All that is shown.
pub(super) struct Shown {
    pub(super) places: Places,
    pub(super) cases: Vec<Case>,
    /// The demo's folder, gone when it ends.
    pub(super) folder: PathBuf,
    /// The configuration of the gateway.
    pub(super) config: PathBuf,
}

/// Colours of a terminal, or none.
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    /// Colours, if this is a terminal that is to have them.
    pub(super) fn of(out: &impl io::IsTerminal) -> Self {
        Self { is_on: wants_colour(out) }
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.with("2", text)
    }

    /// In the colour of a row of the table.
    pub(super) fn row(&self, row: u16, text: &str) -> String {
        let colour = match row {
            200..300 => "1;32",
            300..400 => "1;36",
            400..500 => "1;33",
            _ => "1;31",
        };
        self.with(colour, text)
    }

    fn with(&self, code: &str, text: &str) -> String {
        if self.is_on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

impl Shown {
    /// Prints the table in one piece: the log of the gateway cannot get in between.
    pub(super) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let paint = Paint::of(&out);
        let mut text = Vec::new();
        self.head(&mut text, &paint)?;
        let mut row = 0;
        for case in &self.cases {
            if case.promise.row() != row {
                row = case.promise.row();
                let meaning = folded(meaning(case.promise));
                let meaning: Vec<String> = meaning.iter().map(|line| paint.bold(line)).collect();
                writeln!(text, "\n{}  {}\n", paint.row(row, &row.to_string()), meaning.join("\n     "))?;
            }
            self.case(&mut text, &paint, case)?;
        }
        self.tail(&mut text, &paint)?;
        out.write_all(&text)?;
        out.flush()
    }

    /// Prints the cases for programs.
    pub(super) fn print_json(&self) -> io::Result<()> {
        let cases = self.cases.iter().map(|case| {
            let code = match case.promise {
                Promise::Success(_) => None,
                Promise::Error(code) => Some(code.name()),
            };
            json!({
                "name": case.name,
                "row": case.promise.row(),
                "http_code": case.promise.http_code(),
                "code": code,
                "shows": case.shows,
                "command": case.command.line(),
            })
        });
        let value = json!({
            "gateway": format!("http://{}", self.places.gateway),
            "gateway_in_maintenance": format!("http://{}", self.places.in_maintenance),
            "sample_api": format!("http://{}", self.places.sample_api),
            "folder": self.folder,
            "config": self.config,
            "cases": cases.collect::<Vec<_>>(),
        });
        let mut out = io::stdout().lock();
        writeln!(out, "{value:#}")?;
        out.flush()
    }

    fn head(&self, text: &mut Vec<u8>, paint: &Paint) -> io::Result<()> {
        writeln!(text, "{}\n", paint.bold("Fairgate demo"))?;
        writeln!(text, "  gateway     http://{}", self.places.gateway)?;
        writeln!(text, "  sample API  http://{}   behind it, without its rules", self.places.sample_api)?;
        writeln!(text)?;
        let about = "Paste any line into another terminal, in any order, as often as you like. Each line has an API \
                     key of its own. The response that it gets is on the left.";
        for line in wrapped(about, width()) {
            writeln!(text, "{line}")?;
        }
        if is_behind_a_proxy() {
            writeln!(text, "\nThis environment names a proxy. Have curl leave it out first:\n")?;
            writeln!(text, "    export no_proxy=127.0.0.1")?;
        }
        Ok(())
    }

    fn case(&self, text: &mut Vec<u8>, paint: &Paint, case: &Case) -> io::Result<()> {
        let name = match case.promise {
            Promise::Success(status) => format!("{:NAMES$}", format!("{status} {}", case.name)),
            Promise::Error(code) => format!("{:NAMES$}", code.name()),
        };
        let indent = NAMES + 4;
        let mut shows = wrapped(case.shows, width().saturating_sub(indent)).into_iter();
        let first = shows.next().unwrap_or_default();
        writeln!(text, "  {}  {}", paint.row(case.promise.row(), &name), paint.dim(&first))?;
        for line in shows {
            writeln!(text, "{:indent$}{}", "", paint.dim(&line))?;
        }
        for line in case.command.lines(width(), 4) {
            writeln!(text, "{line}")?;
        }
        Ok(())
    }

    fn tail(&self, text: &mut Vec<u8>, paint: &Paint) -> io::Result<()> {
        writeln!(text, "\n{}\n", paint.bold("Behind the table"))?;
        let program = std::env::current_exe().unwrap_or_else(|_| "fairgate".into());
        for (note, words) in OPERATOR {
            let line = ShellLine::program(&program, words).option("--config", &self.config.to_string_lossy());
            for note in wrapped(note, width().saturating_sub(2)) {
                writeln!(text, "  {}", paint.dim(&note))?;
            }
            for line in line.lines(width(), 4) {
                writeln!(text, "{line}")?;
            }
        }
        self.summary(text, paint)
    }

    /// Last, because the beginning has scrolled away by now.
    fn summary(&self, text: &mut Vec<u8>, paint: &Paint) -> io::Result<()> {
        let config = output::plain(&self.config.display().to_string());
        let folder = output::plain(&self.folder.display().to_string());
        writeln!(text, "\n{}\n", paint.bold("Try first, in another terminal"))?;
        for promise in FIRST {
            if let Some(case) = self.cases.iter().find(|case| case.promise == promise) {
                self.case(text, paint, case)?;
            }
        }
        writeln!(text, "\n  gateway        http://{}", self.places.gateway)?;
        writeln!(text, "  error codes    http://{}/_docs/", self.places.gateway)?;
        writeln!(text, "  sample API     http://{}", self.places.sample_api)?;
        writeln!(text, "  configuration  {config}")?;
        writeln!(text, "  log            below, on standard error: one line a request")?;
        writeln!(text, "  end            Ctrl-C; it removes {folder}\n")
    }
}

/// A success, and two errors that everybody meets.
const FIRST: [Promise; 3] = [
    Promise::Success(200),
    Promise::Error(ErrorCode::KeyNotSet),
    Promise::Error(ErrorCode::ApiLimitExceeded),
];

/// Columns of a line: those of the terminal, if there is one.
pub(super) fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    terminal.map_or(WIDTH, |columns| columns.clamp(LEAST_WIDTH, WIDTH))
}

/// Words over as many lines of this width as they take.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What an operator can look at and do, and the words that do it.
const OPERATOR: [(&str, &str); 4] = [
    (
        "Why answers were 500: each is kept with its cause, under the request id that the client got.",
        "incidents list",
    ),
    ("The keys of the lines above.", "keys list"),
    ("Maintenance of the gateway itself, and its end.", "maintenance on --for 1m"),
    ("", "maintenance off"),
];

/// Whether curl would ask a proxy for the addresses of the demo, and fail.
fn is_behind_a_proxy() -> bool {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let left_out = ["no_proxy", "NO_PROXY"].map(|name| std::env::var(name).unwrap_or_default());
    ["http_proxy", "all_proxy", "ALL_PROXY"].iter().any(is_set)
        && !left_out.iter().any(|list| list.contains("127.0.0.1") || list.trim() == "*")
}

/// A sentence in lines beside a status within a hundred columns.
fn folded(sentence: &str) -> Vec<String> {
    const MAX_COLUMNS: usize = 90;
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= MAX_COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn meaning(promise: Promise) -> &'static str {
    match promise {
        Promise::Success(_) => "Everything is fine.",
        Promise::Error(code) => code.status().meaning(),
    }
}
