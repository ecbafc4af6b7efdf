//! A fault in the configuration, and how it is shown: file, line, the words underlined, help.

use crate::secrets::Secrets;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, normalize_untrusted_str};
use std::{fmt, ops::Range};

/// More faults than this are counted but not shown: with so many, it is probably the wrong file.
const SHOWN: usize = 50;

/// Faults past this number are not even kept.
pub(super) const MAX_KEPT: usize = 1_000;

/// One thing that is wrong, where, and what to do about it.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    title: String,
    spots: Vec<Spot>,
    help: Vec<String>,
    of_absence: bool,
}

/// A place in the file. The line number of a fault is that of its first spot.
#[derive(Debug, Clone)]
struct Spot {
    span: Range<usize>,
    label: String,
}

/// All faults of one configuration, in the order of the file.
#[derive(Debug, Clone)]
pub struct Faults {
    file_name: String,
    source: String,
    faults: Vec<Fault>,
}

// === impl Fault ===

impl Fault {
    /// A fault at a place in the file.
    pub(super) fn at(span: Range<usize>, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            spots: vec![Spot { span, label: String::new() }],
            help: Vec::new(),
            of_absence: false,
        }
    }

    /// A fault that has no place in the file, such as a file that cannot be read.
    pub(super) fn nowhere(title: impl Into<String>) -> Self {
        Self { title: title.into(), spots: Vec::new(), help: Vec::new(), of_absence: false }
    }

    /// A value that is listed twice.
    pub(super) fn twice(what: &str, name: &str, second: &Range<usize>, first: &Range<usize>) -> Self {
        Self::at(second.clone(), format!("the {what} `{name}` is listed twice"))
            .label("the second time")
            .also(first.clone(), "the first time")
            .help("keep one of them")
    }

    /// Labels the words that the latest spot underlines.
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(spot) = self.spots.last_mut() {
            spot.label = label.into();
        }
        self
    }

    /// Shows a second place in the same snippet.
    pub(super) fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.spots.push(Spot { span, label: label.into() });
        self
    }

    /// Adds the remedy.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Marks the fault as being about something missing.
    pub(super) fn of_absence(mut self) -> Self {
        self.of_absence = true;
        self
    }

    /// Whether the fault is about something that is not there.
    pub(super) fn is_of_absence(&self) -> bool {
        self.of_absence
    }

    /// The fault as it may be shown.
    fn without(self, secrets: &Secrets) -> Self {
        let hide = |text: &String| secrets.hide(text);
        let spots = self.spots.into_iter().map(|spot| Spot { label: hide(&spot.label), ..spot });
        Self {
            title: hide(&self.title),
            spots: spots.collect(),
            help: self.help.iter().map(hide).collect(),
            of_absence: self.of_absence,
        }
    }

    /// Where the fault is, for sorting.
    pub(super) fn start(&self) -> usize {
        self.spots.first().map_or(0, |spot| spot.span.start)
    }

    fn render(&self, renderer: &Renderer, file_name: &str, source: &str) -> String {
        let title = Level::ERROR.primary_title(self.title.as_str());
        let help = self.help.iter().map(|text| Level::HELP.message(normalize_untrusted_str(text)));
        if self.spots.is_empty() {
            return renderer.render(&[title.elements(help)]);
        }
        let lines = Lines::around(source, &self.spots);
        // The renderer would draw a carriage return; a space keeps every place where it is.
        let text = lines.text.replace('\r', " ");
        let mut snippet = Snippet::source(text).line_start(lines.first_number).path(file_name);
        for (index, spot) in self.spots.iter().enumerate() {
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let label = (!spot.label.is_empty()).then_some(spot.label.as_str());
            snippet = snippet.annotation(kind.span(lines.within(source, &spot.span)).label(label));
        }
        renderer.render(&[title.element(snippet).elements(help)])
    }
}

/// The lines of a file that a snippet needs. The renderer walks all of the text that it is given,
/// so it is given no more than the text between the first and the last spot.
struct Lines<'a> {
    text: &'a str,
    start: usize,
    first_number: usize,
}

impl<'a> Lines<'a> {
    fn around(source: &'a str, spots: &[Spot]) -> Self {
        let first = spots.iter().map(|spot| spot.span.start).min().unwrap_or(0).min(source.len());
        let last = spots.iter().map(|spot| spot.span.end).max().unwrap_or(0).clamp(first, source.len());
        let (first, last) = (source.floor_char_boundary(first), source.ceil_char_boundary(last));
        let before = source.get(..first).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let after = source.get(last..).unwrap_or_default();
        let end = after.find('\n').map_or(source.len(), |newline| last + newline);
        Self {
            text: source.get(start..end).unwrap_or_default(),
            start,
            first_number: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
        }
    }

    /// A span of the file as a span of these lines, on character boundaries.
    fn within(&self, source: &str, span: &Range<usize>) -> Range<usize> {
        let start = source.floor_char_boundary(span.start.min(source.len()));
        let end = source.ceil_char_boundary(span.end.clamp(start, source.len()));
        let bound = |at: usize| at.saturating_sub(self.start).min(self.text.len());
        bound(start)..bound(end)
    }
}

// === impl Faults ===

impl Faults {
    /// Passwords are covered in whatever is shown of the file, and in whatever a text repeats of it.
    pub(super) fn new(file_name: &str, source: &str, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(Fault::start);
        let secrets = Secrets::of(source);
        let faults = faults.into_iter().map(|fault| fault.without(&secrets)).collect();
        Self { file_name: file_name.to_owned(), source: secrets.shown, faults }
    }

    /// How many there are: at least 1, and no more than 1000 are counted.
    pub fn count(&self) -> usize {
        self.faults.len()
    }

    /// All of them as text for a person, with colours if asked.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let file_name = normalize_untrusted_str(&self.file_name);
        let mut text = String::new();
        for fault in self.faults.iter().take(SHOWN) {
            text.push_str(&fault.render(&renderer, &file_name, &self.source));
            text.push_str("\n\n");
        }
        // Faults of a document name their own files; those of this file are shown in it.
        let is_here = self.source.is_empty() || self.faults.iter().any(|fault| !fault.spots.is_empty());
        let place = if is_here { format!(" in {file_name}") } else { String::new() };
        let sum = match (self.count(), self.count().saturating_sub(SHOWN)) {
            (all, _) if all >= MAX_KEPT => {
                format!("{all} errors or more{place}; the first {SHOWN} are shown")
            }
            (1, _) => format!("1 error{place}"),
            (all, 0) => format!("{all} errors{place}"),
            (all, more) => format!("{all} errors{place}; {more} more are not shown"),
        };
        text.push_str(
            &renderer.render(&[annotate_snippets::Group::with_title(Level::ERROR.primary_title(sum))]),
        );
        text.push('\n');
        text
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.render(false))
    }
}

impl std::error::Error for Faults {}
