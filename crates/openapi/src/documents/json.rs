//! JSON text becomes a value, strictly: a duplicate member is a fault, and depth is bounded.

use super::{DEPTH, problem::Problem};
use contract::pointer::push;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, map::Entry};
use std::{
    cell::{Cell, RefCell},
    fmt,
};

/// How many bytes of pointers to duplicate members are kept: names can be long, and faults many.
const POINTERS: usize = 64 * 1024;

const TOO_DEEP: &str = "it is nested too deeply";

const TOO_MANY: &str = "it has too many values";

/// A duplicate member of an object.
pub(super) struct Duplicate {
    /// Its pointer.
    pub(super) pointer: String,
    /// Which child of its parent it is, on each level from the root: the text counts, not the value.
    pub(super) ordinals: Vec<usize>,
}

/// Parses a whole text. The second is the duplicate members; the value then has the first of each.
///
/// # Errors
/// The text is not JSON, or is too deep.
pub(super) fn parse(text: &str, room: usize) -> Result<(Value, Vec<Duplicate>), Problem> {
    let found =
        Found { duplicates: RefCell::default(), room: RefCell::new(POINTERS), values: Cell::new(room) };
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Seed { depth: 0, step: None, found: &found }
        .deserialize(&mut json)
        .and_then(|value| json.end().map(|()| value));
    match value {
        Ok(value) => Ok((value, found.duplicates.into_inner())),
        Err(error) => Err(problem(&error)),
    }
}

fn problem(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let cause = text.rsplit_once(" at line ").map_or(text.as_str(), |(cause, _)| cause);
    if cause.contains(TOO_DEEP) || cause.contains("recursion limit") {
        return Problem::too_deep(Some(error.line()));
    }
    if cause.contains(TOO_MANY) {
        return Problem::too_many(Some(error.line()));
    }
    Problem {
        line: Some(error.line()),
        pointer: String::new(),
        message: format!("This is not JSON: {cause}, in column {}.", error.column()),
        help: String::new(),
    }
}

struct Found {
    duplicates: RefCell<Vec<Duplicate>>,
    room: RefCell<usize>,
    /// How many values there may still be.
    values: Cell<usize>,
}

/// A step of the way from the root, kept on the stack: it costs nothing until there is a duplicate.
struct Step<'p> {
    parent: Option<&'p Step<'p>>,
    name: Name<'p>,
    ordinal: usize,
}

#[derive(Clone, Copy)]
enum Name<'p> {
    Member(&'p str),
    Element,
}

#[derive(Clone, Copy)]
struct Seed<'p> {
    depth: usize,
    step: Option<&'p Step<'p>>,
    found: &'p Found,
}

impl Found {
    fn add(&self, last: &Step<'_>) {
        let mut steps = Vec::new();
        let mut next = Some(last);
        while let Some(step) = next {
            steps.push(step);
            next = step.parent;
        }
        let mut pointer = String::new();
        for step in steps.iter().rev() {
            match step.name {
                Name::Member(name) => push(&mut pointer, name),
                Name::Element => push(&mut pointer, &step.ordinal.to_string()),
            }
        }
        let mut room = self.room.borrow_mut();
        if let Some(rest) = room.checked_sub(pointer.len()) {
            *room = rest;
            let ordinals = steps.iter().rev().map(|step| step.ordinal).collect();
            self.duplicates.borrow_mut().push(Duplicate { pointer, ordinals });
        } else if self.duplicates.borrow().is_empty() {
            // Even one with an endless name is a fault; its parent serves as the location.
            self.duplicates.borrow_mut().push(Duplicate { pointer: String::new(), ordinals: Vec::new() });
        }
    }
}

impl Seed<'_> {
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth >= DEPTH { Err(E::custom(TOO_DEEP)) } else { Ok(self.depth + 1) }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let rest = self.found.values.get().checked_sub(1).ok_or_else(|| D::Error::custom(TOO_MANY))?;
        self.found.values.set(rest);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut elements = Vec::new();
        loop {
            let step = Step { parent: self.step, name: Name::Element, ordinal: elements.len() };
            match access.next_element_seed(Seed { depth, step: Some(&step), found: self.found })? {
                Some(element) => elements.push(element),
                None => break,
            }
        }
        // Growing by doubling leaves up to half of the room unused, which counts with millions of arrays.
        elements.shrink_to_fit();
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut members = Map::new();
        let mut ordinal = 0;
        while let Some(name) = access.next_key::<String>()? {
            let step = Step { parent: self.step, name: Name::Member(&name), ordinal };
            let value = access.next_value_seed(Seed { depth, step: Some(&step), found: self.found })?;
            ordinal += 1;
            if members.contains_key(&name) {
                self.found.add(&step);
                continue;
            }
            match members.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(value);
                }
                Entry::Occupied(_) => return Err(A::Error::custom("a duplicate member")),
            }
        }
        Ok(Value::Object(members))
    }
}
