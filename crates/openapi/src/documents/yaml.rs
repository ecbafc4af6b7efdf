//! YAML text becomes a value and its lines: from the parser's events, without recursion.
//!
//! Everything in which YAML is larger than JSON is decided here: keys become text, `<<` merges, aliases are
//! copies whose sum is bounded, and what is duplicate or cannot be expressed in JSON is a fault.

use super::{
    DEPTH,
    lines::{Line, Lines},
    problem::{Parsed, Problem},
    scalar,
    texts::{self, Source},
};
use crate::text::quoted;
use contract::pointer::push;
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::HashMap};

/// How much copies of anchors may weigh together, in bytes: an alias of an alias of an alias is a bomb.
const COPIES: usize = 64 * 1024 * 1024;

/// What a value weighs beside its text, in bytes.
const WEIGHT: usize = 96;

/// How many faults of one file are reported.
const MOST: usize = 100;

/// Parses a whole text.
///
/// # Errors
/// The first fault of syntax, or all duplicate members.
pub(super) fn parse(text: &str, room: usize) -> Result<Parsed, Vec<Problem>> {
    let options = granit_parser::options! { emit_comments: false };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) if *error.kind() == ErrorKind::RecursionLimitExceeded => {
                Err(Problem::too_deep(Some(error.marker().line())))
            }
            Err(error) => {
                let marker = error.marker();
                let (line, column) = (marker.line(), marker.col() + 1);
                let message = format!("This is not YAML: {}, in column {column}.", error.info());
                Err(Problem::at(Some(line), message))
            }
        };
        if builder.lines.0.len() > room {
            return Err(vec![Problem::too_many(None)]);
        }
        if let Err(problem) = step {
            return Err(vec![problem]);
        }
    }
    if !builder.problems.is_empty() {
        return Err(builder.problems);
    }
    match builder.root {
        Some(root) if !root.is_null() => Ok(Parsed { root, lines: builder.lines }),
        Some(_) | None => Err(vec![Problem::at(None, "The file is empty.")]),
    }
}

#[derive(Default)]
struct Builder {
    root: Option<Value>,
    lines: Lines,
    open: Vec<Frame>,
    anchors: HashMap<usize, Finished>,
    copied: usize,
    documents: usize,
    problems: Vec<Problem>,
}

/// A sequence or mapping that is not complete.
struct Frame {
    holds: Holds,
    /// Where its line is among [`Builder::lines`].
    at: usize,
    anchor: usize,
    size: Size,
    /// How values are written that may be text.
    sources: Vec<Source>,
}

enum Holds {
    Elements(Vec<Value>),
    Members { members: Map<String, Value>, key: Option<Key>, merged: Vec<Finished> },
}

struct Key {
    name: String,
    line: usize,
    merges: bool,
}

/// A complete value, with its lines.
struct Finished {
    value: Value,
    lines: Vec<Line>,
    size: Size,
}

#[derive(Clone, Copy, Default)]
struct Size {
    /// Roughly, in bytes.
    weight: usize,
    /// Levels of nesting.
    height: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let line = span.start.line();
        match event {
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::Comment(..) => Ok(()),
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Problem::at(
                        Some(line),
                        "A second YAML document begins here; a file must contain only one.",
                    ));
                }
                Ok(())
            }
            Event::UnresolvedAlias(name) => {
                Err(Problem::at(Some(line), format!("Unknown anchor {}.", quoted(&name))))
            }
            Event::Alias(id) => self.copy(id, line),
            Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, anchor, tag.as_deref(), line),
            Event::SequenceStart(_, anchor, _) => self.begin(Holds::Elements(Vec::new()), anchor, line),
            Event::MappingStart(_, anchor, _) => {
                let holds = Holds::Members { members: Map::new(), key: None, merged: Vec::new() };
                self.begin(holds, anchor, line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(line),
            // The parser may get new events; an unknown one must not be ignored.
            _ => Err(Problem::at(Some(line), "This YAML is not supported.")),
        }
    }

    /// The line that a value beginning here gets: that of its key.
    fn line_of_value(&self, line: usize) -> usize {
        match self.open.last().map(|frame| &frame.holds) {
            Some(Holds::Members { key: Some(key), .. }) => key.line,
            Some(Holds::Members { key: None, .. } | Holds::Elements(_)) | None => line,
        }
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Frame { holds: Holds::Members { key: None, .. }, .. }))
    }

    /// The names from the root to the value that comes next.
    fn way(&self) -> Vec<&str> {
        let names = self.open.iter().map(|frame| match &frame.holds {
            Holds::Members { key: Some(key), .. } => key.name.as_str(),
            Holds::Members { key: None, .. } | Holds::Elements(_) => "",
        });
        names.collect()
    }

    /// Keeps how a number or a flag is written that comes next, where it may turn out to be text.
    fn keep_source(&mut self, text: &str) {
        let mut frames = self.open.iter_mut().rev();
        let Some(last) = frames.next() else { return };
        let (frame, index) = match &last.holds {
            Holds::Elements(elements) => {
                let index = elements.len();
                let Some(around) = frames.next() else { return };
                (around, Some(index))
            }
            Holds::Members { .. } => (last, None),
        };
        if let Holds::Members { key: Some(key), .. } = &frame.holds
            && texts::may_be_typed(&key.name, index.is_some())
        {
            frame.sources.push(Source { keyword: key.name.clone(), index, text: text.to_owned() });
        }
    }

    fn begin(&mut self, holds: Holds, anchor: usize, line: usize) -> Result<(), Problem> {
        if self.awaits_key() {
            return Err(Problem::at(
                Some(line),
                "A key must be a string, but this one is a list or an object.",
            ));
        }
        if self.open.len() >= DEPTH {
            return Err(Problem::too_deep(Some(line)));
        }
        let at = self.lines.begin(self.line_of_value(line));
        self.open.push(Frame { holds, at, anchor, size: Size::default(), sources: Vec::new() });
        Ok(())
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        line: usize,
    ) -> Result<(), Problem> {
        let core = tag.and_then(Tag::core_suffix);
        let plain = style == ScalarStyle::Plain;
        if let Some(Frame { holds: Holds::Members { key: key @ None, .. }, .. }) = self.open.last_mut() {
            let merges = text == "<<" && ((plain && tag.is_none()) || core == Some("merge"));
            *key = Some(Key { name: text.clone().into_owned(), line, merges });
            if anchor != 0 {
                let size = Size { weight: WEIGHT + text.len(), height: 0 };
                let lines = vec![Line { line: u32::try_from(line).unwrap_or(u32::MAX), size: 1 }];
                self.anchors
                    .insert(anchor, Finished { value: Value::String(text.into_owned()), lines, size });
            }
            return Ok(());
        }
        let size = Size { weight: WEIGHT + text.len(), height: 0 };
        let value = match core {
            Some("str") => Value::String(text.into_owned()),
            Some(tag) => scalar::tagged(tag, &text),
            // Application tags do not affect the core schema; `!` alone means text.
            None if plain && tag.is_none_or(Tag::is_custom) => match scalar::plain(&text) {
                Value::Number(_) | Value::Bool(_) if texts::is_text(&self.way()) => {
                    Value::String(text.into_owned())
                }
                value @ (Value::Number(_) | Value::Bool(_)) => {
                    self.keep_source(&text);
                    value
                }
                value @ (Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_)) => value,
            },
            None => Value::String(text.into_owned()),
        };
        let at = self.lines.begin(self.line_of_value(line));
        self.finish(value, at, anchor, size, line)
    }

    fn end(&mut self, line: usize) -> Result<(), Problem> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let mut size = frame.size;
        let value = match frame.holds {
            Holds::Elements(mut elements) => {
                elements.shrink_to_fit();
                Value::Array(elements)
            }
            Holds::Members { mut members, key: _, merged } => {
                for from in merged {
                    size.weight += from.size.weight;
                    size.height = size.height.max(from.size.height);
                    merge(&mut members, &mut self.lines, from);
                }
                if !frame.sources.is_empty() && !texts::is_data(&self.way()) {
                    texts::restore(&mut members, frame.sources);
                }
                Value::Object(members)
            }
        };
        self.lines.end(frame.at);
        size.weight += WEIGHT;
        size.height += 1;
        self.finish(value, frame.at, frame.anchor, size, line)
    }

    /// Puts a complete value, whose lines begin at `at`, where it belongs.
    fn finish(
        &mut self,
        value: Value,
        at: usize,
        anchor: usize,
        size: Size,
        line: usize,
    ) -> Result<(), Problem> {
        if anchor != 0 {
            // An anchor within an anchor within an anchor is copied as often as it is deep.
            self.charge(size, line)?;
            let lines = self.lines.0.get(at..).unwrap_or_default().to_vec();
            self.anchors.insert(anchor, Finished { value: value.clone(), lines, size });
        }
        let Some(frame) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        let mut twice = None;
        frame.size.height = frame.size.height.max(size.height);
        frame.size.weight += size.weight;
        match &mut frame.holds {
            Holds::Elements(elements) => elements.push(value),
            Holds::Members { members, key, merged } => match key.take() {
                Some(Key { merges: true, line, .. }) => {
                    let lines = self.lines.0.split_off(at);
                    merged.extend(sources(Finished { value, lines, size }, line)?);
                }
                Some(Key { name, line, .. }) if members.contains_key(&name) => {
                    self.lines.0.truncate(at);
                    twice = Some((name, line));
                }
                Some(Key { name, .. }) => {
                    frame.size.weight += name.len();
                    members.insert(name, value);
                }
                None => return Err(Problem::at(Some(line), "This value has no key.")),
            },
        }
        if let Some((name, line)) = twice {
            self.duplicate(&name, line);
        }
        Ok(())
    }

    fn duplicate(&mut self, name: &str, line: usize) {
        if self.problems.len() < MOST {
            let mut pointer = String::new();
            for frame in &self.open {
                match &frame.holds {
                    Holds::Elements(elements) => push(&mut pointer, &elements.len().to_string()),
                    Holds::Members { key: Some(key), .. } => push(&mut pointer, &key.name),
                    Holds::Members { key: None, .. } => push(&mut pointer, name),
                }
            }
            self.problems.push(Problem::duplicate(Some(line), pointer));
        }
    }

    fn copy(&mut self, id: usize, line: usize) -> Result<(), Problem> {
        let Some(Finished { size, .. }) = self.anchors.get(&id) else {
            return Err(Problem::at(Some(line), "This alias is inside its own anchor, so it never ends."));
        };
        let size = *size;
        if self.open.len() + size.height > DEPTH {
            return Err(Problem::too_deep(Some(line)));
        }
        self.charge(size, line)?;
        let at = self.lines.0.len();
        let own = self.line_of_value(line);
        let Some(anchor) = self.anchors.get(&id) else { return Ok(()) };
        if let Some(Frame { holds: Holds::Members { key: key @ None, .. }, .. }) = self.open.last_mut() {
            let Value::String(text) = &anchor.value else {
                return Err(Problem::at(Some(line), "A key must be a string, but this alias is not."));
            };
            *key = Some(Key { name: text.clone(), line, merges: false });
            return Ok(());
        }
        self.lines.0.extend_from_slice(&anchor.lines);
        if let Some(first) = self.lines.0.get_mut(at) {
            first.line = u32::try_from(own).unwrap_or(u32::MAX);
        }
        let value = anchor.value.clone();
        self.finish(value, at, 0, size, line)
    }

    fn charge(&mut self, size: Size, line: usize) -> Result<(), Problem> {
        self.copied = self.copied.saturating_add(size.weight);
        if self.copied > COPIES {
            let message = format!("Anchors and aliases expand to more than {} MB.", COPIES / 1024 / 1024);
            return Err(Problem::at(Some(line), message));
        }
        Ok(())
    }
}

/// The mappings that a merge key names: one, or a list of them.
fn sources(from: Finished, line: usize) -> Result<Vec<Finished>, Problem> {
    let wrong = || Problem::at(Some(line), "The merge key << must be an object or a list of objects.");
    match from.value {
        Value::Object(_) => Ok(vec![from]),
        Value::Array(elements) => {
            let mut at = 1;
            let mut all = Vec::new();
            for value in elements {
                let lines = subtree(&from.lines, at);
                at += lines.len();
                if !value.is_object() {
                    return Err(wrong());
                }
                let size = Size { weight: 0, height: from.size.height.saturating_sub(1) };
                all.push(Finished { value, lines: lines.to_vec(), size });
            }
            Ok(all)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(wrong()),
    }
}

/// Adds the missing members, with their lines: the object's own members win.
fn merge(members: &mut Map<String, Value>, lines: &mut Lines, from: Finished) {
    let Value::Object(more) = from.value else { return };
    let mut at = 1;
    for (name, value) in more {
        let own = subtree(&from.lines, at);
        at += own.len();
        if !members.contains_key(&name) {
            lines.0.extend_from_slice(own);
            members.insert(name, value);
        }
    }
}

fn subtree(lines: &[Line], at: usize) -> &[Line] {
    let size = lines.get(at).map_or(0, |line| line.size as usize);
    lines.get(at..at + size).unwrap_or_default()
}
