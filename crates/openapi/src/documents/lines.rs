//! The line of every value of a file, in eight bytes each.
//!
//! A tree of values has no room for lines, and a text of 50 MB cannot be searched again for each of a
//! thousand faults. So the lines are kept beside the tree, in the order of the text, each with the number
//! of values within: a pointer is found by stepping over the siblings before it, and the text can go.

use contract::pointer::{index, unescape};
use memchr::memchr2;
use serde_json::Value;

/// The lines of a file's values, from the root on, each value before those within it.
#[derive(Debug, Default)]
pub(super) struct Lines(pub(super) Vec<Line>);

/// Where a value begins: for a member, at its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// From 1.
    pub(super) line: u32,
    /// This value and all within it.
    pub(super) size: u32,
}

impl Lines {
    /// The line of what a pointer names, or of the nearest value around it that exists.
    pub(super) fn find(&self, root: &Value, pointer: &str) -> Option<usize> {
        let mut value = root;
        let mut at = 0;
        for token in pointer.split('/').skip(1) {
            let Some((ordinal, child)) = child(value, token) else { break };
            let Some(next) = self.nth_child(at, ordinal) else { break };
            (value, at) = (child, next);
        }
        self.line(at)
    }

    /// The line of the value at these positions among its siblings, from the root on.
    pub(super) fn find_ordinals(&self, ordinals: &[usize]) -> Option<usize> {
        let mut at = 0;
        for &ordinal in ordinals {
            at = self.nth_child(at, ordinal)?;
        }
        self.line(at)
    }

    fn line(&self, at: usize) -> Option<usize> {
        self.0.get(at).map(|found| found.line as usize)
    }

    fn nth_child(&self, parent: usize, ordinal: usize) -> Option<usize> {
        let mut at = parent + 1;
        for _ in 0..ordinal {
            at += self.0.get(at)?.size as usize;
        }
        (at < self.0.len()).then_some(at)
    }

    pub(super) fn begin(&mut self, line: usize) -> usize {
        self.0.push(Line { line: u32::try_from(line).unwrap_or(u32::MAX), size: 1 });
        self.0.len() - 1
    }

    pub(super) fn end(&mut self, at: usize) {
        let size = self.0.len().saturating_sub(at);
        if let Some(line) = self.0.get_mut(at) {
            line.size = u32::try_from(size).unwrap_or(u32::MAX);
        }
    }
}

/// The child that a token of a pointer names, and its place among its siblings.
fn child<'v>(value: &'v Value, token: &str) -> Option<(usize, &'v Value)> {
    match value {
        Value::Object(members) => {
            let name = unescape(token);
            members
                .iter()
                .enumerate()
                .find(|(_, (key, _))| **key == *name)
                .map(|(at, (_, child))| (at, child))
        }
        Value::Array(elements) => {
            let at = index(token)?;
            Some((at, elements.get(at)?))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// The lines of a JSON text that has been parsed, so that only its structure needs to be followed.
pub(super) fn of_json(text: &str) -> Lines {
    let bytes = text.as_bytes();
    let mut lines = Lines::default();
    let mut open: Vec<(usize, bool)> = Vec::new();
    let (mut at, mut line) = (0, 1);
    // Of the member whose name has been read and whose value is still to come.
    let mut name: Option<usize> = None;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\n' => line += 1,
            b'"' => {
                at = end_of_string(bytes, at);
                let is_name = name.is_none() && open.last().is_some_and(|&(_, object)| object);
                if is_name {
                    name = Some(line);
                } else {
                    lines.begin(name.take().unwrap_or(line));
                }
            }
            b'{' | b'[' => open.push((lines.begin(name.take().unwrap_or(line)), byte == b'{')),
            b'}' | b']' => {
                if let Some((begun, _)) = open.pop() {
                    lines.end(begun);
                }
            }
            b',' | b':' | b' ' | b'\t' | b'\r' => {}
            _ => {
                lines.begin(name.take().unwrap_or(line));
                while bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
                {
                    at += 1;
                }
            }
        }
    }
    lines.0.shrink_to_fit();
    lines
}

/// Behind the closing quote of a string whose first character is here.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if bytes.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    bytes.len()
}
