//! What a request wrote, taken apart by its style and not yet typed; and its typing.

use crate::{
    rules::{
        json,
        shape::{Shape, Types},
        text,
    },
    schema::Found,
};
use contract::pointer::child;
use serde_json::{Map, Value};

/// A value that is still text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    Text(String),
    List(Vec<Raw>),
    Members(Vec<(String, Raw)>),
    /// Typed already: it came as JSON.
    Ready(Value),
}

impl Raw {
    /// The value that this is by a shape. What cannot become what it should is noted, and is null.
    pub(super) fn typed(&self, shape: &Shape, narrow: bool, at: &str, wrong: &mut Vec<Found>) -> Value {
        match self {
            Self::Ready(value) => value.clone(),
            // An object that is an item or a member has no style of its own: it is JSON.
            Self::Text(text) if shape.types.are_objects() && text.trim_start().starts_with('{') => {
                json::read(text.as_bytes()).unwrap_or_else(|_| Value::String(text.clone()))
            }
            // A single value means a list of one, where only a list is allowed.
            Self::Text(_) if shape.types == Types::ARRAY => {
                listed(std::iter::once(self), shape, narrow, at, wrong)
            }
            Self::Text(text) => text::typed(text, shape.types, narrow).unwrap_or_else(|message| {
                if wrong.len() < MAX_WRONG {
                    wrong.push(Found { pointer: at.to_owned(), message });
                }
                Value::Null
            }),
            Self::List(items) => listed(items.iter(), shape, narrow, at, wrong),
            Self::Members(members) => {
                if shape.types == Types::ARRAY && numbered(members) {
                    return listed(members.iter().map(|(_, item)| item), shape, narrow, at, wrong);
                }
                let anything = Shape::default();
                let mut object = Map::new();
                for (name, member) in members {
                    let shape = shape.part(name).unwrap_or(&anything);
                    let value = member.typed(shape, narrow, &child(at, name), wrong);
                    object.insert(name.clone(), value);
                }
                Value::Object(object)
            }
        }
    }
}

/// Texts that are noted because they cannot become what they should.
const MAX_WRONG: usize = 1_000;

fn listed<'r>(
    items: impl Iterator<Item = &'r Raw>,
    shape: &Shape,
    narrow: bool,
    at: &str,
    wrong: &mut Vec<Found>,
) -> Value {
    let anything = Shape::default();
    let typed = items.enumerate().map(|(index, item)| {
        let shape = shape.item(index).unwrap_or(&anything);
        // So is a list within a list.
        if let Raw::Text(text) = item
            && shape.types == Types::ARRAY
            && text.trim_start().starts_with('[')
            && let Ok(list) = json::read(text.as_bytes())
        {
            return list;
        }
        item.typed(shape, narrow, &format!("{at}/{index}"), wrong)
    });
    Value::Array(typed.collect())
}

/// Whether the names are 0, 1, 2 and so on: the items of a list, as `a[0]=x` writes them.
fn numbered(members: &[(String, Raw)]) -> bool {
    !members.is_empty() && members.iter().enumerate().all(|(index, (name, _))| *name == index.to_string())
}
