//! How the demo of a cluster is shown: for people, and as JSON for programs.

use super::{Node, lines::Line, servers::Servers};
use crate::{
    demo::output::{Paint, width, wrapped},
    output,
};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    path::Path,
};

/// All that is shown.
pub(super) struct Shown<'s> {
    pub(super) nodes: &'s [Node],
    pub(super) lines: &'s [Line],
    pub(super) servers: &'s Servers,
    /// The name of the database, and of what the ledger keeps.
    pub(super) name: &'s str,
    pub(super) folder: &'s Path,
}

impl Shown<'_> {
    /// Prints the lines for people.
    pub(super) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let paint = Paint::of(&out);
        let mut text = Vec::new();
        self.head(&mut text, &paint)?;
        for line in self.lines {
            show(&mut text, &paint, line)?;
        }
        self.tail(&mut text)?;
        out.write_all(&text)?;
        out.flush()
    }

    /// Prints them for programs.
    pub(super) fn print_json(&self) -> io::Result<()> {
        let lines = self.lines.iter().map(|line| {
            let answers: serde_json::Map<String, Value> =
                line.answers.iter().map(|(status, count)| (status.to_string(), (*count).into())).collect();
            json!({
                "name": line.name,
                "shows": line.shows,
                "command": line.command.line(),
                "answers": answers,
                "prints": line.prints,
            })
        });
        let nodes = self.nodes.iter().map(|node| {
            json!({
                "node": node.name,
                "address": format!("http://{}", node.address),
                "config": node.config,
            })
        });
        let value = json!({
            "nodes": nodes.collect::<Vec<_>>(),
            "records": self.records(),
            "ledger": self.ledger(),
            "folder": self.folder,
            "lines": lines.collect::<Vec<_>>(),
        });
        let mut out = io::stdout().lock();
        writeln!(out, "{value:#}")?;
        out.flush()
    }

    fn head(&self, text: &mut Vec<u8>, paint: &Paint) -> io::Result<()> {
        writeln!(text, "{}\n", paint.bold("Fairgate demo: several gateways, one limit"))?;
        for node in self.nodes {
            writeln!(text, "  gateway {}  http://{}", node.name, node.address)?;
        }
        writeln!(text, "  records    {}", self.records())?;
        writeln!(text, "  ledger     {}\n", self.ledger())?;
        let about = "Paste any line into another terminal, as often as you like. Each has an API key of its own; a limit of 10 a \
                     minute is full again when the minute is over. What stands before a line is what it gets.";
        for line in wrapped(about, width()) {
            writeln!(text, "{line}")?;
        }
        Ok(())
    }

    fn tail(&self, text: &mut Vec<u8>) -> io::Result<()> {
        let folder = output::plain(&self.folder.display().to_string());
        if !self.servers.ledger.is_own() {
            let note = "The ledger is not the demo's own, so no line kills it. Without --ledger the demo starts one of its own, if \
                        Valkey or Redis is installed.";
            writeln!(text)?;
            for line in wrapped(note, width()) {
                writeln!(text, "{line}")?;
            }
        }
        writeln!(text, "\n  logs           {folder}/*.log")?;
        writeln!(text, "  configuration  {folder}/a.toml and so on")?;
        writeln!(text, "  end            Ctrl-C; it removes all that the demo has made\n")
    }

    fn records(&self) -> String {
        if self.servers.records.is_own() {
            "PostgreSQL, started for the demo".to_owned()
        } else {
            format!("PostgreSQL, in the database {} of the demo", self.name)
        }
    }

    fn ledger(&self) -> String {
        let ledger = &self.servers.ledger;
        if ledger.is_own() {
            format!("{}, started for the demo", ledger.url())
        } else if ledger.url() == "postgresql" {
            "the same PostgreSQL".to_owned()
        } else {
            // The URL may have a password in it.
            format!("the one that is named, in keys that begin with {{{}}}", self.name)
        }
    }
}

fn show(text: &mut Vec<u8>, paint: &Paint, line: &Line) -> io::Result<()> {
    let answers =
        line.answers.iter().map(|(status, count)| paint.row(*status, &format!("{count} × {status}")));
    let answers = answers.collect::<Vec<_>>().join(", ");
    writeln!(text, "\n  {}  {answers}", paint.bold(line.name))?;
    for note in wrapped(line.shows, width().saturating_sub(2)) {
        writeln!(text, "  {}", paint.dim(&note))?;
    }
    for one in line.command.lines(width(), 4) {
        writeln!(text, "{one}")?;
    }
    Ok(())
}
