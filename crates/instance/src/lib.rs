//! JSON as a validator is given it: an instance, as JSON Schema calls what a schema is held against.
//!
//! Most bodies are right, and are read and dropped again. A [`Tree`] borrows its texts from the body and hashes no names,
//! which takes a third of the time of a [`serde_json::Value`]. What is wrong with a body is told of a value, as is what was
//! made here, of a parameter say. A [`Part`] is one or the other, and a [`Validator`] sees no difference.
//!
//! Validators are compiled here and nowhere else: the compiler of `jsonschema` is made for the kind of its instances, and to
//! make it takes the Rust compiler half a minute.

mod part;
mod tree;
mod validator;

pub use part::{Instance, Items, ItemsIter, Members, MembersIter, Part, Seen};
pub use tree::Tree;
pub use validator::{Options, Validator, compile, options};
